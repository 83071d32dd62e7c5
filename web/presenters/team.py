"""A team's load in words and figures: hands, queues by age, who is stuck, and what moving work would do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from lian.domain.load import AGEING, Ageing
from lian.domain.queues import QUEUES
from lian.services.desk.lists import Count as Found
from lian.services.desk.load import PersonLoad, TeamLoad
from lian.services.desk.moving import Moved
from lian.services.desk.queue_load import QueueLoad
from lian.services.desk.rebalancing import Balance, Move, Proposal
from web.i18n import translate_refusal
from web.presenters.desk import capped
from web.reader import Reader

FULL = 100
NEARLY = 0.85
TONES = {
    Ageing.OVERDUE: "bad",
    Ageing.HOURS_4: "warn",
    Ageing.HOURS_24: "warn",
    Ageing.DAYS_3: "info",
    Ageing.LATER: "ok",
    Ageing.NONE: "none",
}


def list_address(**filters: str) -> str:
    """The list of tasks behind a number."""
    return "/desk?" + urlencode(filters)


WAITING = list_address(holder="@none", on_hold="0")


@dataclass(frozen=True, slots=True)
class Count:
    """A number and the list behind it; `tone` says how it is meant."""

    words: str
    number: str
    address: str
    tone: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One member of the team. `share` is percent of a bar's width: a full bar is as much as they can have."""

    username: str
    name: str
    tags: tuple[tuple[str, str], ...]
    address: str
    in_hand: str
    capacity: str
    share: int
    tone: str
    spoken: str
    overdue: Count
    due: tuple[str, ...]
    put_aside: str
    oldest: str
    done: str
    is_stuck: bool


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One queue: what waits, since when, and all that is open by the time that is left. The bar's parts add up."""

    label: str
    waiting: Count
    oldest: str
    ageing: tuple[Count, ...]
    bar: tuple[tuple[str, int, int], ...]
    """Tone, where it begins and how wide it is, in percent."""


