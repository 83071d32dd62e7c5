"""Is a server ready? A probe is an address in plain text, so that another shell can read it and ask again.

- `http://host:port/path` answers 200; `http://...#word` answers 200 and its body contains the word
- `postgres://host:port` accepts sign-ins (not merely connections: a server in recovery accepts those and refuses)
- `file:/path` exists
"""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path
from urllib.parse import urlsplit

PATIENCE_SECONDS = 2.0
POSTGRES_PROTOCOL_3 = 196_608


async def answers(probe: str) -> bool:
    """Whether the probed server is ready now; never raises for a server that is not."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await _ask(probe)
    except (OSError, EOFError, ValueError, TimeoutError):
        return False


async def all_answer(probes: tuple[str, ...]) -> bool:
    """Whether every probe is answered; true when there is none."""
    return all(await asyncio.gather(*(answers(probe) for probe in probes)))


async def _ask(probe: str) -> bool:
    parts = urlsplit(probe)
    if parts.scheme == "file":
        return await asyncio.to_thread(Path(parts.path).exists)
    if parts.scheme == "postgres":
        return await _postgres_answers(str(parts.hostname), int(parts.port or 0))
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return await _http_answers(str(parts.hostname), int(parts.port or 0), path or "/", parts.fragment)


async def _http_answers(host: str, port: int, path: str, word: str) -> bool:
    request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
    reply = await _exchange(host, port, request.encode("ascii"), whole=bool(word))
    status = reply.split(b"\r\n", 1)[0].split(b" ")
    return len(status) > 1 and status[1] == b"200" and word.encode() in reply


async def _postgres_answers(host: str, port: int) -> bool:
    # A start-up packet: a ready server asks for a password ("R"), one still starting sends an error ("E").
    body = struct.pack("!i", POSTGRES_PROTOCOL_3) + b"user\0probe\0database\0postgres\0\0"
    reply = await _exchange(host, port, struct.pack("!i", len(body) + 4) + body, whole=False)
    return reply[:1] == b"R"


async def _exchange(host: str, port: int, request: bytes, *, whole: bool) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(request)
        await writer.drain()
        return await reader.read(-1 if whole else 512)
    finally:
        writer.close()
