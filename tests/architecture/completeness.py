"""What a kind of case lacks, in words: every place that reads a definition, asked whether it finds what it needs."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo

from api.schemas.forms import form_of, schema_of
from api.schemas.kinds import inlined
from infra.simulator import choices, staff
from infra.simulator.choices import Asked
from lian.auth.permissions import PERMISSIONS, ROLES
from lian.domain.case_kind import FIRST, LAST, CaseKind, Intake, Step
from lian.domain.errors import DomainError
from lian.domain.labels import LANGUAGES, Label
from lian.domain.milestones import MILESTONES
from lian.domain.promise_actions import PROMISE_ACTIONS
from lian.domain.promise_tasks import PROMISE_TASKS
from lian.domain.tasks import Form, Json, Question, TaskKind, accept_any, questions
from lian.services.desk_tasks import DESK_TASKS
from lian.services.outcomes import dump_outcome, parse_outcome
from web.deps import Sent
from web.presenters.forms import FormContext, Typed, present_form, read_outcome
from web.reader import Reader
from web.render import environment
from workflows import registry

ROOT = Path(__file__).parents[2]
CHINESE = re.compile("[\u4e00-\u9fff]")
PREFIX = re.compile("^[A-Z]{3}$")
STANDARD = "Standard"
ONLY = {"value": "x", "en": "X", "zh": "某"}
TRIES = 20
MACRO = "{% from 'macros/question.html' import question %}{% for f in form.fields %}{{ question(f) }}{% endfor %}"


@dataclass(frozen=True)
class World:
    """What a kind is looked at with; the real one, unless a test says otherwise."""

    permissions: dict[str, str] = field(default_factory=lambda: PERMISSIONS)
    roles: dict[str, frozenset[str]] = field(default_factory=lambda: ROLES)
    workflows: Sequence[type[Any]] = field(default_factory=lambda: registry.WORKFLOWS)
    robot_roles: frozenset[str] = field(default_factory=lambda: frozenset(role for _, _, role in staff.cast(12)))
    tested: frozenset[str] = field(default_factory=lambda: tested_kinds())


def complaints(kind: CaseKind, world: World | None = None) -> list[str]:
    """Everything the kind lacks, one line each; empty when it is complete."""
    world = world or World()
    looks = (
        *(_words(kind), _name(kind), _stages(kind), _tasks(kind, world), _clocks(kind, world), _steps(kind)),
        *(_ends(kind), _questions(kind), _intake(kind), _forms(kind), _robots(kind, world), _tests(kind, world)),
    )
    return [each for look in looks for each in look]


# --- words ------------------------------------------------------------------------------------------------------------


def _words(kind: CaseKind) -> Iterator[str]:
    for place, label in _labels(kind, ""):
        if not label.en.strip() or CHINESE.search(label.en):
            yield f"{place}: no English words"
        if not label.zh.strip() or not CHINESE.search(label.zh):
            yield f"{place}: no Chinese words"


def _labels(thing: Any, place: str) -> Iterator[tuple[str, Label]]:
    """Every label below a part of the definition, with its place."""
    if isinstance(thing, Label):
        yield place, thing
        return
    for part, value in _parts(thing):
        yield from _labels(value, f"{place}{part}".lstrip("."))


def _parts(thing: Any) -> list[tuple[str, Any]]:
    """What a part of the definition is made of: fields, questions, entries."""
    if isinstance(thing, type) and is_dataclass(thing):
        return [(f".{name}", question) for name, question in questions(thing).items()]
    if is_dataclass(thing):
        return [(f".{each.name}", getattr(thing, each.name)) for each in fields(thing)]
    if isinstance(thing, dict):
        return [(f"[{key}]", value) for key, value in thing.items()]
    if isinstance(thing, tuple | list):
        return [(f"[{getattr(value, 'id', n)}]", value) for n, value in enumerate(thing)]
    return []


def _name(kind: CaseKind) -> Iterator[str]:
    if not PREFIX.match(kind.prefix):
        yield f"prefix {kind.prefix!r}: a case number begins with three capital letters"


# --- stages, tasks, clocks --------------------------------------------------------------------------------------------


def _stages(kind: CaseKind) -> Iterator[str]:
    ids = [stage.id for stage in kind.stages]
    if ids[:1] != [FIRST]:
        yield f"stages: the first is not `{FIRST}`, where every case begins"
    if ids[-1:] != [LAST]:
        yield f"stages: the last is not `{LAST}`, where every case ends"
    yield from (f"stage {stage}: there are two of them" for stage in sorted({s for s in ids if ids.count(s) > 1}))
    named = {"detours": {*kind.detours, *(s for each in kind.detours.values() for s in each)}}
    named |= {"binding": set(kind.binding), "reopens": set(kind.reopens)}
    for what, stages in named.items():
        yield from (f"{what}: there is no stage {stage}" for stage in sorted(stages - set(ids)))


def _tasks(kind: CaseKind, world: World) -> Iterator[str]:
    for task in kind.tasks:
        if task.queue not in kind.queues:
            yield f"task {task.id}: its queue {task.queue} is not among the kind's queues"
        if task.permission not in world.permissions:
            yield f"task {task.id}: its permission {task.permission} is not known"
        elif not any(task.permission in held for held in world.roles.values()) and not task.by_customer:
            yield f"task {task.id}: no role has {task.permission}"
        reply = questions(task.outcome).get(task.replies_with)
        if task.replies_with and not (reply and reply.personal and reply.widget == "text"):
            yield f"task {task.id}: replies_with {task.replies_with} is not a personal text of its outcome"
    missing = sorted({task.id for task in PROMISE_TASKS} - {task.id for task in kind.tasks})
    yield from (f"task {task}: every kind has it, for its promises" for task in missing)
    offered = {action.id for action in kind.actions}
    yield from (
        f"action {action.id}: every kind has it, for its promises"
        for action in PROMISE_ACTIONS
        if action.id not in offered
    )
    yield from (f"task {task.id}: nothing says what its answer does" for task in kind.tasks if _does_nothing(task))
    waiting = {task.queue for task in kind.tasks}
    yield from (f"queue {queue}: no task ever waits in it" for queue in kind.queues if queue not in waiting)


def _does_nothing(task: TaskKind) -> bool:
    """Whether it is answered at the desk, and no service knows what follows."""
    return task.on == "desk" and task.id not in DESK_TASKS


def _clocks(kind: CaseKind, world: World) -> Iterator[str]:
    if kind.promise not in {clock.id for clock in kind.clocks}:
        yield f"promise {kind.promise}: it is not one of the kind's clocks"
    yield from (f"clock {clock.id}: no source for its figure" for clock in kind.clocks if not clock.source)
    named = {
        clock.id: {clock.starts_on, *clock.stops_on, *clock.cancels_on, *clock.restarts_on} for clock in kind.clocks
    }
    for clock_id, milestones in named.items():
        unknown = sorted(milestones - MILESTONES.keys() - {""})
        yield from (f"clock {clock_id}: there is no milestone {name}" for name in unknown)
    workflow = next((w for w in world.workflows if w.__name__ == kind.workflow), None)
    if workflow is None:
        yield f"workflow {kind.workflow}: it is not registered in workflows/registry.py"
        return
    reached = milestones_of(workflow) | {name for step in kind.steps for name in step.reaches}
    for clock in kind.clocks:
        if (clock.starts_on or "received") not in reached:
            yield f"clock {clock.id}: nothing starts it"
        # An answer that ends a case of the standard procedure stops whatever still runs.
        if clock.stops_on and not reached & {*clock.stops_on} and kind.workflow != STANDARD:
            yield f"clock {clock.id}: nothing stops it"
        if clock.grade and not any(call == "grade" for call, _ in _calls(workflow)):
            yield f"clock {clock.id}: nothing says of which grade a case is"


@cache
def milestones_of(workflow: type[Any]) -> frozenset[str]:
    """The milestones that a procedure comes to, in its own code and what it inherits."""
    calls = (call for name, call in _calls(workflow) if name == "reached" and call.args)
    words = (node for call in calls for node in ast.walk(call.args[0]) if isinstance(node, ast.Constant))
    return frozenset(str(word.value) for word in words)


def _calls(workflow: type[Any]) -> Iterator[tuple[str, ast.Call]]:
    """Every call of a method in the code of a procedure, with the method's name."""
    for each in workflow.__mro__:
        module = inspect.getmodule(each)
        if module and module.__name__.startswith("workflows."):
            for node in ast.walk(ast.parse(inspect.getsource(module))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    yield node.func.attr, node


# --- procedure and endings --------------------------------------------------------------------------------------------


def _steps(kind: CaseKind) -> Iterator[str]:
    if (kind.workflow == STANDARD) != bool(kind.steps):
        yield f"steps: `{STANDARD}` runs a kind by its steps, and nothing else does"
    stages = {stage.id for stage in kind.stages}
    for n, step in enumerate(kind.steps):
        where = f"step {n + 1}"
        if step.stage not in stages - {FIRST, LAST}:
            yield f"{where}: {step.stage} is not a stage between the first and the last"
        yield from (f"{where}: there is no milestone {name}" for name in step.reaches if name not in MILESTONES)
        if not kind.has_task(step.task):
            yield f"{where}: there is no task {step.task}"
            continue
        yield from _results(kind, step, where, is_last=n == len(kind.steps) - 1)
    if kind.steps and kind.steps[0].by_another:
        yield "step 1: nobody answered before it, so nobody can be excluded"


def _results(kind: CaseKind, step: Step, where: str, *, is_last: bool) -> Iterator[str]:
    asked = questions(kind.task(step.task).outcome).get("result")
    possible = set(asked.options) if asked else set()
    yield from (f"{where}: {result} is no result of {step.task}" for result in sorted(step.ends.keys() - possible))
    yield from (
        f"{where}: it ends as {outcome}, which is no outcome"
        for outcome in sorted({*step.ends.values()} - kind.outcomes.keys())
    )
    left = sorted(possible - step.ends.keys())
    goes_on = left or not asked
    if is_last and goes_on:
        yield f"{where}: it is the last, but not every answer ends the case: {', '.join(left)}"
    if not is_last and not goes_on:
        yield f"{where}: every answer ends the case, so the next step never comes"


def _ends(kind: CaseKind) -> Iterator[str]:
    if "withdrawn" not in kind.outcomes:
        yield "outcomes: `withdrawn` is missing; every case can be withdrawn"
    for outcome in kind.outcomes:
        if outcome not in kind.endings:
            yield f"outcome {outcome}: nothing says what the customer reads then"
    stages = {stage.id for stage in kind.stages}
    for outcome, ending in kind.endings.items():
        if outcome not in kind.outcomes:
            yield f"ending {outcome}: there is no such outcome"
        if ending.stage and ending.stage not in stages:
            yield f"ending {outcome}: there is no stage {ending.stage}"


# --- questions --------------------------------------------------------------------------------------------------------


def _forms_of(kind: CaseKind) -> Iterator[tuple[str, Form]]:
    yield from ((f"task {task.id}", task) for task in kind.tasks)
    yield from ((f"action {action.id}", action) for action in kind.actions)
    if kind.intake:
        yield "intake", kind.intake


def _questions(kind: CaseKind) -> Iterator[str]:
    for where, form in _forms_of(kind):
        for name, question in questions(form.outcome).items():
            if question.widget == "rows" and name not in form.rows:
                yield f"{where}: nothing says what a row of {name} is"
        for part in (form.outcome, *form.rows.values()):
            for name, question in questions(part).items():
                if question.widget == "choice" and not question.options and not _is_checked(form):
                    yield f"{where}: {name} is a choice of nothing"
                elif question.widget == "choice" and question.options and _is_open(part, name, question, form):
                    yield f"{where}: {name} takes answers that are none of its options"


def _is_open(part: type[Any], name: str, question: Question, form: Form) -> bool:
    """Whether nothing keeps an answer within the options: neither its type nor a check of the form."""
    type_ = get_type_hints(part)[name]
    if isinstance(type_, type) and issubclass(type_, Enum):
        return {str(each.value) for each in type_} != question.options.keys()
    return not _is_checked(form)


def _is_checked(form: Form) -> bool:
    """Whether a rule of its own looks at the answer: what may be chosen can depend on what is asked."""
    return getattr(form, "check", accept_any) is not accept_any


def _intake(kind: CaseKind) -> Iterator[str]:
    if kind.intake is None:
        if kind.steps:
            yield "intake: nobody can open such a case"
        return
    if not kind.intake.examples:
        yield "intake: there is no example of a filled-in form"
    yield from (each for n, example in enumerate(kind.intake.examples) for each in _round_trip(kind.intake, n, example))
    if not kind.intake.coded:
        yield "intake: no coded answer tells the process what it is about"


def _round_trip(intake: Intake, n: int, example: Json) -> Iterator[str]:
    """An example is taken as it is, by the API and typed into the page."""
    where = f"intake: example {n + 1}"
    try:
        parsed = parse_outcome(intake, example)
        intake.check(parsed, {})
    except DomainError as refused:
        yield f"{where} is refused: {refused.message}"
        return
    dumped = dump_outcome(parsed)
    if not example.items() <= dumped.items():
        yield f"{where} does not come back as it was given"
    sent = Sent({name: _typed(value) for name, value in example.items()})
    typed, errors = read_outcome(intake, {}, sent, _reader("en"))
    if errors or dump_outcome(parse_outcome(intake, typed)) != dumped:
        yield f"{where} cannot be typed into the page"


def _typed(value: Any) -> list[str]:
    """An answer as a browser sends it."""
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


# --- where forms are used ---------------------------------------------------------------------------------------------


def _reader(language: Any) -> Reader:
    return Reader(language, ZoneInfo("Asia/Shanghai"))


def _ask(form: Form) -> Json:
    """A question with one row in each table, and one option wherever the definition leaves them open."""
    parts = (form.outcome, *form.rows.values())
    open_choices = {n for part in parts for n, q in questions(part).items() if q.widget == "choice" and not q.options}
    rows = {
        name: [{n: "x" for n, q in questions(row).items() if q.widget == "hidden"}] for name, row in form.rows.items()
    }
    return {"rows": rows, "options": {name: [ONLY] for name in open_choices}, "checklist": []}


def _forms(kind: CaseKind) -> Iterator[str]:
    for where, form in _forms_of(kind):
        try:
            schema = schema_of(form)
            if "$ref" in str(inlined(schema, schema.get("$defs", {}))):
                yield f"{where}: its JSON schema refers to what is not in it"
        except Exception as failed:  # noqa: BLE001  (whatever it is, it is the complaint)
            yield f"{where}: its JSON schema cannot be made ({type(failed).__name__})"
        yield from (f"{where}: its form cannot be shown ({why})" for why in _faults_shown(form))


def _faults_shown(form: Form) -> Iterator[str]:
    for language in LANGUAGES:
        around = FormContext.plain(_reader(language))
        try:
            shown = present_form(form, _ask(form), around, Typed())
            html = environment().from_string(MACRO).render(form=shown)
        except Exception as failed:  # noqa: BLE001  (whatever it is, it is the complaint)
            yield f"{language}: {type(failed).__name__}"
            continue
        for each in shown.fields:
            if f'name="{each.name}"' not in html and each.widget != "codes":
                yield f"{language}: {each.name} is not in it"


# --- robots and tests -------------------------------------------------------------------------------------------------


def _robots(kind: CaseKind, world: World) -> Iterator[str]:
    for task in kind.tasks:
        if task.by_customer:
            continue
        if not any(task.permission in world.roles.get(role, ()) for role in world.robot_roles):
            yield f"task {task.id}: no robot of the simulator has {task.permission}"
        if task.id not in choices.ANSWERS and not _is_answered(task):
            yield f"task {task.id}: no robot knows an answer that is taken"


def _is_answered(task: TaskKind) -> bool:
    """Whether robots find an answer from the form alone."""
    ask = _ask(task)
    form = form_of(task, ask).model_dump(mode="json")
    try:
        for n in range(TRIES):
            answer = choices.answer(Asked("t", task.id, "X", ask, form), Random(n))
            task.check(parse_outcome(task, answer), ask)
    except (DomainError, LookupError):
        return False
    return True


@cache
def tested_kinds() -> frozenset[str]:
    """The kinds that some test walks from opening to end: `pytest.mark.kind("...")`."""
    found = re.compile(r'mark\.kind\("(\w+)"\)')
    texts = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    return frozenset(kind for text in texts for kind in found.findall(text))


def _tests(kind: CaseKind, world: World) -> Iterator[str]:
    if kind.id not in world.tested:
        yield f'tests: none walks such a case to its end; mark one with pytest.mark.kind("{kind.id}")'
    required = [f.name for f in fields(type(kind)) if f.default is MISSING and f.default_factory is MISSING]
    yield from (f"definition: {name} is empty" for name in required if not getattr(kind, name))
