"""What robots do of their own accord, beside answering tasks: each wish of `wishes.py`, when its occasion comes."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from infra.simulator import choices
from infra.simulator import wishes as w
from infra.simulator.client import Json, Refused
from infra.simulator.corrections import early_correction, late_correction, receipt, second_report
from infra.simulator.customers import Customers, FrontDesk, NoCode
from infra.simulator.questions import Asked, chance, part_of
from infra.simulator.staff import ADJUSTERS, LEAD, SENIOR, SERVICE, Robot

NOT_NOW = frozenset({"conflict", "not_found", "too_many", "not_signed_in"})
TRIES = 3
"""How often a wish is tried that the claim does not allow at that moment."""
BEFORE_DECISION = frozenset({"report", "review"})
STAGES = ("assessment", "decision", "review")


class Later(Exception):
    """This is not the moment."""


@dataclass(slots=True)
class Initiative:
    """Wishes of the cases that were open when the office began; `happened` counts those that came true."""

    seed: int
    customers: Customers
    desk: FrontDesk
    robots: Sequence[Robot] = ()
    happened: Counter[str] = field(default_factory=Counter)
    duplicates: dict[str, str] = field(default_factory=dict)
    """The deliberate second reports: their number, and that of the case they repeat."""
    violations: list[str] = field(default_factory=list)
    _of: dict[str, frozenset[str]] = field(default_factory=dict)
    _done: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _tried: Counter[tuple[str, str]] = field(default_factory=Counter)
    _todo: asyncio.Queue[tuple[str, str]] = field(default_factory=asyncio.Queue)
    _busy: set[str] = field(default_factory=set)

    def begin(self, cases: Iterable[Json]) -> None:
        """Wishes are for these cases; those that come true at once are put in hand."""
        for case in cases:
            number = case["number"]
            self._of[number] = w.wishes(self.seed, number)
            if case["stage"] == "documents":
                # Whoever asked was not of this run and will not take it back: then the customer does answer.
                self._of[number] = self._of[number] - {w.SEND_NOTHING}
            if case["stage"] in BEFORE_DECISION and w.REPORT_TWICE in self._of[number]:
                self._put(number, w.REPORT_TWICE)

    def look_at_closed(self, cases: Iterable[Json]) -> None:
        """What comes up on closed claims is put in hand, one thing after the other."""
        for case in cases:
            wish = self._due(case)
            if wish and case["number"] not in self._busy:
                self._put(case["number"], wish)

    def is_done(self, closed: Iterable[Json]) -> bool:
        """Whether nothing more will come up, all cases being closed."""
        return not self._busy and not any(self._due(case) for case in closed)

    def still_meant(self, closed: Iterable[Json]) -> list[str]:
        """What is still to come, for whoever asks why the office has not ended."""
        return sorted(self._busy) + [f"{case['number']} ({wish})" for case in closed if (wish := self._due(case))]

    async def act(self) -> None:
        """Carry out one wish after the other until cancelled."""
        while True:
            number, wish = await self._todo.get()
            try:
                await self._try(number, wish, DEEDS[wish](self, number))
            finally:
                self._busy.discard(number)

    def _due(self, case: Json) -> str:
        number = case["number"]
        return w.due_once_closed(case, self._of.get(number, frozenset()), self._done[number])

    def _put(self, number: str, wish: str) -> None:
        self._busy.add(number)
        self._todo.put_nowait((number, wish))

    async def _try(self, number: str, wish: str, deed: Awaitable[bool]) -> None:
        """Do it once; what the claim does not allow now is tried again, and given up in the end."""
        try:
            came_true = await deed
        except (Refused, NoCode, Later) as refused:
            if isinstance(refused, Refused) and refused.code not in NOT_NOW:
                self.violations.append(f"{number} {wish}: {refused}")
            self._tried[number, wish] += 1
            if self._tried[number, wish] < TRIES:
                return
            came_true = False
        self._done[number].add(wish)
        self.happened[wish] += came_true

    def _is_wished(self, number: str, wish: str) -> bool:
        return wish in self._of.get(number, ()) and wish not in self._done[number]

    def _one_of(self, roles: Collection[str], number: str) -> Robot:
        """Always the same person for the same case, so that a repeat is theirs."""
        able = sorted((r for r in self.robots if r.account.role in roles), key=lambda r: r.account.username)
        return chance(self.seed, number, *sorted(roles)).choice(able)

    # --- while a task is answered -------------------------------------------------------------------------------------

    async def before(self, robot: Robot, asked: Asked, outcome: Json) -> bool:
        """Whoever has the claim in hand thinks of an advance, a reserve or a referral; or leaves it to the customer."""
        number = asked.case_number
        match asked.kind:
            case "assess_loss":
                await self._now(number, w.SET_RESERVE, lambda: self._set_reserve(number, asked))
                await self._now(number, w.PAY_ADVANCE, lambda: self._pay_advance(robot, number, asked))
            case "adjudicate":
                await self._now(number, w.REFER, lambda: self._refer(robot, number))
            case "agree_settlement":
                if self._is_wished(number, w.OBJECT_EARLY):
                    self.customers.hear(number, lambda: self._object(number, w.OBJECT_EARLY))
                return self._leave(w.ACCEPT_ONESELF in self._of.get(number, ()), asked, choices.settle_whole(asked))
            case "confirm_account":
                return self._leave(number in self._of, asked, outcome)
        return False

    def _leave(self, is_theirs: bool, asked: Asked, outcome: Json) -> bool:
        if is_theirs:
            self.customers.hear(asked.case_number, lambda: self.customers.answer(asked, outcome))
        return is_theirs

    async def after(self, robot: Robot, asked: Asked, outcome: Json) -> None:
        """Staff who ask for documents are heard by the customer; who assessed wrongly notices it soon."""
        number = asked.case_number
        if outcome.get("missing") or outcome.get("refused"):
            if self._is_wished(number, w.SEND_NOTHING):
                await self._now(number, w.SEND_NOTHING, lambda: self._withdraw_request(robot, number))
            else:
                self.customers.hear_documents(number)
        if asked.kind == "assess_loss":
            await self._now(number, w.CORRECT_EARLY, lambda: self._correct_early(robot, number, outcome))

    async def _now(self, number: str, wish: str, deed: Callable[[], Awaitable[bool]]) -> None:
        """At this occasion or never."""
        if self._is_wished(number, wish):
            self._tried[number, wish] = TRIES
            await self._try(number, wish, deed())

    def sends_documents(self, number: str) -> bool:
        """Whether the customer answers requests; of the others staff withdraws them."""
        return w.SEND_NOTHING not in self._of.get(number, ())

    async def _withdraw_request(self, robot: Robot, number: str) -> bool:
        await robot.ask("POST", f"/cases/{number}/request/withdraw", what="withdraw_request")
        return True

    async def _set_reserve(self, number: str, asked: Asked) -> bool:
        row = asked.ask["rows"]["losses"][0]
        outcome = {"exposure_id": row["exposure_id"], "reserve_line": "expense", "amount": "450.00"}
        lead = self._one_of({LEAD}, number)
        key = w.key_of(number, w.SET_RESERVE)
        await lead.act(number, "set_reserve", outcome | {"reason": "expenses"}, key=key)
        return True

    async def _pay_advance(self, robot: Robot, number: str, asked: Asked) -> bool:
        """A fifth of a larger claim, as far as the policy could owe it."""
        claimed = sum((Decimal(row["claimed_amount"]) for row in asked.ask["rows"]["losses"]), Decimal(0))
        if claimed < w.LARGER:
            return False
        most = Decimal((await robot.ask("GET", f"/cases/{number}/actions/pay_advance"))["ask"]["most"])
        amount = min(part_of(claimed, 0.2), most)
        if amount <= 0:
            return False
        outcome = {"amount": str(amount)}
        await robot.act(number, "pay_advance", outcome, key=w.key_of(number, w.PAY_ADVANCE))
        return True

    async def _refer(self, robot: Robot, number: str) -> bool:
        await robot.act(number, "refer", {"why": "fraud"}, key=w.key_of(number, w.REFER))
        return True

    async def _correct_early(self, robot: Robot, number: str, outcome: Json) -> bool:
        wrong = early_correction(outcome["losses"], chance(self.seed, number, w.CORRECT_EARLY, "what"))
        await robot.act(number, "correct", wrong, key=w.key_of(number, w.CORRECT_EARLY))
        return True

    # --- once a claim is closed ---------------------------------------------------------------------------------------

    async def _report_twice(self, number: str) -> bool:
        """Somebody else reports the same loss (CLM-3)."""
        file = await self.desk.ask(f"/cases/{number}")
        key = w.key_of(number, w.REPORT_TWICE)
        teller = self._one_of({SERVICE}, number)
        made = await teller.ask("POST", "/claims", what="report", key=key, body=second_report(file))
        self.duplicates[made["number"]] = number
        return True

    async def _object_late(self, number: str) -> bool:
        return await self._object(number, w.OBJECT_LATE)

    async def _object(self, number: str, wish: str) -> bool:
        """Only who got less than they asked for objects, once."""
        if not await self.customers.objects(number, w.key_of(number, wish)):
            return False
        self._done[number] |= {w.OBJECT_EARLY, w.OBJECT_LATE}
        self.happened[w.OBJECT_EARLY] += wish == w.OBJECT_EARLY
        return True

    async def _reverse(self, number: str) -> bool:
        file = await self.desk.ask(f"/cases/{number}")
        paid = next((p for p in file["payments"] if p["status"] == "confirmed"), None)
        if paid is None:
            return False
        outcome = {"payment_id": paid["id"], "why": "wrong_payee"}
        asker = self._one_of(ADJUSTERS, number)
        await asker.act(number, "reverse_payment", outcome, key=w.key_of(number, w.REVERSE))
        return True

    async def _correct_late(self, number: str) -> bool:
        """Paid too much or too little: an assessed amount was wrong."""
        file = await self.desk.ask(f"/cases/{number}")
        wrong = late_correction(file, chance(self.seed, number, w.CORRECT_LATE, "what").random())
        if not wrong:
            return False
        asker = self._one_of(ADJUSTERS, number)
        await asker.act(number, "correct", wrong, key=w.key_of(number, w.CORRECT_LATE))
        return True

    async def _reopen(self, number: str) -> bool:
        stage = chance(self.seed, number, "reopen at").choice(STAGES)
        body = {"stage": stage, "reason": "New papers came in."}
        somebody = self._one_of({SENIOR, LEAD}, number)
        await somebody.ask("POST", f"/cases/{number}/reopen", what="reopen", body=body)
        return True

    async def _recover(self, number: str) -> bool:
        """Whoever is liable is asked for a part of what was paid."""
        file = await self.desk.ask(f"/cases/{number}")
        amount = part_of(Decimal(file["paid_amount"]), 0.3)
        if not amount:
            return False
        outcome = {"recovery": "subrogation", "expected_amount": str(amount), "counterparty": "Liable party"}
        await self._one_of(ADJUSTERS, number).act(number, "open_recovery", outcome, key=w.key_of(number, w.RECOVER))
        return True

    async def _book_receipts(self, number: str) -> bool:
        """What is expected comes in whole, and the recovery is closed."""
        file = await self.desk.ask(f"/cases/{number}")
        clerk, found = self._one_of(ADJUSTERS, number), [r for r in file["recoveries"] if r["status"] == "open"]
        for recovery in found:
            key = f"{w.key_of(number, w.BOOK_RECEIPTS)}-{recovery['id']}"
            left = Decimal(recovery["expected_amount"]) - Decimal(recovery["received_amount"])
            if left > 0:
                await clerk.act(number, "record_receipt", receipt(recovery, left, file), key=key)
            outcome = {"recovery_id": recovery["id"], "reason": "received"}
            await clerk.act(number, "close_recovery", outcome, key=f"{key}-close")
        return bool(found)


DEEDS: dict[str, Callable[[Initiative, str], Awaitable[bool]]] = {
    w.REPORT_TWICE: Initiative._report_twice,
    w.OBJECT_LATE: Initiative._object_late,
    w.REVERSE: Initiative._reverse,
    w.CORRECT_LATE: Initiative._correct_late,
    w.REOPEN_PAID: Initiative._reopen,
    w.REOPEN_DENIED: Initiative._reopen,
    w.RECOVER: Initiative._recover,
    w.BOOK_RECEIPTS: Initiative._book_receipts,
}
