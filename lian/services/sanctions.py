"""Names that must not be paid: the built-in sanctions list, a file (CLM-10).

Names are compared without regard to case, width, accents, punctuation and the order of words; Chinese ones whole,
without blanks. No likeness is guessed at, and traditional and simplified characters differ: list both.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import cast

import anyio.to_thread
import structlog

from lian.domain.errors import Unavailable

log = structlog.get_logger()
SHIPPED = cast("Path", files("lian.services") / "tables" / "sanctions.txt")
AWAY = "The sanctions list cannot be read. Nobody is paid unchecked; nothing was stored."

Stamp = tuple[int, int, int]


def _plain(name: str) -> str:
    """Without case, width, accents and punctuation; words set apart by one blank."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    folded = unicodedata.normalize("NFKC", bare).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())


def _is_chinese(character: str) -> bool:
    return unicodedata.name(character, "").startswith("CJK")


def forms(name: str) -> frozenset[str]:
    """What two spellings of one name have in common: its Chinese characters in a row, its other words in order.

    A name in both scripts has a form for each, and is found by either.
    """
    plain = _plain(name)
    chinese = "".join(filter(_is_chinese, plain))
    words = "".join(" " if _is_chinese(c) else c for c in plain).split()
    return frozenset(filter(None, (chinese, " ".join(sorted(words)))))


@dataclass(slots=True)
class FileSanctionsList:
    """The default list: plain text with a name a line (`#` begins a remark), or CSV with a column `name`.

    The file is read again as soon as it changes. One that was set and is missing, unreadable or without a single name
    raises `Unavailable`: payments wait until it is put right, none passes unchecked.
    """

    path: Path
    may_be_empty: bool = False
    _stamp: Stamp | None = field(default=None, init=False)
    _forms: frozenset[str] = field(default=frozenset(), init=False)

    @classmethod
    def at(cls, path: str) -> FileSanctionsList:
        """The list at this path; the shipped one, which is empty, for none."""
        return cls(Path(path)) if path else cls(SHIPPED, may_be_empty=True)

    async def check(self, name: str) -> bool:
        """Whether the list has this name."""
        listed = await anyio.to_thread.run_sync(self._current)
        return not forms(name).isdisjoint(listed)

    def _current(self) -> frozenset[str]:
        try:
            found = self.path.stat()
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if stamp != self._stamp:
                self._forms, self._stamp = self._read(), stamp
        except (OSError, ValueError, csv.Error) as error:
            self._stamp = None
            log.error("sanctions_list_unreadable", error=type(error).__name__)
            raise Unavailable(AWAY) from error
        return self._forms

    def _read(self) -> frozenset[str]:
        names = list(self._csv_names() if self.path.suffix.lower() == ".csv" else self._text_names())
        found = frozenset(form for name in names for form in forms(name))
        if not found and not self.may_be_empty:
            raise ValueError("there is no name in it")
        return found

    def _text_names(self) -> Iterator[str]:
        for line in self.path.read_text(encoding="utf-8-sig").splitlines():
            yield line.partition("#")[0]

    def _csv_names(self) -> Iterator[str]:
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if "name" not in (rows.fieldnames or ()):
                raise ValueError("it has no column `name`")
            for row in rows:
                yield row["name"] or ""
                yield from (row.get("aliases") or "").split(";")
