"""Every installed package has a licence that an insurer can live with: `python -m infra.checks.licences`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions

ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "OFL-1.1",
    "PSF-2.0",
    "Python-2.0",
    "Unlicense",
    "Zlib",
}
SPOKEN = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd license": "BSD-3-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "psfl": "PSF-2.0",
    "python software foundation license": "PSF-2.0",
}
"""What packages wrote before SPDX names were usual."""
EXCEPTIONS = {
    "axe-playwright-python": "MIT by its LICENSE file, its metadata names none; development only (axe-core: MPL-2.0).",
    "psycopg": "LGPL-3.0: used as an unchanged library through its public interface, replaceable by the operator.",
    "psycopg-binary": "LGPL-3.0: as psycopg; the C part is the unchanged wheel from the package index.",
    "psycopg-pool": "LGPL-3.0: as psycopg.",
    "zen-engine": "MIT by its LICENSE file, its metadata names none.",
}
"""Packages outside the list, each with the reason why it may stay."""
OPERATOR = re.compile(r"\s+(AND|OR)\s+", re.IGNORECASE)


def main() -> int:
    """Print each package that may not stay; the number of them decides the exit code."""
    found = sorted(set(refusals(distributions())))
    for sentence in found:
        print(sentence)
    print(f"licences: {'refused ' + str(len(found)) if found else 'all allowed'}")
    return 1 if found else 0


def refusals(installed: Iterable[Distribution]) -> Iterable[str]:
    """One sentence for each package whose licence is unknown or not allowed."""
    for package in installed:
        name = str(package.metadata["Name"])
        licence = licence_of(package)
        if name.lower() not in EXCEPTIONS and not is_allowed(licence):
            yield f"{name}: licence {licence or 'unknown'!r} is not on the list of infra/checks/licences.py"


def licence_of(package: Distribution) -> str:
    """Its SPDX expression, else what its old-style fields amount to; empty when it says nothing."""
    expressions = package.metadata.get_all("License-Expression") or []
    if expressions:
        return str(expressions[0])
    spoken = [str(words) for words in package.metadata.get_all("License") or []]
    classifiers = package.metadata.get_all("Classifier") or []
    spoken += [line.rsplit(" :: ", 1)[-1] for line in classifiers if line.startswith("License :: ")]
    for words in spoken:
        if is_allowed(words):
            return words
    return next((words.strip().splitlines()[0] for words in spoken if words.strip()), "")


def is_allowed(expression: str) -> bool:
    """Whether an SPDX expression can be satisfied: one side of an OR is enough, an AND needs both."""
    words = OPERATOR.split(expression.replace("(", " ").replace(")", " ").strip())
    if SPOKEN.get(expression.strip().lower()) in ALLOWED:
        return True
    terms = [SPOKEN.get(word.strip().lower(), word.strip()) in ALLOWED for word in words[::2]]
    operators = {word.upper() for word in words[1::2]}
    return any(terms) if operators == {"OR"} else all(terms)


if __name__ == "__main__":
    sys.exit(main())
