"""What must be found out before a claim is decided: whether it is known already, what happened, whether it is honest.

Duplicates (CLM-3), the investigation plan (CLM-6), special investigation (CLM-14).
"""

from __future__ import annotations

from dataclasses import dataclass

from lian.domain.claims.tasks import INVESTIGATIONS, check_choice
from lian.domain.errors import Invalid
from lian.domain.labels import Label
from lian.domain.tasks import Json, TaskKind, question

RELATIONS = {
    "same_loss": Label("The same loss: join this report to it", "同一事故：并入该案"),
    "related": Label("Related, but a loss of its own", "相关，但为独立损失"),
    "different": Label("Not connected", "无关"),
}
FINDINGS = {
    "supports": Label("Supports the claim", "支持索赔"),
    "contradicts": Label("Contradicts the claim", "与索赔不符"),
    "inconclusive": Label("Inconclusive", "无法认定"),
}
SUSPICION_OUTCOMES = {
    "cleared": Label("Suspicion cleared", "排除疑点"),
    "confirmed": Label("Suspicion confirmed", "疑点属实"),
    "inconclusive": Label("Inconclusive", "无法认定"),
}


@dataclass(frozen=True, slots=True)
class LikenessAnswer:
    """How one earlier report stands to this one."""

    other_case_id: str = question(Label("Case", "案件"), "hidden")
    relation: str = question(Label("This is", "关系认定"), "choice", options=RELATIONS)


@dataclass(frozen=True, slots=True)
class DuplicateJudgement:
    """The human choice on every report that looks like this one (CLM-3)."""

    likenesses: tuple[LikenessAnswer, ...] = question(Label("Similar reports", "相似报案"), "rows")


@dataclass(frozen=True, slots=True)
class InvestigationFinding:
    """What one action of the plan brought to light; the notes say what exactly (CLM-6)."""

    finding: str = question(
        Label("Finding", "调查结论"),
        "choice",
        options=FINDINGS,
        help=Label(
            "Attach the evidence to the case and describe it in the notes.", "请将证据上传至案件，并在备注中说明。"
        ),
    )


@dataclass(frozen=True, slots=True)
class SuspicionFinding:
    """What special investigation found (CLM-14)."""

    outcome: str = question(Label("Outcome", "调查结果"), "choice", options=SUSPICION_OUTCOMES)


def check_likenesses(outcome: DuplicateJudgement, ask: Json) -> None:
    """Every similar report is judged once, and this one is joined to one other at most."""
    if [x.other_case_id for x in outcome.likenesses] != [r["other_case_id"] for r in ask["rows"]["likenesses"]]:
        raise Invalid("Every similar report must be judged once.", field="likenesses")
    for likeness in outcome.likenesses:
        check_choice(likeness.relation, RELATIONS, "relation")
    if sum(x.relation == "same_loss" for x in outcome.likenesses) > 1:
        raise Invalid("A report can be joined to one other only.", field="relation")


def check_finding(outcome: InvestigationFinding, ask: Json) -> None:
    check_choice(outcome.finding, FINDINGS, "finding")


def check_suspicion(outcome: SuspicionFinding, ask: Json) -> None:
    check_choice(outcome.outcome, SUSPICION_OUTCOMES, "outcome")


JUDGE_DUPLICATE = TaskKind(
    id="judge_duplicate",
    label=Label("Judge similar reports", "重复报案认定"),
    help=Label("Is this loss known already? The reasons are shown.", "该事故是否已报案？请依据所示理由认定。"),
    queue="claims.review",
    permission="task:review",
    outcome=DuplicateJudgement,
    check=check_likenesses,
    rows={"likenesses": LikenessAnswer},
)


def _investigation(action: str, queue: str, permission: str, help_: Label) -> TaskKind:
    return TaskKind(
        id=action,
        label=INVESTIGATIONS[action],
        help=help_,
        queue=queue,
        permission=permission,
        outcome=InvestigationFinding,
        check=check_finding,
        needs_notes=True,
    )


INVESTIGATION_TASKS = {
    task.id: task
    for task in (
        _investigation(
            "scene_survey",
            "claims.investigation",
            "task:investigate",
            Label("Look at the place and the damage; attach photographs.", "查勘现场与损失，并上传照片。"),
        ),
        _investigation(
            "record_review",
            "claims.investigation",
            "task:investigate",
            Label(
                "Look into earlier claims, medical, repair and police records.", "核查既往赔案及医疗、维修、公安记录。"
            ),
        ),
        _investigation(
            "witness_interview",
            "claims.investigation",
            "task:investigate",
            Label("Speak with those who saw it; attach the signed record.", "走访证人，并上传签字笔录。"),
        ),
        _investigation(
            "external_adjuster",
            "claims.external",
            "task:survey",
            Label(
                "A loss adjuster from outside reports on cause and amount.",
                "由外部公估人就事故原因与损失金额出具报告。",
            ),
        ),
    )
}
"""One task per way to find out, by its code."""
EXAMINE_SUSPICION = TaskKind(
    id="examine_suspicion",
    label=Label("Special investigation", "特别调查"),
    help=Label(
        "Find out whether the suspicion is founded; say how in the notes.", "核实疑点是否属实，并在备注中说明依据。"
    ),
    queue="claims.special",
    permission="task:investigate_fraud",
    outcome=SuspicionFinding,
    check=check_suspicion,
    needs_notes=True,
)
INQUEST_TASKS = (JUDGE_DUPLICATE, *INVESTIGATION_TASKS.values(), EXAMINE_SUSPICION)
