"""Accounts and sign-in: staff with a password, customers with case number and one-time code (SEC-1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import anyio.to_thread
from sqlalchemy import ColumnElement, delete, or_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.auth.actor import Actor, staff_actor_id
from lian.auth.permissions import ROLES, roles_with
from lian.auth.secrets import NOBODY, hash_password, hash_token, new_code, new_token, verify_password
from lian.db.tables import Case, OneTimeCode, Party, SignIn, Staff
from lian.domain.errors import Conflict, Invalid, NotFound, NotSignedIn, TooMany
from lian.domain.parties import PartyRole
from lian.domain.queues import QUEUES
from lian.services.context import Context
from lian.services.notices import Words, queue_notice, reach_customer

ATTEMPTS = 5
LOCKED_FOR = timedelta(minutes=15)
CODE_LIVES = timedelta(minutes=10)
CODE_KEPT = timedelta(days=1)
CODES_PER_WINDOW = 5
RESET_LIVES = timedelta(hours=1)
CUSTOMER_HOURS = 2
WRONG = "The user name or password is wrong."
LOCKED = "Too many attempts; try again in a quarter of an hour."
WRONG_CODE = "The case number or code is wrong, or the code has expired."


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStaff:
    """A staff account to create; `queues` empty means all."""

    username: str
    name: str
    password: str
    roles: Sequence[str]
    queues: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Session:
    """A session token, shown once, and when it ends."""

    token: str
    expires_at: datetime


async def create_staff(context: Context, actor: Actor | None, new: NewStaff) -> UUID:
    """Create an account. Needs `staff:write`; only the server's own command line may do it without an actor."""
    if actor is not None:
        actor.require("staff:write")
    _check_new(new)
    hashed = await anyio.to_thread.run_sync(hash_password, new.password)
    async with context.transaction() as session:
        if await _account(session, new.username):
            raise Conflict("There is an account with this user name already.", field="username")
        staff = Staff(
            id=uuid4(),
            username=new.username,
            name=new.name,
            password_hash=hashed,
            roles=list(new.roles),
            queues=list(new.queues) or ["*"],
            created_at=context.now(),
        )
        session.add(staff)
    return staff.id


def _check_new(new: NewStaff) -> None:
    queues = {*QUEUES, "*"}
    if not new.username or len(new.username) > 80 or not new.username.isprintable():
        raise Invalid("A user name has 1 to 80 visible characters.", field="username")
    if not set(new.roles) <= ROLES.keys() - {"customer"} or not new.roles:
        raise Invalid("An account needs one or more of the known staff roles.", field="roles")
    if not set(new.queues) <= queues:
        raise Invalid("There is no such queue.", field="queues")


async def sign_in(context: Context, username: str, password: str) -> Session:
    """Start a staff session. Raises `NotSignedIn`, alike for an unknown name, and `TooMany` after five failures."""
    async with context.transaction() as session:
        staff = await _account(session, username)
    if staff is not None and staff.locked_until and staff.locked_until > context.now():
        raise TooMany(LOCKED)
    # Slow on purpose: neither the event loop nor a database lock waits for it.
    is_right = await anyio.to_thread.run_sync(verify_password, password, staff.password_hash if staff else NOBODY)
    if staff is None:
        raise NotSignedIn(WRONG)
    async with context.transaction() as session:
        fresh = await session.get_one(Staff, staff.id, with_for_update=True, populate_existing=True)
        if fresh.locked_until and fresh.locked_until > context.now():
            raise TooMany(LOCKED)
        if is_right and fresh.active and fresh.password_hash == staff.password_hash:
            fresh.failed_attempts, fresh.locked_until = 0, None
            return _open_session(session, context, staff_id=fresh.id, hours=context.settings.session_hours)
        _count_failure(fresh, context.now())
    raise NotSignedIn(WRONG)


async def _account(session: AsyncSession, username: str) -> Staff | None:
    return (await session.execute(select(Staff).where(Staff.username == username))).scalars().first()


def _count_failure(staff: Staff, now: datetime) -> None:
    staff.failed_attempts += 1
    if staff.failed_attempts >= ATTEMPTS:
        staff.failed_attempts, staff.locked_until = 0, now + LOCKED_FOR


