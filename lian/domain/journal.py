"""The facts of a case, as typed and versioned events (idea 2: the journal is the truth on record).

An event says what happened, never what to do. Its `TYPE` is `subject.action`; a change of shape raises `VERSION` and
keeps the old reader. Fields made with `personal()` are stored as ciphertext under one person's key: the person named by
the event's `person_id`, or else the case's subject. Everything else must hold no personal data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, TypeVar, dataclass_transform
from uuid import UUID

from lian.domain.claims.terms import LossCause, PolicySnapshot
from lian.domain.findings import Finding

Json = dict[str, Any]

PROCESS = "process"
"""Source of the events a case's workflow records; their `source_seq` counts without a gap."""


def personal(*, default: str = "") -> Any:
    """A text field that is stored only as ciphertext under the person's key (SEC-2)."""
    return field(default=default, metadata={"personal": True})


EVENTS: dict[str, type[Event]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of every event; concrete ones register themselves by `TYPE`."""

    TYPE: ClassVar[str] = ""
    VERSION: ClassVar[int] = 1


E = TypeVar("E", bound=Event)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def event(type_: str) -> Callable[[type[E]], type[E]]:
    """Class decorator: make a frozen dataclass and register it under its type."""

    def register(cls: type[E]) -> type[E]:
        cls.TYPE = type_
        made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
        EVENTS[type_] = made
        return made

    return register


def personal_fields(cls: type[Event]) -> tuple[str, ...]:
    """Names of the fields that are ciphertext at rest."""
    return tuple(f.name for f in fields(cls) if f.metadata.get("personal"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One event on its way into the journal: what happened, when (UTC), and by whom (`staff:..`, `system`)."""

    at: datetime
    actor: str
    event: Event


# --- the case ---------------------------------------------------------------------------------------------------------


@event("case.drafted")
class CaseDrafted(Event):
    """A report was begun and not yet submitted (CLM-1)."""

    number: str
    kind: str
    channel: str
    subject_person_id: UUID
    opened_by: str = ""
    """The account that reported it: agents see the cases they brought."""


@event("claim.draft_saved")
class DraftSaved(Event):
    """What is known of the loss so far; `draft` is the unfinished report as JSON (CLM-1)."""

    policy_number: str
    draft: str = personal()


@event("claim.reported")
class ClaimReported(Event):
    """First notice of loss, as told (CLM-1)."""

    policy_number: str
    line: str
    loss_cause: LossCause
    loss_at: datetime
    reported_at: datetime
    injured: int
    claimed_amount: Decimal
    currency: str
    details: dict[str, str] = field(default_factory=dict)
    """What else was told, as codes of `claims/risk.py`; never free text."""
    place: str = personal()
    course: str = personal()


@event("case.reported")
class CaseReported(Event):
    """What a case of another kind is about: the coded answers of its intake form, and its text."""

    facts: Json
    policy_number: str = ""
    text: str = personal()


@event("policy.snapshot_taken")
class SnapshotTaken(Event):
    """The policy's terms as they were at the report (CLM-2)."""

    snapshot: PolicySnapshot


@event("case.submitted")
class CaseSubmitted(Event):
    """The report is complete: the process may start and the clocks run from `received_at`."""

    received_at: datetime
    plan: Json
    promised_at: datetime | None


@event("case.triaged")
class CaseTriaged(Event):
    """Simple or complex, with the reasons (CLM-3)."""

    complexity: str
    severity: str
    findings: tuple[Finding, ...]


@event("case.stage_entered")
class StageEntered(Event):
    """The procedure moved on."""

    stage: str


@event("case.closed")
class CaseClosed(Event):
    """The procedure ended with this outcome, one of its kind's."""

    outcome: str


@event("case.withdrawn")
class CaseWithdrawn(Event):
    """The customer no longer pursues the case (CLM-15)."""

    reason: str = personal()


@event("case.reopened")
class CaseReopened(Event):
    """A closed case is handled again from `stage` (CLM-15); `generation` counts its lives.

    `action` is what somebody does on it that made it live again: its kind, answer, actor and authority.
    """

    stage: str
    generation: int
    action: Json = field(default_factory=dict)
    reason: str = personal()


@event("action.refused")
class ActionRefused(Event):
    """What somebody did on a closed case was no longer possible once it lived again; `why` is told to them."""

    action: str
    why: str


@event("case.matured")
class CaseMatured(Event):
    """A maturity gate was passed, never to be passed back."""

    maturity: str


@event("case.linked")
class CaseLinked(Event):
    """This case belongs with another one: the same loss, a related one, or a complaint about it (CLM-3, CLM-11)."""

    other_case_id: UUID
    other_number: str
    relation: str
    reasons: tuple[str, ...] = ()


@event("case.tagged")
class CaseTagged(Event):
    """The case is counted with others under a code, such as a catastrophe's."""

    tag: str
    code: str


@event("case.untagged")
class CaseUntagged(Event):
    """It no longer is."""

    tag: str
    code: str


@event("action.taken")
class ActionTaken(Event):
    """Somebody did something on the case of their own accord; what follows from it stands in the events after it."""

    action: str
    outcome: Json
    notes: str = personal()


@event("case.corrected")
class CaseCorrected(Event):
    """A recorded mistake was put right; the old value stays on record.

    `subject` is `party`: `name` is that party's name, phone or email, sealed under their own key.
    """

    subject: str
    name: str
    party_id: UUID | None = None
    person_id: UUID | None = None
    before: str = personal()
    after: str = personal()
    reason: str = personal()


@event("correction.proposed")
class CorrectionProposed(Event):
    """A recorded figure is said to be wrong; one that may change money waits for a second person."""

    correction_id: UUID
    name: str
    before: str
    after: str
    exposure_id: UUID | None = None
    needs_second: bool = True
    reason: str = personal()


@event("correction.decided")
class CorrectionDecided(Event):
    """The second person agreed to the correction, or did not."""

    correction_id: UUID
    agreed: bool
    decided_by: str


@event("correction.applied")
class CorrectionApplied(Event):
    """From here on the corrected figure counts; the old one stays on record. `snapshot` comes with another policy."""

    correction_id: UUID
    name: str
    before: str
    after: str
    exposure_id: UUID | None = None
    snapshot: PolicySnapshot | None = None


# --- investigation, risk, panel ---------------------------------------------------------------------------------------


@event("investigation.planned")
class InvestigationPlanned(Event):
    """What is to be found out, and by which means (CLM-6)."""

    actions: tuple[str, ...]


@event("investigation.reported")
class InvestigationReported(Event):
    """One action was carried out; its words are the task's notes, its evidence lies with the case (CLM-6)."""

    task_id: UUID
    action: str
    finding: str


@event("risk.scored")
class RiskScored(Event):
    """What the indicators say: likelihood and impact from 1 to 5, with the reasons (CLM-14)."""

    likelihood: int
    impact: int
    level: str
    findings: tuple[Finding, ...]
    table_version: str


@event("risk.referred")
class RiskReferred(Event):
    """The claim goes to special investigation (CLM-14); `why` is `score` or what a person suspects."""

    referral_id: UUID
    why: str


@event("risk.concluded")
class RiskConcluded(Event):
    """What special investigation found: cleared, confirmed or inconclusive (CLM-14)."""

    referral_id: UUID
    outcome: str


@event("panel.convened")
class PanelConvened(Event):
    """Several people decide together (CLM-8): `seats` are asked, `quorum` must vote, `rule` says when it is carried."""

    panel_id: UUID
    decision_id: UUID
    decided_by: str
    seats: int
    quorum: int
    rule: str
    why: str


@event("panel.voted")
class PanelVoted(Event):
    """One member's vote, with reasons; never changed (CLM-8)."""

    panel_id: UUID
    voter: str
    vote: str
    reason: str = personal()


@event("panel.concluded")
class PanelConcluded(Event):
    """The panel carried the proposal or rejected it; its minutes follow as a letter (CLM-8)."""

    panel_id: UUID
    result: str


@event("authority.overridden")
class AuthorityOverridden(Event):
    """Break-glass: a decision was let stand by somebody above the table, who answers for it (CLM-9)."""

    decision_id: UUID
    overridden_by: str
    why: str


@event("objection.lodged")
class ObjectionLodged(Event):
    """Somebody objects to the decision (CLM-11)."""

    objection_id: UUID
    decision_id: UUID
    grounds: str
    words: str = personal()


@event("objection.decided")
class ObjectionDecided(Event):
    """Another person looked again: the decision is upheld, or will be made anew (CLM-11)."""

    objection_id: UUID
    result: str
    decided_by: str


# --- parties, exposures, reserves -------------------------------------------------------------------------------------


@event("party.added")
class PartyAdded(Event):
    """A person takes part in the case in one role."""

    party_id: UUID
    person_id: UUID
    role: str
    is_minor: bool = False
    represents: UUID | None = None
    """The party for whom a representative acts."""
    name: str = personal()
    phone: str = personal()
    email: str = personal()


@event("exposure.opened")
class ExposureOpened(Event):
    """One coverage for one claimant; amounts in the case's currency."""

    exposure_id: UUID
    coverage_code: str
    claimant_party_id: UUID
    claimed_amount: Decimal


@event("exposure.assessed")
class ExposureAssessed(Event):
    """What the loss was found to be worth (CLM-7)."""

    exposure_id: UUID
    assessed_amount: Decimal
    excluded_reason: str = ""


@event("exposure.decided")
class ExposureDecided(Event):
    """The coverage decision on one exposure with its coded reasons (CLM-7)."""

    exposure_id: UUID
    result: str
    payable_amount: Decimal
    deductible_applied: Decimal
    findings: tuple[Finding, ...]


@event("reserve.set")
class ReserveSet(Event):
    """Expected cost still to pay on one exposure (CLM-15)."""

    exposure_id: UUID
    reserve_line: str
    amount: Decimal
    reason: str


# --- clocks and requests ----------------------------------------------------------------------------------------------


@event("clock.started")
class ClockStarted(Event):
    """A promise began to run; `due_at` and `warn_at` are what the ledger gave at that moment."""

    clock: str
    started_at: datetime
    policy: Json
    due_at: datetime | None
    warn_at: datetime | None
    calendar: str = ""
    """Version of the calendar it counts in."""


@event("clock.paused")
class ClockPaused(Event):
    """A named request stands still on the claimant's side (idea 3)."""

    clock: str
    request_id: UUID
    paused_at: datetime


@event("clock.resumed")
class ClockResumed(Event):
    """The request ended; the clock ran on from `resumed_at`."""

    clock: str
    request_id: UUID
    resumed_at: datetime
    due_at: datetime | None
    warn_at: datetime | None


@event("clock.warned")
class ClockWarned(Event):
    """The warning instant passed with the promise still open: what the first release said instead of a rung."""

    clock: str
    warn_at: datetime


@event("clock.rung_reached")
class ClockRungReached(Event):
    """The clock came to a rung of its ladder at `reached_at`, told once; `at` of the record is when that was seen."""

    clock: str
    rung: str
    reached_at: datetime
    actions: tuple[str, ...] = ()


@event("clock.breached")
class ClockBreached(Event):
    """The promise was broken at `legal_at`; `at` of the record is when that was seen."""

    clock: str
    legal_at: datetime


@event("clock.breach_withdrawn")
class ClockBreachWithdrawn(Event):
    """What was put on record since moves the deadline beyond now: the promise is not broken after all."""

    clock: str
    due_at: datetime | None
    warn_at: datetime | None


@event("clock.extended")
class ClockExtended(Event):
    """The promise has `amount` more of its unit; the customer was told before it fell due."""

    clock: str
    amount: int
    asked_by: str
    approved_by: str
    due_at: datetime | None
    warn_at: datetime | None


@event("clock.rebased")
class ClockRebased(Event):
    """The promise runs under another policy or calendar from now on; `consumed` seconds of `rebased_at` are kept."""

    clock: str
    policy: Json
    calendar: str
    due_at: datetime | None
    warn_at: datetime | None
    rebased_at: datetime | None = None
    consumed: float = 0.0


@event("plan.changed")
class PlanChanged(Event):
    """The case was put under another pack or calendar by an operation that was previewed; it is frozen again."""

    operation_id: UUID
    plan: Json
    why: str


@event("milestone.reached")
class MilestoneReached(Event):
    """The procedure came to a point that promises run from or to."""

    milestone: str
    reached_at: datetime


@event("case.graded")
class CaseGraded(Event):
    """The case is of this grade from now on: promises of another grade no longer apply."""

    grade: str


@event("lateness.explained")
class LatenessExplained(Event):
    """Why a promise was broken, and who answers for it (CLM-13)."""

    clock: str
    cause: str
    responsible: str


@event("certificate.issued")
class CertificateIssued(Event):
    """A certificate of the case's promises was signed: the hash of what was signed, and by which key (CLM-12)."""

    sha256: str
    key_id: str


@event("clock.stopped")
class ClockStopped(Event):
    """What was promised was done at `stopped_at`; the verdict is final."""

    clock: str
    stopped_at: datetime
    verdict: str


@event("clock.judged")
class ClockJudged(Event):
    """The calendar of its deadline is published now: whether the promise, stopped before, was kept."""

    clock: str
    due_at: datetime
    verdict: str


@event("clock.restarted")
class ClockRestarted(Event):
    """The promise runs from another start: the recorded one was wrong, or new facts give it the full period again."""

    clock: str
    started_at: datetime
    due_at: datetime | None
    warn_at: datetime | None
    why: str = "correction"
    """`correction` keeps the pauses, `new_facts` begins afresh."""


@event("clock.cancelled")
class ClockCancelled(Event):
    """The promise no longer applies."""

    clock: str


@event("request.opened")
class RequestOpened(Event):
    """One complete list of what is missing (CLM-5). A second one on the same case is marked.

    What arrived since the list was made, at `asked_at`, answers it already.
    """

    request_id: UUID
    items: tuple[str, ...]
    asked_at: datetime
    answer_by: datetime
    is_repeat: bool
    reason: str = "documents"
    """Why the case waits; only a request for documents is answered by documents."""


@event("request.delivered")
class RequestDelivered(Event):
    """The notice reached the claimant: pauses count from here."""

    request_id: UUID
    delivered_at: datetime
    channel: str


@event("request.closed")
class RequestClosed(Event):
    """The request ended: answered, expired or withdrawn."""

    request_id: UUID
    how: str
    closed_at: datetime


# --- tasks ------------------------------------------------------------------------------------------------------------


@event("task.opened")
class TaskOpened(Event):
    """A person is needed. `ask` holds the figures and proposals the form starts from."""

    task_id: UUID
    kind: str
    queue: str
    stage: str
    ask: Json
    excluded_actors: tuple[str, ...] = ()
    least_authority: Decimal = Decimal(0)


@event("task.routed")
class TaskRouted(Event):
    """The table of routes says where the task belongs: queue, skills, and whether it is ahead of others (TSK-3).

    `rule` is the row that said so, empty when none did; `table` is its version.
    """

    task_id: UUID
    queue: str
    skills: tuple[str, ...] = ()
    is_green: bool = False
    is_raised: bool = False
    rule: str = ""
    table: str = ""


@event("task.relaxed")
class TaskRelaxed(Event):
    """Nobody with these skills took the task for a while: others may, from now on. Licences never relax."""

    task_id: UUID
    skills: tuple[str, ...]


@event("task.claimed")
class TaskClaimed(Event):
    """Somebody has the task; `how` is one of `desk.HELD_HOW`.

    `on_behalf_of` is whose work it stays, when it is done for a colleague. `why` explains a choice that rules made:
    every candidate, and why they were chosen or not (TSK-3).
    """

    task_id: UUID
    holder: str
    how: str
    on_behalf_of: str = ""
    why: Json = field(default_factory=dict)


@event("task.released")
class TaskReleased(Event):
    """The task went back to its queue."""

    task_id: UUID


@event("task.passed")
class TaskPassed(Event):
    """Whoever had the task gives it back unfinished, and says why; it is not offered to them again until then."""

    task_id: UUID
    passed_by: str
    reason: str
    until: datetime
    note: str = personal()


@event("task.held")
class TaskHeld(Event):
    """The task is put aside until then; it stays whoever's it is, and no clock stops (idea 3)."""

    task_id: UUID
    reason: str
    until: datetime
    note: str = personal()


@event("task.woken")
class TaskWoken(Event):
    """The task is no longer put aside."""

    task_id: UUID


@event("task.prioritised")
class TaskPrioritised(Event):
    """A person put the task ahead of others, or back among them."""

    task_id: UUID
    is_raised: bool
    note: str = personal()


@event("task.commented")
class TaskCommented(Event):
    """A remark for colleagues; customers never see it."""

    task_id: UUID
    comment_id: UUID
    text: str = personal()


@event("task.review_asked")
class ReviewAsked(Event):
    """A colleague is asked what they think. It decides nothing, and moves no decision."""

    task_id: UUID
    review_id: UUID
    reviewer: str
    question: str = personal()


@event("task.review_given")
class ReviewGiven(Event):
    """What the colleague thinks; `opinion` is one of `desk.OPINIONS`."""

    task_id: UUID
    review_id: UUID
    opinion: str
    answer: str = personal()


@event("case.barred")
class CaseBarred(Event):
    """The case is not for this person, in none of its tasks, now or later (TSK-5)."""

    actor: str
    reason: str


@event("task.barred")
class TaskBarred(Event):
    """Since the task was opened, one more person must not do it (four eyes)."""

    task_id: UUID
    actor: str


@event("task.completed")
class TaskCompleted(Event):
    """The task's question was answered."""

    task_id: UUID
    outcome: Json
    notes: str = personal()


@event("task.cancelled")
class TaskCancelled(Event):
    """The question no longer needs an answer."""

    task_id: UUID
    why: str


# --- documents, letters, messages -------------------------------------------------------------------------------------


@event("document.received")
class DocumentReceived(Event):
    """A file lies in the object store with this hash (DOC-1)."""

    document_id: UUID
    item_code: str
    source: str
    mime: str
    size: int
    sha256: str
    bucket: str
    key: str
    version_id: str
    filename: str = personal()


@event("document.checked")
class DocumentChecked(Event):
    """Somebody looked at it: accepted, or refused with a reason."""

    document_id: UUID
    accepted: bool
    reason: str = personal()


@event("document.read")
class DocumentRead(Event):
    """Somebody opened or downloaded it (SEC-3)."""

    document_id: UUID
    how: str


@event("letter.issued")
class LetterIssued(Event):
    """A letter was made and stored: document_request, voucher, denial or panel_minutes."""

    document_id: UUID
    letter: str
    payment_id: UUID | None = None


@event("message.written")
class MessageWritten(Event):
    """A message between the customer and us; `direction` is in or out."""

    message_id: UUID
    direction: str
    body: str = personal()


# --- decisions and money ----------------------------------------------------------------------------------------------


@event("decision.made")
class DecisionMade(Event):
    """One person decided the claim (CLM-7); final when within their authority, else referred (CLM-9)."""

    decision_id: UUID
    decided_by: str
    result: str
    approved_amount: Decimal
    needs_second: bool
    subject: str = "claim"
    """`claim`, or `advance` for the undisputed part paid before the decision (Insurance Law art. 25)."""
    authority_version: str = ""


@event("decision.authorised")
class DecisionAuthorised(Event):
    """A second person with enough authority agreed (CLM-9)."""

    decision_id: UUID
    authorised_by: str


@event("decision.returned")
class DecisionReturned(Event):
    """The second person sent it back to be decided anew."""

    decision_id: UUID
    returned_by: str
    approved_amount: Decimal | None = None
    """What the claim lets us pay from now on, when the decision counted already: an advance not to be paid (CLM-14)."""


@event("payee.named")
class PayeeNamed(Event):
    """Who is paid, and how much of the settlement (CLM-10)."""

    payee_id: UUID
    decision_id: UUID
    person_id: UUID
    amount: Decimal
    account_mark: str = ""
    """Keyed fingerprint of the account: equal for equal accounts."""
    is_changed: bool = False
    """Another account than this person was paid to, or named, before."""
    sanctions: str = ""
    """`clear`, or `hit` when the list has the name."""
    name: str = personal()
    account: str = personal()
    bank: str = personal()


@event("payee.checked")
class PayeeChecked(Event):
    """Somebody looked at a payee before money moves: `what` is sanctions, account or customer."""

    payee_id: UUID
    what: str
    is_right: bool
    checked_by: str


@event("payment.requested")
class PaymentRequested(Event):
    """The process asked for one transfer; its id is the effect's key everywhere."""

    payment_id: UUID
    payee_id: UUID
    decision_id: UUID
    amount: Decimal
    currency: str


@event("payment.sent")
class PaymentSent(Event):
    """The bank has the instruction."""

    payment_id: UUID
    instruction_key: str


@event("payment.confirmed")
class PaymentConfirmed(Event):
    """The bank says the money is on its way to the payee."""

    payment_id: UUID
    bank_reference: str
    paid_on: date


@event("payment.rejected")
class PaymentRejected(Event):
    """The bank refused the instruction."""

    payment_id: UUID
    reason: str


@event("payment.returned")
class PaymentReturned(Event):
    """The payee's bank sent the money back after it was paid; `reduced` is what that takes off overpayments."""

    payment_id: UUID
    reason: str
    reduced: Decimal = Decimal(0)


@event("payment.reversed")
class PaymentReversed(Event):
    """Paid to the wrong payee or in error: it no longer counts as paid to the claim, and is claimed back."""

    payment_id: UUID
    why: str
    recovery_id: UUID
    asked_by: str = ""
    reversed_by: str


@event("recovery.opened")
class RecoveryOpened(Event):
    """Money is to come back (CLM-15): subrogation, salvage, overpayment or a recalled payment."""

    recovery_id: UUID
    recovery: str
    expected_amount: Decimal
    currency: str
    payment_id: UUID | None = None
    party_id: UUID | None = None
    """Who was paid too much, where it can be told."""
    counterparty: str = personal()


@event("recovery.received")
class RecoveryReceived(Event):
    """Some of it came."""

    recovery_id: UUID
    receipt_id: UUID
    amount: Decimal
    received_on: date
    reference: str


@event("recovery.reduced")
class RecoveryReduced(Event):
    """An overpayment was smaller than booked, because the payment it came from was sent back by the payee's bank."""

    recovery_id: UUID
    amount: Decimal


@event("recovery.closed")
class RecoveryClosed(Event):
    """Nothing more is expected: received in full, or given up with a reason."""

    recovery_id: UUID
    why: str
