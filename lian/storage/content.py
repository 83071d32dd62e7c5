"""What an uploaded file really is, and how it is received (DOC-1).

The type comes from the bytes, never from the name: a name only helps to refuse. Everything outside a short list is
refused, because each further type is one more thing a browser or an office program might execute.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import tempfile
import unicodedata
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import BinaryIO, Self, cast

import puremagic

from lian.domain.errors import Invalid, TooLarge, Unavailable

HEAD_BYTES = 64 * 1024
"""How much of a file's beginning decides its type: enough for the first entries of an office file."""
SPOOL_BYTES = 1024 * 1024
NAME_LENGTH = 200
EXPANDED_BYTES = 200 * 1024 * 1024
ARCHIVE_ENTRIES = 5000


class ContentRefused(Invalid):
    """The file is of a kind we do not take; nothing was stored."""

    code = "content_refused"
    status = 415


@dataclass(frozen=True, slots=True)
class ContentType:
    """What a file is. `extension` begins with a dot; `previewable`: any browser shows it without a program."""

    mime: str
    extension: str
    previewable: bool


PDF = ContentType("application/pdf", ".pdf", previewable=True)
JPEG = ContentType("image/jpeg", ".jpg", previewable=True)
PNG = ContentType("image/png", ".png", previewable=True)
GIF = ContentType("image/gif", ".gif", previewable=True)
WEBP = ContentType("image/webp", ".webp", previewable=True)
TIFF = ContentType("image/tiff", ".tif", previewable=False)
HEIC = ContentType("image/heic", ".heic", previewable=False)
TEXT = ContentType("text/plain", ".txt", previewable=True)
CSV = ContentType("text/csv", ".csv", previewable=False)
_OFFICE = "application/vnd.openxmlformats-officedocument"
DOCX = ContentType(f"{_OFFICE}.wordprocessingml.document", ".docx", previewable=False)
XLSX = ContentType(f"{_OFFICE}.spreadsheetml.sheet", ".xlsx", previewable=False)

ALLOWED = (PDF, JPEG, PNG, GIF, WEBP, TIFF, HEIC, TEXT, CSV, DOCX, XLSX)
ALLOWED_WORDS = "PDF, photo (JPEG, PNG, HEIC, TIFF, WEBP, GIF), Word or Excel (docx, xlsx) or plain text"

# All anchored at offset 0: a PDF that begins later is a second file hidden behind a first one.
_MAGIC: tuple[tuple[re.Pattern[bytes], ContentType], ...] = (
    (re.compile(rb"%PDF-[12]\.\d"), PDF),
    (re.compile(rb"\xff\xd8\xff[\xc0-\xfe]"), JPEG),
    (re.compile(rb"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", re.DOTALL), PNG),
    (re.compile(rb"GIF8[79]a.{6}", re.DOTALL), GIF),
    (re.compile(rb"RIFF.{4}WEBPVP8[ LX]", re.DOTALL), WEBP),
    (re.compile(rb"II\x2a\0|MM\0\x2a"), TIFF),
    (re.compile(rb"\0\0\0.ftyp(?:heic|heix|heim|heis|mif1|msf1)", re.DOTALL), HEIC),
)

_REFUSED_WORDS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"MZ|\x7fELF|\xca\xfe\xba\xbe|[\xce\xcf]\xfa\xed\xfe|\0asm"), "a program"),
    (re.compile(rb"\xd0\xcf\x11\xe0"), "an old Office or Outlook file; save it as docx, xlsx or PDF"),
    (
        re.compile(rb"Rar!|7z\xbc\xaf|\x1f\x8b|BZh|\xfd7zXZ|.{257}ustar", re.DOTALL),
        "an archive; send the files one by one",
    ),
    (re.compile(rb"\{\\rtf"), "an RTF file; save it as docx or PDF"),
    (re.compile(rb"%!PS"), "a PostScript file; save it as PDF"),
)

_TEXT_NAMES = frozenset({"", "txt", "text", "log", "csv"})
_TEXT_CODECS = ("utf-8", "gb18030")
_CONTROLS = re.compile(rb"[\0-\x08\x0b\x0e-\x1f\x7f]")
_ACTIVE = re.compile(
    rb"\A#!|<\s*(?:!doctype|html|head|body|script|svg|iframe|object|embed|img|meta|link|style|\?xml|\?php|%)|javascript:",
    re.IGNORECASE,
)
_MAIL = re.compile(rb"^(?:mime-version|received|return-path|content-transfer-encoding):", re.IGNORECASE | re.MULTILINE)

_ENTRY = re.compile(rb"PK\x03\x04.{22}(..)..", re.DOTALL)
_OFFICE_ROOTS = ("[Content_Types].xml", "_rels/", "docProps/", "customXml/", "docMetadata/", "word/", "xl/")
_MACROS = "vbaProject.bin"


def recognise(head: bytes, *, filename: str) -> ContentType:
    """The type of a file from its first `HEAD_BYTES` bytes (DOC-1). Raises `ContentRefused` in plain words.

    `filename` never makes a file acceptable as something else; it only tells whether text is meant to be text.
    """
    if not head:
        raise ContentRefused("The file is empty.")
    for magic, content in _MAGIC:
        if magic.match(head):
            return content
    if head.startswith(b"PK\x03\x04"):
        return _recognise_office(head)
    return _recognise_text(head, extension=_extension(filename))


