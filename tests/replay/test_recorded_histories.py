"""The replay gate: today's procedures must still agree with the histories recorded from earlier ones."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from lian.db.crypto import KeyRing
from lian.domain.messages import CaseState
from workflows.claim import Claim
from workflows.codec import data_converter
from workflows.registry import WORKFLOWS
from workflows.sandbox import runner

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))
RING = KeyRing({"k1": bytes(range(32))})


def replayer(workflows: list[type]) -> Replayer:
    return Replayer(workflows=workflows, workflow_runner=runner(), data_converter=data_converter(RING))


def history(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(path.stem, path.read_text(encoding="utf-8"))


def test_there_are_histories_of_every_way_a_claim_can_end() -> None:
    ends = {path.stem.split("-")[1] for path in HISTORIES if path.stem.startswith("claim-")}
    assert {"paid", "denied", "withdrawn", "disputed", "suspicious", "corrected"} <= ends


def test_there_is_a_history_of_everything_that_workers_offer() -> None:
    recorded = {path.stem.split("-")[0] for path in HISTORIES}
    assert recorded == {each.__name__.lower() for each in WORKFLOWS}


@pytest.mark.parametrize("path", HISTORIES, ids=lambda p: p.stem)
async def test_a_recorded_history_replays(path: Path) -> None:
    result = await replayer(WORKFLOWS).replay_workflow(history(path), raise_on_replay_failure=False)
    assert result.replay_failure is None


@workflow.defn(name="Claim", sandboxed=False)
class WithoutReview(Claim):
    """A careless edit: the review is gone."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: CaseState) -> str:
        self.state.done.append("review")
        return await self.perform(self.procedure)


async def test_a_procedure_that_skips_a_stage_is_caught() -> None:
    path = next(p for p in HISTORIES if "paid" in p.stem)
    result = await replayer([WithoutReview]).replay_workflow(history(path), raise_on_replay_failure=False)
    assert result.replay_failure is not None


def test_the_histories_hold_ciphertext_only() -> None:
    for path in HISTORIES:
        assert base64.b64encode("赵磊".encode()).decode() not in path.read_text(encoding="utf-8")
