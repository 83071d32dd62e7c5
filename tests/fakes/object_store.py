"""An object store in memory, for tests that are not about S3."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import BinaryIO

from lian.domain.errors import TooLarge
from lian.storage.object_store import (
    ObjectStore,
    StoredObject,
    StoreUnavailable,
    missing,
    require_key,
    require_prefix,
    require_size,
)


class MemoryObjectStore(ObjectStore):
    """Keeps objects in a dictionary; `writes` counts puts per key, `away = True` plays an outage."""

    def __init__(self, bucket: str = "memory") -> None:
        self.bucket = bucket
        self.bodies: dict[str, bytes] = {}
        self.writes: dict[str, int] = {}
        self.away = False

    def ensure_bucket(self) -> None:
        """There always is one."""
        self._reach()

    def put(self, key: str, body: BinaryIO, *, size: int, content_type: str, sha256: str) -> StoredObject:
        """Keep the body; the digest is checked, which S3 does not."""
        self._reach()
        require_size(body, size)
        content = body.read()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ValueError("the body does not have the SHA-256 it came with")
        self.bodies[require_key(key)] = content
        self.writes[key] = self.writes.get(key, 0) + 1
        return self._describe(key)

    def put_bytes(self, key: str, body: bytes, *, content_type: str) -> StoredObject:
        """Keep a small object."""
        digest = hashlib.sha256(body).hexdigest()
        return self.put(key, io.BytesIO(body), size=len(body), content_type=content_type, sha256=digest)

    def stat(self, key: str) -> StoredObject | None:
        """What is kept under the key, or None."""
        self._reach()
        return self._describe(key) if require_key(key) in self.bodies else None

    def read(self, key: str, *, limit: int) -> bytes:
        """The object whole, up to `limit` bytes."""
        body = self._find(key)
        if len(body) > limit:
            raise TooLarge(f"The stored file is larger than the {limit} bytes that may be read at once.")
        return body

    def stream(self, key: str) -> Iterator[bytes]:
        """The object in chunks."""
        body = io.BytesIO(self._find(key))
        yield from iter(lambda: body.read(64 * 1024), b"")

    def entries(self, prefix: str) -> Iterator[StoredObject]:
        """Objects under the prefix in the order of their keys."""
        self._reach()
        for key in sorted(self.bodies):
            if key.startswith(require_prefix(prefix)):
                found = self._describe(key)
                yield StoredObject(found.bucket, found.key, found.version_id, found.size, "")

    def delete(self, key: str) -> None:
        """Forget the object."""
        self._reach()
        self.bodies.pop(require_key(key), None)

    def _reach(self) -> None:
        if self.away:
            raise StoreUnavailable("The document store does not answer. Nothing was lost; try again soon.")

    def _find(self, key: str) -> bytes:
        self._reach()
        try:
            return self.bodies[require_key(key)]
        except KeyError:
            raise missing() from None

    def _describe(self, key: str) -> StoredObject:
        body = self.bodies[key]
        return StoredObject(self.bucket, key, "", len(body), hashlib.sha256(body).hexdigest())
