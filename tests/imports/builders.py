"""Small claims files: one good row by default, everything else by keyword."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from lian.domain.claims.import_mapping import ClaimsMapping, read_mapping

REAL_FILE = Path(__file__).parents[3] / "shared" / "data" / "auto_claims_dev.csv"
GOOD = {
    "policy_number": "367455",
    "policy_bind_date": "2014-06-06",
    "policy_csl": "250/500",
    "policy_deductable": "1000",
    "incident_date": "2015-02-17",
    "incident_hour_of_the_day": "20",
    "incident_type": "Single Vehicle Collision",
    "collision_type": "Rear Collision",
    "incident_severity": "Minor Damage",
    "authorities_contacted": "Police",
    "incident_state": "NY",
    "incident_city": "Arlington",
    "incident_location": "3041 3rd Ave",
    "number_of_vehicles_involved": "1",
    "bodily_injuries": "0",
    "police_report_available": "NO",
    "total_claim_amount": "6500",
    "injury_claim": "1300",
    "property_claim": "650",
    "vehicle_claim": "4550",
    "auto_make": "Saab",
    "auto_model": "95",
    "auto_year": "2009",
}


def row(**changes: str) -> dict[str, str]:
    """A good row, changed here and there."""
    return GOOD | changes


def csv_text(rows: Sequence[dict[str, str]], *, header: Sequence[str] = tuple(GOOD)) -> str:
    """Rows as a CSV file."""
    out = io.StringIO()
    writer = csv.DictWriter(out, header, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def default_data() -> dict[str, Any]:
    """The shipped mapping, before it is read."""
    shipped = files("lian.domain.claims") / "mappings" / "auto_claims.toml"
    return tomllib.loads(shipped.read_text(encoding="utf-8"))


def default_mapping() -> ClaimsMapping:
    """The shipped mapping."""
    return read_mapping(default_data())
