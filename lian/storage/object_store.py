"""The object store: documents, letters and bank files by key (DOC-1).

Keys are made of UUIDs and fixed words only; file names and every other personal detail stay in Postgres. A key is
written once and never reused, because the S3 SDK silently ignores a conditional write.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Protocol, Self
from urllib.parse import urlsplit
from uuid import UUID

import certifi
import urllib3
from minio import Minio
from minio.error import MinioException, S3Error
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry, Timeout

from lian.domain.errors import NotFound, TooLarge, Unavailable
from lian.settings import Settings

CONNECT_SECONDS = 2.0
READ_SECONDS = 8.0
"""Silence longer than this is an outage. Below the 10 s in which an upload must be told so (fault 7)."""
RETRIES = 2
CONNECTIONS = 32
PART_BYTES = 8 * 1024 * 1024
"""Most of one upload that is ever in memory: the SDK reads part by part."""
CHUNK_BYTES = 64 * 1024
KEY_LENGTH = 512

_KEY = re.compile(r"[0-9a-z.-]+(?:/[0-9a-z.-]+)*")
_PREFIX = re.compile(r"[0-9a-z/.-]*")
_ABSENT = frozenset({"NoSuchKey", "NoSuchVersion"})
_ALREADY_THERE = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})


class StoreUnavailable(Unavailable):
    """The object store did not answer, or refused to serve. The same call may be repeated."""

    code = "store_unavailable"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as the store knows it.

    `size` in bytes; `sha256` in lower-case hex, '' where unknown (a listing does not tell); `version_id` is '' on a
    bucket without versions.
    """

    bucket: str
    key: str
    version_id: str
    size: int
    sha256: str


class ObjectStore(Protocol):
    """Port to any S3 store. Synchronous: asynchronous callers go through `anyio.to_thread`.

    Every method may raise `StoreUnavailable`, and `ValueError` for a key that `object_key` would not make.
    """

    def ensure_bucket(self) -> None:
        """Make the bucket unless it is there."""

    def put(self, key: str, body: BinaryIO, *, size: int, content_type: str, sha256: str) -> StoredObject:
        """Store `size` bytes, all or nothing. `ValueError` when the body holds fewer or more."""

    def put_bytes(self, key: str, body: bytes, *, content_type: str) -> StoredObject:
        """Store a small object."""

    def stat(self, key: str) -> StoredObject | None:
        """What is stored under the key, or None."""

    def read(self, key: str, *, limit: int) -> bytes:
        """A small object whole. Raises `NotFound`, and `TooLarge` beyond `limit` bytes."""

    def stream(self, key: str) -> Iterator[bytes]:
        """The object in chunks; `NotFound` with the first one. Closing the iterator frees the connection."""

    def entries(self, prefix: str) -> Iterator[StoredObject]:
        """All objects whose key begins with the prefix, in the order of their keys."""

    def delete(self, key: str) -> None:
        """Remove the object; no error when it is gone already."""


def object_key(*parts: UUID | str) -> str:
    """Join the parts to a key. Raises `ValueError` for anything but `[0-9a-z.-]` between the slashes."""
    return require_key("/".join(str(part) for part in parts))


def require_key(key: str) -> str:
    """The key itself, when it is one that may be used; `ValueError` otherwise."""
    steps = key.split("/")
    if not _KEY.fullmatch(key) or len(key) > KEY_LENGTH or "." in steps or ".." in steps:
        raise ValueError("an object key has only [0-9a-z.-] between single slashes")
    return key


def require_prefix(prefix: str) -> str:
    """The prefix itself, when a key can begin with it; `ValueError` otherwise."""
    if not _PREFIX.fullmatch(prefix):
        raise ValueError("a key prefix has only [0-9a-z/.-]")
    return prefix


def require_size(body: BinaryIO, size: int) -> None:
    """Raise `ValueError` unless exactly `size` bytes lie ahead in the body, which stays where it was."""
    start = body.tell()
    ahead = body.seek(0, os.SEEK_END) - start
    body.seek(start)
    if ahead != size:
        raise ValueError(f"the body has {ahead} bytes, {size} were announced")


def missing() -> NotFound:
    """The error for a key with nothing under it."""
    return NotFound("This file is not in the document store.")


def connect(settings: Settings) -> S3ObjectStore:
    """The store the settings name. Opens no connection yet, so it works while the store is away."""
    address = urlsplit(settings.s3_endpoint)
    if address.scheme not in {"http", "https"} or not address.netloc or address.path.strip("/"):
        raise ValueError("LIAN_S3_ENDPOINT must look like http://host:port")
    client = Minio(
        address.netloc,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key.get_secret_value(),
        secure=address.scheme == "https",
        http_client=_impatient_pool(),
    )
    return S3ObjectStore(client, settings.s3_bucket)


