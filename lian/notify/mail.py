"""Mail to customers and staff, as plain text over SMTP.

A mail is a courtesy: the outbox page holds the same words, so an insurer without SMTP loses nothing.
"""

from __future__ import annotations

import re
import smtplib
import ssl
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Protocol
from urllib.parse import unquote, urlsplit

from lian.domain.errors import Invalid, Unavailable
from lian.settings import Settings

TIMEOUT_SECONDS = 10.0
SUBJECT_LENGTH = 200
DEFAULT_SENDER = "lian@localhost"

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_ADDRESS = re.compile(r"[^\s@,;:<>()\[\]\"\\\x00-\x1f\x7f]{1,64}@[^\s@,;:<>()\[\]\"\\\x00-\x1f\x7f]{1,253}")


class MailRefused(Invalid):
    """The address or the mail server's answer is final: sending again would fail again."""

    code = "mail_refused"


class MailUnavailable(Unavailable):
    """The mail server is away or asks us to try later."""

    code = "mail_unavailable"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one address; kept out of representations, since it holds names and one-time codes."""

    to: str = field(repr=False)
    subject: str = field(repr=False)
    body: str = field(repr=False)


class Mailer(Protocol):
    """Port to whatever delivers mail. Synchronous: asynchronous callers go through `anyio.to_thread`."""

    def send(self, mail: Mail) -> None:
        """Hand the mail over. Raises `MailRefused` (final) or `MailUnavailable` (repeat later)."""


def connect(settings: Settings) -> Mailer:
    """The mailer the settings name: none without `LIAN_SMTP_URL`."""
    url = settings.smtp_url.get_secret_value()
    return SmtpMailer(url, sender=settings.mail_from) if url else NoMailer()


class NoMailer(Mailer):
    """Delivers nothing: the outbox page is where the words are read."""

    def send(self, mail: Mail) -> None:
        """Accept the mail and do nothing."""


class SmtpMailer(Mailer):
    """Sends through one SMTP server.

    `smtp://user:pass@host:port` uses TLS where a server beyond this machine offers it, `smtp+starttls://` insists on
    it, `smtps://` speaks TLS from the start. A password never crosses the network in the clear. `ValueError` for any
    other kind of address.
    """

    def __init__(self, url: str, *, sender: str = DEFAULT_SENDER) -> None:
        address = urlsplit(url)
        if address.scheme not in _PORTS or not address.hostname:
            # The address holds a password, so it is not repeated here.
            raise ValueError("LIAN_SMTP_URL must look like smtp://user:password@host:port")
        self._scheme = address.scheme
        self._host = address.hostname
        self._port = address.port or _PORTS[address.scheme]
        self._user = unquote(address.username or "")
        self._password = unquote(address.password or "")
        self._sender = sender

    def send(self, mail: Mail) -> None:
        """Hand the mail to the server. Raises `MailRefused` (final) or `MailUnavailable` (repeat later)."""
        message = compose(mail, sender=self._sender)
        with _delivering(), self._session() as session:
            session.send_message(message)

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        with self._open() as session:
            self._protect(session)
            if self._user:
                session.login(self._user, self._password)
            yield session

    def _open(self) -> smtplib.SMTP:
        if self._scheme == "smtps":
            return smtplib.SMTP_SSL(
                self._host, self._port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
            )
        return smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_SECONDS)

    def _protect(self, session: smtplib.SMTP) -> None:
        if self._scheme == "smtps" or (self._scheme == "smtp" and self._host in _LOOPBACK):
            # A relay on this machine has no certificate worth checking, and no network to protect from.
            return
        session.ehlo()
        if session.has_extn("starttls"):
            session.starttls(context=ssl.create_default_context())
        elif self._scheme == "smtp+starttls" or self._user:
            raise MailRefused("The mail server offers no encryption, so nothing was sent to it.")


def compose(mail: Mail, *, sender: str) -> EmailMessage:
    """The mail as a message with one recipient. Raises `MailRefused` for an address that is not exactly one.

    A line break in the subject becomes a space, so that no text can add a header of its own.
    """
    message = EmailMessage()
    message["From"] = _address(sender)
    message["To"] = _address(mail.to)
    message["Subject"] = " ".join(_printable(mail.subject).split())[:SUBJECT_LENGTH]
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_printable(mail.body), cte="base64")
    return message


def _address(text: str) -> Address:
    if not _ADDRESS.fullmatch(text):
        raise MailRefused("This is not one e-mail address.")
    user, _, domain = text.rpartition("@")
    try:
        return Address(username=user, domain=domain)
    except (MessageError, ValueError, IndexError) as error:
        raise MailRefused("This is not one e-mail address.") from error


def _printable(text: str) -> str:
    """Without lone surrogates and controls, which no mail can carry; lines stay lines."""
    lines = "\n".join(text.splitlines())
    return "".join(" " if c not in "\n\t" and unicodedata.category(c) in {"Cc", "Cs"} else c for c in lines)


@contextmanager
def _delivering() -> Iterator[None]:
    """Final or worth repeating, by the class of the server's answer (RFC 5321: 5xx is final)."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        raise _failure(max(code for code, _ in error.recipients.values())) from error
    except smtplib.SMTPAuthenticationError as error:
        # Somebody has to repair the password; the mail itself is fine.
        raise _failure(0) from error
    except smtplib.SMTPResponseException as error:
        raise _failure(error.smtp_code) from error
    except smtplib.SMTPNotSupportedError as error:
        raise _failure(550) from error
    except (smtplib.SMTPException, OSError) as error:
        raise _failure(0) from error


def _failure(code: int) -> Invalid | Unavailable:
    if 500 <= code < 600:
        return MailRefused("The mail server refuses this mail.")
    return MailUnavailable("The mail server does not take mail right now; it will be sent later.")
