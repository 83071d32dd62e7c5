"""The embedded stack with stand-ins for our own processes: real servers, real signals."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.embedded.home import Home
from infra.embedded.identity import marked
from infra.embedded.ports import settle_ports
from tests.infra.standin import SELF
from tests.servers import RUN_VARIABLE, Servers, stacks

CHECKOUT = Path(__file__).parents[2]
CHILDREN = ("web", "worker", "temporal", "object-store", "postgres")


class Shell:
    """Runs stack commands against one home, as a person in a shell would."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def start(self, *words: str, **extra: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            (*SELF, *words),
            cwd=CHECKOUT,
            env={**os.environ, "LIAN_HOME": str(self.home), **extra},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str, expect: int = 0, **extra: str) -> str:
        process = self.start(*words, **extra)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == expect, said
        return said

    def status(self) -> dict[str, Any]:
        process = self.start("status", "--json")
        return dict(json.loads(process.communicate(timeout=30)[0]))

    def process(self, name: str) -> psutil.Process:
        return psutil.Process(next(found["pid"] for found in self.status()["processes"] if found["name"] == name))

    def until_ready(self, within: float = 30) -> dict[str, Any]:
        deadline = time.monotonic() + within
        while not (found := self.status())["ready"]:
            assert time.monotonic() < deadline, found
            time.sleep(0.1)
        return found


def fresh_shell() -> Iterator[Shell]:
    home = Path(tempfile.mkdtemp(dir=stacks(Path(os.environ[RUN_VARIABLE]))))
    shell = Shell(home)
    try:
        yield shell
    finally:
        shell.run("down")
        left = marked(home)
        shutil.rmtree(home, ignore_errors=True)
        assert left == []


@pytest.fixture
def shell(servers: Servers) -> Iterator[Shell]:
    """Nothing of `servers` is used, but their keeper clears these stacks away should the run be killed."""
    yield from fresh_shell()


@pytest.fixture(scope="module")
def running(servers: Servers) -> Iterator[Shell]:
    """A stack in the background, shared by the tests that leave it ready."""
    for shell in fresh_shell():
        shell.run("up", "--detach")
        yield shell


def test_status_tells_addresses_processes_and_memory(running: Shell) -> None:
    found = running.until_ready()
    assert {"ready", "web", "api", "temporal_ui", "processes", "memory_mb"} <= found.keys()
    assert {process["name"] for process in found["processes"]} == {"supervisor", *CHILDREN}
    assert all(process["pid"] and process["version"] and process["memory_mb"] > 0 for process in found["processes"])
    assert found["memory_mb"] < 900


def test_a_second_up_tells_the_address_and_succeeds(running: Shell) -> None:
    assert f"already running at {running.until_ready()['web']}" in running.run("up")
    assert running.until_ready()["web"] in running.run("up", "--detach")


@pytest.mark.parametrize("name", CHILDREN)
def test_a_killed_process_is_started_again(running: Shell, name: str) -> None:
    before = running.process(name)
    before.kill()
    psutil.wait_procs([before], timeout=5)
    running.until_ready()
    assert running.process(name).pid != before.pid
    assert f"{name} was ended by signal 9" in (running.home / "logs" / "stack.log").read_text(encoding="utf-8")


def test_nothing_listens_beyond_loopback(running: Shell) -> None:
    supervisor = running.process("supervisor")
    everything = [supervisor, *supervisor.children(recursive=True)]
    sockets = [found for process in everything for found in process.net_connections("inet")]
    listening = {found.laddr.ip for found in sockets if found.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}
    assert {found.raddr.ip for found in sockets if found.raddr} <= {"127.0.0.1"}


def test_secrets_are_open_to_their_owner_only_and_on_no_command_line(running: Shell) -> None:
    files = list((running.home / "secrets").iterdir())
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert (running.home / "secrets").stat().st_mode & 0o777 == 0o700
    supervisor = running.process("supervisor")
    lines = " ".join(word for process in supervisor.children(recursive=True) for word in process.cmdline())
    assert not [path.name for path in files if path.read_text(encoding="utf-8") in lines]


