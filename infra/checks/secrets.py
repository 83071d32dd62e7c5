"""No secret, package index address or machine path is in the repository: `python -m infra.checks.secrets`."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LARGEST_BYTES = 2_000_000
# Written in pieces, so that this file does not find itself.
PATTERNS = {
    "a private key": re.compile("-----BEGIN [A-Z ]*" + "PRIVATE KEY-----"),
    "a cloud access key": re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a token of a code host": re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{50,}|glpat-[\w-]{20})\b"),
    "a signed web token": re.compile(r"\beyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{20,}"),
    "a password in an address": re.compile(r"://(?!user:)[^/\s:@{}<>$]+:(?!\.\.\.)[^/\s:@{}<>$%]{6,}@"),
    "a package index address": re.compile(
        "(?:extra-)?index" + r"[-_]url\s*[=:]|\bfind-" + r"links\s*[=:]|--find-" + "links"
    ),
    "a resolved package address": re.compile('"resol' + 'ved"\\s*:\\s*"http'),
    "a path of one machine": re.compile(
        r"(?<![\w.])/(?:ro" + r"ot|ho" + r"me/\w+|Us" + r"ers/\w+|wo" + r"rk/main|opt/py" + r"pi)/"
    ),
}
TOKEN = re.compile(r"(?<![A-Za-z0-9+/_=.-])[A-Za-z0-9+/_-]{32,}={0,2}(?![A-Za-z0-9+/_=.-])")
RANDOM_BITS_PER_LETTER = 4.6
HASHES_ONLY = {"requirements.lock"}
"""Files made of public hashes: the search for random-looking words is left out there, the patterns are not."""
MACHINE_MADE = ("tests/replay/histories/",)
"""Recorded histories hold ciphertext under throw-away test keys: random by nature."""


def main() -> int:
    """Print `file:line: what` for each find; nothing of the find itself is printed."""
    found = [find for path in tracked_files() for find in finds(path)]
    for find in found:
        print(find)
    print(f"secrets: {f'found {len(found)}' if found else 'none found'}")
    return 1 if found else 0


def tracked_files() -> list[Path]:
    """Files that are in the repository or would go into it with `git add`."""
    command = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=True).stdout.decode()
    return [path for name in listed.split("\0") if name and (path := CHECKOUT / name).is_file()]


def finds(path: Path) -> Iterator[str]:
    """What must not be in one text file."""
    content = path.read_bytes()
    if b"\0" in content[:8192] or len(content) > LARGEST_BYTES:
        return
    name = path.relative_to(CHECKOUT).as_posix()
    for number, line in enumerate(content.decode("utf-8", errors="replace").splitlines(), 1):
        for what in _in_line(line, random_words=name not in HASHES_ONLY and not name.startswith(MACHINE_MADE)):
            yield f"{name}:{number}: {what}"


def _in_line(line: str, *, random_words: bool) -> Iterator[str]:
    yield from (what for what, pattern in PATTERNS.items() if pattern.search(line))
    if random_words and any(is_random(word) for word in TOKEN.findall(line)):
        yield "a random-looking word"


def is_random(word: str) -> bool:
    """Whether a word looks drawn by lot: capitals, small letters and digits mixed, hardly a letter repeated."""
    kinds = (any(map(str.isupper, word)), any(map(str.islower, word)), any(map(str.isdigit, word)))
    return all(kinds) and _bits_per_letter(word) > RANDOM_BITS_PER_LETTER


def _bits_per_letter(word: str) -> float:
    shares = [count / len(word) for count in Counter(word).values()]
    return -sum(share * math.log2(share) for share in shares)


if __name__ == "__main__":
    sys.exit(main())
