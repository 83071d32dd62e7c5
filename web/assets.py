"""Our own style sheets, scripts and icons, held in memory under an address that changes with their content."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

FOLDER = Path(__file__).parent / "static"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "\./([\w-]+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?function |const )", re.MULTILINE)
FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, plain and compressed."""

    body: bytes
    packed: bytes
    mime: str


@cache
def assets() -> dict[str, Asset]:
    """Every file of `static/` by its name; scripts with those that they alone import within them."""
    files = {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}
    scripts = {name: body.decode() for name, body in files.items() if name.endswith(".js")}
    joined = {name: join_scripts(name, scripts).encode() for name in scripts}
    return {name: _asset(name, body) for name, body in (files | joined).items()}


def _asset(name: str, body: bytes) -> Asset:
    return Asset(body, gzip.compress(body, 9, mtime=0), TYPES[Path(name).suffix])


def join_scripts(name: str, scripts: Mapping[str, str]) -> str:
    """A script with those within it that no other one imports: each file apart costs a page a request.

    What several import stays a file of its own, so that it is loaded once and has one state.
    """
    importers = Counter(found[2] for script in scripts.values() for found in IMPORT.finditer(script))

    def within(found: re.Match[str]) -> str:
        names, other = found[1], found[2]
        if importers[other] > 1:
            return found[0]
        body = EXPORT.sub("", join(other))
        return f"const {{ {names} }} = (() => {{\n{body}return {{ {names} }};\n}})();\n"

    def join(one: str) -> str:
        return IMPORT.sub(within, scripts[one])

    whole = join(name)
    kept = "".join(dict.fromkeys(found[0] for found in IMPORT.finditer(whole)))
    return kept + IMPORT.sub("", whole)


@cache
def digest() -> str:
    """Names this state of all assets together."""
    return hashlib.sha256(b"".join(a.body for a in assets().values())).hexdigest()[:12]


def address(name: str) -> str:
    """Where a page finds an asset; modules that import each other share the folder."""
    if name not in assets():
        raise KeyError(name)
    return f"/static/{digest()}/{name}"


async def serve(request: Request) -> Response:
    """One asset; kept by browsers for good under its own address, asked for again under an outdated one."""
    asset = assets().get(request.path_params["name"])
    if asset is None:
        return PlainTextResponse("Not found", status_code=404)
    headers = {
        "Cache-Control": FOREVER if request.path_params["digest"] == digest() else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=asset.mime)
    return Response(asset.body, headers=headers, media_type=asset.mime)
