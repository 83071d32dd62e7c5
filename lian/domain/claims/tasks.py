"""What the claim's procedure asks of people, and the rules an answer must keep (CLM-4, 5, 7, 9, 10)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from lian.domain.claims.adjudication import Result
from lian.domain.claims.triage import Complexity
from lian.domain.errors import Invalid
from lian.domain.labels import Label
from lian.domain.tasks import Json, TaskKind, question

COMPLEXITIES = {
    Complexity.SIMPLE.value: Label("Simple", "简易"),
    Complexity.COMPLEX.value: Label("Complex", "复杂"),
}
RESULTS = {
    Result.ACCEPT.value: Label("Accept", "赔付"),
    Result.PARTIAL.value: Label("Accept in part", "部分赔付"),
    Result.DENY.value: Label("Deny", "拒赔"),
}

EXCLUSIONS = {
    "": Label("Covered", "属于保险责任"),
    "intent": Label("Caused on purpose", "故意行为所致"),
    "intoxication": Label("Driver intoxicated", "酒后驾驶"),
    "unlicensed": Label("Driver without a valid licence", "无有效驾驶资格"),
    "wear": Label("Wear and tear", "自然磨损"),
    "undisclosed": Label("Material fact not disclosed", "未履行如实告知义务"),
}
"""Clauses an assessor may rely on to exclude a loss by hand."""
HAND_REASONS = {
    "": Label("As the rules propose", "同意系统建议"),
    "liability_not_established": Label("Liability is not established", "保险责任不成立"),
    "evidence_insufficient": Label("The evidence does not support the amount", "证明材料不足以支持索赔金额"),
    "paid_elsewhere": Label("Already paid by another party", "已由其他方赔付"),
}
"""Why an adjudicator pays less than the rules would."""


INVESTIGATIONS = {
    "scene_survey": Label("Scene survey", "现场勘查"),
    "record_review": Label("Record review", "调阅资料"),
    "witness_interview": Label("Witness interview", "走访询问"),
    "external_adjuster": Label("External adjuster", "委托公估"),
}
"""Ways to find out, each a task of its own (CLM-6)."""
SUSPICIONS = {
    "": Label("None", "无"),
    "fraud": Label("Fraud", "欺诈风险"),
    "moral": Label("Moral hazard", "道德风险"),
    "legal": Label("Legal risk", "法律风险"),
}
"""What a person may suspect; anything but none refers the claim to special investigation (CLM-14)."""
PANELS = {
    "": Label("No panel", "无需集体讨论"),
    "majority": Label("Panel, by majority", "集体讨论，多数通过"),
    "unanimous": Label("Panel, unanimously", "集体讨论，一致通过"),
}
"""Whether several people decide together (CLM-8)."""


@dataclass(frozen=True, slots=True)
class InitialReview:
    """Is the report complete, what is missing, what must be found out (CLM-4, CLM-5, CLM-6)."""

    complexity: Complexity = question(
        Label("Complexity", "案件类型"),
        "choice",
        options=COMPLEXITIES,
        help=Label("Triage proposes; you decide.", "系统已分案，由您确认。"),
    )
    missing: tuple[str, ...] = question(
        Label("Missing documents", "缺少的材料"),
        "codes",
        default=(),
        help=Label(
            "One complete request: list everything now. A second request is recorded as a violation.",
            "一次性告知：请一次列全。再次要求补充将记为违规。",
        ),
    )
    investigate: tuple[str, ...] = question(
        Label("Investigate by", "调查方式"),
        "codes",
        default=(),
        options=INVESTIGATIONS,
        help=Label("Each becomes a task of its own.", "每一项将生成一项调查任务。"),
    )
    suspicion: str = question(
        Label("Suspicion", "风险提示"),
        "choice",
        default="",
        options=SUSPICIONS,
        help=Label("Refers the claim to special investigation.", "选择后案件将转特别调查。"),
    )


@dataclass(frozen=True, slots=True)
class DocumentCheck:
    """Are the papers good enough to decide on (CLM-5)."""

    refused: tuple[str, ...] = question(
        Label("Not usable, ask again", "不合格，需重新提供"),
        "codes",
        default=(),
        help=Label("Leave empty when everything is in order.", "材料齐全合格时请留空。"),
    )


@dataclass(frozen=True, slots=True)
class AssessedLoss:
    """What one exposure's loss is worth."""

    exposure_id: str = question(Label("Exposure", "责任项"), "hidden")
    assessed_amount: Decimal = question(Label("Assessed loss", "核定损失"), "amount")
    excluded_reason: str = question(
        Label("Not covered because", "除外原因"),
        "choice",
        default="",
        options=EXCLUSIONS,
    )


