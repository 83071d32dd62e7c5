"""A certificate says what the journal says, anybody can work it out again, and no change of it goes unnoticed."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from lian.domain import journal as j
from lian.domain.certificate import certificate_of, recompute
from lian.domain.certificate_reading import (
    calendar_from,
    calendar_json,
    canonical,
    ledger_from,
    ledger_json,
    policy_from,
    sha256_of,
)
from lian.domain.errors import Invalid
from lian.domain.sla import ClockLedger, Pause, Rebase, Roll, Unit, verdict
from lian.services.certificate_seal import (
    as_text,
    check,
    key_id_of,
    public_pem,
    read_private_key,
    read_public_key,
    sealed,
)
from tests.certificates import RECEIVED, STAFF, Office, journal_of, plan_of, promise
from tests.promises import CN, DAY_AND_NIGHT, UK_ALWAYS, WITH_LUNCH

pytestmark = [pytest.mark.req("CLM-12"), pytest.mark.req("CLM-13")]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TOTAL, REVIEW = "claim.total", "claim.review"


def told_office() -> Office:
    """Two promises; one waits for papers, is broken, and begins afresh; the other is extended and kept."""
    working = promise(5, Unit.WORKING_DAYS)
    hours = promise(20, Unit.HOURS, REVIEW, stops_on=("reviewed",), restarts_on=())
    office = Office(plan_of(CN, working, hours))
    office.clocks.reach("received", office.now)
    office.wait(DAY)
    request = office.ask()
    office.wait(3 * DAY)
    office.answer(request)
    office.extend(REVIEW, 10)
    office.wait(HOUR)
    office.clocks.reach("reviewed", office.now)
    office.wait(20 * DAY)
    office.record(j.LatenessExplained(clock=TOTAL, cause="workload", responsible=STAFF))
    office.clocks.reach("new_facts", office.now)
    office.wait(9 * DAY)
    office.clocks.reach("decided", office.now)
    return office


@pytest.fixture(scope="module")
def certificate() -> dict[str, Any]:
    """The certificate of that case."""
    return told_office().certificate()


@pytest.fixture(scope="module")
def text(certificate: dict[str, Any]) -> str:
    """The same, as it is handed out."""
    return as_text(sealed(certificate, KEY))


def clock_of(certificate: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(clock for clock in certificate["clocks"] if clock["clock"] == name)
    return found


# --- what it says -----------------------------------------------------------------------------------------------------


def test_it_says_when_a_promise_ran_and_stood_still_and_for_what(certificate: dict[str, Any]) -> None:
    review = clock_of(certificate, REVIEW)
    assert [(i["state"], i["from_at"], i["to_at"]) for i in review["intervals"]] == [
        ("ran", "2026-03-02T02:00:00Z", "2026-03-03T02:00:00Z"),
        ("stood_still", "2026-03-03T02:00:00Z", "2026-03-06T02:00:00Z"),
        ("ran", "2026-03-06T02:00:00Z", "2026-03-06T03:00:00Z"),
    ]
    (request,) = review["intervals"][1]["requests"]
    assert request["reason"] == "documents"
    assert certificate["requests"][0] | {"entries": []} == {
        "id": request["id"],
        "reason": "documents",
        "opened_at": "2026-03-03T02:00:00Z",
        "opened_by": STAFF,
        "delivered_at": "2026-03-03T02:00:00Z",
        "closed_at": "2026-03-06T02:00:00Z",
        "how": "answered",
        "entries": [],
    }
    assert (review["verdict"], review["ledger"]["extended"], review["breach"]) == ("met", 10, None)
    assert [s["milestone"] for s in review["steps"] if s["milestone"]] == ["received", "reviewed"]


def test_a_breach_has_its_legal_and_its_detection_instant() -> None:
    office = Office(plan_of(CN, promise(2, Unit.WORKING_DAYS)))
    office.clocks.reach("received", office.now)
    office.wait(10 * DAY)
    office.record(j.LatenessExplained(clock=TOTAL, cause="workload", responsible=STAFF))
    total = clock_of(office.certificate(), TOTAL)
    assert total["verdict"] == "breached"
    breach = {name: total["breach"][name] for name in ("legal_at", "detected_at")}
    assert breach == {"legal_at": "2026-03-04T09:30:00Z", "detected_at": "2026-03-12T02:00:00Z"}
    assert (total["lateness"]["cause"], total["lateness"]["responsible"]) == ("workload", STAFF)


def test_new_facts_make_what_ran_before_void_and_it_stays_on_record(certificate: dict[str, Any]) -> None:
    total = clock_of(certificate, TOTAL)
    assert [(i["state"], i["counts"]) for i in total["intervals"]] == [
        ("ran", False),
        ("stood_still", False),
        ("ran", False),
        ("ran", True),
    ]
    assert [s["type"] for s in total["steps"]].count("clock.breached") == 2
    assert total["breach"]["legal_at"] > total["ledger"]["started_at"]


def test_it_names_policy_citation_packs_and_the_whole_calendar(certificate: dict[str, Any]) -> None:
    total = clock_of(certificate, TOTAL)
    assert (total["policy"]["amount"], total["policy"]["source"], total["packs"]) == (
        5,
        "CLM-12",
        ["test/1", "house/2"],
    )
    calendar = certificate["calendars"][total["calendar"]]
    assert calendar_from(calendar) == CN
    assert {"2026-02-14", "2026-09-20"} <= set(calendar["work"])


def test_it_holds_no_customers_id_and_no_papers_that_were_missing(text: str) -> None:
    assert "customer:" not in text
    assert "identity" not in text
    assert "subject_person_id" not in text


def test_an_open_promise_is_judged_by_the_moment_of_issue() -> None:
    office = Office(plan_of(CN, promise(2, Unit.WORKING_DAYS)))
    office.clocks.reach("received", office.now)
    stood = []
    for step in (HOUR, HOUR):
        office.wait(step)
        stood.append(clock_of(office.certificate(), TOTAL)["verdict"])
        office.ask()
    office.now += 9 * DAY
    assert stood == ["running", "paused"]
    assert clock_of(office.certificate(), TOTAL)["due_at"] is None
    assert recompute(office.certificate()) == ()


def test_overdue_and_not_yet_seen_is_broken_all_the_same() -> None:
    office = Office(plan_of(CN, promise(2, Unit.WORKING_DAYS)))
    office.clocks.reach("received", office.now)
    office.now += 9 * DAY  # nobody looked
    total = clock_of(office.certificate(), TOTAL)
    assert (total["verdict"], total["breach"]) == ("breached", None)
    assert recompute(office.certificate()) == ()


@pytest.mark.parametrize("is_closed", [True, False])
def test_a_promise_is_judged_by_the_calendar_that_was_published_later(is_closed: bool) -> None:
    policy = promise(3, Unit.WORKING_DAYS)
    office = Office(plan_of(replace(CN, covered_until=date(2026, 3, 4)), policy))
    office.clocks.reach("received", office.now)
    office.now += 4 * DAY
    office.clocks.reach("decided", office.now)
    (clock,) = office.certificate()["clocks"]
    assert (clock["verdict"], clock["due_at"]) == ("undecided", None)
    assert recompute(office.certificate()) == ()
    office.now += DAY
    due = datetime(2026, 3, 5, 9, 30, tzinfo=UTC)
    judged = j.ClockJudged(clock=TOTAL, due_at=due, verdict="breached")
    if is_closed:  # then the desk itself puts the plan on record
        office.replan(plan_of(CN, policy, pack="test/2"))
        office.record(judged, by=STAFF)
    else:
        office.record(judged, by=STAFF)
        office.now += HOUR
        office.replan(plan_of(CN, policy, pack="test/2"))
    (clock,) = office.certificate()["clocks"]
    assert (clock["verdict"], clock["breach"]["legal_at"]) == ("breached", "2026-03-05T09:30:00Z")
    assert recompute(office.certificate()) == ()


def test_words_of_staff_are_left_out() -> None:
    office = told_office()
    office.replan(plan_of(CN, promise(5, Unit.WORKING_DAYS)), why="王敏说的")
    text = as_text(sealed(office.certificate(), KEY))
    assert "王敏" not in text
    assert "\\u738b" not in text
    assert check(text).holds


# --- random histories -------------------------------------------------------------------------------------------------

PLANS = (CN, replace(CN, off=CN.off | {date(2026, 3, 12)}), replace(CN, sessions=WITH_LUNCH), UK_ALWAYS)
BEYOND = replace(CN, covered_until=date(2026, 3, 20), name="CN short")


Move = Callable[[Office, int], None]


def _asked(office: Office, since: datetime | None) -> None:
    office.ask(max(since, RECEIVED) if since else None)


def _answered(office: Office, n: int) -> None:
    if office.requests:
        office.answer(office.requests[n % len(office.requests)], office.now - (n % 3) * HOUR)


def _extended(office: Office, n: int) -> None:
    for name in sorted(office.clocks.running)[n % 2 :][:1]:
        office.extend(name, 1 + n % 5)


def _corrected(office: Office, n: int) -> None:
    for name in sorted(office.clocks.running)[n % 2 :][:1]:
        office.clocks.restart(name, office.clocks.running[name].started_at - (n % 40 - 20) * HOUR)


def _replanned(office: Office, n: int) -> None:
    policies = (promise(3 + n % 9, Unit.WORKING_DAYS), promise(6 + n % 30, Unit.HOURS, REVIEW))
    office.replan(plan_of((*PLANS, BEYOND)[n % 5], *policies, pack=f"test/{n}"))


MOVES: dict[str, Move] = {
    "wait": lambda o, n: o.wait(n * HOUR),
    "ask": lambda o, n: _asked(o, None),
    "ask since": lambda o, n: _asked(o, o.now - (n % 50) * HOUR),
    "answer": _answered,
    "extend": _extended,
    "correct": _corrected,
    "new facts": lambda o, n: o.clocks.reach("new_facts", o.now - (n % 5) * HOUR),
    "replan": _replanned,
    "decide": lambda o, n: o.clocks.reach("decided", o.now - (n % 4) * HOUR),
    "review": lambda o, n: o.clocks.reach("reviewed", o.now),
    "receive": lambda o, n: o.clocks.reach("received", o.now),
    "end": lambda o, n: o.clocks.cancel_all(),
}
"""What may happen to a case, each with a number to choose by."""


@st.composite
def histories(draw: st.DrawFn) -> Office:
    unit = draw(st.sampled_from(list(Unit)))
    calendar = draw(st.sampled_from((*PLANS, BEYOND)))
    total = promise(
        draw(st.integers(1, 12)), unit, pausable=draw(st.booleans()), roll=draw(st.sampled_from(list(Roll)))
    )
    review = promise(draw(st.integers(1, 60)), Unit.HOURS, REVIEW, stops_on=("reviewed",), calendar=draw(CALENDARS))
    office = Office(plan_of(calendar, total, review))
    office.clocks.reach("received", RECEIVED - draw(st.integers(0, 60)) * HOUR)
    for name, n in draw(st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.integers(0, 120)), max_size=25)):
        office.wait(timedelta(seconds=1 + n % 7))
        MOVES[name](office, n)
    return office


CALENDARS = st.sampled_from(("office", ""))


@settings(max_examples=100, deadline=None)
@given(histories())
def test_whatever_happened_to_a_case_its_certificate_follows_from_its_journal(office: Office) -> None:
    certificate = office.certificate()
    assert recompute(certificate) == ()
    again = json.loads(as_text(sealed(certificate, KEY)))
    assert recompute(again["certificate"]) == ()
    for clock in certificate["clocks"]:
        spans = [(i["from_at"], i["to_at"]) for i in clock["intervals"] if i["counts"]]
        assert [a for a, _ in spans[1:]] == [b for _, b in spans[:-1]]
        assert all(a < b for a, b in spans)


# --- what does not follow ---------------------------------------------------------------------------------------------


def forged(change: Callable[[j.Recorded], j.Recorded]) -> tuple[str, ...]:
    """What is found in the certificate of a journal that was forged and chained anew."""
    office = told_office()
    journal = journal_of([change(item) for item in office.recorded])
    certificate = certificate_of(journal, issuer="Lian", issued_at=office.now)
    return tuple(str(difference) for difference in recompute(certificate))


def replaced(type_: type[j.Event], **changes: Any) -> Callable[[j.Recorded], j.Recorded]:
    return lambda item: replace(item, event=replace(item.event, **changes)) if isinstance(item.event, type_) else item


def test_a_verdict_that_does_not_follow_is_named() -> None:
    found = forged(replaced(j.ClockStopped, verdict="met"))
    assert "(clock.stopped), verdict: met is stated, breached was found." in found[0]
    assert any("breach" in line for line in found)


def test_a_deadline_that_does_not_follow_is_named() -> None:
    found = forged(replaced(j.ClockExtended, due_at=RECEIVED))
    assert ["clock.extended" in line and "due_at" in line for line in found] == [True]


def test_a_breach_that_does_not_follow_is_named() -> None:
    assert all("legal_at" in line or "breach" in line for line in forged(replaced(j.ClockBreached, legal_at=RECEIVED)))
    assert forged(replaced(j.ClockBreached, legal_at=RECEIVED))


def test_an_entry_that_does_not_fit_its_hash_is_named(certificate: dict[str, Any]) -> None:
    for forge in (_other_content, _other_hash, _other_place, _other_head):
        changed = copy.deepcopy(certificate)
        forge(changed["journal"])
        assert recompute(changed), forge.__name__


def _other_content(journal: dict[str, Any]) -> None:
    entry = next(e for e in journal["entries"] if e["type"] == "clock.stopped")
    entry["content"] = entry["content"].replace("met", "breached")


def _other_hash(journal: dict[str, Any]) -> None:
    journal["entries"][-1]["hash"] = "0" * 64


def _other_place(journal: dict[str, Any]) -> None:
    journal["entries"].reverse()


def _other_head(journal: dict[str, Any]) -> None:
    journal["head"]["hash"] = "0" * 64


def test_what_is_no_certificate_is_said_to_be_none() -> None:
    for odd in ({}, {"format": 1}, {"format": "lian-certificate-of-timeliness/1"}, {"journal": []}):
        assert len(recompute(odd)) == 1


# --- the seal ---------------------------------------------------------------------------------------------------------


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every single value in a piece of JSON, with the way to it."""
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for name, each in inner:
            yield from places(each, (*path, name))
    else:
        yield path, value