@dataclass(frozen=True, slots=True)
class TeamView:
    """The whole page above the form."""

    title: str
    as_of: str
    totals: tuple[Count, ...]
    stuck: tuple[PersonRow, ...]
    people: tuple[PersonRow, ...]
    queues: tuple[QueueRow, ...]
    heads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One task of a proposal or of a result."""

    number: str
    what: str
    due: str
    to: str
    why: str


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """One person's load before and after, as numbers and percent of a bar's width."""

    name: str
    before: str
    after: str
    capacity: str
    share_before: int
    share_after: int
    tone: str


@dataclass(frozen=True, slots=True)
class ProposalView:
    """What would be moved."""

    headline: str
    people: tuple[BalanceRow, ...]
    moves: tuple[MoveRow, ...]
    staying: tuple[MoveRow, ...]
    token: str
    n: int


@dataclass(frozen=True, slots=True)
class ResultView:
    """What became of it."""

    headline: str
    is_whole: bool
    refused: tuple[MoveRow, ...]


def present_team(load: TeamLoad, reader: Reader) -> TeamView:
    """The team and its queues."""
    people = tuple(_person(one, load.as_of, reader) for one in load.people)
    queues = [one for one in load.queues if not one.is_empty]
    return TeamView(
        title=_title(load, reader),
        as_of=reader.full_moment(load.as_of),
        totals=_totals(load, reader),
        stuck=tuple(one for one in people if one.is_stuck),
        people=people,
        queues=tuple(_queue(one, load.as_of, reader) for one in queues),
        heads=tuple(reader.label(AGEING[bucket]) for bucket in Ageing),
    )


def _title(load: TeamLoad, reader: Reader) -> str:
    if load.team is None:
        return reader.say("Everybody")
    return load.team or reader.say("My team")


def _totals(load: TeamLoad, reader: Reader) -> tuple[Count, ...]:
    hands = [one.in_hand for one in load.people]
    overdue, away = sum(one.overdue for one in hands), sum(one.is_away for one in load.people)
    waiting = _total(one.waiting for one in load.queues)
    late = _total(one.overdue for one in load.queues)
    return (
        Count(reader.say("In hand"), reader.number(sum(one.open for one in hands)), "", "info"),
        Count(reader.say("Overdue in hand"), reader.number(overdue), "", "bad" if overdue else "none"),
        Count(
            reader.say("Waiting in my queues"),
            _up_to(waiting, reader),
            list_address(holder="@none", on_hold="0"),
            "info",
        ),
        Count(
            reader.say("Overdue in my queues"), _up_to(late, reader), list_address(late="1"), "bad" if late.n else "ok"
        ),
        Count(reader.say("Away now"), reader.number(away), "/desk/absences", "warn" if away else "none"),
        Count(reader.say("Done in 7 days"), reader.number(sum(one.done for one in load.people)), "", "ok"),
    )


# --- people -----------------------------------------------------------------------------------------------------------


def _person(one: PersonLoad, now: datetime, reader: Reader) -> PersonRow:
    hand = one.in_hand
    return PersonRow(
        username=one.username,
        name=one.person.name,
        tags=_tags(one, reader),
        address=list_address(holder=one.person.id),
        in_hand=reader.number(hand.open),
        capacity=reader.number(one.capacity),
        share=_percent(one.share),
        tone=_tone(one.share),
        spoken=reader.say("{n} of {capacity} in hand", n=hand.open, capacity=one.capacity),
        overdue=Count(
            reader.say("Overdue"),
            reader.number(hand.overdue),
            list_address(holder=one.person.id, late="1", on_hold="0") if hand.overdue else "",
            "bad" if hand.overdue else "none",
        ),
        due=tuple(reader.number(n) for n in hand.due.values()) or ("0", "0", "0"),
        put_aside=reader.number(hand.put_aside),
        oldest=reader.span(now - hand.oldest_at) if hand.oldest_at else "–",
        done=reader.number(one.done),
        is_stuck=one.is_stuck,
    )


def _tags(one: PersonLoad, reader: Reader) -> tuple[tuple[str, str], ...]:
    tags = [(reader.say("stuck"), "bad")] if one.is_stuck else []
    if one.is_away and one.substitute:
        tags.append((reader.say("away: {name}", name=one.substitute), "warn"))
    elif one.is_away:
        tags.append((reader.say("away, nobody stands in"), "bad"))
    return (*tags, *([] if one.is_active else [(reader.say("account closed"), "bad")]))


def _percent(share: float) -> int:
    return min(round(share * FULL), FULL)


def _tone(share: float) -> str:
    return "bad" if share >= 1 else "warn" if share >= NEARLY else "ok"


# --- queues -----------------------------------------------------------------------------------------------------------


def _queue(one: QueueLoad, now: datetime, reader: Reader) -> QueueRow:
    label = reader.label(one.label)
    return QueueRow(
        label=label,
        waiting=Count(
            reader.say("Waiting"),
            _up_to(one.waiting, reader),
            list_address(queue=one.queue, holder="@none", on_hold="0") if one.waiting.n and one.queue in QUEUES else "",
            "info" if one.waiting.n else "none",
        ),
        oldest=reader.span(now - one.oldest_at) if one.oldest_at else "–",
        ageing=tuple(_bucket(bucket, n, one.queue, reader) for bucket, n in one.ageing.items()),
        bar=tuple(_bar(one)),
    )


def _bucket(bucket: Ageing, found: Found, queue: str, reader: Reader) -> Count:
    leads = bucket is Ageing.OVERDUE and found.n and queue in QUEUES
    return Count(
        reader.label(AGEING[bucket]),
        _up_to(found, reader),
        list_address(queue=queue, late="1") if leads else "",
        TONES[bucket] if found.n else "none",
    )


def _up_to(found: Found, reader: Reader) -> str:
    return capped(found.n, is_more=found.is_more, reader=reader)


def _total(found: Iterable[Found]) -> Found:
    """Of numbers that end somewhere, the sum does as well."""
    each = tuple(found)
    return Found(sum(one.n for one in each), is_more=any(one.is_more for one in each))


def _bar(one: QueueLoad) -> list[tuple[str, int, int]]:
    whole, so_far, parts = sum(count.n for count in one.ageing.values()) or 1, 0, []
    for bucket, count in one.ageing.items():
        begin, so_far = round(so_far * FULL / whole), so_far + count.n
        width = round(so_far * FULL / whole) - begin
        if width:
            parts.append(("hold" if bucket is Ageing.NONE else TONES[bucket], begin, width))
    return parts


# --- moving work ------------------------------------------------------------------------------------------------------


def present_proposal(found: Proposal, reader: Reader) -> ProposalView:
    """What would be moved, before anything is."""
    n = len(found.moves)
    return ProposalView(
        headline=reader.count("{n} task would move", "{n} tasks would move", n)
        if n
        else reader.say("Nothing can move"),
        people=tuple(_balance(one, reader) for one in found.people if one.before != one.after),
        moves=tuple(_move(one, reader) for one in found.moves),
        staying=tuple(_move(one, reader) for one in found.staying),
        token=found.token,
        n=n,
    )


def _move(one: Move, reader: Reader) -> MoveRow:
    due = reader.say("Due {when}", when=reader.moment(one.act_by_at)) if one.act_by_at else ""
    return MoveRow(one.number, reader.label(one.what), due, one.to_name, _said(one.why_not, reader))


def _said(words: str, reader: Reader) -> str:
    return translate_refusal(reader.language, words) or words


def _balance(one: Balance, reader: Reader) -> BalanceRow:
    return BalanceRow(
        name=one.name,
        before=reader.number(one.before),
        after=reader.number(one.after),
        capacity=reader.number(one.capacity),
        share_before=_percent(one.share_before),
        share_after=_percent(one.share_after),
        tone=_tone(one.share_after),
    )


def present_result(results: Sequence[Moved], reader: Reader) -> ResultView:
    """How many were moved, and why the others were not."""
    refused = tuple(
        MoveRow(one.number, "", "", "", reader.refusal(one.refused)) for one in results if one.refused is not None
    )
    moved = len(results) - len(refused)
    return ResultView(
        headline=reader.count("{n} task was moved", "{n} tasks were moved", moved),
        is_whole=not refused,
        refused=refused,
    )
