"""A draft that is wrong is refused in words that name the clock and the field; nothing else ever comes out of it."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lian.domain.sla import Unit
from lian.services.pack_reading import LONGEST, read_pack
from lian.services.pack_schema import BadPack, Pack
from lian.services.pack_table import read_table
from lian.services.packs import check_calendars

pytestmark = pytest.mark.req("CLM-12")

DRAFT = """
id: acme
version: 1
title: {en: Acme, zh: 某公司}
kinds: [claim]
effective_from: 2026-12-01
verified_on: 2026-11-21
no_url: Our own figure.
clocks:
  - id: acme.call_back
    label: {en: Call back, zh: 回电}
    amount: 2
    unit: working_days
    starts_on: received
    stops_on: [acknowledged]
    source: Manual 7
"""
TABLE = (files("lian.services") / "tables" / "packs.v1.json").read_text(encoding="utf-8")


def changed(old: str, new: str) -> str:
    assert old in DRAFT
    return DRAFT.replace(old, new)


def also(line: str) -> str:
    """The draft with one more field of its clock."""
    return f"{DRAFT}    {line}\n"


def test_a_sound_draft_is_read() -> None:
    pack = read_pack(DRAFT)
    policy = pack.policy(pack.clocks[0])
    assert (pack.version, pack.effective_from) == ("acme/1", date(2026, 12, 1))
    assert (policy.amount, policy.unit, policy.calendar, policy.pausable) == (2, Unit.WORKING_DAYS, "", False)


@pytest.mark.parametrize(
    ("draft", "words"),
    [
        ("", "A pack is a list of named fields"),
        ("[1, 2]", "A pack is a list of named fields"),
        ("id: [", "This is not plain YAML"),
        ("id: &a x\nnote: *a\n", "anchors and aliases are not used here (line 2)"),
        ("id: a\nid: b\n", "a field's name stands twice, or is no word (line 2)"),
        ("? [a]\n: b\n", "a field's name stands twice, or is no word (line 1)"),
        ("on: a\n", "a field's name stands twice, or is no word (line 1)"),
        ("id: !!python/name:os.system\n", "This is not plain YAML"),
        ("id: 2026-13-45\n", "This is not plain YAML: ValueError."),
        ("id: !!bool perhaps\n", "This is not plain YAML: KeyError."),
        ("id: !!timestamp soon\n", "This is not plain YAML: AttributeError."),
        ("id: \ud800\n", "This is not plain YAML"),
        ("id: !!binary aGVq\n", "A pack holds texts, whole numbers, dates"),
        ("id: .nan\n", "A pack holds texts, whole numbers, dates"),
        ("[" * 3000, "This is not plain YAML"),
        ("x" * (LONGEST + 1), "A pack has at most 200,000 characters."),
        (changed("version: 1", "version: one"), "Field version: This must be a whole number."),
        (changed("version: 1", "version: 0"), "Field version: At least 1."),
        (changed("version: 1\n", ""), "Field version: This is required."),
        (changed("id: acme\n", "id: Acme!\n"), "Field id: This is not written as it should be."),
        (changed("[claim]", "[clam]"), "`clam` is not a kind of case we know."),
        (changed("2026-12-01", "soon"), "Field effective_from: This must be a date such as 2026-01-31."),
        (changed("2026-12-01\n", "2026-12-01\neffective_to: 2026-11-30\n"), "It would end before it takes effect."),
        (changed("kinds:", "kind:"), "Field kind: There is a field here that we do not know."),
        (changed("{en: Acme, zh: 某公司}", "{en: Acme}"), "Field title.zh: This is required."),
        (changed("verified_on: 2026-11-21\n", ""), "Clock acme.call_back, field verified_on: say when"),
        (changed("no_url: Our own figure.\n", ""), "Clock acme.call_back, field url: give an address"),
        (changed("kinds:", "calendar: office hours\nkinds:"), "Field calendar: This is not written as it should be."),
        (changed("amount: 2", "amount: 0"), "Clock acme.call_back, field amount: At least 1."),
        (changed("amount: 2", "amount: '2'"), "Clock acme.call_back, field amount: This must be a whole number."),
        (changed("amount: 2", "amount: 2.5"), "Clock acme.call_back, field amount: This must be a whole number."),
        (changed("amount: 2", "amount: true"), "Clock acme.call_back, field amount: This must be a whole number."),
        (changed("working_days", "days"), "Clock acme.call_back, field unit: This must be one of 'hours'"),
        (changed("starts_on: received", "starts_on: recieved"), "Clock acme.call_back: `recieved` is not a milestone"),
        (changed("[acknowledged]", "[done]"), "Clock acme.call_back: `done` is not a milestone we know."),
        (changed("[acknowledged]", "[]"), "Clock acme.call_back, field stops_on: At least 1 entries."),
        (changed("[acknowledged]", "[received]"), "Clock acme.call_back: It would stop where it starts, at received."),
        (changed("id: acme.call_back", "id: call_back"), "Clock call_back, field id: This is not written"),
        (also("amonut: 3"), "Clock acme.call_back, field amonut: There is a field here that we do not know."),
        (also("grade: urgent"), "Clock acme.call_back: `urgent` is not a grade we know."),
        (also("lines: [boats]"), "Clock acme.call_back: `boats` is not a line of business we know."),
        (also("kinds: [clam]"), "Clock acme.call_back: `clam` is not a kind of case we know."),
        (also("pausable: true"), "Clock acme.call_back: A clock is pausable exactly when pause_reasons"),
        (also("pause_reasons: [documents]"), "Clock acme.call_back: A clock is pausable exactly when pause_reasons"),
        (also("pausable: true\n    pause_reasons: [lunch]"), "`lunch` is not a reason to pause we know."),
        (also("roll: back"), "Clock acme.call_back, field roll: This must be one of 'none' or 'following'."),
        (also("url: http://example.com"), "Clock acme.call_back, field url: This is not written as it should be."),
        (also("confidence: secondary"), "Clock acme.call_back, field note: say why counsel should check"),
        (also("confidence: sure"), "Clock acme.call_back, field confidence: This must be one of 'verified'"),
        (also("rungs: [{percent: 0, actions: [notify_lead]}]"), "field rungs.0.percent: At least 1."),
        (also("rungs: [{percent: 50, actions: [shout]}]"), "field rungs.0.actions.0: This must be one of"),
        (also("rungs: [{percent: 50, days_after: 1, actions: [notify_lead]}]"), "days_after counts from the deadline"),
        (also("extensions: [{amount: 3}]"), "field extensions.0.source: This is required."),
        (DRAFT + DRAFT[DRAFT.index("  - id") :], "Two clocks have the id acme.call_back."),
        (changed("kinds:", "jurisdiction: china\nkinds:"), "Field jurisdiction: This is not written as it should be."),
        (changed("- id: acme.call_back", "- 7\n  - id: acme.call_back"), "Clock number 1: This must be an object."),
    ],
)
def test_a_bad_draft_is_refused_in_plain_words(draft: str, words: str) -> None:
    with pytest.raises(BadPack) as refused:
        read_pack(draft)
    assert words in refused.value.message


def test_a_calendar_that_is_not_there_is_refused() -> None:
    pack = read_pack(changed("kinds:", "calendar: UK-EGN\nkinds:"))
    with pytest.raises(BadPack, match=r"acme/1: there is no calendar UK-EGN\."):
        check_calendars(pack, {"UK-ENG"})


def test_an_own_pack_may_name_a_part_of_the_country() -> None:
    pack = read_pack(changed("kinds:", "calendar: UK-ENG\ncalendar_in: {UK-SCT: UK-SCT}\nkinds:"))
    assert pack.calendars == {"UK-ENG", "UK-SCT"}
    assert pack.policy(pack.clocks[0], "UK-SCT").calendar == "UK-SCT"
    assert pack.policy(pack.clocks[0], "UK-ENG").calendar == "UK-ENG"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_whatever_is_written_it_is_a_pack_or_refused(text: str) -> None:
    assert isinstance(_read_or_refused(text), Pack | BadPack)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_draft_with_a_piece_replaced_is_a_pack_or_refused(data: st.DataObject) -> None:
    begins = data.draw(st.integers(0, len(DRAFT)))
    ends = data.draw(st.integers(begins, min(len(DRAFT), begins + 20)))
    piece = data.draw(
        st.one_of(
            st.text(max_size=8),
            st.sampled_from(["{", "- ", ": ", "null", "~", "1e999", "? ", "!!set ", "!!bool ", "<<: "]),
        )
    )
    assert isinstance(_read_or_refused(DRAFT[:begins] + piece + DRAFT[ends:]), Pack | BadPack)


def _read_or_refused(text: str) -> Pack | BadPack:
    """Any other error escapes, and fails the test."""
    try:
        return read_pack(text)
    except BadPack as refused:
        return refused


# --- the table that selects -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("'US-TX'", "'Texas'", "`us_tx`: `jurisdiction` is never `Texas`."),
        ('"kind": "\'complaint\'"', '"kind": "\'complain\'"', "`cn_complaints`: `kind` is never `complain`."),
        ('"group": "false"', '"group": "\'no\'"', "`cn_life_service`: the condition on `group`"),
        ('"out_pack": "\'sg\'"', '"out_pack": "sg"', "`sg`: a pack is named in quotation marks."),
        ('"_id": "sg", "kind"', '"_id": "sg", "kid"', "`sg`: there is no column `kid`."),
        ('"collect"', '"first"', "hit policy of the table must be `collect`"),
        ('"field": "small"', '"field": "smal"', "The table knows nothing of `smal`."),
        ('"nodes"', '"knots"', "it is not a decision table in JDM"),
    ],
)
def test_a_table_that_would_keep_silent_is_refused(old: str, new: str, words: str) -> None:
    assert old in TABLE
    with pytest.raises(BadPack) as refused:
        read_table(TABLE.replace(old, new), name="packs.v1")
    assert words in refused.value.message
