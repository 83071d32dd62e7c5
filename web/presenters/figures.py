"""Recorded figures in words: what may be corrected, before and after (CLM-15)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from lian.domain.claims.case_actions import CorrectParty
from lian.domain.claims.corrections import CORRECTABLE
from lian.domain.claims.terms import CAUSE_LABELS, LossCause
from lian.domain.tasks import questions
from web.reader import Reader

INSTANTS = frozenset({"loss_at", "received_at"})
AMOUNTS = frozenset({"claimed_amount", "assessed_amount"})


def name_of_figure(name: str, reader: Reader) -> str:
    """What the figure is called."""
    if name in CORRECTABLE:
        return reader.label(CORRECTABLE[name].label)
    of_person = questions(CorrectParty)
    return reader.label(of_person[name].label) if name in of_person else name


def figure_in_words(name: str, text: str, currency: str, reader: Reader) -> str:
    """One value of it, as the journal keeps it, for a reader."""
    if not text:
        return reader.say("nothing")
    if name in INSTANTS:
        moment = datetime.fromisoformat(text)
        return reader.full_moment(moment if moment.tzinfo else moment.replace(tzinfo=reader.zone))
    if name in AMOUNTS:
        return reader.money(Decimal(text), currency)
    return reader.label(CAUSE_LABELS[LossCause(text)]) if name == "loss_cause" else text
