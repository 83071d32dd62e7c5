"""Uvicorn, which ends open streams before it waits for answers to be finished."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

from lian.services.live import Live


class Server(uvicorn.Server):
    """A server of our pages. Streams of live pages have no end of their own: without this, each stop would wait."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the streams, then everything else."""
        for hub in _hubs(self.config.loaded_app):
            hub.close()
        await super().shutdown(sockets)


def _hubs(app: object) -> list[Live]:
    """Of the pages, which uvicorn may have wrapped."""
    while not isinstance(app, FastAPI):
        if not hasattr(app, "app"):
            return []
        app = app.app
    return [app.state.live] if hasattr(app.state, "live") else []
