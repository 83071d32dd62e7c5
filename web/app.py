"""The web process's root application: pages, assets, health. The API is mounted into it by whoever starts it."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.routing import Route

from lian.services.context import Context
from web import assets, errors
from web.i18n import catalogue
from web.pages import (
    account,
    actions,
    ask,
    calendars,
    cases,
    certificates,
    desk,
    evidence,
    explaining,
    health,
    home,
    notices,
    operations,
    report,
    staff,
    track,
    track_tasks,
    what_if,
)
from web.shield import Shield

PAGES = (
    account,
    actions,
    ask,
    calendars,
    cases,
    certificates,
    desk,
    evidence,
    explaining,
    health,
    home,
    notices,
    operations,
    report,
    staff,
    track,
    track_tasks,
    what_if,
)


def create_web(context: Context) -> FastAPI:
    """All pages over one installation."""
    app = FastAPI(title="Lian", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.context = context
    app.add_middleware(
        Shield,
        cross_site=errors.cross_site,
        unreadable=errors.unreadable_address,
        failed=errors.failed,
        https=context.settings.secure_cookies,
    )
    errors.add_error_pages(app)
    app.router.routes.append(Route("/static/{digest}/{name}", assets.serve))
    for page in PAGES:
        app.include_router(page.router)
    catalogue()
    assets.digest()
    return app
