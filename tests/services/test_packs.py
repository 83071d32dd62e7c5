"""The shipped packs say what the service manuals and the laws say, with their sources, and reckon as by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lian.domain.calendars import WorkingCalendar
from lian.domain.case_kinds import KINDS
from lian.domain.claims import figures
from lian.domain.inquiries.figures import ANSWER
from lian.domain.milestones import GRADES, MILESTONES, PAUSE_REASONS
from lian.domain.sla import ClockLedger, ClockPolicy, Extension, Pause, Roll, Unit, due_at, due_on
from lian.services.calendars import shipped as shipped_calendars
from lian.services.pack_schema import PURPOSES, ClockText, Pack, Purpose
from lian.services.packs import in_force, plan_from, select, selected_packs, shipped

pytestmark = pytest.mark.req("CLM-12")

PACKS = {pack.id: pack for pack in shipped()}
CLOCKS = {clock.id: (pack, clock) for pack in shipped() for clock in pack.clocks}
UNITS = {
    Unit.HOURS: "hours",
    Unit.WORKING_DAYS: "wd",
    Unit.CALENDAR_DAYS: "cd",
    Unit.WEEKS: "weeks",
    Unit.MONTHS: "months",
    Unit.YEARS: "years",
}
TODAY = date(2026, 11, 22)

FIGURES = """
house-standard
claim.initial_review          48 hours   received > reviewed                          V
claim.total                   15 wd      received > paid refusal_sent closed          V pauses:documents
claim.simple                  5 wd       received > decided                           V pauses:documents grade:simple
claim.complex                 15 wd      received > decided                           V pauses:documents grade:complex
complaint.first_handling      24 hours   received > first_handled                     V
complaint.respond             2 wd       received > responded                         V
complaint.close               7 wd       received > closed                            V
complaint.major               48 hours   graded_major > handled                       V grade:major
underwriting.total            3 wd       application_complete > decision_told         V
inquiry.answer                24 hours   received > answered                          V
policy.receipt                24 hours   policy_issued > receipt_signed               V
survey.period                 3 months   survey_run > survey_run                      V recurring
archive.retention             5 years    relation_ended > disposal_proposed           V retention

cn-claims
cn-claims.decide_complex      30 cd  received > decision_told refusal_sent settlement_agreed paid
                                                                        V pauses:documents grade:complex
cn-claims.pay                 10 cd  settlement_agreed > paid                         V
cn-claims.refusal_notice      3 cd   refused > refusal_sent                           V
cn-claims.advance_payment     60 cd  received > advance_paid decided paid             V
cn-claims.ctpl_docs_list      1 cd   received > documents_requested                   V lines:ctpl
cn-claims.ctpl_decide         5 cd   documents_complete > decision_told refusal_sent settlement_agreed paid
                                                                        V lines:ctpl
cn-claims.ctpl_pay            10 cd  settlement_agreed > paid                         V lines:ctpl
cn-claims.agri_pay            10 cd  settlement_agreed > paid                         V lines:agri
cn-claims.surrender_refund    30 cd  termination_received > cash_value_refunded       V
cn-claims.limitation_nonlife  2 years  insured_event_known > litigation_started       V limit rolls not:life
cn-claims.limitation_life     5 years  insured_event_known > litigation_started       V limit rolls lines:life
cn-claims.rescission_right    30 cd  ground_for_rescission_known > contract_rescinded V limit
cn-claims.rescission_absolute 2 years  contract_concluded > contract_rescinded        V limit
cn-claims.transfer_risk_increase 30 cd  transfer_notice_received > premium_or_termination V limit
cn-claims.grace_after_demand  30 cd  premium_demanded > premium_paid                  V limit rolls
cn-claims.grace_after_due     60 cd  premium_due > premium_paid                       V limit rolls
cn-claims.reinstatement       2 years  contract_suspended > contract_reinstated       V limit rolls

