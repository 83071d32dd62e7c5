"""A clock's row in words and figures: whose promise it is, why no deadline is known, for what it stands still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from lian.db.tables import Case, Clock, DocumentRequest
from lian.domain.calendars import CalendarNotCovered
from lian.domain.labels import Label
from lian.domain.promise_actions import DOCUMENTS, WAITS
from lian.domain.sla import due_at
from lian.domain.status import ClockStatus
from lian.services.explaining import ledger_of, policy_of
from lian.services.opening import PLAN

OTHERS = Label("Information from others", "有关方面的结果")
"""What a case waits for, where it is not named."""


@dataclass(frozen=True, slots=True)
class StandsStill:
    """Why a promise stands still: since when, for which reason, until when at the latest."""

    since: datetime
    reason: str
    until: datetime | None = None
    missing: int = 0
    """How many documents are still to come, where it waits for those."""


def clock_label(clock: Clock) -> Label:
    """What was promised, in the words that were frozen with it."""
    return Label(**clock.policy["label"]) if "label" in clock.policy else Label(clock.clock, clock.clock)


def life_of(clock: Clock) -> int:
    """Which life of its case it belongs to, from 1."""
    life = clock.clock.partition("#")[2].partition("@")[0]
    return int(life) if life else 1


def round_of(clock: Clock) -> int:
    """The how-manieth of its promise in that life, from 1."""
    return int(clock.clock.partition("@")[2] or 1)


def wait_label(reason: str) -> Label:
    """What a case waits for; one that is not named is a neutral word."""
    return WAITS.get(reason, OTHERS)


def stands_still(clock: Clock, requests: Sequence[DocumentRequest]) -> StandsStill | None:
    """Why it stands still now; None when it does not. Of several pauses, the one that ends last."""
    if clock.status != ClockStatus.PAUSED:
        return None
    by_id = {str(request.id): request for request in requests}
    open_ = [pause for pause in clock.pauses if pause["to_at"] is None]
    since = min((datetime.fromisoformat(pause["from_at"]) for pause in open_), default=clock.started_at)
    named = [by_id[pause["request_id"]] for pause in open_ if pause["request_id"] in by_id]
    if not named:
        return StandsStill(since, "")
    last = max(named, key=lambda request: request.answer_by)
    missing = sum(1 for answer in last.items.values() if not answer)
    return StandsStill(since, last.reason, last.answer_by, missing)


def unpublished_year(case: Case, clock: Clock) -> int | None:
    """The year whose calendar is not published yet, where that is why its deadline is not known."""
    if clock.due_at is not None or clock.status not in {ClockStatus.RUNNING, ClockStatus.UNDECIDED} or not case.plan:
        return None
    policy = policy_of(clock)
    try:
        due_at(policy=policy, calendar=PLAN.validate_python(case.plan).calendar_of(policy), ledger=ledger_of(clock))
    except CalendarNotCovered as beyond:
        return date.fromisoformat(beyond.details["day"]).year
    return None


def waits_of(requests: Sequence[DocumentRequest]) -> list[DocumentRequest]:
    """What the case waits for outside the house now."""
    return [request for request in requests if request.status == "open" and request.reason != DOCUMENTS]


def document_request_of(requests: Sequence[DocumentRequest]) -> DocumentRequest | None:
    """The open list of missing documents."""
    return next((r for r in requests if r.status == "open" and r.reason == DOCUMENTS), None)
