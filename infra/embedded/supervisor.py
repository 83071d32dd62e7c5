"""Starts processes, waits until they are ready, starts them again when they fall, stops them in time."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from infra.embedded.errors import StackError
from infra.embedded.home import Home, plain_disk_errors
from infra.embedded.identity import MARK, Identity, send, tree
from infra.embedded.probes import all_answer
from infra.embedded.program import Program
from infra.embedded.state import ProcessRecord

FIRST_PAUSE_SECONDS = 0.3
LONGEST_PAUSE_SECONDS = 15.0
STEADY_SECONDS = 60.0
"""A process that ran this long before it fell is started again without a longer pause."""
POLL_SECONDS = 0.1
LAST_LINES = 3


@dataclass
class Child:
    """A program and the process that runs it now."""

    program: Program
    process: Process
    identity: Identity
    started: float = field(default_factory=time.monotonic)
    restarts: int = 0
    keeper: asyncio.Task[None] | None = None


class Supervisor:
    """Keeps the programs of one stack running until told to stop.

    `say` tells a person what happens; `changed` is called after each start, so that the new pids can be written down.
    """

    def __init__(self, home: Home, *, say: Callable[[str], None], changed: Callable[[], None]) -> None:
        self._home = home
        self._say = say
        self._changed = changed
        self._children: dict[str, Child] = {}
        self._stopping = False

    def records(self) -> list[ProcessRecord]:
        """The processes as they are to be written down."""
        return [_record(child) for child in self._children.values()]

    async def start(self, program: Program) -> None:
        """Start a program, wait until it is ready, then keep it running.

        Raises `StackError` when it ends or stays silent first, quoting the last lines of its log.
        """
        child = await self._spawn(program)
        await self._until_ready(child)
        child.keeper = asyncio.create_task(self._keep(child), name=f"keep {program.name}")

    async def run_to_end(self, program: Program) -> None:
        """Run a program that ends by itself. Raises `StackError` when it fails or takes too long."""
        child = await self._spawn(program)
        try:
            async with asyncio.timeout(program.start_within):
                code = await child.process.wait()
        except TimeoutError:
            raise StackError(
                f"{program.name} did not end within {program.start_within:.0f} s; see {program.log}."
            ) from None
        del self._children[program.name]
        self._changed()
        if code != 0:
            raise StackError(_ended(program, code))

    async def stop(self, *names: str) -> None:
        """Stop these processes together, each politely at first and with force after its `stop_within` seconds."""
        self._stopping = True
        await asyncio.gather(*(self._stop(name) for name in names if name in self._children))

    async def _stop(self, name: str) -> None:
        child = self._children[name]
        await _cancel(child.keeper)
        began = time.monotonic()
        forced = await _end(child)
        self._say(f"{name} {'killed' if forced else 'stopped'} after {time.monotonic() - began:.1f} s.")

    async def _spawn(self, program: Program, *, restarts: int = 0) -> Child:
        for probe in program.probes:
            if probe.startswith("file:"):
                # A leftover of an earlier process would say "ready" too early.
                _forget(probe)
        with plain_disk_errors(program.log):
            descriptor = os.open(program.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            process = await asyncio.create_subprocess_exec(
                *program.command,
                stdin=DEVNULL,
                stdout=descriptor,
                stderr=STDOUT,
                cwd=program.directory,
                env={**program.environment, MARK: str(self._home.root)},
                start_new_session=True,  # Ctrl-C reaches only us: we stop the others in order
                **_credentials(program),
            )
        except OSError as error:
            raise StackError(f"{program.name} could not be started: {error}.") from error
        finally:
            os.close(descriptor)
        child = Child(program, process, _identify(process.pid), restarts=restarts)
        self._children[program.name] = child
        self._changed()
        return child

    async def _until_ready(self, child: Child) -> None:
        program = child.program
        deadline = child.started + program.start_within
        while not await all_answer(program.probes):
            if child.process.returncode is not None:
                raise StackError(_ended(program, child.process.returncode))
            if time.monotonic() > deadline:
                raise StackError(
                    f"{program.name} was not ready within {program.start_within:.0f} s; see {program.log}."
                )
            await asyncio.sleep(POLL_SECONDS)

    async def _keep(self, child: Child) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping:
            code = await child.process.wait()
            if self._stopping:
                return
            if time.monotonic() - child.started > STEADY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self._say(f"{_how_it_ended(child.program, code)}; starting it again in {pause:.1f} s.")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            child = await self._again(child)

    async def _again(self, fallen: Child) -> Child:
        while True:
            try:
                child = await self._spawn(fallen.program, restarts=fallen.restarts + 1)
                child.keeper = fallen.keeper
                return child
            except StackError as error:  # such as a full disk: the next attempt may do better
                self._say(str(error))
                await asyncio.sleep(LONGEST_PAUSE_SECONDS)


async def together(*starts: Awaitable[None]) -> None:
    """Run the starts side by side; the first failure cancels the others and is the one told."""
    tasks = [asyncio.ensure_future(start) for start in starts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _end(child: Child) -> bool:
    """End a child; whether force was needed."""
    below = tree(psutil.Process(child.identity.pid)) if child.process.returncode is None else []
    forced = False
    if child.process.returncode is None:
        child.process.send_signal(child.program.stop_signal)
        try:
            async with asyncio.timeout(child.program.stop_within):
                await child.process.wait()
        except TimeoutError:
            forced = True
    for process in below:
        send(process, signal.SIGKILL)
    await child.process.wait()
    return forced


async def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is None or task.done():
        return
    task.cancel()
    await asyncio.wait([task])


def _identify(pid: int) -> Identity:
    try:
        return Identity.of(pid)
    except psutil.NoSuchProcess:
        return Identity(pid, time.time())  # ended already; whoever waits for it will say so


def _credentials(program: Program) -> dict[str, Any]:
    if program.account is None:
        return {}
    return {"user": program.account.uid, "group": program.account.gid, "extra_groups": []}


def _forget(probe: str) -> None:
    Path(probe.removeprefix("file:")).unlink(missing_ok=True)


def _record(child: Child) -> ProcessRecord:
    return ProcessRecord(
        name=child.program.name,
        pid=child.identity.pid,
        created=child.identity.created,
        version=child.program.version,
        probes=list(child.program.probes),
        stop_signal=int(child.program.stop_signal),
        log=str(child.program.log),
        restarts=child.restarts,
    )


def _how_it_ended(program: Program, code: int) -> str:
    how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    return f"{program.name} {how}"


def _ended(program: Program, code: int) -> str:
    """One sentence, with what the program said last."""
    try:
        said = program.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-LAST_LINES:]
    except OSError:
        said = []
    quoted = f" Its last words: {' | '.join(said)}" if said else ""
    return f"{_how_it_ended(program, code)} before it was ready; see {program.log}.{quoted}"