def examine_office(body: BinaryIO, content: ContentType) -> None:
    """Look through the whole of an office file once it is here: macros, zip bombs, damage (DOC-1, faults 17-22).

    Does nothing for other types; leaves the body at its beginning. Raises `ContentRefused`.
    """
    if content not in (DOCX, XLSX):
        return
    try:
        with zipfile.ZipFile(body) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise ContentRefused("The file is damaged or incomplete.") from error
    finally:
        body.seek(0)
    if len(entries) > ARCHIVE_ENTRIES or sum(entry.file_size for entry in entries) > EXPANDED_BYTES:
        raise ContentRefused("The file unpacks to far more than a document needs.")
    names = [entry.filename for entry in entries]
    _refuse_foreign(names)
    if _OFFICE_ROOTS[0] not in names:
        raise ContentRefused("The file is damaged or incomplete.")


def safe_filename(name: str) -> str:
    """The name as it may be shown and offered for download: no path, no controls, no bidi tricks, 200 characters.

    Chinese stays as it is. The extension survives the cut. An empty result becomes `file`.
    """
    last = re.split(r"[/\\]", name)[-1]
    # Category C covers controls, bidi overrides, lone surrogates and private characters; Zl and Zp break lines.
    shown = "".join(c for c in last if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
    shown = re.sub(r'[<>:"|?*]', "_", unicodedata.normalize("NFC", shown))
    shown = re.sub(r"\s+", " ", shown).strip(" .")
    if len(shown) <= NAME_LENGTH:
        return shown or "file"
    stem, dot, extension = shown.rpartition(".")
    if not dot or len(extension) > 10:
        return shown[:NAME_LENGTH]
    return stem[: NAME_LENGTH - len(extension) - 1].rstrip(" .") + dot + extension


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that has arrived whole, at its beginning; as a context manager it removes itself at the end.

    `size` in bytes, `sha256` in lower-case hex, `head` its first `HEAD_BYTES` bytes.
    """

    body: BinaryIO
    size: int
    sha256: str
    head: bytes

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.body.close()


async def receive(chunks: AsyncIterator[bytes], *, limit: int) -> ReceivedFile:
    """Take in an upload without holding it in memory (DOC-1): hashed and counted while it spools to disk.

    Raises `TooLarge` with the first byte beyond `limit`, and `Unavailable` when the disk is full. Whatever ends it,
    the sender going away included, the temporary file is gone.
    """
    spool = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 - handed over to ReceivedFile
    body = cast("BinaryIO", spool)
    try:
        return await _spool(chunks, body, limit=limit)
    except BaseException:
        body.close()
        raise


async def _spool(chunks: AsyncIterator[bytes], body: BinaryIO, *, limit: int) -> ReceivedFile:
    digest = hashlib.sha256()
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"The file is larger than {_megabytes(limit)}.")
        digest.update(chunk)
        _write(body, chunk)
    body.seek(0)
    head = body.read(HEAD_BYTES)
    body.seek(0)
    return ReceivedFile(body, size, digest.hexdigest(), head)


def _write(body: BinaryIO, chunk: bytes) -> None:
    try:
        body.write(chunk)
    except OSError as error:
        raise Unavailable("There is no room to take in the file right now. Nothing was stored.") from error


def _megabytes(limit: int) -> str:
    return f"{limit / 1024 / 1024:.3g} MB" if limit >= 1024 * 1024 else f"{limit} bytes"


def _extension(filename: str) -> str:
    _, dot, extension = safe_filename(filename).rpartition(".")
    return extension.lower() if dot else ""


def _recognise_office(head: bytes) -> ContentType:
    names = _entry_names(head)
    _refuse_foreign(names)
    if any(name.startswith("word/") for name in names):
        return DOCX
    if any(name.startswith("xl/") for name in names):
        return XLSX
    raise _refused("an archive; send the files one by one")


def _entry_names(head: bytes) -> list[str]:
    """Names of the archive entries that begin within the head."""
    names = []
    for entry in _ENTRY.finditer(head):
        length = int.from_bytes(entry[1], "little")
        names.append(head[entry.end() : entry.end() + length].decode("utf-8", "replace"))
    return names


def _refuse_foreign(names: list[str]) -> None:
    if any(_MACROS in name for name in names):
        raise ContentRefused("The file contains macros. Save it without them (docx, xlsx) or as PDF.")
    if any(not name.startswith(_OFFICE_ROOTS) or ".." in name.split("/") for name in names):
        raise _refused("an archive; send the files one by one")


def _recognise_text(head: bytes, *, extension: str) -> ContentType:
    for magic, words in _REFUSED_WORDS:
        if magic.match(head):
            raise _refused(words)
    if not _is_text(head):
        raise _refused(_describe(head))
    if _ACTIVE.search(head):
        raise _refused("a web page, drawing or script")
    if _MAIL.search(head):
        raise _refused("an e-mail; save it as PDF")
    if extension not in _TEXT_NAMES:
        raise ContentRefused(f"What is in the file does not fit its name. We take {ALLOWED_WORDS}.")
    return CSV if extension == "csv" else TEXT


def _is_text(head: bytes) -> bool:
    return not _CONTROLS.search(head) and any(_decodes(head, codec) for codec in _TEXT_CODECS)


def _decodes(head: bytes, codec: str) -> bool:
    try:
        # Not final: the head may end in the middle of a character.
        codecs.getincrementaldecoder(codec)().decode(head, final=len(head) < HEAD_BYTES)
    except UnicodeDecodeError:
        return False
    return True


def _describe(head: bytes) -> str:
    """In plain words what puremagic takes the bytes for; only ever used to refuse."""
    try:
        kind = puremagic.from_string(head[:4096], mime=True).partition("/")[0]
    except (puremagic.PureError, ValueError):
        return "of a kind we do not know"
    return {"video": "a video", "audio": "a sound recording", "image": "a picture of a kind we cannot show"}.get(
        kind, "of a kind we do not know"
    )


def _refused(words: str) -> ContentRefused:
    return ContentRefused(f"The file is {words}. We take {ALLOWED_WORDS}.")
