"""Writing, checking and replaying the journal.

`append` is the only way a fact of a case is stored: the entries, the rows they change and what they ask of the outbox
go into the caller's transaction, under the case's chain lock.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import inspect
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col, select

from lian.db.crypto import KeyRing, PersonSeals
from lian.db.events import GENESIS, entry_hash, from_json, owner_of, seal, to_json, unseal
from lian.db.projectors import Context, project
from lian.db.tables import PROJECTIONS, Case, ChainHead, JournalEntry
from lian.db.writing import write
from lian.domain.journal import PROCESS, CaseDrafted, Recorded, personal_fields

Row = TypeVar("Row", bound=SQLModel)
_CHAINS = "locked chains"


class JournalGap(Exception):
    """A process batch does not continue where the journal ends: an earlier batch must be written first."""


class SessionRows:
    """Projection rows of the running transaction; all their changes go to the database in one flush at its end."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._added: dict[tuple[type[SQLModel], tuple[Any, ...]], SQLModel] = {}
        self._complete: dict[tuple[type[SQLModel], UUID], list[Any]] = {}

    async def get(self, model: type[Row], key: Any) -> Row:
        row = self._added.get((model, key if isinstance(key, tuple) else (key,)))
        if row is None:
            with self._session.no_autoflush:
                row = await self._session.get(model, key)
        if not isinstance(row, model):
            raise LookupError(f"{model.__name__} {key} is not projected")
        return row

    async def of_case(self, model: type[Row], case_id: UUID) -> Sequence[Row]:
        if (model, case_id) not in self._complete:
            query = select(model).where(model.case_id == case_id).order_by(*inspect(model).primary_key)  # type: ignore[attr-defined]
            with self._session.no_autoflush:
                stored = list((await self._session.execute(query)).scalars())
            fresh = [row for (kind, _), row in self._added.items() if kind is model and _case_of(row) == case_id]
            self._complete[model, case_id] = stored + fresh
        return self._complete[model, case_id]

    def add(self, row: SQLModel) -> None:
        self._session.add(row)
        self._added[type(row), _key(row)] = row
        complete = self._complete.get((type(row), _case_of(row)))
        if complete is not None:
            complete.append(row)

    async def remove(self, model: type[Row], key: Any) -> None:
        row = await self.get(model, key)
        if self._added.pop((model, _key(row)), None) is not None:
            await self._session.flush()
        await self._session.delete(row)
        complete = self._complete.get((model, _case_of(row)))
        if complete is not None:
            complete.remove(row)


def _case_of(row: SQLModel) -> UUID:
    case_id: UUID = getattr(row, "case_id", None) or row.id  # type: ignore[attr-defined]
    return case_id


@dataclass(frozen=True, slots=True)
class Appended:
    """The chain position of the last event, and those that were not there before."""

    position: int
    fresh: Sequence[Recorded]


async def append(
    session: AsyncSession,
    ring: KeyRing,
    *,
    case_id: UUID,
    recorded: Sequence[Recorded],
    source: str = "desk",
    first_seq: int | None = None,
    now: datetime | None = None,
) -> Appended:
    """Write events to a case's chain and apply them; returns where the last one stands.

    A process gives `first_seq`, the gapless number of its first event: what is already there is passed over, so that a
    repeated batch changes nothing. Raises `JournalGap` when an earlier batch is missing.
    """
    head = await lock_chain(session, case_id)
    fresh = _not_yet_written(head, recorded, first_seq) if source == PROCESS else list(recorded)
    if not fresh:
        return Appended(head.chain_seq, ())
    subject = await _subject(session, case_id, fresh)
    bodies = [to_json(r.event) for r in fresh]
    seals = await _seals(session, ring, fresh, {owner_of(b, subject) for b in bodies} | {subject})
    rows, entries = SessionRows(session), []
    for item, body in zip(fresh, bodies, strict=True):
        entry = _next_entry(head, item, seal(item.event.TYPE, body, seals, subject), source, now or datetime.now(UTC))
        entries.append(entry)
        await project(rows, Context(case_id, entry.chain_seq, entry.at, entry.actor, entry.body), item.event)
    await write(session, entries)
    return Appended(head.chain_seq, fresh)


async def lock_chain(session: AsyncSession, case_id: UUID) -> ChainHead:
    """The case's chain, locked until the transaction ends. Always the first lock, so that writers never deadlock."""
    held = _chains_of(session).get(case_id)
    if held is not None and held in session:
        return held
    query = select(ChainHead).where(ChainHead.case_id == case_id).with_for_update()
    query = query.execution_options(populate_existing=True)
    head = (await session.execute(query)).scalar()
    if head is None:
        first = insert(ChainHead).values(case_id=case_id, chain_seq=0, hash=GENESIS, process_seq=0)
        await session.execute(first.on_conflict_do_nothing())
        head = (await session.execute(query)).scalar_one()
    note_locked(session, head)
    return head


