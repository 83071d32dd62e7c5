"""The demo's people, policies and claims: all made up, all from one seed."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from lian.domain.claims.fnol import ClaimedLoss, FnolReport, PersonGiven
from lian.domain.claims.terms import CoverageTerms, Line, LossCause
from lian.domain.labels import Label
from lian.domain.parties import Channel, PartyRole
from lian.services.policies import CustomerGiven, PolicyGiven

ZONE = "Asia/Shanghai"
PASSWORD = "lian-demo-2026"  # noqa: S105  (printed for whoever starts a demo; a demo stack listens on loopback only)

CAST = (
    ("wang", "王敏 Wang Min", "claims_adjuster_junior"),
    ("chen", "陈静 Chen Jing", "claims_adjuster_senior"),
    ("li", "李强 Li Qiang", "team_lead"),
    ("gao", "高远 Gao Yuan", "claims_manager"),
    ("tang", "唐宁 Tang Ning", "panel_member"),
    ("peng", "彭涛 Peng Tao", "panel_member"),
    ("shen", "沈洁 Shen Jie", "special_investigator"),
    ("qian", "钱进 Qian Jin", "compliance"),
    ("sun", "孙丽 Sun Li", "customer_service"),
    ("wei", "魏东 Wei Dong", "external_adjuster"),
    ("ning", "宁远 Ning Yuan", "agent"),
    ("zhou", "周婷 Zhou Ting", "operations"),
    ("admin", "管理员 Administrator", "administrator"),
)

PEOPLE = (
    *("赵磊", "吴秀英", "郑浩然", "冯雪", "蒋丽华", "沈建国", "韩梅", "杨柳", "朱一鸣", "秦岚"),
    *("许文涛", "何佳", "吕志强", "施婉清", "张伟", "孔令辉", "曹颖", "严冬", "华晨", "金秀贤"),
    *("Emma Carter", "Liam Nguyen", "Olivia Rossi", "Noah Schmidt", "Ava Okafor", "Mateo García", "Chloé Martin"),
    *("Jack O'Brien", "Sofia Kowalska", "Daniel Kim", "Grace Lee", "Hugo Lindqvist", "Priya Patel", "Tom Baker"),
)

COVERAGES: dict[Line, tuple[CoverageTerms, ...]] = {
    Line.MOTOR: (
        CoverageTerms(
            code="OD",
            label=Label("Own damage", "车辆损失险"),
            limit=Decimal(200_000),
            deductible=Decimal(500),
            excluded_causes=(LossCause.INTOXICATION, LossCause.WEAR),
            clause="车险条款 6",
        ),
        CoverageTerms(
            code="PD", label=Label("Property damage", "第三者财产损失"), limit=Decimal(100_000), clause="车险条款 22"
        ),
        CoverageTerms(
            code="BI", label=Label("Bodily injury", "第三者人身伤亡"), limit=Decimal(500_000), clause="车险条款 21"
        ),
    ),
    Line.HEALTH: (
        CoverageTerms(
            code="MED",
            label=Label("Medical expenses", "住院医疗费用"),
            limit=Decimal(300_000),
            deductible=Decimal(1000),
            waiting_days=30,
            clause="医疗险条款 5",
        ),
        CoverageTerms(
            code="CI",
            label=Label("Critical illness", "重大疾病"),
            limit=Decimal(500_000),
            waiting_days=90,
            clause="重疾险条款 4",
        ),
    ),
    Line.PROPERTY: (
        CoverageTerms(
            code="BLD",
            label=Label("Building", "房屋主体"),
            limit=Decimal(800_000),
            deductible=Decimal(2000),
            excluded_causes=(LossCause.EARTHQUAKE, LossCause.WEAR),
            clause="家财险条款 7",
        ),
        CoverageTerms(
            code="CON",
            label=Label("Contents", "室内财产"),
            limit=Decimal(80_000),
            deductible=Decimal(300),
            clause="家财险条款 8",
        ),
    ),
    Line.ACCIDENT: (
        CoverageTerms(
            code="ADD",
            label=Label("Death and disability", "意外身故伤残"),
            limit=Decimal(500_000),
            clause="意外险条款 3",
        ),
        CoverageTerms(
            code="ACM",
            label=Label("Accident medical expenses", "意外医疗"),
            limit=Decimal(30_000),
            deductible=Decimal(100),
            clause="意外险条款 4",
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Story:
    """One kind of loss: what happened, where, under which coverage and for how much (from, to; in whole yuan)."""

    line: Line
    cause: LossCause
    zh: str
    en: str
    place: str
    losses: tuple[tuple[str, int, int], ...]
    injured: int = 0


def _stories() -> tuple[Story, ...]:
    text = (files("infra.simulator") / "demo_stories.toml").read_text(encoding="utf-8")
    return tuple(_read(each) for each in tomllib.loads(text)["stories"])


def _read(told: dict[str, Any]) -> Story:
    losses = tuple((code, low, high) for code, low, high in told["losses"])
    return Story(**told | {"line": Line(told["line"]), "cause": LossCause(told["cause"]), "losses": losses})


STORIES = _stories()
CHANNELS = (Channel.WEB, Channel.PHONE, Channel.PHONE, Channel.AGENT, Channel.IN_PERSON)

LARGE = 40_000
"""Far above what a junior adjuster may decide alone; in whole yuan."""

TARGETS: tuple[tuple[str, int], ...] = (
    ("untouched", 6),
    ("waiting_for_customer", 5),
    ("partly_sent", 2),
    ("documents_to_check", 3),
    ("assessment", 4),
    ("assessment_held", 2),
    ("special", 1),
    ("corrected", 1),
    ("decision", 3),
    ("panel", 1),
    ("authority", 4),
    ("settlement", 2),
    ("objection", 1),
    ("with_bank", 2),
    ("paid", 5),
    ("recovery", 1),
    ("denied", 3),
    ("withdrawn", 1),
)
"""How far each of the demo's claims has come, and how many of each."""
PAID = frozenset({"paid", "recovery"})
"""Where the bank has to play along."""
DUPLICATE, REPEATED = "duplicate", "assessment"
"""One more report, of a loss that is known already: of a claim that has come so far."""
GARAGE = PersonGiven(name="顺达汽修 Shunda Garage", phone="13900009999")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoClaim:
    """One claim of the demo and how far it shall come."""

    key: str
    target: str
    policy: PolicyGiven
    report: FnolReport
    channel: Channel


