"""Keys of people: each person's fields are sealed under that person's own data key (SEC-2, DOC-4: AES-256-GCM).

The data key is wrapped by the key ring. Destroying a person's row makes every sealed field of theirs unreadable for
good, in the journal and in its copies, while the chain of hashes still verifies.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Iterable
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from lian.db.tables import PersonKey

NONCE = 12
ERASED = ""
"""What a sealed field reads as once its person's key is destroyed."""


class UnknownKey(Exception):
    """A key id that the ring does not hold: restore the key and try again; nothing is lost."""


class KeyRing:
    """The keys of the installation: the first encrypts, all decrypt."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        if not keys:
            raise UnknownKey("the key ring is empty")
        self._keys = keys
        self.active = next(iter(keys))

    def encrypt(self, plain: bytes, *, about: bytes = b"") -> tuple[str, bytes]:
        """Key id and ciphertext; `about` must be given again to decrypt."""
        nonce = os.urandom(NONCE)
        return self.active, nonce + AESGCM(self._keys[self.active]).encrypt(nonce, plain, about)

    def decrypt(self, key_id: str, sealed: bytes, *, about: bytes = b"") -> bytes:
        """The plaintext. Raises `UnknownKey` for a key id that is not in the ring."""
        if key_id not in self._keys:
            raise UnknownKey(f"key {key_id!r} is not in the key ring")
        return AESGCM(self._keys[key_id]).decrypt(sealed[:NONCE], sealed[NONCE:], about)

    def fingerprint(self, value: str) -> str:
        """A keyed hash for equality searches and tokens; useless without the ring."""
        return hmac.new(self._keys[self.active], value.encode(), hashlib.sha256).hexdigest()

    def seal_text(self, plain: str) -> str:
        """Text that is not one person's, sealed under the ring itself."""
        key_id, sealed = self.encrypt(plain.encode())
        return f"{key_id}.{base64.b64encode(sealed).decode()}"

    def open_text(self, sealed: str) -> str:
        """The opposite of `seal_text`."""
        key_id, _, encoded = sealed.partition(".")
        return self.decrypt(key_id, base64.b64decode(encoded)).decode()


class PersonSeals:
    """The data keys one transaction needs; never kept longer, so that erasure takes effect at once."""

    def __init__(self, ring: KeyRing, keys: dict[UUID, bytes]) -> None:
        self._ring = ring
        self._keys = keys

    @classmethod
    async def load(
        cls, session: AsyncSession, ring: KeyRing, people: Iterable[UUID], *, create: bool = False
    ) -> PersonSeals:
        """Fetch the keys of these people; with `create`, make those that are missing."""
        wanted = set(people)
        if create:
            await cls._create_missing(session, ring, wanted)
        rows = (await session.execute(select(PersonKey).where(col(PersonKey.person_id).in_(wanted)))).scalars()
        return cls(ring, {r.person_id: ring.decrypt(r.key_id, r.wrapped, about=r.person_id.bytes) for r in rows})

    @staticmethod
    async def _create_missing(session: AsyncSession, ring: KeyRing, people: set[UUID]) -> None:
        known = set(
            (await session.execute(select(PersonKey.person_id).where(col(PersonKey.person_id).in_(people)))).scalars()
        )
        for person in sorted(people - known):
            key_id, wrapped = ring.encrypt(AESGCM.generate_key(256), about=person.bytes)
            await session.execute(
                insert(PersonKey).values(person_id=person, key_id=key_id, wrapped=wrapped).on_conflict_do_nothing()
            )

    def seal(self, person_id: UUID, plain: str) -> str:
        """Ciphertext of one field; an empty field stays empty."""
        if not plain:
            return ""
        nonce = os.urandom(NONCE)
        sealed = nonce + AESGCM(self._keys[person_id]).encrypt(nonce, plain.encode(), person_id.bytes)
        return base64.b64encode(sealed).decode()

    def unseal(self, person_id: UUID, sealed: str) -> str:
        """The field's text, or `ERASED` when its key is gone or it is damaged (`journal verify` names the latter)."""
        key = self._keys.get(person_id)
        if not sealed or key is None:
            return ERASED
        raw = base64.b64decode(sealed)
        try:
            return AESGCM(key).decrypt(raw[:NONCE], raw[NONCE:], person_id.bytes).decode()
        except InvalidTag:
            return ERASED
