"""First notice of loss: complete, or as a draft (CLM-1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from api.wire import AmountIn, Code, In, MomentIn, Name, Out, Text, TextOrNothing, Words
from lian.domain.claims.fnol import MOST_EXPOSURES, ClaimedLoss, FnolReport, PersonGiven
from lian.domain.claims.maturity import Requirement
from lian.domain.claims.terms import LossCause
from lian.domain.parties import Channel
from lian.domain.status import CaseStatus
from lian.services.opening import Registered

Injured = Annotated[int, Field(strict=True, ge=0, le=10_000, description="How many people were hurt.")]


class PersonIn(In):
    """A person and how to reach them."""

    name: Name
    phone: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] = ""
    email: Annotated[str, StringConstraints(strip_whitespace=True, max_length=254)] = ""

    def given(self) -> PersonGiven:
        """The person as the domain has them."""
        return PersonGiven(name=self.name, phone=self.phone, email=self.email)


class ClaimantIn(PersonIn):
    """Somebody who claims; a minor with the adult who acts for them."""

    is_minor: Annotated[bool, Field(strict=True)] = False
    represented_by: PersonIn | None = Field(default=None, description="Of age, and within reach.")

    def given(self) -> PersonGiven:
        """The claimant as the domain has them."""
        acting = self.represented_by.given() if self.represented_by else None
        return replace(PersonIn.given(self), is_minor=self.is_minor, represented_by=acting)


class LossIn(In):
    """What is claimed under one coverage for one claimant."""

    coverage_code: Code
    claimed_amount: AmountIn
    claimant: Annotated[int, Field(strict=True, ge=0, lt=MOST_EXPOSURES)] = Field(
        default=0, description="Place in `claimants`, from 0."
    )


Claimants = Annotated[list[ClaimantIn], Field(max_length=MOST_EXPOSURES, description="None: the reporter claims.")]
Losses = Annotated[list[LossIn], Field(min_length=1, max_length=MOST_EXPOSURES)]


class ClaimIn(In):
    """A complete report. Amounts are in the policy's currency."""

    policy_number: Code
    loss_cause: LossCause
    loss_at: MomentIn
    reported_at: MomentIn | None = Field(default=None, description="When we were told; now, unless given.")
    received_at: MomentIn | None = Field(
        default=None, description="When it reached us, if earlier than now: promises run from then. Staff only."
    )
    place: Text
    course: Text
    injured: Injured = 0
    reporter: PersonIn
    claimants: Claimants = Field(default_factory=list)
    losses: Losses
    channel: Channel = Channel.API

    def report(self, now: datetime) -> FnolReport:
        """The report as the domain has it."""
        return FnolReport(
            policy_number=self.policy_number,
            loss_cause=self.loss_cause,
            loss_at=self.loss_at,
            reported_at=self.reported_at or self.received_at or now,
            received_at=self.received_at,
            place=self.place,
            course=self.course,
            injured=self.injured,
            reporter=self.reporter.given(),
            claimants=tuple(person.given() for person in self.claimants),
            losses=tuple(ClaimedLoss(**loss.model_dump()) for loss in self.losses),
        )


class PersonDraft(In):
    """A person, as far as they are known."""

    name: TextOrNothing = ""
    phone: Annotated[str, StringConstraints(max_length=40)] = ""
    email: Annotated[str, StringConstraints(max_length=254)] = ""


class ClaimantDraft(PersonDraft):
    """A claimant, as far as they are known."""

    is_minor: Annotated[bool, Field(strict=True)] | None = None
    represented_by: PersonDraft | None = None


class DraftIn(In):
    """A report as far as it is known; only the policy is needed. What is here must be well-formed already."""

    policy_number: Code
    loss_cause: LossCause | None = None
    loss_at: MomentIn | None = None
    reported_at: MomentIn | None = None
    place: TextOrNothing | None = None
    course: TextOrNothing | None = None
    injured: Injured | None = None
    reporter: PersonDraft | None = None
    claimants: Annotated[list[ClaimantDraft], Field(max_length=MOST_EXPOSURES)] | None = None
    losses: Annotated[list[LossIn], Field(max_length=MOST_EXPOSURES)] | None = None
    channel: Channel = Channel.API

    def kept(self) -> dict[str, Any]:
        """The draft as it is stored: what is known so far."""
        return self.model_dump(mode="json", exclude_none=True)


class DraftOut(Out):
    """A draft's number and state."""

    number: str
    status: CaseStatus


class MissingOut(Out):
    """One thing that a report needs."""

    code: str
    label: Words

    @classmethod
    def of(cls, requirement: Requirement) -> MissingOut:
        """The requirement on the wire."""
        return cls(code=requirement.code, label=Words.of(requirement.label))


class DraftReadOut(DraftOut):
    """A draft as it was saved."""

    draft: dict[str, Any]
    missing: list[MissingOut] = Field(description="What it still lacks to be submitted.")


class RegisteredOut(Out):
    """The answer to a report."""

    number: str = Field(description="For people.")
    case_id: UUID = Field(description="For machines.")
    status: CaseStatus
    promised_at: datetime | None = Field(description="By when the customer is promised an end.")

    @classmethod
    def of(cls, registered: Registered) -> RegisteredOut:
        """The answer on the wire."""
        return cls(
            number=registered.number,
            case_id=registered.case_id,
            status=CaseStatus(registered.status),
            promised_at=registered.promised_at,
        )
