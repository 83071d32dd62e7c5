"""A kind of case is one definition (idea 5): what a new one lacks is named, and nothing else must be touched for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lian.domain.case_kind import CaseKind, Ending, Intake, Stage, Step
from lian.domain.case_kinds import KINDS
from lian.domain.inquiries.definition import INQUIRY
from lian.domain.labels import Label
from lian.domain.promise_tasks import PROMISE_TASKS
from lian.domain.promise_tasks import QUEUES as PROMISE_QUEUES
from lian.domain.sla import ClockPolicy, Unit
from lian.domain.tasks import TaskKind, question
from tests.architecture.completeness import World, complaints

ROOT = Path(__file__).parents[2]
CODE = ("lian", "api", "web", "workflows", "activities", "infra")
OUTSIDE = {"lian/domain/case_kinds.py", "lian/auth/permissions.py"}
"""All that a kind without a procedure of its own touches outside its folder."""


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.id)
def test_a_kind_lacks_nothing(kind: CaseKind) -> None:
    assert complaints(kind) == []


def test_no_two_kinds_are_taken_for_each_other() -> None:
    for what in ("id", "prefix"):
        assert len({getattr(kind, what) for kind in KINDS.values()}) == len(KINDS)
    found = [each for kind in KINDS.values() for each in shared_ids(kind)]
    assert sorted(found) == sorted(set(found))


def shared_ids(kind: CaseKind) -> list[str]:
    """What two kinds must not both have; what all do about their promises they have in common."""
    in_common = {*PROMISE_QUEUES, *(task.id for task in PROMISE_TASKS)}
    named = {"task": [t.id for t in kind.tasks], "clock": [c.id for c in kind.clocks], "queue": [*kind.queues]}
    return [f"{what} {each}" for what, ids in named.items() for each in ids if each not in in_common]


@pytest.mark.req("INQ-1")
def test_an_inquiry_touches_two_files_outside_its_folder() -> None:
    own = ROOT / "lian" / "domain" / "inquiries"
    files = (path for part in CODE for ending in ("py", "html") for path in (ROOT / part).rglob(f"*.{ending}"))
    naming = {
        path.relative_to(ROOT).as_posix()
        for path in files
        if own not in path.parents and re.search("inquir", path.read_text(encoding="utf-8"), re.IGNORECASE)
    }
    assert naming == OUTSIDE


def test_the_walk_through_shows_the_code_as_it_is() -> None:
    page = (ROOT / "docs" / "adding-a-case-kind.md").read_text(encoding="utf-8")
    excerpts = re.findall(r"```python\n# (\S+)\n(.*?)```", page, re.DOTALL)
    assert len(excerpts) >= 10
    stale = [f"{path}: {code}" for path, code in excerpts if code not in (ROOT / path).read_text(encoding="utf-8")]
    assert stale == []
    named = re.findall(r"`((?:lian|workflows|tests|web)/[\w/.]+\.(?:py|po))`", page)
    assert [path for path in named if not (ROOT / path).exists()] == []


# --- the test itself can fail -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer with every fault."""

    result: str = question(
        Label("Result", ""), "choice", options={"done": Label("Done", "完成"), "on": Label("On", "继续")}
    )
    colour: str = question(Label("Colour", "颜色"), "choice", default="")
    words: str = question(Label("Words", "内容"), "text", default="")
    table: tuple[str, ...] = question(Label("Table", "表格"), "rows", default=())


@dataclass(frozen=True, slots=True)
class Told:
    """A form that asks for words only."""

    words: str = question(Label("Words", "内容"), "text", personal=True)


