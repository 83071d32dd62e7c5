"""Our own three processes: the migration that runs first, the worker, and the web process."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from infra.embedded.home import Home
from infra.embedded.object_store import ACCESS_KEY
from infra.embedded.ports import LOOPBACK, Ports
from infra.embedded.program import Program
from infra.embedded.temporal import NAMESPACE

LIAN = (sys.executable, "-m", "lian")
OWN_SECRETS = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATA_KEYS", "CERTIFICATE_KEY", "S3_SECRET_KEY")
"""A stack has its own: a value or file the user's shell holds for another installation must not win."""


@dataclass(frozen=True)
class Application:
    """The commands of our processes; the defaults are the product's, tests put stand-ins in their place."""

    version: str
    migrate: tuple[str, ...] = (*LIAN, "migrate")
    worker: tuple[str, ...] = (*LIAN, "worker")
    web: tuple[str, ...] = (*LIAN, "web")
    up: tuple[str, ...] = (*LIAN, "up")


def stack_settings(home: Home, ports: Ports, *, demo: bool) -> dict[str, str]:
    """The `LIAN_*` variables that make a process use this stack; secrets are named by file."""
    settings = {
        "LIAN_HOME": str(home.root),
        "LIAN_DATABASE_URL_FILE": str(home.secrets / "database_url"),
        "LIAN_DATABASE_OWNER_URL_FILE": str(home.secrets / "database_owner_url"),
        "LIAN_DATA_KEYS_FILE": str(home.secrets / "data_keys"),
        "LIAN_CERTIFICATE_KEY_FILE": str(home.secrets / "certificate_key"),
        "LIAN_TEMPORAL_ADDRESS": f"{LOOPBACK}:{ports['temporal']}",
        "LIAN_TEMPORAL_NAMESPACE": NAMESPACE,
        "LIAN_S3_ENDPOINT": f"http://{LOOPBACK}:{ports['s3']}",
        "LIAN_S3_ACCESS_KEY": ACCESS_KEY,
        "LIAN_S3_SECRET_KEY_FILE": str(home.secrets / "s3_secret_key"),
        "LIAN_WEB_HOST": LOOPBACK,
        "LIAN_WEB_PORT": str(ports["web"]),
    }
    public = os.environ.get("LIAN_PUBLIC_URL") or f"http://{LOOPBACK}:{ports['web']}"
    return {**settings, "LIAN_PUBLIC_URL": public, **({"LIAN_DEMO": "1"} if demo else {})}


def inherited_environment() -> dict[str, str]:
    """The user's environment without secrets of another installation; other `LIAN_*` settings pass on."""
    foreign = {f"LIAN_{name}" for name in OWN_SECRETS}
    return {name: value for name, value in os.environ.items() if name not in foreign}


def migrate_program(home: Home, application: Application, settings: dict[str, str]) -> Program:
    """Brings the schema up to date, then ends."""
    return _program("migrate", application.migrate, home, application, settings, probes=())


def worker_program(home: Home, application: Application, settings: dict[str, str]) -> Program:
    """Runs workflows and activities; ready once it has written its ready file."""
    ready = home.run / "worker.ready"
    settings = {**settings, "LIAN_READY_FILE": str(ready)}
    return _program("worker", application.worker, home, application, settings, probes=(f"file:{ready}",))


def web_program(home: Home, application: Application, settings: dict[str, str]) -> Program:
    """Serves pages and the API."""
    healthy = f"http://{LOOPBACK}:{settings['LIAN_WEB_PORT']}/healthz"
    return _program("web", application.web, home, application, settings, probes=(healthy,))


def _program(
    name: str,
    command: tuple[str, ...],
    home: Home,
    application: Application,
    settings: dict[str, str],
    *,
    probes: tuple[str, ...],
) -> Program:
    return Program(
        name=name,
        command=command,
        # Two arenas: threads that hash and stream files would otherwise each keep memory of their own.
        environment={**inherited_environment(), **settings, "PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2"},
        directory=Path.cwd(),
        log=home.log(name),
        version=application.version,
        probes=probes,
    )
