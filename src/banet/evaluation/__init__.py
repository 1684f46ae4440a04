"""Scores of burned-area maps: measures, baselines and a benchmark, against any reference."""

from __future__ import annotations

from banet.evaluation.compare import Comparison, compare
from banet.evaluation.evaluate import evaluate
from banet.evaluation.result import Result
from banet.evaluation.scores import Scores, score
from banet.evaluation.sums import Sums

__all__ = ["Comparison", "Result", "Scores", "Sums", "compare", "evaluate", "score"]
