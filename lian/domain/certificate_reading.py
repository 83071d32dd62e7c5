"""Plain JSON to the values a clock is reckoned with, and back; the one spelling of a text that is hashed or signed.

Standard library only, so that a certificate can be checked by whoever has nothing but Python.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

from lian.domain.calendars import WorkingCalendar
from lian.domain.errors import Invalid
from lian.domain.labels import Label
from lian.domain.sla import (
    MICROSECOND,
    ClockLedger,
    ClockPolicy,
    Escalation,
    Extension,
    Pause,
    Rebase,
    Roll,
    Rung,
    Unit,
)

Json = dict[str, Any]


def canonical(value: Any) -> str:
    """The one spelling that is hashed and signed: RFC 8785 for what a certificate holds, which has no fractions."""
    _refuse_fractions(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _refuse_fractions(value: Any) -> None:
    """Programs differ in how they write fractions, so there are none."""
    if isinstance(value, float):
        raise Invalid("A certificate holds no fractions.")
    if isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            _refuse_fractions(inner)


def sha256_of(text: str) -> str:
    """The hash of a text's UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def utc_text(at: datetime | None) -> str | None:
    """An instant as every certificate spells it: ISO 8601 in UTC."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment_from(written: str) -> datetime:
    """The instant a text names. `ValueError` for anything else, and without a time zone."""
    at = datetime.fromisoformat(written)
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return at.astimezone(UTC)


def optional_moment(written: str | None) -> datetime | None:
    """The instant a text names, if there is one."""
    return None if written is None else moment_from(written)


# --- policies ---------------------------------------------------------------------------------------------------------


def policy_from(given: Mapping[str, Any]) -> ClockPolicy:
    """A frozen policy; what an older release did not know of has its default."""
    known = {field.name for field in fields(ClockPolicy)}
    values = {name: _tupled(value) for name, value in given.items() if name in known}
    values |= {"unit": Unit(given["unit"]), "label": Label(**given["label"])}
    values |= {"roll": Roll(given.get("roll", Roll.NONE))}
    values |= {"extensions": tuple(Extension(**each) for each in given.get("extensions", ()))}
    values |= {"rungs": tuple(_rung(each) for each in given.get("rungs", ()))}
    return ClockPolicy(**values)


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _rung(given: Mapping[str, Any]) -> Rung:
    actions = tuple(Escalation(action) for action in given["actions"])
    return Rung(given["percent"], actions, given.get("days_after", 0))


# --- calendars --------------------------------------------------------------------------------------------------------


def calendar_from(given: Mapping[str, Any]) -> WorkingCalendar:
    """A frozen calendar."""
    return WorkingCalendar(
        name=given["name"],
        tz=given["tz"],
        weekend=frozenset(given["weekend"]),
        off=frozenset(map(date.fromisoformat, given["off"])),
        work=frozenset(map(date.fromisoformat, given["work"])),
        sessions=tuple((opens, closes) for opens, closes in given["sessions"]),
        covered_from=_optional_date(given.get("covered_from")),
        covered_until=_optional_date(given.get("covered_until")),
        version=given.get("version", ""),
    )


def _optional_date(written: str | None) -> date | None:
    return None if written is None else date.fromisoformat(written)


def calendar_json(calendar: WorkingCalendar) -> Json:
    """All of a calendar, its sets in order."""
    return {
        "name": calendar.name,
        "tz": calendar.tz,
        "weekend": sorted(calendar.weekend),
        "off": [day.isoformat() for day in sorted(calendar.off)],
        "work": [day.isoformat() for day in sorted(calendar.work)],
        "sessions": [list(session) for session in calendar.sessions],
        "covered_from": calendar.covered_from and calendar.covered_from.isoformat(),
        "covered_until": calendar.covered_until and calendar.covered_until.isoformat(),
        "version": calendar.version,
    }


# --- ledgers ----------------------------------------------------------------------------------------------------------


def ledger_json(ledger: ClockLedger) -> Json:
    """All of a ledger; what was consumed before a rebase in whole microseconds."""
    rebased = ledger.rebased
    return {
        "started_at": utc_text(ledger.started_at),
        "pauses": [
            {"request_id": p.request_id, "from_at": utc_text(p.from_at), "to_at": utc_text(p.to_at)}
            for p in ledger.pauses
        ],
        "stopped_at": utc_text(ledger.stopped_at),
        "extended": ledger.extended,
        "rebased": rebased and {"at": utc_text(rebased.at), "consumed_microseconds": rebased.consumed // MICROSECOND},
    }


def ledger_from(given: Mapping[str, Any]) -> ClockLedger:
    """A ledger."""
    rebased = given["rebased"]
    return ClockLedger(
        started_at=moment_from(given["started_at"]),
        pauses=tuple(
            Pause(p["request_id"], moment_from(p["from_at"]), optional_moment(p["to_at"])) for p in given["pauses"]
        ),
        stopped_at=optional_moment(given["stopped_at"]),
        extended=given["extended"],
        rebased=rebased
        and Rebase(moment_from(rebased["at"]), timedelta(microseconds=rebased["consumed_microseconds"])),
    )
