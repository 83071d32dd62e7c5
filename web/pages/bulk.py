"""Bulk orders: what a verb needs, what would become of each task, and the order while it is worked (TSK-1)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from lian.domain.bulk import BulkStatus, BulkVerb, ItemState
from lian.domain.errors import DomainError, Invalid
from lian.services.desk.bulk import (
    Wanted,
    cancel_bulk,
    order_bulk,
    preview_bulk,
    read_verb,
    selected,
    undo_bulk,
)
from lian.services.desk.bulk_reading import (
    OrderSeen,
    count_reasons,
    list_bulk,
    list_colleagues,
    list_items,
    show_bulk,
)
from lian.services.desk.bulk_verbs import Given, require_verb
from web.deps import Form, Sent, Staff, Visit
from web.presenters.bulk import (
    moment_of,
    present_bulk_tabs,
    present_form,
    present_items,
    present_order,
    present_reasons,
)

router = APIRouter()

PAGE = 50
REFUSED = {409, 422}
LOOK = "look"
"""The step at which what the verb needs has been filled in."""
Position = Annotated[int, Query(ge=-1, le=1_000_000)]


@router.get("/desk/bulk")
async def orders(visit: Staff) -> Response:
    """My orders, and those of my team."""
    found = await list_bulk(visit.context, visit.actor, limit=PAGE)
    return visit.page("bulk_orders.html", rows=[present_order(seen, visit.reader) for seen in found])


# --- looking first ----------------------------------------------------------------------------------------------------


@router.post("/desk/bulk")
async def look(visit: Staff, form: Form) -> Response:
    """What the verb needs, then what would become of each of the tasks."""
    verb = read_verb(form.text("verb"))
    require_verb(visit.actor, verb)
    given = _given(visit, form)
    if form.text("step") != LOOK and verb is not BulkVerb.RELEASE:
        wanted = _wanted(form, verb, await _known(visit, form, given))
        return await _asks(visit, form, wanted)
    try:
        _refuse_half_a_moment(form, verb, given)
        seen = await preview_bulk(visit.context, visit.actor, _wanted(form, verb, given))
    except DomainError as refused:
        if refused.status != Invalid.status:
            raise
        return await _asks(visit, form, _wanted(form, verb, given), refused)
    return visit.go(f"/desk/bulk/{seen.order.id}")


def _wanted(form: Sent, verb: BulkVerb, given: Given) -> Wanted:
    """A ticked list is the whole of it, whatever rows are ticked beside."""
    listed = form.text("filter") if "filter" in form.fields else None
    return Wanted(verb=verb, given=given, task_ids=_ids(form), filter=listed, again=_of(form))


def _ids(form: Sent) -> list[UUID]:
    try:
        return [UUID(text) for text in form.all("task")]
    except ValueError:
        raise Invalid("The form could not be read.") from None


def _of(form: Sent) -> UUID | None:
    try:
        return UUID(form.text("of")) if form.text("of") else None
    except ValueError:
        raise Invalid("The form could not be read.") from None


def _given(visit: Visit, form: Sent) -> Given:
    return Given(
        to=form.text("to"),
        reason=form.text("reason"),
        until=_until(visit, form),
        is_raised=form.text("is_raised") != "no",
        items=form.all("items"),
        why=form.text("note"),
    )


def _until(visit: Visit, form: Sent) -> datetime | None:
    try:
        return moment_of(form.text("day"), form.text("time")).replace(tzinfo=visit.reader.zone)
    except ValueError:
        return None


def _refuse_half_a_moment(form: Sent, verb: BulkVerb, given: Given) -> None:
    if verb is BulkVerb.HOLD and given.until is None:
        raise Invalid("Say until which day, and when on that day.", field="until")


async def _known(visit: Visit, form: Sent, given: Given) -> Given:
    """What another order of this verb gave it, to be changed."""
    again = _of(form)
    if again is None:
        return given
    seen = await show_bulk(visit.context, visit.actor, again)
    return seen.given if seen.order.verb == form.text("verb") else given


async def _asks(visit: Visit, form: Sent, wanted: Wanted, refused: DomainError | None = None) -> Response:
    """What the verb needs; the tasks meant go along with the form."""
    verb = BulkVerb(wanted.verb)
    people = await list_colleagues(visit.context, visit.actor) if verb is BulkVerb.REASSIGN else []
    return visit.page(
        "bulk_preview.html",
        status=refused.status if refused else 200,
        here="/desk",
        selected=await _how_many(visit, wanted, refused),
        order=None,
        form=present_form(verb, wanted.given, people, visit.reader),
        selection=[(name, value) for name in ("task", "filter", "of") for value in form.all(name)],
        problem=visit.reader.refusal(refused) if refused else "",
        place=refused.details.get("field", "") if refused else "",
    )


async def _how_many(visit: Visit, wanted: Wanted, refused: DomainError | None) -> int:
    """How many tasks are meant; none where the refusal says that the list is empty by now, or too long."""
    try:
        return len(await selected(visit.context, visit.actor, wanted))
    except Invalid:
        if refused is None:
            raise
        return 0


# --- one order --------------------------------------------------------------------------------------------------------


@router.get("/desk/bulk/{order_id}")
async def order(visit: Staff, order_id: UUID, state: str = "", after: Position = -1) -> Response:
    """A preview that may be ordered, or an order and how far it has come."""
    seen = await show_bulk(visit.context, visit.actor, order_id)
    return await _order_page(visit, seen, state=state, after=after)


@router.post("/desk/bulk/{order_id}/start")
async def start(visit: Staff, form: Form, order_id: UUID) -> Response:
    """Have it done as it is shown."""
    seen = await show_bulk(visit.context, visit.actor, order_id)
    try:
        _refuse_untyped(visit, form, seen)
        await order_bulk(visit.context, visit.actor, order_id, key=f"page:{order_id}")
    except DomainError as refused:
        if refused.status not in REFUSED:
            raise
        return await _order_page(visit, seen, refused=refused)
    return visit.go(f"/desk/bulk/{order_id}")


def _refuse_untyped(visit: Visit, form: Sent, seen: OrderSeen) -> None:
    """Of many tasks, whoever orders it has typed how many."""
    view = present_order(seen, visit.reader)
    typed = form.text("confirm").replace(",", "").replace(" ", "")
    if seen.status is BulkStatus.PREVIEWED and view.must_type and typed != str(view.to_change):
        raise Invalid(f"Type {view.to_change} to say that you mean it.", field="confirm")


@router.post("/desk/bulk/{order_id}/cancel")
async def cancel(visit: Staff, order_id: UUID) -> Response:
    """Stop it before its next task."""
    return await _change(visit, order_id, undo=False)


@router.post("/desk/bulk/{order_id}/undo")
async def undo(visit: Staff, order_id: UUID) -> Response:
    """Take it back where nobody touched a task since."""
    return await _change(visit, order_id, undo=True)


async def _change(visit: Visit, order_id: UUID, *, undo: bool) -> Response:
    try:
        await (undo_bulk if undo else cancel_bulk)(visit.context, visit.actor, order_id)
    except DomainError as refused:
        if refused.status not in REFUSED:
            raise
        seen = await show_bulk(visit.context, visit.actor, order_id)
        return await _order_page(visit, seen, refused=refused)
    return visit.go(f"/desk/bulk/{order_id}")


async def _order_page(
    visit: Visit, seen: OrderSeen, *, state: str = "", after: int = -1, refused: DomainError | None = None
) -> Response:
    current = next((each for each in ItemState if each == state), None)
    items = await list_items(
        visit.context, visit.actor, seen.order.id, states=[current] if current else (), after=after, limit=PAGE + 1
    )
    is_preview = seen.status is BulkStatus.PREVIEWED
    page = items[:PAGE]
    return visit.page(
        "bulk_preview.html" if is_preview else "bulk.html",
        status=refused.status if refused else 200,
        here=f"/desk/bulk/{seen.order.id}",
        form=None,
        order=present_order(seen, visit.reader),
        tabs=present_bulk_tabs(seen, current, visit.reader),
        reasons=present_reasons(await count_reasons(visit.context, visit.actor, seen.order.id), visit.reader),
        rows=present_items(page, seen, visit.reader),
        state=current.value if current else "",
        may_change=visit.actor.may("desk:bulk"),
        next_page=page[-1].item.n if len(items) > PAGE else None,
        is_first=after < 0,
        problem=visit.reader.refusal(refused) if refused else "",
        place=refused.details.get("field", "") if refused else "",
    )
