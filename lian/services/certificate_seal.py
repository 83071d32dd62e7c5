"""The seal of a certificate of timeliness: signed with one key, checked with nothing but its public half.

Needs no settings, no database and no network: whoever was handed a certificate can check it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from lian.domain.certificate import recompute
from lian.domain.certificate_reading import canonical, sha256_of
from lian.domain.errors import DomainError, Invalid

Json = dict[str, Any]
ALGORITHM = "Ed25519"
SEED_BYTES = 32
LONGEST = 20_000_000
"""Characters of the longest certificate that is looked at."""
PARTS = {"certificate", "sha256", "signature"}
SIGNATURE = {"algorithm", "key_id", "public_key", "value"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found: every difference in a sentence, none when the certificate holds.

    `is_known_key`: it was checked with a key that the reader brought, not with the one it carries.
    """

    number: str
    issuer: str
    issued_at: str
    key_id: str
    is_known_key: bool
    differences: tuple[str, ...]
    clocks: tuple[tuple[str, str, str], ...] = ()
    """Each promise with its verdict and its deadline."""

    @property
    def holds(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


# --- keys -------------------------------------------------------------------------------------------------------------


def read_private_key(text: str) -> Ed25519PrivateKey:
    """A private key in PEM, or its 32 bytes in base64. Raises `Invalid` for anything else, never repeating it."""
    try:
        if "-----BEGIN" in text:
            key = serialization.load_pem_private_key(text.encode(), password=None)
        else:
            key = Ed25519PrivateKey.from_private_bytes(base64.b64decode("".join(text.split()), validate=True))
    except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise Invalid("The key for certificates is no Ed25519 key: give it as PEM, or as 32 bytes in base64.")
    return key


def read_public_key(text: str) -> Ed25519PublicKey:
    """A public key in PEM. Raises `Invalid` for anything else."""
    try:
        key = serialization.load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise Invalid("This is not an Ed25519 public key in PEM, as lian sla public-key prints it.")
    return key


def public_pem(key: Ed25519PublicKey) -> str:
    """The public key as others read it."""
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, info).decode()


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def fingerprint_of(key: Ed25519PublicKey) -> str:
    """SHA-256 of the 32 bytes of a public key, in hexadecimal; its first 16 digits are the key's id."""
    return hashlib.sha256(_raw(key)).hexdigest()


def key_id_of(key: Ed25519PublicKey) -> str:
    """The short name of a key."""
    return fingerprint_of(key)[:16]


# --- signing ----------------------------------------------------------------------------------------------------------


def sealed(certificate: Mapping[str, Any], key: Ed25519PrivateKey) -> Json:
    """The certificate with its hash and signature. The same certificate and key give the same seal."""
    content = canonical(certificate)
    public = key.public_key()
    return {
        "certificate": certificate,
        "sha256": sha256_of(content),
        "signature": {
            "algorithm": ALGORITHM,
            "key_id": key_id_of(public),
            "public_key": base64.b64encode(_raw(public)).decode(),
            "value": base64.b64encode(key.sign(content.encode())).decode(),
        },
    }


def as_text(document: Mapping[str, Any]) -> str:
    """A sealed certificate as the file that is handed out."""
    return json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


# --- checking ---------------------------------------------------------------------------------------------------------


def check(text: str, key: Ed25519PublicKey | None = None) -> Checked:
    """Whether a certificate holds: signature, hashes, and every verdict worked out anew.

    Without a `key`, the one in the file is taken: then it only shows that nobody without that key changed anything.
    Raises `Invalid` for a file that is no certificate.
    """
    document = _read(text)
    certificate, signature = document["certificate"], document["signature"]
    found = list(_seal_differences(document, key))
    found += [str(difference) for difference in recompute(certificate)]
    return Checked(
        number=str(_within(certificate, "case", "number")),
        issuer=str(certificate.get("issuer", "")),
        issued_at=str(certificate.get("issued_at", "")),
        key_id=key_id_of(key) if key else str(signature["key_id"]),
        is_known_key=key is not None,
        differences=tuple(found),
        clocks=() if found else tuple((c["clock"], c["verdict"], c["due_at"] or "") for c in certificate["clocks"]),
    )


def _within(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name, "") if isinstance(value, Mapping) else ""
    return value


def _read(text: str) -> Json:
    if len(text) > LONGEST:
        raise Invalid("This file is too long for a certificate of timeliness.")
    try:
        document = json.loads(text, object_pairs_hook=_once, parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Invalid("This is not a certificate of timeliness: it cannot be read as its JSON.") from None
    is_certificate = (
        isinstance(document, dict)
        and document.keys() == PARTS
        and isinstance(document["certificate"], dict)
        and isinstance(document["signature"], dict)
        and document["signature"].keys() == SIGNATURE
    )
    if not is_certificate:
        raise Invalid("This is not a certificate of timeliness: it needs a certificate, its sha256 and its signature.")
    whole: Json = document
    return whole


def _once(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(written: str) -> Any:
    raise ValueError("a certificate holds no fractions")


def _seal_differences(document: Json, key: Ed25519PublicKey | None) -> Iterator[str]:
    signature = document["signature"]
    try:
        content = canonical(document["certificate"]).encode()
    except (DomainError, UnicodeEncodeError):
        yield "The content has no canonical form."
        return
    if hashlib.sha256(content).hexdigest() != document["sha256"]:
        yield "The content was changed: it does not fit its sha256."
    if signature["algorithm"] != ALGORITHM:
        yield f"The signature's algorithm is not {ALGORITHM}."
    carried = _carried_key(signature["public_key"])
    if carried is None:
        yield "The public key in the file is none."
    elif key_id_of(carried) != signature["key_id"]:
        yield f"The public key in the file has the id {key_id_of(carried)}; {signature['key_id']} is stated."
    elif key and _raw(key) != _raw(carried):
        yield f"Another key signed this: {signature['key_id']}, not {key_id_of(key)}."
    if (key or carried) and not _is_signed(content, signature["value"], key or carried):
        yield "The signature does not fit the content: it was changed, or another key signed it."


def _carried_key(written: Any) -> Ed25519PublicKey | None:
    raw = _exact_bytes(written)
    return Ed25519PublicKey.from_public_bytes(raw) if raw is not None and len(raw) == SEED_BYTES else None


def _exact_bytes(written: Any) -> bytes | None:
    """Base64 in its one exact spelling."""
    try:
        raw = base64.b64decode(written, validate=True)
    except (ValueError, TypeError):
        return None
    return raw if base64.b64encode(raw).decode() == written else None


def _is_signed(content: bytes, written: Any, key: Ed25519PublicKey | None) -> bool:
    value = _exact_bytes(written)
    if value is None or key is None:
        return False
    try:
        key.verify(value, content)
    except InvalidSignature:
        return False
    return True
