"""What the tracker asks of the customer, and objecting: the definitions' forms in plain words, without our inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from lian.domain.tasks import Json
from lian.services.actions import ActionOnCase
from lian.services.asked import Asked
from lian.services.tracking import Tracked
from web.deps import Sent
from web.i18n import mark
from web.presenters.cases import Fact
from web.presenters.forms import FormContext, FormView, Row, Section, Typed, present_form, read_outcome
from web.reader import Reader

SETTLEMENT = "agree_settlement"
CUSTOMERS_PART = ("name", "account", "bank")
"""What of a payee's share the customer says; the rest is as it was asked."""
TITLES = {
    SETTLEMENT: (
        mark("Accept our payment"),
        mark("Tell us to which account we pay. As soon as you accept, the payment goes on its way."),
        mark("Accept and be paid"),
    ),
    "confirm_account": (
        mark("Is this your account?"),
        mark("We were given another bank account for your payment. Nothing is paid there before you confirm it."),
        mark("Send my answer"),
    ),
}
"""By the kind of task: what it is, why we ask, and the button."""


@dataclass(frozen=True, slots=True)
class AskedView:
    """One thing only the customer can answer."""

    id: str
    words: str
    help: str
    button: str
    facts: tuple[Fact, ...]
    form: FormView


@dataclass(frozen=True, slots=True)
class ObjectionView:
    """One objection and how it stands."""

    grounds: str
    words: str
    status: str
    when: str


def present_asked(
    asked: Sequence[Asked], people: Mapping[str, str], typed: Mapping[str, Typed], reader: Reader
) -> tuple[AskedView, ...]:
    """The open questions, each with its form."""
    return tuple(_asked(each, people, typed.get(str(each.found.task.id), Typed()), reader) for each in asked)


def _asked(asked: Asked, people: Mapping[str, str], typed: Typed, reader: Reader) -> AskedView:
    kind, task = asked.found.kind, asked.found.task
    context = replace(FormContext.plain(reader), currency=asked.found.case.currency, people=people)
    form = present_form(kind, asked.ask, context, typed)
    label, help_, button = reader.label(kind.label), reader.label(kind.help), reader.say("Send my answer")
    if kind.id in TITLES:
        label, help_, button = (reader.say(words) for words in TITLES[kind.id])
    return AskedView(str(task.id), label, help_, button, _facts(asked, reader), _plainer(kind.id, form, asked, reader))


def _facts(asked: Asked, reader: Reader) -> tuple[Fact, ...]:
    payee, currency = asked.payee, asked.found.case.currency
    if payee:
        account = reader.say("{bank}, account ending in {tail}", bank=payee.bank, tail=payee.account_tail)
        return (
            (reader.say("Account holder"), payee.name),
            (reader.say("Account"), account),
            (reader.say("Amount"), reader.money(payee.amount, currency)),
        )
    amount = asked.ask.get("approved_amount")
    return ((reader.say("We pay you"), reader.money(Decimal(amount), currency)),) if amount else ()


def _plainer(kind: str, form: FormView, asked: Asked, reader: Reader) -> FormView:
    """A settlement is accepted as it is: who gets how much is told, not asked."""
    if kind == SETTLEMENT:
        sections = tuple(replace(s, rows=tuple(_payee(r, s, asked, reader) for r in s.rows)) for s in form.sections)
        return replace(form, fields=(), sections=sections)
    asks_one = tuple(replace(f, words=reader.say("Is this account yours?"), help="") for f in form.fields)
    return replace(form, fields=asks_one) if kind == "confirm_account" else form


def _payee(row: Row, section: Section, asked: Asked, reader: Reader) -> Row:
    proposed = asked.ask["rows"]["payees"][section.rows.index(row)]
    amount = reader.money(Decimal(proposed["amount"]), asked.found.case.currency)
    facts = ((reader.say("Amount"), amount),) if len(section.rows) > 1 else ()
    return replace(row, facts=facts, fields=tuple(f for f in row.fields if not f.name.endswith(".amount")))


def read_asked(asked: Asked, sent: Sent, reader: Reader) -> tuple[Json, dict[str, str]]:
    """The customer's answer; the amounts of a settlement are those that were asked."""
    ask = asked.ask
    if asked.found.kind.id == SETTLEMENT:
        sent = _as_asked(sent, ask["rows"]["payees"])
    return read_outcome(asked.found.kind, ask, sent, reader)


def _as_asked(sent: Sent, payees: Sequence[Json]) -> Sent:
    typed = {
        f"payees.{i}.{part}": [sent.text(f"payees.{i}.{part}")] for i in range(len(payees)) for part in CUSTOMERS_PART
    }
    amounts = {f"payees.{i}.amount": [row["amount"]] for i, row in enumerate(payees)}
    return Sent(typed | amounts | {"extent": [""]})


# --- objecting (CLM-11) -----------------------------------------------------------------------------------------------


def present_objecting(offer: ActionOnCase | None, typed: Typed, reader: Reader) -> FormView | None:
    """The form to object with, where the customer may."""
    return present_form(offer.kind, offer.ask, FormContext.plain(reader), typed) if offer else None


def present_objections(tracked: Tracked, reader: Reader) -> tuple[ObjectionView, ...]:
    """What was objected to, newest first."""
    return tuple(
        ObjectionView(reader.label(o.grounds), o.words, reader.label(o.status), reader.day(o.lodged_at))
        for o in reversed(tracked.objections)
    )
