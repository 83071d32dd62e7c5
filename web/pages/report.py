"""First notice of loss on the web (CLM-1): who and which policy, then what happened; no account needed."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from hmac import compare_digest
from uuid import UUID, uuid4

from fastapi import APIRouter
from starlette.responses import Response

from lian.auth.actor import Actor
from lian.domain.claims.fnol import ClaimedLoss, FnolReport, PersonGiven
from lian.domain.claims.terms import CAUSE_LABELS, LossCause, PolicySnapshot
from lian.domain.errors import Invalid, NotFound
from lian.domain.money import parse_amount
from lian.domain.parties import Channel
from lian.services.intake import Registered, report_claim
from lian.services.policies import require_snapshot
from web.deps import Form, Guest, Sent, Visit
from web.i18n import mark

router = APIRouter()

WEB = Actor(id="web", name="")
"""Whoever reports online: nobody we know."""
LONGEST = {"name": 100, "phone": 40, "email": 200, "policy_number": 80, "place": 300, "course": 4000}
PERSON = ("policy_number", "name", "phone", "email")
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
    key = _key(form)
    report = _report(visit, form, snapshot, errors)
    if errors:
        return _step_two(visit, form, snapshot, key=key, errors=errors)
    try:
        said = {name: list(values) for name, values in form.fields.items()}
        answer, _ = await report_claim(visit.context, WEB, report, channel=Channel.WEB, key=key, said=said)
    except Invalid as refused:
        field = refused.details.get("field", "")
        errors = {FIELDS.get(field, field): visit.reader.refusal(refused)}
        return _step_two(visit, form, snapshot, key=key, errors=errors)
    return visit.go("/report/received", **_receipt(visit, answer))


def _key(form: Sent) -> str:
    """Made with the form, so that sending it twice registers one claim."""
    try:
        return str(UUID(form.text("key")))
    except ValueError:
        raise Invalid("The form could not be read.") from None


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
    typed = {name: form.text(name) for name in PERSON}
    status = 422 if errors else 200
    return visit.page("report.html", status=status, here="/report", typed=typed, errors=errors or {})


def _step_two(
    visit: Visit, form: Sent, snapshot: PolicySnapshot, *, key: str, errors: dict[str, str] | None = None
) -> Response:
    reader = visit.reader
    typed = {name: form.text(name) for name in (*PERSON, "cause", "loss_on", "loss_time", "place", "course")}
    typed["injured"] = form.text("injured") or "0"
    return visit.page(
        "report_loss.html",
        status=422 if errors else 200,
        here="/report",
        typed=typed,
        errors=errors or {},
        key=key,
        causes=[(cause.value, reader.label(label)) for cause, label in CAUSE_LABELS.items()],
        coverages=[(c.code, reader.label(c.label), form.text(f"loss.{c.code}")) for c in snapshot.coverages],
        currency=snapshot.currency,
        today=visit.now.astimezone(reader.zone).date().isoformat(),
    )


def _report(visit: Visit, form: Sent, snapshot: PolicySnapshot, errors: dict[str, str]) -> FnolReport:
    """The report as told; what cannot be read goes into `errors`, with a stand-in in its place."""
    return FnolReport(
        policy_number=form.text("policy_number"),
        loss_cause=_cause(visit, form, errors),
        loss_at=_loss_at(visit, form, errors),
        reported_at=visit.now,
        place=_required(visit, form, "place", errors),
        course=_required(visit, form, "course", errors),
        injured=_injured(visit, form, errors),
        reporter=PersonGiven(name=form.text("name"), phone=form.text("phone"), email=form.text("email")),
        losses=_losses(visit, form, snapshot, errors),
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


def _losses(visit: Visit, form: Sent, snapshot: PolicySnapshot, errors: dict[str, str]) -> tuple[ClaimedLoss, ...]:
    losses = []
    for coverage in snapshot.coverages:
        typed = form.text(f"loss.{coverage.code}").replace(",", "")
        try:
            amount = parse_amount(typed) if typed else Decimal(0)
        except Invalid as wrong:
            errors[f"loss.{coverage.code}"] = visit.reader.refusal(wrong)
            continue
        if amount:
            losses.append(ClaimedLoss(coverage_code=coverage.code, claimed_amount=amount))
    if not losses and not errors:
        errors["losses"] = visit.reader.say("Enter an amount for at least one of these. An estimate is enough.")
    return tuple(losses)
