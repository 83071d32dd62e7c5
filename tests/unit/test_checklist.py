"""The document checklist: what is asked for, once and completely."""

from __future__ import annotations

from itertools import product

import pytest

from lian.domain.claims.checklist import ALWAYS, DOCUMENT_LABELS, checklist, missing_items
from lian.domain.claims.terms import CAUSE_LABELS, LINE_LABELS, Line, LossCause

pytestmark = pytest.mark.req("CLM-5")


def codes(line: Line, loss_cause: LossCause, injured: int = 0) -> list[str]:
    return [item.code for item in checklist(line=line, loss_cause=loss_cause, injured=injured)]


@pytest.mark.parametrize(("line", "loss_cause", "injured"), list(product(Line, LossCause, (0, 2))))
def test_every_claim_is_asked_for_four_to_eight_different_items(
    line: Line, loss_cause: LossCause, injured: int
) -> None:
    asked = codes(line, loss_cause, injured)
    assert 4 <= len(asked) <= 8
    assert len(set(asked)) == len(asked)
    assert set(ALWAYS) <= set(asked)


def test_a_collision_with_injured_people_asks_for_both_repair_and_treatment() -> None:
    assert codes(Line.MOTOR, LossCause.COLLISION, injured=1) == [
        *("identity", "policy", "bank_account", "driving_licence", "accident_proof"),
        *("diagnosis", "medical_invoices", "repair_estimate"),
    ]


def test_a_theft_asks_for_the_police_report_and_no_repair() -> None:
    asked = codes(Line.MOTOR, LossCause.THEFT)
    assert "police_report" in asked
    assert "repair_estimate" not in asked


def test_a_health_claim_asks_for_the_treatment_even_when_nobody_was_hurt() -> None:
    assert {"diagnosis", "medical_invoices", "medical_records"} <= set(codes(Line.HEALTH, LossCause.ILLNESS))


def test_a_parked_car_without_injury_asks_for_little() -> None:
    asked = codes(Line.MOTOR, LossCause.PARKED)
    assert "diagnosis" not in asked
    assert "repair_estimate" in asked


def test_what_is_missing_is_every_required_item_not_received() -> None:
    items = checklist(line=Line.MOTOR, loss_cause=LossCause.PARKED, injured=0)
    missing = missing_items(items, {"identity", "repair_estimate", "something_else"})
    assert [item.code for item in missing] == ["bank_account", "driving_licence"]


def test_nothing_is_missing_once_every_required_item_is_here() -> None:
    items = checklist(line=Line.PROPERTY, loss_cause=LossCause.FIRE, injured=0)
    assert missing_items(items, [item.code for item in items if item.required]) == ()


def test_the_policy_we_hold_ourselves_is_never_waited_for() -> None:
    items = checklist(line=Line.HEALTH, loss_cause=LossCause.ILLNESS, injured=0)
    assert "policy" not in {item.code for item in missing_items(items, ())}


def test_every_name_is_given_in_both_languages() -> None:
    for labels in (DOCUMENT_LABELS, LINE_LABELS, CAUSE_LABELS):
        assert all(label.en and label.zh for label in labels.values())
    assert set(LINE_LABELS) == set(Line)
    assert set(CAUSE_LABELS) == set(LossCause)
