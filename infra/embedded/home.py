"""The folder that holds everything one stack keeps: data, logs, secrets, ports, state (`.lian`, or LIAN_HOME)."""

from __future__ import annotations

import base64
import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.embedded.errors import StackError

LOG_KEPT_BYTES = 10 * 1024 * 1024
"""A log larger than this is set aside once (`web.log.1`) when its process starts."""


@dataclass(frozen=True)
class Home:
    """Absolute paths below one stack's folder."""

    root: Path

    @classmethod
    def at(cls, root: Path | None = None) -> Home:
        """The given folder, else LIAN_HOME, else `.lian` in the current folder."""
        return cls((root or Path(os.environ.get("LIAN_HOME") or ".lian")).expanduser().resolve())

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def temporal(self) -> Path:
        return self.root / "temporal"

    @property
    def object_store(self) -> Path:
        return self.root / "object-store"

    @property
    def ports_file(self) -> Path:
        return self.root / "ports.json"

    @property
    def state_file(self) -> Path:
        return self.root / "stack.json"

    @property
    def lock_file(self) -> Path:
        return self.root / "stack.lock"

    def prepare(self) -> None:
        """Make the folders, readable by their owner only. Raises `StackError` without disk or permission.

        As root the top folder may be passed through (0711), because PostgreSQL must run as another user; what lies in
        it stays closed.
        """
        with plain_disk_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            self.root.chmod(0o711 if os.geteuid() == 0 else 0o700)
            for folder in (self.logs, self.secrets, self.run, self.temporal, self.object_store):
                folder.mkdir(exist_ok=True)
                folder.chmod(0o700)

    def log(self, name: str) -> Path:
        """The log of one process; an overgrown one is set aside first."""
        path = self.logs / f"{name}.log"
        if path.exists() and path.stat().st_size > LOG_KEPT_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path

    def secret(self, name: str, *, length: int = 32) -> str:
        """A random secret of `length` bytes, URL-safe text, made once and kept."""
        return self.secret_file(name, lambda: secrets.token_urlsafe(length)).read_text(encoding="utf-8").strip()

    def data_keys(self) -> Path:
        """File with the key ring for personal data: `k1:` and 32 random bytes, made once and kept."""
        return self.secret_file("data_keys", lambda: "k1:" + base64.b64encode(secrets.token_bytes(32)).decode())

    def certificate_key(self) -> Path:
        """File with the key that signs certificates: 32 random bytes in base64, made once and kept."""
        return self.secret_file("certificate_key", lambda: base64.b64encode(secrets.token_bytes(32)).decode())

    def secret_file(self, name: str, make: Callable[[], str]) -> Path:
        """The file of a secret, filled by `make` when there is none yet."""
        path = self.secrets / name
        if not path.exists():
            write_private(path, make())
        return path


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner only; a crash leaves the old or the new one."""
    with plain_disk_errors(path):
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


@contextmanager
def plain_disk_errors(path: Path) -> Iterator[None]:
    """Turn a full or closed disk into one sentence that names the place."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StackError(f"The disk that holds {path} is full; free some space and try again.") from error
        reason = os.strerror(error.errno or errno.EIO)
        raise StackError(f"{path} cannot be written ({reason}); set LIAN_HOME to a folder of yours.") from error