@dataclass(frozen=True, slots=True)
class LossAssessment:
    """Liability and amount of each exposure (CLM-7: 责任认定, 损失核定)."""

    losses: tuple[AssessedLoss, ...] = question(Label("Exposures", "责任项"), "rows")


@dataclass(frozen=True, slots=True)
class CoverageAnswer:
    """The decision on one exposure."""

    exposure_id: str = question(Label("Exposure", "责任项"), "hidden")
    result: Result = question(Label("Decision", "决定"), "choice", options=RESULTS)
    payable_amount: Decimal = question(Label("Payable", "应付金额"), "amount")
    reason: str = question(Label("Reason for paying less", "少付原因"), "choice", default="", options=HAND_REASONS)


@dataclass(frozen=True, slots=True)
class Adjudication:
    """The claim decision; the rules propose, a person decides, never above what the policy allows (CLM-7)."""

    decisions: tuple[CoverageAnswer, ...] = question(Label("Decisions", "决定"), "rows")
    panel: str = question(
        Label("Panel", "集体讨论"),
        "choice",
        default="",
        options=PANELS,
        help=Label("For complex or doubtful claims.", "适用于复杂或疑难案件。"),
    )

    @property
    def approved_amount(self) -> Decimal:
        """What the decision lets us pay."""
        return sum((d.payable_amount for d in self.decisions), Decimal(0))


@dataclass(frozen=True, slots=True)
class Authorisation:
    """The second person's answer (CLM-9)."""

    agree: bool = question(
        Label("Do you agree?", "是否同意？"),
        "yes_no",
        help=Label(
            "No sends the decision back to be made anew; say why in the notes.",
            "不同意将退回重新审核，请在备注中说明。",
        ),
    )


EXTENTS = {
    "": Label("In full", "全额支付"),
    "part": Label("A part now, the rest later", "先支付一部分"),
}


@dataclass(frozen=True, slots=True)
class PayeeShare:
    """One payee and their part of the settlement. Name and account stay out of the process."""

    party_id: str = question(Label("Payee", "收款人"), "hidden")
    amount: Decimal = question(Label("Amount", "金额"), "amount")
    name: str = question(Label("Account holder", "户名"), "name", personal=True, default="")
    account: str = question(Label("Account number", "账号"), "account", personal=True, default="")
    bank: str = question(Label("Bank", "开户行"), "name", personal=True, default="")
    payee_id: str = ""
    """Set by the desk once name and account are on record; the process knows the payee by it."""
    is_changed: bool = False
    """Set by the desk: another account than this person's known one."""
    sanctions: str = ""
    """Set by the desk: `clear` or `hit`."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """The agreement on who is paid what (CLM-10)."""

    payees: tuple[PayeeShare, ...] = question(Label("Payees", "收款人"), "rows")
    extent: str = question(
        Label("Extent", "支付范围"),
        "choice",
        default="",
        options=EXTENTS,
    )


def _rows_of(ask: Json, name: str) -> dict[str, Json]:
    return {row["exposure_id"]: row for row in ask["rows"][name]}


def check_codes(codes: tuple[str, ...], ask: Json) -> None:
    """Only documents of the checklist may be asked for."""
    unknown = set(codes) - set(ask["checklist"])
    if unknown:
        raise Invalid("A document that is not on the checklist was named.", field="missing")


def check_choice(code: str, options: dict[str, Label], name: str) -> None:
    """Only codes of the list, so that every reason has its words."""
    if code not in options:
        raise Invalid("That is not one of the choices.", field=name)


def check_initial_review(outcome: InitialReview, ask: Json) -> None:
    check_codes(outcome.missing, ask)
    check_choice(outcome.suspicion, SUSPICIONS, "suspicion")
    for action in outcome.investigate:
        check_choice(action, INVESTIGATIONS, "investigate")


def check_documents(outcome: DocumentCheck, ask: Json) -> None:
    check_codes(outcome.refused, ask)


def check_assessment(outcome: LossAssessment, ask: Json) -> None:
    """Every exposure once; no loss is worth more than was claimed."""
    rows = _rows_of(ask, "losses")
    if [x.exposure_id for x in outcome.losses] != list(rows):
        raise Invalid("Every exposure must be assessed once.", field="losses")
    for loss in outcome.losses:
        check_choice(loss.excluded_reason, EXCLUSIONS, "excluded_reason")
        if not 0 <= loss.assessed_amount <= Decimal(rows[loss.exposure_id]["claimed_amount"]):
            raise Invalid("An assessed loss must lie between zero and the claimed amount.", field="assessed_amount")


def check_adjudication(outcome: Adjudication, ask: Json) -> None:
    """Never above what the rules allow; a denial pays nothing, an acceptance something."""
    rows = _rows_of(ask, "decisions")
    if [d.exposure_id for d in outcome.decisions] != list(rows):
        raise Invalid("Every exposure must be decided once.", field="decisions")
    for decision in outcome.decisions:
        check_choice(decision.reason, HAND_REASONS, "reason")
        most = Decimal(rows[decision.exposure_id]["payable_amount"])
        if not 0 <= decision.payable_amount <= most:
            raise Invalid(f"The policy allows at most {most} here.", field="payable_amount")
        if (decision.result is Result.DENY) != (decision.payable_amount == 0):
            raise Invalid("A denied exposure pays nothing, any other pays something.", field="result")
        if decision.payable_amount < most and not decision.reason:
            raise Invalid("Paying less than the rules propose needs a reason.", field="reason")
    check_choice(outcome.panel, PANELS, "panel")


def check_settlement(outcome: Settlement, ask: Json) -> None:
    """The payees' shares are positive and add up to what was approved, or to a part of it that is called one."""
    check_choice(outcome.extent, EXTENTS, "extent")
    if not outcome.payees or any(p.amount <= 0 for p in outcome.payees):
        raise Invalid("Each payee must receive something.", field="payees")
    together, whole = sum((p.amount for p in outcome.payees), Decimal(0)), Decimal(ask["approved_amount"])
    if outcome.extent == "part" and together < whole:
        return
    if together != whole:
        raise Invalid(f"The payees' amounts must add up to {ask['approved_amount']}.", field="payees")


