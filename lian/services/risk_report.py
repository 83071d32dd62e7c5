"""How good the risk indicators are: by what special investigation found, or by labels in a file (CLM-14).

Every share is given with its Wilson 95 % interval, because there are few confirmed cases and a bare percentage of a few
says more than is known.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from math import sqrt
from pathlib import Path
from typing import Any

from sqlmodel import col, or_, select

from lian.db.tables import Case, Referral
from lian.domain.claims.import_mapping import ClaimsMapping
from lian.domain.claims.import_rows import BadRow, ImportedClaim, read_row
from lian.domain.claims.risk import LEVELS, RiskLevel, RiskScore
from lian.services.claim_import import ClaimsFile, FileRow, UnreadableFile, open_claims
from lian.services.context import Context
from lian.services.risk import facts_of_report, score_risk, shipped_table

Z_95 = 1.959963984540054
"""Standard normal quantile of a two-sided 95 % interval."""
UNSCORED = "unscored"
EARLIER_WITHIN = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `of`; without any there is no rate."""

    hits: int
    of: int

    @property
    def rate(self) -> float | None:
        """From 0 to 1."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of the rate."""
        if not self.of:
            return None
        p, n, z = self.hits / self.of, self.of, Z_95
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(0.0, middle - half), min(1.0, middle + half)

    def as_json(self) -> dict[str, Any]:
        """Counts, rate and interval."""
        return {"hits": self.hits, "of": self.of, "rate": self.rate, "interval_95": self.interval}


# --- by what special investigation found ------------------------------------------------------------------------------


@dataclass(slots=True)
class Outcomes:
    """What became of a group of cases; a case that was referred again counts with its latest referral."""

    cases: int = 0
    referred: int = 0
    open: int = 0
    cleared: int = 0
    confirmed: int = 0
    inconclusive: int = 0

    @property
    def hit_rate(self) -> Share:
        """Confirmed among those whose investigation was concluded."""
        return Share(self.confirmed, self.cleared + self.confirmed + self.inconclusive)

    def add(self, referral: Referral | None) -> None:
        """Count one case, with its latest referral."""
        self.cases += 1
        if referral is None:
            return
        self.referred += 1
        self.open += referral.status == "open"
        self.cleared += referral.outcome == "cleared"
        self.confirmed += referral.outcome == "confirmed"
        self.inconclusive += referral.outcome == "inconclusive"

    def as_json(self) -> dict[str, Any]:
        """The counts and the hit rate."""
        counts = {name: getattr(self, name) for name in self.__slots__}
        return {**counts, "hit_rate": self.hit_rate.as_json()}


@dataclass(frozen=True, slots=True)
class RiskReport:
    """Cases by level and by indicator. `levels` has every level, and `UNSCORED` when a person referred such a case."""

    levels: dict[str, Outcomes]
    indicators: dict[str, Outcomes]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        groups = {"levels": self.levels, "indicators": self.indicators}
        return {name: {key: found.as_json() for key, found in group.items()} for name, group in groups.items()}


async def report_risk(context: Context) -> RiskReport:
    """All scored or referred cases, counted; figures only, no case and no person is named (CLM-14)."""
    levels: dict[str, Outcomes] = {level.value: Outcomes() for level in LEVELS}
    indicators: defaultdict[str, Outcomes] = defaultdict(Outcomes)
    query = (
        select(Case.id, Case.risk_level, Case.risk_findings, Referral)
        .select_from(Case)
        .join(Referral, col(Referral.case_id) == col(Case.id), isouter=True)
        .where(or_(col(Case.risk_level) != "", col(Referral.id).is_not(None)))
        .order_by(col(Case.id), col(Referral.referred_at).desc(), col(Referral.id))
    )
    counted = None
    async with context.transaction() as session:
        async for case_id, level, findings, referral in await session.stream(query):
            if case_id == counted:  # an older referral of the same case
                continue
            counted = case_id
            levels.setdefault(level or UNSCORED, Outcomes()).add(referral)
            for code in {finding["code"] for finding in findings}:
                indicators[code].add(referral)
    return RiskReport(levels, dict(sorted(indicators.items())))


