"""Who claims beside the reporter: blocks of the report form, as they are shown again and as they are read (CLM-1).

A block is told by its number: `c1.name`, `c1.minor`, `c1.acting_name`, `c1.loss.OD`. One left empty is nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from lian.domain.claims.fnol import ClaimedLoss, PersonGiven
from lian.domain.claims.terms import PolicySnapshot
from lian.domain.errors import Invalid
from lian.domain.money import parse_amount
from web.deps import Sent
from web.i18n import mark
from web.reader import Reader

MOST_OTHERS = 9
LONGEST = {"name": 100, "phone": 40, "email": 200}
TEXTS = ("name", "phone", "email", "acting_name", "acting_phone", "acting_email")
NO_NAME = mark("Enter this person's name.")
NO_AMOUNT = mark("Enter an amount for this person, or leave the name empty.")
OUT_OF_REACH = mark("Give a phone number or an e-mail address of the representative.")


@dataclass(frozen=True, slots=True)
class Claimant:
    """One block of the form as it was typed; amounts by coverage: field name, words, value."""

    mark: str
    number: int
    typed: dict[str, str]
    is_minor: bool
    coverages: tuple[tuple[str, str, str], ...]


@dataclass(slots=True)
class Told:
    """Reads one form; what is wrong is added to `errors` by field name."""

    form: Sent
    snapshot: PolicySnapshot
    reader: Reader
    errors: dict[str, str]

    def claims(self, reporter: PersonGiven) -> tuple[tuple[PersonGiven, ...], tuple[ClaimedLoss, ...]]:
        """The claimants and their losses; no claimants when the reporter alone claims."""
        people, losses = [reporter], list(self._losses("loss.", 0))
        for n in range(1, others(self.form) + 1):
            theirs = self._losses(f"c{n}.loss.", len(people))
            if self._is_somebody(n, theirs):
                people.append(self._person(n, reporter, has_losses=bool(theirs)))
                losses += theirs
        if not losses and not self.errors:
            self.errors["losses"] = self.reader.say("Enter an amount for at least one of these. An estimate is enough.")
        if len(people) == 1:
            return (), tuple(losses)
        if any(loss.claimant == 0 for loss in losses):
            return tuple(people), tuple(losses)
        return tuple(people[1:]), tuple(replace(loss, claimant=loss.claimant - 1) for loss in losses)

    def _is_somebody(self, n: int, theirs: tuple[ClaimedLoss, ...]) -> bool:
        return bool(theirs) or any(self.form.text(f"c{n}.{part}") for part in TEXTS)

    def _person(self, n: int, reporter: PersonGiven, *, has_losses: bool) -> PersonGiven:
        given = self._given(f"c{n}.", "")
        if not given.name:
            self.errors[f"c{n}.name"] = self.reader.say(NO_NAME)
        elif not has_losses and not any(name.startswith(f"c{n}.loss.") for name in self.errors):
            self.errors[f"c{n}.name"] = self.reader.say(NO_AMOUNT)
        if not self.form.text(f"c{n}.minor"):
            return given
        return replace(given, is_minor=True, represented_by=self._acting(n, reporter))

    def _acting(self, n: int, reporter: PersonGiven) -> PersonGiven:
        """Whoever acts for a minor: the reporter, unless somebody else is named."""
        acting = self._given(f"c{n}.", "acting_")
        if not acting.name:
            return reporter
        if not (acting.phone or acting.email):
            self.errors[f"c{n}.acting_phone"] = self.reader.say(OUT_OF_REACH)
        return acting

    def _given(self, block: str, part: str) -> PersonGiven:
        texts = {name: self.form.text(f"{block}{part}{name}") for name in LONGEST}
        for name, most in LONGEST.items():
            if len(texts[name]) > most:
                words = self.reader.count("At most {n} character.", "At most {n} characters.", most)
                self.errors[f"{block}{part}{name}"] = words
        return PersonGiven(name=texts["name"], phone=texts["phone"], email=texts["email"])

    def _losses(self, prefix: str, claimant: int) -> tuple[ClaimedLoss, ...]:
        amounts = {c.code: self._amount(f"{prefix}{c.code}") for c in self.snapshot.coverages}
        return tuple(
            ClaimedLoss(coverage_code=code, claimed_amount=amount, claimant=claimant)
            for code, amount in amounts.items()
            if amount
        )

    def _amount(self, name: str) -> Decimal:
        typed = self.form.text(name).replace(",", "")
        try:
            return parse_amount(typed) if typed else Decimal(0)
        except Invalid as wrong:
            self.errors[name] = self.reader.refusal(wrong)
            return Decimal(0)


def others(form: Sent) -> int:
    """How many blocks for further claimants the form has; one more when that was asked for."""
    typed = form.text("others")
    here = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 3 else 0
    return min(here + bool(form.text("more")), MOST_OTHERS)


def present_others(form: Sent, coverages: Iterable[tuple[str, str]]) -> tuple[Claimant, ...]:
    """The blocks with what was typed into them; `coverages` are codes and words."""
    known = tuple(coverages)
    return tuple(
        Claimant(
            mark=f"c{n}",
            number=n,
            typed={part: form.text(f"c{n}.{part}") for part in TEXTS},
            is_minor=bool(form.text(f"c{n}.minor")),
            coverages=tuple((code, words, form.text(f"c{n}.loss.{code}")) for code, words in known),
        )
        for n in range(1, others(form) + 1)
    )
