"""Counts add up and read well in one line."""

from __future__ import annotations

from banet.io.counts import Counts


def test_the_line_says_read_placed_and_left_out():
    counts = Counts("hot spots", 39839, 1200, "lie in PT").without("outside 90 degrees", 2).without("odd", 0)
    counts = counts.noting("FRP known on 12 of 64 days", "FRP known on 12 of 64 days")
    assert str(counts) == (
        "1,200 of 39,839 hot spots lie in PT; left out: 2 outside 90 degrees; FRP known on 12 of 64 days"
    )
    assert not counts.complete
    assert Counts("files", 3, 3).complete


def test_counts_of_several_files_add():
    first = Counts("perimeters", 5, 3, "burned in 2020-08").without("without a date", 2)
    second = Counts("perimeters", 4, 1).without("without a date", 1).without("without geometry", 2)
    total = Counts.total([first, second])
    assert (total.read, total.placed) == (9, 4)
    assert dict(total.left_out) == {"without a date": 3, "without geometry": 2}
    assert Counts.total([]) is None