cn-life-service
cn-life-service.uw_missing_docs      5 wd   application_received > correction_notice_sent application_complete  V
cn-life-service.uw_medical_notice    5 wd   application_complete > examination_notified policy_delivered decision_told V
cn-life-service.uw_issue_no_exam     15 wd  application_complete > policy_delivered decision_told  V
cn-life-service.uw_result_after_exam 15 wd  examination_reported > decision_told      V
cn-life-service.callback_misselling_fix 15 wd problem_found > problem_solved          V
cn-life-service.recording_fix        15 wd  problem_found > problem_solved            V
cn-life-service.servicing_accept     2 wd   application_complete > servicing_accepted V
cn-life-service.servicing_missing_docs 5 wd application_received > correction_notice_sent application_complete V
cn-life-service.servicing_done       5 wd   servicing_approved > servicing_done       V pauses:examination
cn-life-service.lapse_notice         10 wd  contract_suspended > lapse_notice_sent    V
cn-life-service.claim_decide         5 wd   received > decided                        V grade:simple
cn-life-service.claim_decide_complex 30 cd  received > decided                        V grade:complex
cn-life-service.refusal_notice       3 cd   refused > refusal_sent                    V
cn-life-service.pay                  10 cd  settlement_agreed > paid                  V
cn-life-service.agent_left           30 cd  intermediary_left > clients_told          V
cn-life-service.health_cooling_off   15 cd  receipt_signed > termination_received     V limit rolls lines:health

cn-complaints
cn-complaints.handle_simple     15 cd  received > decision_told  V pauses:external_appraisal,mediation grade:simple
cn-complaints.handle_complex    30 cd  received > decision_told  V pauses:external_appraisal,mediation grade:complex
cn-complaints.review_decide     30 cd  review_requested > review_told                 V
cn-complaints.review_apply      30 cd  decision_told > review_requested               V limit rolls
cn-complaints.regulator_forward 7 wd   regulator_received > regulator_forwarded       V limit

cn-small-claims
cn-small-claims.tell_requirements 1 wd  received > documents_requested                S lines:health
cn-small-claims.payment_cycle     5 cd  received > paid refusal_sent                  S

uk-disp
uk-disp.src                   3 wd     received > resolved final_response_sent        V
uk-disp.final                 8 weeks  received > final_response_sent holding_letter_sent resolved  V
uk-disp.psd_final             15 wd    received > final_response_sent holding_letter_sent resolved  V lines:payments
uk-disp.psd_final_exceptional 35 wd    received > final_response_sent resolved        V lines:payments
uk-disp.fos_referral          6 months final_response_sent > ombudsman_referred       V limit

us-ca
us-ca.doi_inquiry             21 cd  regulator_asked > regulator_answered             V rolls
us-ca.claimant_reply          15 cd  message_received > message_answered              V rolls
us-ca.ack                     15 cd  received > acknowledged                          S rolls
us-ca.forms                   15 cd  received > documents_requested documents_complete S rolls
us-ca.investigate             15 cd  received > investigation_started decided         S rolls
us-ca.decide                  40 cd  documents_complete > decided                     V rolls
us-ca.status_letter           30 cd  delay_notified > status_letter_sent              S rolls recurring
us-ca.pay                     30 cd  accepted > paid                                  S rolls
us-ca.limitation_notice       60 cd  limitation_expires > limitation_notice_sent      V notice

us-tx
us-tx.ack                     15 cd  received > acknowledged                          V not:surplus_lines
us-tx.investigate             15 cd  received > investigation_started decided         V not:surplus_lines
us-tx.request_items           15 cd  received > documents_requested documents_complete V not:surplus_lines
us-tx.ack_surplus             30 wd  received > acknowledged                          V lines:surplus_lines
us-tx.investigate_surplus     30 wd  received > investigation_started decided         V lines:surplus_lines
us-tx.request_items_surplus   30 wd  received > documents_requested documents_complete V lines:surplus_lines
us-tx.decide                  15 wd  documents_complete > decision_told refusal_sent delay_notified  S
us-tx.decide_arson            30 cd  documents_complete > decision_told refusal_sent delay_notified  S grade:arson
us-tx.decide_delayed          45 cd  delay_notified > decision_told refusal_sent      S
us-tx.pay                     5 wd   accepted > paid                                  S not:surplus_lines
us-tx.pay_surplus             20 wd  accepted > paid                                  S lines:surplus_lines
us-tx.delay_cap               60 cd  documents_complete > paid refusal_sent           S

us-ny
us-ny.motor_pd_ack            15 wd  received > acknowledged paid                     V lines:motor_third_party
us-ny.investigate             15 wd  received > investigation_started decided         V pauses:fraud_investigation
us-ny.list_items              15 wd  received > documents_requested documents_complete V pauses:fraud_investigation
us-ny.decide                  15 wd  documents_complete > decision_told refusal_sent delay_notified
                                                                        V pauses:fraud_investigation
