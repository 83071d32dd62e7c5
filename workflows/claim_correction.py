"""Putting a recorded mistake right: proposed, agreed to where money depends on it, applied (CLM-15)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from temporalio import workflow

from lian.domain import journal as j
from lian.domain.claims import second_look_tasks as look
from lian.domain.claims.corrections import CORRECTABLE
from lian.domain.claims.terms import LossCause
from lian.domain.errors import Conflict
from workflows.claim_file import SNAPSHOT
from workflows.claim_payment import ClaimPayment
from workflows.engine import Answer

PROMISES_STAND = "2026-11-22-a-later-life-keeps-its-promises"


class ClaimCorrection(ClaimPayment):
    """The old value stays on record; what rests on it is asked or decided anew."""

    def check_correction(self, answer: Answer) -> None:
        if CORRECTABLE[answer.outcome.name].changes_money and self.open_task_of(look.APPROVE_CORRECTION):
            raise Conflict("Another correction waits for its approval.")
        if answer.outcome.exposure_id:
            self.exposure(answer.outcome.exposure_id)

    def begin_correction(self, answer: Answer) -> None:
        wrong, correction_id = answer.outcome, workflow.uuid4()
        changes_money = CORRECTABLE[wrong.name].changes_money
        self.record(
            j.CorrectionProposed(
                correction_id=correction_id,
                name=wrong.name,
                before=wrong.before,
                after=wrong.after,
                exposure_id=UUID(wrong.exposure_id) if wrong.exposure_id else None,
                needs_second=changes_money,
                reason=answer.notes,
            ),
            by=answer.by,
        )
        if changes_money:
            self.beside(self.correct_when_agreed(correction_id, answer))
        else:
            self.apply(correction_id, answer)

    async def correct_when_agreed(self, correction_id: UUID, asked: Answer) -> None:
        """What may change money needs a second person; then whatever rests on it is decided anew."""
        wrong = asked.outcome
        second = await self.task(
            look.APPROVE_CORRECTION,
            lambda: {"name": wrong.name, "before": wrong.before, "after": wrong.after},
            exclude=[asked.by],
        )
        decided = j.CorrectionDecided(correction_id=correction_id, agreed=second.outcome.agree, decided_by=second.by)
        self.record(decided, by=second.by)
        if second.outcome.agree:
            self.apply(correction_id, asked)
            self.ask_anew()
            await self.decide_anew()

    def apply(self, correction_id: UUID, asked: Answer) -> None:
        """From here on the corrected figure counts."""
        wrong = asked.outcome
        value = CORRECTABLE[wrong.name].read(wrong.after)
        snapshot = SNAPSHOT.validate_python(wrong.snapshot) if wrong.snapshot else None
        if wrong.exposure_id:
            setattr(self.exposure(wrong.exposure_id), wrong.name, value)
            self.facts.claimed_amount = sum((e.claimed_amount for e in self.facts.exposures), Decimal(0))
        elif snapshot is not None:
            self.facts.snapshot = snapshot
        elif wrong.name == "received_at":
            self.move_promises(value)
        else:
            setattr(self.facts, wrong.name, LossCause(value) if wrong.name == "loss_cause" else value)
        self.record(
            j.CorrectionApplied(
                correction_id=correction_id,
                name=wrong.name,
                before=wrong.before,
                after=wrong.after,
                exposure_id=UUID(wrong.exposure_id) if wrong.exposure_id else None,
                snapshot=snapshot,
            ),
            by=asked.by,
        )

    def move_promises(self, received_at: datetime) -> None:
        """Every promise of a first life counted from the receipt; now from the right one.

        A later life's run from its reopening, which was not when it is said to have been received.
        """
        if self.state.generation > 1 and workflow.patched(PROMISES_STAND):
            return
        for name, run in self.clocks.running.items():
            if run.started_at == self.state.received_at:
                self.clocks.restart(name, received_at)
        self.state.received_at = self.state.milestones["received"] = received_at
