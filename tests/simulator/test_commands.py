"""`lian users` and `lian journal`, as somebody on the server types them."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import create_engine, text
from sqlmodel import select

from infra.embedded.errors import StackError
from lian.auth.secrets import verify_password
from lian.db.tables import Staff
from lian.services.accounts import reset_password, sign_in
from lian.services.context import Context
from lian.settings import Settings
from tests.cast import reported_claim
from tests.command_line import as_installed, lian
from tests.servers import Servers

__all__ = ["as_installed"]

pytestmark = pytest.mark.usefixtures("as_installed")
SECRET = "correct horse battery"


async def run(*words: str, given: str = "") -> tuple[int, str]:
    """Run a command beside the test's own event loop."""
    told = await asyncio.to_thread(lian, *words, given=given)
    if told.exception is not None and not isinstance(told.exception, SystemExit):
        raise told.exception
    return told.exit_code, told.output


# --- users ------------------------------------------------------------------------------------------------------------


@pytest.mark.req("SEC-1")
async def test_the_first_administrator_is_made_on_the_server(context: Context) -> None:
    code, told = await run("users", "create", "root", "--name", "管理员", given=f"{SECRET}\n")
    assert (code, told.strip()) == (0, "root can sign in now (administrator).")
    assert (await sign_in(context, "root", SECRET)).token
    _, listed = await run("users", "list")
    assert "root" in listed
    assert "administrator" in listed
    assert SECRET not in told + listed


async def test_several_roles_and_queues_can_be_given(context: Context) -> None:
    await run(
        *("users", "create", "wang", "--role", "claims_adjuster_senior", "--role", "team_lead"),
        *("--queue", "claims.review"),
        given=f"{SECRET}\n",
    )
    _, listed = await run("users", "list")
    assert "claims.review" in listed
    assert "team_lead" in listed


@pytest.mark.parametrize(
    ("words", "given", "sentence"),
    [
        (("create", "wang"), "short\n", "A password needs 10 to 200 characters."),
        (("create", "wang", "--role", "king"), f"{SECRET}\n", "An account needs one or more of the known staff roles."),
        (("reset", "nobody"), "", "There is no account with this user name."),
    ],
)
async def test_what_cannot_be_is_one_sentence(words: tuple[str, ...], given: str, sentence: str) -> None:
    with pytest.raises(StackError) as refused:
        await run("users", *words, given=given)
    assert str(refused.value) == sentence


async def test_a_reset_token_is_shown_once_and_works(context: Context) -> None:
    await run("users", "create", "wang", given=f"{SECRET}\n")
    _, told = await run("users", "reset", "wang")
    await reset_password(context, told.split()[-1], "another good password")
    assert (await sign_in(context, "wang", "another good password")).token


async def test_a_password_can_be_reset_on_the_spot(context: Context) -> None:
    await run("users", "create", "wang", given=f"{SECRET}\n")
    code, told = await run("users", "reset", "wang", "--now", given="another good password\n")
    assert code == 0
    assert "every session of theirs has ended" in told
    async with context.transaction() as session:
        staff = (await session.execute(select(Staff))).scalars().one()
    assert verify_password("another good password", staff.password_hash)


# --- journal ----------------------------------------------------------------------------------------------------------


def tamper(servers: Servers, settings: Settings, statement: str, **values: object) -> None:
    """What only somebody with the database's own password could do."""
    database = settings.database_url.get_secret_value().rpartition("/")[2]
    url = f"{servers.postgres_admin_url.rpartition('/')[0]}/{database}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("SET session_replication_role = replica"))  # passes by the triggers
        connection.execute(text(statement), values)
    engine.dispose()


@pytest.mark.req("SEC-3")
async def test_an_intact_journal_says_so(context: Context) -> None:
    await reported_claim(context)
    code, told = await run("journal", "verify")
    assert (code, told.strip().endswith("of 1 cases verified: no damaged events.")) == (0, True)
    code, told = await run("journal", "rebuild", "--check")
    assert (code, told.strip()) == (0, "The rows of 1 cases compared with a rebuild: no differences.")


@pytest.mark.req("SEC-3")
async def test_the_exact_damaged_event_is_named(context: Context, servers: Servers, settings: Settings) -> None:
    case = await reported_claim(context)
    await reported_claim(context)
    tamper(
        servers,
        settings,
        "UPDATE journal SET actor = 'staff:other' WHERE case_id = :case AND chain_seq = 2",
        case=case.case_id,
    )
    code, told = await run("journal", "verify")
    assert code == 1
    assert told.splitlines()[0] == f"{case.number} event 2: was changed after it was written"
    assert told.strip().endswith("of 2 cases verified: 1 damaged events.")


@pytest.mark.req("CLM-15")
@pytest.mark.parametrize("command", [("journal", "verify"), ("journal", "rebuild", "--check")])
async def test_a_case_whose_money_does_not_agree_with_its_ledger_is_named(
    context: Context, command: tuple[str, ...]
) -> None:
    case = await reported_claim(context)
    async with context.transaction() as session:
        await session.execute(text("UPDATE cases SET paid_amount = 1 WHERE id = :id"), {"id": case.case_id})
    code, told = await run(*command)
    assert code == 1
    assert f"{case.number}: ledger: paid is 0.00; according to the case it is 1.00" in told


async def test_rows_that_say_otherwise_are_found_and_made_anew(context: Context) -> None:
    case = await reported_claim(context)
    async with context.transaction() as session:
        await session.execute(text("UPDATE cases SET claimed_amount = 1 WHERE id = :id"), {"id": case.case_id})
    code, told = await run("journal", "rebuild", "--check")
    assert code == 1
    assert f"{case.number}: cases {case.case_id}: claimed_amount differs" in told
    code, told = await run("journal", "rebuild")
    assert (code, told.strip()) == (0, "The rows of 1 cases were made anew from the journal.")
    assert (await run("journal", "rebuild", "--check"))[0] == 0
