"""Second looks: what more than one person must answer for before it counts (CLM-8, CLM-9, CLM-10, CLM-11)."""

from __future__ import annotations

from dataclasses import dataclass

from lian.domain.claims.tasks import Authorisation, check_choice
from lian.domain.labels import Label
from lian.domain.panel import VOTE_LABELS, Vote
from lian.domain.tasks import Json, TaskKind, question

OBJECTION_RESULTS = {
    "upheld": Label("The decision stands", "维持原决定"),
    "changed": Label("The decision must be made anew", "撤销原决定，重新审核"),
}


@dataclass(frozen=True, slots=True)
class Ballot:
    """One member's vote on the proposed decision; the notes give the reasons (CLM-8)."""

    vote: Vote = question(
        Label("Your vote", "您的表决"), "choice", options={v.value: label for v, label in VOTE_LABELS.items()}
    )


@dataclass(frozen=True, slots=True)
class ObjectionReview:
    """Somebody who did not decide looks again (CLM-11)."""

    result: str = question(Label("Result", "复核结果"), "choice", options=OBJECTION_RESULTS)


@dataclass(frozen=True, slots=True)
class Clearance:
    """Is a name that the sanctions list has really this payee?"""

    is_clear: bool = question(
        Label("Is the payee somebody else than the one on the list?", "收款人与名单所列并非同一人？"),
        "yes_no",
        help=Label("No stops the payment to this payee.", "选择“否”将停止向该收款人付款。"),
    )


@dataclass(frozen=True, slots=True)
class AccountCheck:
    """Is a changed account the payee's own?"""

    is_right: bool = question(
        Label("Is this account the payee's own?", "该账户是否属于收款人本人？"),
        "yes_no",
        help=Label("No sends the settlement back.", "选择“否”将退回重新确认。"),
    )


def check_objection(outcome: ObjectionReview, ask: Json) -> None:
    check_choice(outcome.result, OBJECTION_RESULTS, "result")


PANEL_VOTE = TaskKind(
    id="panel_vote",
    label=Label("Vote in the panel", "集体讨论表决"),
    help=Label("Do you agree with the proposed decision? Give your reasons.", "是否同意拟作出的决定？请说明理由。"),
    queue="claims.panel",
    permission="task:panel",
    outcome=Ballot,
    needs_notes=True,
)
REVIEW_OBJECTION = TaskKind(
    id="review_objection",
    label=Label("Review an objection", "异议复核"),
    help=Label("Look again, as somebody who did not decide.", "由未参与原决定的人员重新审查。"),
    queue="claims.objection",
    permission="task:review_objection",
    outcome=ObjectionReview,
    check=check_objection,
    needs_notes=True,
)
APPROVE_CORRECTION = TaskKind(
    id="approve_correction",
    label=Label("Approve a correction", "更正审批"),
    help=Label(
        "A recorded figure that may change money is said to be wrong.", "该更正可能影响赔付金额，须由第二人审批。"
    ),
    queue="claims.authority",
    permission="task:verify",
    outcome=Authorisation,
    decision="correction",
)
APPROVE_REVERSAL = TaskKind(
    id="approve_reversal",
    label=Label("Approve a reversal", "冲正审批"),
    help=Label("A payment is said to have gone wrong and is to be claimed back.", "该笔付款有误，拟冲正并追回。"),
    queue="claims.authority",
    permission="task:verify",
    outcome=Authorisation,
    decision="reversal",
)
VERIFY_ACCOUNT = TaskKind(
    id="verify_account",
    label=Label("Verify a changed account", "账户变更复核"),
    help=Label("Compare it with the evidence; call back on a known number.", "请核对证明材料，并拨打已知电话回访。"),
    queue="claims.authority",
    permission="task:verify",
    outcome=AccountCheck,
)
CONFIRM_ACCOUNT = TaskKind(
    id="confirm_account",
    label=Label("Confirm the new account", "确认新账户"),
    help=Label("We were given another bank account. Is it yours?", "我们收到了新的收款账户，请确认是否为您本人账户。"),
    queue="claims.settlement",
    permission="task:settle",
    outcome=AccountCheck,
    by_customer=True,
)
CLEAR_SANCTIONS = TaskKind(
    id="clear_sanctions",
    label=Label("Check against the sanctions list", "制裁名单核查"),
    help=Label("The list has a name like this payee's.", "名单中存在与收款人相似的名称。"),
    queue="claims.compliance",
    permission="task:clear_sanctions",
    outcome=Clearance,
    needs_notes=True,
)
SECOND_LOOKS = (
    *(PANEL_VOTE, REVIEW_OBJECTION, APPROVE_CORRECTION, APPROVE_REVERSAL),
    *(VERIFY_ACCOUNT, CONFIRM_ACCOUNT, CLEAR_SANCTIONS),
)
