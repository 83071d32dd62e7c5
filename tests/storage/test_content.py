"""What an uploaded file is, and how it is received (DOC-1)."""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import pytest

from lian.domain.errors import TooLarge, Unavailable
from lian.storage import content
from lian.storage.content import (
    CSV,
    DOCX,
    GIF,
    HEIC,
    JPEG,
    PDF,
    PNG,
    TEXT,
    TIFF,
    WEBP,
    XLSX,
    ContentRefused,
    ContentType,
    examine_office,
    receive,
    recognise,
    safe_filename,
)

PNG_HEAD = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01"


def archive(*names: str, body: bytes = b"<x/>") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name in names:
            file.writestr(name, body)
    return out.getvalue()


DOCX_BODY = archive("[Content_Types].xml", "_rels/.rels", "word/document.xml")
XLSX_BODY = archive("docProps/app.xml", "xl/workbook.xml", "[Content_Types].xml")


@pytest.mark.req("DOC-1")
@pytest.mark.parametrize(
    ("head", "name", "expected"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "policy.pdf", PDF),
        (b"%PDF-2.0\n", "no-extension", PDF),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "photo.jpg", JPEG),
        (b"\xff\xd8\xff\xe1\0\x10Exif", "photo.pdf", JPEG),
        (PNG_HEAD, "scan.png", PNG),
        (b"GIF89a\x01\0\x01\0\0\0", "a.gif", GIF),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "a.webp", WEBP),
        (b"II*\0\x08\0\0\0", "fax.tif", TIFF),
        (b"MM\0*\0\0\0\x08", "fax.tiff", TIFF),
        (b"\0\0\0\x24ftypheic\0\0\0\0", "IMG_0001.HEIC", HEIC),
        ("住院病历：高血压".encode(), "病历.txt", TEXT),
        ("住院病历：高血压".encode("gb18030"), "病历.txt", TEXT),
        (b"\xef\xbb\xbfa,b\r\n1,2\r\n", "invoices.csv", CSV),
        (b"a < b and c > d, 5 <3", "note.txt", TEXT),
        (DOCX_BODY, "report.docx", DOCX),
        (XLSX_BODY, "bills.xlsx", XLSX),
    ],
)
def test_the_type_comes_from_the_content(head: bytes, name: str, expected: ContentType) -> None:
    assert recognise(head, filename=name) is expected


