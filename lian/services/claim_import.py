"""Claims from a file: row by row, good ones registered, bad ones told, nothing twice (issue 2, "Real input").

The file is read as a stream. Each claim is known by what its row says (policy number and day of loss), never by its
line, so that a file may be imported again, sorted otherwise, or continued after an interruption.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO

from lian.auth.actor import Actor
from lian.db.tables import IdempotencyKey
from lian.domain.claims.import_mapping import BadMapping, ClaimsMapping, read_mapping
from lian.domain.claims.import_rows import ImportedClaim, Row, read_row
from lian.domain.errors import Conflict, Invalid, NotFound, Unavailable
from lian.domain.parties import Channel
from lian.services.context import Context
from lian.services.intake import report_claim
from lian.services.policies import CustomerGiven, PolicyGiven, put_policy

IMPORTER = Actor(id="system:import", name="Import", roles=("customer_service",))
DEFAULT_MAPPING = "auto_claims"
ROWS_AT_ONCE = 4
PATIENCE = (0.5, 1, 2, 4, 8, 8, 8, 8)
"""Seconds to wait, again and again, while the database is away."""
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

Reject = Callable[["FileRow", str], None]


class UnreadableFile(Invalid):
    """The file as a whole cannot be read with this mapping; nothing was stored."""

    code = "unreadable_file"


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row and the line it begins on, counted from 1; `problem` says why it has no cells that make sense."""

    line: int
    cells: tuple[str, ...]
    problem: str = ""


@dataclass(slots=True)
class Counts:
    """What became of the rows."""

    new: int = 0
    already_there: int = 0
    rejected: int = 0

    @property
    def rows(self) -> int:
        """All rows read."""
        return self.new + self.already_there + self.rejected


class ClaimsFile:
    """A CSV file read through a mapping, one row at a time. Raises `UnreadableFile` in one sentence when opened."""

    def __init__(self, body: BinaryIO, mapping: ClaimsMapping) -> None:
        self._body = body
        # Bytes that are not UTF-8 become lone surrogates: only their own row is refused.
        text = io.TextIOWrapper(body, encoding="utf-8-sig", errors="surrogateescape", newline="")
        self._reader = csv.reader(text, delimiter=mapping.delimiter, strict=True)
        self.header = self._read_header(mapping)

    @property
    def position(self) -> int:
        """How many bytes were read, for a progress bar."""
        return self._body.tell()

    def __iter__(self) -> Iterator[FileRow]:
        while True:
            line = self._reader.line_num + 1
            try:
                cells = tuple(next(self._reader))
            except StopIteration:
                return
            except csv.Error:
                yield FileRow(line, (), "Its quotation marks do not match, or a cell is endless.")
                continue
            if any(cell.strip() for cell in cells):
                yield FileRow(line, cells, self._miscounted(cells))

    def as_row(self, row: FileRow) -> Row:
        """The cells by their column."""
        return dict(zip(self.header, row.cells, strict=True))

    def _miscounted(self, cells: Sequence[str]) -> str:
        if len(cells) == len(self.header):
            return ""
        return f"It has {len(cells)} cells, but the file has {len(self.header)} columns."

    def _read_header(self, mapping: ClaimsMapping) -> tuple[str, ...]:
        try:
            header = tuple(name.strip() for name in next(self._reader))
        except (StopIteration, csv.Error):
            raise UnreadableFile("The file has no header line.") from None
        if missing := sorted(mapping.columns - set(header)):
            raise UnreadableFile(
                f"The file lacks columns that the mapping `{mapping.name}` needs: {', '.join(missing)}."
            )
        read = mapping.columns | mapping.optional_columns
        if twice := sorted(name for name in read if header.count(name) > 1):
            raise UnreadableFile(f"The file has more than one column named {', '.join(twice)}.")
        return header


def open_claims(path: Path, mapping: ClaimsMapping) -> ClaimsFile:
    """Open a claims file. Raises `UnreadableFile` when it is not there, not text, or lacks a column."""
    try:
        body = path.open("rb")
        start = body.read(2)
        body.seek(0)
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read ({error.strerror}).") from error
    if start in _UTF_16:
        raise UnreadableFile(f"{path} is saved as UTF-16; save it as CSV UTF-8.")
    return ClaimsFile(body, mapping)


