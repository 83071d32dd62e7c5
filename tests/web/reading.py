"""Pages as the text a person reads, and a browser without a screen."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

SILENT = {"script", "style", "template", "head"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
BLOCKS = {
    "p",
    "li",
    "h1",
    "h2",
    "h3",
    "tr",
    "div",
    "section",
    "dt",
    "dd",
    "td",
    "th",
    "option",
    "label",
    "button",
    "a",
    "legend",
}


@dataclass
class Form:
    """A form as a browser would send it untouched."""

    action: str
    method: str
    fields: dict[str, list[str]] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.stack: list[str] = []
        self.quiet = 0
        self._select: str | None = None
        self._textarea: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {k: v or "" for k, v in attrs}
        if tag in BLOCKS:
            self.words.append("\n")
        if tag in SILENT:
            self.quiet += 1
        if tag == "form":
            self.forms.append(Form(a.get("action", ""), a.get("method", "get")))
        if tag == "a" and "href" in a:
            self.links.append(a["href"])
        if self.forms:
            self._field(tag, a)

    def _field(self, tag: str, a: dict[str, str]) -> None:
        fields, name = self.forms[-1].fields, a.get("name", "")
        if tag == "input" and name:
            ticked = a.get("type") not in {"checkbox", "radio"} or "checked" in a
            if ticked and a.get("type") != "file":
                fields.setdefault(name, []).append(a.get("value", ""))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in a or self._select not in fields):
            fields[self._select] = [a.get("value", "")]
        elif tag == "textarea":
            self._textarea = name
            fields[name] = [""]

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self.quiet -= 1
        if tag == "select":
            self._select = None
        if tag == "textarea":
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if self._textarea and self.forms:
            self.forms[-1].fields[self._textarea] = [data]
        if not self.quiet:
            self.words.append(data)


@dataclass
class Page:
    """An answer as somebody sees it."""

    answer: httpx.Response
    text: str
    forms: list[Form]
    links: list[str]

    @property
    def status(self) -> int:
        return self.answer.status_code

    def form(self, action: str) -> Form:
        """The form that goes there."""
        return next(f for f in self.forms if f.action.endswith(action))


def read(answer: httpx.Response) -> Page:
    """The words of a page, blanks folded, one block to a line."""
    reader = _Reader()
    reader.feed(answer.text)
    lines = (re.sub(r"[ \t\r\n]+", " ", line).strip() for line in "".join(reader.words).split("\n\n"))
    text = "\n".join(line for line in lines if line)
    return Page(answer, re.sub(r"\s*\n\s*", "\n", text), reader.forms, reader.links)


@dataclass
class Browser:
    """Follows redirects, keeps cookies, says where its forms come from."""

    client: httpx.AsyncClient
    language: str = "en"

    async def open(self, path: str, **more: Any) -> Page:
        headers = {"Accept-Language": self.language} | more.pop("headers", {})
        return read(await self.client.get(path, headers=headers, follow_redirects=True, **more))

    async def send(self, form: Form, **changes: str | list[str]) -> Page:
        """Send a form with some fields filled in."""
        data = form.fields | {k.replace("__", "."): v if isinstance(v, list) else [v] for k, v in changes.items()}
        return await self.post(form.action, data)

    async def post(self, path: str, data: dict[str, Any], **more: Any) -> Page:
        headers = {"Accept-Language": self.language, "Sec-Fetch-Site": "same-origin"} | more.pop("headers", {})
        return read(await self.client.post(path, data=data, headers=headers, follow_redirects=True, **more))

    async def sign_in(self, username: str, password: str) -> Page:
        """As a member of staff, whoever sat here before."""
        self.client.cookies.clear()
        page = await self.open("/sign-in")
        return await self.send(page.form("/sign-in"), username=username, password=password)
