"""Loopback ports: free ones, chosen once and remembered, so that addresses stay the same from start to start."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Callable, Iterable

from infra.embedded.errors import StackError
from infra.embedded.home import Home, write_private

LOOPBACK = "127.0.0.1"
CHOICES = range(20_000, 32_000)
"""Below the ports that systems hand to outgoing connections: a remembered one is not taken by chance between two runs.

Also below 55,536, for servers that would derive a gRPC port by adding 10,000.
"""
SERVER_PORTS = (
    "postgres",
    "temporal",
    "temporal_ui",
    "temporal_http",
    "temporal_metrics",
    "s3",
    "s3_grpc",
    "s3_master",
    "s3_master_grpc",
    "s3_volume",
    "s3_volume_grpc",
    "s3_filer",
    "s3_filer_grpc",
)
STACK_PORTS = ("web", *SERVER_PORTS)

Ports = dict[str, int]


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now; connections still closing do not count."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def choose_free(taken: Iterable[int]) -> int:
    """A random free port outside `taken`. Raises `StackError` when none can be found."""
    reserved = set(taken)
    for port in random.sample(CHOICES, 500):  # no secret: only to keep two checkouts apart
        if port not in reserved and is_free(port):
            return port
    raise StackError(f"No free port was found between {CHOICES.start} and {CHOICES.stop} on {LOOPBACK}.")


def fresh_ports(names: Iterable[str] = SERVER_PORTS) -> Ports:
    """One free port for each name, remembered nowhere."""
    ports: Ports = {}
    for name in names:
        ports[name] = choose_free(ports.values())
    return ports


def settle_ports(home: Home, *, web: int | None, say: Callable[[str], None]) -> Ports:
    """The remembered ports, replacing those another program took meanwhile (said aloud), and remember them.

    `web` is the port the user asked for: when that one is busy, `StackError` tells so and nothing changes.
    """
    if web is not None and not is_free(web):
        raise StackError(f"Port {web} is already in use by another program; choose another with --port.")
    ports = _remembered(home)
    if web is not None:
        ports["web"] = web
    for name in STACK_PORTS:
        if name in ports and is_free(ports[name]):
            continue
        chosen = choose_free(ports.values())
        if name in ports:
            say(f"Port {ports[name]} ({name}) is in use by another program; {name} moves to {chosen}.")
        ports[name] = chosen
    write_private(home.ports_file, json.dumps(ports, indent=1))
    return ports


def _remembered(home: Home) -> Ports:
    try:
        stored = json.loads(home.ports_file.read_text(encoding="utf-8"))
        return {name: int(stored[name]) for name in STACK_PORTS if name in stored}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # none yet, or damaged: new ports do no harm
