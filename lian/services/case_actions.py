"""What people do to a case's file: links, tags, people (CLM-1, CLM-3, CLM-15). Called by `services/actions.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.tables import Case, CaseLink, CaseTag, Party, Person
from lian.domain import journal as j
from lian.domain.claims.case_actions import (
    ADD_PARTY,
    CORRECT_PARTY,
    LINK_CASE,
    TAG_CATASTROPHE,
    UNTAG_CATASTROPHE,
    AddParty,
    CorrectParty,
    LinkCase,
    TagCatastrophe,
)
from lian.domain.errors import Conflict, Invalid, NotFound
from lian.domain.labels import Label
from lian.domain.parties import ROLE_LABELS, PartyRole
from lian.domain.tasks import Json
from lian.services.cases import find_case
from lian.services.catastrophes import CATASTROPHE, every_catastrophe
from lian.services.choices import Option, option
from lian.services.context import Context

FROM_A_REPORT = "fnol:"
"""`external_ref` of people we know only from a report; the others' details are the policy system's to keep."""


def _offer(name: str, options: Iterable[Option]) -> Json:
    return {"options": {name: list(options)}}


# --- links ------------------------------------------------------------------------------------------------------------


async def link_case(
    _: Context, session: AsyncSession, actor: Actor, case: Case, outcome: LinkCase
) -> Sequence[j.Event]:
    """Raises `NotFound` for a case the actor cannot see, `Invalid` for the case itself, `Conflict` for a known link."""
    other = await _find_other(session, actor, outcome.other_number.strip().upper())
    if other.id == case.id:
        raise Invalid("A case cannot be linked to itself.", field="other_number")
    here = (col(CaseLink.case_id) == case.id) & (col(CaseLink.other_case_id) == other.id)
    there = (col(CaseLink.case_id) == other.id) & (col(CaseLink.other_case_id) == case.id)
    known = select(CaseLink).where(or_(here, there), CaseLink.relation == outcome.relation)
    if (await session.execute(known)).first():
        raise Conflict("These cases are linked like this already.")
    return [j.CaseLinked(other_case_id=other.id, other_number=other.number, relation=outcome.relation)]


async def _find_other(session: AsyncSession, actor: Actor, number: str) -> Case:
    """The case that was named; of an unknown one the form says so where its number was typed."""
    try:
        return await find_case(session, actor, number)
    except NotFound as unknown:
        raise NotFound(unknown.message, field="other_number") from None


# --- catastrophes -----------------------------------------------------------------------------------------------------


async def _codes(session: AsyncSession, case: Case) -> set[str]:
    query = select(CaseTag.code).where(CaseTag.case_id == case.id, CaseTag.tag == CATASTROPHE)
    return set((await session.execute(query)).scalars())


async def ask_tag(_: Context, session: AsyncSession, case: Case) -> Json:
    """Every catastrophe the case does not carry yet."""
    carried, all_ = await _codes(session, case), await every_catastrophe(session)
    return _offer("code", [option(c.code, Label(c.name_en, c.name_zh)) for c in all_ if c.code not in carried])


async def ask_untag(_: Context, session: AsyncSession, case: Case) -> Json:
    """Every catastrophe the case carries."""
    carried, all_ = await _codes(session, case), await every_catastrophe(session)
    return _offer("code", [option(c.code, Label(c.name_en, c.name_zh)) for c in all_ if c.code in carried])


async def tag_catastrophe(
    _: Context, session: AsyncSession, __: Actor, case: Case, outcome: TagCatastrophe
) -> Sequence[j.Event]:
    """Raises `Conflict` when somebody was quicker."""
    if outcome.code in await _codes(session, case):
        raise Conflict("The case is counted with this catastrophe already.")
    return [j.CaseTagged(tag=CATASTROPHE, code=outcome.code)]


async def untag_catastrophe(
    _: Context, session: AsyncSession, __: Actor, case: Case, outcome: TagCatastrophe
) -> Sequence[j.Event]:
    """Raises `Conflict` when somebody was quicker."""
    if outcome.code not in await _codes(session, case):
        raise Conflict("The case is not counted with this catastrophe.")
    return [j.CaseUntagged(tag=CATASTROPHE, code=outcome.code)]


# --- people -----------------------------------------------------------------------------------------------------------


async def _parties(session: AsyncSession, case: Case) -> Sequence[Party]:
    return (
        (await session.execute(select(Party).where(Party.case_id == case.id).order_by(col(Party.id)))).scalars().all()
    )


def _people(parties: Iterable[Party]) -> list[Option]:
    """One choice for each person, by the first of their parties, with every role they have."""
    roles: dict[UUID, list[Party]] = {}
    for party in parties:
        roles.setdefault(party.person_id, []).append(party)
    return [_person(theirs) for theirs in roles.values()]


def _person(parties: list[Party]) -> Option:
    labels = [ROLE_LABELS[PartyRole(p.role)] for p in parties]
    en = ", ".join(dict.fromkeys(label.en for label in labels))
    zh = "、".join(dict.fromkeys(label.zh for label in labels))
    name = parties[0].name
    return option(str(parties[0].id), Label(f"{name} ({en})", f"{name}（{zh}）"))


async def ask_correction(_: Context, session: AsyncSession, case: Case) -> Json:
    """Everybody in the case; their details are not repeated here."""
    return _offer("party", _people(await _parties(session, case)))


async def ask_addition(_: Context, session: AsyncSession, case: Case) -> Json:
    """For whom somebody may act."""
    represented = {PartyRole.CLAIMANT, PartyRole.INSURED, PartyRole.POLICYHOLDER, PartyRole.BENEFICIARY}
    return _offer("represents", _people(p for p in await _parties(session, case) if p.role in represented))


async def correct_party(
    _: Context, session: AsyncSession, __: Actor, case: Case, outcome: CorrectParty
) -> Sequence[j.Event]:
    """The same person is put right in every role. Raises `Invalid` when nothing would change."""
    parties = await _parties(session, case)
    (person_id,) = {p.person_id for p in parties if str(p.id) == outcome.party}
    right = {"name": outcome.name, "phone": outcome.phone, "email": outcome.email}
    events: list[j.Event] = [
        _corrected(party, name, value.strip(), outcome.reason.strip())
        for party in parties
        if party.person_id == person_id
        for name, value in right.items()
        if value.strip() and value.strip() != getattr(party, name)
    ]
    if not events:
        raise Invalid("This is what is on record already.", field="name")
    await _correct_register(session, person_id, right)
    return events


def _corrected(party: Party, name: str, after: str, reason: str) -> j.CaseCorrected:
    return j.CaseCorrected(
        subject="party",
        name=name,
        party_id=party.id,
        person_id=party.person_id,
        before=getattr(party, name),
        after=after,
        reason=reason,
    )


async def _correct_register(session: AsyncSession, person_id: UUID, right: dict[str, str]) -> None:
    person = await session.get(Person, person_id)
    if person is not None and person.external_ref.startswith(FROM_A_REPORT):
        for name, value in right.items():
            if value.strip():
                setattr(person, name, value.strip())


async def add_party(
    context: Context, session: AsyncSession, _: Actor, case: Case, outcome: AddParty
) -> Sequence[j.Event]:
    """Whoever takes part already keeps their id. Raises `Conflict` for the same person in the same role."""
    name, phone, email = outcome.name.strip(), outcome.phone.strip(), outcome.email.strip()
    represents = UUID(outcome.represents) if outcome.represents else None
    parties = await _parties(session, case)
    same = [p for p in parties if (p.name, p.phone, p.email) == (name, phone, email)]
    if any(p.role == outcome.role and p.represents == represents for p in same):
        raise Conflict("This person takes part in this role already.")
    person_id = same[0].person_id if same else uuid4()
    if not same:
        known = {"name": name, "phone": phone, "email": email}
        session.add(Person(id=person_id, external_ref=f"{FROM_A_REPORT}{person_id}", created_at=context.now(), **known))
        await session.flush()
    return [
        j.PartyAdded(
            party_id=uuid4(),
            person_id=person_id,
            role=outcome.role,
            represents=represents,
            name=name,
            phone=phone,
            email=email,
        )
    ]


ASKS: dict[str, Callable[[Context, AsyncSession, Case], Awaitable[Json]]] = {
    TAG_CATASTROPHE.id: ask_tag,
    UNTAG_CATASTROPHE.id: ask_untag,
    CORRECT_PARTY.id: ask_correction,
    ADD_PARTY.id: ask_addition,
}
"""What the forms of these actions offer."""
DESK: dict[str, Callable[[Context, AsyncSession, Actor, Case, Any], Awaitable[Sequence[j.Event]]]] = {
    LINK_CASE.id: link_case,
    TAG_CATASTROPHE.id: tag_catastrophe,
    UNTAG_CATASTROPHE.id: untag_catastrophe,
    CORRECT_PARTY.id: correct_party,
    ADD_PARTY.id: add_party,
}
"""How each is done."""
