"""The migrations build the schema that the models describe: `python -m infra.checks.migrations`.

An empty database on an embedded server of its own is migrated, then compared (`lian migrate --check`), then migrated
again, which must change nothing.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from infra.embedded.application import LIAN, inherited_environment
from infra.embedded.home import Home
from infra.embedded.ports import fresh_ports
from infra.embedded.postgres import postgres_program, prepare_postgres, prepare_roles
from infra.embedded.supervisor import Supervisor

STEPS = (("migrate",), ("migrate", "--check"), ("migrate",))


def main() -> int:
    """Exit code of the first step that fails, else 0."""
    with tempfile.TemporaryDirectory(prefix="lian-migrations-") as folder:
        code = asyncio.run(_check(Home.at(Path(folder) / "home")))
    print(f"migrations: {'the schema and the models agree' if code == 0 else 'failed'}")
    return code


async def _check(home: Home) -> int:
    home.prepare()
    ports = fresh_ports(("postgres",))
    supervisor = Supervisor(home, say=print, changed=lambda: None)
    try:
        account = prepare_postgres(home, print)
        await supervisor.start(postgres_program(home, ports, account, durable=False))
        prepare_roles(home, ports)
        return await asyncio.to_thread(_run_steps, home)
    finally:
        await supervisor.stop("postgres")


def _run_steps(home: Home) -> int:
    settings = {
        "LIAN_HOME": str(home.root),
        "LIAN_DATABASE_URL_FILE": str(home.secrets / "database_url"),
        "LIAN_DATABASE_OWNER_URL_FILE": str(home.secrets / "database_owner_url"),
        "LIAN_DATA_KEYS_FILE": str(home.data_keys()),
    }
    environment = {**inherited_environment(), **settings, "LIAN_S3_SECRET_KEY": "not-used-here"}
    for step in STEPS:
        code = subprocess.run((*LIAN, *step), env=environment, check=False).returncode
        if code != 0:
            print(f"lian {' '.join(step)} ended with code {code}")
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
