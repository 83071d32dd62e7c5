"""Finding a case by what people know of it: a number, a name, a policy, the end of a phone number (ui.md 3, SEC-1).

For the API and the pages:
    search_cases(context, actor, text, limit=20) -> list[Hit(case, by in FOUND_BY, names)]     best first
    number_meant(hits, text) -> the case number when the text is one, as it is written
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, func, literal, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.auth.visibility import visible_cases
from lian.db.crypto import KeyRing
from lian.db.tables import Case, CaseWords, Party
from lian.domain.labels import Label
from lian.domain.parties import PartyRole
from lian.domain.search_words import HAN, OF_REPORTER, Asked, endings_of_phone, mail, read_text, words_of_name
from lian.services.cases import case_outside, veil
from lian.services.context import Context
from lian.services.search_words import email_word, phone_word, readings

MOST_HITS = 20
ENOUGH = 1_000
"""So many cases are sorted; words of more cases are so common that the newest cases soon have twenty of them."""
NUMBER, NAME, POLICY, PHONE, EMAIL = "number", "name", "policy", "phone", "email"
FOUND_BY: dict[str, Label] = {
    NUMBER: Label("Number", "案号"),
    NAME: Label("Name", "姓名"),
    POLICY: Label("Policy", "保单"),
    PHONE: Label("Phone", "电话"),
    EMAIL: Label("E-mail", "邮箱"),
}
"""What of a case may be what was looked for."""
OUTSIDE = frozenset({NUMBER, NAME, POLICY})
"""What people outside may find their cases by; of names only the reporter's."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A case that was found. `by` says what fits, `names` whose name, phone number or address it is."""

    case: Case
    by: str
    names: tuple[str, ...] = ()


Fits = Callable[[Party], bool]


@dataclass(frozen=True, slots=True)
class _Way:
    """One thing a text may mean: the words a case must have, and which of its people must fit."""

    by: str
    words: frozenset[str]
    people: tuple[Fits, ...] = ()


async def search_cases(context: Context, actor: Actor, text: str, limit: int = MOST_HITS) -> list[Hit]:
    """The cases among those the actor may see that fit the text: a whole number first, then names; each newest first.

    People outside look among their own cases only. Raises `Invalid` for the field `q`, `NotAllowed` for customers.
    """
    actor.require_sight()
    asked, limit = read_text(text), min(limit, MOST_HITS)
    ways = tuple(_ways(context.ring, asked, is_outside=actor.is_outside))
    async with context.transaction() as session:
        exact = await _by_number(session, actor, asked)
        hits = [Hit(case, NUMBER) for case in exact] or await _hits(session, actor, ways, limit)
    for hit in hits:  # no session holds them any more
        veil(actor, hit.case)
    return [Hit(case_outside(hit.case), hit.by, hit.names) for hit in hits] if actor.is_outside else hits


def number_meant(hits: Sequence[Hit], text: str) -> str:
    """The number of the one case that the text names in full; empty when it does not."""
    asked = read_text(text)
    return next((hit.case.number for hit in hits if hit.case.number == asked.number), "")


async def _by_number(session: AsyncSession, actor: Actor, asked: Asked) -> Sequence[Case]:
    """The case whose whole number the text is. It needs no words, so that it is found whatever became of them."""
    if not asked.numbers:
        return ()
    return (
        (await session.execute(select(Case).where(Case.number == asked.number, visible_cases(actor)))).scalars().all()
    )


async def _hits(session: AsyncSession, actor: Actor, ways: Sequence[_Way], limit: int) -> list[Hit]:
    """What the ways find, the best of them first; a case is told once, for the first reason."""
    found = await _newest(session, actor, ways, limit) if ways else []
    parties = await _parties(session, {case.id for way, case in found if way.people})
    told: dict[UUID, Hit] = {}
    for way, case in found:
        names = _who(way, parties.get(case.id, ()))
        if case.id not in told and bool(names) is bool(way.people):
            told[case.id] = Hit(case, way.by, names)
    return list(told.values())[:limit]


# --- what a text may mean ---------------------------------------------------------------------------------------------


def _ways(ring: KeyRing, asked: Asked, *, is_outside: bool) -> Iterator[_Way]:
    """Best first. The end of a number is the weakest: at many cases every few digits are the end of some."""
    every = (*_by_words(asked, is_outside=is_outside), *_by_contact(ring, asked), *_by_tail(asked))
    return (way for way in every if not is_outside or way.by in OUTSIDE)


def _by_words(asked: Asked, *, is_outside: bool) -> Iterator[_Way]:
    yield from (_Way(NUMBER, frozenset({word})) for word in asked.numbers[:2])
    if asked.names:
        yield _named(asked.names, is_outside=is_outside)
    if asked.policy:
        yield _Way(POLICY, frozenset({asked.policy}))


def _by_contact(ring: KeyRing, asked: Asked) -> Iterator[_Way]:
    if asked.phone:
        yield _Way(PHONE, frozenset({phone_word(ring, asked.phone)}), (partial(_has_phone, asked.phone),))
    if asked.email:
        yield _Way(EMAIL, frozenset({email_word(ring, asked.email)}), (partial(_has_email, asked.email),))


def _has_phone(ending: str, party: Party) -> bool:
    return ending in endings_of_phone(party.phone)


def _has_email(address: str, party: Party) -> bool:
    return mail(party.email) == address


