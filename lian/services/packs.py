"""Policy packs: which are in force, which a case is promised, and how a new version is published.

Shipped versions are files of `tables/packs`; published ones stand beside them in the database and are only ever added.
A version counts for cases received from its effective date on; a case pins what it was promised (its `CasePlan`), so
that no later version moves it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from sqlmodel import select as rows_of

from lian.auth.actor import Actor
from lian.db.tables import PackVersion
from lian.domain.calendars import WorkingCalendar, plain_calendar
from lian.domain.case_kind import CaseKind
from lian.domain.errors import Conflict, DomainError, Invalid
from lian.domain.moments import is_within_reach
from lian.domain.plan import CasePlan
from lian.domain.sla import ClockPolicy
from lian.services.calendar_revisions import calendars_in_force
from lian.services.calendars import window
from lian.services.context import Context
from lian.services.pack_reading import read_pack
from lian.services.pack_schema import BadPack, Pack, Purpose, is_within
from lian.services.pack_table import select, shipped_table

__all__ = [
    "BadPack",
    "Pack",
    "PackDamaged",
    "check_calendars",
    "every_version",
    "packs_in_force",
    "plan_for",
    "plan_from",
    "publish",
    "read_pack",
    "select",
    "selected_packs",
    "shipped",
]

TABLES = Path(__file__).parent / "tables" / "packs"
PLAIN = "plain:"
"""An office calendar of plain weekdays in a zone, such as `plain:Asia/Shanghai`."""
LONGEST_REASON = 1_000


class PackDamaged(DomainError):
    """A published version is not what its hash says, or can no longer be read: nothing is promised by it."""

    code = "pack_damaged"
    status = 500


# --- what there is ----------------------------------------------------------------------------------------------------


@cache
def shipped() -> tuple[Pack, ...]:
    """Every pack version the product ships, by name. Raises `BadPack` for a file that is wrong."""
    return tuple(_read_file(path) for path in sorted(TABLES.glob("*.yaml")))


def _read_file(path: Path) -> Pack:
    try:
        pack = read_pack(path.read_text(encoding="utf-8"))
    except BadPack as wrong:
        raise BadPack(f"{path.name}: {wrong.message}") from wrong
    if path.name != f"{pack.id}.v{pack.number}.yaml":
        raise BadPack(f"{path.name}: it holds {pack.version}.")
    return pack


async def packs_in_force(session: AsyncSession, on: date) -> dict[str, Pack]:
    """For each pack the version for cases received on that day: of those in force the one that took effect last."""
    return in_force(await every_version(session), on)


def in_force(packs: Iterable[Pack], on: date) -> dict[str, Pack]:
    """The same, of given versions."""
    candidates = [pack for pack in packs if pack.is_in_force(on)]
    return {pack.id: pack for pack in sorted(candidates, key=lambda pack: (pack.id, pack.effective_from, pack.number))}


async def every_version(session: AsyncSession) -> tuple[Pack, ...]:
    """Shipped and published versions. Raises `PackDamaged` for one that was changed past the program."""
    found = (await session.execute(rows_of(PackVersion).order_by(col(PackVersion.version)))).scalars()
    return (*shipped(), *(_opened(row) for row in found))


def _opened(row: PackVersion) -> Pack:
    """A published version; the date on which it was published to take effect counts."""
    if _hash(row.body) != row.sha256:
        raise PackDamaged(f"The pack {row.pack}/{row.version} was changed past the program: its hash does not fit.")
    try:
        pack = read_pack(row.body)
    except BadPack as wrong:
        raise PackDamaged(f"The pack {row.pack}/{row.version} can no longer be read: {wrong.message}") from wrong
    return pack.model_copy(update={"effective_from": row.effective_from})


def _hash(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


# --- what a case is promised ------------------------------------------------------------------------------------------


def selected_packs(
    packs: Mapping[str, Pack], *, kind: str, jurisdiction: str, line: str, small: bool = False, group: bool = False
) -> list[Pack]:
    """The packs for a case: those the decision table says, then those it does not know, by their own jurisdiction."""
    chosen = select(kind, jurisdiction, line, small=small, group=group)
    known = shipped_table().packs
    own = [id_ for id_, pack in packs.items() if id_ not in known and is_within(jurisdiction, pack.jurisdiction)]
    return [packs[id_] for id_ in (*chosen, *own) if id_ in packs]


async def plan_for(
    session: AsyncSession,
    *,
    kind: CaseKind,
    jurisdiction: str,
    line: str,
    on: date,
    office_calendar: str,
    received_at: datetime,
    small: bool = False,
    group: bool = False,
) -> CasePlan:
    """What a case is promised by the packs in force `on` the local date of its receipt; to be frozen into the case.

    `office_calendar` names the calendar of clocks that name none. Calendars begin the year before the receipt. Raises
    `Invalid` for an office calendar there is not, `BadPack` where packs contradict each other or name no calendar.
    """
    in_force_now = await packs_in_force(session, on)
    return plan_from(
        kind,
        selected_packs(in_force_now, kind=kind.id, jurisdiction=jurisdiction, line=line, small=small, group=group),
        jurisdiction=jurisdiction,
        line=line,
        calendars=await calendars_in_force(session),
        office_calendar=office_calendar,
        from_year=received_at.year - 1,
    )


def plan_from(
    kind: CaseKind,
    packs: Sequence[Pack],
    *,
    jurisdiction: str,
    line: str,
    calendars: Mapping[str, WorkingCalendar],
    office_calendar: str,
    from_year: int,
) -> CasePlan:
    """The union of these packs' promises for a kind of case; what none of them speaks of the kind itself promises."""
    clocks: dict[str, ClockPolicy] = {}
    versions: list[str] = []
    for pack in packs:
        promised = _promises(pack, kind.id, jurisdiction, line)
        _refuse_double(pack, clocks.keys() & promised.keys())
        clocks |= promised
        versions += [pack.version] if promised else []
    own = {policy.id: policy for policy in kind.clocks if policy.id not in clocks}
    versions += [kind.pack] if own and kind.pack not in versions else []
    return CasePlan(
        pack="+".join(versions),
        calendar=window(office_calendar_of(office_calendar, calendars), from_year),
        clocks=clocks | own,
        calendars={name: window(_named(name, calendars), from_year) for name in _names(clocks.values())},
    )


