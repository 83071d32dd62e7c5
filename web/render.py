"""Templates to answers: strict about every name, escaped throughout, compressed."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from web.assets import address

TEMPLATES = Path(__file__).parent / "templates"
WORTH_PACKING = 1000


@cache
def environment() -> Environment:
    """The templates, compiled once each."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
        auto_reload=False,
    )
    made.globals["asset"] = address
    return made


def page(request: Request, template: str, values: dict[str, Any], *, status: int = 200) -> HTMLResponse:
    """A whole page. Pages hold personal data: no cache keeps them."""
    html = environment().get_template(template).render(values).encode()
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding, Accept-Language, Cookie"}
    if len(html) > WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
        return HTMLResponse(gzip.compress(html, 5), status_code=status, headers=headers | {"Content-Encoding": "gzip"})
    return HTMLResponse(html, status_code=status, headers=headers)
