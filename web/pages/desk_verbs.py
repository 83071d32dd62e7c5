"""What is done with a task beside answering it: one form each, each with the version it saw (TSK-1, TSK-4, TSK-5)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, time
from functools import partial
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from lian.domain.errors import Conflict, Invalid, NotFound, Unavailable
from lian.services import desk
from web.deps import Form, Sent, Staff, Visit
from web.pages.desk_task import attempt_of, refused_page
from web.presenters.desk import Setting
from web.presenters.task_desk import MORNING, OWN, QUICK, quick_moment

router = APIRouter()

Act = Callable[[], Awaitable[object]]
LARGEST = 2**63
LONGEST_VERSION = 20
"""Digits: longer ones Python refuses to read."""
OUT_OF_HAND = frozenset({"cancel", "conflict", "hold", "pass", "release"})
"""Verbs after which somebody wants the next task, not this one."""
DID = {
    "ask": "asked",
    "assign": "assigned",
    "cancel": "cancelled",
    "claim": "claimed",
    "conflict": "conflict",
    "delegate": "delegated",
    "hold": "held",
    "pass": "passed",
    "return": "returned",
    "wake": "woken",
}
"""What the page says after a verb; `deeds.KINDS` has the words."""


@router.post("/desk/tasks/{task_id}/claim")
async def claim(visit: Staff, form: Form, task_id: UUID) -> Response:
    """Take it on."""
    return await _do(visit, form, task_id, "claim", desk.claim_task)


@router.post("/desk/tasks/{task_id}/release")
async def release(visit: Staff, form: Form, task_id: UUID) -> Response:
    """Give it back to its queue, or take it out of somebody's hands; only one's own is taken on again by undoing."""
    was = (await desk.show_task(visit.context, visit.actor, task_id)).task
    did = "released" if was.holder == visit.actor.id and not was.on_behalf_of else "let_go"
    return await _do(visit, form, task_id, "release", desk.release_task, did=did)


@router.post("/desk/tasks/{task_id}/pass")
async def pass_on(visit: Staff, form: Form, task_id: UUID) -> Response:
    """Give it to somebody else of the queue, and say why."""
    given = {"reason": form.text("reason"), "words": form.text("words")}
    return await _do(visit, form, task_id, "pass", desk.pass_on, given)


@router.post("/desk/tasks/{task_id}/hold")
async def hold(visit: Staff, form: Form, task_id: UUID) -> Response:
    """Put it aside until a moment."""

    async def act() -> None:
        await desk.hold_task(
            visit.context,
            visit.actor,
            task_id,
            reason=form.text("reason"),
            until=_until(visit, form),
            words=form.text("words"),
            version=version_of(form),
        )

    return await _try(visit, form, task_id, "hold", act)


def _until(visit: Visit, form: Sent) -> datetime:
    """The moment that was chosen, or written as a day and a time of the office. Raises `Invalid` for the field."""
    when = form.text("when")
    if when in QUICK:
        return quick_moment(when, Setting(visit.reader, visit.actor, {}, visit.now))
    try:
        day, at = date.fromisoformat(form.text("day")), form.text("time")
        return datetime.combine(day, time.fromisoformat(at) if at else MORNING, visit.reader.zone)
    except ValueError:
        raise Invalid(
            "Say until which day, and when on that day." if when == OWN else "Choose one.", field="until"
        ) from None


@router.post("/desk/tasks/{task_id}/wake")
async def wake(visit: Staff, form: Form, task_id: UUID) -> Response:
    """Take it up again before its time."""
    return await _do(visit, form, task_id, "wake", desk.wake_task)


@router.post("/desk/tasks/{task_id}/delegate")
async def delegate(visit: Staff, form: Form, task_id: UUID) -> Response:
    """Have a colleague do it."""
    return await _do(visit, form, task_id, "delegate", desk.delegate_task, {"to": form.text("to")})


@router.post("/desk/tasks/{task_id}/return")
async def give_back(visit: Staff, form: Form, task_id: UUID) -> Response:
    """Return it to whose work it is."""
    return await _do(visit, form, task_id, "return", desk.give_back)


@router.post("/desk/tasks/{task_id}/assign")
async def assign(visit: Staff, form: Form, task_id: UUID) -> Response:
    """Give it to a colleague."""
    return await _do(visit, form, task_id, "assign", desk.assign_task, {"to": form.text("to")})


@router.post("/desk/tasks/{task_id}/prioritise")
async def prioritise(visit: Staff, form: Form, task_id: UUID) -> Response:
    """Put it ahead of others, or back among them."""
    is_raised = bool(form.text("raised"))
    given, did = {"is_raised": is_raised, "words": form.text("words")}, "raised" if is_raised else "lowered"
    return await _do(visit, form, task_id, "prioritise", desk.prioritise_task, given, did=did)


@router.post("/desk/tasks/{task_id}/cancel")
async def cancel(visit: Staff, form: Form, task_id: UUID) -> Response:
    """Take back a question that nothing waits for."""
    return await _do(visit, form, task_id, "cancel", desk.cancel_task, {"words": form.text("words")})


# --- talking ----------------------------------------------------------------------------------------------------------


@router.post("/desk/tasks/{task_id}/comment")
async def comment(visit: Staff, form: Form, task_id: UUID) -> Response:
    """A remark for colleagues."""
    text, comment_id = form.text("text"), _id_in(form, "comment") if form.text("comment") else None
    act = partial(desk.comment_on, visit.context, visit.actor, task_id, text=text, comment_id=comment_id)
    return await _try(visit, form, task_id, "comment", act)


@router.post("/desk/tasks/{task_id}/ask")
async def ask(visit: Staff, form: Form, task_id: UUID) -> Response:
    """Ask a colleague what they think of it."""
    given = {"to": form.text("to"), "question": form.text("question")}
    return await _do(visit, form, task_id, "ask", desk.ask_colleague, given)


@router.post("/desk/opinions/{review_id}")
async def opinion(visit: Staff, form: Form, review_id: UUID) -> Response:
    """Say what one thinks; once."""
    said, answer, task_id = form.text("opinion"), form.text("answer"), _task_of(form)
    return await _try(
        visit,
        form,
        task_id,
        f"opinion-{review_id}",
        lambda: desk.give_opinion(visit.context, visit.actor, review_id, opinion=said, answer=answer),
        did="opinion",
    )


def _task_of(form: Sent) -> UUID:
    return _id_in(form, "on")


def _id_in(form: Sent, name: str) -> UUID:
    try:
        return UUID(form.text(name))
    except ValueError:
        raise Invalid("The form could not be read.") from None


@router.post("/desk/tasks/{task_id}/conflict")
async def conflict(visit: Staff, form: Form, task_id: UUID) -> Response:
    """Say that the case is not for oneself, or for a colleague."""

    async def act() -> None:
        found = await desk.show_task(visit.context, visit.actor, task_id)
        number, reason = found.case.number, form.text("reason")
        await desk.declare_conflict(visit.context, visit.actor, number, reason=reason, of=form.text("of"))

    return await _try(visit, form, task_id, "conflict", act)


# --- what they share --------------------------------------------------------------------------------------------------


def version_of(form: Sent) -> int | None:
    """The version of the task that the form saw; none in a form that names none. Raises `Invalid` for what is none."""
    text = form.text("version")
    if not text:
        return None
    if not (text.isdecimal() and len(text) < LONGEST_VERSION and int(text) < LARGEST):
        raise Invalid("The form could not be read.")
    return int(text)


async def _do(
    visit: Visit,
    form: Sent,
    task_id: UUID,
    verb: str,
    do: Callable[..., Awaitable[object]],
    given: Mapping[str, object] | None = None,
    *,
    did: str = "",
) -> Response:
    """Do it to the task as the form saw it, with what else the form gives; `did` says what the page tells of it."""
    version = version_of(form)
    act = partial(do, visit.context, visit.actor, task_id, version=version, **(given or {}))
    return await _try(visit, form, task_id, verb, act, did=did)


async def _try(visit: Visit, form: Sent, task_id: UUID, verb: str, act: Act, *, did: str = "") -> Response:
    """Do it, and go on to where work goes on; refused, what was typed stays on the task's page as it stands now."""
    try:
        await act()
    except (Conflict, Invalid, Unavailable) as refused:
        tried = attempt_of(verb, form, refused, visit)
        return await refused_page(visit, task_id, tried, status=refused.status)
    return await _onward(visit, form, task_id, verb, did or DID.get(verb, ""))


async def _onward(visit: Visit, form: Sent, task_id: UUID, verb: str, did: str) -> Response:
    """To the list when the task is out of one's hands, else back to it; either says what was done."""
    try:
        version = str((await desk.show_task(visit.context, visit.actor, task_id)).task.version)
    except NotFound:  # no longer theirs to see
        return visit.go("/desk")
    if form.text("undoing"):
        return visit.go(f"/desk/tasks/{task_id}")
    if verb == "comment":
        return visit.go(f"/desk/tasks/{task_id}#talk")
    if verb in OUT_OF_HAND:
        return visit.go("/desk", did=did, of=str(task_id), v=version)
    return visit.go(f"/desk/tasks/{task_id}", did=did, v=version)
