"""What people do on a claim of their own accord, that its procedure must know (CLM-9, 11, 14, 15)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from lian.domain.claims.corrections import CORRECTABLE, check_value
from lian.domain.claims.tasks import check_choice
from lian.domain.errors import Invalid
from lian.domain.labels import Label
from lian.domain.tasks import ActionKind, Json, check_offered, question

BEFORE_DECISION = frozenset({"review", "documents", "investigation", "assessment"})
DECIDING = frozenset({"decision"})
PAYING = frozenset({"settlement", "payment"})
AFTERCARE = frozenset({"aftercare"})
DECIDED = frozenset({"paid", "denied"})
"""Outcomes after which a claim may live again for an objection, a correction or a reversal."""

GROUNDS = {
    "amount": Label("The amount is too low", "赔付金额过低"),
    "coverage": Label("The loss is covered", "属于保险责任"),
    "facts": Label("Facts are wrong or missing", "事实认定有误或遗漏"),
    "process": Label("How it was handled", "处理过程不当"),
    "other": Label("Other", "其他"),
}
REFERRAL_REASONS = {
    "fraud": Label("Fraud", "欺诈风险"),
    "moral": Label("Moral hazard", "道德风险"),
    "legal": Label("Legal risk", "法律风险"),
}
REVERSAL_REASONS = {
    "wrong_payee": Label("Paid to the wrong payee", "收款人错误"),
    "paid_twice": Label("Paid twice", "重复支付"),
}
OVERRIDE_REASONS = {
    "nobody_available": Label("Nobody with authority can be reached", "有权限人员均无法联系"),
    "urgent_hardship": Label("Urgent hardship of the claimant", "索赔人情况紧急"),
    "court_order": Label("A court or the regulator orders it", "法院或监管机构要求"),
}


@dataclass(frozen=True, slots=True)
class AdvanceAnswer:
    """The undisputed part, paid before the decision (Insurance Law art. 25)."""

    amount: Decimal = question(
        Label("Amount", "金额"),
        "amount",
        help=Label("What is certain to be owed, whatever else is decided.", "依据现有证明可以确定的最低金额。"),
    )


@dataclass(frozen=True, slots=True)
class ObjectionGrounds:
    """Why somebody objects; the notes say it in their words (CLM-11)."""

    grounds: str = question(Label("What is wrong?", "异议理由"), "choice", options=GROUNDS)


@dataclass(frozen=True, slots=True)
class ReferralReason:
    """What is suspected (CLM-14)."""

    why: str = question(Label("Suspicion", "风险类型"), "choice", options=REFERRAL_REASONS)


@dataclass(frozen=True, slots=True)
class ReversalAnswer:
    """Which payment went wrong, and how."""

    payment_id: str = question(Label("Payment", "付款"), "choice")
    why: str = question(Label("What went wrong", "错误类型"), "choice", options=REVERSAL_REASONS)


@dataclass(frozen=True, slots=True)
class OverrideAnswer:
    """Break-glass: why a decision must stand although nobody with authority has agreed (CLM-9)."""

    why: str = question(Label("Reason", "理由"), "choice", options=OVERRIDE_REASONS)


@dataclass(frozen=True, slots=True)
class CorrectionAnswer:
    """Which recorded figure is wrong, and what is right. `exposure_id` for those of one exposure."""

    name: str = question(
        Label("What is wrong?", "更正项目"), "choice", options={n: c.label for n, c in CORRECTABLE.items()}
    )
    after: str = question(
        Label("Right value", "正确内容"),
        "line",
        help=Label(
            "A date and time as 2026-01-31 14:30, an amount as 1200.50, otherwise as on record.",
            "日期时间如 2026-01-31 14:30，金额如 1200.50，其余按登记格式填写。",
        ),
    )
    exposure_id: str = question(Label("Exposure", "责任项"), "choice", default="")
    before: str = ""
    """Set by the desk: what is on record now."""
    snapshot: Json = field(default_factory=dict)
    """Set by the desk when the policy is corrected: its terms."""


def check_advance(outcome: AdvanceAnswer, ask: Json) -> None:
    """Something, and never more than the policy could owe."""
    if not 0 < outcome.amount <= Decimal(ask["most"]):
        raise Invalid(f"An advance lies above zero and at most at {ask['most']}.", field="amount")


def check_grounds(outcome: ObjectionGrounds, ask: Json) -> None:
    check_choice(outcome.grounds, GROUNDS, "grounds")


def check_referral(outcome: ReferralReason, ask: Json) -> None:
    check_choice(outcome.why, REFERRAL_REASONS, "why")


def check_reversal(outcome: ReversalAnswer, ask: Json) -> None:
    check_choice(outcome.why, REVERSAL_REASONS, "why")
    check_offered(outcome.payment_id, ask, "payment_id")


def check_override(outcome: OverrideAnswer, ask: Json) -> None:
    check_choice(outcome.why, OVERRIDE_REASONS, "why")


def check_correction(outcome: CorrectionAnswer, ask: Json) -> None:
    """A figure that can be corrected, with a value of its kind."""
    check_choice(outcome.name, {n: c.label for n, c in CORRECTABLE.items()}, "name")
    if CORRECTABLE[outcome.name].of_exposure:
        check_offered(outcome.exposure_id, ask, "exposure_id")
    check_value(outcome.name, outcome.after)


PAY_ADVANCE = ActionKind(
    id="pay_advance",
    label=Label("Pay in advance", "先行赔付"),
    help=Label(
        "Pay what is certain to be owed before the rest is decided (Insurance Law art. 25).",
        "依据《保险法》第二十五条，先行支付可以确定的数额。",
    ),
    permission="claim:advance",
    outcome=AdvanceAnswer,
    check=check_advance,
    stages=BEFORE_DECISION,
    decision="advance",
)
OBJECT = ActionKind(
    id="object",
    label=Label("Object to the decision", "提出异议"),
    help=Label(
        "Somebody who did not decide will look again. What is agreed is paid meanwhile.",
        "将由未参与原决定的人员复核；已确认的部分照常支付。",
    ),
    permission="claim:object",
    outcome=ObjectionGrounds,
    check=check_grounds,
    by_customer=True,
    needs_notes=True,
    stages=PAYING | AFTERCARE,
    revives=DECIDED,
)
REFER = ActionKind(
    id="refer",
    label=Label("Refer to special investigation", "转特别调查"),
    help=Label("Nothing is paid until the suspicion is cleared or confirmed.", "在疑点排除或证实之前不予付款。"),
    permission="claim:refer",
    outcome=ReferralReason,
    check=check_referral,
    needs_notes=True,
    stages=BEFORE_DECISION | DECIDING | frozenset({"settlement"}),
)
REVERSE_PAYMENT = ActionKind(
    id="reverse_payment",
    label=Label("Reverse a payment", "付款冲正"),
    help=Label(
        "A second person must agree; then it is claimed back and paid to whom it belongs.",
        "须经第二人审批；随后追回误付款项并重新支付。",
    ),
    permission="payment:reverse",
    outcome=ReversalAnswer,
    check=check_reversal,
    needs_notes=True,
    stages=PAYING | AFTERCARE,
    revives=frozenset({"paid"}),
)
OVERRIDE_AUTHORITY = ActionKind(
    id="override_authority",
    label=Label("Override the authority limit", "紧急越权批准"),
    help=Label(
        "Break-glass: compliance is told at once, and you answer for it.", "仅限紧急情况：系统将立即通知合规部门。"
    ),
    permission="authority:override",
    outcome=OverrideAnswer,
    check=check_override,
    needs_notes=True,
    stages=BEFORE_DECISION | DECIDING,
)
CORRECT = ActionKind(
    id="correct",
    label=Label("Correct a mistake", "更正登记错误"),
    help=Label(
        "The old value stays on record. What follows from it is shown before it is done.",
        "原记录将保留；更正前会显示其影响。",
    ),
    permission="case:correct",
    outcome=CorrectionAnswer,
    check=check_correction,
    needs_notes=True,
    revives=DECIDED,
    has_preview=True,
    decision="correction",
)
PROCESS_ACTIONS = (CORRECT, PAY_ADVANCE, REFER, OBJECT, REVERSE_PAYMENT, OVERRIDE_AUTHORITY)