def note_locked(session: AsyncSession, head: ChainHead) -> None:
    """Remember that the running transaction has locked this chain, with another query than `lock_chain`'s."""
    _chains_of(session)[head.case_id] = head


def _chains_of(session: AsyncSession) -> dict[UUID, ChainHead]:
    """The chains that the session's running transaction has locked; those of an earlier one are free again."""
    transaction = session.sync_session.get_transaction()
    known, chains = session.info.get(_CHAINS, (None, {}))
    if known is not transaction:
        chains = {}
        session.info[_CHAINS] = (transaction, chains)
    return cast("dict[UUID, ChainHead]", chains)


async def _seals(session: AsyncSession, ring: KeyRing, recorded: Sequence[Recorded], people: set[UUID]) -> PersonSeals:
    """The keys of these people, made where they are missing; most of what the desk does needs none."""
    if not any(personal_fields(type(r.event)) or isinstance(r.event, CaseDrafted) for r in recorded):
        return PersonSeals(ring, {})
    return await PersonSeals.load(session, ring, people, create=True)


def _not_yet_written(head: ChainHead, recorded: Sequence[Recorded], first_seq: int | None) -> list[Recorded]:
    if first_seq is None or first_seq > head.process_seq + 1:
        raise JournalGap(f"the journal has process event {head.process_seq}, the batch begins at {first_seq}")
    return list(recorded[head.process_seq + 1 - first_seq :])


async def _subject(session: AsyncSession, case_id: UUID, recorded: Sequence[Recorded]) -> UUID:
    first = recorded[0].event
    if isinstance(first, CaseDrafted):
        return first.subject_person_id
    case = await session.get(Case, case_id)
    if case is None:
        raise LookupError(f"case {case_id} has no journal")
    return case.subject_person_id


def _next_entry(head: ChainHead, item: Recorded, body: dict[str, Any], source: str, now: datetime) -> JournalEntry:
    head.chain_seq += 1
    if source == PROCESS:
        head.process_seq += 1
    entry = JournalEntry(
        case_id=head.case_id,
        chain_seq=head.chain_seq,
        type=item.event.TYPE,
        version=item.event.VERSION,
        at=item.at,
        recorded_at=now,
        actor=item.actor,
        source=source,
        source_seq=head.process_seq if source == PROCESS else head.chain_seq,
        body=body,
        prev_hash=head.hash,
        hash="",
    )
    entry.hash = head.hash = entry_hash(entry)
    return entry


async def history(
    session: AsyncSession, ring: KeyRing, case: Case, *, after: int = 0, limit: int = 500
) -> list[JournalEntry]:
    """A case's entries after a chain position, detached and with personal fields readable."""
    query = (
        select(JournalEntry)
        .where(JournalEntry.case_id == case.id, JournalEntry.chain_seq > after)
        .order_by(col(JournalEntry.chain_seq))
        .limit(limit)
    )
    entries = list((await session.execute(query)).scalars())
    people = {owner_of(e.body, case.subject_person_id) for e in entries}
    seals = await PersonSeals.load(session, ring, people)
    return [
        JournalEntry.model_validate(e.model_dump() | {"body": unseal(e.type, e.body, seals, case.subject_person_id)})
        for e in entries
    ]


# --- checking ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing wrong with the journal: which event, and how it shows."""

    case_id: UUID
    chain_seq: int
    what: str


@dataclass(slots=True)
class Report:
    """What a check looked at and found."""

    cases: int = 0
    events: int = 0
    damages: list[Damage] = field(default_factory=list)


async def case_ids(session: AsyncSession) -> AsyncIterator[UUID]:
    """Every case that has a chain or entries, in pages."""
    after = UUID(int=0)
    heads = select(ChainHead.case_id)
    entries = select(JournalEntry.case_id)
    while True:
        union = heads.union(entries).subquery()
        page = (
            await session.execute(
                select(union.c.case_id).where(union.c.case_id > after).order_by(union.c.case_id).limit(500)
            )
        ).scalars()
        ids = list(page)
        for case_id in ids:
            yield case_id
        if len(ids) < 500:
            return
        after = ids[-1]


async def verify(session: AsyncSession) -> Report:
    """Recompute every chain; each damage names the exact event (SEC-3)."""
    report = Report()
    async for case_id in case_ids(session):
        report.cases += 1
        entries = await _entries(session, case_id)
        report.events += len(entries)
        report.damages += _damages(case_id, entries, await session.get(ChainHead, case_id))
        session.expunge_all()
    return report


async def checked_chain(session: AsyncSession, case_id: UUID) -> tuple[list[JournalEntry], list[Damage]]:
    """One case's entries as they are stored, personal fields sealed, and what is wrong with its chain."""
    entries = await _entries(session, case_id)
    return entries, _damages(case_id, entries, await session.get(ChainHead, case_id))


async def _entries(session: AsyncSession, case_id: UUID) -> list[JournalEntry]:
    query = select(JournalEntry).where(JournalEntry.case_id == case_id).order_by(col(JournalEntry.chain_seq))
    return list((await session.execute(query)).scalars())


