"""`lian import claims FILE.csv`: real claims from a file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Annotated, Any, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from infra.embedded.errors import StackError
from lian.cli.running import with_context
from lian.domain.errors import DomainError
from lian.services.claim_import import ClaimsFile, Counts, FileRow, import_claims, load_mapping, open_claims
from lian.services.context import Context

OUR_COLUMNS = ("line", "reason")
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r")

app = typer.Typer()
imports = typer.Typer(no_args_is_help=True)
app.add_typer(imports, name="import", help="Import claims from a file.", rich_help_panel="Data")

File = Annotated[Path, typer.Argument(help="CSV file with a header line, one row for each claim.", show_default=False)]
MappingFile = Annotated[
    Path | None, typer.Option("--mapping", help="TOML file that says which column is what; default: auto_claims.")
]
RejectsFile = Annotated[
    Path | None, typer.Option("--rejects", help="Where bad rows go; default: FILE.rejected.csv beside the file.")
]


@imports.callback()
def _group() -> None:
    """Import claims from a file."""


@imports.command()
def claims(file: File, mapping: MappingFile = None, rejects: RejectsFile = None) -> None:
    """Import claims and the policies they mention; safe to repeat."""
    console = Console()
    try:
        chosen = load_mapping(mapping)
        source = open_claims(file, chosen)
    except DomainError as refused:
        raise StackError(refused.message) from refused
    with Rejects(_rejects_path(file, rejects), source.header) as rejected, _progress(console, file) as bar:

        async def work(context: Context) -> Counts:
            return await import_claims(
                context,
                source,
                chosen,
                reject=rejected.add,
                advanced=lambda counts: bar(source, counts),
            )

        counts = with_context(work)
    _report(console, counts, rejected.path)
    if counts.rejected and rejects is None and rejected.path.parent != file.parent:
        _print(console, f"They are in the current folder, because {file.parent} cannot be written to.")


class Rejects:
    """The file of bad rows: line, reason, and the row as it was. Made with the first of them."""

    def __init__(self, path: Path, header: tuple[str, ...]) -> None:
        self.path = path
        self._header = header
        self._file: IO[str] | None = None
        self._writer: Any = None

    def __enter__(self) -> Self:
        _remove_ours(self.path)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, row: FileRow, reason: str) -> None:
        """Write one bad row down at once, so that an interruption loses none."""
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow((*OUR_COLUMNS, *self._header))
        self._writer.writerow((row.line, reason, *(_harmless(cell) for cell in row.cells)))
        self._file.flush()


def _harmless(cell: str) -> str:
    """A spreadsheet must not take a rejected cell for a formula; plain numbers stay as they are."""
    is_formula = cell.startswith(_STARTS_FORMULA) and not cell[1:].replace(".", "", 1).isdigit()
    return f"'{cell}" if is_formula else cell


def _remove_ours(path: Path) -> None:
    """An older list of bad rows says nothing about this run; a file that is not such a list is never touched."""
    if not path.exists():
        return
    with path.open("rb") as file:
        is_ours = file.read(64).removeprefix(b"\xef\xbb\xbf").startswith(",".join(OUR_COLUMNS).encode())
    if not is_ours:
        raise StackError(f"{path} exists and is not a list of rejected rows; choose another with --rejects.")
    path.unlink()


def _rejects_path(file: Path, chosen: Path | None) -> Path:
    path = chosen or file.with_suffix(".rejected.csv")
    if path.resolve() == file.resolve():
        raise StackError("The rejected rows cannot go into the file that is imported.")
    if _is_writable(path.parent):
        return path
    if chosen is not None:
        raise StackError(f"{path.parent} cannot be written to; choose another place with --rejects.")
    here = Path.cwd() / path.name
    if not _is_writable(here.parent):
        raise StackError(f"Neither {path.parent} nor {here.parent} can be written to; choose a place with --rejects.")
    return here


def _is_writable(folder: Path) -> bool:
    # By its mode too: root could write into a folder that its owner closed, and should not.
    return folder.is_dir() and os.access(folder, os.W_OK) and bool(folder.stat().st_mode & 0o222)


@contextmanager
def _progress(console: Console, file: Path) -> Iterator[Any]:
    """A bar over the bytes of the file: nobody knows its rows before they are read."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=not console.is_terminal) as progress:
        task = progress.add_task(file.name, total=file.stat().st_size, told="")

        def advanced(source: ClaimsFile, counts: Counts) -> None:
            told = f"{counts.new} new, {counts.already_there} already there, {counts.rejected} rejected"
            progress.update(task, completed=source.position, told=told)

        yield advanced


def _report(console: Console, counts: Counts, rejected: Path) -> None:
    rows = f"{counts.rows} {'row' if counts.rows == 1 else 'rows'}"
    _print(console, f"{rows}: {counts.new} new, {counts.already_there} already there, {counts.rejected} rejected.")
    if counts.rows and not counts.new and not counts.rejected:
        _print(console, "Everything in this file was imported before; nothing was added.")
    if counts.rejected:
        _print(console, f"The rejected rows and their reasons: {rejected}")


def _print(console: Console, sentence: str) -> None:
    """As it is: paths are neither coloured nor broken."""
    console.print(sentence, highlight=False, soft_wrap=True)
