"""Attributes of a map that is joined, cropped or kept to some days."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from banet.burned_area.burned_area import BurnedArea
from banet.grid.region import Region

REGION = Region("T", (0, 0, 0.2, 0.1), 0.01)
GAP = {"tile": [0, 1], "rows": [0, 10], "cols": [8, 20], "reason": "lost"}


def month(first: str, last: str, **attrs: object) -> BurnedArea:
    days = np.arange(first, last, dtype="datetime64[D]")
    nothing = np.zeros((days.size, *REGION.shape), np.float32)
    return replace(BurnedArea.from_probabilities(REGION, days, nothing, nothing == 0), attrs=attrs)


def test_a_join_tells_what_its_parts_tell() -> None:
    may = month(
        "2020-05-01", "2020-06-01", sensor="VIIRS", looks={"whole": 7, "partial": 1}, windows=[["a"]],
        gaps=[GAP], notes=["of the sensor", "the cube lacks 2 of the 31 days that are mapped"],
    )  # fmt: skip
    june = month(
        "2020-06-01", "2020-07-01", sensor="VIIRS", looks={"whole": 5, "partial": 4}, windows=[["b"]],
        gaps=[], notes=["of the sensor", "44% of the looks lack a band"],
    )  # fmt: skip
    told = june.join(may).attrs
    assert told["sensor"] == "VIIRS"
    assert told["looks"] == {"whole": 12, "partial": 5}
    assert told["windows"] == [["a"], ["b"]]
    assert told["gaps"] == [GAP]
    assert told["notes"] == [
        "of the sensor",
        "2020-05: the cube lacks 2 of the 31 days that are mapped",
        "2020-06: 44% of the looks lack a band",
    ]
    again = may.join(june, month("2020-07-01", "2020-08-01"))
    assert again.attrs["notes"][0] == "2020-05: of the sensor", "July says nothing of it"
    assert month("2020-05-01", "2020-06-01").join(month("2020-06-01", "2020-07-01")).attrs == {}


def test_a_block_has_the_gaps_that_lie_in_it() -> None:
    whole = month("2020-05-01", "2020-06-01", gaps=[GAP], looks={"whole": 7, "partial": 1}, sensor="VIIRS")
    east = whole.crop(slice(2, 6), slice(5, 12))
    assert east.attrs == {"sensor": "VIIRS", "gaps": [{**GAP, "rows": [0, 4], "cols": [3, 7]}]}
    assert whole.crop(slice(0, 10), slice(0, 8)).attrs["gaps"] == []
    assert whole.attrs["looks"] == {"whole": 7, "partial": 1}


def test_looks_of_some_days_are_not_known() -> None:
    whole = month("2020-05-01", "2020-06-01", looks={"whole": 7, "partial": 1}, sensor="VIIRS")
    assert whole.between("2020-05-03", "2020-05-09").attrs == {"sensor": "VIIRS"}
    assert whole.between("2020-04-03", "2020-07-09").attrs == whole.attrs, "no day was left out"


def test_gaps_on_another_grid_are_the_cells_that_they_touch() -> None:
    whole = month("2020-05-01", "2020-06-01", gaps=[GAP], looks={"whole": 7, "partial": 1}, sensor="VIIRS")
    coarse = whole.to(Region("C", (0, 0, 0.2, 0.1), 0.05))
    moved = {"sensor": "VIIRS", "gaps": [{**GAP, "rows": [0, 2], "cols": [1, 4]}]}
    assert coarse.attrs == moved | {"dated_from": 0.5}
    shifted = whole.to(Region("S", (0.1, -0.1, 0.3, 0.1), 0.01))
    assert shifted.attrs["gaps"] == [{**GAP, "rows": [0, 10], "cols": [0, 10]}]
    block = REGION.window(slice(2, 6), slice(5, 12))
    assert whole.to(block).attrs["gaps"] == whole.crop(slice(2, 6), slice(5, 12)).attrs["gaps"]
    assert whole.to(Region("W", (0, 0, 0.08, 0.1), 0.01)).attrs["gaps"] == []
    across = replace(whole, region=Region("D", (179.9, 0, 180.1, 0.1), 0.01))
    assert across.to(Region("E", (-180, 0, -179.9, 0.1), 0.01)).attrs["gaps"] == [{**GAP, "cols": [0, 10]}]
