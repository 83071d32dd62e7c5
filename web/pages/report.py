"""First notice of loss on the web (CLM-1): who and which policy, then what happened; no account needed.

Staff and agents who report on somebody's behalf use the same two pages, and say how it was told to them.
"""

from __future__ import annotations

from datetime import date, datetime, time
from hmac import compare_digest
from uuid import uuid4

from fastapi import APIRouter
from starlette.responses import Response

from lian.auth.actor import Actor
from lian.domain.claims.fnol import FnolReport, PersonGiven
from lian.domain.claims.terms import CAUSE_LABELS, LossCause, PolicySnapshot
from lian.domain.errors import Invalid, NotFound
from lian.domain.parties import CHANNEL_LABELS, Channel
from lian.services.intake import report_claim
from lian.services.opening import Registered
from lian.services.policies import require_snapshot
from web.deps import Form, Guest, Sent, Visit, key_of
from web.i18n import mark
from web.presenters.claimants import MOST_OTHERS, Told, others, present_others

router = APIRouter()

WEB = Actor(id="web", name="")
"""Whoever reports online: nobody we know."""
LONGEST = {"name": 100, "phone": 40, "email": 200, "policy_number": 80, "place": 300, "course": 4000}
PERSON = ("policy_number", "name", "phone", "email")
TOLD_TO_STAFF = (Channel.PHONE, Channel.IN_PERSON, Channel.AGENT)
"""How a report reaches whoever types it in."""
MOST_INJURED = 9999
NO_POLICY = mark("We do not know this policy number. It stands on your policy or insurance card.")


@router.get("/report")
async def begin(visit: Guest) -> Response:
    """Step one: the policy, and how to reach you."""
    return _step_one(visit, Sent())


@router.post("/report")
async def policy_given(visit: Guest, form: Form) -> Response:
    """Step two: what happened, with the policy's coverages by name. Nothing else of the policy is told."""
    errors = _check_person(visit, form)
    try:
        snapshot = await require_snapshot(visit.context, form.text("policy_number")) if not errors else None
    except NotFound:
        errors["policy_number"] = visit.reader.say(NO_POLICY)
        snapshot = None
    if errors or snapshot is None:
        return _step_one(visit, form, errors)
    return _step_two(visit, form, snapshot, key=str(uuid4()))


@router.post("/report/loss")
async def loss_told(visit: Guest, form: Form) -> Response:
    """Register the claim; what was typed stays when something is wrong with it."""
    errors = _check_person(visit, form)
    if errors:
        return _step_one(visit, form, errors)
    snapshot = await require_snapshot(visit.context, form.text("policy_number"))
    key = key_of(form)
    if form.text("more"):
        return _step_two(visit, form, snapshot, key=key)
    report = _report(visit, form, snapshot, errors)
    if errors:
        return _step_two(visit, form, snapshot, key=key, errors=errors)
    try:
        said = {name: list(values) for name, values in form.fields.items()}
        actor, channel = _reporting(visit, form)
        answer, _ = await report_claim(visit.context, actor, report, channel=channel, key=key, said=said)
    except Invalid as refused:
        field = refused.details.get("field", "")
        errors = {FIELDS.get(field, field): visit.reader.refusal(refused)}
        return _step_two(visit, form, snapshot, key=key, errors=errors)
    if visit.somebody and visit.somebody.sees_cases and actor is visit.somebody:
        return visit.go(f"/desk/cases/{answer.number}")
    return visit.go("/report/received", **_receipt(visit, answer))


def _staff(visit: Visit) -> Actor | None:
    """Whoever is signed in and reports for customers."""
    return visit.somebody if visit.somebody and visit.somebody.may("case:report") else None


def _channels(visit: Visit) -> tuple[Channel, ...]:
    """An agent's reports are an agent's; of the others staff say how they were told."""
    staff = _staff(visit)
    if staff is None:
        return ()
    return (Channel.AGENT,) if staff.may("case:read_own") else TOLD_TO_STAFF


def _reporting(visit: Visit, form: Sent) -> tuple[Actor, Channel]:
    """Who is on record as having reported it, and how it reached us."""
    staff, allowed = _staff(visit), _channels(visit)
    if staff is None:
        return WEB, Channel.WEB
    told = next((channel for channel in allowed if channel == form.text("channel")), allowed[0])
    return staff, told


FIELDS = {"loss_at": "loss_on", "claimed_amount": "losses", "coverage_code": "losses", "reported_at": "loss_on"}


@router.get("/report/received")
async def received(visit: Guest, number: str = "", promised: str = "", seal: str = "") -> Response:
    """What was registered, from an address only we can write: a case number alone tells nothing."""
    if not compare_digest(seal.encode(), _seal(visit, number, promised).encode()):
        raise NotFound("There is no case with this number.")
    promise = visit.reader.day(datetime.fromisoformat(promised)) if promised else ""
    return visit.page("report_received.html", number=number, promise=promise)


