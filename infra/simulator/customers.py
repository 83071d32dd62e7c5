"""Robot customers: they sign in with case number and one-time code, send what is asked, and sometimes give up."""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from uuid import uuid4

from infra.simulator import choices, papers
from infra.simulator.client import Api, Json, Refused
from infra.simulator.questions import Asked, chance
from infra.simulator.staff import UNAUTHORISED, Account
from lian.domain.case_kinds import NOT_WAITED_FOR

CODE = re.compile(r"\b([0-9]{6})\b")
NOTICES = 100
PAUSE_BETWEEN_GOES = 1.0
LETTER_TRIES, LETTER_SECONDS = 60, 0.5
WITHDRAW_WAITS = (1, 2, 4, 0)
NO_LONGER = frozenset({"conflict", "not_found"})
LATER = frozenset({"too_many", "not_signed_in"})
LESS = frozenset({"partial", "deny"})
GROUNDS = ("amount", "coverage", "facts", "process", "other")


class NoCode(Exception):
    """The code that was asked for never showed among the notices."""


@dataclass(slots=True)
class FrontDesk:
    """The customer service robot: it reads the outbox page, as somebody on the phone would."""

    api: Api
    account: Account
    token: str = ""

    async def ask(self, path: str, **query: str | int) -> Json:
        """A reading call under its account."""
        token = await self.signed_in()
        try:
            return await self.api.call("GET", path, token=token, query=query)  # type: ignore[no-any-return]
        except Refused as refused:
            if refused.status != UNAUTHORISED:
                raise
        self.token = ""
        return await self.api.call("GET", path, token=await self.signed_in(), query=query)  # type: ignore[no-any-return]

    async def signed_in(self) -> str:
        """Its session's token."""
        if not self.token:
            self.token = await self.api.sign_in(self.account.username, self.account.password)
        return self.token

    async def code_of(self, number: str) -> str:
        """The newest code that was sent for a case; empty when there is none among the newest notices."""
        notices = await self.ask("/notices", limit=NOTICES)
        for notice in notices["items"]:
            if notice["subject"].startswith(f"{number}:") and "code" in notice["subject"]:
                found = CODE.search(notice["body"])
                return found[1] if found else ""
        return ""


