"""Answers in words to what was asked for."""

from __future__ import annotations

from pydantic import Field

from api.wire import Code, In, Text


class StatementIn(In):
    """What somebody writes instead of sending a file."""

    item: Code = Field(description="`statement`, `answers` or `bank_account`.")
    text: Text
