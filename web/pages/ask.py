"""Opening a case from its kind's form (INQ-1, idea 5): customers for themselves, staff on a customer's behalf."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from uuid import uuid4

from fastapi import APIRouter
from starlette.responses import Response

from lian.auth.actor import Actor
from lian.domain.case_kind import CaseKind, Intake
from lian.domain.case_kinds import kind_of_number
from lian.domain.claims.fnol import PersonGiven
from lian.domain.errors import DomainError, NotFound
from lian.domain.parties import CHANNEL_LABELS, Channel
from lian.services.opening import Registered, intake_of, intakes, open_case
from web.deps import Form, Guest, Sent, Staff, Visit, key_of
from web.presenters.forms import FormContext, Typed, blame, present_form, read_outcome

router = APIRouter()

WEB = Actor(id="web", name="")
"""Whoever writes to us online: nobody we know."""
PERSON = ("name", "phone", "email")
BY_STAFF = (Channel.PHONE, Channel.IN_PERSON)
"""How customers reach us who do not write themselves."""


@dataclass(frozen=True, slots=True)
class Door:
    """A kind of case that can be opened, as its link says it."""

    kind: str
    label: str
    words: str
    help: str


def doors(visit: Visit, *, for_staff: bool = False) -> tuple[Door, ...]:
    """What can be opened with a form."""
    return tuple(
        Door(*(kind.id, *(visit.reader.label(label) for label in (kind.label, intake.label, intake.help))))
        for kind, intake in intakes().values()
        if for_staff or intake.by_customer
    )


# --- customers --------------------------------------------------------------------------------------------------------


@router.get("/ask")
async def which(visit: Guest) -> Response:
    """What somebody comes for; where there is one thing only, its form."""
    open_to_all = doors(visit)
    if len(open_to_all) == 1:
        return visit.go(f"/ask/{open_to_all[0].kind}")
    return visit.page("ask_which.html", doors=open_to_all)


@router.get("/ask/received")
async def received(visit: Guest, number: str = "", promised: str = "", seal: str = "") -> Response:
    """What was opened, from an address only we can write: a case number alone tells nothing."""
    kind = kind_of_number(number)
    if kind is None or not compare_digest(seal.encode(), _seal(visit, number, promised).encode()):
        raise NotFound("There is no case with this number.")
    first = kind.stages[0]
    return visit.page(
        "ask_received.html",
        number=number,
        headline=visit.reader.label(first.headline),
        next_step=visit.reader.label(first.next_step),
        promise=_promise(visit, kind, promised),
    )


@router.get("/ask/{kind}")
async def form(visit: Guest, kind: str) -> Response:
    """The form of one kind."""
    definition, intake = _open_to_all(kind)
    return _form(visit, definition, intake, Sent(), key=str(uuid4()))


@router.post("/ask/{kind}")
async def ask(visit: Guest, form: Form, kind: str) -> Response:
    """Open the case; what was typed stays when something is wrong with it."""
    definition, intake = _open_to_all(kind)
    opened = await _opened(visit, WEB, definition, intake, form, Channel.WEB)
    if isinstance(opened, Response):
        return opened
    promised = opened.promised_at.isoformat() if opened.promised_at else ""
    seal = _seal(visit, opened.number, promised)
    return visit.go("/ask/received", number=opened.number, promised=promised, seal=seal)


def _open_to_all(kind: str) -> tuple[CaseKind, Intake]:
    definition, intake = intake_of(kind)
    if not intake.by_customer:
        raise NotFound("Cases of this kind are not opened with a form.")
    return definition, intake


def _seal(visit: Visit, number: str, promised: str) -> str:
    return visit.context.ring.fingerprint(f"asked:{number}:{promised}")[:32]


def _promise(visit: Visit, kind: CaseKind, promised: str) -> str:
    """The promised moment, or day, in words."""
    if not promised:
        return ""
    at = datetime.fromisoformat(promised)
    return visit.reader.full_moment(at) if kind.is_promised_by_the_hour else visit.reader.day(at)


# --- staff ------------------------------------------------------------------------------------------------------------


@router.get("/desk/open/{kind}")
async def staff_form(visit: Staff, kind: str) -> Response:
    """The same form, filled in for a customer."""
    visit.actor.require("case:report")
    definition, intake = intake_of(kind)
    return _form(visit, definition, intake, Sent(), key=str(uuid4()))


@router.post("/desk/open/{kind}")
async def open_for_customer(visit: Staff, form: Form, kind: str) -> Response:
    """Open a case on a customer's behalf, and go on with its file."""
    visit.actor.require("case:report")
    definition, intake = intake_of(kind)
    channel = form.text("channel")
    by = Channel(channel) if channel in BY_STAFF else BY_STAFF[0]
    opened = await _opened(visit, visit.actor, definition, intake, form, by)
    return opened if isinstance(opened, Response) else visit.go(f"/desk/cases/{opened.number}", ok="opened")


# --- both -------------------------------------------------------------------------------------------------------------


async def _opened(
    visit: Visit, actor: Actor, kind: CaseKind, intake: Intake, form: Sent, channel: Channel
) -> Registered | Response:
    """The case, or the form again with what is wrong."""
    key = key_of(form)
    answers, errors = read_outcome(intake, {}, form, visit.reader)
    errors = _check_person(visit, form) | errors
    if errors:
        return _form(visit, kind, intake, form, key=key, errors=errors, status=422)
    reporter = PersonGiven(name=form.text("name"), phone=form.text("phone"), email=form.text("email"))
    try:
        opened, _ = await open_case(
            visit.context, actor, kind.id, answers=answers, reporter=reporter, channel=channel, key=key
        )
    except DomainError as refused:
        if refused.status not in {422, 503}:
            raise
        errors = _person_blamed(visit, refused) | blame(intake, {}, refused, visit.reader)
        problem = visit.reader.refusal(refused)
        return _form(visit, kind, intake, form, key=key, errors=errors, problem=problem, status=refused.status)
    return opened


def _check_person(visit: Visit, form: Sent) -> dict[str, str]:
    errors = {} if form.text("name") else {"name": visit.reader.say("Enter your name.")}
    if not form.text("phone") and not form.text("email"):
        errors["phone"] = visit.reader.say("Give a phone number or an e-mail address, so that we can reach you.")
    return errors


def _person_blamed(visit: Visit, refused: DomainError) -> dict[str, str]:
    field = refused.details.get("field", "")
    return {field: visit.reader.refusal(refused)} if field in PERSON else {}


def _form(
    visit: Visit,
    kind: CaseKind,
    intake: Intake,
    sent: Sent,
    *,
    key: str,
    errors: dict[str, str] | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    reader, errors = visit.reader, errors or {}
    typed = Typed(sent if sent.fields else None, errors)
    by_staff = visit.request.url.path.startswith("/desk/")
    return visit.page(
        "ask_staff.html" if by_staff else "ask.html",
        status=status,
        here=f"/desk/open/{kind.id}" if by_staff else f"/ask/{kind.id}",
        title=reader.label(intake.label),
        help=reader.label(intake.help),
        kind_label=reader.label(kind.label),
        form=present_form(intake, {}, FormContext.plain(reader), typed),
        person={name: sent.text(name) for name in PERSON},
        errors=errors,
        problem=problem or (reader.say("Please correct this first") if errors else ""),
        channels=[(c.value, reader.label(CHANNEL_LABELS[c]), c.value == sent.text("channel")) for c in BY_STAFF],
        key=key,
    )