def _open_session(
    session: AsyncSession,
    context: Context,
    *,
    hours: int,
    staff_id: UUID | None = None,
    case_id: UUID | None = None,
    party_id: UUID | None = None,
) -> Session:
    token, now = new_token(), context.now()
    expires_at = now + timedelta(hours=hours)
    session.add(
        SignIn(
            token_hash=hash_token(token),
            staff_id=staff_id,
            case_id=case_id,
            party_id=party_id,
            created_at=now,
            expires_at=expires_at,
        )
    )
    return Session(token, expires_at)


async def sign_out(context: Context, token: str) -> None:
    """End a session; ending one that has ended changes nothing."""
    async with context.transaction() as session:
        await session.execute(delete(SignIn).where(col(SignIn.token_hash) == hash_token(token)))


_WHOSE = """
SELECT sessions.expires_at, sessions.case_id, sessions.party_id, case_parties.name, case_parties.person_id,
       staff.active, staff.id, staff.name, staff.roles, staff.queues, staff.team, staff.skills
FROM sessions
LEFT JOIN staff ON staff.id = sessions.staff_id
LEFT JOIN case_parties ON case_parties.id = sessions.party_id
WHERE sessions.token_hash = %(token_hash)s
"""


async def actor_of(context: Context, token: str) -> Actor:
    """Who a token belongs to, with the roles they have now. Raises `NotSignedIn`."""
    found = await context.db.fetch(_WHOSE, {"token_hash": hash_token(token)})
    if not found:
        raise NotSignedIn("Please sign in.")
    expires_at, case_id, party_id, name, person_id, active, *account = found[0]
    if expires_at <= context.now() or (case_id is None and not active):
        raise NotSignedIn("Please sign in.")
    if case_id is not None:
        return _customer(case_id, party_id, name, person_id)
    actor = _staff(*account)
    context.known_names.add({actor.id: actor.name})  # most of what they ask for will say who has it: they do
    return actor


def have_right(permission: str) -> ColumnElement[bool]:
    """Accounts with a role that may do this."""
    return or_(*(col(Staff.roles).contains([role]) for role in roles_with(permission)))


def actor_for(staff: Staff) -> Actor:
    """A member of staff as an actor."""
    return _staff(staff.id, staff.name, staff.roles, staff.queues, staff.team, staff.skills)


def _staff(
    staff_id: UUID, name: str, roles: Sequence[str], queues: Sequence[str], team: str, skills: Mapping[str, str]
) -> Actor:
    return Actor(
        id=staff_actor_id(staff_id),
        name=name,
        roles=tuple(roles),
        queues=tuple(queues),
        team=team,
        skills=tuple((skill, date.fromisoformat(until) if until else None) for skill, until in skills.items()),
    )


def _customer(case_id: UUID, party_id: UUID, name: str | None, person_id: UUID | None) -> Actor:
    return Actor(id=f"customer:{party_id}", name=name or "", roles=("customer",), case_id=case_id, person_id=person_id)


# --- customers --------------------------------------------------------------------------------------------------------


async def send_code(context: Context, number: str) -> None:
    """Send a one-time code to the reporter of a case. Says nothing of whether there is such a case."""
    now = context.now()
    async with context.transaction() as session:
        case = (await session.execute(select(Case).where(Case.number == number))).scalars().first()
        recent = select(OneTimeCode.id).where(OneTimeCode.subject == number, OneTimeCode.expires_at > now)
        if len((await session.execute(recent)).all()) >= CODES_PER_WINDOW:
            raise TooMany("Too many codes were asked for; try again in ten minutes.")
        await session.execute(delete(OneTimeCode).where(col(OneTimeCode.expires_at) < now - CODE_KEPT))
        # Asked for without a case, a code is counted all the same, so that the limit tells nothing; it opens nothing.
        code, code_id = (new_code() if case else new_token()), uuid4()
        session.add(
            OneTimeCode(
                id=code_id,
                purpose="track",
                subject=number,
                code_hash=context.ring.fingerprint(f"{number}:{code}"),
                expires_at=now + CODE_LIVES,
            )
        )
        if case is None:
            return
        words = Words(
            f"{number}: 验证码 / Your code",
            f"您的验证码是 {code}，10 分钟内有效。\nYour code is {code}. It is valid for 10 minutes.",
        )
        recipient = await reach_customer(session, case.id)
        await queue_notice(context, session, key=f"code:{code_id}", case_id=case.id, recipient=recipient, words=words)


