"""The bank, played: it reads instructions from its folder and answers each once. The one part that is not the API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from infra.simulator import choices
from lian.domain.errors import NotFound, Unavailable
from lian.storage.bank_files import FILE_BYTES, IN, OUT, XML, PaymentOrder, read_pain_001, render_pain_002
from lian.storage.object_store import ObjectStore

EVERY_SECONDS = 1.0

Says = Callable[[PaymentOrder, Random], tuple[bool, str] | None]
"""What the bank answers to an order: executed or not, and why; none: not today."""


def usual_answer(order: PaymentOrder, random: Random) -> tuple[bool, str] | None:
    """Nearly every transfer is executed at once."""
    return choices.bank_says(random)


@dataclass(slots=True)
class Bank:
    """Answers every instruction once, whatever is killed meanwhile: an answer's key is its instruction's."""

    store: ObjectStore
    seed: int
    says: Says = usual_answer
    accepted: int = 0
    rejected: int = 0
    _answered: set[str] = field(default_factory=set)

    async def open_hours(self) -> None:
        """Answer until cancelled; an object store that is away is waited for."""
        while True:
            await asyncio.to_thread(self.answer_all)
            await asyncio.sleep(EVERY_SECONDS)

    def answer_all(self) -> int:
        """Answer what is not yet answered; returns how many."""
        try:
            if not self._answered:
                self._answered = {_name(entry.key) for entry in self.store.entries(IN)}
            fresh = [e.key for e in self.store.entries(OUT) if _name(e.key) not in self._answered]
            return sum(self._answer(key) for key in fresh)
        except (Unavailable, NotFound):
            return 0

    def _answer(self, key: str) -> bool:
        original = self.store.read(key, limit=FILE_BYTES)
        order = read_pain_001(original)[0]
        said = self.says(order, choices.chance(self.seed, "bank", order.remittance, order.amount, order.payment_id))
        if said is None:
            return False
        accepted, reason = said
        body = render_pain_002(original, accepted=accepted, reason=reason, at=datetime.now(UTC))
        self.store.put_bytes(f"{IN}{_name(key)}", body, content_type=XML)
        self._answered.add(_name(key))
        self.accepted += accepted
        self.rejected += not accepted
        return True


def _name(key: str) -> str:
    return key.rpartition("/")[2]