def _by_tail(asked: Asked) -> Iterator[_Way]:
    yield from (_Way(NUMBER, frozenset({word})) for word in asked.numbers[2:])


def _named(names: tuple[frozenset[str], ...], *, is_outside: bool) -> _Way:
    """Somebody for each of the names; for people outside it is the reporter, whose words are kept apart."""
    mark = OF_REPORTER if is_outside else ""
    words = frozenset(f"{mark}{word}" for name in names for word in name)
    return _Way(NAME, words, tuple(partial(_is_called, name, is_outside) for name in names))


def _is_called(name: frozenset[str], only_reporter: bool, party: Party) -> bool:
    if only_reporter and party.role != PartyRole.REPORTER:
        return False
    is_written = all(word.startswith(HAN) for word in name)
    return name <= words_of_name(party.name, _unread if is_written else readings)


def _unread(_: str) -> tuple[()]:
    """How a name sounds is not worked out where only its characters were typed."""
    return ()


# --- what is found ----------------------------------------------------------------------------------------------------


def _who(way: _Way, parties: Sequence[Party]) -> tuple[str, ...]:
    """The names of those who fit, each once; none unless every condition is somebody's.

    Words of one name may be two people's together, so that somebody must fit each name.
    """
    fitting = [[party.name for party in parties if fits(party)] for fits in way.people]
    return tuple(dict.fromkeys(name for names in fitting for name in names)) if all(fitting) else ()


async def _parties(session: AsyncSession, case_ids: Collection[UUID]) -> dict[UUID, list[Party]]:
    found: dict[UUID, list[Party]] = {}
    if case_ids:
        query = select(Party).where(col(Party.case_id).in_(case_ids)).order_by(col(Party.id))
        for party in (await session.execute(query)).scalars():
            found.setdefault(party.case_id, []).append(party)
    return found


async def _newest(session: AsyncSession, actor: Actor, ways: Sequence[_Way], limit: int) -> list[tuple[_Way, Case]]:
    """The newest cases of each way, by one question for all ways; those of common words by one more for each."""
    rows = (await session.execute(_few(actor, ways, limit))).all()
    found = {n: [case_id for way, _, case_id in rows if way == n] for n in range(1, len(ways) + 1)}
    for n in {way for way, total, _ in rows if total > ENOUGH and not actor.is_outside}:
        found[n] = list((await session.execute(_walk(actor, ways[n - 1].words, limit))).scalars())
    cases = await _cases(session, actor, {case_id for ids in found.values() for case_id in ids})
    return [(way, cases[case_id]) for n, way in enumerate(ways, 1) for case_id in found[n] if case_id in cases]


async def _cases(session: AsyncSession, actor: Actor, ids: Collection[UUID]) -> dict[UUID, Case]:
    if not ids:
        return {}
    query = select(Case).where(col(Case.id).in_(ids), visible_cases(actor))
    return {case.id: case for case in (await session.execute(query)).scalars()}


def _few(actor: Actor, ways: Sequence[_Way], limit: int) -> Any:
    """The newest of a thousand cases for each way, with how many of the thousand there are; of more, just any.

    Of people outside the cases are so few that all of them are sorted, however common a word is. However many ways
    there are, it is the same statement: each is a line of words, which hold no blanks.
    """
    asked = func.unnest(literal([" ".join(sorted(way.words)) for way in ways], ARRAY(Text)))
    line = asked.table_valued("line", with_ordinality="n").render_derived(name="asked")
    words = func.string_to_array(line.c.line, " ", type_=ARRAY(Text))
    most = None if actor.is_outside else ENOUGH + 1
    found = select(CaseWords.case_id).where(col(CaseWords.words).contains(words)).limit(most).lateral("found")
    total = func.count().over(partition_by=line.c.n).label("total")
    counted = select(line.c.n, found.c.case_id, total).join_from(line, found, true()).subquery("counted")
    seen = _when_opened(actor, counted)
    newest = (seen.c.opened_at.desc(), counted.c.case_id.desc())
    place = func.row_number().over(partition_by=counted.c.n, order_by=newest).label("place")
    rows = select(counted.c.n, counted.c.total, counted.c.case_id, place)
    ranked = rows.join_from(counted, seen, true(), isouter=not actor.is_outside).subquery("ranked")
    query: Any = select(ranked.c.n, ranked.c.total, ranked.c.case_id)
    return query.where(ranked.c.place <= limit).order_by(ranked.c.n, ranked.c.place)


def _when_opened(actor: Actor, counted: Any) -> Any:
    """Single look-ups, and only where they count: without `offset(0)` the database may rather read every case once."""
    is_sorted = true() if actor.is_outside else counted.c.total <= ENOUGH
    seen = select(Case.opened_at).where(col(Case.id) == counted.c.case_id, visible_cases(actor), is_sorted)
    return seen.offset(0).lateral("seen")


def _walk(actor: Actor, words: Collection[str], limit: int) -> Any:
    """By the index of the newest cases; `offset(0)` keeps the database from beginning with the words after all."""
    has = select(literal(1)).where(CaseWords.case_id == Case.id, _have(words)).offset(0).lateral()
    seen: Any = select(Case.id).join(has, true()).where(visible_cases(actor))
    return seen.order_by(col(Case.opened_at).desc(), col(Case.id).desc()).limit(limit)


def _have(words: Collection[str]) -> ColumnElement[bool]:
    has: ColumnElement[bool] = col(CaseWords.words).contains(sorted(words))
    return has
