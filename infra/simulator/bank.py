"""The bank, played: it reads instructions from its folder and answers each once. The one part that is not the API.

Some days later, which here are seconds, the payee's bank sends some of the money back: a second answer that refuses
what the first one accepted.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from time import monotonic
from uuid import UUID

from infra.simulator import choices
from infra.simulator.questions import chance
from lian.domain.errors import NotFound, Unavailable
from lian.storage.bank_files import FILE_BYTES, IN, OUT, XML, PaymentOrder, read_pain_001, render_pain_002
from lian.storage.object_store import ObjectStore

EVERY_SECONDS = 1.0
RETURNED_AFTER = 12.0
"""Seconds from the first answer to the money's return."""
RETURNED = "returned-"

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
    returned_after: float = RETURNED_AFTER
    accepted: int = 0
    rejected: int = 0
    returned: dict[UUID, str] = field(default_factory=dict)
    """Transfers whose money came back, with their remittance: the case's number."""
    _answered: set[str] = field(default_factory=set)
    _paid: Counter[str] = field(default_factory=Counter)
    _returns: dict[str, tuple[float, str]] = field(default_factory=dict)
    """Answers whose money will come back: from when on, and why."""

    async def open_hours(self) -> None:
        """Answer until cancelled; an object store that is away is waited for."""
        while True:
            await asyncio.to_thread(self.answer_all)
            await asyncio.sleep(EVERY_SECONDS)

    @property
    def is_quiet(self) -> bool:
        """Whether no money is still to come back."""
        return not self._returns

    def answer_all(self) -> int:
        """Answer what is not yet answered, and send back what is due; returns how many answers that were."""
        try:
            if not self._answered:
                self._answered = {_name(entry.key) for entry in self.store.entries(IN)}
            fresh = [e.key for e in self.store.entries(OUT) if _name(e.key) not in self._answered]
            now = monotonic()
            due = [name for name, (at, _) in self._returns.items() if at <= now]
            return sum(self._answer(key) for key in fresh) + sum(self._send_back(name) for name in due)
        except (Unavailable, NotFound):
            return 0

    def _answer(self, key: str) -> bool:
        original = self.store.read(key, limit=FILE_BYTES)
        order = read_pain_001(original)[0]
        said = self.says(order, chance(self.seed, "bank", order.remittance, order.amount, order.payment_id))
        if said is None:
            return False
        accepted, reason = said
        self._put(_name(key), original, accepted=accepted, reason=reason)
        self._answered.add(_name(key))
        self.accepted += accepted
        self.rejected += not accepted
        if accepted and self.says is usual_answer:
            self._consider_return(_name(key), order.remittance)
        return True

    def _consider_return(self, name: str, remittance: str) -> None:
        self._paid[remittance] += 1
        why = choices.bank_returns(chance(self.seed, "return", remittance, self._paid[remittance]))
        if why:
            self._returns[name] = (monotonic() + self.returned_after, why)

    def _send_back(self, name: str) -> bool:
        original = self.store.read(f"{OUT}{name}", limit=FILE_BYTES)
        order = read_pain_001(original)[0]
        self._put(f"{RETURNED}{name}", original, accepted=False, reason=self._returns[name][1])
        self.returned[order.payment_id] = order.remittance
        del self._returns[name]
        return True

    def _put(self, name: str, original: bytes, *, accepted: bool, reason: str) -> None:
        body = render_pain_002(original, accepted=accepted, reason=reason, at=datetime.now(UTC))
        self.store.put_bytes(f"{IN}{name}", body, content_type=XML)


def _name(key: str) -> str:
    return key.rpartition("/")[2]
