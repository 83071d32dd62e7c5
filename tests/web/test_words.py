"""Two languages: nothing missing, nothing left over, and the reader's own is found."""

from __future__ import annotations

import pytest

from lian.domain.errors import Conflict, Invalid
from lian.domain.journal import EVENTS
from lian.storage import content
from web import extraction
from web.i18n import preferred_language, translate_refusal
from web.presenters.timeline import SENTENCES
from web.render import TEMPLATES, environment


def test_every_text_has_its_chinese_words() -> None:
    assert extraction.missing() == []


def test_no_translation_is_left_over() -> None:
    assert extraction.unused() == []


def test_every_event_has_its_sentence() -> None:
    assert sorted(EVENTS.keys() - SENTENCES.keys()) == []
    assert sorted(SENTENCES.keys() - EVENTS.keys()) == []


def test_a_refusal_with_a_name_in_it_is_translated_around_the_name() -> None:
    assert translate_refusal("zh-CN", Conflict("王敏 has this task already.").message) == "王敏已领取此任务。"


def test_what_a_file_is_taken_for_is_translated_too() -> None:
    refused = content.recognise
    with pytest.raises(Invalid) as told:
        refused(b"MZ\x90\0" + b"\0" * 60, filename="x.pdf")
    assert "程序" in (translate_refusal("zh-CN", told.value.message) or "")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("en-GB,en;q=0.9,zh;q=0.1", "en"),
        ("de, en;q=0.5", "en"),
        ("fr;q=1", "zh-CN"),
        ("", "zh-CN"),
        ("zh;q=0.2, en;q=0.7", "en"),
    ],
)
def test_the_reader_is_met_in_a_language_they_asked_for(header: str, language: str) -> None:
    assert preferred_language(header) == language


def test_templates_neither_trust_nor_style_by_hand() -> None:
    for path in TEMPLATES.rglob("*.html"):
        source = path.read_text(encoding="utf-8")
        assert "|safe" not in source.replace(" ", ""), path
        assert "style=" not in source, path
        assert "onclick" not in source, path
        environment().get_template(str(path.relative_to(TEMPLATES)))
