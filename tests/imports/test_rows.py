"""One row of a claims file, read through the shipped mapping."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from lian.domain.claims.import_rows import BadRow, read_row
from lian.domain.claims.terms import LossCause
from tests.imports.builders import REAL_FILE, default_mapping, row

MAPPING = default_mapping()


def test_a_row_becomes_the_policy_it_mentions() -> None:
    terms = read_row(MAPPING, row()).terms
    assert (terms.policy_number, terms.line, terms.currency, terms.zone) == (
        "367455",
        "motor",
        "USD",
        "America/New_York",
    )
    assert (terms.term_from, terms.term_to) == (date(2014, 6, 6), None)
    limits = {c.code: (c.limit, c.deductible) for c in terms.coverages}
    assert limits == {
        "BI": (Decimal(500_000), Decimal(0)),
        "PD": (Decimal(250_000), Decimal(0)),
        "OD": (Decimal(100_000), Decimal(1000)),
    }


@pytest.mark.req("CLM-1")
def test_a_row_becomes_a_report_whose_losses_add_up_to_its_total() -> None:
    report = read_row(MAPPING, row()).report
    assert report.loss_cause is LossCause.SINGLE_VEHICLE
    assert report.loss_at.astimezone(UTC) == datetime(2015, 2, 18, 1, tzinfo=UTC)
    assert report.reported_at == report.loss_at
    assert report.place == "3041 3rd Ave, Arlington, NY"
    assert {loss.coverage_code: loss.claimed_amount for loss in report.losses} == {"BI": 1300, "PD": 650, "OD": 4550}
    assert report.claimed_amount == Decimal(6500)
    assert report.reporter.email == "policyholder.367455@example.com"


def test_a_sentence_with_an_unknown_cell_is_left_out_of_the_course() -> None:
    told = read_row(MAPPING, row(collision_type="?", police_report_available="")).report.course
    assert told.startswith("Single Vehicle Collision, Minor Damage. Vehicles involved: 1.")
    assert "Police report" not in told
    assert "?" not in told


def test_a_loss_of_nothing_is_left_out() -> None:
    report = read_row(MAPPING, row(injury_claim="0", total_claim_amount="5200")).report
    assert [loss.coverage_code for loss in report.losses] == ["PD", "OD"]


def test_the_key_tells_the_claim_and_not_its_line() -> None:
    assert read_row(MAPPING, row()).key == "import:367455:2015-02-17"
    assert read_row(MAPPING, row(incident_hour_of_the_day="23")).key == "import:367455:2015-02-17"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"policy_number": ""}, "policy_number: it is empty."),
        ({"policy_number": "9" * 65}, "policy_number: it is longer than 64 characters."),
        ({"incident_date": "17.02.2015"}, "incident_date: it is not a date written like 2015-01-31."),
        ({"incident_date": "2015-02-30"}, "incident_date: it is not a date written like 2015-01-31."),
        ({"incident_hour_of_the_day": "24"}, "incident_hour_of_the_day: an hour lies between 0 and 23."),
        ({"incident_hour_of_the_day": "-1"}, "incident_hour_of_the_day: it must be a whole number of zero or more."),
        ({"incident_type": "Meteor"}, "incident_type: this word is not in the mapping's list."),
        ({"policy_csl": "250"}, "policy_csl: it must have 2 parts separated by '/'."),
        ({"policy_csl": "250/x"}, "policy_csl: an amount must be a number such as 1200.50."),
        ({"vehicle_claim": "-4550"}, "vehicle_claim: an amount cannot be negative."),
        ({"vehicle_claim": "NaN"}, "vehicle_claim: an amount must be a number such as 1200.50."),
        ({"vehicle_claim": "1e5"}, "vehicle_claim: an amount must be a number such as 1200.50."),
        ({"vehicle_claim": ""}, "vehicle_claim: it is empty."),
        ({"bodily_injuries": "1.5"}, "bodily_injuries: it must be a whole number of zero or more."),
        (
            {"total_claim_amount": "6501"},
            "injury_claim + property_claim + vehicle_claim add up to 6500.00, but total_claim_amount says 6501.00.",
        ),
        (
            {"injury_claim": "0", "property_claim": "0", "vehicle_claim": "0", "total_claim_amount": "0"},
            "Every loss is 0: nothing is claimed.",
        ),
        (
            {"incident_city": "a\x00b"},
            "incident_city: it has bytes or characters that are not readable text (UTF-8).",
        ),
        (
            {"incident_city": "\udcff"},
            "incident_city: it has bytes or characters that are not readable text (UTF-8).",
        ),
    ],
)
def test_a_bad_row_is_refused_in_plain_words(changes: dict[str, str], reason: str) -> None:
    with pytest.raises(BadRow) as refused:
        read_row(MAPPING, row(**changes))
    assert refused.value.message == reason


@pytest.mark.skipif(not REAL_FILE.exists(), reason=f"the real claims are not on this machine ({REAL_FILE})")
def test_every_row_of_the_real_file_maps_and_adds_up() -> None:
    with REAL_FILE.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    claims = [read_row(MAPPING, each) for each in rows]
    assert len(claims) == 588
    assert len({claim.key for claim in claims}) == 588
    assert [claim.report.claimed_amount for claim in claims] == [Decimal(r["total_claim_amount"]) for r in rows]
