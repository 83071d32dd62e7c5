"""The tracker: a customer on their one case, signed in with its number and a one-time code."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from starlette.responses import Response

from lian.auth.actor import Actor
from lian.domain.errors import DomainError, NotSignedIn
from lian.services import accounts, actions, cases, statements, tracking
from lian.services.asked import asked_of_customer
from web.deps import TRACK, Customer, Form, Guest, Visit, command_of
from web.files import send_document, take_upload
from web.presenters.forms import Typed
from web.presenters.track import TrackView, present_track
from web.presenters.track_tasks import present_asked, present_objecting, present_objections

router = APIRouter()

LONGEST_NUMBER = 40


@router.get("/track")
async def door(visit: Guest, number: str = "", sent: str = "") -> Response:
    """Ask for the number, then for the code. It says nothing of whether there is such a case."""
    return _door(visit, _tidy(number), sent=bool(sent))


def _door(visit: Visit, number: str, *, sent: bool, status: int = 200, problem: str = "") -> Response:
    return visit.page("track_door.html", status=status, here="/track", number=number, sent=sent, problem=problem)


def _tidy(number: str) -> str:
    return number.strip().upper()[:LONGEST_NUMBER]


@router.post("/track")
async def send_code(visit: Guest, form: Form) -> Response:
    """Send a one-time code to whoever reported the case, if there is one."""
    number = _tidy(form.text("number"))
    if not number:
        return _door(visit, "", sent=False, status=422, problem=visit.reader.say("Enter your case number."))
    try:
        await accounts.send_code(visit.context, number)
    except DomainError as refused:
        if refused.status != 429:
            raise
        return _door(visit, number, sent=True, status=429, problem=visit.reader.refusal(refused))
    return visit.go("/track", number=number, sent="1")


@router.post("/track/sign-in")
async def sign_in(visit: Guest, form: Form) -> Response:
    """Start a session on one case."""
    number, code = _tidy(form.text("number")), form.text("code").replace(" ", "")
    try:
        session = await accounts.sign_in_customer(visit.context, number, code)
    except NotSignedIn as refused:
        return _door(visit, number, sent=True, status=401, problem=visit.reader.refusal(refused))
    return visit.signed_in(visit.go(address_of(number)), TRACK, session)


@router.post("/track/sign-out")
async def sign_out(request: Request, visit: Guest) -> Response:
    """End the customer's session."""
    token = request.cookies.get(TRACK, "")
    if token:
        await accounts.sign_out(visit.context, token)
    return visit.signed_out(visit.go("/track"), TRACK)


def address_of(number: str) -> str:
    """The tracker's page of a case."""
    return f"/track/{quote(number, safe='')}"


@router.get("/track/{number}")
async def tracker(visit: Customer, number: str, ok: str = "") -> Response:
    """Where it is, what happens next, by when, and what we need."""
    return await tracker_page(visit, number, ok=ok)


async def tracker_page(
    visit: Visit,
    number: str,
    *,
    status: int = 200,
    ok: str = "",
    problem: str = "",
    about: str = "",
    typed: Typed | None = None,
) -> Response:
    """The whole page. `about` names the part that a `problem` is about; what was typed there stays."""
    tracked = await tracking.track(visit.context, visit.actor, number)
    file = await cases.case_file(visit.context, visit.actor, number)
    asked = await asked_of_customer(visit.context, visit.actor)
    offers = await actions.list_offers(visit.context, visit.actor, number)
    objecting = next((offer for offer in offers if offer.kind.id == "object"), None)
    known = {about: typed} if typed else {}
    case = present_track(tracked, visit.reader, visit.now)
    has_open_objection = any(o.is_open for o in tracked.objections)
    questions = {str(each.found.task.id) for each in asked}
    places = questions | _places(case, may_object=bool(objecting) and not has_open_objection)
    return visit.page(
        "track.html",
        status=status,
        here=address_of(number),
        case=case,
        asked=present_asked(asked, {str(p.id): p.name for p in file.parties}, known, visit.reader),
        objecting=present_objecting(objecting, known.get("object", Typed()), visit.reader),
        objections=present_objections(tracked, visit.reader),
        has_open_objection=has_open_objection,
        typed_items=statements.TYPED,
        words=typed.sent.text("text") if typed and typed.sent and about.startswith("words-") else "",
        customer=_name(visit.actor),
        ok=ok,
        problem=problem,
        about=about,
        placeless=problem if about not in places else "",
        command=str(uuid4()),
        megabytes=visit.context.settings.max_upload // (1024 * 1024),
        max_upload=visit.context.settings.max_upload,
    )


def _places(case: TrackView, *, may_object: bool) -> set[str]:
    """The parts of the page that show a refusal themselves, beside the questions; of any other its head must tell."""
    words = {f"words-{item.code}" for item in case.needed if not item.received and item.code in statements.TYPED}
    objecting = {"object"} if may_object and case.outcomes else set()
    return {"documents", "messages"} | words | objecting | ({"withdraw"} if case.can_withdraw else set())


def _name(actor: Actor) -> str:
    return actor.name


@router.post("/track/{number}/documents")
async def upload(request: Request, visit: Customer, number: str) -> Response:
    """Send one document; a refused one says why beside the list."""
    try:
        await take_upload(request, visit, number)
    except DomainError as refused:
        if refused.status not in {413, 415, 422, 503}:
            raise
        return await tracker_page(
            visit, number, status=refused.status, problem=visit.reader.refusal(refused), about="documents"
        )
    return visit.go(address_of(number), ok="document")


@router.get("/track/{number}/documents/{document_id}")
async def open_document(visit: Customer, number: str, document_id: UUID, download: str = "") -> Response:
    """One's own documents, and our letters."""
    return await send_document(visit, number, document_id, download=bool(download))


@router.post("/track/{number}/messages")
async def write(visit: Customer, form: Form, number: str) -> Response:
    """Write to us."""
    try:
        await tracking.write_message(visit.context, visit.actor, number, form.text("body"))
    except DomainError as refused:
        if refused.status != 422:
            raise
        return await tracker_page(visit, number, status=422, problem=visit.reader.refusal(refused), about="messages")
    return visit.go(address_of(number), ok="message")


@router.post("/track/{number}/withdraw")
async def withdraw(visit: Customer, form: Form, number: str) -> Response:
    """No longer pursue the claim (CLM-15); asks to tick a box first."""
    if form.text("sure") != "yes":
        problem = visit.reader.say("Tick the box to confirm that you withdraw.")
        return await tracker_page(visit, number, status=422, problem=problem, about="withdraw")
    reason, command = form.text("reason"), command_of(form)
    await tracking.withdraw(visit.context, visit.actor, number, reason=reason, command_id=command)
    return visit.go(address_of(number), ok="withdrawn")