def other(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool) or value is None:
        return not value
    return value + 1 if isinstance(value, int) else _other_text(value)


def _other_text(value: str) -> str:
    return value[:-1] + ("A" if value[-1:] != "A" else "B") if value else "x"


def changed(document: dict[str, Any], path: tuple[str | int, ...], value: Any) -> str:
    document = copy.deepcopy(document)
    holder: Any = document
    for name in path[:-1]:
        holder = holder[name]
    holder[path[-1]] = value
    return as_text(document)


def findings(text: str) -> tuple[str, ...]:
    try:
        return check(text, KEY.public_key()).differences
    except Invalid as refused:
        return (refused.message,)


def test_an_untouched_certificate_holds(text: str) -> None:
    found = check(text, KEY.public_key())
    assert (found.holds, found.number, found.is_known_key) == (True, "CLM-2026-000123", True)
    assert found.clocks[0][:2] == (TOTAL, "breached")
    assert check(text).holds
    assert not check(text).is_known_key


def test_any_single_changed_field_is_noticed(text: str) -> None:
    document = json.loads(text)
    everything = list(places(document))
    assert len(everything) > 400
    unnoticed = [path for path, value in everything if not findings(changed(document, path, other(value)))]
    assert unnoticed == []


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_other_value_in_any_field_is_noticed(text: str, data: st.DataObject) -> None:
    document = json.loads(text)
    path, value = data.draw(st.sampled_from(list(places(document))))
    something = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just({}) | st.just([])
    drawn = data.draw(something.filter(lambda v: canonical(v) != canonical(value)))
    assert findings(changed(document, path, drawn))


