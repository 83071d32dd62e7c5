"""What came up on a case beside its main path, for staff: risk, investigation, panel, objections, corrections, links.

Sections without anything in them are only named. What the reader may not see is not in the file they were given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import uuid5

from lian.db.tables import Correction, JournalEntry, Panel, PanelVote, Referral
from lian.domain.claims.actions import GROUNDS
from lian.domain.claims.duplicates import BACKLINKS, LIKENESS_REASONS, LINKS
from lian.domain.claims.inquest_tasks import FINDINGS, SUSPICION_OUTCOMES
from lian.domain.claims.maturity import MATURITY_LABELS
from lian.domain.claims.risk import KIND_LABELS, LEVEL_LABELS, MEASURES, RISK_REASONS, RiskLevel, figures
from lian.domain.claims.tasks import INVESTIGATIONS
from lian.domain.findings import Finding
from lian.domain.labels import Label
from lian.domain.panel import RESULT_LABELS, RULE_LABELS, VOTE_LABELS, WHY_LABELS
from lian.services.cases import CaseFile, LinkSeen
from web.i18n import mark
from web.presenters.cases import Look
from web.presenters.figures import figure_in_words, name_of_figure
from web.presenters.timeline import who_is
from web.presenters.timeline_matters import WHY_REFERRED, coded
from web.reader import Reader

HIGHEST_SCORE = 25
RISK_TONES = {"low": "ok", "medium": "warn", "high": "bad"}
FINDING_TONES = {"supports": "ok", "contradicts": "bad", "inconclusive": "hold"}
PANEL_TONES = {"carried": "ok", "rejected": "bad", "overridden": "warn", "": "info"}
OBJECTION_STATUS = {
    "open": (mark("under review"), "info"),
    "upheld": (mark("the decision stands"), "none"),
    "changed": (mark("decided anew"), "warn"),
}
CORRECTION_STATUS = {
    "proposed": (mark("waits for a second person"), "info"),
    "agreed": (mark("agreed to"), "info"),
    "refused": (mark("refused"), "bad"),
    "applied": (mark("applied"), "ok"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a section: what, its state, what is known of it, where more is told."""

    words: str
    tag: str = ""
    tone: str = "none"
    lines: tuple[str, ...] = ()
    said: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class RiskView:
    """The score with everything that speaks for it, and what it asks of us (CLM-14)."""

    level: str
    tone: str
    score: str
    measure: str
    reasons: tuple[Entry, ...]
    referrals: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class PanelView:
    """One panel: how it decides, what it decided, every vote with its reason (CLM-8)."""

    result: str
    tone: str
    rule: str
    lines: tuple[str, ...]
    votes: tuple[Entry, ...]
    minutes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MattersView:
    """All of it. `nothing` names the sections that are empty."""

    maturity: str
    risk: RiskView | None
    investigations: tuple[Entry, ...]
    panels: tuple[PanelView, ...]
    objections: tuple[Entry, ...]
    corrections: tuple[Entry, ...]
    links: tuple[Entry, ...]
    tags: tuple[str, ...]
    nothing: str


def present_matters(file: CaseFile, journal: Sequence[JournalEntry], look: Look) -> MattersView:
    """The sections in the reader's words."""
    reader = look.reader
    sections: dict[str, Sequence[Any]] = {
        reader.say("Investigation"): (investigations := _investigations(file, journal, look)),
        reader.say("Panel"): (panels := tuple(_panel(panel, file, look) for panel in file.panels)),
        reader.say("Objections"): (objections := _objections(file, look)),
        reader.say("Corrections"): (corrections := tuple(_correction(c, file, look) for c in file.corrections)),
        reader.say("Links"): (links := tuple(_link(link, reader) for link in file.links)),
    }
    return MattersView(
        maturity=reader.label(coded(MATURITY_LABELS, file.case.maturity)) if file.case.kind == "claim" else "",
        risk=_risk(file, look),
        investigations=investigations,
        panels=panels,
        objections=objections,
        corrections=corrections,
        links=links,
        tags=tuple(tag.code for tag in file.tags),
        nothing=reader.say(", ").join(words for words, entries in sections.items() if not entries),
    )


# --- risk (CLM-14) ----------------------------------------------------------------------------------------------------


def _risk(file: CaseFile, look: Look) -> RiskView | None:
    case, reader = file.case, look.reader
    if not case.risk_level and not file.referrals:
        return None
    level = RiskLevel(case.risk_level or "low")
    return RiskView(
        level=reader.label(LEVEL_LABELS[level]) if case.risk_level else reader.say("Not scored"),
        tone=RISK_TONES[level] if case.risk_level else "none",
        score=reader.say("{score} of {most}", score=case.risk_score, most=HIGHEST_SCORE) if case.risk_level else "",
        measure=reader.label(MEASURES[level]) if case.risk_level else "",
        reasons=risk_reasons(case.risk_findings, reader),
        referrals=tuple(_referral(referral, look) for referral in file.referrals),
    )


def risk_reasons(findings: Sequence[dict[str, str]], reader: Reader) -> tuple[Entry, ...]:
    """Every indicator that applies, the weightiest first."""
    weighed = sorted(((figures(Finding(**each)), each["code"]) for each in findings), key=_weight, reverse=True)  # type: ignore[arg-type]
    kinds = {kind.value: label for kind, label in KIND_LABELS.items()}
    return tuple(
        Entry(
            reader.label(coded(RISK_REASONS, code)),
            reader.label(coded(kinds, measured["kind"])) if "kind" in measured else "",
        )
        for measured, code in weighed
    )


def _weight(weighed: tuple[dict[str, str], str]) -> int:
    return int(weighed[0].get("weight", "0"))