us-ny.decide_arson            30 wd  documents_complete > decision_told refusal_sent delay_notified
                                                                        V pauses:fraud_investigation grade:arson
us-ny.pay                     5 wd   settlement_agreed > paid                         V

sg
sg.ack                        2 wd   received > acknowledged                          V
sg.final                      20 wd  received > final_response_sent holding_letter_sent V

retention
retention.cn_files_short      5 years   contract_ended > disposal_proposed            V retention grade:short_term
retention.cn_files_long       10 years  contract_ended > disposal_proposed            V retention grade:long_term
retention.cn_recordings_short 5 years   contract_ended > disposal_proposed            V retention grade:short_term
retention.cn_recordings_long  10 years  contract_ended > disposal_proposed            V retention grade:long_term
retention.cn_recordings_dispute 2 years dispute_ended > disposal_proposed             V retention
retention.uk_complaints       3 years   received > disposal_proposed                  V retention not:collective
retention.uk_complaints_collective 5 years received > disposal_proposed               V retention lines:collective
retention.us_ca_claim_files   5 years   closed > disposal_proposed                    S retention
retention.sg_complaints       5 years   resolved > disposal_proposed                  V retention
"""
"""Every figure, typed from the table of sources: V its text was read, S a secondary page, to be checked."""


def expected() -> dict[str, list[str]]:
    """The table's words by clock, and which clocks stand under which pack; a line may go on in the next."""
    joined = re.sub(r"\n {20,}", " ", FIGURES)
    found: dict[str, list[str]] = {}
    for block in joined.strip().split("\n\n"):
        pack, *lines = block.splitlines()
        for line in lines:
            id_, *words = line.split()
            found[id_] = [pack, *words]
    return found


def as_written(pack: Pack, clock: ClockText) -> list[str]:
    """A clock in the words of the table."""
    policy = pack.policy(clock)
    marks = [
        {"verified": "V", "secondary": "S"}[policy.confidence],
        clock.purpose.value if clock.purpose is not Purpose.PROMISE else "",
        "recurring" if policy.recurring else "",
        "rolls" if policy.roll is Roll.FOLLOWING else "",
        f"pauses:{','.join(policy.pause_reasons)}" if policy.pausable else "",
        f"grade:{policy.grade}" if policy.grade else "",
        f"lines:{','.join(clock.lines)}" if clock.lines else "",
        f"not:{','.join(clock.except_lines)}" if clock.except_lines else "",
    ]
    span = [str(policy.amount), UNITS[policy.unit], policy.starts_on, ">", *policy.stops_on]
    return [pack.id, *span, *filter(None, marks)]


def arranged(words: list[str]) -> tuple[list[str], set[str]]:
    """The order of the marks does not matter."""
    ends = next(i for i, word in enumerate(words) if word in {"V", "S"})
    return words[:ends], set(words[ends:])


# --- figures ----------------------------------------------------------------------------------------------------------


def test_exactly_these_figures_are_shipped() -> None:
    assert sorted(CLOCKS) == sorted(expected())


@pytest.mark.parametrize("id_", sorted(CLOCKS))
def test_a_figure_is_the_one_of_its_source(id_: str) -> None:
    assert arranged(as_written(*CLOCKS[id_])) == arranged(expected()[id_])


@pytest.mark.parametrize("policy", [*figures.CLOCKS.values(), ANSWER], ids=lambda policy: policy.id)
def test_the_house_standard_promises_what_the_kinds_have_promised_so_far(policy: ClockPolicy) -> None:
    pack, clock = CLOCKS[policy.id]
    shipped_one = pack.policy(clock)
    for name in ("label", "amount", "unit", "pausable", "starts_on", "stops_on", "grade", "calendar", "roll", "source"):
        assert getattr(shipped_one, name) == getattr(policy, name), name
    assert pack.version == figures.PACK_VERSION


def test_the_house_climbs_its_ladder_at_75_and_90_percent_at_the_deadline_and_a_day_later() -> None:
    pack, clock = CLOCKS["claim.total"]
    ladder = {rung.id: [action.value for action in rung.actions] for rung in pack.policy(clock).ladder}
    assert ladder == {
        "75%": ["notify_holder", "raise_priority"],
        "90%": ["notify_lead"],
        "due": ["notify_lead", "ask_why_late"],
        "+1d": ["notify_lead"],
    }


