"""What colleagues said of a task: remarks, and questions with their answers, oldest first (TSK-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lian.db.tables import TaskComment, TaskReview
from lian.domain.desk import OPINIONS, Opinion
from lian.services.desk import Talk
from web.presenters.desk import Setting, who
from web.presenters.forms import Option
from web.presenters.task_desk import Attempt, options_of

TONES = {Opinion.AGREES: "ok", Opinion.DISAGREES: "bad", Opinion.UNSURE: "hold"}


@dataclass(frozen=True, slots=True)
class Said:
    """One remark, or a question to a colleague with the answer; `is_asked`: it waits for this reader's."""

    id: str
    who: str
    when: str
    iso: str
    body: str
    to: str = ""
    tag: str = ""
    tone: str = ""
    answer: str = ""
    answered: str = ""
    is_asked: bool = False
    opinions: tuple[Option, ...] = ()


def present_talk(talk: Talk, tried: Attempt, s: Setting) -> tuple[Said, ...]:
    """Remarks and questions to colleagues, oldest first."""
    said = [(c.written_at, _comment(c, s)) for c in talk.comments]
    said += [(r.asked_at, _review(r, tried, s)) for r in talk.reviews]
    return tuple(one for _, one in sorted(said, key=lambda pair: pair[0]))


def people_in_talk(talk: Talk) -> set[str]:
    """Everybody whose name it shows."""
    return {c.author for c in talk.comments} | {actor for r in talk.reviews for actor in (r.asked_by, r.reviewer)}


def _comment(row: TaskComment, s: Setting) -> Said:
    return Said(str(row.id), who(row.author, s), s.reader.full_moment(row.written_at), _iso(row.written_at), row.body)


def _review(row: TaskReview, tried: Attempt, s: Setting) -> Said:
    is_asked = row.answered_at is None and row.reviewer == s.actor.id
    return Said(
        id=str(row.id),
        who=who(row.asked_by, s),
        when=s.reader.full_moment(row.asked_at),
        iso=_iso(row.asked_at),
        body=row.question,
        to=who(row.reviewer, s),
        tag=s.reader.label(OPINIONS[Opinion(row.opinion)]) if row.opinion else s.reader.say("not answered yet"),
        tone=TONES[Opinion(row.opinion)] if row.opinion else "none",
        answer=row.answer,
        answered=s.reader.full_moment(row.answered_at) if row.answered_at else "",
        is_asked=is_asked,
        opinions=options_of(OPINIONS, tried, f"opinion-{row.id}", s, "opinion") if is_asked else (),
    )


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
