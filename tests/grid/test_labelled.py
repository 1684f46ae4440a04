"""Planes with coordinates lie as the cells of a region do, or are refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import banet
from banet.cube import Cube
from banet.errors import InputError
from banet.evaluation.compare import compare
from banet.grid.labelled import plane_on
from banet.grid.region import Region
from banet.mapping.options import MapOptions
from banet.mapping.water import water_of

REGION = Region("T", (179.9, -16.1, 180.02, -16.0), 0.01)
PLANE = np.arange(np.prod(REGION.shape)).reshape(REGION.shape)


def labelled(plane=PLANE, names=("latitude", "longitude")) -> xr.DataArray:
    return xr.DataArray(plane, dims=names, coords=dict(zip(names, axes(), strict=True)))


def along(plane: xr.DataArray, rows: str, columns: str) -> xr.DataArray:
    """Lay the coordinates along dimensions of other names."""
    return plane.swap_dims(latitude=rows, longitude=columns)


def axes():
    return REGION.latitudes, REGION.longitudes


@pytest.mark.parametrize(
    "turn",
    [
        lambda da: da,
        lambda da: da.sortby("latitude"),
        lambda da: da.transpose("longitude", "latitude").isel(longitude=slice(None, None, -1)),
        lambda da: da.rename(latitude="y", longitude="x").transpose("x", "y"),
        lambda da: da.assign_coords(longitude=(da["longitude"] + 180) % 360 - 180).sortby("longitude"),
        lambda da: da.assign_coords(latitude=da["latitude"].astype("f4")),
        lambda da: da.drop_vars(["latitude", "longitude"]).transpose("longitude", "latitude"),
        lambda da: da.values.tolist(),
        lambda da: da.sortby("latitude").rename(latitude="Latitude", longitude="LON"),
        lambda da: da.sortby("latitude").rename(latitude="y", longitude="x").to_pandas(),
        lambda da: along(da.sortby("latitude"), "y", "x").T,
        lambda da: along(da.sortby("latitude"), "row", "col"),
        lambda da: along(da.sortby("latitude"), "y", "x").assign_coords(y=range(10), x=range(12)),
        lambda da: along(da, "row", "col").drop_vars(["latitude", "longitude"]),
    ],
)
def test_a_plane_is_turned_by_its_coordinates(turn):
    np.testing.assert_array_equal(plane_on(REGION, turn(labelled()), "the mask"), PLANE)


def test_a_plane_of_other_cells_or_axes_is_refused():
    moved = labelled().assign_coords(latitude=REGION.latitudes + 0.005)
    with pytest.raises(InputError, match="the latitudes of the mask are not those of region T"):
        plane_on(REGION, moved, "the mask")
    with pytest.raises(InputError, match="the longitudes of the mask"):
        plane_on(REGION, labelled().isel(longitude=slice(3)), "the mask")
    with pytest.raises(InputError, match="the mask lies along time, latitude, longitude, not latitude"):
        plane_on(REGION, labelled().expand_dims("time"), "the mask")
    with pytest.raises(InputError, match="the mask lies along latitude, band"):
        plane_on(REGION, labelled().rename(longitude="band"), "the mask")
    curved = along(labelled(), "y", "x")
    curved["latitude"], curved["longitude"] = xr.broadcast(curved["latitude"], curved["longitude"])
    for odd in (labelled().rename(latitude="rlat", longitude="rlon"), curved, pd.DataFrame(PLANE)):
        with pytest.raises(InputError, match="of the mask are no row of latitudes or longitudes by their"):
            plane_on(REGION, odd, "the mask")
    with pytest.raises(InputError, match="the mask is a dataset; give one of its variables: wet"):
        plane_on(REGION, labelled().to_dataset(name="wet"), "the mask")


def test_masks_of_water_and_of_what_counts_are_turned(tmp_path):
    north = np.zeros(REGION.shape, bool)
    north[:3] = True
    turned = labelled(north).sortby("latitude").transpose("longitude", "latitude")
    cube = Cube.create(tmp_path / "t.zarr", REGION, sensor="VIIRS", mir_band="M12")
    cube.set_water(turned)
    np.testing.assert_array_equal(cube.water, north)
    options = MapOptions.of_keywords("map_burned", {"water": turned})
    np.testing.assert_array_equal(water_of(cube, options.water).share, north)
    one = banet.BurnedArea.from_summary(
        REGION,
        np.arange("2021-08-01", "2021-08-05", dtype="datetime64[D]"),
        burned_fraction=np.ones(REGION.shape, np.float32),
        day=np.zeros(REGION.shape, np.int32),
        uncertainty=np.zeros(REGION.shape, np.uint8),
        observed_days=np.ones(REGION.shape, np.int16),
        water=np.zeros(REGION.shape, bool),
    )
    np.testing.assert_array_equal(compare(one, one, valid=turned).valid, north)
    elsewhere = turned.assign_coords(latitude=turned["latitude"] + 1)
    for use in (cube.set_water, lambda da: water_of(cube, da), lambda da: compare(one, one, valid=da)):
        with pytest.raises(InputError, match="are not those of region T"):
            use(elsewhere)