@pytest.mark.parametrize("id_", ["cn-claims.pay", "uk-disp.final", "us-tx.decide", "sg.final"])
def test_a_promise_by_law_warns_at_half_of_its_time_too(id_: str) -> None:
    pack, clock = CLOCKS[id_]
    policy = pack.policy(clock)
    assert [rung.id for rung in policy.ladder] == ["50%", "75%", "90%", "due", "+1d"]
    assert policy.statutory


def test_missing_the_summary_resolution_breaks_no_law_and_asks_nobody_why() -> None:
    pack, clock = CLOCKS["uk-disp.src"]
    policy = pack.policy(clock)
    assert not policy.statutory
    assert {action.value for rung in policy.ladder for action in rung.actions} == {"notify_holder"}


def test_a_complex_complaint_may_take_thirty_days_more_and_a_withdrawn_one_ends() -> None:
    policy = CLOCKS["cn-complaints.handle_complex"][0].policy(CLOCKS["cn-complaints.handle_complex"][1])
    assert policy.extensions == (Extension(30, "clock:extend", "银保监会令2020年第3号 18(1)"),)
    assert (policy.cancels_on, policy.restarts_on) == (("withdrawn",), ("new_facts",))


def test_the_status_letters_end_with_the_decision_or_a_suit() -> None:
    assert CLOCKS["us-ca.status_letter"][1].cancels_on == ("decided", "litigation_started")


def test_what_could_not_be_confirmed_is_not_shipped() -> None:
    sources = " ".join(f"{clock.id} {clock.source}" for _, clock in CLOCKS.values())
    for words in ("216.4", "ICOBS", "naic", "cfpb", "2012〕15", "2019〕179", "motor_offer", "2009/103"):
        assert words not in sources
    assert not {"us-naic", "us-cfpb", "eu", "hk"} & set(PACKS)


@pytest.mark.parametrize("words", ["22(2)", "23(1)"])
def test_a_duty_without_a_number_is_told_in_the_note_and_is_no_clock(words: str) -> None:
    assert words in PACKS["cn-claims"].note


# --- evidence and words -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("id_", sorted(CLOCKS))
def test_a_figure_says_where_it_was_read_when_and_how_sure_it_is(id_: str) -> None:
    pack, clock = CLOCKS[id_]
    policy = pack.policy(clock)
    assert policy.source
    assert policy.verified_on == "2026-11-21"
    assert policy.url.startswith("https://") or pack.why_no_url(clock)
    if policy.confidence == "secondary":
        assert clock.note.startswith("Check with counsel.")


@pytest.mark.parametrize("id_", sorted(CLOCKS))
def test_a_figure_uses_known_words_and_calendars_only(id_: str) -> None:
    pack, clock = CLOCKS[id_]
    policy = pack.policy(clock)
    used = {policy.starts_on, *policy.stops_on, *policy.cancels_on, *policy.restarts_on}
    assert used <= MILESTONES.keys()
    assert {*policy.pause_reasons} <= PAUSE_REASONS.keys()
    assert policy.grade in {"", *GRADES}
    assert pack.calendars <= shipped_calendars().keys()


def test_every_word_stands_in_both_languages() -> None:
    labels = [*MILESTONES.values(), *GRADES.values(), *PAUSE_REASONS.values(), *PURPOSES.values()]
    labels += [clock.label.label for _, clock in CLOCKS.values()] + [pack.title.label for pack in shipped()]
    assert all(label.en.strip() and label.zh.strip() for label in labels)


def test_a_clock_of_a_pack_carries_the_name_of_the_pack() -> None:
    for id_, (pack, _) in CLOCKS.items():
        assert pack.id == "house-standard" or id_.startswith(f"{pack.id}.")


