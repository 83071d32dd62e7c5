"""What a policy pack may say: its shape, and what must hold between its fields.

A pack is a list of promises with the law or manual each comes from. What most of its clocks have in common stands once
at the top; a clock's own field wins. Wrong input raises `ValueError`s in our own words; `pack_reading` names the place.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from lian.domain.case_kinds import KINDS
from lian.domain.claims.terms import Line
from lian.domain.errors import DomainError
from lian.domain.labels import Label
from lian.domain.milestones import GRADES, MILESTONES, PAUSE_REASONS
from lian.domain.sla import ClockPolicy, Escalation, Extension, Roll, Rung, Unit

CHECK_WITH_COUNSEL = Label("check with counsel", "请与法律顾问核对")
"""What stands beside every figure whose text was not read itself."""


class BadPack(DomainError):
    """The pack is wrong: no case may be promised anything by it. The message names clock and field."""

    code = "bad_pack"


class Purpose(StrEnum):
    """What a figure is for. Only a `promise` is put into a case's plan."""

    PROMISE = "promise"
    """We must do it in time."""
    LIMIT = "limit"
    """A right that lapses, or a time limit of somebody else: to be known, never a promise of ours."""
    NOTICE = "notice"
    """To be done at least so long before its milestone."""
    RETENTION = "retention"
    """To be kept at least so long: only afterwards may disposal be proposed."""


PURPOSES: dict[Purpose, Label] = {
    Purpose.PROMISE: Label("Promise", "时效承诺"),
    Purpose.LIMIT: Label("Limit of a right", "权利期限"),
    Purpose.NOTICE: Label("Advance notice", "提前告知"),
    Purpose.RETENTION: Label("Retention", "保管期限"),
}

CASE_KINDS = frozenset({*KINDS, "complaint", "underwriting", "servicing", "policy", "office", "records"})
"""What a clock may be for: kinds of case, and `policy`, `office` and `records`, whose work is no case."""
LINES = frozenset({*Line, "life", "ctpl", "agri", "motor_third_party", "surplus_lines", "payments", "collective"})
"""Lines of business a clock may be limited to; `ctpl` is compulsory motor, `agri` agricultural insurance."""

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
ClockId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,59}\.[a-z][a-z0-9_]{0,59}$")]
Place = Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}(-[A-Z0-9]{2,3})?)?$")]
"""A country, or a part of one: `CN`, `US-CA`; empty means anywhere."""
CalendarName = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9_:/+-]{0,59})?$")]
Words = Annotated[str, StringConstraints(max_length=2000)]
Said = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Address = Annotated[str, StringConstraints(pattern=r"^(https://[^\s]{4,500})?$")]
Amount = Annotated[int, Field(ge=1, le=3660)]
Confidence = Literal["verified", "secondary"]


class Shape(BaseModel):
    """Unknown keys are refused, and nothing is converted: `5` is no text and `"5"` no number."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Both(Shape):
    """Words in both languages."""

    en: Said
    zh: Said

    @property
    def label(self) -> Label:
        """The same for the domain."""
        return Label(self.en, self.zh)


class RungText(Shape):
    """One step of a ladder of alerts."""

    percent: Annotated[int, Field(ge=1, le=100)]
    actions: Annotated[tuple[Escalation, ...], Field(min_length=1)]
    days_after: Annotated[int, Field(ge=0, le=366)] = 0

    @model_validator(mode="after")
    def _is_a_rung(self) -> RungText:
        if self.days_after and self.percent < 100:
            raise ValueError("days_after counts from the deadline: it needs percent: 100.")
        return self

    def rung(self) -> Rung:
        """The same for the domain."""
        return Rung(self.percent, self.actions, self.days_after)


class ExtensionText(Shape):
    """A longer time the rules allow: `amount` more of the clock's unit."""

    amount: Amount
    permission: Annotated[str, StringConstraints(pattern=r"^[a-z]+:[a-z_]+$")] = "clock:extend"
    source: Said


