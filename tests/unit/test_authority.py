"""Authority: what one may decide alone, and whom a larger decision climbs to."""

from __future__ import annotations

from decimal import Decimal

import pytest

from lian.domain.authority import AUTHORITY, HIGHEST, ROLES, AuthorityLevel, is_within_authority, levels_above, limit_of
from lian.domain.claims.tasks import check_authority
from lian.domain.errors import Invalid

pytestmark = pytest.mark.req("CLM-9")


@pytest.mark.parametrize(
    ("roles", "limit"),
    [
        (["claims_adjuster_junior"], 10_000),
        (["claims_adjuster_senior"], 50_000),
        (["claims_adjuster_junior", "team_lead"], 1_000_000),
        (["panel_member"], 0),
        (["administrator"], 0),
        (["customer"], 0),
        ([], 0),
    ],
)
def test_the_highest_role_gives_the_limit(roles: list[str], limit: int) -> None:
    assert limit_of(roles) == limit


@pytest.mark.parametrize(("amount", "is_within"), [("10000", True), ("10000.01", False), ("0", True)])
def test_the_limit_itself_is_within_authority(amount: str, is_within: bool) -> None:
    assert is_within_authority(roles={"claims_adjuster_junior"}, amount=Decimal(amount)) is is_within


def test_without_a_level_not_even_nothing_may_be_decided() -> None:
    assert not is_within_authority(roles={"administrator", "panel_member"}, amount=Decimal(0))


@pytest.mark.parametrize(
    ("amount", "roles"),
    [
        ("10000", ["claims_adjuster_junior", "claims_adjuster_senior", "team_lead"]),
        ("10000.01", ["claims_adjuster_senior", "team_lead"]),
        ("1000000", ["team_lead"]),
        ("1000000.01", []),
    ],
)
def test_a_decision_climbs_to_the_lowest_level_that_covers_it(amount: str, roles: list[str]) -> None:
    assert [level.role for level in levels_above(amount=Decimal(amount))] == roles


def test_an_insurer_may_bring_its_own_table() -> None:
    table = (AuthorityLevel(level=1, role="underwriter", limit=Decimal(5)),)
    assert limit_of(["underwriter"], table) == 5
    assert not is_within_authority(roles=["team_lead"], amount=Decimal(1), table=table)


def test_the_house_table_names_known_roles_and_rises() -> None:
    assert {row.role for row in AUTHORITY} <= set(ROLES)
    limits = [row.limit for row in sorted(AUTHORITY, key=lambda row: row.level)]
    assert limits == sorted(limits)
    assert list(ROLES) == sorted(set(ROLES))


@pytest.mark.req("CLM-9")
def test_an_amount_nobody_may_approve_is_refused_at_once_and_not_left_waiting() -> None:
    check_authority(HIGHEST)
    with pytest.raises(Invalid, match="Nobody has the authority"):
        check_authority(HIGHEST + Decimal("0.01"))
