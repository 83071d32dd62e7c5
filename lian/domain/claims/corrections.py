"""Correcting a recorded mistake: what may be corrected, what it means, what it brings about (CLM-15).

A figure that bears on what is payable changes money, so a second person must agree before it counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from lian.domain.claims.fnol import EARLIEST_LOSS, LARGEST_AMOUNT
from lian.domain.claims.terms import LossCause
from lian.domain.errors import Invalid
from lian.domain.labels import Label
from lian.domain.money import parse_amount


@dataclass(frozen=True, slots=True)
class Correctable:
    """One figure: its words, how its text is read, and whether what is payable depends on it."""

    label: Label
    read: Callable[[str], Any]
    changes_money: bool
    of_exposure: bool = False


def _instant(text: str) -> datetime:
    """As typed, without a zone, it is only looked at; the desk adds the office's zone before it counts."""
    moment = datetime.fromisoformat(text)
    if (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) < EARLIEST_LOSS:
        raise ValueError
    return moment


def _amount(text: str) -> Decimal:
    amount = parse_amount(text)
    if not 0 <= amount <= LARGEST_AMOUNT:
        raise ValueError
    return amount


def _people(text: str) -> int:
    count = int(text)
    if not 0 <= count <= 1000:
        raise ValueError
    return count


def _policy_number(text: str) -> str:
    if not text.strip() or len(text) > 80:
        raise ValueError
    return text.strip()


CORRECTABLE: dict[str, Correctable] = {
    "loss_at": Correctable(Label("Time of loss", "出险时间"), _instant, changes_money=True),
    "loss_cause": Correctable(Label("Cause of loss", "出险原因"), LossCause, changes_money=True),
    "policy_number": Correctable(Label("Policy", "保单号"), _policy_number, changes_money=True),
    "claimed_amount": Correctable(Label("Claimed amount", "索赔金额"), _amount, changes_money=True, of_exposure=True),
    "assessed_amount": Correctable(Label("Assessed loss", "核定损失"), _amount, changes_money=True, of_exposure=True),
    "injured": Correctable(Label("Number of people injured", "受伤人数"), _people, changes_money=False),
    "received_at": Correctable(Label("When the report was received", "报案受理时间"), _instant, changes_money=False),
}


def check_value(name: str, after: str) -> None:
    """Raise `Invalid` when the text is not a value of this figure."""
    try:
        CORRECTABLE[name].read(after)
    except (ValueError, Invalid):
        raise Invalid("That is not a possible value here.", field="after") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Where the case stands, as far as a correction's effects depend on it."""

    is_closed: bool
    done: frozenset[str]
    """Stages that lie behind."""
    open_tasks: tuple[Label, ...]
    running_clocks: tuple[Label, ...]
    paid_amount: Decimal


EFFECTS = {
    "second_person": Label("A second person must agree first.", "须先经第二人审批。"),
    "decided_anew": Label("The claim will be decided anew.", "案件将重新作出决定。"),
    "open_again": Label("The closed case is open until that is done.", "已结案件将重新打开直至处理完毕。"),
    "difference": Label(
        "What is missing will be paid, what was paid too much claimed back.", "少付部分补付，多付部分追回。"
    ),
    "asked_anew": Label("Will be asked anew", "将重新派发"),
    "clock_moves": Label("This promise runs from the corrected time", "时限将按更正后的时间起算"),
    "only_record": Label("Only the record changes.", "仅更正登记内容。"),
}


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing a correction brings about; `about` names the task or clock."""

    code: str
    about: Label | None = None


def effects_of(name: str, situation: Situation) -> tuple[Effect, ...]:
    """What follows from correcting this figure now, in the order it happens."""
    figure = CORRECTABLE[name]
    found: list[Effect] = []
    if figure.changes_money:
        found.append(Effect("second_person"))
    if situation.is_closed:
        found.append(Effect("open_again"))
    if figure.changes_money:
        found += _effects_on_decision(situation)
    if name == "received_at":
        found += [Effect("clock_moves", clock) for clock in situation.running_clocks]
    return tuple(found) or (Effect("only_record"),)


def _effects_on_decision(situation: Situation) -> list[Effect]:
    if "decision" not in situation.done:
        return [Effect("asked_anew", task) for task in situation.open_tasks]
    more = [Effect("difference")] if situation.paid_amount else []
    return [Effect("decided_anew"), *more]
