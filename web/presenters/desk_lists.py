"""Lists of tasks: rows, the columns that were chosen, filters, orders, and the names lists are kept under."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from lian.db.tables import Case, TaskReview
from lian.domain.case_kinds import kind_of
from lian.services.cases import CaseFace
from lian.services.desk import TaskOnDesk
from lian.services.desk.views import BESIDE, COLUMNS, ViewShown
from web.presenters.cases import title_of
from web.presenters.clocks import Chip, nearest_chip, no_deadline, running_chip
from web.presenters.desk import Setting, TagView, can_take, holder_words, marks_of, queue_label, who
from web.reader import Reader

OF_A_VISIT = BESIDE | {"did", "of", "v"}
"""Parameters of one visit: where a page begins, what was just done."""
SORTED_BY = {"chip": ("due",), "amount": ("amount",), "opened": ("oldest", "newest")}
"""The orders that the head of a column leads to, one after the other."""
FALLING = frozenset({"amount", "newest"})


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task in a list."""

    id: str
    address: str
    version: int
    what: str
    number: str
    title: str
    claimant: str
    amount: str
    queue: str
    stage: str
    opened: str
    holder: str
    is_mine: bool
    chip: Chip
    tags: tuple[TagView, ...]
    can_take: bool


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, its head, where a click on it leads, and how it is sorted now (`aria-sort`)."""

    id: str
    words: str
    address: str = ""
    sorted: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A table: its columns and rows; `selects`: rows can be ticked."""

    columns: tuple[Column, ...]
    rows: tuple[TaskRow, ...]
    selects: bool = False


@dataclass(frozen=True, slots=True)
class QuestionView:
    """What a colleague asks me about a task."""

    who: str
    words: str
    number: str
    title: str
    address: str
    when: str


def given_in(query: str) -> dict[str, str]:
    """The parameters of a list in an address; ticked boxes of a name are one value."""
    found: dict[str, list[str]] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name not in OF_A_VISIT:
            found.setdefault(name, []).append(text)
    return {name: ",".join(texts) for name, texts in found.items()}


# --- rows -------------------------------------------------------------------------------------------------------------


def present_tasks(tasks: Sequence[TaskOnDesk], faces: Mapping[UUID, CaseFace], s: Setting) -> tuple[TaskRow, ...]:
    """Rows in the order they came."""
    return tuple(_row(found, faces.get(found.case.id), s) for found in tasks)


def _row(found: TaskOnDesk, face: CaseFace | None, s: Setting) -> TaskRow:
    task, case = found.task, found.case
    return TaskRow(
        id=str(task.id),
        address=f"/desk/tasks/{task.id}",
        version=task.version,
        what=s.reader.label(found.kind.label),
        number=case.number,
        title=title_of(case, s.reader),
        claimant=s.reader.say(", ").join(face.claimants) if face else "",
        amount=s.reader.money(case.claimed_amount, case.currency) if case.currency else "",
        queue=queue_label(task.queue, s.reader),
        stage=s.reader.label(kind_of(case.kind).stage(task.stage).label),
        opened=s.reader.moment(task.opened_at),
        holder=holder_words(found, s),
        is_mine=task.holder == s.actor.id,
        chip=_chip(found, face, s),
        tags=marks_of(found, s),
        can_take=can_take(found, s),
    )


def _chip(found: TaskOnDesk, face: CaseFace | None, s: Setting) -> Chip:
    if face:
        return nearest_chip(face.clocks, s.reader, s.now)
    due = found.task.act_by_at
    return running_chip(due, None, s.reader, s.now) if due else no_deadline(s.reader)


def present_questions(found: Sequence[tuple[TaskReview, Case]], s: Setting) -> tuple[QuestionView, ...]:
    """What colleagues ask, oldest first."""
    return tuple(
        QuestionView(
            who(review.asked_by, s),
            review.question,
            case.number,
            title_of(case, s.reader),
            f"/desk/tasks/{review.task_id}#said-{review.id}",
            s.reader.moment(review.asked_at),
        )
        for review, case in found
    )


# --- columns and orders -----------------------------------------------------------------------------------------------


def plain_columns(names: Sequence[str], reader: Reader) -> tuple[Column, ...]:
    """Columns that sort nothing."""
    return tuple(Column(name, reader.label(COLUMNS[name])) for name in names)


def present_columns(shown: ViewShown, reader: Reader) -> tuple[Column, ...]:
    """Those that were chosen; some sort the list."""
    return tuple(_column(name, shown, reader) for name in shown.columns)


def _column(name: str, shown: ViewShown, reader: Reader) -> Column:
    sorts, now, words = SORTED_BY.get(name, ()), shown.query.sort, reader.label(COLUMNS[name])
    if not sorts:
        return Column(name, words)
    onward = [*sorts, "urgency"]
    following = onward[(onward.index(now) + 1) % len(onward)] if now in sorts else sorts[0]
    direction = ("descending" if now in FALLING else "ascending") if now in sorts else "none"
    return Column(name, words, f"/desk?{urlencode(shown.params | {'sort': following})}", direction)
