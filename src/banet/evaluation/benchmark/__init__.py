"""A fixed benchmark of simulated seasons, by name and seed, scored the same way for every method."""

from __future__ import annotations

from banet.evaluation.benchmark.methods import Candidate, Method, baselines, candidates, networks
from banet.evaluation.benchmark.scenes import SMALL, SUITE, BenchmarkScene
from banet.evaluation.benchmark.suite import benchmark

__all__ = [
    "SMALL",
    "SUITE",
    "BenchmarkScene",
    "Candidate",
    "Method",
    "baselines",
    "benchmark",
    "candidates",
    "networks",
]
