"""Which cases somebody may see: one rule inside every query, so that nobody can forget it (SEC-1).

Staff see all cases. People outside see some: an external adjuster those with a task that is or was theirs, an agent
those they reported. Of these they see the loss and their own work, never our reasoning about it: `sees_inside`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, true
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from lian.auth.actor import Actor
from lian.db.tables import Case, Document, Party, Task
from lian.domain.case_kinds import KINDS
from lian.domain.claims.checklist import EVIDENCE
from lian.domain.parties import PartyRole

FOR_CUSTOMERS = frozenset({"customer", "letter"})
"""Sources of documents that customers may open: what they sent, and letters to them."""
CONFIDENTIAL_WAITS = frozenset({"fraud_investigation"})
"""What a case waits for of which only readers of risk may know (CLM-14)."""
CONFIDENTIAL_CODES = CONFIDENTIAL_WAITS | {"arson", "arson_suspected"}
"""Reasons, milestones and grades that say as much."""
UNDISCLOSED = "undisclosed"
"""What everybody else reads instead."""
VOUCHER = "voucher"
"""A letter about one transfer: for whoever was paid."""
CLAIM_PAPERS = frozenset({"customer", "staff"})
"""Sources of documents that an external adjuster works with."""
PAPERS_INSIDE = frozenset({"bank_account", "guardianship_proof", "identity", "kinship_proof", EVIDENCE})
"""Of these they do not get: who somebody is, accounts, and what others found out."""
SUSPICION_TASKS = frozenset(
    task.id for kind in KINDS.values() for task in kind.tasks if task.permission == "task:investigate_fraud"
)
"""Special investigation."""


def visible_cases(actor: Actor) -> ColumnElement[bool]:
    """The condition on `cases` for this actor: serves lists, search, counts and single pages alike."""
    if actor.is_customer:
        return col(Case.id) == actor.case_id
    if actor.may("case:read"):
        return true()
    seen: list[ColumnElement[bool]] = [false()]
    if actor.may("case:read_assigned"):
        # A name of its own: within a query over tasks it must not become that query's task.
        theirs = aliased(Task)
        seen.append(select(theirs.id).where(theirs.case_id == Case.id, _is_own(actor, theirs)).exists())
    if actor.may("case:read_own"):
        seen.append(col(Case.opened_by) == actor.id)
    return or_(*seen)


def visible(query: Any, actor: Actor) -> Any:
    """A query over `cases`, narrowed to what the actor may see."""
    return query.where(visible_cases(actor))


def _is_own(actor: Actor, task: type[Task]) -> ColumnElement[bool]:
    """Theirs now, or done by them."""
    return or_(col(task.holder) == actor.id, col(task.completed_by) == actor.id)


def workable_tasks(actor: Actor) -> ColumnElement[bool]:
    """The condition on `tasks` and their `cases` for the desk.

    People outside have only what was given to them; that a suspicion is looked into is for readers of risk alone.
    """
    by_kind = EVERY_TASK if actor.may("risk:read") else NO_SUSPICION
    if actor.may("case:read") and not actor.is_customer:
        return by_kind
    return visible_cases(actor) & (_is_own(actor, Task) if actor.is_outside else true()) & by_kind


def serves_many(condition: ColumnElement[bool]) -> bool:
    """Whether it is the condition of everybody inside, or of all of them who do not read risk.

    Statements with it are worth keeping: to make one takes as long as to run it.
    """
    return condition is EVERY_TASK or condition is NO_SUSPICION


def of_suspicion() -> ColumnElement[bool]:
    """The condition on `tasks`: special investigation."""
    return col(Task.kind).in_(SUSPICION_TASKS)


EVERY_TASK: ColumnElement[bool] = true()
NO_SUSPICION: ColumnElement[bool] = ~of_suspicion()
"""What people inside see, with the right to read risk and without it."""


def tells_of_suspicion(type_: str, body: Mapping[str, Any], task_ids: Collection[str]) -> bool:
    """Whether an event tells of risk or suspicion; `task_ids` are the case's tasks of special investigation."""
    is_referral = type_ == "action.taken" and body.get("action") == "refer"
    is_said = bool(CONFIDENTIAL_CODES & {*_codes(body)})
    return type_.startswith("risk.") or is_referral or is_said or body.get("task_id") in task_ids


def _codes(body: Mapping[str, Any]) -> Iterator[str]:
    """The coded words of an event, its answer's among them."""
    answer = body.get("outcome")
    for said in (body, answer if isinstance(answer, Mapping) else {}):
        yield from (said[name] for name in ("grade", "milestone", "reason") if isinstance(said.get(name), str))


def readable_wait(actor: Actor, reason: str) -> str:
    """What a case waits for, as this actor may know it."""
    may = reason not in CONFIDENTIAL_WAITS or (actor.may("risk:read") and sees_inside(actor))
    return reason if may else UNDISCLOSED


def readable_outcome(actor: Actor, outcome: dict[str, Any]) -> dict[str, Any]:
    """An answer without what a reviewer suspects, for those who may not read risk."""
    return outcome if actor.may("risk:read") else {name: v for name, v in outcome.items() if name != "suspicion"}


def sees_inside(actor: Actor) -> bool:
    """Whether our reasoning is for them: journal, risk, panel, reserves, decisions, payees, contact data of others."""
    return actor.may("case:read") and not actor.is_customer


def own_people(actor: Actor, parties: Iterable[Party]) -> frozenset[UUID]:
    """The people whose part of a case is a customer's own: themselves, and minors for whom they act.

    A case may have several claimants, and whoever reported it signs in: the others' money is not theirs to see.
    """
    if actor.person_id is None:
        return frozenset()
    known = tuple(parties)
    acting = (p for p in known if p.person_id == actor.person_id and p.role == PartyRole.REPRESENTATIVE)
    represented = {p.represents for p in acting}
    return frozenset({actor.person_id, *(p.person_id for p in known if p.is_minor and p.id in represented)})


def may_read_document(actor: Actor, document: Document, own_vouchers: Collection[UUID | None] = ()) -> bool:
    """Whether a document of a case they see is for them; internal ones, such as minutes, are for staff alone.

    `own_vouchers`: those of transfers to a customer themselves; they get no others.
    """
    if actor.is_customer:
        is_anothers = document.item_code == VOUCHER and document.id not in own_vouchers
        return document.source in FOR_CUSTOMERS and not is_anothers
    if sees_inside(actor) or document.received_by == actor.id:
        return True
    is_claim_paper = document.source in CLAIM_PAPERS and document.item_code not in PAPERS_INSIDE
    return actor.may("case:read_assigned") and is_claim_paper
