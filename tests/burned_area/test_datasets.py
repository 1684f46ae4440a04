"""Maps as xarray datasets that were turned, mirrored, cut or changed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

sys.path.insert(0, str(Path(__file__).parents[1]))

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dated import DatedFractions
from banet.errors import InputError
from made_maps import random_map

PLANES = ("burned_fraction", "burn_date", "uncertainty", "observed_days", "water")


def turned(dataset: xr.Dataset) -> dict[str, xr.Dataset]:
    longitude = dataset["longitude"]
    return {
        "south first": dataset.sortby("latitude"),
        "east first": dataset.isel(longitude=slice(None, None, -1)),
        "rolled": dataset.roll(longitude=5, roll_coords=True),
        "transposed": dataset.transpose("longitude", "latitude", ...),
        "0 to 360": dataset.assign_coords(longitude=longitude % 360),
        "float32": dataset.assign_coords(longitude=longitude.astype("float32")),
    }


@pytest.mark.parametrize("size", [(30, 30), (20, 30)])
@pytest.mark.parametrize("how", ["south first", "east first", "rolled", "transposed", "0 to 360", "float32"])
def test_cells_stay_where_their_coordinates_say(how: str, size: tuple[int, int]) -> None:
    burned = random_map(size, seed=2)
    again = BurnedArea.from_dataset(turned(burned.to_dataset())[how])
    for name in PLANES:
        np.testing.assert_array_equal(getattr(again, name), getattr(burned, name), err_msg=name)


def test_entries_and_unknown_days_turn_with_the_planes() -> None:
    burned = random_map((12, 12), seed=2)
    row, col = np.nonzero(burned.burned)
    first = DatedFractions.from_pieces(
        burned.region, row, col, burned.burn_date[row, col], np.full(row.size, 0.3)
    )
    source = BurnedArea.from_dated(first, name="P", start=burned.start, stop=burned.stop)
    later = burned.stop + np.timedelta64(31, "D")
    nothing, known = DatedFractions.empty(burned.region), np.eye(12, dtype=bool)
    second = BurnedArea.from_dated(nothing, name="P", start=later, stop=later + 9, known=known)
    joined = source.join(second)
    again = BurnedArea.from_dataset(joined.to_dataset().sortby("latitude").transpose("longitude", ...))
    assert again.daily_area_ha().equals(joined.daily_area_ha())
    for one, other in zip(again.unknown_days, joined.unknown_days, strict=True):
        np.testing.assert_array_equal(one.cells, other.cells)


@pytest.mark.parametrize(
    "change",
    [
        lambda ds: ds.assign_coords(longitude=ds.longitude + 0.5),
        lambda ds: ds.assign_coords(latitude=ds.latitude - 0.01),
        lambda ds: ds.isel(latitude=slice(0, 9)),
        lambda ds: ds.isel(longitude=[0]),
    ],
)
def test_other_coordinates_than_those_of_the_region_are_refused(change) -> None:
    dataset = random_map((20, 30), seed=2).to_dataset()
    with pytest.raises(InputError, match="s of the dataset are not those of its region T; cut a map with"):
        BurnedArea.from_dataset(change(dataset))
    with pytest.raises(InputError, match="it lacks latitude"):
        BurnedArea.from_dataset(dataset.drop_vars("latitude"))


def test_what_is_done_to_a_dataset_does_not_reach_the_map() -> None:
    burned = random_map((20, 30), seed=2)
    before = burned.burned_area_ha
    dataset = burned.to_dataset()
    again = BurnedArea.from_dataset(dataset)
    dataset["burned_fraction"][:] = 0
    dataset["burn_date"].values[:] = np.datetime64("NaT")
    assert burned.burned_area_ha == again.burned_area_ha == before > 0