HALF = CaseKind(
    id="half",
    prefix="Half",
    label=Label("Half", "半"),
    workflow="Nobody",
    stages=(Stage("start", Label("Start", "开始"), Label("", "我们已收到"), Label("Wait.", "Wait.")),),
    tasks=(
        TaskKind(
            "judge",
            Label("Judge", "判断"),
            Label("Do.", "办理。"),
            "half.lost",
            "task:lost",
            Verdict,
            on="desk",
            replies_with="words",
        ),
    ),
    queues={"half.empty": Label("Empty", "空")},
    clocks=(ClockPolicy("half.once", Label("Once", "一次"), 1, Unit.HOURS, pausable=False, stops_on=("half.done",)),),
    promise="half.never",
    outcomes={"done": Label("Done", "完成")},
    pack="",
    intake=Intake(Label("Tell", "告知"), Label("Us.", "我们。"), Told, examples=({"words": 5},)),
    steps=(
        Step("start", "judge", ends={"done": "done", "on": "gone"}, by_another=True),
        Step("nowhere", "judge", reaches=("half.twice",), ends={"done": "done", "off": "done"}),
        Step("start", "guess"),
    ),
    endings={"lost": Ending(Label("Lost", "丢失"), Label("Gone.", "没了。"), stage="limbo")},
    detours={"aside": ()},
    binding=frozenset({"bound"}),
    reopens=("again",),
)
LACKS = [
    "stages[start].headline: no English words",
    "stages[start].next_step: no Chinese words",
    "tasks[judge].outcome.result.label: no Chinese words",
    "prefix 'Half': a case number begins with three capital letters",
    "stages: the first is not `report`, where every case begins",
    "stages: the last is not `closed`, where every case ends",
    "detours: there is no stage aside",
    "binding: there is no stage bound",
    "reopens: there is no stage again",
    "task judge: its queue half.lost is not among the kind's queues",
    "task judge: its permission task:lost is not known",
    "task judge: replies_with words is not a personal text of its outcome",
    "queue half.empty: no task ever waits in it",
    "promise half.never: it is not one of the kind's clocks",
    "task explain_lateness: every kind has it, for its promises",
    "task approve_extension: every kind has it, for its promises",
    "action extend_promise: every kind has it, for its promises",
    "action start_wait: every kind has it, for its promises",
    "action end_wait: every kind has it, for its promises",
    "action note_milestone: every kind has it, for its promises",
    "task judge: nothing says what its answer does",
    "clock half.once: no source for its figure",
    "clock half.once: there is no milestone half.done",
    "workflow Nobody: it is not registered in workflows/registry.py",
    "steps: `Standard` runs a kind by its steps, and nothing else does",
    "step 1: it ends as gone, which is no outcome",
    "step 1: every answer ends the case, so the next step never comes",
    "step 2: nowhere is not a stage between the first and the last",
    "step 2: there is no milestone half.twice",
    "step 2: off is no result of judge",
    "step 3: there is no task guess",
    "step 1: nobody answered before it, so nobody can be excluded",
    "outcomes: `withdrawn` is missing; every case can be withdrawn",
    "outcome done: nothing says what the customer reads then",
    "ending lost: there is no such outcome",
    "ending lost: there is no stage limbo",
    "task judge: result takes answers that are none of its options",
    "task judge: colour is a choice of nothing",
    "intake: example 1 is refused: This must be text.",
    "intake: no coded answer tells the process what it is about",
    "task judge: nothing says what a row of table is",
    "task judge: its form cannot be shown (zh-CN: KeyError)",
    "task judge: its form cannot be shown (en: KeyError)",
    "task judge: no robot of the simulator has task:lost",
    "task judge: no robot knows an answer that is taken",
    f'tests: none walks such a case to its end; mark one with pytest.mark.kind("{HALF.id}")',
    "definition: pack is empty",
]


def test_a_half_finished_kind_is_told_exactly_what_it_lacks() -> None:
    assert sorted(complaints(HALF)) == sorted(LACKS)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"intake": None}, "intake: nobody can open such a case"),
        ({"steps": INQUIRY.steps[:1]}, "step 1: it is the last, but not every answer ends the case: needs_specialist"),
        ({"promise": "claim.total"}, "promise claim.total: it is not one of the kind's clocks"),
        ({"endings": {}}, "outcome withdrawn: nothing says what the customer reads then"),
        ({"queues": {}}, "task answer_inquiry: its queue inquiries.answer is not among the kind's queues"),
    ],
)
def test_taking_something_away_from_a_complete_kind_is_noticed(changed: dict[str, object], complaint: str) -> None:
    assert complaint in complaints(replace(INQUIRY, **changed))


def test_a_permission_nobody_has_and_a_clock_nobody_starts_are_noticed() -> None:
    assert "task answer_inquiry: no role has task:inquire" in complaints(INQUIRY, World(roles={}))
    never = ClockPolicy("claim.never", Label("Never", "从不"), 1, Unit.HOURS, pausable=False, source="test")
    claim = KINDS["claim"]

    def lacks(clock: ClockPolicy) -> set[str]:
        return {each for each in complaints(replace(claim, clocks=(*claim.clocks, clock))) if clock.id in each}

    assert lacks(replace(never, starts_on="received", stops_on=("paid",))) == set()
    assert lacks(replace(never, starts_on="policy_issued")) == {"clock claim.never: nothing starts it"}
    assert lacks(replace(never, stops_on=("survey_run",))) == {"clock claim.never: nothing stops it"}
    assert lacks(replace(never, starts_on="never")) == {
        "clock claim.never: nothing starts it",
        "clock claim.never: there is no milestone never",
    }


def test_a_clock_of_a_grade_needs_a_procedure_that_grades() -> None:
    class Standard:
        """Says nothing of grades."""

    graded = replace(INQUIRY, clocks=(replace(INQUIRY.clocks[0], grade="simple"),))
    complaint = "clock inquiry.answer: nothing says of which grade a case is"
    assert complaint in complaints(graded, World(workflows=(Standard,)))
    assert complaint not in complaints(graded)


def test_what_two_kinds_both_have_is_noticed() -> None:
    again = replace(INQUIRY, id="again", queues={"claims.review": Label("Review", "初审")})
    found = [each for kind in (KINDS["claim"], INQUIRY, again) for each in shared_ids(kind)]
    twice = {each for each in found if found.count(each) > 1}
    assert twice >= {"queue claims.review", "task answer_inquiry", "clock inquiry.answer"}
    assert "task explain_lateness" not in found
