"""What comes in just as something ends: the case, one of its histories, a panel. Accepted or refused, never lost."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from temporalio.exceptions import ApplicationError

from lian.db.tables import Decision, Payment, RecoveryClaim, Task
from lian.domain.messages import Act, CompleteTask, Withdraw
from tests.workflows.hands import usual_answer
from tests.workflows.plain import Plain, RolledOver
from tests.workflows.test_state_machine import STAFF, AnyClaim

UNAVAILABLE, CONFLICT = "unavailable", "conflict"
SENIORS = sorted(STAFF, key=lambda who: -STAFF[who])


@pytest.fixture
def claim() -> Iterator[AnyClaim]:
    """A claim just reported, with one claimant."""
    found = AnyClaim()
    found.report(claimed=Decimal(3_000), is_risky=False, is_known=False, low_ceiling=False, second=2)
    yield found
    found.teardown()


def an_act(claim: AnyClaim, action: str, *, by: str = "staff:lead", **outcome: Any) -> Act:
    return Act(command_id=claim.fresh(), action=action, actor=by, authority=STAFF[by], outcome=outcome, notes="because")


def open_task(claim: AnyClaim, kind: str) -> Task:
    return next(t for t in claim.open_tasks() if t.kind == kind)


def an_answer(claim: AnyClaim, kind: str, **outcome: Any) -> CompleteTask:
    """By the most senior person who may."""
    task = open_task(claim, kind)
    by = next(who for who in SENIORS if who not in task.excluded)
    return CompleteTask(
        command_id=claim.fresh(), task_id=task.id, actor=by, authority=STAFF[by], outcome=outcome, notes="because"
    )


def a_decision(claim: AnyClaim, **changes: Any) -> CompleteTask:
    """As proposed, but for the changes to every exposure and to the whole."""
    of_each = {key: changes.pop(key) for key in ("result", "payable_amount", "reason") if key in changes}
    rows = usual_answer("adjudicate", open_task(claim, "adjudicate").ask)["decisions"]
    return an_answer(claim, "adjudicate", decisions=[row | of_each for row in rows], **changes)


def go_on_to(claim: AnyClaim, kind: str) -> None:
    """The ordinary way until this is asked."""
    while not any(t.kind == kind for t in claim.open_tasks()):
        claim.one_ordinary_step()


def transfer_of(claim: AnyClaim) -> UUID:
    """The ordinary way until the bank has a transfer."""
    while not claim.of(Payment):
        claim.one_ordinary_step()
    (payment,) = claim.of(Payment)
    assert isinstance(payment.id, UUID)
    return payment.id


def types_of(plain: Plain) -> list[str]:
    return [event.TYPE for _, event in plain.events]


def refused(claim: AnyClaim, name: str, command: Any) -> str | None:
    with pytest.raises(ApplicationError) as refusal:
        claim.plain.say(name, command)
    return refusal.value.type


# --- the case ---------------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-11", "CLM-15")
def test_what_comes_between_the_decided_end_and_its_record_is_refused_for_the_next_life(claim: AnyClaim) -> None:
    plain, transfer = claim.plain, transfer_of(claim)
    back = plain.what_came_back(transfer)
    plain.is_away = True
    plain.bank_says(transfer, "confirmed")
    assert "case.closed" not in types_of(plain)
    assert refused(claim, "act", an_act(claim, "object", grounds="amount")) == UNAVAILABLE
    assert refused(claim, "take_back", back) == UNAVAILABLE
    plain.is_away = False
    plain.settle()
    assert (claim.case.outcome, types_of(plain)[-1]) == ("paid", "case.closed")


@pytest.mark.req("CLM-15")
def test_what_waited_for_its_turn_while_the_case_was_withdrawn_is_refused(claim: AnyClaim) -> None:
    plain = claim.plain
    plain.is_away = True
    answer = plain.begin("complete_task", an_answer(claim, "initial_review", complexity="simple", missing=[]))
    withdrawal = plain.begin("withdraw", Withdraw(command_id="w", actor="customer:zhao"))
    referral = plain.begin("act", an_act(claim, "refer", why="fraud"))
    assert not any(command.done() for command in (answer, withdrawal, referral))
    plain.is_away = False
    plain.settle()
    assert (answer.done(), withdrawal.result().command_id, claim.case.outcome) == (True, "w", "withdrawn")
    with pytest.raises(ApplicationError) as late:
        referral.result()
    assert late.value.type == UNAVAILABLE
    assert "risk.referred" not in types_of(plain)


def test_a_command_given_again_while_the_case_closes_is_answered_as_before(claim: AnyClaim) -> None:
    plain = claim.plain
    withdrawal = Withdraw(command_id="w", actor="customer:zhao")
    plain.say("withdraw", withdrawal)
    assert plain.say("withdraw", withdrawal).command_id == "w"


# --- a history --------------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-14")
def test_a_matter_begun_while_the_old_history_comes_to_rest_keeps_it(claim: AnyClaim) -> None:
    plain = claim.plain
    plain.is_history_long = plain.is_away = True
    review = plain.begin("complete_task", an_answer(claim, "initial_review", complexity="simple", missing=[]))
    referral = plain.begin("act", an_act(claim, "refer", why="fraud"))
    plain.is_away = False
    plain.settle()
    assert (review.done(), referral.done(), claim.is_live) == (True, True, True)
    assert "examine_suspicion" in {t.kind for t in claim.open_tasks()}


def test_a_long_history_at_rest_is_rolled_over(claim: AnyClaim) -> None:
    claim.plain.is_history_long = True
    claim.plain.say("complete_task", an_answer(claim, "initial_review", complexity="simple", missing=[]))
    with pytest.raises(RolledOver):
        claim.plain.outcome()


# --- a panel ----------------------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-8", "CLM-9")
def test_nobody_overrules_a_panel_that_has_decided_while_its_minutes_are_written(claim: AnyClaim) -> None:
    go_on_to(claim, "adjudicate")
    claim.plain.say("complete_task", a_decision(claim, panel="majority"))
    claim.plain.are_letters_slow = True
    while any(t.kind == "panel_vote" for t in claim.open_tasks()):
        claim.plain.say("complete_task", an_answer(claim, "panel_vote", vote="disagree"))
    over = an_act(claim, "override_authority", by="staff:lead", why="court_order")
    assert refused(claim, "act", over) == CONFLICT
    claim.plain.are_letters_slow = False
    claim.plain.settle()
    assert [d.status for d in claim.of(Decision)] == ["returned"]
    assert {t.kind for t in claim.open_tasks()} == {"adjudicate"}


# --- a payment --------------------------------------------------------------------------------------------------------


@pytest.fixture
def paid(claim: AnyClaim) -> UUID:
    """Paid, closed, and open again since the customer objects."""
    transfer = transfer_of(claim)
    claim.plain.bank_says(transfer, "confirmed")
    claim.live_again("aftercare", an_act(claim, "object", by="customer:zhao", grounds="amount"))
    return transfer


@pytest.mark.req("CLM-10")
def test_a_reversal_agreed_to_before_the_return_is_heard_of_stands(claim: AnyClaim, paid: UUID) -> None:
    plain = claim.plain
    plain.say("act", an_act(claim, "reverse_payment", payment_id=str(paid), why="wrong_payee"))
    back = plain.what_came_back(paid)
    plain.say("complete_task", an_answer(claim, "approve_reversal", agree=True))
    assert refused(claim, "take_back", back) == CONFLICT
    assert [p.status for p in claim.of(Payment)] == ["reversed"]


@pytest.mark.req("CLM-10")
def test_a_return_heard_of_before_the_reversal_is_agreed_to_leaves_nothing_to_reverse(
    claim: AnyClaim, paid: UUID
) -> None:
    plain = claim.plain
    plain.say("act", an_act(claim, "reverse_payment", payment_id=str(paid), why="wrong_payee"))
    plain.say("take_back", plain.what_came_back(paid))
    plain.say("complete_task", an_answer(claim, "approve_reversal", agree=True))
    assert [p.status for p in claim.of(Payment)] == ["returned"]
    assert claim.of(RecoveryClaim) == []
    assert claim.case.paid_amount == 0


@pytest.mark.req("CLM-10", "CLM-15")
def test_a_return_read_before_an_overpayment_was_booked_is_read_again(claim: AnyClaim, paid: UUID) -> None:
    plain, amount = claim.plain, claim.case.paid_amount
    plain.say("complete_task", an_answer(claim, "review_objection", result="changed"))
    early, plain.are_letters_slow = plain.what_came_back(paid), True
    denied = a_decision(claim, result="deny", payable_amount="0", reason="evidence_insufficient")
    plain.say("complete_task", denied)
    (recovery,) = claim.of(RecoveryClaim)
    assert (recovery.expected_amount, claim.case.paid_amount) == (amount, 0)
    assert refused(claim, "take_back", early) == CONFLICT
    plain.say("take_back", plain.what_came_back(paid))
    assert (recovery.expected_amount, claim.case.paid_amount, claim.facts.outstanding) == (0, 0, 0)
