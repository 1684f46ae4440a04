"""Every source that ships is known by its name and says what it is."""

from __future__ import annotations

import pytest

from banet.observations import source, sources

SHIPPED = [
    "surface",
    "viirs375-gridded",
    "viirs375-sdr",
    "viirs375-swath",
    "viirs750-gridded",
    "viirs750-sdr",
    "viirs750-swath",
]


def test_all_are_there():
    assert sorted(set(sources()) & set(SHIPPED)) == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_each_says_what_it_is_and_finds_nothing_in_an_empty_folder(name, tmp_path):
    found = source(name)
    assert found.name == name
    assert found.sensor and found.mir_band in {"M12", "M11", "I4"}
    assert len(found.days(tmp_path)) == 0