# --- which packs, and what a case is promised -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "jurisdiction", "line", "more", "packs"),
    [
        ("claim", "", "motor", {}, ["house-standard"]),
        ("claim", "CN", "motor", {}, ["house-standard", "cn-claims"]),
        ("claim", "CN", "health", {}, ["house-standard", "cn-claims", "cn-life-service"]),
        ("claim", "CN", "accident", {"group": True}, ["house-standard", "cn-claims"]),
        ("claim", "CN", "motor", {"small": True}, ["house-standard", "cn-claims", "cn-small-claims"]),
        ("claim", "CN", "property", {"small": True}, ["house-standard", "cn-claims"]),
        ("complaint", "CN", "life", {}, ["house-standard", "cn-complaints"]),
        ("underwriting", "CN", "life", {}, ["house-standard", "cn-life-service"]),
        ("inquiry", "CN", "", {}, ["house-standard"]),
        ("complaint", "UK-SCT", "", {}, ["house-standard", "uk-disp"]),
        ("claim", "UK-ENG", "motor", {}, ["house-standard"]),
        ("claim", "US-CA", "property", {}, ["house-standard", "us-ca"]),
        ("claim", "US-TX", "property", {}, ["house-standard", "us-tx"]),
        ("claim", "US-NY", "property", {}, ["house-standard", "us-ny"]),
        ("claim", "US-NV", "property", {}, ["house-standard"]),
        ("complaint", "SG", "life", {}, ["house-standard", "sg"]),
        ("records", "CN", "", {}, ["house-standard", "retention"]),
    ],
)
def test_the_table_selects(kind: str, jurisdiction: str, line: str, more: dict[str, Any], packs: list[str]) -> None:
    assert list(select(kind, jurisdiction, line, **more)) == packs


def clocks_for(kind: str, jurisdiction: str, line: str) -> set[str]:
    plan = plan_from(
        KINDS[kind],
        selected_packs(in_force(shipped(), TODAY), kind=kind, jurisdiction=jurisdiction, line=line),
        jurisdiction=jurisdiction,
        line=line,
        calendars=shipped_calendars(),
        office_calendar="CN",
        from_year=2025,
    )
    return set(plan.clocks)


def test_without_a_jurisdiction_a_case_has_the_promises_of_its_kind_and_no_others() -> None:
    assert clocks_for("claim", "", "motor") == set(figures.CLOCKS)
    assert clocks_for("inquiry", "", "") == {ANSWER.id}


def test_clocks_of_a_line_stay_with_their_line() -> None:
    assert not {id_ for id_ in clocks_for("claim", "CN", "motor") if "ctpl" in id_ or "agri" in id_}
    assert {"cn-claims.ctpl_docs_list", "cn-claims.ctpl_decide", "cn-claims.ctpl_pay"} < clocks_for(
        "claim", "CN", "ctpl"
    )
    assert "cn-claims.agri_pay" in clocks_for("claim", "CN", "agri")
    surplus = clocks_for("claim", "US-TX", "surplus_lines")
    assert {"us-tx.ack_surplus", "us-tx.pay_surplus"} < surplus
    assert not {"us-tx.ack", "us-tx.pay"} & surplus


def test_only_promises_of_ours_get_into_a_plan() -> None:
    promised = clocks_for("claim", "CN", "health") | clocks_for("claim", "US-CA", "motor")
    assert all(CLOCKS[id_][1].purpose is Purpose.PROMISE for id_ in promised)


def test_a_pack_is_not_in_force_before_it_takes_effect() -> None:
    assert "cn-complaints" not in in_force(shipped(), date(2020, 2, 29))
    assert "cn-complaints" in in_force(shipped(), date(2020, 3, 1))


# --- by hand ----------------------------------------------------------------------------------------------------------

ZONES = {
    "CN": "Asia/Shanghai",
    "UK-ENG": "Europe/London",
    "UK-SCT": "Europe/London",
    "US-CA": "America/Los_Angeles",
    "US-TX": "America/Chicago",
    "US-NY": "America/New_York",
    "SG": "Asia/Singapore",
}


def calendar_of(policy: ClockPolicy) -> WorkingCalendar:
    return shipped_calendars()[policy.calendar]


