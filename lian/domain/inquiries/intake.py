"""What somebody is asked who has a question (INQ-1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lian.domain.case_kind import Intake
from lian.domain.errors import Invalid
from lian.domain.labels import Label
from lian.domain.tasks import Json, need_words, question

LONGEST_POLICY_NUMBER = 80


class Topic(StrEnum):
    """What a question is about."""

    POLICY = "policy"
    CLAIM = "claim"
    PREMIUM = "premium"
    CHANGE = "change"
    SURRENDER = "surrender"
    OTHER = "other"


TOPICS = {
    Topic.POLICY.value: Label("My policy and what it covers", "保单及保障内容"),
    Topic.CLAIM.value: Label("The progress of a claim", "理赔进度"),
    Topic.PREMIUM.value: Label("Premiums and payments", "保费与缴费"),
    Topic.CHANGE.value: Label("A change of my details", "信息变更"),
    Topic.SURRENDER.value: Label("Surrender or cancellation", "退保或解约"),
    Topic.OTHER.value: Label("Something else", "其他"),
}


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question somebody asks us."""

    topic: Topic = question(Label("What is it about?", "咨询类型"), "choice", options=TOPICS)
    text: str = question(
        Label("Your question", "您的问题"),
        "text",
        personal=True,
        help=Label(
            "In your own words. Please leave out ID and card numbers.", "请用您自己的话描述，请勿填写证件号或银行卡号。"
        ),
    )
    policy_number: str = question(
        Label("Policy or case number", "保单号或案件编号"),
        "line",
        default="",
        help=Label("If it is about a certain one.", "如与某份保单或案件有关，请填写。"),
    )


def check_inquiry(inquiry: Inquiry, _: Json) -> None:
    """A question has words, and a number no more than a number has."""
    need_words(inquiry.text, "text")
    if len(inquiry.policy_number) > LONGEST_POLICY_NUMBER:
        raise Invalid(f"At most {LONGEST_POLICY_NUMBER} characters.", field="policy_number")


INTAKE = Intake(
    label=Label("Ask a question", "我要咨询"),
    help=Label(
        "About your policy, a claim, or a payment. You have our answer within 24 hours.",
        "保单、理赔、缴费等问题，24 小时内答复。",
    ),
    outcome=Inquiry,
    check=check_inquiry,
    examples=(
        {"topic": "claim", "text": "我上周报的案，材料都交了，请问什么时候能赔付？", "policy_number": ""},
        {"topic": "policy", "text": "Does my policy cover me when I drive abroad?", "policy_number": "MO20260037"},
        {"topic": "premium", "text": "这个月的保费扣了两次，请帮我查一下。", "policy_number": ""},
    ),
)
