"""A panel in session: its seats, votes, and when it has decided (集体讨论, CLM-8)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from lian.domain import journal as j
from lian.domain.claims.second_look_tasks import PANEL_VOTE
from lian.domain.panel import PanelResult, Rule, Vote, verdict
from lian.domain.tasks import Json
from workflows.engine import Case


@dataclass(slots=True)
class PanelSession:
    """Several people on one proposed decision; whoever made it has no vote."""

    id: UUID
    decision_id: UUID
    decided_by: str
    seats: int
    quorum: int
    rule: Rule
    why: str
    votes: list[Vote] = field(default_factory=list)
    voters: list[str] = field(default_factory=list)
    overridden_by: str = ""

    @property
    def result(self) -> PanelResult | None:
        """What was decided; none while votes are still needed."""
        return verdict(self.votes, seats=self.seats, quorum=self.quorum, rule=self.rule)

    @property
    def is_carried(self) -> bool:
        """Whether the proposal stands."""
        return bool(self.overridden_by) or self.result is PanelResult.CARRIED

    async def meet(self, case: Case, ask: Callable[[], Json]) -> None:
        """Every seat is a task; the panel rises as soon as no further vote can change the result."""
        self._convene(case)
        seats = [asyncio.ensure_future(self._hear(case, ask)) for _ in range(self.seats)]
        try:
            await case.until(lambda: self.result is not None or bool(self.overridden_by))
        except asyncio.CancelledError:
            await _rise(seats)
            raise
        # No `finally`: a history that is evicted from a worker's memory must not wait for anything any more.
        await _rise(seats)
        case.record(j.PanelConcluded(panel_id=self.id, result=self._words()))

    def _words(self) -> str:
        return "overridden" if self.overridden_by else str(self.result)

    def _convene(self, case: Case) -> None:
        event = j.PanelConvened(
            panel_id=self.id,
            decision_id=self.decision_id,
            decided_by=self.decided_by,
            seats=self.seats,
            quorum=self.quorum,
            rule=self.rule,
            why=self.why,
        )
        case.record(event)

    async def _hear(self, case: Case, ask: Callable[[], Json]) -> None:
        """One member's vote; nobody votes twice."""
        answer = await case.task(PANEL_VOTE, ask, exclude=[self.decided_by])
        self.votes.append(answer.outcome.vote)
        self.voters.append(answer.by)
        event = j.PanelVoted(panel_id=self.id, voter=answer.by, vote=answer.outcome.vote, reason=answer.notes)
        case.record(event, by=answer.by)
        case.bar(answer.by, PANEL_VOTE)


async def _rise(seats: Sequence[asyncio.Future[None]]) -> None:
    """Seats whose vote is no longer needed."""
    for seat in seats:
        seat.cancel()
    await asyncio.gather(*seats, return_exceptions=True)
