"""Tables: rows of values in, text out as CSV, Markdown, HTML or JSON.

A row is a mapping of column to value. Values stay numbers until they are written; each form escapes what it
must, so that any text may stand in a cell.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
from markupsafe import Markup

__all__ = [
    "Number",
    "Row",
    "columns_of",
    "facts_html",
    "plain",
    "shown",
    "to_csv",
    "to_html",
    "to_json",
    "to_markdown",
    "to_text",
]

Row = dict[str, Any]


@dataclass(frozen=True)
class Number:
    """A number with the digits that people see, and the ends of its interval.

    Attributes:
        value: None and NaN where it is not defined.
        digits: behind the point.
        sign: whether a plus is shown.
        interval: low and high end, shown in brackets; a dash where they are not defined, None for none.
    """

    value: float | None
    digits: int = 3
    sign: bool = False
    interval: tuple[float | None, float | None] | None = None

    def __str__(self) -> str:
        text = _fixed(self.value, self.digits, "+" if self.sign else "")
        if text == "-" or self.interval is None:
            return text
        low, high = self.interval
        if not _defined(low) or not _defined(high):
            return f"{text} (-)"
        return f"{text} ({_fixed(low, self.digits)}-{_fixed(high, self.digits)})"


def _defined(value: Any) -> bool:
    return value is not None and not (isinstance(value, float) and not math.isfinite(value))


def _fixed(value: float | None, digits: int, sign: str = "") -> str:
    return f"{value:{sign}.{digits}f}" if value is not None and math.isfinite(value) else "-"


def columns_of(rows: Sequence[Row]) -> list[str]:
    """Return the columns of all rows, in the order in which they appear."""
    return list(dict.fromkeys(name for row in rows for name in row))


def shown(value: Any) -> str:
    """Return a value as people read it: numbers with three digits or thousands, a dash where undefined."""
    if not _defined(value):
        return "-"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3f}"


def to_csv(rows: Sequence[Row]) -> str:
    """Return rows as CSV: six digits, undefined values empty, intervals as columns `_low` and `_high`."""
    flat = [dict(_flat(row)) for row in rows]
    out = io.StringIO()
    writer = csv.DictWriter(out, columns_of(flat), lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(flat)
    return out.getvalue()


def _flat(row: Row) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if not isinstance(value, Number):
            yield name, _bare(value)
            continue
        yield name, _bare(value.value)
        if value.interval is not None:
            yield f"{name}_low", _bare(value.interval[0])
            yield f"{name}_high", _bare(value.interval[1])


def _bare(value: Any) -> Any:
    if not _defined(value):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else value


def to_markdown(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table in which no cell can break out of its place."""
    names = columns_of(rows)
    lines = [_line(names), "|" + "---|" * len(names)]
    return "\n".join([*lines, *(_line([shown(row.get(name)) for name in names]) for row in rows)])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_escaped(cell) for cell in cells) + " |"


def _escaped(text: str) -> str:
    one_line = " ".join(text.split())
    return re.sub(r"([\\|`*\[\]])", r"\\\1", one_line).replace("<", "&lt;")


def to_text(rows: Sequence[Row], width: int) -> str:
    """Return rows in aligned columns for a terminal; what does not fit stands below, beside the names again.

    >>> print(to_text([{"map": "a", "Dice": 0.5, "cells": 1200}], 12))
    map   Dice
    a    0.500
    <BLANKLINE>
    map  cells
    a    1,200
    """
    names = columns_of(rows)
    cells = {name: [name, *(shown(row.get(name)) for row in rows)] for name in names}
    wide = {name: max(map(len, column)) for name, column in cells.items()}
    heads = [name for name in names if all(isinstance(row.get(name), str) for row in rows)] or names[:1]
    blocks: list[list[str]] = [[]]
    for name in (name for name in names if name not in heads):
        if blocks[-1] and sum(2 + wide[one] for one in (*heads, *blocks[-1], name)) - 2 > width:
            blocks.append([])
        blocks[-1].append(name)

    def line(k: int, block: Sequence[str]) -> str:
        left, right = (
            [cells[n][k].ljust(wide[n]) for n in heads],
            [cells[n][k].rjust(wide[n]) for n in block],
        )
        return "  ".join([*left, *right]).rstrip()

    return "\n\n".join("\n".join(line(k, block) for k in range(len(rows) + 1)) for block in blocks)


_TABLE = jinja2.Environment(autoescape=True, trim_blocks=True).from_string(
    """<div class="wide" tabindex="0" role="group" aria-label="{{ caption or 'Table' }}">
<table>{% if caption %}<caption>{{ caption }}</caption>{% endif %}
<thead><tr>{% for name in names %}<th scope="col"{{ flush[name] }}>{{ name }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in rows %}
<tr>{% for name in names %}<td{{ flush[name] }}>{{ shown(row.get(name)) }}</td>{% endfor %}</tr>
{% endfor %}
</tbody></table></div>"""
)


def to_html(rows: Sequence[Row], caption: str = "") -> str:
    """Return rows as an HTML table, columns of numbers with class `n`."""
    names = columns_of(rows)
    flush = {name: Markup(' class="n"') if _numeric(rows, name) else "" for name in names}
    return _TABLE.render(names=names, rows=rows, flush=flush, shown=shown, caption=caption)


def _numeric(rows: Sequence[Row], name: str) -> bool:
    held = [row[name] for row in rows if row.get(name) is not None]
    return bool(held) and all(isinstance(value, (int, float, Number)) for value in held)


def facts_html(title: str, facts: Mapping[str, str], picture: Markup | None = None) -> Markup:
    """Return a title, names with values and a picture beside them, as a notebook shows an object.

    Empty values are left out.
    """
    rows = Markup("").join(_FACT.format(name, value) for name, value in facts.items() if value)
    return _CARD.format(title, rows, picture or "")


_CARD = Markup(
    "<div><strong>{}</strong><div style='display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start'>"
    "<table style='margin:0'>{}</table>{}</div></div>"
)
_FACT = Markup("<tr><th style='text-align:left'>{}</th><td style='text-align:left'>{}</td></tr>")


def to_json(value: Any) -> str:
    """Return a tree as JSON: six digits, lists of numbers on one line, so that versions can be compared."""
    return _json(_rounded(plain(value)), 0) + "\n"


def _json(value: Any, depth: int) -> str:
    pad, end = "\n" + " " * (depth + 1), "\n" + " " * depth
    if isinstance(value, dict) and value:
        parts = (f"{json.dumps(key)}: {_json(inner, depth + 1)}" for key, inner in value.items())
        return "{" + pad + f",{pad}".join(parts) + end + "}"
    if isinstance(value, list) and any(isinstance(inner, (dict, list, str)) for inner in value):
        return "[" + pad + f",{pad}".join(_json(inner, depth + 1) for inner in value) + end + "]"
    return json.dumps(value, allow_nan=False)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def plain(value: Any) -> Any:
    """Return what JSON can hold: NaN and NaT become None, tuples lists, objects their `to_dict`.

    Keys become text, and so do times: a day alone at midnight.
    """
    if hasattr(value, "to_dict"):
        return plain(value.to_dict())
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, dt.date):
        text = value.isoformat().removesuffix("T00:00:00")
        return None if text == "NaT" else text
    return value if _defined(value) else None
