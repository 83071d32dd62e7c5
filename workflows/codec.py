"""What Temporal stores is ciphertext, failures included. Never imported by a workflow module."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec

from lian.db.crypto import KeyRing, UnknownKey

ENCODING = b"binary/lian-aes256gcm"
KEY_WAIT_SECONDS = 5.0


class EncryptingCodec(PayloadCodec):
    """AES-256-GCM per payload; the key id travels in the metadata, so that keys can be rotated under open cases."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt."""
        return [self._encode(p) for p in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt; payloads of another encoding pass. A missing key is waited for: retried, never lost."""
        try:
            return [self._decode(p) for p in payloads]
        except UnknownKey:
            await asyncio.sleep(KEY_WAIT_SECONDS)
            raise

    def _encode(self, payload: Payload) -> Payload:
        key_id, sealed = self._ring.encrypt(payload.SerializeToString(), about=ENCODING)
        return Payload(metadata={"encoding": ENCODING, "key-id": key_id.encode()}, data=sealed)

    def _decode(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        plain = self._ring.decrypt(payload.metadata["key-id"].decode(), payload.data, about=ENCODING)
        return Payload.FromString(plain)


def data_converter(ring: KeyRing) -> DataConverter:
    """Pydantic for shapes, our codec for secrecy, failures encoded too."""
    return dataclasses.replace(
        pydantic_data_converter,
        payload_codec=EncryptingCodec(ring),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
