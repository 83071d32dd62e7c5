"""The desk's own words: why work is put aside, passed on, or not for somebody, and what colleagues say of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from lian.domain.labels import Label
from lian.domain.urgency import Standing

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

SUBSTITUTE = "substitute"
HELD_HOW: dict[str, Label] = {
    "claim": Label("took it on", "认领"),
    "next": Label("drew it", "领取"),
    "assign": Label("was given it", "被指派"),
    "automatic": Label("was given it by the rules", "按规则自动分配"),
    "delegate": Label("does it for a colleague", "受同事委托"),
    SUBSTITUTE: Label("stands in for a colleague", "代班处理"),
    "return": Label("got it back", "已退回"),
    "bulk": Label("was given it with others", "批量指派"),
}
"""How somebody came to hold a task."""


class DrawReason(StrEnum):
    """Why get-next gave this task and no other (TSK-1, TSK-2): its place in the order, and what came before it."""

    OWN_WORK = "own_work"
    GREEN = "green"
    RAISED = "raised"
    STATUTORY = "statutory"
    ACT_BY = "act_by"
    STANDING = "standing"
    WAITING_SINCE = "waiting_since"
    OTHER_ROLE = "other_role"
    ABOVE_LIMIT = "above_limit"
    OTHER_SKILL = "other_skill"
    KEPT_BACK = "kept_back"


DRAW_REASONS: dict[DrawReason, Label] = {
    DrawReason.OWN_WORK: Label("You have it in hand already", "您已在处理该任务"),
    DrawReason.GREEN: Label("It is in the green channel", "属于绿色通道"),
    DrawReason.RAISED: Label("It was put ahead of others", "已被提前处理"),
    DrawReason.STATUTORY: Label("A law sets its deadline", "期限由法律规定"),
    DrawReason.ACT_BY: Label("It falls due at this moment", "到期时间"),
    DrawReason.STANDING: Label("Who waits may least be kept waiting", "当事人情况需优先"),
    DrawReason.WAITING_SINCE: Label("It has waited since then", "等待处理自"),
    DrawReason.OTHER_ROLE: Label("Something more urgent is work of another role", "更紧急的任务属于其他岗位"),
    DrawReason.ABOVE_LIMIT: Label("Something more urgent is above your limit", "更紧急的任务超出您的权限额度"),
    DrawReason.OTHER_SKILL: Label(
        "Something more urgent needs a skill you do not have", "更紧急的任务需要您不具备的技能"
    ),
    DrawReason.KEPT_BACK: Label(
        "Something more urgent is put aside, or not for you at the moment", "更紧急的任务已搁置或暂不适合您处理"
    ),
}

STANDINGS: dict[Standing, Label] = {
    Standing.VULNERABLE: Label("Children are concerned", "涉及未成年人"),
    Standing.MAJOR: Label("A major loss", "重大损失"),
    Standing.COMPLEX: Label("A complex case", "复杂案件"),
    Standing.ORDINARY: Label("An ordinary case", "一般案件"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, with the instant (UTC) or the standing that it tells of."""

    code: DrawReason
    at: datetime | None = None
    standing: Standing | None = None
