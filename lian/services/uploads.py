"""An upload as it arrives: the text fields first, then one file, streamed and never whole in memory (DOC-1)."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from lian.domain.errors import Invalid, TooLarge

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

NOT_A_FORM = "The upload must be a form with one file (multipart/form-data)."
INCOMPLETE = "The upload broke off before its end. Nothing was stored; try again."
NO_FILE = "Choose a file first."
FIELDS_AFTER_FILE = "In an upload the text fields come before the file."

EventKind = Literal["begin", "data", "end", "finish"]


@dataclass(slots=True)
class _Parts:
    """Callbacks of the parser: they only note what happened, in order."""

    events: deque[tuple[EventKind, bytes]] = field(default_factory=deque)
    _name: bytearray = field(default_factory=bytearray)
    _value: bytearray = field(default_factory=bytearray)
    _headers: dict[bytes, bytes] = field(default_factory=dict)

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._headers.clear,
            "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": lambda data, start, end: self.events.append(("data", data[start:end])),
            "on_part_end": lambda: self.events.append(("end", b"")),
            "on_end": lambda: self.events.append(("finish", b"")),
        }

    def _header_end(self) -> None:
        self._headers[bytes(self._name).lower()] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        self.events.append(("begin", self._headers.get(b"content-disposition", b"")))


async def file_part(
    request_stream: AsyncIterator[bytes], content_type: str, *, fields_limit: int = 64_000
) -> tuple[dict[str, str], str, AsyncIterator[bytes]]:
    """The text fields, the file's name as sent, and its bytes as they arrive.

    Text fields must come before the file. Raises `Invalid` when it is no such form or holds no file, `TooLarge` when
    the fields exceed `fields_limit` bytes; the chunks raise `Invalid` when the upload breaks off.
    """
    events = _events(request_stream, content_type)
    fields: dict[str, str] = {}
    size, name, value = 0, "", bytearray()
    async for kind, data in events:
        if kind == "begin":
            name, filename = _disposition(data)
            if filename is not None:
                if not filename:
                    raise Invalid(NO_FILE, field="file")
                return fields, filename, _chunks(events)
            value.clear()
        elif kind == "data":
            size += len(data)
            if size > fields_limit:
                raise TooLarge("The form is too large. Nothing was stored.")
            value.extend(data)
        elif kind == "end":
            fields[name] = _text(bytes(value))
    raise Invalid(NO_FILE, field="file")


async def _chunks(events: AsyncIterator[tuple[EventKind, bytes]]) -> AsyncIterator[bytes]:
    async for kind, data in events:
        if kind == "data":
            yield data
        elif kind == "begin":
            raise Invalid(FIELDS_AFTER_FILE)


async def _events(stream: AsyncIterator[bytes], content_type: str) -> AsyncIterator[tuple[EventKind, bytes]]:
    parts = _Parts()
    parser = MultipartParser(_boundary(content_type), parts.callbacks())
    async for chunk in stream:
        try:
            parser.write(chunk)
        except FormParserError:
            raise Invalid(INCOMPLETE) from None
        while parts.events:
            kind, data = parts.events.popleft()
            if kind == "finish":
                return
            yield kind, data
    # The closing boundary never came: what was read so far is not the file.
    raise Invalid(INCOMPLETE)


def _boundary(content_type: str) -> bytes:
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 1 <= len(boundary) <= 200:
        raise Invalid(NOT_A_FORM)
    return boundary


def _disposition(header: bytes) -> tuple[str, str | None]:
    """The field's name and the file's name; no file name means a text field."""
    _, options = parse_options_header(header)
    filename = options.get(b"filename")
    return _text(options.get(b"name", b"")), None if filename is None else filename.decode("utf-8", "replace")


def _text(value: bytes) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid("The form holds characters that cannot be read.") from None
    if "\0" in text:
        raise Invalid("The form holds characters that cannot be read.")
    return text
