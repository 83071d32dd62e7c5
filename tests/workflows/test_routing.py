"""Routes and dealing beside a real process: it neither knows nor waits, and its own batches route what they open."""

from __future__ import annotations

import asyncio

import pytest

from lian.db.tables import JournalEntry, Task
from lian.services.desk.routing import publish_routes
from lian.settings import Settings
from tests.services.made_routes import KEEP_ALL, written
from tests.workflows.hands import PATIENCE
from tests.workflows.office import Office, assert_sound, office

pytestmark = pytest.mark.req("TSK-3")


async def dealt(claim: Office, kind: str) -> Task:
    """The open task of this kind, once a worker has dealt it."""
    async with asyncio.timeout(PATIENCE):
        while not (task := await claim.open_task(kind)).holder:
            await asyncio.sleep(0.2)
    return task


async def test_a_worker_deals_what_the_process_opens_and_the_table_routes(settings: Settings) -> None:
    async with office(settings.model_copy(update={"desk_deals": ("claims.review",)}), injured=3) as claim:
        review = await dealt(claim, "initial_review")
        assert (review.holder, review.held_how, review.is_green) == (claim.adjuster.id, "automatic", True)
        row = {"_id": "assessing", "task": "'assess_loss'", "queue": "'claims.review'", "skills": "['licence:rare']"}
        zhou = await claim.who("zhou")
        await publish_routes(claim.context, zhou, written(row, KEEP_ALL), why="Reviewers assess as well")
        await claim.does("initial_review")
        assess = await claim.open_task("assess_loss")
        assert (assess.queue, assess.skills, assess.is_green) == ("claims.review", ["licence:rare"], False)
        routed = [e for e in await claim.rows(JournalEntry) if e.type == "task.routed"]
        assert [(e.body["table"], e.body["rule"], e.source) for e in routed] == [
            ("routes/1", "major_injured", "desk"),
            ("house-routes/1", "assessing", "desk"),
        ]
        await assert_sound(claim.context)
