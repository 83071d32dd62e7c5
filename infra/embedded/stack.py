"""The whole stack: up, down, status."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import psutil

from infra.embedded.application import (
    Application,
    migrate_program,
    stack_settings,
    web_program,
    worker_program,
)
from infra.embedded.errors import StackError
from infra.embedded.home import Home
from infra.embedded.identity import Identity, marked, send, stop_trees, tree
from infra.embedded.memory import memory_mb
from infra.embedded.object_store import clear_sockets, object_store_program, prepare_object_store
from infra.embedded.ports import LOOPBACK, Ports, settle_ports
from infra.embedded.postgres import postgres_program, prepare_postgres, prepare_roles
from infra.embedded.probes import all_answer
from infra.embedded.state import ProcessRecord, StackState, is_locked, read_state, stack_lock
from infra.embedded.supervisor import Supervisor, together
from infra.embedded.temporal import temporal_program

Say = Callable[[str], None]
AfterStart = Callable[[StackState], Awaitable[None]]

STOP_ORDER = (("migrate",), ("web",), ("worker",), ("temporal", "object-store"), ("postgres",))
"""Who asks before who answers; each group stops together. The limits of all groups add up to less than 10 s."""
START_SECONDS = 240.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.2


@dataclass(kw_only=True)
class Request:
    """What `lian up` was asked for; `after` runs once when everything is ready."""

    home: Home
    application: Application
    say: Say
    port: int | None = None
    demo: bool = False
    after: AfterStart | None = None


@dataclass(kw_only=True)
class ProcessStatus:
    """One process as it is now; memory in megabytes over its whole tree; state is ready, not ready or ended."""

    name: str
    pid: int
    memory_mb: float
    version: str
    state: str
    restarts: int
    log: str


@dataclass(kw_only=True)
class StackStatus:
    """The stack as it is now, asked afresh; `phase` is stopped, starting, running, stopping or abandoned.

    Abandoned means that the supervisor was killed while its processes live on; the next `up` or `down` clears that.
    """

    ready: bool
    phase: str
    home: str
    version: str | None = None
    started_at: str | None = None
    demo: bool = False
    web: str | None = None
    api: str | None = None
    temporal_ui: str | None = None
    processes: list[ProcessStatus] = field(default_factory=list)
    memory_mb: float = 0.0


def up(request: Request) -> None:
    """Start everything and stay until told to stop; when it runs already, say so and return.

    Raises `StackError` when something cannot start; then nothing is left running.
    """
    request.home.prepare()
    while True:
        with stack_lock(request.home) as mine:
            if mine:
                recover(request.home, request.say)
                asyncio.run(_Run(request).to_end())
                return
        if _join(request):
            return


def up_detached(request: Request) -> StackState:
    """Start a supervisor that outlives this command, and return its state once everything is ready."""
    request.home.prepare()
    running = _running_state(request.home)
    if running is not None:
        _greet(request, running)
        return running
    output = request.home.log("up")
    command = (*request.application.up, *(("--port", str(request.port)) if request.port else ()))
    with output.open("ab") as file:
        start = file.tell()
        environment = {**os.environ, "LIAN_HOME": str(request.home.root)}
        supervisor = subprocess.Popen(
            (*command, *(("--demo",) if request.demo else ())),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**environment, "LIAN_DETACHED": "1"},
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        ended = supervisor.poll() is not None
        running = _running_state(request.home)
        if running is not None:
            return running
        if ended:
            raise StackError(_last_line(output.read_bytes()[start:]))
        time.sleep(POLL_SECONDS)
    raise StackError(f"The stack was not ready within {START_SECONDS:.0f} s; see {output}.")


def down(home: Home, say: Say) -> bool:
    """Stop the stack of this folder and wait until it is gone; False when nothing ran."""
    if is_locked(home):
        _stop_supervisor(home)
        say("Everything has stopped.")
        return True
    if read_state(home) is None and not marked(home.root):
        return False
    recover(home, say)
    say("Everything has stopped.")
    return True


def status(home: Home) -> StackStatus:
    """The stack as it is now; every answer is asked for, none is remembered."""
    state = read_state(home)
    locked = is_locked(home)
    if state is None or (locked and not state.supervisor.identity.alive):
        return StackStatus(ready=False, phase="starting" if locked else "stopped", home=str(home.root))
    processes = asyncio.run(_process_statuses(state))
    if not locked and all(process.state == "ended" for process in processes):
        return StackStatus(ready=False, phase="stopped", home=str(home.root))
    return StackStatus(
        ready=locked and state.phase == "running" and all(process.state == "ready" for process in processes),
        phase=state.phase if locked else "abandoned",
        home=str(home.root),
        version=state.version,
        started_at=state.started_at,
        demo=state.demo,
        web=state.web,
        api=state.api,
        temporal_ui=state.temporal_ui,
        processes=processes,
        memory_mb=round(sum(process.memory_mb for process in processes), 1),
    )


def recover(home: Home, say: Say) -> None:
    """Clear what an unclean stop left: processes that live on, stale state. Nobody else may hold the lock."""
    state = read_state(home)
    records = [*state.processes, state.supervisor] if state else []
    known = {record.pid: record for record in records if record.identity.alive}
    left = {process.pid: process for process in marked(home.root)}
    left |= {pid: psutil.Process(pid) for pid in known if pid != os.getpid() and pid not in left}
    if left:
        names = ", ".join(f"{known[pid].name if pid in known else 'unrecorded'} (pid {pid})" for pid in left)
        say(f"The last run ended without stopping its processes; stopping them now: {names}.")
        polite = {pid: signal.Signals(record.stop_signal) for pid, record in known.items()}
        stop_trees(left.values(), within=1.5, polite=polite)
    elif state is not None:
        say("The last run ended without stopping; nothing of it is left, its data is kept.")
    if state is not None:
        clear_sockets(state.ports)
    home.state_file.unlink(missing_ok=True)


class _Run:
    """One life of the stack, from start to stop, in the process that holds the lock."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.home = request.home
        self.say = request.say
        self.ports: Ports = settle_ports(self.home, web=request.port, say=self.say)
        self.settings = stack_settings(self.home, self.ports, demo=request.demo)
        self.supervisor = Supervisor(self.home, say=self.say, changed=self.write_state)
        self.state = self._first_state()

    async def to_end(self) -> None:
        """Start, stay, stop. Whatever happens, nothing is left running."""
        told_to_stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
        try:
            self.write_state()
            await _unless(told_to_stop, self._start())
            await told_to_stop.wait()
        finally:
            await self._stop()

    async def _start(self) -> None:
        began = time.monotonic()
        self.say("Starting PostgreSQL, Temporal and S3 ...")
        await together(self._start_postgres(), self._start_temporal(), self._start_object_store())
        await self.supervisor.run_to_end(migrate_program(self.home, self.request.application, self.settings))
        self.say("Starting the worker and the web process ...")
        await together(
            self.supervisor.start(worker_program(self.home, self.request.application, self.settings)),
            self.supervisor.start(web_program(self.home, self.request.application, self.settings)),
        )
        self._enter("running")
        self.say(f"Ready after {time.monotonic() - began:.1f} s.")
        if self.request.after:
            await self.request.after(self.state)

    async def _start_postgres(self) -> None:
        account = await asyncio.to_thread(prepare_postgres, self.home, self.say)
        await self.supervisor.start(postgres_program(self.home, self.ports, account))
        await asyncio.to_thread(prepare_roles, self.home, self.ports)
        self.home.data_keys()
        self.home.certificate_key()

    async def _start_temporal(self) -> None:
        await self.supervisor.start(temporal_program(self.home, self.ports))

    async def _start_object_store(self) -> None:
        await asyncio.to_thread(prepare_object_store, self.home)
        await self.supervisor.start(object_store_program(self.home, self.ports))

    async def _stop(self) -> None:
        self._enter("stopping")
        self.say("Stopping ...")
        for names in STOP_ORDER:
            await self.supervisor.stop(*names)
        clear_sockets(self.ports)
        self.home.state_file.unlink(missing_ok=True)

    def _enter(self, phase: str) -> None:
        self.state.phase = phase
        self.write_state()

    def write_state(self) -> None:
        """Write down what runs now; a disk that is full for the moment must not end the stack."""
        self.state.processes = self.supervisor.records()
        try:
            self.state.write(self.home)
        except StackError as error:
            self.say(str(error))

    def _first_state(self) -> StackState:
        web = f"http://{LOOPBACK}:{self.ports['web']}"
        version = self.request.application.version
        myself = Identity.of(os.getpid())
        return StackState(
            phase="starting",
            demo=self.request.demo,
            version=version,
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            supervisor=ProcessRecord(
                name="supervisor",
                pid=myself.pid,
                created=myself.created,
                version=version,
                probes=[],
                stop_signal=int(signal.SIGTERM),
                log=str(self.home.log("stack")),
            ),
            web=web,
            api=f"{web}/api/v1",
            temporal_ui=f"http://{LOOPBACK}:{self.ports['temporal_ui']}",
            ports=self.ports,
            environment=self.settings,
        )


