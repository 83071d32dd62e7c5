"""What a sentence of the timeline is made from: an event, and the names of what it refers to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lian.domain.case_kind import CaseKind
from web.reader import Reader

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scene:
    """What the sentences refer to."""

    reader: Reader
    kind: CaseKind
    currency: str
    coverages: Mapping[str, str]
    """Exposure id to the coverage's name."""
    documents: Mapping[str, str]
    """Document id to what it is."""
    tasks: Mapping[str, str]
    """Task id to its name."""
    actors: Mapping[str, str]
    clocks: Mapping[str, str] = field(default_factory=dict)
    """A clock to what was promised."""
    waits: Mapping[str, str] = field(default_factory=dict)
    """Request id to what the case waits for, where that is not documents."""


Sentence = Callable[[Scene, Body], str]
"""The words for one type of event."""