def _receipt(visit: Visit, answer: Registered) -> dict[str, str]:
    promised = answer.promised_at.isoformat() if answer.promised_at else ""
    return {"number": answer.number, "promised": promised, "seal": _seal(visit, answer.number, promised)}


def _seal(visit: Visit, number: str, promised: str) -> str:
    return visit.context.ring.fingerprint(f"received:{number}:{promised}")[:32]


def _check_person(visit: Visit, form: Sent) -> dict[str, str]:
    say = visit.reader.say
    errors = {
        name: visit.reader.count("At most {n} character.", "At most {n} characters.", most)
        for name, most in LONGEST.items()
        if len(form.text(name)) > most
    }
    if not form.text("policy_number"):
        errors["policy_number"] = say("Enter the policy number.")
    if not form.text("name"):
        errors["name"] = say("Enter your name.")
    if not form.text("phone") and not form.text("email"):
        errors["phone"] = say("Give a phone number or an e-mail address, so that we can reach you.")
    return errors


def _step_one(visit: Visit, form: Sent, errors: dict[str, str] | None = None) -> Response:
    typed = {name: form.text(name) for name in (*PERSON, "channel")}
    channels = [(channel.value, visit.reader.label(CHANNEL_LABELS[channel])) for channel in _channels(visit)]
    status = 422 if errors else 200
    return visit.page("report.html", status=status, here="/report", typed=typed, errors=errors or {}, channels=channels)


def _step_two(
    visit: Visit, form: Sent, snapshot: PolicySnapshot, *, key: str, errors: dict[str, str] | None = None
) -> Response:
    reader = visit.reader
    told = ("channel", "cause", "loss_on", "loss_time", "place", "course")
    typed = {name: form.text(name) for name in (*PERSON, *told)}
    coverages = [(c.code, reader.label(c.label)) for c in snapshot.coverages]
    typed["injured"] = form.text("injured") or "0"
    return visit.page(
        "report_loss.html",
        status=422 if errors else 200,
        here="/report",
        typed=typed,
        errors=errors or {},
        key=key,
        causes=[(cause.value, reader.label(label)) for cause, label in CAUSE_LABELS.items()],
        coverages=[(code, words, form.text(f"loss.{code}")) for code, words in coverages],
        others=present_others(form, coverages),
        may_add=others(form) < MOST_OTHERS,
        added=bool(form.text("more")),
        currency=snapshot.currency,
        today=visit.now.astimezone(reader.zone).date().isoformat(),
    )


def _report(visit: Visit, form: Sent, snapshot: PolicySnapshot, errors: dict[str, str]) -> FnolReport:
    """The report as told; what cannot be read goes into `errors`, with a stand-in in its place."""
    reporter = PersonGiven(name=form.text("name"), phone=form.text("phone"), email=form.text("email"))
    claimants, losses = Told(form, snapshot, visit.reader, errors).claims(reporter)
    return FnolReport(
        policy_number=form.text("policy_number"),
        loss_cause=_cause(visit, form, errors),
        loss_at=_loss_at(visit, form, errors),
        reported_at=visit.now,
        place=_required(visit, form, "place", errors),
        course=_required(visit, form, "course", errors),
        injured=_injured(visit, form, errors),
        reporter=reporter,
        claimants=claimants,
        losses=losses,
    )


def _cause(visit: Visit, form: Sent, errors: dict[str, str]) -> LossCause:
    if form.text("cause") in set(LossCause):
        return LossCause(form.text("cause"))
    errors["cause"] = visit.reader.say("Choose what caused the loss.")
    return LossCause.OTHER


def _loss_at(visit: Visit, form: Sent, errors: dict[str, str]) -> datetime:
    """Told in the office's wall-clock time."""
    try:
        on, at = date.fromisoformat(form.text("loss_on")), time.fromisoformat(form.text("loss_time") or "00:00")
        return datetime.combine(on, at.replace(tzinfo=None), visit.reader.zone)
    except ValueError:
        errors["loss_on"] = visit.reader.say("Enter the day and the time of the loss.")
        return visit.now


def _required(visit: Visit, form: Sent, name: str, errors: dict[str, str]) -> str:
    if not form.text(name):
        errors[name] = visit.reader.say("Please fill this in.")
    return form.text(name)


def _injured(visit: Visit, form: Sent, errors: dict[str, str]) -> int:
    typed = form.text("injured") or "0"
    if typed.isascii() and typed.isdigit() and int(typed[:9]) <= MOST_INJURED:
        return int(typed)
    errors["injured"] = visit.reader.say("Enter how many people were injured, such as 0 or 2.")
    return 0
