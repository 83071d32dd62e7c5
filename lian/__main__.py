"""`python3 -m lian ...`: prepare the environment beside the checkout, then run the `lian` command in it.

Standard library only, and written so that an old Python can read it: a wrong Python must get a sentence, not a
traceback. The project itself comes in by a `.pth` line and a three-line script instead of `pip install -e`: nothing is
built, so there is nothing to download for it and nothing that can fail half-way; packages of the lock stay as pinned.
"""

import contextlib
import errno
import hashlib
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
CHECKOUT = Path(__file__).resolve().parent.parent
LOCK = CHECKOUT / "requirements.lock"
VENV = CHECKOUT / ".venv"
PYTHON = VENV / "bin" / "python"
COMMAND = VENV / "bin" / "lian"
STAMP = VENV / "lian.stamp"
UNFINISHED = VENV / "lian.unfinished"
MISDIRECTING = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "PYTHONHOME", "PYTHONPATH")
NO_NETWORK = (
    "No matching distribution",
    "Could not find a version",
    "Failed to establish a new connection",
    "Name or service not known",
    "Temporary failure in name resolution",
    "Could not connect",
    "Failed to fetch",
    "client error (Connect)",
    "dns error",
    "timed out",
)
NO_SPACE = f"No space left: the environment needs about 1.5 GB in {CHECKOUT}; free some and try again."
SCRIPT = """\
import sys
from lian.cli import main
sys.exit(main())
"""


def main() -> None:
    """Prepare what is missing, then become the `lian` command."""
    if sys.version_info < OLDEST:
        found = f"{sys.version_info[0]}.{sys.version_info[1]} at {sys.executable}"
        sys.exit(f"Lian needs Python {OLDEST[0]}.{OLDEST[1]} or newer; this is Python {found}.")
    if os.name != "posix":
        sys.exit("Lian runs on Linux and macOS; on Windows use it inside WSL.")
    if is_inside():
        sys.exit(importlib.import_module("lian.cli").main())
    if not is_prepared():
        try:
            prepare_alone()
        except OSError as error:
            sys.exit(plain_reason(error))
        except KeyboardInterrupt:
            sys.exit("\nInterrupted; the next launch starts the preparation again.")
    os.execv(str(PYTHON), [str(PYTHON), str(COMMAND), *sys.argv[1:]])


def is_inside() -> bool:
    """Whether this Python is the environment's own, or the package is installed without a checkout."""
    return Path(sys.prefix).resolve() == VENV.resolve() or not LOCK.exists()


def is_prepared() -> bool:
    """Whether the environment was finished for exactly this lock and place."""
    try:
        return STAMP.read_text("ascii") == wanted_stamp() and PYTHON.exists() and COMMAND.exists()
    except OSError:
        return False


def wanted_stamp() -> str:
    """Hash over the lock and the checkout's place: either one changed means preparing again."""
    return hashlib.sha256(LOCK.read_bytes() + os.fsencode(str(CHECKOUT))).hexdigest()


def prepare_alone() -> None:
    """Prepare while no other launch does; the lock file itself carries the lock, so nothing is left to clean up."""
    fcntl = importlib.import_module("fcntl")  # absent where `main` has already refused
    with LOCK.open("rb") as file:
        # An installer that outlives a killed launch keeps the lock: the next launch waits for it before it repairs.
        os.set_inheritable(file.fileno(), True)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            say("Another launch is preparing the environment, waiting.")
            fcntl.flock(file, fcntl.LOCK_EX)
        if not is_prepared():
            prepare()


def prepare() -> None:
    """Make or repair the environment; the stamp comes last, so an interruption is noticed."""
    say(f"Preparing the environment in {VENV} (once, about a minute) ...")
    if UNFINISHED.exists() or not PYTHON.exists():
        shutil.rmtree(VENV, ignore_errors=True)
    mark_unfinished()
    if not (with_uv() or with_pip()):
        sys.exit(1)
    link_project()
    write(STAMP, wanted_stamp())
    UNFINISHED.unlink()