class S3ObjectStore(ObjectStore):
    """Any S3 store through the minio SDK. Safe for threads, not across a fork."""

    def __init__(self, client: Minio, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def ensure_bucket(self) -> None:
        """Make the bucket unless it is there; two processes may do so at once."""
        with _reached():
            if self._client.bucket_exists(self._bucket):
                return
            try:
                self._client.make_bucket(self._bucket)
            except S3Error as error:
                if error.code not in _ALREADY_THERE:
                    raise

    def put(self, key: str, body: BinaryIO, *, size: int, content_type: str, sha256: str) -> StoredObject:
        """Store `size` bytes with their SHA-256, all or nothing. `ValueError` when the body holds fewer or more."""
        require_key(key)
        require_size(body, size)
        with _reached():
            written = self._client.put_object(
                self._bucket,
                key,
                body,
                size,
                content_type=content_type,
                metadata={"sha256": sha256},
                part_size=PART_BYTES,
                # Parallel parts would queue the whole file in memory.
                num_parallel_uploads=1,
            )
        return StoredObject(self._bucket, key, written.version_id or "", size, sha256)

    def put_bytes(self, key: str, body: bytes, *, content_type: str) -> StoredObject:
        """Store a small object and its SHA-256."""
        digest = hashlib.sha256(body).hexdigest()
        return self.put(key, io.BytesIO(body), size=len(body), content_type=content_type, sha256=digest)

    def stat(self, key: str) -> StoredObject | None:
        """What is stored under the key, or None."""
        try:
            with _reached():
                found = self._client.stat_object(self._bucket, require_key(key))
        except NotFound:
            return None
        digest = (found.metadata or {}).get("x-amz-meta-sha256", "")
        return StoredObject(self._bucket, key, found.version_id or "", found.size or 0, digest)

    def read(self, key: str, *, limit: int) -> bytes:
        """A small object whole. Raises `NotFound`, and `TooLarge` beyond `limit` bytes, reading no more than that."""
        with _reached(), self._opened(key) as response:
            # A read may come back short, so read until the end or one byte too many.
            body = bytearray()
            while len(body) <= limit and (chunk := response.read(limit + 1 - len(body))):
                body += chunk
        if len(body) > limit:
            raise TooLarge(f"The stored file is larger than the {limit} bytes that may be read at once.")
        return bytes(body)

    def stream(self, key: str) -> Iterator[bytes]:
        """The object in chunks; `NotFound` with the first one. The connection is freed however the reader stops."""
        with _reached(), self._opened(key) as response:
            yield from response.stream(CHUNK_BYTES)

    def entries(self, prefix: str) -> Iterator[StoredObject]:
        """All objects whose key begins with the prefix, in the order of their keys, page by page."""
        with _reached():
            for found in self._client.list_objects(self._bucket, prefix=require_prefix(prefix), recursive=True):
                if found.object_name and not found.is_dir:
                    yield StoredObject(self._bucket, found.object_name, found.version_id or "", found.size or 0, "")

    def delete(self, key: str) -> None:
        """Remove the object; no error when it is gone already."""
        try:
            with _reached():
                self._client.remove_object(self._bucket, require_key(key))
        except NotFound:
            return

    @contextmanager
    def _opened(self, key: str) -> Iterator[BaseHTTPResponse]:
        response = self._client.get_object(self._bucket, require_key(key))
        try:
            yield response
        finally:
            # Closed first: a reader that stops half-way must not leave the rest of the body in a pooled connection.
            response.close()
            response.release_conn()


@contextmanager
def _reached() -> Iterator[None]:
    """Say what went wrong in our own words; the cause keeps the store's for the log."""
    try:
        yield
    except S3Error as error:
        if error.code in _ABSENT:
            raise missing() from error
        raise StoreUnavailable("The document store refused to serve. Nothing was lost; try again soon.") from error
    except (MinioException, HTTPError, OSError) as error:
        raise StoreUnavailable("The document store does not answer. Nothing was lost; try again soon.") from error


class _RetryUnlessSilent(Retry):
    """Repeats refused connections, resets and 5xx, but not a read timeout: silence times three is half a minute."""

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        """Count one more failure, or raise when this one is final."""
        if isinstance(error, ReadTimeoutError):
            raise error
        return super().increment(method, url, response, error, _pool, _stacktrace)


def _impatient_pool() -> urllib3.PoolManager:
    """Connections with short limits; the SDK's own wait 5 minutes, 5 times."""
    return urllib3.PoolManager(
        timeout=Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        maxsize=CONNECTIONS,
        cert_reqs="CERT_REQUIRED",
        ca_certs=os.environ.get("SSL_CERT_FILE") or certifi.where(),
        retries=_RetryUnlessSilent(
            total=RETRIES, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504], raise_on_status=False
        ),
    )
