"""Which documents a claim needs, by line, cause and injury (CLM-5 理赔资料清单)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from lian.domain.claims.terms import Line, LossCause
from lian.domain.labels import Label


@dataclass(frozen=True, slots=True)
class DocumentItem:
    """One line of the checklist. Only a required item can hold a claim up."""

    code: str
    label: Label
    required: bool


DOCUMENT_LABELS: dict[str, Label] = {
    "identity": Label("Identity document of the claimant", "索赔人身份证明"),
    "policy": Label("Policy or certificate of insurance", "保险单或保险凭证"),
    "bank_account": Label("Bank account for payment", "收款银行账户"),
    "accident_proof": Label("Proof of the accident", "事故证明"),
    "police_report": Label("Police report", "公安机关报案证明"),
    "fire_report": Label("Fire brigade report", "消防部门火灾证明"),
    "driving_licence": Label("Driving licence and vehicle registration", "驾驶证和行驶证"),
    "repair_estimate": Label("Repair estimate with photographs", "维修估价单及损失照片"),
    "ownership_proof": Label("Proof of ownership and value", "财产权属及价值证明"),
    "diagnosis": Label("Medical diagnosis", "诊断证明"),
    "medical_invoices": Label("Medical invoices", "医疗费用发票"),
    "medical_records": Label("Medical records", "病历资料"),
    "death_certificate": Label("Death certificate", "死亡证明"),
    "kinship_proof": Label("Proof of entitlement of the beneficiary", "受益人关系证明"),
    "guardianship_proof": Label("Proof of guardianship", "监护关系证明"),
    "statement": Label("Written statement of what happened", "事故经过书面说明"),
    "answers": Label("Answers to our questions", "对我们问题的答复"),
    "evidence": Label("Evidence", "调查证据"),
}
"""The words for every document code."""

IN_WORDS = ("statement", "answers")
"""What may be asked for beside papers; a person asks for it, no checklist does."""
EVIDENCE = "evidence"
"""What an investigation brought to light; filed by those who carried it out, never by the customer (CLM-6)."""
OPTIONAL = frozenset({"policy", *IN_WORDS, EVIDENCE})
"""Welcome but never waited for: the policy is on record since its snapshot was taken (CLM-2)."""

ALWAYS = ("identity", "policy", "bank_account")

BY_LINE: dict[Line, tuple[str, ...]] = {
    Line.MOTOR: ("driving_licence",),
    Line.HEALTH: ("diagnosis", "medical_invoices", "medical_records"),
    Line.PROPERTY: ("ownership_proof",),
    Line.ACCIDENT: ("accident_proof",),
}

ILLNESSES = frozenset({LossCause.ILLNESS, LossCause.CRITICAL_ILLNESS, LossCause.SELF_HARM})
NOTHING_TO_REPAIR = frozenset({LossCause.THEFT, LossCause.DEATH, *ILLNESSES})
DAMAGE_LINES = frozenset({Line.MOTOR, Line.PROPERTY})
DAMAGE = ("repair_estimate",)
INJURY = ("diagnosis", "medical_invoices")
MINORS = ("guardianship_proof",)
"""Whoever acts for a minor proves that they may."""

BY_CAUSE: dict[LossCause, tuple[str, ...]] = {
    LossCause.COLLISION: ("accident_proof",),
    LossCause.SINGLE_VEHICLE: ("accident_proof",),
    LossCause.ACCIDENT: ("accident_proof",),
    LossCause.THEFT: ("police_report", "ownership_proof"),
    LossCause.VANDALISM: ("police_report",),
    LossCause.INTOXICATION: ("police_report",),
    LossCause.FIRE: ("fire_report",),
    LossCause.STORM: ("accident_proof",),
    LossCause.EARTHQUAKE: ("accident_proof",),
    LossCause.DEATH: ("death_certificate", "kinship_proof"),
}


def checklist(*, line: Line, loss_cause: LossCause, injured: int, minors: int = 0) -> tuple[DocumentItem, ...]:
    """Everything this claim needs, each item once and in the order it is asked for (CLM-5).

    `injured` and `minors` count people; of minors those who claim.
    """
    codes = (
        *ALWAYS,
        *BY_LINE[line],
        *BY_CAUSE.get(loss_cause, ()),
        *(INJURY if injured or loss_cause in ILLNESSES else ()),
        *(DAMAGE if line in DAMAGE_LINES and loss_cause not in NOTHING_TO_REPAIR else ()),
        *(MINORS if minors else ()),
    )
    return tuple(_item(code) for code in dict.fromkeys(codes))


def missing_items(items: Collection[DocumentItem], received: Collection[str]) -> tuple[DocumentItem, ...]:
    """The required items not among the received codes: the one complete list for the one notice (CLM-5)."""
    return tuple(item for item in items if item.required and item.code not in received)


def _item(code: str) -> DocumentItem:
    return DocumentItem(code=code, label=DOCUMENT_LABELS[code], required=code not in OPTIONAL)