def _damages(case_id: UUID, entries: Sequence[JournalEntry], head: ChainHead | None) -> list[Damage]:
    found: list[Damage] = []
    previous, expected = GENESIS, 1
    for entry in entries:
        if entry.chain_seq != expected:
            found.append(Damage(case_id, expected, f"missing: the next event present is {entry.chain_seq}"))
        elif entry.prev_hash != previous:
            found.append(Damage(case_id, entry.chain_seq, "does not continue the event before it"))
        elif entry_hash(entry) != entry.hash:
            found.append(Damage(case_id, entry.chain_seq, "was changed after it was written"))
        previous, expected = entry.hash, entry.chain_seq + 1
    if head is None:
        found.append(Damage(case_id, expected - 1, "the chain's head is missing"))
    elif head.chain_seq >= expected:
        found.append(Damage(case_id, expected, f"missing: the chain's tail up to {head.chain_seq} was cut off"))
    elif head.hash != previous:
        found.append(Damage(case_id, head.chain_seq, "does not match the chain's head"))
    return found


# --- rebuilding -------------------------------------------------------------------------------------------------------


class MemoryRows:
    """Projection rows of one case while it is folded from its journal."""

    def __init__(self) -> None:
        self.rows: dict[tuple[type[SQLModel], tuple[Any, ...]], SQLModel] = {}

    async def get(self, model: type[Row], key: Any) -> Row:
        row = self.rows[model, key if isinstance(key, tuple) else (key,)]
        assert isinstance(row, model)
        return row

    async def of_case(self, model: type[Row], case_id: UUID) -> Sequence[Row]:
        return [row for (kind, _), row in self.rows.items() if kind is model and isinstance(row, model)]

    def add(self, row: SQLModel) -> None:
        self.rows[type(row), _key(row)] = row

    async def remove(self, model: type[Row], key: Any) -> None:
        del self.rows[model, key if isinstance(key, tuple) else (key,)]


def _key(row: SQLModel) -> tuple[Any, ...]:
    return tuple(getattr(row, c.name) for c in inspect(type(row)).primary_key)


async def fold(session: AsyncSession, ring: KeyRing, case_id: UUID) -> MemoryRows:
    """A case's rows as its journal says they must be."""
    entries = await _entries(session, case_id)
    subject = UUID(str(entries[0].body["subject_person_id"]))
    seals = await PersonSeals.load(session, ring, {owner_of(e.body, subject) for e in entries} | {subject})
    rows = MemoryRows()
    for e in entries:
        event = from_json(e.type, unseal(e.type, e.body, seals, subject))
        await project(rows, Context(case_id, e.chain_seq, e.at, e.actor, e.body), event)
    return rows


async def compare(session: AsyncSession, ring: KeyRing) -> Report:
    """Fold every case and compare with its stored rows; each difference is one damage."""
    report = Report()
    async for case_id in case_ids(session):
        report.cases += 1
        folded = await fold(session, ring, case_id)
        report.damages += [Damage(case_id, 0, what) for what in await _differences(session, case_id, folded)]
        session.expunge_all()
    return report


async def _differences(session: AsyncSession, case_id: UUID, folded: MemoryRows) -> list[str]:
    found: list[str] = []
    for model in PROJECTIONS:
        stored = {_key(row): row.model_dump() for row in await _stored(session, model, case_id)}
        wanted = {key: row.model_dump() for (kind, key), row in folded.rows.items() if kind is model}
        for key in stored.keys() | wanted.keys():
            found += _row_difference(model, key, stored.get(key), wanted.get(key))
    return found


def _row_difference(model: type[SQLModel], key: tuple[Any, ...], stored: Any, wanted: Any) -> list[str]:
    where = f"{model.__tablename__} {'/'.join(map(str, key))}"
    if stored is None or wanted is None:
        return [f"{where}: {'not stored' if stored is None else 'not in the journal'}"]
    return [f"{where}: {name} differs" for name in wanted if stored[name] != wanted[name]]


async def _stored(session: AsyncSession, model: type[SQLModel], case_id: UUID) -> Sequence[SQLModel]:
    column = Case.id if model is Case else model.case_id  # type: ignore[attr-defined]
    query = select(model).where(column == case_id)
    return list((await session.execute(query, execution_options={"populate_existing": True})).scalars())


async def rebuild(session: AsyncSession, ring: KeyRing, case_id: UUID) -> None:
    """Replace one case's rows by what its journal says."""
    await lock_chain(session, case_id)
    folded = await fold(session, ring, case_id)
    for model in PROJECTIONS:
        for row in await _stored(session, model, case_id):
            await session.delete(row)
    await session.flush()
    session.expunge_all()
    session.add_all(folded.rows.values())
    await session.flush()


__all__ = [
    "Appended",
    "Damage",
    "JournalGap",
    "Report",
    "append",
    "case_ids",
    "checked_chain",
    "compare",
    "fold",
    "history",
    "lock_chain",
    "note_locked",
    "rebuild",
    "verify",
]
