"""Minutes of a panel as a reader finds them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from lian.domain.labels import LANGUAGES, Label, Language
from lian.domain.panel import RULE_LABELS, WHY_LABELS, PanelResult, Rule, Vote
from lian.notify import letters
from lian.notify.letters import MinutedVote, PanelMinutesFacts, render_minutes
from tests.notify.test_letters import HOSTILE, text_of

pytestmark = pytest.mark.req("CLM-8")

ZONE = ZoneInfo("Asia/Shanghai")
MINUTES = PanelMinutesFacts(
    insurer_name="Lian Insurance 立案保险",
    case_number="CLM-2026-000123",
    policy_number="P-2025-88812",
    proposal=Label("Accept in part", "部分赔付"),
    amount=Decimal("6000000.00"),
    currency="CNY",
    proposed_by="高远",
    why=WHY_LABELS["beyond_authority"],
    seats=3,
    quorum=2,
    rule=Rule.UNANIMOUS,
    votes=[
        MinutedVote(name="唐宁", vote=Vote.AGREE, reason="证据充分", at=datetime(2026, 3, 5, 9, 30, tzinfo=ZONE)),
        MinutedVote(name="彭涛", vote=Vote.DISAGREE, reason="金额存疑", at=datetime(2026, 3, 5, 14, 5, tzinfo=ZONE)),
    ],
    result=PanelResult.REJECTED,
    convened_at=datetime(2026, 3, 4, 8, 0, tzinfo=ZONE),
    concluded_at=datetime(2026, 3, 5, 14, 5, tzinfo=ZONE),
)


def minutes(language: Language, **changes: object) -> str:
    return text_of("minutes.typ", letters.minutes_words(replace(MINUTES, **changes), language))  # type: ignore[arg-type]


def test_the_minutes_state_the_proposal_the_rule_every_vote_and_the_result() -> None:
    text = minutes("zh-CN")
    for words in (
        *("集体讨论记录", "CLM-2026-000123", "部分赔付", "CNY 6,000,000.00", "高远", "共 3 席，至少 2 人表决"),
        *(RULE_LABELS[Rule.UNANIMOUS].zh, WHY_LABELS["beyond_authority"].zh, "2026年3月4日 08:00"),
        *("唐宁", "同意", "证据充分", "2026年3月5日 09:30", "彭涛", "不同意", "金额存疑", "2026年3月5日 14:05"),
        *("未通过", "同意 1 票，不同意 1 票，弃权 0 票"),
    ):
        assert words in text, words


def test_in_english_too() -> None:
    text = minutes("en")
    for words in ("Minutes of the panel", "Accept in part", "3 seats, of whom 2 must vote", "5 March 2026, 09:30"):
        assert words in text, words
    assert "Rejected : 1 agree, 1 disagree, 0 abstain" in text.replace("Rejected:", "Rejected :")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_minutes_say_that_they_are_for_the_file_only(language: Language) -> None:
    assert {"zh-CN": "不得提供给客户", "en": "Not for the customer"}[language] in minutes(language)


def test_a_panel_that_was_overridden_may_have_no_vote() -> None:
    assert "无人表决" in minutes("zh-CN", votes=(), result=PanelResult.OVERRIDDEN)


@pytest.mark.parametrize("language", LANGUAGES)
def test_reasons_are_never_markup_and_the_same_facts_give_the_same_bytes(language: Language) -> None:
    vote = replace(MINUTES.votes[0], reason=HOSTILE)
    assert HOSTILE.replace(" ", "") in minutes(language, votes=(vote,)).replace(" ", "")
    first = render_minutes(MINUTES, language=language)
    assert first.startswith(b"%PDF")
    assert first == render_minutes(MINUTES, language=language)
