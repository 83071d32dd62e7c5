"""How far from now a moment or a day may lie that somebody tells us."""

from __future__ import annotations

from datetime import UTC, date, datetime

# The edges of the calendar overflow when a zone or a duration is added to them.
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def is_within_reach(day: date) -> bool:
    """Whether we can reckon with this day, in any zone."""
    return EARLIEST.date() <= day <= LATEST.date()
