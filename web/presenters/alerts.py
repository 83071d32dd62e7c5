"""What calls: one's own alerts on the desk, and for operations cases that stand still (CLM-12)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from lian.domain.case_kinds import kind_of
from lian.services.alerts import AlertSeen, was_seen_late
from lian.services.watchdog import StuckCase
from web.presenters.cases import title_of
from web.presenters.clocks import Chip, chip_of, title_of_clock
from web.reader import Reader

AT_FIRST = 5


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One promise; `notes` say how much of its time is used, and when we saw it, where that was late."""

    number: str
    title: str
    promise: str
    chip: Chip
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlertsView:
    """A few in sight, the others behind one click."""

    first: tuple[AlertRow, ...]
    more: tuple[AlertRow, ...]
    count: int


@dataclass(frozen=True, slots=True)
class StuckRow:
    """A case that waits for nothing and nobody."""

    number: str
    stage: str
    since: str


def present_alerts(found: Sequence[AlertSeen], reader: Reader, now: datetime) -> AlertsView:
    """The alerts as they came."""
    rows = tuple(_row(seen, reader, now) for seen in found)
    return AlertsView(rows[:AT_FIRST], rows[AT_FIRST:], len(rows))


def _row(seen: AlertSeen, reader: Reader, now: datetime) -> AlertRow:
    return AlertRow(
        number=seen.case.number,
        title=title_of(seen.case, reader),
        promise=title_of_clock(seen.clock, reader),
        chip=chip_of(seen.clock, reader, now),
        notes=tuple(_notes(seen, reader)),
    )


def _notes(seen: AlertSeen, reader: Reader) -> Iterator[str]:
    alert = seen.alert
    if alert.rung.endswith("%"):
        yield reader.say("{share} of its time used", share=alert.rung)
    if was_seen_late(alert):
        yield reader.say("noticed {when}", when=reader.moment(alert.seen_at))


def present_stuck(found: Sequence[StuckCase], reader: Reader) -> tuple[StuckRow, ...]:
    """The longest still first."""
    return tuple(
        StuckRow(
            number=one.case.number,
            stage=reader.label(kind_of(one.case.kind).stage(one.case.stage).label),
            since=reader.full_moment(one.idle_since),
        )
        for one in found
    )