def _promises(pack: Pack, kind: str, jurisdiction: str, line: str) -> dict[str, ClockPolicy]:
    found = pack.selected(kind=kind, jurisdiction=jurisdiction, line=line)
    return {clock.id: pack.policy(clock, jurisdiction) for clock in found if clock.purpose is Purpose.PROMISE}


def _refuse_double(pack: Pack, double: Collection[str]) -> None:
    if double:
        raise BadPack(f"{pack.version}: another pack has a clock {min(double)} already.")


def _names(clocks: Iterable[ClockPolicy]) -> list[str]:
    return sorted({clock.calendar for clock in clocks if clock.calendar})


def _named(name: str, calendars: Mapping[str, WorkingCalendar]) -> WorkingCalendar:
    if name not in calendars:
        raise BadPack(f"A pack names the calendar {name}, which there is not.")
    return calendars[name]


def office_calendar_of(name: str, calendars: Mapping[str, WorkingCalendar]) -> WorkingCalendar:
    """The calendar that the settings name as the office's. Raises `Invalid` where there is none of this name."""
    if name.startswith(PLAIN):
        return plain_calendar(name.removeprefix(PLAIN))
    if name not in calendars:
        raise Invalid(f"There is no calendar {name} for the office.", field="office_calendar")
    return calendars[name]


# --- a new version ----------------------------------------------------------------------------------------------------


async def publish(context: Context, actor: Actor, draft: str, *, effective_from: date, reason: str) -> str:
    """Publish a draft for cases received from a date on, and return its version, such as `house-standard/2`.

    `effective_from` counts, whatever the draft says of it. Running cases keep what they were promised. Needs
    `pack:write`; raises `BadPack` for a draft that is wrong or names a calendar there is not, `Invalid` for a date in
    the past or no reason, `Conflict` for a number that does not follow.
    """
    actor.require("pack:write")
    pack = read_pack(draft)
    why, now = _reason(reason), context.now()
    _check_date(pack, effective_from, today=now.astimezone(context.settings.zone).date())
    async with context.transaction() as session:
        # One at a time, so that the numbers follow each other.
        await session.execute(rows_of(func.pg_advisory_xact_lock(func.hashtext("packs"))))
        check_calendars(pack, await calendars_in_force(session))
        versions = await every_version(session)
        _check_number(pack, [other for other in versions if other.id == pack.id], effective_from)
        _check_clocks(pack, in_force(versions, effective_from).values())
        session.add(_row(pack, draft, effective_from, reason=why, by=actor.id, at=now))
    return pack.version


def check_calendars(pack: Pack, known: Collection[str]) -> None:
    """Raise `BadPack` for a calendar that is not among these."""
    if strange := sorted(pack.calendars - set(known)):
        raise BadPack(f"{pack.version}: there is no calendar {strange[0]}.")


def _reason(given: str) -> str:
    why = given.strip()
    if not why:
        raise Invalid("Say why the pack is published.", field="reason")
    if len(why) > LONGEST_REASON:
        raise Invalid(f"The reason is longer than {LONGEST_REASON} characters.", field="reason")
    return why


def _check_date(pack: Pack, effective_from: date, *, today: date) -> None:
    if effective_from < today:
        raise Invalid("A pack cannot take effect in the past.", field="effective_from")
    if not is_within_reach(effective_from):
        raise Invalid("This day is too far away.", field="effective_from")
    if pack.effective_to and pack.effective_to < effective_from:
        raise Invalid("The pack would end before it takes effect.", field="effective_from")


def _check_number(pack: Pack, versions: Sequence[Pack], effective_from: date) -> None:
    """Numbers follow each other without a gap, and so do the days from which they count."""
    latest = max((other.number for other in versions), default=0)
    if pack.number != latest + 1:
        raise Conflict(f"The next version of {pack.id} is {latest + 1}, not {pack.number}.")
    after = max((other.effective_from for other in versions), default=effective_from)
    if effective_from < after:
        raise Invalid(
            f"The version before takes effect on {after}; this one cannot be earlier.", field="effective_from"
        )


def _check_clocks(pack: Pack, others: Iterable[Pack]) -> None:
    """A clock's id belongs to one pack."""
    mine = {clock.id for clock in pack.clocks}
    for other in others:
        if other.id != pack.id and (double := mine & {clock.id for clock in other.clocks}):
            raise BadPack(f"{pack.version}: {other.version} has a clock {min(double)} already.")


def _row(pack: Pack, draft: str, effective_from: date, *, reason: str, by: str, at: datetime) -> PackVersion:
    return PackVersion(
        pack=pack.id,
        version=pack.number,
        effective_from=effective_from,
        body=draft,
        sha256=_hash(draft),
        reason=reason,
        by=by,
        at=at,
    )
