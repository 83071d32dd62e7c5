"""Claims files as they come: byte order marks, quoted line breaks, missing columns, cells too many."""

from __future__ import annotations

from pathlib import Path

import pytest

from lian.services.claim_import import UnreadableFile, open_claims
from tests.imports.builders import GOOD, csv_text, default_mapping, row

MAPPING = default_mapping()


def write(tmp_path: Path, body: bytes) -> Path:
    path = tmp_path / "claims.csv"
    path.write_bytes(body)
    return path


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    file = open_claims(write(tmp_path, b"\xef\xbb\xbf" + csv_text([row()]).encode()), MAPPING)
    assert file.header[0] == "policy_number"
    assert [file.as_row(r)["policy_number"] for r in file] == ["367455"]


def test_lines_are_counted_where_rows_begin_also_after_quoted_line_breaks(tmp_path: Path) -> None:
    text = csv_text([row(incident_location="1 High St\nback yard"), row(policy_number="2")])
    assert [(r.line, r.problem) for r in open_claims(write(tmp_path, text.encode()), MAPPING)] == [(2, ""), (4, "")]


def test_windows_line_ends_and_blank_lines_are_no_rows(tmp_path: Path) -> None:
    text = csv_text([row(), row(policy_number="2")]).replace("\n", "\r\n") + "\r\n,,\r\n"
    assert len(list(open_claims(write(tmp_path, text.encode()), MAPPING))) == 2


def test_missing_columns_are_named_in_one_sentence(tmp_path: Path) -> None:
    header = [name for name in GOOD if name not in {"policy_csl", "incident_date"}]
    with pytest.raises(UnreadableFile) as refused:
        open_claims(write(tmp_path, csv_text([row()], header=header).encode()), MAPPING)
    assert refused.value.message == (
        "The file lacks columns that the mapping `auto_claims` needs: incident_date, policy_csl."
    )


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The file has no header line."),
        ("policy_number\n".encode("utf-16"), "is saved as UTF-16; save it as CSV UTF-8."),
        (csv_text([], header=[*GOOD, "policy_csl"]).encode(), "The file has more than one column named policy_csl."),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, body: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        open_claims(write(tmp_path, body), MAPPING)
    assert refused.value.message.endswith(sentence)


def test_a_row_with_other_cells_than_columns_or_open_quotes_says_so(tmp_path: Path) -> None:
    good = csv_text([row()])
    body = good + "1,2,3\n" + '"no"t,closed\n' + csv_text([row(policy_number="2")]).partition("\n")[2]
    problems = [r.problem for r in open_claims(write(tmp_path, body.encode()), MAPPING)]
    assert problems == [
        "",
        f"It has 3 cells, but the file has {len(GOOD)} columns.",
        "Its quotation marks do not match, or a cell is endless.",
        "",
    ]


def test_an_absent_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="cannot be read"):
        open_claims(tmp_path / "absent.csv", MAPPING)
