"""The JSON API as one application, to be mounted at `/api/v1`."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from api import errors
from api.guard import Guard
from api.routes import (
    absences,
    actions,
    alerts,
    bulk,
    cases,
    catastrophes,
    certificates,
    claims,
    conflicts,
    documents,
    kinds,
    load,
    money,
    notices,
    policies,
    routing,
    search,
    sessions,
    sla,
    staffing,
    tasks,
    tracking,
    verbs,
    views,
)
from api.wire import Problem
from lian.services.context import Context

ROUTERS = (
    *(tasks, verbs, sessions, policies, claims, kinds, cases, certificates, actions, money, documents),
    *(bulk, conflicts, alerts, sla, tracking, notices, catastrophes),
    *(search, views, routing, staffing, absences, load),
)
"""Looked through from the first to the last with every request: what is asked all day comes first."""
DESCRIPTION = """
Durable case management for insurers. Sign in with `POST /sessions` and send the token as `Authorization: Bearer`.

* Every error is `application/problem+json` (RFC 9457) with a stable `code` and a sentence in plain words.
* Amounts are text with at most two decimals, in the currency named beside them; moments are ISO 8601 in UTC.
* A list gives `next`; send it as `cursor` to get the following page.
* `Idempotency-Key`: repeat a request with the same key and get the first answer.
"""
TAGS = [
    {"name": "sessions", "description": "Signing in as staff or as the customer of one case."},
    {"name": "policies", "description": "The register of policies."},
    {"name": "claims", "description": "First notice of loss."},
    {"name": "kinds", "description": "Kinds of cases, and opening one with its form."},
    {"name": "cases", "description": "Cases, their journal, messages."},
    {"name": "actions", "description": "What people do on a case of their own accord."},
    {"name": "catastrophes", "description": "Events that cause many losses."},
    {"name": "documents", "description": "Files of a case."},
    {"name": "tasks", "description": "People's work."},
    {"name": "absences", "description": "Who is away, and who stands in."},
    {"name": "load", "description": "Who has how much work, and moving it."},
    {"name": "views", "description": "Lists of the desk that people keep."},
    {"name": "bulk", "description": "One verb for many tasks."},
    {"name": "promises", "description": "Clocks and how they stand."},
    {"name": "staff", "description": "Accounts of our people, what they can do and how much they take."},
    {"name": "tracking", "description": "What customers see."},
    {"name": "notices", "description": "What was sent to customers."},
]


def create_api(context: Context) -> FastAPI:
    """The API of this installation; its paths have no prefix of their own."""
    app = FastAPIOffline(
        title="Lian 立案",
        version="1",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        redirect_slashes=False,
    )
    app.state.context = context
    for module in ROUTERS:
        # Included, each would be built once more for this application; as they are, they serve any number of them.
        app.router.routes.extend(module.router.routes)
    errors.install(app)
    app.add_middleware(Guard, max_upload=context.settings.max_upload)
    _describe_problems(app)
    return app


def _describe_problems(app: FastAPI) -> None:
    """FastAPI's own description of a validation error is not what we answer."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = describe()
            components = schema["components"]["schemas"]
            components["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            for name in ("HTTPValidationError", "ValidationError"):
                components.pop(name, None)
            for operations in schema["paths"].values():
                for operation in operations.values():
                    _replace_validation_error(operation["responses"])
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _replace_validation_error(responses: dict[str, Any]) -> None:
    if "application/json" in responses.get("422", {}).get("content", {}):
        responses["422"]["content"] = {errors.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
