"""Which claims may report the same loss: found by index, compared by `domain/claims/duplicates.py` (CLM-3).

Two equal reports at once do not miss each other. The relay asks when it starts a case's process, which is after that
case was committed. Of two cases, the one whose start asks last therefore sees the other; both may, and then both are
asked about. `refuse_circle` keeps two people from closing each claim as the other's duplicate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.tables import Case, CaseLink, Exposure, Party
from lian.domain.claims.definition import CLAIM
from lian.domain.claims.duplicates import DEFAULT, Likeness, LossFacts, likest
from lian.domain.errors import Conflict
from lian.domain.messages import CompleteTask
from lian.domain.parties import PartyRole
from lian.domain.status import CaseStatus
from lian.domain.tasks import Json
from lian.services.context import Context

MERGED = "merged"
"""The outcome of a claim that was closed as another's duplicate."""
MOST_COMPARED = 50
WHO_TELLS = (PartyRole.REPORTER.value, PartyRole.CLAIMANT.value, PartyRole.REPRESENTATIVE.value)


async def likenesses(session: AsyncSession, context: Context, case: Case) -> list[Likeness]:
    """Claims like this one that a person must look at, best first, at most ten."""
    if case.kind != CLAIM.id or case.loss_at is None:
        return []
    parties = await _parties(session, [case.id])
    found = await _candidates(session, case, case.loss_at, parties)
    others = await _losses(session, context, found)
    (mine,) = await _losses(session, context, [case])
    return likest(mine, others)


async def refuse_circle(session: AsyncSession, case_id: UUID, other_case_id: UUID) -> None:
    """Raise `Conflict` when the other claim was closed as a duplicate, of this one or of any."""
    other = await session.get(Case, other_case_id, populate_existing=True)
    points_here = select(CaseLink).where(
        CaseLink.case_id == other_case_id, CaseLink.other_case_id == case_id, CaseLink.relation == "duplicate_of"
    )
    if other is None or other.outcome == MERGED or (await session.execute(points_here)).first():
        raise Conflict("That claim was closed as a duplicate itself; reload and look again.")


async def refuse_circles(
    context: Context, actor: Actor, case_id: UUID, ask: Json, command: CompleteTask
) -> CompleteTask:
    """A report is joined only to one that is not itself joined to another; the answer goes on unchanged."""
    async with context.transaction() as session:
        for answer in command.outcome["likenesses"]:
            if answer["relation"] == "same_loss":
                await refuse_circle(session, case_id, UUID(answer["other_case_id"]))
    return command


# --- finding ----------------------------------------------------------------------------------------------------------


async def _candidates(session: AsyncSession, case: Case, loss_at: datetime, parties: Sequence[Party]) -> list[Case]:
    """One query for each way to be alike, so that each has its index: policy, claimant, contact."""
    people = {p.person_id for p in parties if p.role == PartyRole.CLAIMANT.value}
    same_person = (col(Party.role) == PartyRole.CLAIMANT.value) & col(Party.person_id).in_(people)
    asked = [
        (col(Case.policy_number) == case.policy_number, DEFAULT.policy_within),
        (_has_party(same_person), DEFAULT.claimant_within),
    ]
    if contacts := _contacts(parties):
        asked.append((_has_party(_reached_by(contacts)), DEFAULT.contact_within))
    found: dict[UUID, Case] = {}
    for condition, within in asked:
        for other in await _alike(session, case, loss_at, condition, within):
            found[other.id] = other
    return list(found.values())


def _has_party(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return col(Case.id).in_(select(Party.case_id).where(condition))


def _contacts(parties: Sequence[Party]) -> set[str]:
    told = [p for p in parties if p.role in WHO_TELLS]
    return {contact for p in told for contact in (p.phone, p.email) if contact}


def _reached_by(contacts: Collection[str]) -> ColumnElement[bool]:
    return or_(col(Party.phone).in_(contacts), col(Party.email).in_(contacts)) & col(Party.role).in_(WHO_TELLS)


async def _alike(
    session: AsyncSession, case: Case, loss_at: datetime, condition: ColumnElement[bool], within: timedelta
) -> Sequence[Case]:
    query = select(Case).where(
        condition,
        Case.id != case.id,
        Case.kind == CLAIM.id,
        Case.status != CaseStatus.DRAFT.value,
        Case.outcome != MERGED,
        col(Case.loss_at).between(loss_at - within, loss_at + within),
    )
    # Of a policy with a thousand losses on one day only the newest reports are compared.
    newest = query.order_by(col(Case.received_at).desc(), col(Case.id)).limit(MOST_COMPARED)
    return (await session.execute(newest)).scalars().all()


# --- comparing --------------------------------------------------------------------------------------------------------


async def _parties(session: AsyncSession, case_ids: Collection[UUID]) -> Sequence[Party]:
    return (await session.execute(select(Party).where(col(Party.case_id).in_(case_ids)))).scalars().all()


async def _losses(session: AsyncSession, context: Context, cases: Sequence[Case]) -> list[LossFacts]:
    """What is compared of these cases; who and where only as fingerprints."""
    ids = [case.id for case in cases]
    parties: dict[UUID, list[Party]] = defaultdict(list)
    for party in await _parties(session, ids):
        parties[party.case_id].append(party)
    coverages: dict[UUID, set[str]] = defaultdict(set)
    claimed = select(Exposure.case_id, Exposure.coverage_code).where(col(Exposure.case_id).in_(ids))
    for case_id, code in await session.execute(claimed):
        coverages[case_id].add(code)
    return [_loss(context, case, parties[case.id], coverages[case.id]) for case in cases]


def _loss(context: Context, case: Case, parties: Sequence[Party], coverages: set[str]) -> LossFacts:
    assert case.loss_at is not None, "drafts are left out"
    place = "".join(case.place.split()).casefold()
    return LossFacts(
        case_id=case.id,
        number=case.number,
        policy_number=case.policy_number,
        line=case.line,
        loss_cause=case.loss_cause,
        loss_at=case.loss_at,
        claimed_amount=case.claimed_amount,
        claimant_people=frozenset(p.person_id for p in parties if p.role == PartyRole.CLAIMANT.value),
        contact_marks=frozenset(context.ring.fingerprint(contact) for contact in _contacts(parties)),
        place_mark=context.ring.fingerprint(f"place:{place}") if place else "",
        coverages=frozenset(coverages),
    )