def load_mapping(path: Path | None = None) -> ClaimsMapping:
    """The mapping in a file, or the shipped one. Raises `BadMapping` in one sentence."""
    shipped = files("lian.domain.claims") / "mappings" / f"{DEFAULT_MAPPING}.toml"
    try:
        text = path.read_text(encoding="utf-8") if path else shipped.read_text(encoding="utf-8")
        return read_mapping(tomllib.loads(text))
    except OSError as error:
        raise BadMapping(f"{path} cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadMapping(f"{path} is not a TOML file: {error}.") from error
    except BadMapping as error:
        raise BadMapping(f"{path or DEFAULT_MAPPING}: {error.message}") from error


async def import_claims(
    context: Context,
    file: ClaimsFile,
    mapping: ClaimsMapping,
    *,
    reject: Reject,
    advanced: Callable[[Counts], None] = lambda counts: None,
    at_once: int = ROWS_AT_ONCE,
) -> Counts:
    """Register every claim of the file that is not there yet; `reject` is told of each row that cannot be one.

    Safe to repeat and to interrupt. Raises `Unavailable` when the database stays away; what was imported remains.
    """
    run = _Run(context, file, mapping, reject, advanced)
    rows = iter(file)
    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(run.work_through(rows))
    return run.counts


@dataclass(slots=True)
class _Run:
    """One import: its workers share the rows, the counts, and what was seen."""

    context: Context
    file: ClaimsFile
    mapping: ClaimsMapping
    reject: Reject
    advanced: Callable[[Counts], None]
    counts: Counts = field(default_factory=Counts)
    seen: dict[bytes, int] = field(default_factory=dict)

    async def work_through(self, rows: Iterator[FileRow]) -> None:
        """Take rows until there are none; the other workers take from the same."""
        for row in rows:
            try:
                is_new = await self._import(row)
            except (Invalid, NotFound, Conflict) as refused:
                self.counts.rejected += 1
                self.reject(row, refused.message)
            else:
                self.counts.new += is_new
                self.counts.already_there += not is_new
            self.advanced(self.counts)

    async def _import(self, row: FileRow) -> bool:
        if row.problem:
            raise Invalid(row.problem)
        claim = read_row(self.mapping, self.file.as_row(row))
        self._refuse_repeat(claim, row)
        for wait in PATIENCE:
            try:
                return await import_claim(self.context, claim)
            except Unavailable:
                await asyncio.sleep(wait)
        return await import_claim(self.context, claim)

    def _refuse_repeat(self, claim: ImportedClaim, row: FileRow) -> None:
        mark = hashlib.blake2b(claim.key.encode(), digest_size=12).digest()
        first = self.seen.setdefault(mark, row.line)
        if first != row.line:
            raise Conflict(f"It has the same policy and date of loss as line {first}; only that one is imported.")


async def import_claim(context: Context, claim: ImportedClaim) -> bool:
    """Put the policy and its people into the register and report the claim; returns whether it is new."""
    if not await _was_imported(context, claim.key):
        await put_policy(context, IMPORTER, _policy(claim))
    try:
        _, is_new = await report_claim(context, IMPORTER, claim.report, channel=Channel.IMPORT, key=claim.key)
    except Conflict:
        raise Conflict("This claim was imported before with other content; it was left as it is.") from None
    return is_new


async def _was_imported(context: Context, key: str) -> bool:
    async with context.transaction() as session:
        return await session.get(IdempotencyKey, (IMPORTER.id, key)) is not None


def _policy(claim: ImportedClaim) -> PolicyGiven:
    terms = claim.terms
    return PolicyGiven(
        number=terms.policy_number,
        line=terms.line,
        currency=terms.currency,
        zone=terms.zone,
        term_from=terms.term_from,
        term_to=terms.term_to,
        coverages=terms.coverages,
        parties={
            role: CustomerGiven(external_ref=who.ref, name=who.given.name, phone=who.given.phone, email=who.given.email)
            for role, who in claim.people.items()
        },
    )
