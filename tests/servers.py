"""The real servers of one test run: PostgreSQL, Temporal and S3, shared by all its test processes.

The first test that needs them starts a keeper (`python -m tests.servers FOLDER PID`). The keeper starts the servers in
a folder of the run, writes their addresses into `servers.json`, and stops them when the run ends, in whatever way: it
watches the process that leads the run.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psutil

from infra.embedded import stack
from infra.embedded.home import Home, write_private
from infra.embedded.identity import Identity, stop_trees
from infra.embedded.object_store import ACCESS_KEY, clear_sockets, object_store_program, prepare_object_store
from infra.embedded.ports import LOOPBACK, Ports, fresh_ports
from infra.embedded.postgres import (
    APPLICATION,
    OWNER,
    SUPERUSER,
    database_url,
    postgres_program,
    prepare_postgres,
    prepare_roles,
)
from infra.embedded.program import beside_python
from infra.embedded.supervisor import Supervisor, together
from infra.embedded.temporal import NAMESPACE, temporal_program

RUN_VARIABLE = "LIAN_TEST_RUN"
LEADER_VARIABLE = "LIAN_TEST_LEADER"
OFF_VARIABLE = "LIAN_TEST_NO_SERVERS"
PER_PROCESS = ("main", *(f"gw{n}" for n in range(8)))
"""Temporal namespaces, one for each test process: no worker ever draws another one's work."""
KEPT_VARIABLES = {
    RUN_VARIABLE,
    LEADER_VARIABLE,
    OFF_VARIABLE,
    "LIAN_REQUIRE_BROWSER",
    "LIAN_BROWSER",
    "LIAN_EXAMPLES",
    "LIAN_STEPS",
    "LIAN_YEAR_CASES",
    "LIAN_FAULT_FILE",
    "LIAN_RACES",
    "LIAN_DRAWS",
    "LIAN_SCREENSHOTS",
}
START_SECONDS = 60.0
MEMORY, PLENTY = Path("/dev/shm"), 6 * 1024**3
IMPATIENT = 0.1
"""Seconds: what the servers hold is thrown away, so nothing is gained by a polite end."""
TEST_SERVER = beside_python("temporal-test-server")
"""Temporal's test server that skips time: `WorkflowEnvironment.start_time_skipping(test_server_existing_path=...)`."""
DEV_SERVER = beside_python("temporal")
"""The `temporal` program, for `start_local(dev_server_existing_path=...)`."""


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Addresses and credentials of the run's servers."""

    host: str
    postgres_port: int
    postgres_password: str
    owner_password: str
    application_password: str
    temporal_address: str
    temporal_namespace: str
    temporal_http: str
    temporal_database: str
    """File with Temporal's state, to be searched for what must not be in it."""
    s3_endpoint: str
    s3_access_key: str
    s3_secret_key: str
    logs: str

    @property
    def postgres_admin_url(self) -> str:
        """SQLAlchemy address (psycopg) of the superuser, for making databases; `lian_owner` and `lian_app` exist."""
        return self._url(SUPERUSER, self.postgres_password, "postgres")

    def owner_url(self, database: str) -> str:
        """Address of a database for the role that owns schemas."""
        return self._url(OWNER, self.owner_password, database)

    def application_url(self, database: str) -> str:
        """Address of a database for the application's role, which has what migrations grant it."""
        return self._url(APPLICATION, self.application_password, database)

    def _url(self, role: str, password: str, database: str) -> str:
        return database_url(role, password, {"postgres": self.postgres_port}, database=database)


def stacks(run: Path) -> Path:
    """The folder for the homes of whole stacks that tests start; what still runs there at the end is stopped."""
    return run / "stacks"


# --- in the process that leads the run -------------------------------------------------------------------------------


def open_run() -> None:
    """Make the run's folder and tell it to every test process through the environment; nothing is started yet.

    The user's own LIAN_* settings are put aside: no test may reach the user's stack.
    """
    for name in [name for name in os.environ if name.startswith("LIAN_") and name not in KEPT_VARIABLES]:
        del os.environ[name]
    run = Path(tempfile.mkdtemp(prefix="lian-tests-", dir=_roomy_memory()))
    stacks(run).mkdir()
    os.environ[RUN_VARIABLE] = str(run)
    os.environ[LEADER_VARIABLE] = str(os.getpid())
    os.environ["LIAN_HOME"] = str(run / "home")


