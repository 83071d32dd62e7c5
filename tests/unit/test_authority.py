"""Authority: what one may decide alone, whom a larger decision climbs to, and tables that contradict themselves."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lian.auth.actor import Actor
from lian.auth.permissions import PERMISSIONS, ROLE_LABELS, permissions_of
from lian.auth.permissions import ROLES as GRANTS
from lian.domain.authority import (
    AUTHORITY_VERSION,
    DECISIONS,
    HIGHEST,
    HOUSE,
    ROLES,
    TABLES,
    AuthorityLevel,
    AuthorityTable,
    BadTable,
    ceiling,
    is_within_authority,
    levels_above,
    limit_of,
    read_table,
)
from lian.domain.case_kinds import KINDS

pytestmark = pytest.mark.req("CLM-9")

SMALL = """
version = "ours/1"
effective_from = 2026-01-01
[levels]
claims_adjuster_junior = 1
team_lead = 2
[[limits]]
decision = "claim"
claims_adjuster_junior = 100
team_lead = "250.50"
[[limits]]
decision = "claim"
line = "health"
claims_adjuster_junior = 40
"""


@pytest.mark.parametrize(
    ("roles", "limit"),
    [
        (["claims_adjuster_junior"], 10_000),
        (["claims_adjuster_senior"], 50_000),
        (["claims_adjuster_junior", "team_lead"], 1_000_000),
        (["claims_manager"], 5_000_000),
        (["special_investigator"], 0),
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
    assert not is_within_authority(roles={"claims_adjuster_junior"}, amount=Decimal(0), decision="write_off")


@pytest.mark.parametrize(
    ("amount", "roles"),
    [
        ("10000", ["claims_adjuster_junior", "claims_adjuster_senior", "team_lead", "claims_manager"]),
        ("10000.01", ["claims_adjuster_senior", "team_lead", "claims_manager"]),
        ("1000000", ["team_lead", "claims_manager"]),
        ("5000000", ["claims_manager"]),
        ("5000000.01", []),
    ],
)
def test_a_decision_climbs_to_the_lowest_level_that_covers_it(amount: str, roles: list[str]) -> None:
    assert [level.role for level in levels_above(amount=Decimal(amount))] == roles


@pytest.mark.parametrize("role", ["claims_adjuster_junior", "claims_adjuster_senior", "team_lead", "claims_manager"])
def test_less_may_be_advanced_and_more_reserved_than_paid(role: str) -> None:
    advance, claim, reserve = (limit_of([role], decision=d) for d in ("advance", "claim", "reserve"))
    assert advance < claim < reserve


def test_each_kind_of_decision_has_its_own_limits_and_an_unknown_one_none() -> None:
    assert limit_of(["team_lead"], decision="write_off") == 100_000
    assert limit_of(["team_lead"], decision="nonsense") == 0
    assert levels_above(amount=Decimal(1), decision="nonsense") == ()


def test_the_ceiling_is_the_highest_limit_anybody_has() -> None:
    assert HIGHEST == ceiling() == 5_000_000
    assert ceiling(decision="reserve", line="motor") == 20_000_000
    assert ceiling(decision="nonsense") == 0


# --- lines of business ------------------------------------------------------------------------------------------------


def test_a_limit_of_the_line_counts_before_the_one_for_any_line_also_where_it_is_lower() -> None:
    table = read_table(SMALL)
    assert limit_of(["claims_adjuster_junior"], line="health", table=table) == 40
    assert limit_of(["claims_adjuster_junior"], line="motor", table=table) == 100
    assert limit_of(["claims_adjuster_junior"], table=table) == 100


def test_a_role_the_line_does_not_name_keeps_its_limit_for_any_line() -> None:
    table = read_table(SMALL)
    assert limit_of(["team_lead"], line="health", table=table) == Decimal("250.50")
    assert [row.role for row in levels_above(amount=Decimal(50), line="health", table=table)] == ["team_lead"]
    assert ceiling(line="health", table=table) == Decimal("250.50")


# --- versions ---------------------------------------------------------------------------------------------------------


def test_every_version_a_decision_may_name_stays_readable() -> None:
    assert list(TABLES) == ["house-authority/1", "house-authority/2"]
    assert AUTHORITY_VERSION == HOUSE.version == "house-authority/2"
    first = TABLES["house-authority/1"]
    assert ceiling(table=first) == 1_000_000
    assert limit_of(["claims_manager"], table=first) == 0
    assert ceiling(decision="advance", table=first) == 0
    assert first.effective_from is not None
    assert HOUSE.effective_from is not None
    assert first.effective_from < HOUSE.effective_from


def test_the_house_table_decides_on_everything_a_task_or_action_asks() -> None:
    asked = {task.decision for kind in KINDS.values() for task in kind.tasks}
    asked |= {action.decision for kind in KINDS.values() for action in kind.actions}
    assert asked <= DECISIONS.keys()
    assert {row.decision for row in HOUSE.rows} == DECISIONS.keys()


def test_every_role_is_named_once_everywhere() -> None:
    assert list(ROLES) == sorted(set(ROLES))
    assert set(ROLES) == GRANTS.keys() == ROLE_LABELS.keys()
    assert list(PERMISSIONS) == sorted(PERMISSIONS)
    assert permissions_of(list(ROLES)) == PERMISSIONS.keys()


@pytest.mark.req("SEC-1")
def test_every_task_is_somebodys_work() -> None:
    for kind in KINDS.values():
        for task in kind.tasks:
            assert task.permission in PERMISSIONS, task.id
            assert any(task.permission in granted for granted in GRANTS.values()), task.id
        assert {action.permission for action in kind.actions} <= PERMISSIONS.keys()


# --- tables that contradict themselves --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('version = "ours/1"\n', "", "needs a version"),
        ('"ours/1"', '""', "no version"),
        ("2026-01-01", '"soon"', "effective_from"),
        ("2026-01-01", "2026-01-01T08:00:00", "effective_from"),
        ("team_lead = 2", "team_leed = 2", "Unknown in .levels.: team_leed"),
        ("team_lead = 2", "team_lead = 2.5", "whole number"),
        ("team_lead = 2", "team_lead = true", "whole number"),
        ("team_lead = 2", "team_lead = 0", "1 or more"),
        ('decision = "claim"\nline', 'decision = "clame"\nline', "no kind of decision clame"),
        ('"health"', '"heath"', "no line of business heath"),
        ('line = "health"\n', "", "two limits for claim, any line"),
        ("= 40", "= 400", "limit of team_lead must be above that of claims_adjuster_junior"),
        ("= 40", '= "250.50"', "must be above"),
        ("= 40", "= -1", "cannot be negative"),
        ("= 40", "= 40.5", "whole number, or a text"),
        ("= 40", "= true", "whole number, or a text"),
        ("= 40", '= "many"', "must be a number"),
        ("= 40", '= "0.001"', "two decimals"),
        ("= 40", "= 40\nclaims_manager = 50", "only roles of .levels."),
        ("[levels]", "[level]", "Unknown in the table: level"),
        ("[[limits]]", "[[limits", "not TOML"),
    ],
)
def test_a_table_that_is_wrong_is_refused_with_the_reason(old: str, new: str, what: str) -> None:
    assert old in SMALL
    with pytest.raises(BadTable, match=what):
        read_table(SMALL.replace(old, new, 1))


def test_a_table_without_limits_is_refused() -> None:
    with pytest.raises(BadTable, match=r"needs .*limits"):
        read_table('version = "x"\neffective_from = 2026-01-01\n[levels]\nteam_lead = 1\n')


def test_roles_of_one_level_may_share_a_limit() -> None:
    rows = tuple(AuthorityLevel(1, role, Decimal(5)) for role in ("claims_adjuster_senior", "underwriter"))
    assert limit_of(["underwriter"], table=AuthorityTable(version="ours/2", rows=rows)) == 5


def test_an_insurer_may_bring_its_own_table() -> None:
    table = AuthorityTable(version="ours/3", rows=(AuthorityLevel(1, "underwriter", Decimal(5)),))
    assert limit_of(["underwriter"], table=table) == 5
    assert not is_within_authority(roles=["team_lead"], amount=Decimal(1), table=table)


def test_the_shipped_tables_are_in_the_package() -> None:
    for name in ("authority.v1.toml", "authority.v2.toml"):
        assert (files("lian.domain") / "tables" / name).is_file()


@given(
    st.decimals(min_value=0, max_value=30_000_000, places=2),
    st.sampled_from(sorted(DECISIONS)),
    st.sampled_from(["", "motor", "health"]),
)
def test_what_one_may_decide_and_whom_it_climbs_to_never_disagree(amount: Decimal, decision: str, line: str) -> None:
    climbs = [row.role for row in levels_above(amount=amount, decision=decision, line=line)]
    alone = [role for role in ROLES if is_within_authority(roles=[role], amount=amount, decision=decision, line=line)]
    assert sorted(climbs) == sorted(alone)
    assert bool(climbs) == (amount <= ceiling(decision=decision, line=line))


# --- people -----------------------------------------------------------------------------------------------------------


def test_a_persons_authority_is_that_of_the_decision() -> None:
    li = Actor(id="staff:li", name="Li", roles=("team_lead",))
    assert li.authority == li.authority_for("claim", "motor") == 1_000_000
    assert li.authority_for("advance", "") == 200_000
    assert replace(li, roles=("customer_service",)).authority == 0