async def _unless(stop: asyncio.Event, work: Awaitable[None]) -> None:
    """Do the work, giving it up when told to stop."""
    working, stopping = asyncio.ensure_future(work), asyncio.create_task(stop.wait())
    await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not working.done():
        working.cancel()
        await asyncio.wait((working,))
    if not working.cancelled():
        working.result()


def _join(request: Request) -> bool:
    """Wait for the supervisor at work and tell its address; False when it ended and we may try ourselves."""
    told = False
    deadline = time.monotonic() + START_SECONDS
    while is_locked(request.home):
        running = _running_state(request.home)
        if running is not None:
            _greet(request, running)
            return True
        if not told:
            request.say("Another `lian up` is starting or stopping here; waiting for it.")
            told = True
        if time.monotonic() > deadline:
            raise StackError(
                f"The other `lian up` did not get ready within {START_SECONDS:.0f} s; see {request.home.logs}."
            )
        time.sleep(POLL_SECONDS)
    return False


def _greet(request: Request, running: StackState) -> None:
    request.say(f"Lian is already running at {running.web} (pid {running.supervisor.pid}).")
    if request.port is not None and request.port != running.ports["web"]:
        request.say("To change the port, stop it first: lian down")


def _running_state(home: Home) -> StackState | None:
    # A state whose supervisor is dead was left by an earlier run: the one at work now has not written its own yet.
    state = read_state(home)
    return state if state and state.phase == "running" and state.supervisor.identity.alive and is_locked(home) else None