# --- by labels in a file ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Confusion:
    """What a threshold flags against what the labels say."""

    flagged_bad: int
    flagged_good: int
    missed_bad: int
    passed_good: int

    @property
    def precision(self) -> Share:
        """Bad among the flagged."""
        return Share(self.flagged_bad, self.flagged_bad + self.flagged_good)

    @property
    def recall(self) -> Share:
        """Flagged among the bad."""
        return Share(self.flagged_bad, self.flagged_bad + self.missed_bad)

    @property
    def flagged(self) -> Share:
        """Flagged among all: the work it makes."""
        return Share(self.flagged_bad + self.flagged_good, self.rows)

    @property
    def base(self) -> Share:
        """Bad among all: the precision of flagging at random."""
        return Share(self.flagged_bad + self.missed_bad, self.rows)

    @property
    def rows(self) -> int:
        """All of them."""
        return self.flagged_bad + self.flagged_good + self.missed_bad + self.passed_good

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall."""
        count = 2 * self.flagged_bad + self.flagged_good + self.missed_bad
        return 2 * self.flagged_bad / count if count else None

    def as_json(self) -> dict[str, Any]:
        """Counts and shares."""
        counts = {name: getattr(self, name) for name in self.__slots__}
        shares = {name: getattr(self, name).as_json() for name in ("precision", "recall", "flagged")}
        return {**counts, **shares, "f1": self.f1}


@dataclass(frozen=True, slots=True)
class TableQuality:
    """The table against labels. `thresholds` flag that level and above; `indicators` hold bad among rows with each."""

    table_version: str
    base: Share
    thresholds: dict[RiskLevel, Confusion]
    indicators: dict[str, Share]
    rejected: tuple[int, ...] = ()
    """Lines that could not be read or have no label; they are in no figure."""

    def lift(self, code: str) -> float | None:
        """How many times more often bad than the base rate, where this indicator applies."""
        rate, base = self.indicators[code].rate, self.base.rate
        return rate / base if rate is not None and base else None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "table_version": self.table_version,
            "base": self.base.as_json(),
            "rejected_lines": list(self.rejected),
            "thresholds": {level.value: found.as_json() for level, found in self.thresholds.items()},
            "indicators": {code: s.as_json() | {"lift": self.lift(code)} for code, s in self.indicators.items()},
        }


def measure_file(path: Path, mapping: ClaimsMapping, *, label_column: str, bad_label: str) -> TableQuality:
    """Score every row of a claims file and compare with its labels; nothing is stored, no database is needed.

    Raises `UnreadableFile` when the file lacks a column, the label's included, or has not one row that is labelled bad.
    """
    file = open_claims(path, mapping)
    if label_column not in file.header:
        raise UnreadableFile(f"The file has no column {label_column} with labels.")
    found = _Labelled(mapping, label_column, bad_label)
    for row in file:
        found.add(file, row)
    if not any(is_bad for _, is_bad in found.claims):
        raise UnreadableFile(f"No row that can be read has the label {bad_label} in {label_column}.")
    return replace(measure(found.scores()), rejected=tuple(found.rejected))


def measure(scores: Iterable[tuple[RiskScore, bool]]) -> TableQuality:
    """The table's quality over scores and whether each claim was bad."""
    all_of_them = list(scores)
    asking = [level for level in LEVELS if level is not RiskLevel.LOW]
    return TableQuality(
        table_version=shipped_table().version,
        base=Share(sum(bad for _, bad in all_of_them), len(all_of_them)),
        thresholds={level: _confusion(all_of_them, LEVELS[level]) for level in asking},
        indicators=_by_indicator(all_of_them),
    )


def _confusion(scores: Sequence[tuple[RiskScore, bool]], least: int) -> Confusion:
    found = Counter((score.score >= least, bad) for score, bad in scores)
    return Confusion(found[True, True], found[True, False], found[False, True], found[False, False])


def _by_indicator(scores: Sequence[tuple[RiskScore, bool]]) -> dict[str, Share]:
    bad = Counter(f.code for score, is_bad in scores for f in score.findings if is_bad)
    every = Counter(f.code for score, _ in scores for f in score.findings)
    shares = {code: Share(bad[code], every[code]) for code in every}
    return dict(sorted(shares.items(), key=lambda found: (-(found[1].rate or 0), found[0])))


@dataclass(slots=True)
class _Labelled:
    """The rows of a file that have a label."""

    mapping: ClaimsMapping
    label_column: str
    bad_label: str
    claims: list[tuple[ImportedClaim, bool]] = field(default_factory=list)
    rejected: list[int] = field(default_factory=list)

    def add(self, file: ClaimsFile, row: FileRow) -> None:
        """Keep the row, or its line when it says nothing."""
        cells = {} if row.problem else file.as_row(row)
        label = cells.get(self.label_column, "").strip()
        try:
            claim = read_row(self.mapping, cells) if label else None
        except BadRow:
            claim = None
        if claim is None:
            self.rejected.append(row.line)
        else:
            self.claims.append((claim, label == self.bad_label))

    def scores(self) -> Iterable[tuple[RiskScore, bool]]:
        """Each claim's score, with the file's other claims on its policy counted, and its label."""
        by_policy: defaultdict[str, list[ImportedClaim]] = defaultdict(list)
        for claim, _ in self.claims:
            by_policy[claim.report.policy_number].append(claim)
        for claim, bad in self.claims:
            before = sum(_is_shortly_before(other, claim) for other in by_policy[claim.report.policy_number])
            yield score_risk(facts_of_report(claim.report, claim.terms, earlier_claims=before)), bad


def _is_shortly_before(other: ImportedClaim, claim: ImportedClaim) -> bool:
    return timedelta(0) < claim.report.loss_at - other.report.loss_at <= EARLIER_WITHIN
