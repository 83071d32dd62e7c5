"""The object store against a real S3 server (DOC-1)."""

from __future__ import annotations

import hashlib
import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from lian.domain.errors import NotFound, TooLarge
from lian.settings import Settings
from lian.storage.object_store import PART_BYTES, ObjectStore, S3ObjectStore, StoreUnavailable, connect, object_key
from tests.fakes.object_store import MemoryObjectStore
from tests.servers import Servers


def settings_for(endpoint: str, *, access_key: str = "lian", secret_key: str = "not-a-secret") -> Settings:
    # One bucket for all tests: SeaweedFS sets several volumes aside for each new one and soon has none left.
    return Settings(s3_endpoint=endpoint, s3_access_key=access_key, s3_secret_key=SecretStr(secret_key))


@pytest.fixture
def store(servers: Servers) -> ObjectStore:
    """The test run's own S3 server."""
    settings = settings_for(servers.s3_endpoint, access_key=servers.s3_access_key, secret_key=servers.s3_secret_key)
    bucket = connect(settings)
    bucket.ensure_bucket()
    return bucket


@pytest.fixture
def place() -> str:
    """A prefix no other test writes under."""
    return object_key("test", uuid4())


def put(store: ObjectStore, key: str, body: bytes) -> str:
    digest = hashlib.sha256(body).hexdigest()
    store.put(key, io.BytesIO(body), size=len(body), content_type="application/pdf", sha256=digest)
    return digest


@pytest.mark.req("DOC-1")
def test_what_is_put_comes_back_with_its_size_and_hash(store: ObjectStore, place: str) -> None:
    key = object_key(place, "cases", uuid4())
    digest = put(store, key, b"%PDF-1.7 body")

    found = store.stat(key)

    assert found is not None
    assert (found.key, found.size, found.sha256) == (key, 13, digest)
    assert store.read(key, limit=100) == b"%PDF-1.7 body"
    assert b"".join(store.stream(key)) == b"%PDF-1.7 body"


