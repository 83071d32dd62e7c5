"""The shipped risk table against the labels of the development data, and the details a claims file gives (CLM-14)."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from lian.domain.claims.import_mapping import BadMapping, read_mapping
from lian.domain.claims.import_rows import read_row
from lian.domain.claims.risk import RiskLevel, check_details
from lian.services.claim_import import UnreadableFile, load_mapping, open_claims
from lian.services.risk_report import Share, measure_file
from tests.command_line import lian
from tests.imports.builders import GOOD, REAL_FILE, csv_text, default_data, default_mapping, row

pytestmark = pytest.mark.req("CLM-14")

MAPPING = default_mapping()
BETTER_BY = 0.20
"""The shipped high level must find at least this much more, as a share of the flagged, than flagging at random."""
LEAST_RECALL = 0.50
MOST_FLAGGED = 0.40
needs_real_rows = pytest.mark.skipif(
    not REAL_FILE.exists(), reason=f"the real claims are not on this machine ({REAL_FILE})"
)


@needs_real_rows
def test_the_high_level_is_worth_an_investigators_time_on_the_development_data() -> None:
    quality = measure_file(REAL_FILE, load_mapping(), label_column="fraud_reported", bad_label="Y")
    high, base = quality.thresholds[RiskLevel.HIGH], quality.base
    print(f"base {base}, high: precision {high.precision}, recall {high.recall}, flagged {high.flagged}")  # noqa: T201
    assert (base.of, quality.rejected) == (588, ())
    assert high.precision.interval is not None
    assert high.precision.interval[0] > (base.rate or 1) + BETTER_BY
    assert (high.recall.rate or 0) > LEAST_RECALL
    assert (high.flagged.rate or 1) < MOST_FLAGGED


@needs_real_rows
def test_medium_and_above_flags_more_and_is_still_better_than_chance() -> None:
    quality = measure_file(REAL_FILE, load_mapping(), label_column="fraud_reported", bad_label="Y")
    medium, high = quality.thresholds[RiskLevel.MEDIUM], quality.thresholds[RiskLevel.HIGH]
    assert medium.flagged.hits >= high.flagged.hits
    assert medium.recall.hits >= high.recall.hits
    assert medium.precision.interval is not None
    assert medium.precision.interval[0] > (quality.base.rate or 1)


@needs_real_rows
def test_the_command_prints_the_figures_and_says_what_the_labels_are() -> None:
    told = lian("report", "risk", "--labels", str(REAL_FILE))
    assert told.exit_code == 0, told.output
    assert "588 labelled claims; base rate 24.5% (144 of 588" in told.output
    assert "set looking at labels of development data" in told.output
    assert "severe_damage" in told.output
    told = lian("report", "risk", "--labels", str(REAL_FILE), "--json")
    assert json.loads(told.output)["thresholds"]["high"]["precision"]["rate"] > 0.5


LABELLED = (*GOOD, "fraud_reported")
BAD = row(incident_severity="Major Damage", total_claim_amount="36850", vehicle_claim="34900")


def labelled(tmp_path: Path, *rows: dict[str, str]) -> Path:
    path = tmp_path / "labelled.csv"
    path.write_text(csv_text(list(rows), header=LABELLED), encoding="utf-8")
    return path


def test_rows_are_counted_against_their_labels(tmp_path: Path) -> None:
    path = labelled(
        tmp_path,
        BAD | {"policy_number": "1", "fraud_reported": "Y"},
        BAD | {"policy_number": "2", "fraud_reported": "N"},
        row(policy_number="3", fraud_reported="Y"),
        row(policy_number="4", fraud_reported="N"),
        row(policy_number="5", fraud_reported=""),
        row(policy_number="6", fraud_reported="Y", vehicle_claim="-1"),
    )
    quality = measure_file(path, MAPPING, label_column="fraud_reported", bad_label="Y")
    high = quality.thresholds[RiskLevel.HIGH]
    assert (high.flagged_bad, high.flagged_good, high.missed_bad, high.passed_good) == (1, 1, 1, 1)
    assert (high.precision, high.recall, high.flagged) == (Share(1, 2), Share(1, 2), Share(2, 4))
    assert (high.f1, quality.lift("severe_damage"), quality.rejected) == (0.5, 1.0, (6, 7))


def test_other_claims_of_the_file_on_the_same_policy_count_as_earlier_ones(tmp_path: Path) -> None:
    path = labelled(
        tmp_path,
        row(incident_date="2015-02-17", fraud_reported="Y"),
        row(incident_date="2015-01-17", fraud_reported="N"),
        row(incident_date="2014-07-17", fraud_reported="N"),
        row(incident_date="2013-12-17", fraud_reported="N"),
    )
    quality = measure_file(path, MAPPING, label_column="fraud_reported", bad_label="Y")
    assert quality.indicators["repeated_claims"] == Share(1, 1)
    assert quality.indicators["earlier_claim"] == Share(0, 2)


def test_a_file_without_labels_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = labelled(tmp_path, row(fraud_reported="N"))
    with pytest.raises(UnreadableFile, match="No row that can be read has the label Y in fraud_reported"):
        measure_file(path, MAPPING, label_column="fraud_reported", bad_label="Y")
    with pytest.raises(UnreadableFile, match="The file has no column checked with labels"):
        measure_file(path, MAPPING, label_column="checked", bad_label="Y")
    told = lian("report", "risk", "--labels", str(tmp_path / "absent.csv"))
    assert told.exit_code == 1


# --- the details of a row ---------------------------------------------------------------------------------------------


@pytest.mark.req("CLM-1")
def test_a_row_gives_its_details_as_codes() -> None:
    details = read_row(MAPPING, row(witnesses="2", property_damage="YES")).report.details
    assert details == {
        "severity": "minor",
        "police_report": "no",
        "authorities": "police",
        "witnesses": "several",
        "vehicles": "one",
        "property_damage": "yes",
        "collision": "rear",
        "hour": "20",
    }
    check_details(details)


def test_a_detail_that_is_missing_blank_or_unknown_is_left_out_and_the_claim_is_not_refused() -> None:
    told = row(incident_severity="Zhao's car burnt", police_report_available="?", witnesses="17")
    details = read_row(MAPPING, told).report.details
    assert details.keys() == {"authorities", "vehicles", "collision", "hour"}


def test_a_file_need_not_have_the_columns_of_details(tmp_path: Path) -> None:
    assert "witnesses" not in MAPPING.columns
    assert MAPPING.optional_columns == {"witnesses", "property_damage"}
    path = tmp_path / "claims.csv"
    path.write_text(csv_text([row()]), encoding="utf-8")
    assert open_claims(path, MAPPING).header == tuple(GOOD)
    twice = (*GOOD, "witnesses", "witnesses")
    path.write_text(csv_text([row()], header=twice), encoding="utf-8")
    with pytest.raises(UnreadableFile, match="more than one column named witnesses"):
        open_claims(path, MAPPING)


def test_the_shipped_mapping_reads_nothing_about_the_person() -> None:
    personal = {"age", "insured_sex", "insured_education_level", "insured_occupation", "insured_hobbies", "insured_zip"}
    assert not personal & (MAPPING.columns | MAPPING.optional_columns)


@pytest.mark.parametrize(
    ("details", "sentence"),
    [
        ('hobby = "chess"', "[claim.details]: `hobby` is not a word of mappings."),
        ('severity = "bad"', "[claim.details.severity]: `bad` is not one of trivial, minor, major, total_loss."),
        (
            'police_report = { column = "p", words = { "YES" = "ja" } }',
            "[claim.details.police_report]: `ja` is not one of yes, no.",
        ),
        (
            'police_report = { column = "p", otherwise = "?" }',
            "[claim.details.police_report]: `?` is not one of yes, no.",
        ),
    ],
)
def test_a_mapping_can_only_give_details_that_exist(details: str, sentence: str) -> None:
    data: dict[str, Any] = default_data()
    data["claim"]["details"] = tomllib.loads(details)
    with pytest.raises(BadMapping) as refused:
        read_mapping(data)
    assert refused.value.message == sentence


def test_a_mapping_without_details_gives_none() -> None:
    data = default_data()
    del data["claim"]["details"]
    assert read_row(read_mapping(data), row()).report.details == {}
