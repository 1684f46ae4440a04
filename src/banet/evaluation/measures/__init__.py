"""Measures of a map against a reference: one class a file, all of them in one list.

A new measure is a new file here and its name in `MEASURES`; scores, tables, files and the benchmark follow.
"""

from __future__ import annotations

from banet.evaluation.measures.agreement import Agreement
from banet.evaluation.measures.confounders import Confounders
from banet.evaluation.measures.covers import Covers
from banet.evaluation.measures.dates import Dates
from banet.evaluation.measures.edges import Edges
from banet.evaluation.measures.first_looks import FirstLooks
from banet.evaluation.measures.fractions import Fractions
from banet.evaluation.measures.gaps import Gaps
from banet.evaluation.measures.measure import Measure, MeasureTable, Pair, Tree
from banet.evaluation.measures.proportions import Shares
from banet.evaluation.measures.reliability import Reliability
from banet.evaluation.measures.sizes import Sizes
from banet.evaluation.measures.thresholds import Thresholds
from banet.evaluation.measures.uncertainty import Uncertainty

__all__ = ["HEADLINE", "MEASURES", "Measure", "MeasureTable", "Pair", "Tree"]

HEADLINE: tuple[Measure, ...] = (Agreement(), Dates(), Fractions())
"""What `Scores` holds."""

MEASURES: tuple[Measure, ...] = (
    *HEADLINE,
    Reliability("confidence"),
    Reliability("fraction"),
    Uncertainty(),
    FirstLooks(),
    Sizes(),
    Covers(),
    Gaps(),
    Shares(),
    Thresholds(),
    Edges(),
    Confounders(),
)