def _roomy_memory() -> Path | None:
    """A folder in memory where there is plenty: to make and remove thousands of databases takes a disk very long."""
    with suppress(OSError):
        if min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available) > PLENTY and os.access(
            MEMORY, os.W_OK
        ):
            return MEMORY
    return None


def close_run() -> None:
    """Stop the servers, when any were started, and remove the run's folder."""
    run = Path(os.environ.pop(RUN_VARIABLE))
    stored = _read(run / "keeper.json")
    keeper = Identity(int(stored["pid"]), stored["created"]).process() if stored else None
    if keeper is not None:
        stop_trees([keeper], within=15, polite={})
    shutil.rmtree(run, ignore_errors=True)


# --- in every test process ------------------------------------------------------------------------------------------


def shared_servers() -> Servers:
    """The run's servers; the first caller starts them, the others wait for that."""
    run = Path(os.environ[RUN_VARIABLE])
    with (run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (run / "servers.json").exists():
            _start_keeper(run)
    return Servers(**json.loads((run / "servers.json").read_text(encoding="utf-8")))


def _start_keeper(run: Path) -> None:
    command = (sys.executable, "-m", "tests.servers", str(run), os.environ[LEADER_VARIABLE])
    with (run / "keeper.log").open("ab") as log:
        keeper = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=Path(__file__).parents[1],
        )
    write_private(run / "keeper.json", json.dumps(asdict(Identity.of(keeper.pid))))
    deadline = time.monotonic() + START_SECONDS
    while not (run / "servers.json").exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            said = (run / "keeper.log").read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"The test servers did not start:\n{said}")
        time.sleep(0.05)


def _read(path: Path) -> dict[str, float] | None:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None


# --- in the keeper --------------------------------------------------------------------------------------------------


async def keep(run: Path, leader: Identity) -> None:
    """Start the servers, publish their addresses, and stop them when told to or when the run's leader is gone."""
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    home = Home.at(run / "servers")
    home.prepare()
    ports = fresh_ports()
    supervisor = Supervisor(home, say=print, changed=lambda: None)
    try:
        starts = (start(supervisor, home, ports) for start in (_postgres, _temporal, _s3))
        await together(*starts)
        write_private(run / "servers.json", json.dumps(asdict(_addresses(home, ports))))
        while leader.alive and not told_to_stop.is_set():
            await asyncio.sleep(0.1)
    finally:
        await supervisor.stop("temporal", "object-store", "postgres")
        clear_sockets(ports)
        await asyncio.to_thread(_stop_stacks, run)
        if not leader.alive:
            shutil.rmtree(run, ignore_errors=True)


def _stop_stacks(run: Path) -> None:
    """Whole stacks that tests started below the run's folder and could not stop, because the run was killed."""
    for folder in stacks(run).iterdir():
        stack.down(Home.at(folder), print)


async def _postgres(supervisor: Supervisor, home: Home, ports: Ports) -> None:
    account = await asyncio.to_thread(prepare_postgres, home, print)
    await supervisor.start(postgres_program(home, ports, account, durable=False))
    await asyncio.to_thread(prepare_roles, home, ports)


async def _temporal(supervisor: Supervisor, home: Home, ports: Ports) -> None:
    await supervisor.start(replace(temporal_program(home, ports, namespaces=PER_PROCESS), stop_within=IMPATIENT))


async def _s3(supervisor: Supervisor, home: Home, ports: Ports) -> None:
    prepare_object_store(home)
    await supervisor.start(replace(object_store_program(home, ports), stop_within=IMPATIENT))


def _addresses(home: Home, ports: Ports) -> Servers:
    return Servers(
        host=LOOPBACK,
        postgres_port=ports["postgres"],
        postgres_password=home.secret("postgres_password"),
        owner_password=home.secret(f"{OWNER}_password"),
        application_password=home.secret(f"{APPLICATION}_password"),
        temporal_address=f"{LOOPBACK}:{ports['temporal']}",
        temporal_namespace=NAMESPACE,
        temporal_http=f"http://{LOOPBACK}:{ports['temporal_http']}",
        temporal_database=str(home.temporal / "temporal.db"),
        s3_endpoint=f"http://{LOOPBACK}:{ports['s3']}",
        s3_access_key=ACCESS_KEY,
        s3_secret_key=home.secret("s3_secret_key"),
        logs=str(home.logs),
    )


if __name__ == "__main__":
    asyncio.run(keep(Path(sys.argv[1]), Identity.of(int(sys.argv[2]))))
