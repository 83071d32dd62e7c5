"""`lian sla check`: a file of cases is answered line by line, or refused in one sentence that names the case."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.embedded.errors import StackError
from lian.domain.errors import Invalid
from lian.services.sla_check import check_file, read_cases
from tests.command_line import lian

pytestmark = pytest.mark.req("CLM-12")

OFFICE = {
    "tz": "Asia/Shanghai",
    "weekend": [5, 6],
    "off": ["2026-03-03"],
    "work": ["2026-03-07"],
    "covered": [None] * 2,
}
CASE = {"id": "A-1", "calendar": "OURS", "start": "2026-03-02T10:00:00+08:00", "duration": 2, "unit": "working_days"}


def file_of(*cases: Any, calendars: Any = None) -> str:
    return json.dumps({"calendars": {"OURS": OFFICE} if calendars is None else calendars, "cases": cases})


def refusal(text: str) -> str:
    with pytest.raises(Invalid) as refused:
        check_file(text)
    assert "\n" not in refused.value.message
    return refused.value.message


# --- answers ----------------------------------------------------------------------------------------------------------


def test_a_case_needs_no_hours_roll_or_pauses_and_may_say_more() -> None:
    [answer] = check_file(file_of({**CASE, "note": "a remark", "hours": None, "pauses": None}))
    assert answer.as_json() == {
        "id": "A-1",
        "due": "2026-03-05T17:30:00+08:00",
        "due_date": "2026-03-05",
        "warn75": "2026-03-04T17:30:00+08:00",
        "error": None,
    }


@pytest.mark.parametrize(
    ("duration", "due"),
    [
        ("0.1", "2026-03-02T10:06:00+08:00"),
        ("0.3333333333", "2026-03-02T10:20:00+08:00"),
        ("8.5", "2026-03-04T10:00:00+08:00"),
        ("1e0", "2026-03-02T11:00:00+08:00"),
        ("0.0000000003", "2026-03-02T10:00:00.000001+08:00"),
    ],
)
def test_parts_of_an_hour_are_exact_to_the_microsecond(duration: str, due: str) -> None:
    [answer] = check_file(
        file_of({**CASE, "unit": "hours", "duration": 7}).replace('"duration": 7', f'"duration": {duration}')
    )
    assert answer.as_json()["due"] == due


def test_days_may_be_written_with_a_point() -> None:
    plain, pointed = check_file(file_of(CASE, {**CASE, "duration": 2.0}))
    assert plain == pointed


@pytest.mark.parametrize(
    ("unit", "duration", "due_date"),
    [
        ("weeks", 2, "2026-03-16"),
        ("months", 1, "2026-04-02"),
        ("years", 1, "2027-03-02"),
        ("calendar_days", 5, "2026-03-07"),
    ],
)
def test_every_unit_of_a_policy_may_be_asked_for(unit: str, duration: int, due_date: str) -> None:
    [answer] = check_file(file_of({**CASE, "unit": unit, "duration": duration}))
    assert answer.as_json()["due_date"] == due_date


def test_a_time_may_come_with_any_offset_and_the_answer_is_in_the_calendars_zone() -> None:
    zulu, local = check_file(file_of({**CASE, "start": "2026-03-02T02:00:00Z"}, CASE))
    assert zulu == local


def test_sessions_may_come_in_any_order() -> None:
    sorted_, mixed = check_file(
        file_of(
            {**CASE, "unit": "hours", "hours": [["9:00", "12:00"], ["13:00", "24:00"]]},
            {**CASE, "unit": "hours", "hours": [["13:00", "24:00"], ["09:00", "12:00"]]},
        )
    )
    assert sorted_ == mixed


def test_a_calendar_of_the_file_wins_over_a_shipped_one_of_its_name_and_others_are_found() -> None:
    asked = {**CASE, "calendar": "CN", "start": "2026-09-18T18:00:00+08:00", "duration": 3}
    plain = {**OFFICE, "off": [], "work": []}
    [shipped], [ours] = check_file(file_of(asked)), check_file(file_of(asked, calendars={"CN": plain}))
    assert shipped.as_json()["due"] == "2026-09-22T17:30:00+08:00"
    assert ours.as_json()["due"] == "2026-09-23T17:30:00+08:00"
    [england] = check_file(file_of({**CASE, "calendar": "UK-ENG", "start": "2026-12-23T09:00Z"}))
    assert england.as_json()["due"] == "2026-12-29T17:30:00+00:00"


def test_no_cases_have_no_answers() -> None:
    assert check_file('{"cases": []}') == []


def test_many_cases_of_one_calendar_work_it_out_once() -> None:
    assert len({id(case.calendar) for case in read_cases(file_of(*[CASE] * 20))}) == 1


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", '"cases"'),
        ("{}", '"cases"'),
        ('{"cases": {}}', '"cases"'),
        ('{"cases": [], "calendars": []}', '"calendars"'),
        ('{"cases": [7]}', "Case number 1: it must be an object."),
        ('{"cases": [{}]}', 'Case number 1: it has no "id".'),
        ('{"cases": [{"id": true}]}', '"id" must be a text'),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused(text: str, says: str) -> None:
    assert says in refusal(text)


@pytest.mark.parametrize("key", ["calendar", "start", "duration", "unit"])
@pytest.mark.parametrize("absent", [True, False])
def test_a_missing_key_is_named_with_its_case(key: str, absent: bool) -> None:
    case: dict[str, Any] = {**CASE, key: None}
    if absent:
        del case[key]
    assert refusal(file_of(CASE, {**case, "id": "A-2"})) == f'Case A-2: it has no "{key}".'


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"start": "2026-03-02T10:00:00"}, "does not say its offset"),
        ({"start": "2026-03-02"}, "does not say its offset"),
        ({"start": "soon"}, "which is not a time such as"),
        ({"start": 1772416800}, "which is not a time such as"),
        ({"start": "0001-01-01T00:00:00+14:00"}, "which is not between 1900 and 2200"),
        ({"start": "9999-12-31T23:59:59-12:00"}, "which is not between 1900 and 2200"),
        ({"unit": "minutes"}, '"unit" is "minutes"; it must be one of hours, working_days'),
        ({"unit": ["hours"]}, '"unit" is ["hours"]'),
        ({"roll": "preceding"}, "it must be one of none, following"),
        ({"calendar": "MARS"}, 'there is no calendar "MARS"; there are '),
        ({"calendar": 7}, '"calendar" must be a text'),
        ({"duration": -1}, "must be more than 0"),
        ({"duration": 0}, "must be more than 0"),
        ({"duration": 10**9}, "at most a century"),
        ({"duration": float("nan")}, '"duration" must be a number, not NaN'),
        ({"duration": float("inf")}, '"duration" must be a number, not Infinity'),
        ({"duration": "2"}, '"duration" must be a number, not "2"'),
        ({"duration": True}, '"duration" must be a number, not true'),
        ({"duration": 2.5}, "must be a whole number of working days, not 2.5"),
        ({"unit": "hours", "duration": 1e-12}, "at least a microsecond"),
        ({"hours": []}, '"hours" must be a list of sessions'),
        ({"hours": "09:00-17:30"}, '"hours" must be a list of sessions'),
        ({"hours": [["09:00"]]}, "a session has an opening and a close"),
        ({"hours": [["17:30", "09:00"]]}, "must close after it opens"),
        ({"hours": [["22:00", "06:00"]]}, "a night shift is two sessions"),
        ({"hours": [["09:00", "09:00"]]}, "must close after it opens"),
        ({"hours": [["09:00", "13:00"], ["12:30", "17:30"]]}, "opens at 12:30 overlaps the one that closes at 13:00"),
        ({"hours": [["09:00", "25:00"]]}, "is written like 09:00"),
        ({"hours": [["09:00", "24:01"]]}, "is written like 09:00"),
        ({"hours": [[9, 17]]}, "is written like 09:00"),
        ({"pauses": {}}, '"pauses" must be a list'),
        ({"pauses": [{}]}, 'a pause needs "from" and "to"'),
        ({"pauses": [{"from": "2026-03-02T10:00:00+08:00"}]}, 'a pause needs "from" and "to"'),
        ({"pauses": [{"from": None, "to": None}]}, 'it has no "from"'),
        ({"pauses": [{"from": "2026-03-02T10:00:00", "to": None}]}, '"from" is "2026-03-02T10:00:00", which does not'),
        (
            {"pauses": [{"from": "2026-03-03T10:00:00+08:00", "to": "2026-03-02T10:00:00+08:00"}]},
            "a pause ends before it begins",
        ),
    ],
)
def test_what_cannot_be_understood_is_told_with_its_case(change: dict[str, Any], says: str) -> None:
    message = refusal(file_of(CASE, {**CASE, "id": "A-2", **change}))
    assert message.startswith("Case A-2: ")
    assert message.endswith(".")
    assert says in message


@pytest.mark.parametrize(
    ("calendar", "says"),
    [
        ([], "it must be an object"),
        ({**OFFICE, "tz": None}, 'it has no "tz"'),
        *(
            ({**OFFICE, "tz": zone}, "there is no time zone")
            for zone in ("Mars/Olympus", "Europe", "../etc", "", 7, [])
        ),
        ({**OFFICE, "weekend": [7]}, '"weekend" must be a list of days'),
        ({**OFFICE, "weekend": [True]}, '"weekend" must be a list of days'),
        ({**OFFICE, "weekend": 6}, '"weekend" must be a list of days'),
        ({**OFFICE, "off": "2026-03-03"}, '"off" must be a list of dates'),
        ({**OFFICE, "off": ["3 March"]}, '"off" has "3 March", which is not a date'),
        ({**OFFICE, "work": [20260303]}, '"work" has 20260303, which is not a date'),
        ({**OFFICE, "covered": ["2026-01-01"]}, '"covered" must be the first and the last date'),
        ({**OFFICE, "covered": ["2026-12-31", "2026-01-01"]}, '"covered" ends before it begins'),
        ({**OFFICE, "covered": ["0001-01-01", None]}, "which is not between 1900 and 2200"),
    ],
)
def test_a_calendar_that_cannot_be_understood_is_told_with_the_case_that_uses_it(calendar: Any, says: str) -> None:
    message = refusal(file_of(CASE, calendars={"OURS": calendar}))
    assert message.startswith('Case A-1: in the calendar "OURS" ')
    assert says in message


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_prints_one_line_of_json_for_each_case(tmp_path: Path) -> None:
    file = tmp_path / "cases.json"
    paused = {**CASE, "id": 7, "pauses": [{"from": CASE["start"], "to": None}]}
    file.write_text("\ufeff" + file_of(CASE, paused), encoding="utf-8")
    printed = lian("sla", "check", str(file))
    assert printed.exit_code == 0
    first, second = (json.loads(line) for line in printed.stdout.splitlines())
    assert first["due"] == "2026-03-05T17:30:00+08:00"
    assert second == {"id": 7, "due": None, "due_date": None, "warn75": None, "error": "paused"}


def test_the_command_answers_nothing_and_ends_with_1_when_one_case_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "cases.json"
    file.write_text(file_of(CASE, {**CASE, "id": "A-2", "duration": -1}), encoding="utf-8")
    refused = lian("sla", "check", str(file))
    assert refused.exit_code == 1
    assert isinstance(refused.exception, StackError)
    assert "Case A-2: " in str(refused.exception)
    assert refused.stdout == ""


def test_a_file_that_is_not_there_or_no_text_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "picture.json").write_bytes(b"\xff\xd8\xff\xe0")
    for name, says in [
        ("none.json", "cannot be read"),
        (".", "cannot be read"),
        ("picture.json", "not a text in UTF-8"),
    ]:
        refused = lian("sla", "check", str(tmp_path / name))
        assert refused.exit_code == 1
        assert says in str(refused.exception)
