"""Issuing certificates of timeliness: from a journal that was verified first, signed, and put on record (CLM-12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import anyio.to_thread
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncSession

from lian.auth.actor import Actor
from lian.auth.visibility import CONFIDENTIAL_WAITS, UNDISCLOSED
from lian.db.events import entry_content
from lian.db.journal import checked_chain, lock_chain
from lian.db.tables import Case, JournalEntry
from lian.domain import journal as j
from lian.domain.certificate import Journal, certificate_of, is_used, recompute
from lian.domain.certificate_story import Entry
from lian.domain.errors import Conflict, Unavailable
from lian.domain.labels import Language
from lian.notify.certificates import render_certificate
from lian.services.cases import find_case
from lian.services.certificate_seal import as_text, fingerprint_of, public_pem, read_private_key, sealed
from lian.services.context import Context
from lian.services.recording import put_on_record
from lian.settings import Settings

Json = dict[str, Any]
SAME_FOR = timedelta(hours=1)
"""Asked for again by the same person while nothing happened, it is the same certificate, not a second one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One certificate as it was issued; `text` is the file that is handed out, which `document` says as JSON."""

    number: str
    document: Json
    text: str
    fingerprint: str
    zone: str

    @property
    def sha256(self) -> str:
        """The hash of what was signed."""
        return str(self.document["sha256"])

    @property
    def key_id(self) -> str:
        """Which key signed."""
        return str(self.document["signature"]["key_id"])

    def filename(self, ending: str) -> str:
        """How the file is called."""
        return f"{self.number}.certificate.{ending}"


async def certify(context: Context, actor: Actor, number: str) -> Certificate:
    """Certify how the promises of a case stand and were counted; for staff who see its clocks.

    What only readers of risk may know is in no certificate. Raises `NotAllowed` and `NotFound` as the case file,
    `Unavailable` without a key, `Conflict` for a case without promises, for a journal that is damaged, and for a
    record that does not follow from itself: nothing of that kind is signed.
    """
    actor.require("case:read")
    key = signing_key(context.settings)
    async with context.transaction() as session:
        case = await find_case(session, actor, number)
        await lock_chain(session, case.id)
        entries, damages = await checked_chain(session, case.id)
        if damages:
            raise Conflict(
                f"The journal of this case is damaged at event {damages[0].chain_seq}; nothing is certified."
            )
        issued = _issued_before(context, actor, case, entries, key)
        if issued is None:
            # Where another machine's clock is ahead: no certificate is older than what it speaks of.
            now = max(context.now(), *(entry.at for entry in entries))
            issued = _sealed(context, case, entries, key, now)
            await _record(context, session, case, actor, issued, now)
    fingerprint = fingerprint_of(key.public_key())
    zone = context.settings.office_zone
    return Certificate(number=number, document=issued, text=as_text(issued), fingerprint=fingerprint, zone=zone)


async def certificate_pdf(certificate: Certificate, language: Language) -> bytes:
    """The same certificate for people, with the JSON attached to it."""
    return await anyio.to_thread.run_sync(_pdf, certificate, language)


def _pdf(certificate: Certificate, language: Language) -> bytes:
    return render_certificate(
        certificate.document,
        certificate.text,
        filename=certificate.filename("json"),
        fingerprint=certificate.fingerprint,
        zone=certificate.zone,
        language=language,
    )


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """The installation's key. Raises `Unavailable` when there is none, `Invalid` for one that is no key."""
    written = settings.certificate_key.get_secret_value().strip()
    if not written:
        raise Unavailable(
            "Certificates cannot be signed here: LIAN_CERTIFICATE_KEY (or LIAN_CERTIFICATE_KEY_FILE) is not set."
        )
    return read_private_key(written)


def public_key(settings: Settings) -> str:
    """The public key of this installation as PEM, for whoever checks its certificates. Raises as `signing_key`."""
    return public_pem(signing_key(settings).public_key())


def _sealed(
    context: Context, case: Case, entries: Sequence[JournalEntry], key: Ed25519PrivateKey, issued_at: datetime
) -> Json:
    if not any(entry.type == j.ClockStarted.TYPE for entry in entries):
        raise Conflict("No promise of this case has begun yet; there is nothing to certify.")
    told = [as_told(entry) for entry in entries if is_used(entry.type)]
    journal = Journal(case_id=str(case.id), head_seq=entries[-1].chain_seq, head_hash=entries[-1].hash, entries=told)
    certificate = certificate_of(journal, issuer=context.settings.insurer_name, issued_at=issued_at)
    for difference in recompute(certificate):
        raise Conflict(f"The record does not follow from itself, so it is not certified. {difference}")
    return sealed(certificate, key)


def as_told(entry: JournalEntry) -> Entry:
    """A stored entry as a certificate may speak of it."""
    told = Entry(
        seq=entry.chain_seq,
        type=entry.type,
        at=entry.at,
        actor=entry.actor,
        body=entry.body,
        hash=entry.hash,
        content=entry_content(entry),
    )
    # A certificate is made to be handed on: that a suspicion is looked into is in none, whoever asks for it (CLM-14).
    if entry.type == j.RequestOpened.TYPE and entry.body.get("reason") in CONFIDENTIAL_WAITS:
        told = replace(told, actor="staff", body=entry.body | {"reason": UNDISCLOSED})
    return told


def _issued_before(
    context: Context, actor: Actor, case: Case, entries: Sequence[JournalEntry], key: Ed25519PrivateKey
) -> Json | None:
    """What this person was given last, when nothing happened since and it is still fresh."""
    last = entries[-1]
    is_theirs = last.type == j.CertificateIssued.TYPE and last.actor == actor.id
    if not is_theirs or context.now() - last.at > SAME_FOR:
        return None
    again = _sealed(context, case, entries[:-1], key, last.at)
    return again if again["sha256"] == last.body["sha256"] else None


async def _record(
    context: Context, session: AsyncSession, case: Case, actor: Actor, issued: Json, now: datetime
) -> None:
    event = j.CertificateIssued(sha256=issued["sha256"], key_id=issued["signature"]["key_id"])
    recorded = [j.Recorded(at=now, actor=actor.id, event=event)]
    await put_on_record(context, session, case_id=case.id, recorded=recorded)
