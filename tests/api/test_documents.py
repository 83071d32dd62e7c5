"""Documents through the API: streamed in, recognised by content, journaled on the way out (DOC-1, SEC-3)."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import anyio.to_thread
import httpx
import pytest
from sqlmodel import select

from lian.db.tables import Document, JournalEntry
from lian.services.context import Context
from lian.storage.object_store import StoreUnavailable
from tests.api.conftest import Headers, assert_problem, count, keyed
from tests.cast import pdf, reported_claim
from tests.fakes.process import FakeProcess

HTML = b"<!doctype html><script>alert('canary7731')</script>"


def upload(body: bytes, *, name: str = "a.pdf", item: str = "identity") -> dict[str, Any]:
    return {"data": {"item": item}, "files": {"file": (name, body, "application/pdf")}}


@pytest.fixture
async def number(context: Context) -> str:
    """Zhao's case."""
    return (await reported_claim(context)).number


@pytest.mark.req("DOC-1")
async def test_a_document_is_stored_listed_and_read_back(
    api: httpx.AsyncClient, process: FakeProcess, number: str, wang: Headers
) -> None:
    process.away = True  # makes no difference
    body = pdf("身份证")
    answer = await api.post(f"/cases/{number}/documents", headers=wang, **upload(body, name='身份证 "1";\r\n.pdf'))
    assert answer.status_code == 201, answer.text
    stored = answer.json()
    assert stored["sha256"] == hashlib.sha256(body).hexdigest()
    assert (stored["size"], stored["mime"], stored["item"]) == (len(body), "application/pdf", "identity")
    assert [d["id"] for d in (await api.get(f"/cases/{number}/documents", headers=wang)).json()["items"]] == [
        stored["id"]
    ]
    content = f"/cases/{number}/documents/{stored['id']}/content"
    read = await api.get(content, headers=wang)
    assert read.content == body
    assert read.headers["content-disposition"].startswith("attachment; filename=")
    assert "filename*=UTF-8''%E8%BA%AB" in read.headers["content-disposition"]
    assert read.headers["x-content-type-options"] == "nosniff"
    assert read.headers["content-security-policy"].startswith("sandbox")
    assert read.headers["cache-control"] == "no-store"
    shown = await api.get(f"{content}?how=preview", headers=wang)
    assert shown.headers["content-disposition"].startswith("inline")
    assert_problem(await api.get(f"{content}?how=canary", headers=wang), 422)


@pytest.mark.req("SEC-3")
async def test_every_reading_is_on_record(api: httpx.AsyncClient, context: Context, number: str, wang: Headers) -> None:
    stored = (await api.post(f"/cases/{number}/documents", headers=wang, **upload(pdf()))).json()
    content = f"/cases/{number}/documents/{stored['id']}/content"
    for how in ("download", "preview"):
        await api.get(f"{content}?how={how}", headers=wang)
    timeline = (await api.get(f"/cases/{number}/timeline", headers=wang)).json()["items"]
    reads = [(e["actor_name"], e["body"]["how"]) for e in timeline if e["type"] == "document.read"]
    assert reads == [("王敏", "download"), ("王敏", "preview")]
    received = next(e["body"] for e in timeline if e["type"] == "document.received")
    assert not received.keys() & {"bucket", "key", "version_id"}


async def test_what_cannot_be_previewed_is_a_download(api: httpx.AsyncClient, number: str, wang: Headers) -> None:
    csv = upload("姓名,金额\n赵磊,1\n".encode(), name="list.csv", item="other")
    stored = (await api.post(f"/cases/{number}/documents", headers=wang, **csv)).json()
    read = await api.get(f"/cases/{number}/documents/{stored['id']}/content?how=preview", headers=wang)
    assert read.headers["content-disposition"].startswith("attachment")