def test_other_commands_find_the_running_stack(running: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    from lian.cli import use_running_stack

    for name in [name for name in os.environ if name.startswith("LIAN_")]:
        monkeypatch.setitem(os.environ, name, os.environ[name])  # restored afterwards
        del os.environ[name]
    monkeypatch.setenv("LIAN_HOME", str(running.home))
    with monkeypatch.context():
        use_running_stack()
        found = Path(os.environ["LIAN_DATABASE_URL_FILE"]).read_text(encoding="utf-8")
        for name in [name for name in os.environ if name.startswith("LIAN_")]:
            del os.environ[name]
    assert found.startswith("postgresql+psycopg://lian_app:")


def test_a_killed_supervisor_leaves_nothing_the_next_command_cannot_clear(shell: Shell) -> None:
    shell.run("up", "--detach")
    first = shell.status()
    children = [psutil.Process(found["pid"]) for found in first["processes"] if found["name"] != "supervisor"]
    kill_supervisor(shell)
    assert shell.status()["phase"] == "abandoned"
    shell.run("up", "--detach")
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in children)
    assert "The last run ended without stopping its processes" in (shell.home / "logs" / "stack.log").read_text()
    second = shell.status()
    assert second["ready"]
    assert second["web"] == first["web"]
    kill_supervisor(shell)
    assert "Everything has stopped." in shell.run("down")
    assert marked(shell.home) == []
    assert shell.status()["phase"] == "stopped"


def kill_supervisor(shell: Shell) -> None:
    supervisor = shell.process("supervisor")
    supervisor.kill()
    psutil.wait_procs([supervisor], timeout=5)


def test_ctrl_c_stops_everything_within_ten_seconds(shell: Shell) -> None:
    process = shell.start("up")
    shell.until_ready()
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=20)
    assert time.monotonic() - began < 10
    assert process.returncode == 0, said
    assert [line.split()[0] for line in said.splitlines() if " after " in line][1:3] == ["web", "worker"]
    shell.run("status", expect=3)


def test_two_launches_at_once_wait_for_each_other(shell: Shell) -> None:
    first, second = shell.start("up", "--detach"), shell.start("up", "--detach")
    for process in (first, second):
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
        assert shell.status()["web"] in said
    assert len([process for process in marked(shell.home) if "weed" in process.name()]) == 1


def test_a_failed_migration_is_told_in_one_sentence_and_leaves_nothing_running(shell: Shell) -> None:
    said = shell.run("up", expect=1, STANDIN_MIGRATION_FAILS="1")
    assert "migrate ended with code 1 before it was ready" in said.splitlines()[-1]
    assert "the migration cannot be applied" in said.splitlines()[-1]
    assert marked(shell.home) == []


def test_a_busy_explicit_port_is_refused_in_one_sentence(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = shell.run("up", "--port", str(port), expect=1)
    assert said.strip() == f"Port {port} is already in use by another program; choose another with --port."


def test_a_busy_remembered_port_is_replaced_and_said(tmp_path: Path) -> None:
    home, said = Home(tmp_path), list[str]()
    ports = settle_ports(home, web=None, say=said.append)
    with socket.create_server(("127.0.0.1", ports["web"])):
        moved = settle_ports(home, web=None, say=said.append)
    assert moved["web"] != ports["web"]
    assert said == [f"Port {ports['web']} (web) is in use by another program; web moves to {moved['web']}."]
    assert settle_ports(home, web=None, say=said.append) == moved
    assert len(said) == 1


def test_down_and_status_without_a_stack(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "nowhere")
    assert "Nothing is running" in shell.run("down")
    assert "not running" in shell.run("status", expect=3)
    assert not shell.home.exists()


def test_a_folder_that_cannot_be_written_gets_one_sentence() -> None:
    said = Shell(Path("/proc/lian")).run("up", expect=1)
    assert len(said.strip().splitlines()) == 1, said


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounting a small disk needs root on Linux")
def test_a_full_disk_gets_one_sentence(tmp_path: Path) -> None:
    script = f"mount -t tmpfs -o size=2m none {tmp_path} && chmod 755 {tmp_path} && exec {' '.join(SELF)} up"
    command = ("unshare", "-m", "sh", "-c", script)
    environment = {**os.environ, "LIAN_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    if "mount" in done.stderr:
        pytest.skip("this machine lets nobody mount")
    assert done.returncode == 1
    assert "full" in done.stderr.strip().splitlines()[-1], done.stdout + done.stderr
