"""Tables of zones with intervals, and whole progressions drawn from maps."""

from __future__ import annotations

from banet.summary.files import check_count, check_drawn, check_table_format, write_draws, write_table
from banet.summary.table import SummaryOptions, summarise

__all__ = [
    "SummaryOptions",
    "check_count",
    "check_drawn",
    "check_table_format",
    "summarise",
    "write_draws",
    "write_table",
]