def with_uv() -> bool:
    """Install with uv; False when uv is absent or cannot do it here, and pip shall try."""
    uv = shutil.which("uv")
    if uv is None or run([uv, "--version"]) is not None:
        return False
    create = [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(VENV)]
    if not PYTHON.exists() and run(create) is not None:
        return False
    options = ["--quiet", "--python", str(PYTHON), "--require-hashes", "--no-deps"]
    if run([uv, "pip", "install", *options, "-r", str(LOCK)]) is None:
        return True
    say("uv could not install the packages; trying pip.")
    return False


def with_pip() -> bool:
    """Install with pip: the environment's own, else that of this Python; says why when it cannot."""
    if not PYTHON.exists():
        create = [sys.executable, "-m", "venv", *([] if has("ensurepip") else ["--without-pip"]), str(VENV)]
        if not has("ensurepip") and not has("pip"):
            say("This Python has neither ensurepip nor pip; install python3-venv, pip or uv, then try again.")
            return False
        complaint = run(create)
        if complaint is not None:
            return explain(complaint)
    options = ["install", "--quiet", "--no-input", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
    complaint = run([*pip(), *options, "-r", str(LOCK)])
    return True if complaint is None else explain(complaint)


def pip() -> "list[str]":
    """The pip to use; an environment made by uv, or without ensurepip, has none of its own."""
    own = [str(PYTHON), "-m", "pip"]
    return own if run([*own, "--version"]) is None else [sys.executable, "-m", "pip", "--python", str(PYTHON)]


def link_project() -> None:
    """Make the checkout importable in the environment and give it the `lian` command."""
    where = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    packages = subprocess.check_output([str(PYTHON), "-c", where], env=environment()).decode().strip()
    write(Path(packages) / "lian.pth", f"{CHECKOUT}\n")
    write(COMMAND, f"#!{PYTHON}\n{SCRIPT}")
    COMMAND.chmod(0o755)


def run(command: "list[str]") -> "str | None":
    """Run a command quietly; None when it went well, else what it complained."""
    try:
        done = subprocess.run(
            command,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            close_fds=False,
            check=False,
        )
    except OSError as error:
        return plain_reason(error)
    return None if done.returncode == 0 else done.stdout.decode("utf-8", "replace") or "no reason given"


def environment() -> "dict[str, str]":
    """The user's environment (their package index and proxy count), without what would install elsewhere."""
    return {name: value for name, value in os.environ.items() if name not in MISDIRECTING}


def explain(complaint: str) -> bool:
    """One clear sentence about a failed installation; always False."""
    lines = complaint.strip().splitlines()
    if "No space left" in complaint or "Disk quota" in complaint:
        say(NO_SPACE)
    elif "ensurepip" in complaint:
        say("This Python cannot make environments (ensurepip is missing); install python3-venv or uv, then try again.")
    elif "HASHES" in complaint or "hash mismatch" in complaint.lower():
        say("A downloaded package is not the one that requirements.lock pins; nothing of it was installed.")
    elif any(word in complaint for word in NO_NETWORK):
        say(f"No package index could be reached, or it lacks a package: {lines[-1]}")
    else:
        say("\n".join(lines[-8:]))
        say("The packages could not be installed; the reason stands above.")
    return False


def plain_reason(error: OSError) -> str:
    """One clear sentence about a disk that is full or closed."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NO_SPACE
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"The environment cannot be written in {CHECKOUT} ({os.strerror(error.errno)})."
    return f"The environment could not be prepared: {error}."


def has(module: str) -> bool:
    """Whether this Python has a module; Debian ships `ensurepip` apart."""
    return importlib.util.find_spec(module) is not None


def mark_unfinished() -> None:
    """Until this mark is gone again, the next launch starts over."""
    VENV.mkdir(exist_ok=True)
    with contextlib.suppress(OSError):
        STAMP.unlink()
    write(UNFINISHED, "")


def write(path: Path, text: str) -> None:
    """Replace a file in one step."""
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def say(sentence: str) -> None:
    """To the person, past any pipe that reads the command's output."""
    sys.stderr.write(sentence + "\n")


if __name__ == "__main__":
    main()
