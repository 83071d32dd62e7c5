"""The claim as a kind of case (CLM-1..12)."""

from __future__ import annotations

from lian.domain.case_kind import CaseKind, Stage
from lian.domain.claims import figures
from lian.domain.claims.actions import PROCESS_ACTIONS
from lian.domain.claims.case_actions import CASE_ACTIONS
from lian.domain.claims.endings import BINDING, DETOURS, ENDINGS, REOPENS
from lian.domain.claims.inquest_tasks import INQUEST_TASKS
from lian.domain.claims.money_actions import MONEY_ACTIONS
from lian.domain.claims.second_look_tasks import SECOND_LOOKS
from lian.domain.claims.tasks import MAIN_TASKS
from lian.domain.labels import Label
from lian.domain.promise_actions import PROMISE_ACTIONS
from lian.domain.promise_tasks import PROMISE_TASKS
from lian.domain.promise_tasks import QUEUES as PROMISE_QUEUES

STAGES = (
    Stage(
        "report",
        Label("Report", "报案"),
        Label("We have received your claim", "我们已收到您的报案"),
        Label("We register it and take a first look.", "我们将立案并进行初步审核。"),
    ),
    Stage(
        "review",
        Label("Initial review", "初审"),
        Label("We are looking at your claim", "我们正在初步审核您的案件"),
        Label(
            "We check what we have and tell you at once if anything is missing.",
            "我们会核对资料，如有缺少将一次性告知您。",
        ),
    ),
    Stage(
        "documents",
        Label("Documents", "资料"),
        Label("We are collecting your documents", "我们正在收集您的理赔资料"),
        Label("When the last document is here, we go on.", "资料齐全后，我们将继续处理。"),
    ),
    Stage(
        "investigation",
        Label("Investigation", "调查"),
        Label("We are looking into what happened", "我们正在核实事故情况"),
        Label("We look at the place, the records and the damage.", "我们将查勘现场、调阅资料并核实损失。"),
    ),
    Stage(
        "assessment",
        Label("Assessment", "定损"),
        Label("We are assessing your loss", "我们正在核定您的损失"),
        Label("We find out what is covered and what the loss is worth.", "我们将认定责任并核定损失金额。"),
    ),
    Stage(
        "decision",
        Label("Decision", "审核"),
        Label("We are deciding on your claim", "我们正在作出理赔决定"),
        Label("You will hear our decision and its reasons.", "我们会将决定及理由告知您。"),
    ),
    Stage(
        "settlement",
        Label("Settlement", "赔付协议"),
        Label("Your claim is accepted", "您的理赔申请已获同意"),
        Label("We agree with you on the payment.", "我们将与您确认赔付方式。"),
    ),
    Stage(
        "payment",
        Label("Payment", "支付"),
        Label("Your payment is on its way", "赔款正在支付"),
        Label("The bank transfers the money; you get a voucher.", "银行正在转账，完成后您将收到支付凭证。"),
    ),
    Stage(
        "denial",
        Label("Denial notice", "拒赔通知"),
        Label("We cannot pay this claim", "很抱歉，本次理赔未能通过"),
        Label("You get a letter with the reasons and the ways to object.", "您将收到说明理由及异议途径的书面通知。"),
    ),
    Stage(
        "aftercare",
        Label("Follow-up", "后续处理"),
        Label("We are looking at your claim again", "我们正在复核您的案件"),
        Label(
            "Something came up after the decision; we settle it and tell you.",
            "决定作出后有新的事项，我们处理后将告知您。",
        ),
    ),
    Stage(
        "closed",
        Label("Closed", "已结案"),
        Label("Your claim is closed", "您的案件已结案"),
        Label("Nothing more is needed from you.", "您无需再做任何事。"),
    ),
)

CLAIM = CaseKind(
    id="claim",
    prefix="CLM",
    label=Label("Claim", "理赔"),
    workflow="Claim",
    stages=STAGES,
    tasks=(*MAIN_TASKS, *INQUEST_TASKS, *SECOND_LOOKS, *PROMISE_TASKS),
    queues={
        "claims.review": Label("Review", "初审"),
        "claims.investigation": Label("Investigation", "调查"),
        "claims.external": Label("External adjusters", "公估"),
        "claims.special": Label("Special investigation", "特别调查"),
        "claims.assessment": Label("Assessment", "定损"),
        "claims.adjudication": Label("Adjudication", "审核"),
        "claims.authority": Label("Authority", "授权审批"),
        "claims.panel": Label("Panel", "集体讨论"),
        "claims.settlement": Label("Settlement", "赔付"),
        "claims.objection": Label("Objections", "异议复核"),
        "claims.compliance": Label("Compliance", "合规核查"),
        **PROMISE_QUEUES,
    },
    clocks=(figures.INITIAL_REVIEW, figures.TOTAL, figures.SIMPLE, figures.COMPLEX),
    promise=figures.TOTAL.id,
    outcomes={
        "paid": Label("Paid", "已赔付"),
        "denied": Label("Denied", "已拒赔"),
        "withdrawn": Label("Withdrawn", "已撤回"),
        "merged": Label("Joined to another case", "已并案"),
    },
    pack=figures.PACK_VERSION,
    actions=(*PROCESS_ACTIONS, *MONEY_ACTIONS, *CASE_ACTIONS, *PROMISE_ACTIONS),
    endings=ENDINGS,
    detours=DETOURS,
    binding=BINDING,
    reopens=REOPENS,
)
