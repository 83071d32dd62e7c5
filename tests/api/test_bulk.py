"""Bulk orders over the API: preview, order under a key, results in words, stopping and taking back (TSK-1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from lian.auth.actor import Actor
from lian.auth.secrets import hash_token, new_token
from lian.db.tables import BulkOrder, SignIn
from lian.services import desk
from lian.services.context import Context
from lian.services.desk.bulk_work import Worked, work_on
from tests.api.conftest import Headers, assert_problem, count, keyed, open_task
from tests.cast import reported_claim
from tests.services.test_bulk import hire

pytestmark = pytest.mark.req("TSK-1")


async def enter(context: Context, actor: Actor) -> Headers:
    """Sign somebody in."""
    token, now = new_token(), context.now()
    staff_id = UUID(actor.id.removeprefix("staff:"))
    async with context.transaction() as session:
        session.add(
            SignIn(token_hash=hash_token(token), staff_id=staff_id, created_at=now, expires_at=now + timedelta(hours=1))
        )
    return {"Authorization": f"Bearer {token}"}


async def authorisations(context: Context, n: int) -> list[str]:
    claim = await reported_claim(context)
    more = {"kind": "authorise", "queue": "claims.authority", "ask": {}}
    return [str(await open_task(context, claim.case_id, **more)) for _ in range(n)]


async def worked(context: Context, order_id: str) -> None:
    while await work_on(context, UUID(order_id), 0, beat=lambda: None) is Worked.ON:
        pass


def reassign(tasks: list[str], to: str = "chen", **more: Any) -> dict[str, Any]:
    return {"verb": "reassign", "tasks": tasks, "given": {"to": to, "note": "休假"}} | more


async def test_an_order_is_looked_at_given_watched_and_taken_back(api: httpx.AsyncClient, context: Context) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    headers, tasks = await enter(context, li), await authorisations(context, 3)
    await desk.claim_task(context, chen, UUID(tasks[0]))
    unknown = str(uuid4())
    answer = await api.post("/bulk/preview", json=reassign([*tasks, unknown]), headers=headers)
    assert answer.status_code == 200, answer.text
    preview = answer.json()
    assert (preview["status"], preview["total"], preview["handled"], preview["can_undo"]) == ("previewed", 4, 0, True)
    assert preview["counts"] == {"waiting": 2, "same": 1, "refused": 1, "done": 0, "undone": 0, "kept": 0}
    assert [(t["state"], t["words"]) for t in preview["tasks"]] == [
        ("same", ""),
        ("waiting", ""),
        ("waiting", ""),
        ("refused", "There is no task with this id."),
    ]
    assert (preview["to"], preview["to_name"], preview["note"]) == ("chen", "陈静", "休假")

    token = {"token": preview["id"]}
    answer = await api.post("/bulk", json=token, headers=keyed(headers, "once"))
    assert (answer.status_code, answer.json()["status"]) == (202, "running")
    again = await api.post("/bulk", json=token, headers=keyed(headers, "once"))
    assert (again.status_code, again.json()["id"]) == (202, preview["id"])
    assert_problem(await api.post("/bulk", json=token, headers=keyed(headers, "twice")), 409, "conflict")
    assert await count(context, BulkOrder) == 1

    await worked(context, preview["id"])
    order = (await api.get(f"/bulk/{preview['id']}", headers=headers)).json()
    assert (order["status"], order["handled"], order["counts"]["done"]) == ("done", 4, 2)
    listed = (await api.get("/bulk", headers=headers)).json()
    assert [(o["id"], o["by_name"]) for o in listed["items"]] == [(preview["id"], "李强")]

    await desk.release_task(context, chen, UUID(tasks[1]))
    answer = await api.post(f"/bulk/{preview['id']}/undo", headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (202, "undoing")
    await worked(context, preview["id"])
    kept = (await api.get(f"/bulk/{preview['id']}?state=kept", headers=headers)).json()
    assert kept["status"] == "undone"
    assert [(t["task_id"], t["words"]) for t in kept["tasks"]] == [
        (tasks[1], "Somebody has changed this task since; it is left as it is.")
    ]


async def test_its_tasks_are_read_page_by_page_and_by_what_became_of_them(
    api: httpx.AsyncClient, context: Context
) -> None:
    li, chen = await hire(context, "li"), await hire(context, "chen")
    headers, tasks = await enter(context, li), await authorisations(context, 5)
    await desk.claim_task(context, chen, UUID(tasks[2]))
    preview = (await api.post("/bulk/preview?limit=2", json=reassign(tasks), headers=headers)).json()
    seen, cursor = [t["task_id"] for t in preview["tasks"]], preview["next"]
    while cursor:
        page = (await api.get(f"/bulk/{preview['id']}?limit=2&cursor={cursor}", headers=headers)).json()
        seen, cursor = seen + [t["task_id"] for t in page["tasks"]], page["next"]
    assert seen == tasks
    chosen = await api.get(f"/bulk/{preview['id']}?state=same&state=refused", headers=headers)
    assert [t["task_id"] for t in chosen.json()["tasks"]] == [tasks[2]]
    for wrong in ("cursor=-1", "cursor=x", "cursor=99999999", "state=nowhere"):
        assert_problem(await api.get(f"/bulk/{preview['id']}?{wrong}", headers=headers), 422)


async def test_an_order_is_stopped_and_its_rest_looked_at_anew(api: httpx.AsyncClient, context: Context) -> None:
    li = await hire(context, "li")
    await hire(context, "chen")
    headers, tasks = await enter(context, li), await authorisations(context, 2)
    preview = (await api.post("/bulk/preview", json=reassign(tasks), headers=headers)).json()
    assert_problem(await api.post(f"/bulk/{preview['id']}/cancel", headers=headers), 409)
    await api.post("/bulk", json={"token": preview["id"]}, headers=keyed(headers))
    assert_problem(await api.post(f"/bulk/{preview['id']}/undo", headers=headers), 409)
    stopped = await api.post(f"/bulk/{preview['id']}/cancel", headers=headers)
    assert (stopped.status_code, stopped.json()["status"]) == (200, "cancelled")
    await worked(context, preview["id"])
    again = {"verb": "reassign", "again": preview["id"], "given": {"to": "chen"}}
    rest = (await api.post("/bulk/preview", json=again, headers=headers)).json()
    assert [t["task_id"] for t in rest["tasks"]] == tasks


async def test_a_list_is_meant_by_its_filter(api: httpx.AsyncClient, context: Context) -> None:
    li = await hire(context, "li")
    headers, tasks = await enter(context, li), await authorisations(context, 2)
    body = {"verb": "prioritise", "filter": "queue=claims.authority&holder=@none", "given": {"note": "急"}}
    preview = (await api.post("/bulk/preview", json=body, headers=headers)).json()
    assert {t["task_id"] for t in preview["tasks"]} == set(tasks)
    assert_problem(await api.post("/bulk/preview", json=body | {"filter": "colour=red"}, headers=headers), 422)


@pytest.mark.req("SEC-1")
async def test_others_orders_are_not_there_and_rights_are_asked_for(api: httpx.AsyncClient, context: Context) -> None:
    li = await enter(context, await hire(context, "li", team="north"))
    stranger = await enter(context, await hire(context, "li", username="stranger", team="south"))
    wei, sun = await enter(context, await hire(context, "wei")), await enter(context, await hire(context, "sun"))
    await hire(context, "chen")
    tasks = await authorisations(context, 1)
    preview = (await api.post("/bulk/preview", json=reassign(tasks, to="stranger"), headers=li)).json()
    assert preview["counts"]["refused"] == 1, "another team's work is not a lead's to give"
    address = f"/bulk/{preview['id']}"
    for headers in (stranger, wei, sun):
        assert_problem(await api.get(address, headers=headers), 404)
    assert_problem(await api.post("/bulk", json={"token": preview["id"]}, headers=keyed(stranger)), 404)
    assert_problem(await api.post(f"{address}/cancel", headers=stranger), 404)
    for headers in (wei, sun):
        assert_problem(await api.post("/bulk/preview", json=reassign(tasks), headers=headers), 403)
        assert_problem(await api.get("/bulk", headers=headers), 403)
        assert_problem(await api.post(f"{address}/cancel", headers=headers), 403)
        assert_problem(await api.post(f"{address}/undo", headers=headers), 403)
    for method, path in (("POST", "/bulk/preview"), ("GET", "/bulk"), ("GET", address), ("POST", f"{address}/undo")):
        assert_problem(await api.request(method, path, json={} if method == "POST" else None), 401)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"verb": "complete", "tasks": [str(uuid4())]}, "verb"),
        ({"verb": "release"}, "tasks"),
        ({"verb": "release", "tasks": ["no id"]}, "tasks.0"),
        ({"verb": "reassign", "tasks": [str(uuid4())], "given": {"to": "nobody"}}, "to"),
        (
            {"verb": "hold", "tasks": [str(uuid4())], "given": {"reason": "customer", "until": "tomorrow"}},
            "given.until",
        ),
        ({"verb": "hold", "tasks": [str(uuid4())], "given": {"reason": "customer"}}, "until"),
        ({"verb": "prioritise", "tasks": [str(uuid4())]}, "note"),
        ({"verb": "release", "tasks": [str(uuid4())], "colour": "red"}, None),
    ],
)
async def test_what_cannot_be_ordered_is_refused_at_its_field_and_nothing_is_kept(
    api: httpx.AsyncClient, context: Context, body: dict[str, Any], field: str | None
) -> None:
    headers = await enter(context, await hire(context, "li"))
    problem = assert_problem(await api.post("/bulk/preview", json=body, headers=headers), 422)
    assert problem.get("field") == field or field is None
    assert await count(context, BulkOrder) == 0


async def test_an_order_needs_a_key_and_a_preview_of_ones_own(api: httpx.AsyncClient, context: Context) -> None:
    headers = await enter(context, await hire(context, "li"))
    assert_problem(await api.post("/bulk", json={"token": str(uuid4())}, headers=headers), 400)
    assert_problem(await api.post("/bulk", json={"token": str(uuid4())}, headers=keyed(headers)), 404)