def test_a_field_that_is_taken_away_or_added_is_noticed(text: str) -> None:
    document = json.loads(text)
    for path in (
        ("certificate", "issuer"),
        ("certificate", "clocks", 0, "breach"),
        ("signature", "key_id"),
        ("sha256",),
    ):
        holder: Any = copy.deepcopy(document)
        whole = holder
        for name in path[:-1]:
            holder = holder[name]
        del holder[path[-1]]
        assert findings(as_text(whole)), path
    assert findings(as_text(document | {"extra": 1}))
    assert findings(text.replace('"format":', '"format": "x", "format":'))
    assert findings(text.replace('"extended": 10', '"extended": 10.0'))


def test_another_key_is_named(text: str) -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    found = check(text, stranger.public_key())
    assert any(f"Another key signed this: {key_id_of(KEY.public_key())}" in line for line in found.differences)
    forged_text = as_text(sealed(json.loads(text)["certificate"], stranger))
    assert check(forged_text).holds  # by its own key; whose that is, only the reader's key tells
    assert not check(forged_text, KEY.public_key()).holds


def test_a_signed_verdict_that_does_not_follow_does_not_hold(certificate: dict[str, Any]) -> None:
    lie = copy.deepcopy(certificate)
    clock_of(lie, TOTAL)["verdict"] = "met"
    found = check(as_text(sealed(lie, KEY)), KEY.public_key())
    assert found.differences == ('clocks[claim.total].verdict: "met" is stated, "breached" was found.',)