def _referral(referral: Referral, look: Look) -> Entry:
    reader = look.reader
    is_open = referral.status == "open"
    outcome = reader.say("under way") if is_open else reader.label(coded(SUSPICION_OUTCOMES, referral.outcome))
    tones = {"cleared": "ok", "confirmed": "bad"}
    return Entry(
        reader.say("Special investigation: {why}", why=reader.label(coded(WHY_REFERRED, referral.why))),
        outcome,
        "info" if is_open else tones.get(referral.outcome, "hold"),
        (_by(referral.referred_by, reader.full_moment(referral.referred_at), look),),
    )


def _by(actor: str, when: str, look: Look) -> str:
    return f"{who_is(actor, look.names, look.reader)} · {when}"


# --- investigation, panel (CLM-6, CLM-8) ------------------------------------------------------------------------------


def _investigations(file: CaseFile, journal: Sequence[JournalEntry], look: Look) -> tuple[Entry, ...]:
    """What was found, in the words it was reported with; what is still to be found out is among the tasks."""
    reader = look.reader
    answers = (entry.body for entry in journal if entry.type == "task.completed")
    notes = {str(body["task_id"]): str(body.get("notes", "")) for body in answers}
    return tuple(
        Entry(
            reader.label(coded(INVESTIGATIONS, report.action)),
            reader.label(coded(FINDINGS, report.finding)),
            FINDING_TONES.get(report.finding, "none"),
            (_by(report.reported_by, reader.full_moment(report.reported_at), look),),
            notes.get(str(report.task_id), ""),
        )
        for report in file.investigations
    )


def _panel(panel: Panel, file: CaseFile, look: Look) -> PanelView:
    reader = look.reader
    minutes = uuid5(panel.id, "panel_minutes")
    has_minutes = any(document.id == minutes for document in file.documents)
    decision = next((d for d in file.decisions if d.id == panel.decision_id), None)
    amount = reader.money(decision.approved_amount, file.case.currency) if decision else ""
    seats = reader.say("{seats} seats, {quorum} must vote", seats=panel.seats, quorum=panel.quorum)
    proposed_by = who_is(panel.decided_by, look.names, reader)
    return PanelView(
        result=reader.label(coded(RESULT_LABELS, panel.result)) if panel.result else reader.say("in session"),
        tone=PANEL_TONES.get(panel.result, "none"),
        rule=reader.label(coded(RULE_LABELS, panel.rule)),
        lines=(
            reader.say("Proposal: {amount}, by {who}", amount=amount, who=proposed_by) if amount else "",
            f"{seats} · {reader.label(coded(WHY_LABELS, panel.why))}",
        ),
        votes=tuple(_vote(vote, look) for vote in file.panel_votes if vote.panel_id == panel.id),
        minutes=f"/desk/cases/{quote(file.case.number)}/documents/{minutes}" if has_minutes else "",
    )


def _vote(vote: PanelVote, look: Look) -> Entry:
    tones = {"agree": "ok", "disagree": "bad"}
    return Entry(
        who_is(vote.voter, look.names, look.reader),
        look.reader.label(coded(VOTE_LABELS, vote.vote)),
        tones.get(vote.vote, "hold"),
        (look.reader.full_moment(vote.voted_at),),
        vote.reason,
    )


# --- objections, corrections, links (CLM-3, CLM-11, CLM-15) -----------------------------------------------------------


def _objections(file: CaseFile, look: Look) -> tuple[Entry, ...]:
    reader = look.reader
    found = []
    for o in file.objections:
        status, tone = OBJECTION_STATUS.get(o.status, OBJECTION_STATUS["open"])
        lines = [_by(o.lodged_by, reader.full_moment(o.lodged_at), look)]
        if o.decided_at:
            reviewed = _by(o.decided_by, reader.full_moment(o.decided_at), look)
            lines.append(reader.say("Reviewed: {by}", by=reviewed))
        found.append(Entry(reader.label(coded(GROUNDS, o.grounds)), reader.say(status), tone, tuple(lines), o.words))
    return tuple(found)


def _correction(row: Correction, file: CaseFile, look: Look) -> Entry:
    reader = look.reader
    status, tone = CORRECTION_STATUS.get(row.status, CORRECTION_STATUS["proposed"])
    before, after = (figure_in_words(row.name, text, file.case.currency, reader) for text in (row.before, row.after))
    lines = [_by(row.proposed_by, reader.full_moment(row.proposed_at), look)]
    if row.decided_by:
        lines.append(reader.say("Reviewed: {by}", by=who_is(row.decided_by, look.names, reader)))
    name = name_of_figure(row.name, reader)
    words = reader.say("{name}: {before} → {after}", name=name, before=before, after=after)
    return Entry(words, reader.say(status), tone, tuple(lines), row.reason)


def _link(link: LinkSeen, reader: Reader) -> Entry:
    words: dict[str, Label] = BACKLINKS if link.is_back else LINKS
    reasons = reader.say(", ").join(reader.label(coded(LIKENESS_REASONS, code)) for code in link.reasons)
    return Entry(
        reader.label(coded(words, link.relation)),
        lines=(reasons,) if reasons else (),
        said="",
        tag=link.number,
        address=f"/desk/cases/{quote(link.number)}",
    )


def people_in_matters(file: CaseFile) -> set[str]:
    """Everybody whose name these sections show."""
    return {
        *(vote.voter for vote in file.panel_votes),
        *(panel.decided_by for panel in file.panels),
        *(report.reported_by for report in file.investigations),
        *(referral.referred_by for referral in file.referrals),
        *(actor for o in file.objections for actor in (o.lodged_by, o.decided_by)),
        *(actor for c in file.corrections for actor in (c.proposed_by, c.decided_by)),
    }
