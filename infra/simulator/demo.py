"""The demo: a lively set of claims in all stages, moved along by its cast through the public API."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from time import monotonic

from sqlmodel import col, select

from infra.simulator import choices
from infra.simulator.bank import Bank
from infra.simulator.choices import Answer, Asked
from infra.simulator.client import Api, Json, Refused
from infra.simulator.customers import Customers, FrontDesk
from infra.simulator.demo_data import CAST, PAID, PASSWORD, PEOPLE, DemoClaim, by_target, demo_claims
from infra.simulator.demo_steps import ANSWERED, IN_THE_WAY, PATHS, missing_some
from infra.simulator.opinions import NOTES
from infra.simulator.questions import part_of
from infra.simulator.staff import NEEDS_NOTES, Account
from lian.auth.actor import Actor
from lian.db.tables import IdempotencyKey
from lian.domain.claims.fnol import PersonGiven
from lian.domain.errors import Conflict
from lian.domain.parties import Channel
from lian.services.accounts import NewStaff, create_staff
from lian.services.context import Context
from lian.services.intake import report_claim
from lian.services.opening import intakes, open_case
from lian.services.policies import put_policy
from lian.storage.bank_files import PaymentOrder

TELLER = Actor(id="system:demo", name="Demo", roles=("customer_service",))
CASES_AT_ONCE = 8
PATIENCE, POLL = 60.0, 0.15
TO_TRACK = ("waiting_for_customer", "paid")


class TooSlow(Exception):
    """A case did not come to the step the demo waits for."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What the demo tells whoever started it: how many claims are new, and two cases to track."""

    new: int
    waiting: str
    paid: str
    not_finished: tuple[str, ...] = ()


async def fill(context: Context, api: Api) -> Sight:
    """Make the cast, the policies and the claims that are not there yet, and move the new claims along."""
    claims = demo_claims(context.now())
    await _hire(context)
    known = await _numbers(context, claims)
    fresh: dict[str, DemoClaim] = {}
    for claim in claims:
        if claim.key not in known:
            await put_policy(context, TELLER, claim.policy)
            answer, _ = await report_claim(context, TELLER, claim.report, channel=claim.channel, key=claim.key)
            known[claim.key] = answer.number
            fresh[answer.number] = claim
    await _open_others(context)
    unfinished = await _move(context, api, fresh) if fresh else []
    waiting, paid = (known[by_target(claims, target)[0].key] for target in TO_TRACK)
    return Sight(len(fresh), waiting, paid, tuple(unfinished))


async def _hire(context: Context) -> None:
    for username, name, role in CAST:
        with suppress(Conflict):  # there since an earlier time, perhaps with another password
            await create_staff(context, None, NewStaff(username=username, name=name, password=PASSWORD, roles=(role,)))


async def _open_others(context: Context) -> None:
    """The examples of every kind that is opened with a form, waiting for somebody."""
    for kind, intake in intakes().values():
        for n, answers in enumerate(intake.examples):
            reporter = PersonGiven(name=PEOPLE[n], phone=f"1380000{n:04d}")
            key = f"demo:{kind.id}:{n}"
            await open_case(context, TELLER, kind.id, answers=answers, reporter=reporter, channel=Channel.WEB, key=key)


async def _numbers(context: Context, claims: Sequence[DemoClaim]) -> dict[str, str]:
    """Which of the demo's claims were reported before: key to case number."""
    keys = [claim.key for claim in claims]
    query = select(IdempotencyKey).where(IdempotencyKey.scope == TELLER.id, col(IdempotencyKey.key).in_(keys))
    async with context.transaction() as session:
        return {row.key: row.response["number"] for row in (await session.execute(query)).scalars()}


async def _move(context: Context, api: Api, fresh: dict[str, DemoClaim]) -> list[str]:
    """Move the new claims along, several at once; returns those that did not come where they should."""
    paid = {number for number, claim in fresh.items() if claim.target in PAID}
    bank = Bank(context.store, 1, lambda order, random: _pays(order, paid))
    banking = asyncio.create_task(bank.open_hours())
    turns, unfinished = asyncio.Semaphore(CASES_AT_ONCE), list[str]()
    scene = Scene(api, await _signed_in(api))

    async def one(number: str, claim: DemoClaim) -> None:
        async with turns:
            try:
                await scene.play(number, claim)
            except (TooSlow, Refused) as stopped:
                unfinished.append(f"{number} ({claim.target}): {stopped}")

    try:
        await asyncio.gather(*(one(number, claim) for number, claim in fresh.items()))
    finally:
        banking.cancel()
        await asyncio.gather(banking, return_exceptions=True)
    return unfinished


def _pays(order: PaymentOrder, numbers: set[str]) -> tuple[bool, str] | None:
    return (True, "") if order.remittance in numbers else None


async def _signed_in(api: Api) -> dict[str, str]:
    names = ("wang", "chen", "li", "tang", "shen")
    return dict(zip(names, await asyncio.gather(*(api.sign_in(name, PASSWORD) for name in names)), strict=True))