@pytest.mark.parametrize("odd", ["", "{}", "[]", "null", '{"certificate": 1}', "[" * 100_000, '{"a": NaN}', "\x00"])
def test_what_cannot_be_read_is_refused_in_a_sentence(odd: str) -> None:
    with pytest.raises(Invalid, match="not a certificate"):
        check(odd)


def test_the_same_certificate_gives_the_same_bytes(certificate: dict[str, Any], text: str) -> None:
    assert as_text(sealed(certificate, KEY)) == text
    document = json.loads(text)
    assert document["sha256"] == sha256_of(canonical(document["certificate"]))


def test_keys_are_read_as_pem_and_as_a_seed_and_nothing_else() -> None:
    pem = KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    seed = base64.b64encode(bytes(range(32))).decode()
    for written in (pem, seed, f"{seed}\n"):
        assert key_id_of(read_private_key(written).public_key()) == key_id_of(KEY.public_key())
    public = public_pem(KEY.public_key())
    assert key_id_of(read_public_key(public)) == key_id_of(KEY.public_key())
    stranger = X25519PrivateKey.generate()
    wrong = stranger.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    for odd in ("", "x", seed[:-4], wrong, public):
        with pytest.raises(Invalid):
            read_private_key(odd)
    for odd in ("", pem, seed):
        with pytest.raises(Invalid):
            read_public_key(odd)


# --- plain JSON -------------------------------------------------------------------------------------------------------


def test_a_ledger_and_a_calendar_survive_their_json() -> None:
    ledger = ClockLedger(
        RECEIVED,
        (Pause("r", RECEIVED + HOUR, None),),
        RECEIVED + DAY,
        3,
        Rebase(RECEIVED + HOUR, timedelta(hours=1, microseconds=7)),
    )
    assert ledger_from(json.loads(canonical(ledger_json(ledger)))) == ledger
    for calendar in (CN, UK_ALWAYS, replace(CN, sessions=DAY_AND_NIGHT)):
        assert calendar_from(json.loads(canonical(calendar_json(calendar)))) == calendar


def test_there_are_no_fractions() -> None:
    with pytest.raises(Invalid):
        canonical({"a": [1, {"b": 0.5}]})


def test_what_is_stated_can_be_reckoned_with_the_clock_arithmetic_alone(certificate: dict[str, Any]) -> None:
    for clock in certificate["clocks"]:
        stands = verdict(
            policy=policy_from(clock["policy"]),
            calendar=calendar_from(certificate["calendars"][clock["calendar"]]),
            ledger=ledger_from(clock["ledger"]),
            now=RECEIVED,
        )
        assert stands == clock["verdict"]
