"""Every setting of the product, in one typed object.

Read from `LIAN_*` environment variables. A secret may come from a file instead: `LIAN_DATA_KEYS_FILE=/run/secrets/keys`
is read when `LIAN_DATA_KEYS` is not set. Unsafe defaults refuse to start unless `LIAN_DEMO=1`.
"""

from __future__ import annotations

import base64
import os
from functools import cached_property
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SECRETS = (
    *("database_url", "database_owner_url", "data_keys", "certificate_key"),
    *("metrics_token", "s3_secret_key", "smtp_url", "policy_http_token"),
)
MEGABYTE = 1024 * 1024


class UnsafeSettings(Exception):
    """The settings would run the product without protection outside demo mode."""


class Settings(BaseSettings):
    """Typed settings; durations in seconds, sizes in bytes, times in UTC unless a zone is named."""

    model_config = SettingsConfigDict(env_prefix="LIAN_", extra="ignore")

    home: Path = Path(".lian")
    demo: bool = False
    insurer_name: str = "Lian Insurance 立案保险"
    office_zone: str = "Asia/Shanghai"
    office_calendar: str = "CN"
    """Calendar of the office's working days: a published one such as `CN`, or `plain:Asia/Shanghai` for weekdays."""
    jurisdiction: str = "CN"
    """Whose law the cases are under, such as `CN`, `UK-ENG` or `US-CA`; empty: the house's own promises only."""
    currency: str = Field(default="CNY", pattern="^[A-Z]{3}$")

    database_url: SecretStr = SecretStr("")
    """Of the application's role, which can neither update nor delete journal rows."""
    database_owner_url: SecretStr = SecretStr("")
    """Of the role that owns the schema: used by migrations only."""

    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"

    s3_endpoint: str = "http://127.0.0.1:8333"
    s3_access_key: str = "lian"
    s3_secret_key: SecretStr = SecretStr("")
    s3_bucket: str = "lian"

    web_host: str = "127.0.0.1"
    web_port: int = 8080
    public_url: str = ""
    """Address customers and staff use, for links in letters; https makes cookies secure."""

    data_keys: SecretStr = SecretStr("")
    """Key ring `id:base64,id:base64`: AES-256 keys; the first encrypts, all decrypt."""
    certificate_key: SecretStr = SecretStr("")
    """Ed25519 key that signs certificates of timeliness: PEM, or 32 bytes in base64; empty: none are issued."""

    desk_most_in_hand: int = Field(default=40, gt=0)
    """Whoever has so many tasks in hand, beside those put aside, is given no new one by get-next."""
    desk_oldest_in_hand_days: int = Field(default=30, gt=0)
    """Nor whoever has had one in hand for longer than this."""

    desk_deals: Annotated[tuple[str, ...], NoDecode] = ()
    """Queues of which workers deal free tasks to people by themselves, separated by commas; empty: none."""
    desk_relax_after_hours: float = Field(default=4, ge=0.25, le=24 * 90)
    """A free task that has waited so long needs licences only, no skills."""

    max_upload: int = Field(default=25 * MEGABYTE, gt=0)
    session_hours: int = Field(default=12, gt=0)
    smtp_url: SecretStr = SecretStr("")
    mail_from: str = "lian@localhost"
    policy_http_url: str = ""
    """Base address of the insurer's own policy system; empty: the register in Postgres is used."""
    policy_http_token: SecretStr = SecretStr("")
    metrics_token: SecretStr = SecretStr("")
    """Who sends it as a bearer token may read `/metrics`; empty: only on the machine itself, where no proxy stands."""
    sanctions_list: str = ""
    """File of names that must not be paid, text or CSV; empty: the shipped list, which has none."""
    max_cached_cases: int = Field(default=400, gt=0)
    """Case processes a worker keeps in memory, about 0.7 MB each; the others are replayed when needed."""
    log_level: str = "INFO"

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, values: dict[str, object]) -> dict[str, object]:
        for name in SECRETS:
            path = os.environ.get(f"LIAN_{name.upper()}_FILE")
            if path and not values.get(name):
                values[name] = Path(path).read_text(encoding="utf-8").strip()
        return values

    @field_validator("desk_deals", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        return tuple(filter(None, (name.strip() for name in given.split(",")))) if isinstance(given, str) else given

    @cached_property
    def zone(self) -> ZoneInfo:
        """The office's time zone: working days and case-number years follow it."""
        return ZoneInfo(self.office_zone)

    @cached_property
    def key_ring(self) -> dict[str, bytes]:
        """Key id to 32-byte key, in order; the first one encrypts."""
        ring: dict[str, bytes] = {}
        for entry in filter(None, self.data_keys.get_secret_value().split(",")):
            key_id, _, encoded = entry.partition(":")
            key = base64.b64decode(encoded)
            if len(key) != 32:
                raise UnsafeSettings(f"LIAN_DATA_KEYS: the key {key_id!r} must have 32 bytes, it has {len(key)}.")
            ring[key_id] = key
        return ring

    @property
    def secure_cookies(self) -> bool:
        """Cookies are sent over https only once the public address is https."""
        return self.public_url.startswith("https://")

    def require_safe(self) -> None:
        """Refuse to start with what would leave data open. Raises `UnsafeSettings` in one plain sentence."""
        if not self.key_ring:
            raise UnsafeSettings(
                "LIAN_DATA_KEYS (or LIAN_DATA_KEYS_FILE) is not set: personal data could not be encrypted."
            )
        if not self.s3_secret_key.get_secret_value():
            raise UnsafeSettings("LIAN_S3_SECRET_KEY (or its _FILE) is not set: the document store would be open.")
        if not self.database_url.get_secret_value():
            raise UnsafeSettings("LIAN_DATABASE_URL (or its _FILE) is not set: there is no database to use.")
        loopback = self.web_host in {"127.0.0.1", "::1", "localhost"}
        if not self.demo and not loopback and not self.secure_cookies:
            raise UnsafeSettings(
                "LIAN_PUBLIC_URL must be an https address when the web process listens beyond loopback: "
                "sign-ins would cross the network in the clear."
            )