class ClockText(Shape):
    """One figure of a pack. None means: as the pack says at its top."""

    id: ClockId
    label: Both
    amount: Amount
    unit: Unit
    starts_on: Word
    stops_on: Annotated[tuple[Word, ...], Field(min_length=1)]
    source: Said
    purpose: Purpose = Purpose.PROMISE
    cancels_on: tuple[Word, ...] = ()
    restarts_on: tuple[Word, ...] = ()
    grade: Annotated[str, StringConstraints(pattern=r"^([a-z][a-z0-9_]{0,59})?$")] = ""
    recurring: bool = False
    pausable: bool = False
    pause_reasons: tuple[Word, ...] = ()
    extensions: tuple[ExtensionText, ...] = ()
    roll: Roll | None = None
    calendar: CalendarName | None = None
    statutory: bool | None = None
    rungs: tuple[RungText, ...] | None = None
    kinds: tuple[Word, ...] | None = None
    lines: tuple[Word, ...] = ()
    """Only for these lines; none means all."""
    except_lines: tuple[Word, ...] = ()
    jurisdictions: tuple[Place, ...] = ()
    """Only for cases of these; none means all of the pack's."""
    url: Address | None = None
    no_url: Words | None = None
    """Why there is no address, or why it leads to no more than the site."""
    verified_on: date | None = None
    confidence: Confidence | None = None
    note: Words = ""

    @model_validator(mode="after")
    def _holds_together(self) -> ClockText:
        _known("a milestone", MILESTONES, (self.starts_on, *self.stops_on, *self.cancels_on, *self.restarts_on))
        _known("a grade", GRADES, (self.grade,) if self.grade else ())
        _known("a reason to pause", PAUSE_REASONS, self.pause_reasons)
        _known("a line of business", LINES, (*self.lines, *self.except_lines))
        _known("a kind of case", CASE_KINDS, self.kinds or ())
        if self.pausable != bool(self.pause_reasons):
            raise ValueError("A clock is pausable exactly when pause_reasons names what pauses it.")
        if self.starts_on in self.stops_on and not self.recurring:
            raise ValueError(f"It would stop where it starts, at {self.starts_on}.")
        return self


