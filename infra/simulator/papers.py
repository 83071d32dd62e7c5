"""Papers that customers send: small, valid PDF and JPEG files made in memory, each different from every other."""

from __future__ import annotations

from base64 import b64decode

# A light baseline JPEG of 8 x 8 grey pixels.
_LIGHT = b64decode(
    "/9j/4AAQSkZJRgAB"
    "AQAAAQABAAD/2wBD"
    "AA0JCgsKCA0LCgsO"
    "Dg0PEyAVExISEycc"
    "HhcgLikxMC4pLSwz"
    "Oko+MzZGNywtQFdB"
    "RkxOUlNSMj5aYVpQ"
    "YEpRUk//wAALCAAI"
    "AAgBAREA/8QAFAAB"
    "AAAAAAAAAAAAAAAA"
    "AAAABf/EABQQAQAA"
    "AAAAAAAAAAAAAAAA"
    "AAD/2gAIAQEAAD8A"
    "Uf/Z"
)
_HEADER = 20
"""Bytes of the start marker and the JFIF segment; a comment may follow."""


def pdf(words: str) -> bytes:
    """One page with a line of text (ASCII), with its cross-reference table."""
    shown = "".join(c if c.isascii() and c.isprintable() and c not in "()\\" else " " for c in words)
    stream = f"BT /F1 12 Tf 40 760 Td ({shown}) Tj ET".encode("ascii")
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj%s\nendobj\n" % (number, content)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    table += b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + table + b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(body))


def jpeg(words: str) -> bytes:
    """A small photo; the words lie in its comment segment."""
    comment = words.encode("utf-8")[:60_000]
    segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    return _LIGHT[:_HEADER] + segment + _LIGHT[_HEADER:]
