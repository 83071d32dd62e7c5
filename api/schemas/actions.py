"""What may be done on a case of one's own accord: each action with its form, effects and result (idea 5)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import Field

from api.schemas.forms import FormOut, form_of
from api.wire import AmountOut, In, Out, TextOrNothing, Words
from lian.services.actions import ActionOnCase


class ActionOut(Out):
    """One action that you may take now, with the form of its answer in both languages."""

    action: str
    label: Words
    help: Words
    needs_notes: bool = Field(description="Whether `notes` must say why.")
    has_preview: bool = Field(description="Whether its effects can be seen before it is done.")
    form: FormOut

    @classmethod
    def of(cls, offer: ActionOnCase) -> ActionOut:
        """The action on the wire."""
        kind = offer.kind
        return cls(
            action=kind.id,
            label=Words.of(kind.label),
            help=Words.of(kind.help),
            needs_notes=kind.needs_notes,
            has_preview=kind.has_preview,
            form=form_of(kind, offer.ask),
        )


class ActionsOut(Out):
    """Everything that you may do on the case now."""

    items: list[ActionOut]


class ActionDetailOut(ActionOut):
    """One action, with what its form starts from."""

    ask: dict[str, Any] = Field(description="Figures the answer is held against, such as the highest amount.")

    @classmethod
    def shown(cls, offer: ActionOnCase) -> ActionDetailOut:
        """The whole action on the wire."""
        starts_from = {name: value for name, value in offer.ask.items() if name != "options"}
        return cls(**dict(ActionOut.of(offer)), ask=starts_from)


class ActionIn(In):
    """What to do; `outcome` as the action's form says."""

    outcome: dict[str, Any]
    notes: TextOrNothing = ""


class PreviewOut(Out):
    """What would follow; nothing is stored. Amounts are there when what is payable depends on it."""

    effects: list[Words]
    proposed_before: AmountOut | None = Field(description="What the rules would let us pay now.")
    proposed_after: AmountOut | None = Field(description="What they would let us pay then.")
    paid_amount: AmountOut | None
    currency: str

    @classmethod
    def of(cls, found: dict[str, Any]) -> PreviewOut:
        """The effects on the wire."""
        amounts = {
            name: Decimal(found[name]) if name in found else None
            for name in ("proposed_before", "proposed_after", "paid_amount")
        }
        effects = [Words(en=one["en"], zh=one["zh"]) for one in found.get("effects", ())]
        return cls(effects=effects, currency=found.get("currency", ""), **amounts)
