"""`lian sla certify, verify, public-key`: certificates of timeliness, issued here and checked anywhere (CLM-12)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.embedded.errors import StackError
from lian.cli.sla_explain import CaseNumber, InLanguage, Lang
from lian.domain.errors import DomainError

if TYPE_CHECKING:
    from lian.services.certificate_seal import Checked
    from lian.services.certificates import Certificate

BAD = 1
SHOWN = 50

Folder = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder the two files are written to.")]
File = Annotated[Path, typer.Argument(metavar="FILE.json", help="A certificate's JSON file.")]
Key = Annotated[
    Path | None, typer.Option("--key", metavar="PUBLIC.pem", help="Public key of the insurer; else the file's own.")
]


def certify(case: CaseNumber, out: Folder = Path(), lang: InLanguage = Lang.EN) -> None:
    """Certify how the promises of a case were counted: CASE.certificate.pdf, and .json for programs."""
    # Imported here, so that `lian sla verify`, which needs no case, does not wait for the services.
    from lian.auth.actor import Actor
    from lian.cli import use_running_stack
    from lian.cli.running import with_context
    from lian.services.certificates import certificate_pdf
    from lian.services.certificates import certify as issue
    from lian.services.context import Context

    async def work(context: Context) -> tuple[Certificate, bytes]:
        issued = await issue(context, console, case)
        return issued, await certificate_pdf(issued, "zh-CN" if lang is Lang.ZH else "en")

    use_running_stack()
    console = Actor(id="system:console", name="Command line", roles=("operations",))
    issued, pdf = with_context(work)
    for ending, content in (("json", issued.text.encode()), ("pdf", pdf)):
        typer.echo(_written(out / issued.filename(ending), content))
    typer.echo(f"sha256 {issued.sha256}, signed with key {issued.key_id}")


def _written(path: Path, content: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as refused:
        raise StackError(f"{path} cannot be written: {refused.strerror}.") from refused
    return path


def verify(file: File, key: Key = None) -> None:
    """Check a certificate with nothing but the public key; exit code 1, naming what differs, when it does not hold."""
    from lian.services.certificate_seal import check, read_public_key

    try:
        found = check(_read(file), read_public_key(_read(key)) if key else None)
    except DomainError as refused:
        raise StackError(f"{file}: {refused.message}") from refused
    for line in _told(found):
        typer.echo("".join(c if c.isprintable() else "?" for c in line))
    if not found.holds:
        raise typer.Exit(BAD)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as refused:
        raise StackError(f"{path} cannot be read: {refused.strerror}.") from refused
    except UnicodeDecodeError as refused:
        raise StackError(f"{path} is not a text in UTF-8.") from refused


def _told(found: Checked) -> list[str]:
    if not found.holds:
        lines = [f"differs: {line}" for line in found.differences[:SHOWN]]
        more = len(found.differences) - SHOWN
        lines += [f"... and {more} more"] if more > 0 else []
        return [*lines, f"{found.number}: the certificate does not hold."]
    clocks = [f"  {name}: {verdict}" + (f", due {due}" if due else "") for name, verdict, due in found.clocks]
    whose = f"key {found.key_id}"
    if not found.is_known_key:
        whose += ", which came with the file: ask the insurer for the id of their key, or give theirs with --key"
    return [f"{found.number}: the certificate holds.", f"issued {found.issued_at} by {found.issuer}", *clocks, whose]


def public_key() -> None:
    """Print the public key with which certificates of this installation are checked, as PEM."""
    from lian.cli import use_running_stack
    from lian.cli.running import settings_in_use
    from lian.services.certificates import public_key as pem_of

    use_running_stack()
    try:
        typer.echo(pem_of(settings_in_use()), nl=False)
    except DomainError as refused:
        raise StackError(refused.message) from refused