def demo_claims(now: datetime, seed: int = 1) -> list[DemoClaim]:
    """The demo's claims as of `now`: the losses lie within the last weeks."""
    targets = [target for target, count in TARGETS for _ in range(count)]
    random = Random(seed)  # noqa: S311
    people = random.sample(PEOPLE * 2, len(targets))
    claims = [_claim(n, target, people[n], random, now) for n, target in enumerate(targets)]
    random.shuffle(claims)
    known = by_target(claims, REPEATED)[0]
    again = replace(known.report, reporter=GARAGE, claimants=(known.report.reporter,))
    return [*claims, replace(known, key=f"demo:{len(targets)}", target=DUPLICATE, report=again)]


def _claim(n: int, target: str, name: str, random: Random, now: datetime) -> DemoClaim:
    story = _story(n, target, random)
    number = f"{story.line.value[:2].upper()}{20_260_000 + n * 37}"
    reached = PersonGiven(name=name, phone=f"1390000{n:04d}", email=f"customer{n:02d}@example.com")
    customer = CustomerGiven(external_ref=f"demo/{n}", name=name, phone=reached.phone, email=reached.email)
    loss_at = (now - timedelta(hours=random.randint(6, 20 * 24))).replace(minute=0, second=0, microsecond=0)
    local = loss_at.astimezone(ZoneInfo(ZONE)).date()
    return DemoClaim(
        key=f"demo:{n}",
        target=target,
        policy=PolicyGiven(
            number=number,
            line=story.line,
            currency="CNY",
            zone=ZONE,
            term_from=_term_from(target, local, random),
            term_to=None,
            coverages=COVERAGES[story.line],
            parties={PartyRole.POLICYHOLDER: customer, PartyRole.INSURED: customer},
        ),
        report=FnolReport(
            policy_number=number,
            loss_cause=story.cause,
            loss_at=loss_at,
            reported_at=min(loss_at + timedelta(hours=random.randint(1, 5)), now),
            place=story.place,
            course=story.zh if "\u4e00" <= name[0] <= "\u9fff" else story.en,
            injured=story.injured,
            reporter=reached,
            losses=_losses(story, random),
        ),
        channel=random.choice(CHANNELS),
    )


def _story(n: int, target: str, random: Random) -> Story:
    """Above a junior's limit where somebody else has to agree; small where money has flowed already."""
    fitting = list(STORIES)
    if target == "authority":
        fitting = [s for s in STORIES if sum(low for _, low, _ in s.losses) >= LARGE / 2]
    if target in PAID:
        fitting = [s for s in STORIES if sum(high for _, _, high in s.losses) <= LARGE]
    return fitting[(n + random.randint(0, 1)) % len(fitting)]


def _term_from(target: str, loss_on: date, random: Random) -> date:
    """Long before the loss; among the denied also a policy that began after it."""
    if target == "denied" and random.random() < 0.5:
        return loss_on + timedelta(days=3)
    return loss_on - timedelta(days=random.randint(200, 900))


def _losses(story: Story, random: Random) -> tuple[ClaimedLoss, ...]:
    return tuple(
        ClaimedLoss(coverage_code=code, claimed_amount=Decimal(random.randrange(low, high, 10)))
        for code, low, high in story.losses
    )


def by_target(claims: Sequence[DemoClaim], target: str) -> list[DemoClaim]:
    """The claims that shall come so far."""
    return [claim for claim in claims if claim.target == target]
