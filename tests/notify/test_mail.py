"""Mail over SMTP."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email import message_from_bytes, policy
from typing import cast

import pytest
from pydantic import SecretStr

from lian.notify.mail import Mail, MailRefused, MailUnavailable, NoMailer, SmtpMailer, compose, connect
from lian.settings import Settings

CODE = Mail(to="zhao@example.com", subject="您的验证码 your code", body="123456\n\n.\n第二行")


class Session(socketserver.StreamRequestHandler):
    """As much SMTP as a client needs."""

    def handle(self) -> None:
        server = cast("Server", self.server)
        self._say("220 test")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            server.heard.append(line.decode().strip())
            if verb == b"DATA":
                self._say("354 go on")
                server.mails.append(self._body())
                self._say("250 taken")
            elif verb == b"RCPT":
                self._say(server.answer_to_recipient)
            elif verb == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say(server.greeting if verb == b"EHLO" else "235 ok" if verb == b"AUTH" else "250 ok")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def _body(self) -> bytes:
        lines = iter(lambda: self.rfile.readline(), b".\r\n")
        return b"".join(line.removeprefix(b".") if line.startswith(b"..") else line for line in lines)


class Server(socketserver.ThreadingTCPServer):
    """Remembers what it heard."""

    daemon_threads = True
    answer_to_recipient = "250 ok"
    greeting = "250-test\r\n250 AUTH PLAIN"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.mails: list[bytes] = []
        self.heard: list[str] = []

    @property
    def url(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


@contextmanager
def running(server: Server) -> Iterator[Server]:
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    with running(Server()) as server:
        yield server


def test_a_mail_arrives_as_it_was_written(server: Server) -> None:
    SmtpMailer(f"smtp://{server.url}", sender="claims@lian.example").send(CODE)

    [raw] = server.mails
    mail = message_from_bytes(raw, policy=policy.default)
    assert (mail["From"], mail["To"], mail["Subject"]) == ("claims@lian.example", CODE.to, CODE.subject)
    assert mail.get_content().rstrip("\n") == CODE.body


def test_it_signs_in_with_what_the_address_says(server: Server) -> None:
    SmtpMailer(f"smtp://us%40er:p%3Aw@{server.url}").send(CODE)
    assert any(line.startswith("AUTH PLAIN") for line in server.heard)


def test_text_cannot_add_a_header() -> None:
    mail = Mail(to="zhao@example.com", subject="Hi\r\nBcc: thief@example.com\n\n\x00\u2028body", body="x\r\ny\ud800")
    raw = compose(mail, sender="lian@localhost").as_bytes()
    read = message_from_bytes(raw, policy=policy.default)
    assert read["Bcc"] is None
    assert read["Subject"].startswith("Hi Bcc: thief@example.com")


@pytest.mark.parametrize(
    "to",
    [
        "",
        "zhao",
        "zhao@",
        "a@example.com,b@example.com",
        "a@example.com b@example.com",
        "a@example.com\r\nBcc: b@example.com",
        "a@example.com\n",
        "<a@example.com>",
        '"a b"@example.com',
        "a@b@example.com",
        "a@example.com\x00",
        "a" * 70 + "@example.com",
    ],
)
def test_only_exactly_one_address_is_taken(to: str) -> None:
    with pytest.raises(MailRefused):
        compose(Mail(to=to, subject="s", body="b"), sender="lian@localhost")


@pytest.mark.parametrize(("answer", "error"), [("550 no such person", MailRefused), ("451 try later", MailUnavailable)])
def test_a_final_answer_is_told_from_a_passing_one(server: Server, answer: str, error: type[Exception]) -> None:
    server.answer_to_recipient = answer
    with pytest.raises(error) as caught:
        SmtpMailer(f"smtp://{server.url}").send(CODE)
    assert "123456" not in str(caught.value)
    assert CODE.to not in str(caught.value)


def test_a_server_that_is_down_is_unavailable() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(MailUnavailable):
        SmtpMailer(f"smtp://127.0.0.1:{port}").send(CODE)


def test_a_demand_for_encryption_is_kept(server: Server) -> None:
    with pytest.raises(MailRefused, match="encryption"):
        SmtpMailer(f"smtp+starttls://{server.url}").send(CODE)
    assert server.mails == []


def test_a_password_is_never_sent_in_the_clear(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lian.notify.mail._LOOPBACK", frozenset())
    with pytest.raises(MailRefused, match="encryption"):
        SmtpMailer(f"smtp://user:secret@{server.url}").send(CODE)
    assert not any("AUTH" in line for line in server.heard)


@pytest.mark.parametrize("url", ["", "http://host", "host:25", "smtp://"])
def test_another_kind_of_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="LIAN_SMTP_URL"):
        SmtpMailer(url)


def test_without_an_address_nothing_is_sent() -> None:
    mailer = connect(Settings(smtp_url=SecretStr("")))
    assert isinstance(mailer, NoMailer)
    mailer.send(CODE)
    assert isinstance(connect(Settings(smtp_url=SecretStr("smtp://127.0.0.1:2525"))), SmtpMailer)


def test_a_mail_does_not_show_its_code_in_logs() -> None:
    assert "123456" not in repr(CODE)
    assert "zhao" not in repr(CODE)
