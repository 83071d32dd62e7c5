"""Certificates of timeliness over a real journal: issued, put on record, refused where the journal was touched."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, create_engine, text
from sqlmodel import select

from infra.embedded.errors import StackError
from infra.embedded.home import Home
from lian.db.journal import compare
from lian.db.tables import Case, JournalEntry
from lian.domain import journal as j
from lian.domain.certificate import recompute
from lian.domain.errors import Conflict, Invalid, NotAllowed, NotFound, Unavailable
from lian.services.certificate_seal import check, read_public_key
from lian.services.certificates import certificate_pdf, certify, public_key
from lian.services.context import Context
from lian.services.opening import PLAN
from lian.services.recording import put_on_record
from lian.settings import Settings
from tests.cast import as_customer, hire, reported_claim
from tests.certificates import RECEIVED, STAFF, Office
from tests.command_line import as_installed, lian
from tests.servers import Servers

__all__ = ["as_installed"]

pytestmark = [pytest.mark.req("CLM-12"), pytest.mark.req("CLM-13")]

DAY = timedelta(days=1)
TOTAL = "claim.total"


async def told_claim(context: Context, reason: str = "documents") -> tuple[str, UUID]:
    """A claim that waited twice, was given more time, begun from another day, broken, explained and decided."""
    registered = await reported_claim(context)
    async with context.transaction() as session:
        plan = PLAN.validate_python((await session.get_one(Case, registered.case_id)).plan)
    office = Office(plan, now=RECEIVED)
    office.clocks.reach("received", office.now)
    office.wait(2 * DAY)
    request = office.ask()
    office.wait(DAY)
    office.answer(request)
    office.wait(DAY)
    office.ask(office.now - timedelta(hours=3), reason)
    office.wait(2 * DAY)
    office.answer(office.requests[-1])
    office.extend(TOTAL, 3)
    office.clocks.restart(TOTAL, RECEIVED - DAY)
    office.wait(60 * DAY)
    office.record(j.LatenessExplained(clock=TOTAL, cause="workload", responsible=STAFF))
    for milestone in ("decided", "accepted", "decision_told", "settlement_agreed", "paid", "closed"):
        office.clocks.reach(milestone, office.now)
    async with context.transaction() as session:
        await put_on_record(
            context, session, case_id=registered.case_id, recorded=office.recorded[2:], source=j.PROCESS, first_seq=1
        )
    later = context.now() + DAY
    context.now = lambda: later
    return registered.number, registered.case_id


@pytest.fixture
def intruder(servers: Servers, database: str) -> Iterator[Connection]:
    """Somebody with the owner's rights: what the application's role cannot do, they can."""
    engine = create_engine(servers.owner_url(database), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


async def issued_on_record(context: Context, case_id: UUID) -> list[JournalEntry]:
    async with context.transaction() as session:
        query = select(JournalEntry).where(
            JournalEntry.case_id == case_id, JournalEntry.type == j.CertificateIssued.TYPE
        )
        return list((await session.execute(query)).scalars())


async def test_it_certifies_pauses_a_restart_an_extension_and_a_breach(context: Context) -> None:
    number, _ = await told_claim(context)
    issued = await certify(context, await hire(context, "wang"), number)
    document = json.loads(issued.text)
    found = check(issued.text, read_public_key(public_key(context.settings)))
    assert found.differences == ()
    assert (found.number, found.is_known_key) == (number, True)
    total = next(c for c in document["certificate"]["clocks"] if c["clock"] == TOTAL)
    assert [i["state"] for i in total["intervals"]] == ["ran", "stood_still", "ran", "stood_still", "ran"]
    assert {s["type"] for s in total["steps"]} >= {"clock.extended", "clock.restarted", "clock.breached"}
    assert (total["verdict"], total["lateness"]["cause"]) == ("breached", "workload")
    assert total["breach"]["legal_at"] < total["breach"]["detected_at"]
    assert recompute(document["certificate"]) == ()


async def test_issuing_is_on_record_and_leaves_every_row_as_it_was(context: Context) -> None:
    number, case_id = await told_claim(context)
    wang = await hire(context, "wang")
    issued = await certify(context, wang, number)
    (entry,) = await issued_on_record(context, case_id)
    assert (entry.actor, entry.body) == (wang.id, {"sha256": issued.sha256, "key_id": issued.key_id})
    async with context.transaction() as session:
        assert (await compare(session, context.ring)).damages == []


async def test_while_nothing_happens_the_same_person_gets_the_same_one(context: Context) -> None:
    number, case_id = await told_claim(context)
    wang, li = await hire(context, "wang"), await hire(context, "li")
    now = context.now()
    first = await certify(context, wang, number)
    context.now = lambda: now + timedelta(minutes=50)
    assert (await certify(context, wang, number)).text == first.text
    assert len(await issued_on_record(context, case_id)) == 1
    assert (await certify(context, li, number)).sha256 != first.sha256
    context.now = lambda: now + timedelta(hours=3)
    again = await certify(context, li, number)
    assert check(again.text).issued_at == (now + timedelta(hours=3)).isoformat().replace("+00:00", "Z")
    assert len(await issued_on_record(context, case_id)) == 3


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE journal SET body = body || '{\"verdict\": \"met\"}' WHERE case_id = :c AND type = 'clock.stopped'",
        "DELETE FROM journal WHERE case_id = :c AND type = 'clock.breached'",
        "UPDATE journal SET at = at - interval '1 day' WHERE case_id = :c AND type = 'clock.paused'",
        "UPDATE case_chain SET hash = repeat('a', 64) WHERE case_id = :c",
    ],
)
async def test_a_journal_that_was_touched_is_not_certified(
    context: Context, intruder: Connection, tampering: str
) -> None:
    number, case_id = await told_claim(context)
    intruder.execute(text(tampering), {"c": case_id})
    with pytest.raises(Conflict, match="damaged at event"):
        await certify(context, await hire(context, "wang"), number)
    assert await issued_on_record(context, case_id) == []


async def test_a_verdict_that_does_not_follow_is_not_signed(context: Context) -> None:
    number, case_id = await told_claim(context)
    async with context.transaction() as session:
        item = j.Recorded(
            at=context.now(), actor="system", event=j.ClockBreachWithdrawn(clock=TOTAL, due_at=None, warn_at=None)
        )
        with pytest.raises(Conflict):  # nor would the rows take it
            await put_on_record(context, session, case_id=case_id, recorded=[item])
        await session.rollback()
    async with context.transaction() as session:
        wrong = j.ClockStarted(
            clock="claim.total#2", started_at=RECEIVED, policy=_policy(await session.get_one(Case, case_id)),
            due_at=RECEIVED, warn_at=None,
        )  # fmt: skip
        await put_on_record(
            context, session, case_id=case_id, recorded=[j.Recorded(at=context.now(), actor="system", event=wrong)]
        )
    with pytest.raises(Conflict, match="does not follow"):
        await certify(context, await hire(context, "wang"), number)


def _policy(case: Case) -> dict[str, Any]:
    policy: dict[str, Any] = case.plan["clocks"][TOTAL]
    return policy


async def test_a_case_without_promises_has_nothing_to_certify(context: Context) -> None:
    registered = await reported_claim(context)
    with pytest.raises(Conflict, match="No promise"):
        await certify(context, await hire(context, "wang"), registered.number)


@pytest.mark.req("SEC-1")
async def test_only_staff_who_see_the_case_are_given_one(context: Context) -> None:
    number, _ = await told_claim(context)
    for who in ("wei", "ning", "admin"):
        with pytest.raises(NotAllowed):
            await certify(context, await hire(context, who), number)
    with pytest.raises(NotAllowed):
        await certify(context, await as_customer(context, number), number)
    with pytest.raises(NotFound):
        await certify(context, await hire(context, "wang"), "CLM-2026-999999")
    assert (await certify(context, await hire(context, "sun"), number)).number == number


@pytest.mark.req("CLM-14", "SEC-2")
async def test_no_certificate_tells_of_a_suspicion_a_name_or_a_customer(context: Context) -> None:
    number, case_id = await told_claim(context, reason="fraud_investigation")
    issued = await certify(context, await hire(context, "shen"), number)
    async with context.transaction() as session:
        case = await session.get_one(Case, case_id)
    for secret in ("fraud_investigation", "赵磊", "13800000001", str(case.subject_person_id), "追尾"):
        assert secret not in issued.text, secret
    reasons = {r["reason"] for r in issued.document["certificate"]["requests"]}
    assert reasons == {"documents", "undisclosed"}
    assert check(issued.text).holds


async def test_without_a_key_it_says_what_is_missing(context: Context) -> None:
    number, _ = await told_claim(context)
    wang = await hire(context, "wang")
    for key, refusal in (("", Unavailable), ("nonsense", Invalid)):
        context.settings = context.settings.model_copy(update={"certificate_key": SecretStr(key)})
        with pytest.raises(refusal, match=r"key|KEY"):
            await certify(context, wang, number)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_the_pdf_carries_the_file_it_speaks_of(context: Context, language: Any) -> None:
    number, _ = await told_claim(context)
    issued = await certify(context, await hire(context, "wang"), number)
    pdf = await certificate_pdf(issued, language)
    assert pdf.startswith(b"%PDF")
    assert f"{number}.certificate.json".encode() in pdf
    assert pdf == await certificate_pdf(issued, language)


# --- the key ----------------------------------------------------------------------------------------------------------


def test_a_stack_makes_one_key_and_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home.at(tmp_path / "home")
    home.prepare()
    path = home.certificate_key()
    written = path.read_text(encoding="utf-8")
    assert home.certificate_key().read_text(encoding="utf-8") == written
    assert path.stat().st_mode & 0o077 == 0
    monkeypatch.setenv("LIAN_CERTIFICATE_KEY_FILE", str(path))
    assert "BEGIN PUBLIC KEY" in public_key(Settings())
    assert written not in repr(Settings())


# --- the command line -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("as_installed")
async def test_what_the_command_line_issues_is_checked_elsewhere_without_any_installation(
    context: Context, tmp_path: Path
) -> None:
    number, _ = await told_claim(context)
    done = await asyncio.to_thread(lian, "sla", "certify", number, "--out", str(tmp_path), "--lang", "zh")
    assert done.exit_code == 0, done.output
    file, key = tmp_path / f"{number}.certificate.json", tmp_path / "public.pem"
    assert (tmp_path / f"{number}.certificate.pdf").read_bytes().startswith(b"%PDF")
    printed = await asyncio.to_thread(lian, "sla", "public-key")
    key.write_text(printed.stdout, encoding="utf-8")
    held = await asyncio.to_thread(elsewhere, tmp_path, file, "--key", str(key))
    assert (held.returncode, held.stderr) == (0, "")
    assert f"{number}: the certificate holds." in held.stdout
    assert f"{TOTAL}: breached, due" in held.stdout
    alone = await asyncio.to_thread(elsewhere, tmp_path, file)
    assert (alone.returncode, "came with the file" in alone.stdout) == (0, True)
    document = json.loads(file.read_text(encoding="utf-8"))
    document["certificate"]["clocks"][0]["verdict"] = "met"
    file.write_text(json.dumps(document), encoding="utf-8")
    tampered = await asyncio.to_thread(elsewhere, tmp_path, file, "--key", str(key))
    assert tampered.returncode == 1
    for words in ("does not fit its sha256", "signature does not fit", ".verdict:", "does not hold"):
        assert words in tampered.stdout


def elsewhere(folder: Path, file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`lian sla verify` in another process that knows of no installation."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIAN_")}
    return subprocess.run(
        [sys.executable, "-m", "lian", "sla", "verify", str(file), *options],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_file_that_is_none_is_refused_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    for content in (b"{}", b"\xff\xfe", b""):
        file.write_bytes(content)
        refused = lian("sla", "verify", str(file))
        assert refused.exit_code == 1
        assert isinstance(refused.exception, StackError)
    missing = lian("sla", "verify", str(tmp_path / "none.json"))
    assert isinstance(missing.exception, StackError)
    file.write_text("{}", encoding="utf-8")
    with_key = lian("sla", "verify", str(file), "--key", str(file))
    assert "not an Ed25519 public key" in str(with_key.exception)
