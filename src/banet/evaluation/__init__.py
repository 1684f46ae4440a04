"""What a map is worth: error matrices, dates, calibration, baselines, against any reference."""

from __future__ import annotations

from banet.evaluation.compare import Comparison, compare
from banet.evaluation.evaluate import Evaluation, evaluate
from banet.evaluation.scores import Scores, score, score_tally
from banet.evaluation.tally import Tally, tally

__all__ = [
    "Comparison",
    "Evaluation",
    "Scores",
    "Tally",
    "compare",
    "evaluate",
    "score",
    "score_tally",
    "tally",
]
