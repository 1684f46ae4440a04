"""Damaged files: none ends a reader in any other way than by an error of ours or a gap."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("fuzz_runner", Path(__file__).with_name("runner.py"))
runner = importlib.util.module_from_spec(_spec)
sys.modules["fuzz_runner"] = runner
_spec.loader.exec_module(runner)

READERS = ["gridded HDF4, one day", "swath NetCDF, one day", "surface HDF5, one day"]


def check(surfaces, count):
    told = []
    found = runner.run(surfaces, count, tell=told.append)
    for name, counts in found.items():
        assert counts.total() == count
        assert counts["clean"] + counts["gap"] > count / 20, f"{name}: the damage did nothing"
        for kind in ("raw", "memory", "crash", "hang"):
            assert not counts[kind], told


def test_few_damaged_files_of_each_reader():
    check(READERS, 12)


@pytest.mark.slow
def test_many_damaged_files_of_each_reader_and_of_a_cube():
    check([*READERS, "cube of gridded HDF4"], 250)