@pytest.mark.req("DOC-1")
async def test_thirty_megabytes_are_refused(
    api: httpx.AsyncClient, context: Context, number: str, wang: Headers
) -> None:
    big = pdf() + b"7731" * (30 * 1024 * 1024 // 4)
    answer = await api.post(f"/cases/{number}/documents", headers=wang, **upload(big))
    assert_problem(answer, 413, "too_large")
    assert "25 MB" in answer.json()["detail"]

    async def unannounced() -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="item"\r\n\r\nidentity\r\n'
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n' + pdf()
        for _ in range(30):
            yield b"7" * 1024 * 1024
        yield b"\r\n--b--\r\n"

    headers = wang | {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await api.post(f"/cases/{number}/documents", headers=headers, content=unannounced())
    assert_problem(answer, 413, "too_large")
    assert await count(context, Document) == 0


@pytest.mark.req("DOC-1")
async def test_a_page_named_pdf_is_refused(
    api: httpx.AsyncClient, context: Context, number: str, wang: Headers
) -> None:
    for body, name in ((HTML, "a.pdf"), (HTML, "a.txt"), (b"<svg onload=alert(1)>", "a.png"), (b"", "a.pdf")):
        answer = await api.post(f"/cases/{number}/documents", headers=wang, **upload(body, name=name))
        assert_problem(answer, 415, "content_refused")
        assert "canary" not in answer.text
    assert await count(context, Document) == 0


PART = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="canary.pdf"\r\n\r\n%s\r\n'
END = b"--b--\r\n"
ITEM = PART % (b"item", b"identity")
BODIES = {
    "cut in the file": ITEM + FILE % pdf()[:50],
    "cut before the end": (ITEM + FILE % pdf() + END)[:-8],
    "no file": ITEM + END,
    "file first": FILE % pdf() + ITEM + END,
    "two files": ITEM + FILE % pdf() + FILE % pdf() + END,
    "unknown field": PART % (b"canary", b"x") + ITEM + FILE % pdf() + END,
    "unknown item": PART % (b"item", b"canary7731") + FILE % pdf() + END,
    "NUL in the item": PART % (b"item", b"identity\0") + FILE % pdf() + END,
    "item not UTF-8": PART % (b"item", b"\xff\xfe") + FILE % pdf() + END,
    "no multipart": b"canary7731",
    "empty": b"",
    "long item": PART % (b"item", b"canary7731" * 500) + FILE % pdf() + END,
}


@pytest.mark.req("DOC-1")
async def test_a_bad_upload_leaves_nothing(
    api: httpx.AsyncClient, context: Context, number: str, wang: Headers, subtests: pytest.Subtests
) -> None:
    types = ("multipart/form-data; boundary=b", "application/json", "multipart/form-data", "text/plain; boundary=b")
    for name, body in BODIES.items():
        for content_type in types:
            with subtests.test(name, content_type=content_type):
                headers = wang | {"Content-Type": content_type}
                answer = await api.post(f"/cases/{number}/documents", headers=headers, content=body)
                assert_problem(answer, 422, "invalid")
                assert "canary" not in answer.text
                assert await count(context, Document) == 0


@pytest.mark.req("DOC-1")
async def test_an_upload_with_a_key_is_stored_once(
    api: httpx.AsyncClient, context: Context, number: str, wang: Headers
) -> None:
    headers = keyed(wang)
    answers = await asyncio.gather(
        *(api.post(f"/cases/{number}/documents", headers=headers, **upload(pdf())) for _ in range(5))
    )
    assert [a.status_code for a in answers] == [201] * 5
    assert len({a.json()["id"] for a in answers}) == 1
    assert await count(context, Document) == 1
    async with context.transaction() as session:
        case_id, key = (await session.execute(select(Document.case_id, Document.key))).one()
    objects = await anyio.to_thread.run_sync(lambda: list(context.store.entries(f"cases/{case_id}/")))
    assert [o.key for o in objects] == [key]


async def test_a_store_that_is_away_is_said_before_the_answer_begins(
    api: httpx.AsyncClient, context: Context, number: str, wang: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = (await api.post(f"/cases/{number}/documents", headers=wang, **upload(pdf()))).json()
    content = f"/cases/{number}/documents/{stored['id']}/content"
    assert_problem(await api.get(f"/cases/{number}/documents/{uuid4()}/content", headers=wang), 404)

    def away(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("The document store does not answer. Nothing was lost; try again soon.")

    monkeypatch.setattr(type(context.store), "stat", away)
    monkeypatch.setattr(type(context.store), "put", away)
    for answer in (
        await api.get(content, headers=wang),
        await api.post(f"/cases/{number}/documents", headers=wang, **upload(pdf("x"))),
    ):
        assert_problem(answer, 503, "store_unavailable")
        assert answer.headers["retry-after"]
    assert await count(context, Document) == 1
    monkeypatch.setattr(type(context.store), "stat", lambda *_: None)
    assert_problem(await api.get(content, headers=wang), 404)
    async with context.transaction() as session:
        found = (await session.execute(select(JournalEntry).where(JournalEntry.type == "document.read"))).all()
    assert found == []
    assert UUID(stored["id"])