async def sign_in_customer(context: Context, number: str, code: str) -> Session:
    """Start a customer session on one case with a code that was sent. Raises `NotSignedIn`, alike for every mistake."""
    async with context.transaction() as session:
        opened = await _spend_code(context, session, number, code)
    if opened is None:
        raise NotSignedIn(WRONG_CODE)
    return opened


async def _spend_code(context: Context, session: AsyncSession, number: str, code: str) -> Session | None:
    now = context.now()
    query = (
        select(OneTimeCode)
        .where(
            OneTimeCode.purpose == "track",
            OneTimeCode.subject == number,
            OneTimeCode.expires_at > now,
            col(OneTimeCode.used_at).is_(None),
            OneTimeCode.attempts < ATTEMPTS,
        )
        .with_for_update()
    )
    candidates = (await session.execute(query)).scalars().all()
    wanted = context.ring.fingerprint(f"{number}:{code}")
    hit = next((c for c in candidates if c.code_hash == wanted), None)
    if hit is None:
        for candidate in candidates:
            candidate.attempts += 1
        return None
    hit.used_at = now
    case = (await session.execute(select(Case).where(Case.number == number))).scalars().one()
    party = (
        (await session.execute(select(Party).where(Party.case_id == case.id, Party.role == PartyRole.REPORTER.value)))
        .scalars()
        .first()
    )
    return _open_session(session, context, hours=CUSTOMER_HOURS, case_id=case.id, party_id=party.id if party else None)


# --- password reset ---------------------------------------------------------------------------------------------------


async def issue_reset(context: Context, actor: Actor | None, username: str) -> str:
    """A reset token for an account, shown once. Needs `staff:write`, or the server's command line."""
    if actor is not None:
        actor.require("staff:write")
    token = new_token()
    async with context.transaction() as session:
        staff = await _account(session, username)
        if staff is None:
            raise NotFound("There is no account with this user name.")
        session.add(
            OneTimeCode(
                id=uuid4(),
                purpose="reset",
                subject=username,
                code_hash=hash_token(token),
                expires_at=context.now() + RESET_LIVES,
            )
        )
    return token


async def reset_password(context: Context, token: str, password: str) -> None:
    """Set a new password with a reset token; the account's sessions end. Raises `NotSignedIn` for a spent token."""
    hashed = await anyio.to_thread.run_sync(hash_password, password)
    now = context.now()
    async with context.transaction() as session:
        query = select(OneTimeCode).where(
            OneTimeCode.purpose == "reset",
            OneTimeCode.code_hash == hash_token(token),
            OneTimeCode.expires_at > now,
            col(OneTimeCode.used_at).is_(None),
        )
        reset = (await session.execute(query.with_for_update())).scalars().first()
        if reset is None:
            raise NotSignedIn("This link was used or has expired; ask for a new one.")
        reset.used_at = now
        staff = (await session.execute(select(Staff).where(Staff.username == reset.subject))).scalars().one()
        staff.password_hash, staff.failed_attempts, staff.locked_until = hashed, 0, None
        await session.execute(delete(SignIn).where(col(SignIn.staff_id) == staff.id))
        others = (col(OneTimeCode.purpose) == "reset") & (col(OneTimeCode.subject) == reset.subject)
        await session.execute(update(OneTimeCode).where(others, col(OneTimeCode.used_at).is_(None)).values(used_at=now))


async def list_staff(context: Context, actor: Actor) -> list[Staff]:
    """All accounts. Needs `staff:write`."""
    actor.require("staff:write")
    async with context.transaction() as session:
        return list((await session.execute(select(Staff).order_by(col(Staff.username)))).scalars())
