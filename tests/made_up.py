"""A kind of case made up for tests, with every widget and two clocks: nothing in the product knows of it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from lian.domain.case_kind import CaseKind, Ending, Intake, Stage, Step
from lian.domain.labels import Label
from lian.domain.promise_actions import PROMISE_ACTIONS
from lian.domain.promise_tasks import PROMISE_TASKS
from lian.domain.promise_tasks import QUEUES as PROMISE_QUEUES
from lian.domain.sla import ClockPolicy, Unit
from lian.domain.tasks import TaskKind, question


class Mood(StrEnum):
    """How somebody feels."""

    WELL = "well"
    BADLY = "badly"


MOODS = {"well": Label("Well", "满意"), "badly": Label("Badly", "不满意")}
PARTS = {"phone": Label("Phone", "电话"), "branch": Label("Branch", "柜面")}


@dataclass(frozen=True, slots=True)
class Survey:
    """What a customer thinks of us."""

    mood: Mood = question(Label("How do you feel?", "您感觉如何？"), "choice", options=MOODS)  # noqa: RUF009
    again: bool = question(Label("Would you come again?", "您会再来吗？"), "yes_no")
    spent: Decimal = question(Label("What did you spend?", "您花了多少？"), "amount")  # noqa: RUF009
    parts: tuple[str, ...] = question(Label("Where were you?", "您去过哪里？"), "codes", options=PARTS, default=())
    words: str = question(Label("Tell us more", "请多说几句"), "text", personal=True, default="")


@dataclass(frozen=True, slots=True)
class Read:
    """It was read; there is nothing to choose."""

    score: Decimal = question(Label("Score", "分数"), "amount")  # noqa: RUF009


@dataclass(frozen=True, slots=True)
class Thanked:
    """The customer was thanked."""

    result: Mood = question(Label("How?", "结果"), "choice", options=MOODS)  # noqa: RUF009


SURVEY = CaseKind(
    id="survey",
    prefix="SRV",
    label=Label("Survey", "调查问卷"),
    workflow="Standard",
    stages=(
        Stage(
            "report",
            Label("In", "收到"),
            Label("We have your survey", "我们已收到您的问卷"),
            Label("We read it.", "我们会阅读。"),
        ),
        Stage(
            "reading",
            Label("Reading", "阅读"),
            Label("We are reading", "我们正在阅读"),
            Label("Then we thank you.", "之后致谢。"),
        ),
        Stage("thanks", Label("Thanks", "致谢"), Label("We are grateful", "我们很感谢"), Label("Soon.", "很快。")),
        Stage("closed", Label("Over", "结束"), Label("It is over", "已经结束"), Label("Nothing.", "无。")),
    ),
    tasks=(
        TaskKind(
            "read_survey", Label("Read", "阅读问卷"), Label("Read it.", "请阅读。"), "surveys.all", "task:inquire", Read
        ),
        TaskKind(
            "thank",
            Label("Thank", "致谢客户"),
            Label("Thank them.", "请致谢。"),
            "surveys.all",
            "task:inquire",
            Thanked,
        ),
        *PROMISE_TASKS,
    ),
    queues={"surveys.all": Label("Surveys", "问卷"), **PROMISE_QUEUES},
    clocks=(
        ClockPolicy(
            "survey.read",
            Label("Read", "阅读时限"),
            2,
            Unit.HOURS,
            pausable=False,
            source="test",
            starts_on="received",
            stops_on=("acknowledged",),
        ),
        ClockPolicy("survey.all", Label("All", "总时限"), 3, Unit.WORKING_DAYS, pausable=False, source="test"),
    ),
    promise="survey.all",
    outcomes={
        "happy": Label("Happy", "满意"),
        "sad": Label("Sad", "不满意"),
        "withdrawn": Label("Withdrawn", "已撤回"),
    },
    pack="test/1",
    actions=PROMISE_ACTIONS,
    intake=Intake(
        Label("Tell us how we did", "评价我们"),
        Label("Two minutes.", "两分钟。"),
        Survey,
        examples=({"mood": "well", "again": True, "spent": "12.50", "parts": ["phone"], "words": "很好"},),
    ),
    steps=(
        Step("reading", "read_survey", reaches=("acknowledged",)),
        Step("thanks", "thank", ends={"well": "happy", "badly": "sad"}),
    ),
    endings={
        "happy": Ending(Label("Thank you", "谢谢您"), Label("Come again.", "欢迎再来。"), "ok"),
        "sad": Ending(Label("We are sorry", "我们很抱歉"), Label("Next time.", "下次更好。"), "bad"),
        "withdrawn": Ending(Label("You changed your mind", "您改变了主意"), Label("Fine.", "好的。")),
    },
)