@pytest.mark.req("DOC-1")
def test_a_file_of_several_parts_comes_back_whole(store: ObjectStore, place: str) -> None:
    body = bytes(range(256)) * (PART_BYTES // 256 * 2 + 3)
    digest = put(store, f"{place}/big/1", body)

    found = store.stat(f"{place}/big/1")

    assert found is not None
    assert (found.size, found.sha256) == (len(body), digest)
    assert hashlib.sha256(b"".join(store.stream(f"{place}/big/1"))).hexdigest() == digest


def test_an_empty_body_is_an_object_too(store: ObjectStore, place: str) -> None:
    assert store.put_bytes(f"{place}/empty", b"", content_type="text/plain").size == 0
    assert store.read(f"{place}/empty", limit=1) == b""


def test_what_is_missing_is_none_or_not_found(store: ObjectStore, place: str) -> None:
    assert store.stat(f"{place}/no/such") is None
    with pytest.raises(NotFound):
        store.read(f"{place}/no/such", limit=1)
    with pytest.raises(NotFound):
        next(store.stream(f"{place}/no/such"))
    store.delete(f"{place}/no/such")


def test_reading_beyond_the_limit_is_refused(store: ObjectStore, place: str) -> None:
    store.put_bytes(f"{place}/small", b"12345", content_type="text/plain")
    assert store.read(f"{place}/small", limit=5) == b"12345"
    with pytest.raises(TooLarge):
        store.read(f"{place}/small", limit=4)


def test_entries_are_listed_by_prefix_in_order(store: ObjectStore, place: str) -> None:
    for key in ("bank/in/b.xml", "bank/out/x.xml", "bank/in/a.xml", "bank/in/deep/c.xml"):
        store.put_bytes(f"{place}/{key}", key.encode(), content_type="text/plain")

    listed = list(store.entries(f"{place}/bank/in/"))

    assert [one.key.removeprefix(f"{place}/") for one in listed] == [
        "bank/in/a.xml",
        "bank/in/b.xml",
        "bank/in/deep/c.xml",
    ]
    assert [one.size for one in listed] == [13, 13, 18]
    assert list(store.entries(f"{place}/nothing/")) == []


def test_what_is_deleted_is_gone(store: ObjectStore, place: str) -> None:
    store.put_bytes(f"{place}/gone", b"1", content_type="text/plain")
    store.delete(f"{place}/gone")
    assert store.stat(f"{place}/gone") is None


def test_the_bucket_may_be_ensured_twice_and_keeps_what_it_holds(store: ObjectStore, place: str) -> None:
    store.put_bytes(f"{place}/kept", b"1", content_type="text/plain")
    store.ensure_bucket()
    assert store.read(f"{place}/kept", limit=10) == b"1"


def test_a_reader_that_stops_early_leaves_a_store_that_works(store: ObjectStore, place: str) -> None:
    store.put_bytes(f"{place}/long", b"x" * 3_000_000, content_type="text/plain")
    store.put_bytes(f"{place}/short", b"short", content_type="text/plain")
    for _ in range(40):
        with closing(store.stream(f"{place}/long")) as chunks:  # type: ignore[type-var]
            assert next(chunks)
        assert store.read(f"{place}/short", limit=5) == b"short"


@pytest.mark.parametrize("announced", [4, 6])
def test_a_size_that_does_not_match_the_body_stores_nothing(store: ObjectStore, place: str, announced: int) -> None:
    with pytest.raises(ValueError, match="announced"):
        store.put(f"{place}/odd", io.BytesIO(b"12345"), size=announced, content_type="text/plain", sha256="")
    assert store.stat(f"{place}/odd") is None


def test_the_fake_refuses_the_same_sizes() -> None:
    with pytest.raises(ValueError, match="announced"):
        MemoryObjectStore().put("odd", io.BytesIO(b"12345"), size=4, content_type="text/plain", sha256="")


def test_keys_are_made_of_ids_and_fixed_words() -> None:
    case = UUID("11111111-2222-3333-4444-555555555555")
    assert object_key("cases", case, "a.pdf") == "cases/11111111-2222-3333-4444-555555555555/a.pdf"


@pytest.mark.parametrize("part", ["", "赵晓梅", "A", "a b", "..", ".", "a//b", "/a", "a/", "a/../b", "a\n", "a" * 600])
def test_any_other_key_is_refused(part: str) -> None:
    with pytest.raises(ValueError, match="object key"):
        object_key(part)
    with pytest.raises(ValueError, match="object key"):
        connect(settings_for("http://127.0.0.1:1")).stat(part)


@pytest.mark.parametrize("endpoint", ["", "127.0.0.1:8333", "ftp://x", "http://x/path"])
def test_an_endpoint_that_is_no_address_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError, match="LIAN_S3_ENDPOINT"):
        connect(settings_for(endpoint))


def test_a_wrong_secret_is_unavailable_without_internals(servers: Servers) -> None:
    away = connect(settings_for(servers.s3_endpoint, secret_key="wrong"))
    with pytest.raises(StoreUnavailable) as caught:
        away.ensure_bucket()
    assert servers.s3_endpoint not in caught.value.message


def test_a_store_that_is_down_is_unavailable_at_once() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    assert_all_unavailable(connect(settings_for(f"http://127.0.0.1:{port}")), within=3)


def test_a_store_that_swallows_everything_is_unavailable_within_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 7: one read timeout, not one per retry. Shortened here; the product waits 8 s."""
    monkeypatch.setattr("lian.storage.object_store.READ_SECONDS", 0.3)
    with black_hole() as port:
        assert_all_unavailable(connect(settings_for(f"http://127.0.0.1:{port}")), within=1)


def test_a_store_that_answers_500_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    with always_answering(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") as port:
        assert_all_unavailable(connect(settings_for(f"http://127.0.0.1:{port}")), within=4)


def assert_all_unavailable(store: S3ObjectStore, *, within: float) -> None:
    calls = (
        lambda: store.put_bytes("a", b"1", content_type="text/plain"),
        lambda: store.stat("a"),
        lambda: store.read("a", limit=1),
        lambda: list(store.stream("a")),
        lambda: list(store.entries("a")),
        lambda: store.delete("a"),
        lambda: store.ensure_bucket(),
    )
    for call in calls:
        started = time.monotonic()
        with pytest.raises(StoreUnavailable):
            call()
        assert time.monotonic() - started < within


@contextmanager
def black_hole() -> Iterator[int]:
    """A port that accepts and never answers."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=64)) as listener:
        yield listener.getsockname()[1]


@contextmanager
def always_answering(answer: bytes) -> Iterator[int]:
    """A port that gives every request the same answer."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with closing(connection):
                connection.recv(65536)
                connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