@dataclass(slots=True)
class Scene:
    """The cast and the customers, moving one case after the other along its path."""

    api: Api
    tokens: dict[str, str]
    desk: FrontDesk = field(init=False)
    customers: Customers = field(init=False)

    def __post_init__(self) -> None:
        sun = Account(username="sun", password=PASSWORD, name="", role="customer_service")
        self.desk = FrontDesk(self.api, sun)
        self.customers = Customers(self.api, self.desk, 1)

    async def play(self, number: str, claim: DemoClaim) -> None:
        """Move one claim to where the demo wants it."""
        random = choices.chance(1, claim.key)
        for step in PATHS[claim.target]:
            await self._step(step, number, random)

    async def _step(self, step: str, number: str, random: Random) -> None:
        if step in ANSWERED:
            kind, who, answer = ANSWERED[step]
            await self._answer(number, kind, who, answer)
        else:
            await getattr(self, f"_{step}")(number, random)

    async def _ask(self, number: str, random: Random) -> None:
        await self._answer(number, "initial_review", "wang", lambda asked: missing_some(asked, random))

    async def _send(self, number: str, random: Random) -> None:
        await self.customers.send_items(number, await self.customers.needed(number), random)

    async def _send_some(self, number: str, random: Random) -> None:
        await self.customers.send_items(number, (await self.customers.needed(number))[:1], random)
        await self.customers.write(number, random.choice(choices.MESSAGES))

    async def _hold(self, number: str, random: Random) -> None:
        await self._take(await self._open_task(number, "assess_loss"), "wang")

    async def _settle(self, number: str, random: Random) -> None:
        await self._answer(number, "agree_settlement", "chen", lambda asked: choices.settle(asked, random))

    async def _withdraw(self, number: str, random: Random) -> None:
        await self.customers.withdraw(number)

    async def _object(self, number: str, random: Random) -> None:
        await self._open_task(number, "agree_settlement")
        await self.customers.objects(number, f"demo-{number}")

    async def _correct(self, number: str, random: Random) -> None:
        await self._open_task(number, "adjudicate")
        loss = (await self.desk.ask(f"/cases/{number}"))["exposures"][0]
        after = str(part_of(Decimal(loss["assessed_amount"]), 0.8))
        outcome = {"name": "assessed_amount", "exposure_id": loss["id"], "after": after}
        await self._act(number, "correct", "wang", outcome, "发票重复计算。One invoice was counted twice.")

    async def _recover(self, number: str, random: Random) -> None:
        paid = Decimal((await self.desk.ask(f"/cases/{number}"))["paid_amount"])
        outcome = {"recovery": "subrogation", "expected_amount": str(paid), "counterparty": "肇事方保险公司"}
        await self._act(number, "open_recovery", "chen", outcome, "")

    async def _await_special(self, number: str, random: Random) -> None:
        await self._open_task(number, "examine_suspicion")

    async def _await_judgement(self, number: str, random: Random) -> None:
        await self._open_task(number, "judge_duplicate")

    async def _act(self, number: str, action: str, who: str, outcome: Json, notes: str) -> None:
        path, key = f"/cases/{number}/actions/{action}", f"demo-{number}-{action}"
        body = {"outcome": outcome, "notes": notes}
        await self.api.command(action, "POST", path, token=self.tokens[who], key=key, body=body)

    async def _answer(self, number: str, kind: str, who: str, answer: Answer = choices.agreed) -> None:
        task = await self._take(await self._open_task(number, kind), who)
        asked = Asked(task["id"], kind, number, task["ask"])
        await self.api.command(
            kind,
            "POST",
            f"/tasks/{asked.id}/complete",
            token=self.tokens[who],
            key=f"demo-{asked.id}",
            body={"outcome": answer(asked), "notes": NOTES if kind in NEEDS_NOTES else ""},
        )

    async def _authorise(self, number: str, random: Random) -> None:
        """Only where the decision was above the limit of whoever made it; the lead may always agree."""
        kinds = {"authorise", "agree_settlement"}
        if (await self._open_task(number, *kinds))["kind"] == "authorise":
            await self._answer(number, "authorise", "li")

    async def _take(self, task: Json, who: str) -> Json:
        return await self.api.call("POST", f"/tasks/{task['id']}/claim", token=self.tokens[who])  # type: ignore[no-any-return]

    async def _open_task(self, number: str, *kinds: str) -> Json:
        """The case's open task of one of these kinds, once there is one."""
        deadline = monotonic() + PATIENCE
        while monotonic() < deadline:
            # As somebody who may also see what is suspected.
            file = await self.api.call("GET", f"/cases/{number}", token=self.tokens["li"])
            for task in file["tasks"]:
                if task["status"] != "open":
                    continue
                if task["kind"] in kinds:
                    return task  # type: ignore[no-any-return]
                if task["kind"] in IN_THE_WAY:
                    await self._answer(number, task["kind"], IN_THE_WAY[task["kind"]])
            await asyncio.sleep(POLL)
        raise TooSlow(f"no task {' or '.join(kinds)}")

    async def _until_closed(self, number: str, random: Random) -> None:
        deadline = monotonic() + PATIENCE
        while monotonic() < deadline:
            if (await self.desk.ask(f"/cases/{number}"))["status"] == "closed":
                return
            await asyncio.sleep(POLL * 3)
        raise TooSlow("it did not close")
