"""Mappings are data: every word is known, or refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lian.domain.claims.import_mapping import BadMapping, read_mapping
from lian.domain.claims.import_rows import read_row
from lian.services.claim_import import load_mapping
from tests.imports.builders import default_data, row

Data = dict[str, Any]


def test_the_shipped_mapping_names_the_columns_it_needs() -> None:
    columns = load_mapping().columns
    assert {"policy_number", "policy_csl", "incident_date", "injury_claim", "total_claim_amount"} <= columns
    assert "fraud_reported" not in columns


def _drop_number(data: Data) -> None:
    del data["policy"]["number"]


def _two_sources(data: Data) -> None:
    data["policy"]["number"] = {"column": "a", "template": "{b}"}


def _slip(data: Data) -> None:
    data["claim"]["casue"] = "fire"


def _part_alone(data: Data) -> None:
    data["policy"]["coverages"][0]["limit"] = {"column": "a", "part": 1}


def _unknown_coverage(data: Data) -> None:
    data["claim"]["losses"][0]["coverage"] = "XX"


def _odd_format(data: Data) -> None:
    data["policy"]["term_from"] = {"column": "a", "formats": ["%d/%m"]}


def _odd_role(data: Data) -> None:
    data["policy"]["people"]["butler"] = {"name": "x"}


def _zero_times(data: Data) -> None:
    data["policy"]["coverages"][0]["limit"] = {"column": "a", "times": 0}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_drop_number, "[policy]: `number` is missing."),
        (_two_sources, "[policy.number]: it needs exactly one of `column`, `template` and `constant`."),
        (_slip, "[claim]: `casue` is not a word of mappings."),
        (_part_alone, "[policy.coverages.limit]: `separator` and `part` belong together; the first part is 1."),
        (_unknown_coverage, "[claim.losses]: the policy has no coverage `XX`."),
        (_odd_format, "[policy.term_from]: `formats` need day, month and year, such as %d/%m/%Y."),
        (_odd_role, "[policy.people]: there is no role `butler`."),
        (_zero_times, "[policy.coverages.limit]: `times` must be a number above zero."),
    ],
)
def test_a_wrong_mapping_is_refused_naming_the_place(change: Callable[[Data], None], sentence: str) -> None:
    data = default_data()
    change(data)
    with pytest.raises(BadMapping) as refused:
        read_mapping(data)
    assert refused.value.message == sentence


def test_a_mapping_may_spell_dates_and_tell_claims_apart_otherwise() -> None:
    data = default_data()
    data["claim"]["loss_at"]["date"] = {"column": "incident_date", "formats": ["%d/%m/%Y", "%Y-%m-%d"]}
    data["claim"]["identity"] = [{"column": "incident_hour_of_the_day"}]
    claim = read_row(read_mapping(data), row(incident_date="17/02/2015"))
    assert claim.key == "import:367455:2015-02-17:20"


def test_a_template_only_ever_inserts_cells() -> None:
    data = default_data()
    data["claim"]["place"] = {"template": "{incident_city}"}
    report = read_row(read_mapping(data), row(incident_city="{policy_number.__class__} %s $(id)")).report
    assert report.place == "{policy_number.__class__} %s $(id)"


def test_a_mapping_that_is_no_toml_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("name = [", encoding="utf-8")
    with pytest.raises(BadMapping, match="is not a TOML file"):
        load_mapping(path)
    with pytest.raises(BadMapping, match="cannot be read"):
        load_mapping(tmp_path / "absent.toml")
