"""Our own style sheets, scripts and icons, held in memory under an address that changes with their content."""

from __future__ import annotations

import gzip
import hashlib
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
FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, plain and compressed."""

    body: bytes
    packed: bytes
    mime: str


@cache
def assets() -> dict[str, Asset]:
    """Every file of `static/` by its name."""
    return {path.name: _asset(path) for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(body, gzip.compress(body, 9, mtime=0), TYPES[path.suffix])


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
