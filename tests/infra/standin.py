"""Stand-ins for our own processes, to test the stack without the product: `python -m tests.infra.standin up`."""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from infra.embedded.application import Application

SELF = (sys.executable, "-m", "tests.infra.standin")


def main() -> None:
    """Run one stand-in, or the real stack commands around stand-ins."""
    name = sys.argv[1]
    if name in STANDINS:
        STANDINS[name]()
        return
    from lian.cli import main as lian
    from lian.cli import stack

    vars(stack)["Application"] = partial(
        Application, migrate=(*SELF, "migrate"), worker=(*SELF, "worker"), web=(*SELF, "web"), up=(*SELF, "up")
    )
    lian()


def migrate() -> None:
    """Fail when asked to; else do nothing."""
    if os.environ.get("STANDIN_MIGRATION_FAILS"):
        sys.exit("the migration cannot be applied")


def worker() -> None:
    """Say ready and sleep."""
    Path(os.environ["LIAN_READY_FILE"]).touch()
    while True:
        time.sleep(60)


def web() -> None:
    """Answer every request with 200."""
    address = (os.environ["LIAN_WEB_HOST"], int(os.environ["LIAN_WEB_PORT"]))
    HTTPServer(address, Answer).serve_forever()


class Answer(BaseHTTPRequestHandler):
    """200 for whatever is asked."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()


STANDINS = {"migrate": migrate, "worker": worker, "web": web}

if __name__ == "__main__":
    main()
