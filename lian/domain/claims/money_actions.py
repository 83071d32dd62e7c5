"""Money that is handled at the desk, beside the tasks: reserves and recoveries (CLM-15).

Which exposures and recoveries there are is known when the form is shown: `ask["options"]` has them, field by field, and
an answer that is not among them is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from lian.domain.claims.tasks import check_choice
from lian.domain.errors import Invalid
from lian.domain.labels import Label
from lian.domain.ledger import RECOVERY_LABELS, Recovery
from lian.domain.money import LARGEST
from lian.domain.tasks import ActionKind, Json, check_offered, question

RESERVE_LINES = {
    "indemnity": Label("Indemnity", "赔款"),
    "expense": Label("Claims expense", "理赔费用"),
}
RESERVE_REASONS = {
    "new_facts": Label("New facts about the loss", "案情变化"),
    "loss_estimate": Label("Survey or new estimate of the loss", "查勘定损或重新估损"),
    "liability": Label("Liability seen otherwise", "责任认定变化"),
    "injury": Label("Course of the injury or illness", "伤情、病情变化"),
    "expenses": Label("Survey, appraisal or legal expenses", "查勘、公估或诉讼费用"),
    "mistake": Label("An earlier figure was wrong", "更正原估计错误"),
    "release": Label("No longer needed", "释放准备金"),
}
"""Why a person changes a reserve."""
RESERVE_REASON_LABELS = {
    **RESERVE_REASONS,
    "as_claimed": Label("As claimed", "按索赔金额"),
    "as_decided": Label("As decided", "按审核决定"),
    "settled": Label("Paid", "已赔付"),
    "withdrawn": Label("Claim withdrawn", "案件撤回"),
    "merged": Label("Joined to another case", "已并案"),
}
"""These, and why the procedure itself does."""
RECOVERIES = {kind.value: RECOVERY_LABELS[kind] for kind in (Recovery.SUBROGATION, Recovery.SALVAGE)}
"""What people open by hand; an overpayment or a recalled payment is claimed back by the procedure."""
RECEIVED = "received"
CLOSING_REASONS = {
    RECEIVED: Label("Received in full", "已全额收回"),
    "settled": Label("Settled for less", "和解，部分收回"),
    "no_right": Label("No right of recovery", "无追偿权"),
    "time_barred": Label("Time-barred", "超过诉讼时效"),
    "insolvent": Label("Debtor insolvent", "债务人无偿付能力"),
    "untraceable": Label("Debtor cannot be found", "无法找到债务人"),
    "uneconomic": Label("Costs more than it brings", "追偿成本过高"),
}
REFERENCE = re.compile(r"[0-9A-Z][0-9A-Z/._-]{0,34}")
LONGEST_NAME = 140


@dataclass(frozen=True, slots=True)
class SetReserve:
    """What one exposure is still expected to cost, apart from what was paid (CLM-15)."""

    exposure_id: str = question(Label("Exposure", "责任项"), "choice")
    reserve_line: str = question(Label("Reserve line", "准备金类别"), "choice", options=RESERVE_LINES)
    amount: Decimal = question(
        Label("New reserve", "调整后准备金"),
        "amount",
        help=Label("What is still to be paid, from today.", "自今日起预计仍需支付的金额。"),
    )
    reason: str = question(Label("Reason", "调整原因"), "choice", options=RESERVE_REASONS)


@dataclass(frozen=True, slots=True)
class OpenRecovery:
    """Money that somebody else, or what is left of the thing, is to bring in (Insurance Law art. 59 and 60)."""

    recovery: str = question(Label("Kind", "追偿类型"), "choice", options=RECOVERIES)
    expected_amount: Decimal = question(Label("Expected amount", "预计收回金额"), "amount")
    counterparty: str = question(
        Label("From whom", "追偿对象"),
        "name",
        personal=True,
        help=Label("The liable party, or the buyer of the salvage.", "责任方，或残值买受人。"),
    )


@dataclass(frozen=True, slots=True)
class RecordReceipt:
    """Money of a recovery came in."""

    recovery_id: str = question(Label("Recovery", "追偿项目"), "choice")
    amount: Decimal = question(Label("Amount received", "收回金额"), "amount")
    received_on: date = question(
        Label("Received on", "到账日期"),
        "line",
        help=Label("A date such as 2026-01-31.", "日期，如 2026-01-31。"),
    )
    reference: str = question(Label("Bank reference", "银行流水号"), "line")


@dataclass(frozen=True, slots=True)
class CloseRecovery:
    """Nothing more is expected."""

    recovery_id: str = question(Label("Recovery", "追偿项目"), "choice")
    reason: str = question(Label("Reason", "结束原因"), "choice", options=CLOSING_REASONS)


# --- rules ------------------------------------------------------------------------------------------------------------


def _check_amount(amount: Decimal, name: str) -> None:
    if amount <= 0:
        raise Invalid("The amount must be above zero.", field=name)
    if amount > LARGEST:
        raise Invalid("The amount is too large; at most 999,999,999,999.99.", field=name)


def check_reserve(outcome: SetReserve, ask: Json) -> None:
    """Never below zero; and a change must change something, or the history says nothing."""
    check_offered(outcome.exposure_id, ask, "exposure_id")
    check_choice(outcome.reserve_line, RESERVE_LINES, "reserve_line")
    check_choice(outcome.reason, RESERVE_REASONS, "reason")
    if outcome.amount < 0:
        raise Invalid("A reserve cannot be below zero.", field="amount")
    if outcome.amount == Decimal(ask["now"][outcome.exposure_id][outcome.reserve_line]):
        raise Invalid("The reserve is at this amount already.", field="amount")


def check_open_recovery(outcome: OpenRecovery, ask: Json) -> None:
    check_choice(outcome.recovery, RECOVERIES, "recovery")
    _check_amount(outcome.expected_amount, "expected_amount")
    if not 0 < len(outcome.counterparty.strip()) <= LONGEST_NAME:
        raise Invalid("Say from whom the money is to come.", field="counterparty")


def plain_reference(reference: str) -> str:
    """The bank's reference as it is kept: without blanks, in capitals. Raises `Invalid` for anything else."""
    plain = "".join(reference.split()).upper()
    if not REFERENCE.fullmatch(plain):
        raise Invalid("A bank reference has up to 35 letters, digits and / . _ -", field="reference")
    return plain


