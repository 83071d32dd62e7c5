"""Alerts of promises that are at risk or broken (CLM-12)."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from api.wire import Out, Words
from lian.domain.status import ClockStatus
from lian.services.alerts import AlertSeen


class AlertOut(Out):
    """One promise that called you, as it stands now."""

    case_number: str
    clock: str
    label: Words
    rung: str = Field(description="How far it had come: `75%` of its time, `due`, or `+1d` after that.")
    reached_at: datetime = Field(description="When it came so far, by the rules.")
    seen_at: datetime = Field(description="When that was noticed: later after an outage.")
    told_at: datetime | None = Field(description="When you were written to; null until then.")
    status: ClockStatus
    due_at: datetime | None
    breached_at: datetime | None

    @classmethod
    def of(cls, seen: AlertSeen) -> AlertOut:
        """The alert on the wire."""
        return cls(
            case_number=seen.case.number,
            clock=seen.alert.clock,
            label=Words.of(seen.label),
            rung=seen.alert.rung,
            reached_at=seen.alert.reached_at,
            seen_at=seen.alert.seen_at,
            told_at=seen.alert.told_at,
            status=ClockStatus(seen.clock.status),
            due_at=seen.clock.due_at,
            breached_at=seen.clock.breached_at,
        )


class AlertsOut(Out):
    """Your alerts, the newest first."""

    items: list[AlertOut]