@dataclass(slots=True)
class Customers:
    """All customers; each is a case number with what it does next."""

    api: Api
    desk: FrontDesk
    seed: int
    busy: Counter[str] = field(default_factory=Counter)
    sending: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)
    _visits: Counter[str] = field(default_factory=Counter)
    _tokens: dict[str, str] = field(default_factory=dict)
    _todo: asyncio.Queue[tuple[str, Callable[[], Awaitable[object]]]] = field(default_factory=asyncio.Queue)
    _turns: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    def hear_documents(self, number: str) -> None:
        """A customer is asked for documents; whoever is about to send some anyway need not be told twice."""
        if number not in self.sending:
            self.sending.add(number)
            self.hear(number, lambda: self.send_documents(number))

    def hear(self, number: str, what: Callable[[], Awaitable[object]]) -> None:
        """A customer has something to do; what the same one has to do is done one after the other."""
        self.busy[number] += 1
        self._todo.put_nowait((number, what))

    async def act(self) -> None:
        """Act for one customer after the other until cancelled; several of these run side by side."""
        while True:
            number, what = await self._todo.get()
            try:
                async with self._turns[number]:
                    await what()
            except NoCode:
                pass  # heard of again when open requests are looked through
            except Refused as refused:
                if refused.code not in NO_LONGER | LATER:
                    self.violations.append(f"{number}: {refused}")
            finally:
                self.sending.discard(number)
                self.busy[number] -= 1

    @property
    def is_idle(self) -> bool:
        """Whether no customer has anything to do."""
        return not self.busy.total()

    async def withdraw(self, number: str) -> None:
        """Give the claim up; once the settlement is agreed it is too late, which is an answer too."""
        self.given_up.add(number)
        key, body = f"robot-{number}-withdraw", {"reason": "The damage was repaired."}
        for wait in WITHDRAW_WAITS:
            with suppress(Refused):
                await self._as(number, "POST", f"/cases/{number}/withdraw", what="withdraw", key=key, body=body)
                return
            await asyncio.sleep(wait)  # a claim that was just reported may not have been looked at by the system

    async def send_documents(self, number: str) -> None:
        """Send what the open request lists, in one go or two; perhaps with a message."""
        self._visits[number] += 1
        random = chance(self.seed, number, "customer", self._visits[number])
        needed = await self.needed(number)
        for go in choices.goes(needed, random):
            await self.send_items(number, go, random)
            if go[-1] != needed[-1]:
                await asyncio.sleep(PAUSE_BETWEEN_GOES * random.random())
        words = choices.message(random) if needed else ""
        if words:
            await self.write(number, words)

    async def answer(self, asked: Asked, outcome: Json) -> None:
        """Answer what is asked of the customer themselves, in the tracker."""
        body = {"outcome": outcome, "notes": ""}
        what, key = f"{asked.kind} (customer)", f"robot-{asked.id}"
        await self._as(asked.case_number, "POST", f"/tasks/{asked.id}/complete", what=what, key=key, body=body)

    async def objects(self, number: str, key: str) -> bool:
        """Object to a decision that pays less than was asked for; false when it does not."""
        seen = await self._as(number, "GET", f"/track/{number}")
        if not any(exposure["result"] in LESS for exposure in seen["exposures"]):
            return False
        random = chance(self.seed, number, "grounds")
        outcome = {"grounds": random.choice(GROUNDS)}
        body = {"outcome": outcome, "notes": random.choice(choices.OBJECTIONS)}
        await self._as(number, "POST", f"/cases/{number}/actions/object", what="object", key=key, body=body)
        return True

    async def send_items(self, number: str, items: Sequence[str], random: Random) -> None:
        """Send these documents, one after the other."""
        for item in items:
            await self._upload(number, item, random)

    async def write(self, number: str, words: str) -> None:
        """Write us a message."""
        await self._as(number, "POST", f"/cases/{number}/messages", what="message", body={"body": words})

    async def needed(self, number: str) -> list[str]:
        """What is still missing, once the letter that says so is there."""
        for _ in range(LETTER_TRIES):
            seen = await self._as(number, "GET", f"/track/{number}")
            if seen["needed"] or seen["status"] != "open" or seen["stage"] != "documents":
                return [each["item"] for each in seen["needed"] if not each["received"]]
            if not seen["waits_for_customer"] and await self._is_being_checked(number):
                return []
            await asyncio.sleep(LETTER_SECONDS)
        return []

    async def _is_being_checked(self, number: str) -> bool:
        file = await self.desk.ask(f"/cases/{number}")
        return any(task["status"] == "open" and task["kind"] not in NOT_WAITED_FOR for task in file["tasks"])

    async def _upload(self, number: str, item: str, random: Random) -> None:
        words = f"{number} {item} {uuid4()}"
        is_photo = random.random() < choices.SENDS_A_PHOTO
        body = papers.jpeg(words) if is_photo else papers.pdf(words)
        name = f"{item}.jpg" if is_photo else f"{item}.pdf"
        upload = {"data": {"item": item}, "files": {"file": (name, body)}}
        await self._as(number, "POST", f"/cases/{number}/documents", what="upload", upload=upload)

    async def _as(self, number: str, method: str, path: str, *, what: str = "", key: str = "", **how: object) -> Json:
        """A call as this customer."""
        token = self._tokens.get(number) or await self._sign_in(number)
        key = key or (str(uuid4()) if what else "")  # one key for all attempts of this one change
        try:
            return await self._send(token, method, path, what, key, how)
        except Refused as refused:
            if refused.status != UNAUTHORISED:
                raise
        return await self._send(await self._sign_in(number), method, path, what, key, how)

    async def _send(self, token: str, method: str, path: str, what: str, key: str, how: dict[str, object]) -> Json:
        if what:
            return await self.api.command(what, method, path, token=token, key=key, **how)  # type: ignore[no-any-return]
        return await self.api.call(method, path, token=token, **how)  # type: ignore[arg-type, no-any-return]

    async def _sign_in(self, number: str) -> str:
        await self.api.command("code", "POST", f"/track/{number}/code")
        code = await self.desk.code_of(number)
        if not code:
            raise NoCode(number)
        answer = await self.api.command("sign_in", "POST", f"/track/{number}/sessions", body={"code": code})
        self._tokens[number] = token = str(answer["token"])
        return token
