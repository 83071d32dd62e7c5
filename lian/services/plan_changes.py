"""A case's frozen plan with other policies or calendars put into it: what a preview counts with and an order carries.

Both use the same function, so that what is applied to a case is what was shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lian.domain.calendars import WorkingCalendar
from lian.domain.plan import CasePlan
from lian.domain.sla import ClockPolicy
from lian.services.calendars import window
from lian.services.pack_schema import Pack, Purpose

BETWEEN_PACKS = "+"


@dataclass(frozen=True, kw_only=True)
class PlanChange:
    """What replaces what: policies of the same clock id, calendars of the same name; everything else stays frozen.

    A calendar that only a new policy names is taken from `in_force`; one the plan has already stays as it was frozen.
    """

    pack: Pack | None = None
    jurisdiction: str = ""
    calendars: Mapping[str, WorkingCalendar] = field(default_factory=dict)
    in_force: Mapping[str, WorkingCalendar] = field(default_factory=dict)

    def policies_for(self, kind: str, line: str) -> dict[str, ClockPolicy]:
        """What the pack promises cases like this, by clock id."""
        if self.pack is None:
            return {}
        found = self.pack.selected(kind=kind, jurisdiction=self.jurisdiction, line=line)
        return {c.id: self.pack.policy(c, self.jurisdiction) for c in found if c.purpose is Purpose.PROMISE}


def changed_plan(plan: CasePlan, change: PlanChange, *, kind: str, line: str) -> CasePlan:
    """The plan after the change; equal to the plan where the change does not concern it.

    A promise that the plan does not have is not added, and one that the pack no longer has is not taken back.
    """
    promised = change.policies_for(kind, line)
    clocks = {id_: promised.get(id_, policy) for id_, policy in plan.clocks.items()}
    calendars = {name: _replaced(calendar, change) for name, calendar in plan.calendars.items()}
    for policy in clocks.values():
        if policy.calendar and policy.calendar not in calendars and policy.calendar in change.in_force:
            calendars[policy.calendar] = _as_long_as(plan.calendar, change.in_force[policy.calendar])
    return replace(
        plan,
        pack=_pack_named(plan.pack, change.pack) if change.pack and clocks != plan.clocks else plan.pack,
        calendar=_replaced(plan.calendar, change),
        clocks=clocks,
        calendars=calendars,
    )


def _replaced(frozen: WorkingCalendar, change: PlanChange) -> WorkingCalendar:
    new = change.calendars.get(frozen.name)
    return _as_long_as(frozen, new) if new else frozen


def _as_long_as(frozen: WorkingCalendar, new: WorkingCalendar) -> WorkingCalendar:
    """From the year with which the plan begins, so that it stays as small as it was."""
    return window(new, frozen.covered_from.year) if frozen.covered_from else new


def _pack_named(packs: str, pack: Pack) -> str:
    """The versions that the plan quotes, with this one in place of another of the same pack."""
    versions = packs.split(BETWEEN_PACKS) if packs else []
    named = [pack.version if version.startswith(f"{pack.id}/") else version for version in versions]
    return BETWEEN_PACKS.join(named if pack.version in named else [*named, pack.version])