def _stop_supervisor(home: Home) -> None:
    told: set[Identity] = set()
    deadline = time.monotonic() + STOP_SECONDS
    while is_locked(home):
        state = read_state(home)
        if state and state.supervisor.identity not in told and (process := state.supervisor.identity.process()):
            send(process, signal.SIGTERM)
            told.add(state.supervisor.identity)
        if time.monotonic() > deadline:
            raise StackError(f"The stack did not stop within {STOP_SECONDS:.0f} s; see {home.logs / 'stack.log'}.")
        time.sleep(POLL_SECONDS)


def _last_line(output: bytes) -> str:
    lines = output.decode("utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "The stack ended without a word."


async def _process_statuses(state: StackState) -> list[ProcessStatus]:
    # The others are children of the supervisor: it counts alone, they count with everything below them.
    return [
        await _process_status(state.supervisor, alone=True),
        *await asyncio.gather(*(_process_status(record, alone=False) for record in state.processes)),
    ]


async def _process_status(record: ProcessRecord, *, alone: bool) -> ProcessStatus:
    process = record.identity.process()
    ready = process is not None and await all_answer(tuple(record.probes))
    return ProcessStatus(
        name=record.name,
        pid=record.pid,
        memory_mb=memory_mb([] if process is None else [process] if alone else tree(process)),
        version=record.version,
        state="ended" if process is None else "ready" if ready else "not ready",
        restarts=record.restarts,
        log=record.log,
    )


def as_json(found: StackStatus) -> dict[str, Any]:
    """The status as plain data for `lian status --json`."""
    return asdict(found)
