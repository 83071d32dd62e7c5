"""Faults on the whole, real stack: processes killed while robots work, and the engine away (faults 1, 3, 4)."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest

from infra.embedded.identity import marked
from tests.cast import PASSWORD, pdf
from tests.imports.builders import csv_text, row
from tests.servers import RUN_VARIABLE, Servers, stacks

CHECKOUT = Path(__file__).parents[2]
CASES = 12
KILLS = ("worker", "worker", "temporal", "worker", "web")
BETWEEN_KILLS = 2.0
REAL_ROWS = "LIAN_FAULT_FILE"
"""Names a claims file to run the kill test on instead: all its rows, more kills, more time."""

pytestmark = pytest.mark.timeout(1500 if os.environ.get(REAL_ROWS) else 700)


class Stack:
    """A stack of the product in a folder of its own."""

    def __init__(self, home: Path) -> None:
        self.environment = {**os.environ, "LIAN_HOME": str(home)}
        self.home = home

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            (sys.executable, "-m", "lian", *words),
            cwd=CHECKOUT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, given: str = "") -> str:
        process = self.start(*words)
        said, complained = process.communicate(given, timeout=240)
        assert process.returncode == 0, said + complained
        return said

    def status(self) -> dict[str, Any]:
        process = self.start("status", "--json")
        return dict(json.loads(process.communicate(timeout=30)[0]))

    def process(self, name: str) -> psutil.Process:
        return psutil.Process(next(p["pid"] for p in self.status()["processes"] if p["name"] == name))


@pytest.fixture
def stack(servers: Servers) -> Iterator[Stack]:
    """Nothing of `servers` is used, but their keeper clears this stack away should the run be killed."""
    home = Path(tempfile.mkdtemp(dir=stacks(Path(os.environ[RUN_VARIABLE]))))
    made = Stack(home)
    try:
        made.run("up", "--detach")
        yield made
    finally:
        made.run("down")
        left = marked(home)
        shutil.rmtree(home, ignore_errors=True)
        assert left == []


@pytest.fixture
def api(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.status()["api"], timeout=15) as client:
        yield client


def sign_in(stack: Stack, api: httpx.Client, name: str, *roles: str) -> dict[str, str]:
    stack.run("users", "create", name, *(word for r in roles for word in ("--role", r)), given=PASSWORD + "\n")
    token = api.post("/sessions", json={"username": name, "password": PASSWORD}).json()["token"]
    return {"Authorization": f"Bearer {token}"}


def until(wanted: Callable[[], bool], within: float = 60) -> None:
    deadline = time.monotonic() + within
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.req("CLM-10")
def test_killing_worker_engine_and_web_while_robots_work_loses_and_doubles_nothing(
    stack: Stack, tmp_path: Path
) -> None:
    real = os.environ.get(REAL_ROWS)
    file = Path(real) if real else made_up(tmp_path / "claims.csv")
    cases = len(list(csv.DictReader(file.open(encoding="utf-8", newline=""))))
    stack.run("import", "claims", str(file), "--rejects", str(tmp_path / "rejected.csv"))
    robots = stack.start("simulate", "--staff", "12", "--until-closed", "--json", "--seed", "3")
    for name in (*KILLS, "worker", "worker") if real else KILLS:
        time.sleep(BETWEEN_KILLS * (10 if real else 1))
        stack.process(name).kill()
        until(lambda: bool(stack.status()["ready"]))
    said, complained = robots.communicate(timeout=1200 if real else 600)
    assert robots.returncode == 0, said + complained
    report = json.loads(said)
    sys.stdout.write(json.dumps({k: v for k, v in report.items() if k != "commands"}, indent=1) + "\n")
    assert report["cases"] == cases
    assert sum(report["outcomes"].values()) == cases
    assert (report["problems"], report["damages"], report["differences"]) == ([], [], [])
    stack.run("journal", "verify")
    stack.run("journal", "rebuild", "--check")
    assert personal_data_in(stack.home) == []


def personal_data_in(home: Path) -> list[str]:
    """Logs and Temporal's own file that hold a name, a mail address or an account of the claims just worked (I8)."""
    canaries = (b"Policyholder 7", b"@example.com", b"Account holder of", b"Garage at the corner", b"Liable party")
    places = [*home.glob("logs/*"), *(home / "temporal").glob("temporal.db*")]
    assert len(places) > len(KILLS)
    return [f"{p.name}: {c.decode()}" for p in places for c in canaries if c in p.read_bytes()]


