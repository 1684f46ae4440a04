"""Tables: whatever stands in a cell comes out as it went in, in every form."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banet.io.tables import Number, plain, shown, to_csv, to_html, to_json, to_markdown

ODD = [
    "a|b",
    "a\\|b",
    'quoted "x", y',
    "<b>bold</b>",
    "two\nlines",
    "`code`",
    "x & y",
    "[link](there)",
    "=1+1",
]


class _Cells(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.cells, self.tags = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data):
        if self.cells and self.tags[-1] in ("td", "th"):
            self.cells[-1] += data


def _markdown_cells(line):
    """Cells as a Markdown reader takes them: a pipe after a backslash is text."""
    return [part.strip() for part in re.split(r"(?<!\\)\|", line.replace(r"\\", "\0"))[1:-1]]


@pytest.mark.parametrize("text", ODD)
def test_odd_text_stays_in_its_cell(text):
    rows = [{"map": text, text: 1}]
    held = list(csv.DictReader(io.StringIO(to_csv(rows), newline="")))
    assert held == [{"map": text, text: "1"}]
    lines = to_markdown(rows).split("\n")
    assert [len(_markdown_cells(line)) for line in lines] == [2, 2, 2]
    page = _Cells(to_html(rows, caption=text))
    assert "b" not in page.tags
    assert [cell.rstrip("\n") for cell in page.cells] == ["map", text, text, "1"]
    assert json.loads(to_json({text: text})) == {text: text}


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8))
def test_any_text_stays_in_its_cell(text):
    lines = to_markdown([{"map": text}]).split("\n")
    assert len(lines) == 3
    assert [len(_markdown_cells(line)) for line in lines] == [1, 1, 1]


def test_numbers_are_shown_with_their_interval_and_kept_in_full():
    number = Number(0.912345678, 2, interval=(0.9, 0.95))
    assert str(number) == "0.91 (0.90-0.95)"
    assert str(Number(0.5, 1, sign=True)) == "+0.5"
    assert str(Number(None)) == str(Number(math.nan)) == "-"
    assert str(Number(0.5, interval=(None, None))) == "0.500 (-)"
    assert to_csv([{"dice": number}]).splitlines() == ["dice,dice_low,dice_high", "0.912346,0.9,0.95"]
    assert "0.91 (0.90-0.95)" in to_markdown([{"dice": number}])
    assert 'class="n"' in to_html([{"dice": number}])


def test_values_as_people_read_them():
    assert [shown(v) for v in (12345.6, 0.12345, 12345, None, math.nan, "x", True)] == [
        "12,346", "0.123", "12,345", "-", "-", "x", "True",
    ]  # fmt: skip


def test_json_can_be_compared_by_eye():
    tree = {"a": np.arange(3), "b": {"c": [[1.23456789, math.nan]], "d": [], "e": ("x",)}, 5: True}
    text = to_json(tree)
    assert json.loads(text) == {"a": [0, 1, 2], "b": {"c": [[1.23457, None]], "d": [], "e": ["x"]}, "5": True}
    assert '"a": [0, 1, 2]' in text
    assert json.loads(to_json({"name": "a[1,  2]"})) == {"name": "a[1,  2]"}, "spaces of a name stay"


def test_plain_values_hold_no_numpy():
    got = plain({"x": np.float32(0.5), "y": np.array([1, 2]), "z": (np.int64(3), float("inf"))})
    assert got == {"x": 0.5, "y": [1, 2], "z": [3, None]}
    assert json.dumps(got)