INITIAL_REVIEW = TaskKind(
    id="initial_review",
    label=Label("Initial review", "初审"),
    help=Label("Check the report and list every missing document.", "核对报案信息，一次列全缺少的材料。"),
    queue="claims.review",
    permission="task:review",
    outcome=InitialReview,
    check=check_initial_review,
)
CHECK_DOCUMENTS = TaskKind(
    id="check_documents",
    label=Label("Check documents", "材料核对"),
    help=Label("Are the documents readable and sufficient?", "材料是否清晰、齐全？"),
    queue="claims.review",
    permission="task:review",
    outcome=DocumentCheck,
    check=check_documents,
)
ASSESS_LOSS = TaskKind(
    id="assess_loss",
    label=Label("Assess the loss", "责任认定与损失核定"),
    help=Label("Set liability and amount for each exposure.", "逐项认定责任、核定损失。"),
    queue="claims.assessment",
    permission="task:assess",
    outcome=LossAssessment,
    check=check_assessment,
    rows={"losses": AssessedLoss},
)
ADJUDICATE = TaskKind(
    id="adjudicate",
    label=Label("Adjudicate", "理赔审核"),
    help=Label("The rules propose a decision with reasons; you decide.", "系统按条款给出建议及理由，由您决定。"),
    queue="claims.adjudication",
    permission="task:adjudicate",
    outcome=Adjudication,
    check=check_adjudication,
    rows={"decisions": CoverageAnswer},
)
AUTHORISE = TaskKind(
    id="authorise",
    label=Label("Authorise", "授权审批"),
    help=Label("A second person above the authority limit.", "超过权限，须由第二人审批。"),
    queue="claims.authority",
    permission="task:authorise",
    outcome=Authorisation,
)
AGREE_SETTLEMENT = TaskKind(
    id="agree_settlement",
    label=Label("Agree the settlement", "达成赔付协议"),
    help=Label("Confirm who is paid, and their bank accounts.", "确认收款人及银行账户。"),
    queue="claims.settlement",
    permission="task:settle",
    outcome=Settlement,
    check=check_settlement,
    rows={"payees": PayeeShare},
    by_customer=True,
)
AUTHORISE_ADVANCE = TaskKind(
    id="authorise_advance",
    label=Label("Authorise an advance", "预付审批"),
    help=Label("A second person above the authority limit for advances.", "超过预付权限，须由第二人审批。"),
    queue="claims.authority",
    permission="task:authorise",
    outcome=Authorisation,
    decision="advance",
)
MAIN_TASKS = (INITIAL_REVIEW, CHECK_DOCUMENTS, ASSESS_LOSS, ADJUDICATE, AUTHORISE, AUTHORISE_ADVANCE, AGREE_SETTLEMENT)
