"""The web process's root application: pages, assets, health. The API is mounted into it by whoever starts it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.routing import Route

from lian.services.context import Context
from lian.services.live import Live
from lian.services.metrics import Metrics
from web import assets, errors
from web.i18n import catalogue
from web.measured import Measured
from web.pages import (
    absences,
    account,
    actions,
    ask,
    bulk,
    calendars,
    cases,
    certificates,
    desk,
    desk_lists,
    desk_task,
    desk_verbs,
    evidence,
    explaining,
    health,
    home,
    live,
    notices,
    operations,
    report,
    search,
    staff,
    team,
    track,
    track_tasks,
    what_if,
)
from web.shield import Shield

PAGES = (
    absences,
    account,
    actions,
    ask,
    bulk,
    calendars,
    cases,
    certificates,
    desk,
    desk_lists,
    desk_task,
    desk_verbs,
    evidence,
    explaining,
    health,
    home,
    live,
    notices,
    operations,
    report,
    search,
    staff,
    team,
    track,
    track_tasks,
    what_if,
)


def create_web(context: Context) -> FastAPI:
    """All pages over one installation."""
    app = FastAPI(title="Lian", docs_url=None, redoc_url=None, openapi_url=None, lifespan=_listening)
    hub = Live(context)
    app.state.context, app.state.live = context, hub
    app.state.metrics = Metrics(context, lambda: hub.subscribers)
    app.add_middleware(
        Shield,
        cross_site=errors.cross_site,
        unreadable=errors.unreadable_address,
        failed=errors.failed,
        https=context.settings.secure_cookies,
    )
    app.add_middleware(Measured, metrics=app.state.metrics)
    errors.add_error_pages(app)
    app.router.routes.append(Route("/static/{digest}/{name}", assets.serve))
    for page in PAGES:
        # Included, each would be built once more for this application; as they are, they serve any number of them.
        app.router.routes.extend(page.router.routes)
    catalogue()
    assets.digest()
    return app


@asynccontextmanager
async def _listening(app: FastAPI) -> AsyncIterator[None]:
    """From the first moment, so that a page made now misses nothing; and whatever was said before went unheard."""
    app.state.live.start()
    app.state.context.announcer.tell_everything()
    yield
    app.state.live.close()