def made_up(file: Path) -> Path:
    """A few good rows."""
    rows = [row(policy_number=str(700_000 + n)) for n in range(CASES)]
    file.write_text(csv_text(rows), encoding="utf-8")
    return file


@pytest.mark.req("CLM-1")
def test_while_the_engine_is_away_intake_upload_and_tracking_work_and_answers_wait(
    stack: Stack, api: httpx.Client
) -> None:
    office = sign_in(stack, api, "office", "customer_service", "administrator")
    adjuster = sign_in(stack, api, "adjuster", "claims_adjuster_senior")
    policy = {
        "line": "motor",
        "currency": "CNY",
        "zone": "Asia/Shanghai",
        "term_from": "2020-01-01",
        "term_to": None,
        "coverages": [{"code": "OD", "label_en": "Own damage", "label_zh": "车辆损失", "limit": "100000"}],
        "parties": {"policyholder": {"external_ref": "z", "name": "赵磊", "phone": "13800000001", "email": ""}},
    }
    assert api.put("/policies/P-AWAY", json=policy, headers=office).status_code == 201
    before = report_loss(api, office)
    until(lambda: take(api, adjuster) or bool(mine(api, adjuster)))
    (task,) = mine(api, adjuster)
    engine = stack.process("temporal")
    engine.send_signal(signal.SIGSTOP)
    try:
        during = report_loss(api, office, days_ago=20)  # another loss: one of the same day would be judged first
        files = {"file": ("id.pdf", pdf("away"), "application/pdf")}
        sent = api.post(f"/cases/{before}/documents", data={"item": "identity"}, files=files, headers=adjuster)
        assert sent.status_code == 201, sent.text
        assert api.get(f"/track/{during}", headers=adjuster).status_code == 200
        answer = {"outcome": {"complexity": "simple", "missing": []}, "notes": ""}
        key = {"Idempotency-Key": uuid4().hex}
        refused = api.post(f"/tasks/{task['id']}/complete", json=answer, headers=adjuster | key)
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert refused.json()["code"] == "unavailable"
    finally:
        engine.send_signal(signal.SIGCONT)
    until(lambda: api.post(f"/tasks/{task['id']}/complete", json=answer, headers=adjuster | key).status_code == 200)
    until(lambda: api.get(f"/cases/{during}", headers=adjuster).json()["stage"] == "review")


def report_loss(api: httpx.Client, office: dict[str, str], *, days_ago: int = 1) -> str:
    loss = {
        "policy_number": "P-AWAY",
        "loss_cause": "collision",
        "loss_at": (datetime.now(UTC) - timedelta(days=days_ago)).isoformat(),
        "place": "上海",
        "course": "追尾",
        "injured": 0,
        "reporter": {"name": "赵磊", "phone": "13800000001", "email": ""},
        "losses": [{"coverage_code": "OD", "claimed_amount": "5000.00"}],
    }
    answer = api.post("/claims", json=loss, headers=office | {"Idempotency-Key": uuid4().hex})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["number"])


def take(api: httpx.Client, adjuster: dict[str, str]) -> bool:
    return api.post("/queues/claims.review/next", headers=adjuster).status_code == 200


def mine(api: httpx.Client, adjuster: dict[str, str]) -> list[dict[str, Any]]:
    return list(api.get("/tasks", params={"mine": True}, headers=adjuster).json()["items"])
