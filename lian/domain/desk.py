"""The desk's own words: why work is put aside, passed on, or not for somebody, and what colleagues say of it."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from lian.domain.labels import Label

LONGEST_HOLD = timedelta(days=90)
"""Whoever puts work aside says until when; nothing lies longer without somebody looking at it."""
PASSED_FOR = timedelta(hours=12)
"""So long a task that somebody passed on is not offered to them again."""


class HoldReason(StrEnum):
    """Why a task waits on somebody's desk. It stops no clock (idea 3)."""

    APPOINTMENT = "appointment"
    CUSTOMER = "customer"
    COLLEAGUE = "colleague"
    EXPERT = "expert"
    THIRD_PARTY = "third_party"
    OTHER = "other"


HOLD_REASONS: dict[HoldReason, Label] = {
    HoldReason.APPOINTMENT: Label("An appointment is arranged", "已预约时间"),
    HoldReason.CUSTOMER: Label("The customer will get back to us", "等待客户回复"),
    HoldReason.COLLEAGUE: Label("A colleague is looking into it", "等待同事协助"),
    HoldReason.EXPERT: Label("An expert is asked", "等待专家意见"),
    HoldReason.THIRD_PARTY: Label("Somebody outside is asked", "等待第三方"),
    HoldReason.OTHER: Label("Something else (say what)", "其他（请说明）"),
}


class PassReason(StrEnum):
    """Why somebody passes the task on that they were given."""

    EXPERTISE = "expertise"
    LANGUAGE = "language"
    TIME = "time"
    OTHER = "other"


PASS_REASONS: dict[PassReason, Label] = {
    PassReason.EXPERTISE: Label("It needs somebody with other experience", "需要其他专业经验"),
    PassReason.LANGUAGE: Label("It needs another language", "需要其他语言能力"),
    PassReason.TIME: Label("There is not enough time left today", "今天时间不够"),
    PassReason.OTHER: Label("Something else (say what)", "其他（请说明）"),
}


class ConflictReason(StrEnum):
    """Why a case is not for somebody (TSK-5)."""

    OWN_CASE = "own_case"
    ACQUAINTED = "acquainted"
    COMPLAINED_ABOUT = "complained_about"
    INTEREST = "interest"


CONFLICT_REASONS: dict[ConflictReason, Label] = {
    ConflictReason.OWN_CASE: Label("It is their own case", "本人为案件当事人"),
    ConflictReason.ACQUAINTED: Label("They know somebody in it privately", "与当事人相识"),
    ConflictReason.COMPLAINED_ABOUT: Label("The complaint is about them", "投诉涉及本人"),
    ConflictReason.INTEREST: Label("They have an interest in how it ends", "与案件结果有利害关系"),
}


class Opinion(StrEnum):
    """What a colleague says who was asked to look at a task. It decides nothing."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    UNSURE = "unsure"


OPINIONS: dict[Opinion, Label] = {
    Opinion.AGREES: Label("I would do the same", "同意"),
    Opinion.DISAGREES: Label("I would do it differently", "不同意"),
    Opinion.UNSURE: Label("I cannot say", "无法判断"),
}

HELD_HOW: dict[str, Label] = {
    "claim": Label("took it on", "认领"),
    "next": Label("drew it", "领取"),
    "assign": Label("was given it", "被指派"),
    "automatic": Label("was given it by the rules", "按规则自动分配"),
    "delegate": Label("does it for a colleague", "受同事委托"),
    "substitute": Label("stands in for a colleague", "代班处理"),
    "return": Label("got it back", "已退回"),
    "bulk": Label("was given it with others", "批量指派"),
}
"""How somebody came to hold a task."""
