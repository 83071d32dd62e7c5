"""Who has how much work, and moving it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from api.schemas.absences import UserName
from api.wire import Code, In, Out, Words
from lian.domain.load import Ageing
from lian.services.desk.load import PersonLoad, TeamLoad
from lian.services.desk.moving import LONGEST_TOKEN, MOST_MOVED, Moved
from lian.services.desk.queue_load import QueueLoad
from lian.services.desk.rebalancing import Balance, Move, Proposal, Wanted


class PersonLoadOut(Out):
    """One member of staff."""

    username: str
    name: str
    team: str
    is_active: bool
    in_hand: int = Field(description="Tasks they have, beside those put aside; overdue and due count these.")
    put_aside: int
    oldest_at: datetime | None = Field(description="Since when they have the one they have longest.")
    overdue: int
    due: dict[int, int] = Field(description="How many fall due within so many hours, the overdue ones not among them.")
    capacity: int
    share: float = Field(description="How full their hands are: 1.0 is as much as they can have.")
    done: int = Field(description="Answered in the last seven days.")
    is_away: bool
    substitute: str = Field(description="Name of whoever does their work while they are away; empty: nobody.")
    is_stuck: bool = Field(description="Has overdue work, and did nothing for three working days.")

    @classmethod
    def of(cls, load: PersonLoad) -> PersonLoadOut:
        """The person on the wire."""
        return cls(
            username=load.username,
            name=load.person.name,
            team=load.person.team,
            is_active=load.is_active,
            in_hand=load.in_hand.open,
            put_aside=load.in_hand.put_aside,
            oldest_at=load.in_hand.oldest_at,
            overdue=load.in_hand.overdue,
            due=dict(load.in_hand.due),
            capacity=load.capacity,
            share=round(load.share, 3),
            done=load.done,
            is_away=load.is_away,
            substitute=load.substitute,
            is_stuck=load.is_stuck,
        )


class QueueLoadOut(Out):
    """One queue."""

    queue: str
    label: Words
    waiting: int = Field(description="Nobody has them, and nobody put them aside. Every number ends at 1,000.")
    oldest_at: datetime | None = Field(description="Since when the one that waits longest is open.")
    overdue: int
    ageing: dict[Ageing, int] = Field(description="All its open tasks, by the time that is left.")
    is_more: bool = Field(description="For one of the numbers there are more than were counted.")

    @classmethod
    def of(cls, load: QueueLoad) -> QueueLoadOut:
        """The queue on the wire."""
        return cls(
            queue=load.queue,
            label=Words.of(load.label),
            waiting=load.waiting.n,
            oldest_at=load.oldest_at,
            overdue=load.overdue.n,
            ageing={bucket: count.n for bucket, count in load.ageing.items()},
            is_more=load.waiting.is_more or any(count.is_more for count in load.ageing.values()),
        )


class TeamLoadOut(Out):
    """A team and your queues as they stand."""

    as_of: datetime
    team: str | None = Field(description="Null: everybody.")
    people: list[PersonLoadOut] = Field(description="The fullest hands first.")
    queues: list[QueueLoadOut]

    @classmethod
    def of(cls, load: TeamLoad) -> TeamLoadOut:
        """The load on the wire."""
        return cls(
            as_of=load.as_of,
            team=load.team,
            people=[PersonLoadOut.of(one) for one in load.people],
            queues=[QueueLoadOut.of(one) for one in load.queues],
        )


class WantedIn(In):
    """What is to be moved."""

    n: int = Field(ge=1, le=MOST_MOVED, description="How many tasks.")
    of: UserName = Field(default="", description="User name of whoever has them; empty: free tasks.")
    to: list[Code] | None = Field(
        default=None, max_length=MOST_MOVED, description="User names of who may get them; null: whoever fits."
    )
    queue: UserName = Field(default="", description="Only of this queue.")

    def given(self) -> Wanted:
        """The wish for the service."""
        return Wanted(n=self.n, of=self.of, to=self.to, queue=self.queue)


class MoveOut(Out):
    """One task, and to whom it would go."""

    task_id: UUID
    case_number: str
    label: Words
    act_by_at: datetime | None
    to: str = Field(description="User name; empty: it would stay where it is.")
    to_name: str
    why_not: str = Field(description="Why it would stay.")

    @classmethod
    def of(cls, move: Move) -> MoveOut:
        """The move on the wire."""
        return cls(
            task_id=move.task_id,
            case_number=move.number,
            label=Words.of(move.what),
            act_by_at=move.act_by_at,
            to=move.to,
            to_name=move.to_name,
            why_not=move.why_not,
        )


class BalanceOut(Out):
    """What one person has in hand, before and after."""

    username: str
    name: str
    capacity: int
    before: int
    after: int

    @classmethod
    def of(cls, balance: Balance) -> BalanceOut:
        """The person on the wire."""
        return cls(
            username=balance.username,
            name=balance.name,
            capacity=balance.capacity,
            before=balance.before,
            after=balance.after,
        )


class ProposalOut(Out):
    """What would be moved; nothing has changed yet."""

    moves: list[MoveOut]
    staying: list[MoveOut] = Field(description="More urgent ones that nobody could be given.")
    people: list[BalanceOut]
    token: str = Field(description="Give this to move what is proposed; empty: nothing is.")

    @classmethod
    def of(cls, found: Proposal) -> ProposalOut:
        """The proposal on the wire."""
        return cls(
            moves=[MoveOut.of(one) for one in found.moves],
            staying=[MoveOut.of(one) for one in found.staying],
            people=[BalanceOut.of(one) for one in found.people],
            token=found.token,
        )


class ApplyIn(In):
    """What was proposed."""

    token: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TOKEN)]


class MovedOut(Out):
    """What became of one task."""

    task_id: UUID
    case_number: str
    to: str
    is_moved: bool
    code: str = Field(description="Code of the refusal; empty when it was moved.")
    refused: str = Field(description="Why it stays where it is; empty when it was moved.")

    @classmethod
    def of(cls, moved: Moved) -> MovedOut:
        """The result on the wire."""
        return cls(
            task_id=moved.task_id,
            case_number=moved.number,
            to=moved.to,
            is_moved=moved.refused is None,
            code=moved.refused.code if moved.refused else "",
            refused=moved.refused.message if moved.refused else "",
        )


class MovesOut(Out):
    """The result of every task."""

    items: list[MovedOut]