@pytest.mark.req("DOC-1")
@pytest.mark.parametrize(
    ("head", "name", "words"),
    [
        (b"", "empty.pdf", "empty"),
        (b"<!DOCTYPE html><html><script>alert(1)</script>", "report.pdf", "web page"),
        (b"  \n<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "logo.png", "web page, drawing"),
        (b"<?xml version='1.0'?><svg/>", "logo.txt", "web page, drawing"),
        (b"hello <script>alert(1)</script>", "note.txt", "web page, drawing"),
        (b"\n%PDF-1.7\n", "late.pdf", "does not fit its name"),
        (b"GIF-like %PDF-1.7", "polyglot.pdf", "does not fit its name"),
        (b"<html>%PDF-1.7", "polyglot.pdf", "web page"),
        (b"MZ\x90\0\x03\0", "invoice.pdf", "a program"),
        (b"\x7fELF\x02\x01", "scan.png", "a program"),
        (b"#!/bin/sh\nrm -rf /", "note.txt", "script"),
        (b"@echo off\r\ndel *", "run.bat", "does not fit its name"),
        (b"print(1)", "x.py", "does not fit its name"),
        (b"MIME-Version: 1.0\nReceived: x\n\nhi", "mail.txt", "an e-mail"),
        (b"From: a\nMIME-Version: 1.0\n\nhi", "mail.eml", "an e-mail"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old.doc", "old Office"),
        (b"Rar!\x1a\x07", "all.rar", "an archive"),
        (archive("a.txt"), "all.zip", "an archive"),
        (archive("[Content_Types].xml", "evil.exe", "word/document.xml"), "a.docx", "an archive"),
        (archive("[Content_Types].xml", "ppt/slides.xml"), "a.docx", "an archive"),
        (archive("word/../../etc/passwd"), "a.docx", "an archive"),
        (archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "a.docx", "macros"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "film.mp4", "a video"),
        (b"\0\x01\x02\x03", "x.txt", "kind we do not know"),
        (b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0", "a.bmp", "We take"),
        (b"\xff\xfeh\0i\0", "utf16.txt", "We take"),
    ],
)
def test_everything_else_is_refused_in_plain_words(head: bytes, name: str, words: str) -> None:
    with pytest.raises(ContentRefused, match=words) as caught:
        recognise(head, filename=name)
    assert (caught.value.status, caught.value.code) == (415, "content_refused")
    assert name not in caught.value.message


def test_text_cut_in_the_middle_of_a_character_is_still_text() -> None:
    head = ("病" * content.HEAD_BYTES).encode()[: content.HEAD_BYTES]
    assert recognise(head, filename="a.txt") is TEXT


@pytest.mark.req("DOC-1")
def test_an_office_file_is_examined_as_a_whole() -> None:
    body = io.BytesIO(DOCX_BODY)
    examine_office(body, DOCX)
    assert body.tell() == 0
    examine_office(io.BytesIO(b"not an archive"), PDF)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (DOCX_BODY[:-30], "damaged"),
        (archive("word/document.xml"), "damaged"),
        (archive("[Content_Types].xml", *(f"word/{n}" for n in range(40)), "word/vbaProject.bin"), "macros"),
        (archive("[Content_Types].xml", "word/document.xml", "payload.js"), "an archive"),
    ],
)
def test_an_office_file_with_more_than_a_document_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(ContentRefused, match=words):
        examine_office(io.BytesIO(body), DOCX)


def test_a_zip_bomb_is_refused_without_being_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "EXPANDED_BYTES", 1_000_000)
    bomb = archive("[Content_Types].xml", "word/document.xml", body=b"0" * 2_000_000)
    assert len(bomb) < 10_000
    with pytest.raises(ContentRefused, match="unpacks"):
        examine_office(io.BytesIO(bomb), DOCX)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("赵晓梅 住院发票.pdf", "赵晓梅 住院发票.pdf"),
        ("𠮷野.jpg", "𠮷野.jpg"),
        ("../../etc/passwd", "passwd"),
        (r"C:\Users\zhao\scan.pdf", "scan.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\x00b\r\nSet-Cookie: x.pdf", "abSet-Cookie_ x.pdf"),
        ('a"b<c>.pdf', "a_b_c_.pdf"),
        ("\ud800.pdf", "pdf"),
        (".htaccess", "htaccess"),
        ("..", "file"),
        ("", "file"),
        ("\u2066\u2069", "file"),
    ],
)
def test_a_filename_is_made_safe_and_stays_readable(name: str, expected: str) -> None:
    assert safe_filename(name) == expected


def test_a_long_filename_keeps_its_extension() -> None:
    cut = safe_filename("病" * 1000 + ".pdf")
    assert len(cut) == 200
    assert cut.endswith("病.pdf")
    assert len(safe_filename("a." + "b" * 1000)) == 200


async def sent(*chunks: bytes, then: BaseException | None = None) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    if then is not None:
        raise then


@pytest.fixture
def spools(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every temporary file opened during the test."""
    opened: list[Any] = []
    original = tempfile.SpooledTemporaryFile

    def remember(**arguments: Any) -> Any:
        opened.append(original(**arguments))
        return opened[-1]

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", remember)
    return opened


@pytest.mark.req("DOC-1")
async def test_a_received_file_is_counted_hashed_and_at_its_beginning() -> None:
    body = b"%PDF-1.7 " + b"x" * 3_000_000
    with await receive(sent(body[:5], b"", body[5:]), limit=4_000_000) as file:
        assert (file.size, file.sha256) == (len(body), hashlib.sha256(body).hexdigest())
        assert file.head == body[: content.HEAD_BYTES]
        assert file.body.read() == body
    assert file.body.closed


@pytest.mark.req("DOC-1")
async def test_a_file_of_exactly_the_limit_is_taken() -> None:
    with await receive(sent(b"12345"), limit=5) as file:
        assert file.size == 5


@pytest.mark.req("DOC-1")
async def test_a_file_over_the_limit_is_refused_before_the_rest_is_read(spools: list[Any]) -> None:
    unread = AssertionError("read on after the limit")
    with pytest.raises(TooLarge, match="larger than 1 MB"):
        await receive(sent(b"x" * 1_048_576, b"y", then=unread), limit=1_048_576)
    assert [spool.closed for spool in spools] == [True]


async def test_a_sender_that_goes_away_leaves_no_file(spools: list[Any]) -> None:
    with pytest.raises(ConnectionResetError):
        await receive(sent(b"x" * 2_000_000, then=ConnectionResetError()), limit=4_000_000)
    assert [spool.closed for spool in spools] == [True]


async def test_a_full_disk_is_said_clearly(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, _: Any) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", lambda **_: Full())
    with pytest.raises(Unavailable, match="Nothing was stored"):
        await receive(sent(b"x"), limit=10)
