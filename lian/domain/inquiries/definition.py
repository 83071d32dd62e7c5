"""The inquiry as a kind of case (INQ-1): all there is to it, for `workflows/standard.py` runs it."""

from __future__ import annotations

from lian.domain.case_kind import CaseKind, Ending, Stage, Step
from lian.domain.inquiries import figures
from lian.domain.inquiries.intake import INTAKE
from lian.domain.inquiries.tasks import ANSWER_AS_SPECIALIST, ANSWER_INQUIRY, TASKS
from lian.domain.labels import Label
from lian.domain.promise_actions import PROMISE_ACTIONS
from lian.domain.promise_tasks import PROMISE_TASKS
from lian.domain.promise_tasks import QUEUES as PROMISE_QUEUES

STAGES = (
    Stage(
        "report",
        Label("Received", "已受理"),
        Label("We have received your question", "我们已收到您的咨询"),
        Label("Somebody who knows reads it and answers you here.", "工作人员将阅读并在此答复您。"),
    ),
    Stage(
        "answer",
        Label("Answer", "答复"),
        Label("We are working on your answer", "我们正在为您准备答复"),
        Label("You read our answer here, and we tell you when it is there.", "答复将显示在此页面，届时我们会通知您。"),
    ),
    Stage(
        "specialist",
        Label("Specialist", "专家答复"),
        Label("A specialist is looking into your question", "专家正在研究您的问题"),
        Label(
            "It takes somebody who knows this well; you read the answer here.", "需由专业人员答复，结果将显示在此页面。"
        ),
    ),
    Stage(
        "closed",
        Label("Closed", "已办结"),
        Label("Your question is dealt with", "您的咨询已办结"),
        Label("Nothing more is needed from you.", "您无需再做任何事。"),
    ),
)
ENDS = {"answered": "answered", "duplicate": "duplicate"}
"""An answer's result, and what the case ends as; any other result goes on with the next step."""
MESSAGES_BELOW = Label("You read it in the messages below.", "请查看下方消息。")

INQUIRY = CaseKind(
    id="inquiry",
    prefix="INQ",
    label=Label("Inquiry", "咨询"),
    workflow="Standard",
    stages=STAGES,
    tasks=(*TASKS, *PROMISE_TASKS),
    queues={
        "inquiries.answer": Label("Inquiries", "咨询"),
        "inquiries.specialist": Label("Inquiries for specialists", "专家咨询"),
        **PROMISE_QUEUES,
    },
    clocks=(figures.ANSWER,),
    promise=figures.ANSWER.id,
    outcomes={
        "answered": Label("Answered", "已答复"),
        "duplicate": Label("Asked before", "重复咨询"),
        "withdrawn": Label("Withdrawn", "已撤回"),
    },
    pack=figures.PACK_VERSION,
    actions=PROMISE_ACTIONS,
    intake=INTAKE,
    steps=(
        Step("answer", ANSWER_INQUIRY.id, ends=ENDS),
        Step("specialist", ANSWER_AS_SPECIALIST.id, ends=ENDS, by_another=True),
    ),
    endings={
        "answered": Ending(Label("Your question is answered", "您的咨询已答复"), MESSAGES_BELOW, "ok"),
        "duplicate": Ending(Label("You asked us this before", "您此前已咨询过此问题"), MESSAGES_BELOW),
        "withdrawn": Ending(
            Label("You withdrew this question", "您已撤回本次咨询"),
            Label("Nothing more is needed from you.", "您无需再做任何事。"),
        ),
    },
    detours={"specialist": ()},
)