def check_receipt(outcome: RecordReceipt, ask: Json) -> None:
    """Dated between the loss and today. Of what is owed back no more may come than is owed.

    Of subrogation and salvage more may: what was expected is an estimate, and interest or a good auction are ours.
    """
    check_offered(outcome.recovery_id, ask, "recovery_id")
    _check_amount(outcome.amount, "amount")
    plain_reference(outcome.reference)
    if not date.fromisoformat(ask["earliest"]) <= outcome.received_on <= date.fromisoformat(ask["today"]):
        raise Invalid("A receipt is dated between the loss and today.", field="received_on")
    if outcome.recovery_id in ask["owed"] and outcome.amount > Decimal(ask["left"][outcome.recovery_id]):
        raise Invalid("This is more than is owed to us.", field="amount")


def check_close_recovery(outcome: CloseRecovery, ask: Json) -> None:
    """`received` is said of what came in full, and of nothing else."""
    check_offered(outcome.recovery_id, ask, "recovery_id")
    check_choice(outcome.reason, CLOSING_REASONS, "reason")
    is_complete = Decimal(ask["left"][outcome.recovery_id]) <= 0
    if is_complete and outcome.reason != RECEIVED:
        raise Invalid("Everything expected has come in: close it as received.", field="reason")
    if not is_complete and outcome.reason == RECEIVED:
        raise Invalid("Not everything expected has come in.", field="reason")


MONEY_ACTIONS: tuple[ActionKind, ...] = (
    ActionKind(
        id="set_reserve",
        label=Label("Set a reserve", "调整准备金"),
        help=Label("What an exposure is still expected to cost.", "调整责任项的未决赔款估计。"),
        permission="reserve:set",
        outcome=SetReserve,
        on="desk",
        check=check_reserve,
        decision="reserve",
    ),
    ActionKind(
        id="open_recovery",
        label=Label("Open a recovery", "发起追偿"),
        help=Label("Subrogation against who is liable, or salvage.", "向责任方代位追偿，或处理残值。"),
        permission="recovery:write",
        outcome=OpenRecovery,
        on="desk",
        check=check_open_recovery,
        when_closed=True,
    ),
    ActionKind(
        id="record_receipt",
        label=Label("Record a receipt", "登记到账"),
        help=Label("Money of a recovery has come in.", "登记追偿款项到账。"),
        permission="recovery:write",
        outcome=RecordReceipt,
        on="desk",
        check=check_receipt,
        when_closed=True,
    ),
    ActionKind(
        id="close_recovery",
        label=Label("Close a recovery", "结束追偿"),
        help=Label(
            "Received in full, or given up; giving up our own money needs authority.",
            "已全额收回，或放弃追偿；放弃应收款须有相应权限。",
        ),
        permission="recovery:write",
        outcome=CloseRecovery,
        on="desk",
        check=check_close_recovery,
        when_closed=True,
        decision="write_off",
    ),
)
"""The claim's desk actions about money."""