class Pack(Shape):
    """One version of a policy pack. `effective_from` and `effective_to` are days of receipt, both inclusive.

    `calendar_in` replaces the pack's calendar for cases of a jurisdiction, such as a part of the country.
    """

    id: Name
    number: Annotated[int, Field(ge=1, le=9999, alias="version")]
    title: Both
    jurisdiction: Place = ""
    kinds: Annotated[tuple[Word, ...], Field(min_length=1)]
    effective_from: date
    effective_to: date | None = None
    note: Words = ""
    calendar: CalendarName = ""
    calendar_in: dict[Place, CalendarName] = Field(default_factory=dict)
    roll: Roll = Roll.NONE
    statutory: bool = False
    rungs: tuple[RungText, ...] = ()
    url: Address = ""
    no_url: Words = ""
    verified_on: date | None = None
    confidence: Confidence = "verified"
    clocks: Annotated[tuple[ClockText, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _holds_together(self) -> Pack:
        _known("a kind of case", CASE_KINDS, self.kinds)
        if self.effective_to and self.effective_to < self.effective_from:
            raise ValueError("It would end before it takes effect.")
        ids = [clock.id for clock in self.clocks]
        if twice := sorted({id_ for id_ in ids if ids.count(id_) > 1}):
            raise ValueError(f"Two clocks have the id {twice[0]}.")
        for clock in self.clocks:
            self._check_evidence(clock)
        return self

    def _check_evidence(self, clock: ClockText) -> None:
        """Every figure says where it was read, when, and how sure that is."""
        if not (clock.verified_on or self.verified_on):
            raise ValueError(f"Clock {clock.id}, field verified_on: say when the figure was last looked at.")
        if not (clock.url or self.url or clock.no_url or self.no_url):
            raise ValueError(f"Clock {clock.id}, field url: give an address, or say in no_url why there is none.")
        if self.confidence_of(clock) == "secondary" and not clock.note:
            raise ValueError(f"Clock {clock.id}, field note: say why counsel should check this figure.")

    @property
    def version(self) -> str:
        """Its name and number, such as `house-standard/1`: what a case's plan quotes."""
        return f"{self.id}/{self.number}"

    @property
    def calendars(self) -> frozenset[str]:
        """Every calendar it names, also for a jurisdiction."""
        named = (self.calendar_of(clock, place) for clock in self.clocks for place in ("", *self.calendar_in))
        return frozenset(name for name in named if name)

    def calendar_of(self, clock: ClockText, jurisdiction: str = "") -> str:
        """The calendar a clock counts in for a case of a jurisdiction; empty means the office's."""
        if clock.calendar is not None:
            return clock.calendar
        return self.calendar_in.get(jurisdiction, self.calendar)

    def kinds_of(self, clock: ClockText) -> tuple[str, ...]:
        """The kinds of case a clock is for."""
        return clock.kinds if clock.kinds is not None else self.kinds

    def confidence_of(self, clock: ClockText) -> str:
        """`verified` when the text of the rule itself was read, otherwise `secondary`."""
        return clock.confidence or self.confidence

    def url_of(self, clock: ClockText) -> str:
        """Where the figure can be read; empty when `why_no_url` says why."""
        return clock.url if clock.url is not None else "" if clock.no_url else self.url

    def why_no_url(self, clock: ClockText) -> str:
        """Why there is no address, or why it leads only to the site."""
        return clock.no_url or ("" if clock.url else self.no_url)

    def verified_on_of(self, clock: ClockText) -> date:
        """When somebody last looked the figure up."""
        found = clock.verified_on or self.verified_on
        assert found is not None
        return found

    def is_in_force(self, on: date) -> bool:
        """Whether a case received on that day may be promised its figures."""
        return self.effective_from <= on and (self.effective_to is None or on <= self.effective_to)

    def selected(self, *, kind: str, jurisdiction: str, line: str) -> tuple[ClockText, ...]:
        """The figures, of whatever purpose, for cases like this."""
        return tuple(c for c in self.clocks if kind in self.kinds_of(c) and _applies(c, jurisdiction, line))

    def policy(self, clock: ClockText, jurisdiction: str = "") -> ClockPolicy:
        """The promise as a case's plan holds it."""
        rungs = self.rungs if clock.rungs is None else clock.rungs
        return ClockPolicy(
            id=clock.id,
            label=clock.label.label,
            amount=clock.amount,
            unit=clock.unit,
            pausable=clock.pausable,
            statutory=self.statutory if clock.statutory is None else clock.statutory,
            source=clock.source,
            calendar=self.calendar_of(clock, jurisdiction),
            roll=clock.roll or self.roll,
            starts_on=clock.starts_on,
            stops_on=clock.stops_on,
            cancels_on=clock.cancels_on,
            restarts_on=clock.restarts_on,
            grade=clock.grade,
            recurring=clock.recurring,
            pause_reasons=clock.pause_reasons,
            extensions=tuple(Extension(e.amount, e.permission, e.source) for e in clock.extensions),
            rungs=tuple(rung.rung() for rung in rungs),
            url=self.url_of(clock),
            verified_on=self.verified_on_of(clock).isoformat(),
            confidence=self.confidence_of(clock),
        )


def _applies(clock: ClockText, jurisdiction: str, line: str) -> bool:
    in_line = (not clock.lines or line in clock.lines) and line not in clock.except_lines
    return in_line and (not clock.jurisdictions or any(is_within(jurisdiction, place) for place in clock.jurisdictions))


def is_within(jurisdiction: str, place: str) -> bool:
    """Whether a case of this jurisdiction belongs to a place: `UK-SCT` to `UK`, and every one to the empty place."""
    return not place or jurisdiction == place or jurisdiction.startswith(f"{place}-")


def _known(what: str, vocabulary: Iterable[str], used: Iterable[str]) -> None:
    if strange := sorted(set(used) - set(vocabulary)):
        raise ValueError(f"`{strange[0]}` is not {what} we know.")