@pytest.mark.parametrize(
    ("id_", "place", "since", "due"),
    [
        # 15 days after 18 Sep: 3 Oct, a holiday, and it does not roll.
        ("cn-complaints.handle_simple", "CN", "2026-09-18T10:00", "2026-10-04T00:00"),
        ("cn-complaints.handle_complex", "CN", "2026-09-18T10:00", "2026-10-19T00:00"),
        # The tenth day is 16 Feb, in Spring Festival.
        ("cn-claims.pay", "CN", "2026-02-06T09:00", "2026-02-17T00:00"),
        ("cn-claims.refusal_notice", "CN", "2026-03-02T23:59", "2026-03-06T00:00"),
        ("cn-claims.advance_payment", "CN", "2026-03-02T09:00", "2026-05-02T00:00"),
        # Sun 20 Sep is a make-up day: 20, 21, 22, 23, 24.
        ("cn-life-service.claim_decide", "CN", "2026-09-18T18:00", "2026-09-24T17:30"),
        ("cn-small-claims.tell_requirements", "CN", "2026-02-13T16:30", "2026-02-14T17:30"),
        # Good Friday and, in England, Easter Monday do not count: 7, 8, 9 April; in Scotland 6, 7, 8.
        ("uk-disp.src", "UK-ENG", "2026-04-02T19:45", "2026-04-09T17:30"),
        ("uk-disp.src", "UK-SCT", "2026-04-02T19:45", "2026-04-08T17:30"),
        ("uk-disp.final", "UK-ENG", "2026-03-02T10:00", "2026-04-28T00:00"),
        # The fifteenth day is Sat 4 July; Mon 6 July is the next business day.
        ("us-ca.ack", "US-CA", "2026-06-19T12:00", "2026-07-07T00:00"),
        # The fortieth day is Sat 11 April.
        ("us-ca.decide", "US-CA", "2026-03-02T12:00", "2026-04-14T00:00"),
        ("us-ca.pay", "US-CA", "2026-04-13T12:00", "2026-05-14T00:00"),
        ("us-tx.ack", "US-TX", "2026-06-19T12:00", "2026-07-05T00:00"),
        ("us-tx.decide", "US-TX", "2026-03-02T12:00", "2026-03-23T17:30"),
        # Memorial Day does not count: 26, 27, 28, 29 May, 1 June.
        ("us-tx.pay", "US-TX", "2026-05-22T12:00", "2026-06-01T17:30"),
        ("us-ny.decide", "US-NY", "2026-03-02T12:00", "2026-03-23T17:30"),
        ("us-ny.pay", "US-NY", "2026-05-22T12:00", "2026-06-01T17:30"),
        # Chinese New Year on 17 and 18 Feb: 16 and 19.
        ("sg.ack", "SG", "2026-02-13T12:00", "2026-02-19T17:30"),
        ("sg.final", "SG", "2026-03-02T12:00", "2026-03-30T17:30"),
    ],
)
def test_a_deadline_is_the_one_reckoned_by_hand(id_: str, place: str, since: str, due: str) -> None:
    pack, clock = CLOCKS[id_]
    policy = pack.policy(clock, place)
    zone = ZoneInfo(ZONES[place])
    ledger = ClockLedger(datetime.fromisoformat(since).replace(tzinfo=zone))
    found = due_at(policy=policy, calendar=calendar_of(policy), ledger=ledger)
    assert found is not None
    assert found.astimezone(zone) == datetime.fromisoformat(due).replace(tzinfo=zone)


def test_the_thirty_days_wait_for_the_documents() -> None:
    pack, clock = CLOCKS["cn-claims.decide_complex"]
    policy, zone = pack.policy(clock), ZoneInfo("Asia/Shanghai")
    waits = Pause("R-1", datetime(2026, 3, 5, 16, tzinfo=zone), to_at=datetime(2026, 3, 12, 9, tzinfo=zone))
    ledger = ClockLedger(datetime(2026, 3, 2, 10, tzinfo=zone), (waits,))
    assert due_on(policy=policy, calendar=calendar_of(policy), ledger=ledger) == date(2026, 4, 8)


def test_sixty_days_in_all_when_a_complex_complaint_is_extended() -> None:
    pack, clock = CLOCKS["cn-complaints.handle_complex"]
    policy = pack.policy(clock)
    ledger = ClockLedger(datetime(2026, 9, 18, 10, tzinfo=ZoneInfo("Asia/Shanghai")))
    extended = replace(ledger, extended=policy.extensions[0].amount)
    assert due_on(policy=policy, calendar=calendar_of(policy), ledger=extended) == date(2026, 11, 17)


def test_a_file_is_kept_for_whole_years_also_from_a_leap_day() -> None:
    pack, clock = CLOCKS["retention.cn_files_short"]
    policy = pack.policy(clock)
    ledger = ClockLedger(datetime(2024, 2, 29, 12, tzinfo=ZoneInfo("Asia/Shanghai")))
    assert due_on(policy=policy, calendar=calendar_of(policy), ledger=ledger) == date(2029, 2, 28)
