"""What may be done on a case of one's own accord: the menu, one action's form, and what would follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from lian.domain.labels import Label
from lian.domain.tasks import Json
from lian.services.actions import ActionOnCase
from web.presenters.cases import Fact
from web.reader import Reader


@dataclass(frozen=True, slots=True)
class OfferView:
    """One action in the menu."""

    id: str
    words: str
    help: str


@dataclass(frozen=True, slots=True)
class ActionView:
    """One action as its form's head shows it. `facts`: figures the answer is held against."""

    id: str
    words: str
    help: str
    facts: tuple[Fact, ...]
    needs_notes: bool
    has_preview: bool


@dataclass(frozen=True, slots=True)
class EffectsView:
    """What would follow, in the order it happens, and the amounts that depend on it."""

    effects: tuple[str, ...]
    amounts: tuple[Fact, ...]


def present_offers(offers: Sequence[ActionOnCase], reader: Reader) -> tuple[OfferView, ...]:
    """The menu."""
    return tuple(OfferView(o.kind.id, reader.label(o.kind.label), reader.label(o.kind.help)) for o in offers)


def present_action(offer: ActionOnCase, reader: Reader) -> ActionView:
    """The head of its form."""
    kind = offer.kind
    return ActionView(
        kind.id,
        reader.label(kind.label),
        reader.label(kind.help),
        _facts(offer, reader),
        kind.needs_notes,
        kind.has_preview,
    )


def _facts(offer: ActionOnCase, reader: Reader) -> tuple[Fact, ...]:
    ask, currency = offer.ask, offer.case.currency
    if "most" in ask:
        return ((reader.say("At most"), reader.money(Decimal(ask["most"]), currency)),)
    if "now" in ask:
        return tuple(
            (_option_words(ask, "exposure_id", e, reader), _reserves(r, currency, reader))
            for e, r in ask["now"].items()
        )
    return ()


def _reserves(lines: Json, currency: str, reader: Reader) -> str:
    return reader.say(
        "indemnity {indemnity}, expense {expense}",
        indemnity=reader.money(Decimal(lines["indemnity"]), currency),
        expense=reader.money(Decimal(lines["expense"]), currency),
    )


def _option_words(ask: Json, name: str, value: str, reader: Reader) -> str:
    found = next((o for o in ask["options"][name] if o["value"] == value), {"en": value, "zh": value})
    return reader.label(Label(found["en"], found["zh"]))


def present_effects(found: Json, reader: Reader) -> EffectsView:
    """The effects in words; of the amounts only those that were worked out."""
    amounts = (
        (reader.say("The rules would let us pay now"), found.get("proposed_before")),
        (reader.say("The rules would let us pay then"), found.get("proposed_after")),
        (reader.say("Paid so far"), found.get("paid_amount")),
    )
    return EffectsView(
        tuple(reader.label(Label(one["en"], one["zh"])) for one in found.get("effects", ())),
        tuple((term, reader.money(Decimal(a), found["currency"])) for term, a in amounts if a is not None),
    )
