"""A cube that shows less than its store is a cube like any other, and says so."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from banet.cube import Cube, open_cube
from banet.errors import InputError
from banet.grid.region import Region
from banet.observations.planes import DayPlanes

REGION = Region("W", (-8, 39, -7.9, 39.08), 0.01)
DAY = np.datetime64("2021-12-30")


@pytest.fixture
def cube(tmp_path: Path) -> Cube:
    cube = Cube.create(tmp_path / "w.zarr", REGION, sensor="VIIRS", mir_band="M11")
    plane = np.full(REGION.shape, 0.2, np.float32)
    for number in range(3):
        day = DayPlanes(plane, plane, plane, plane, np.ones(REGION.shape, np.uint8), satellites=("NOAA-20",))
        cube.write_day(DAY + number, day, np.full(REGION.shape, 5 + number, np.float32))
    return cube


def test_hot_spots_are_zero_on_every_day_and_all_else_is_there(cube: Cube) -> None:
    less = cube.without("hotspots")
    assert type(less) is Cube
    window, whole = less.read(DAY - 1, DAY + 3), cube.read(DAY - 1, DAY + 3)
    assert (window.frp == 0).all()
    np.testing.assert_array_equal(window.red, whole.red)
    assert cube.read(DAY, DAY + 1).frp.max() == 5, "the cube itself shows what it showed"
    assert (less.to_xarray().frp.values == 0).all()
    info = less.info()
    assert info.ranges["frp"] == (0, 0)
    assert info.ranges["red"] == cube.info().ranges["red"]


def test_images_are_missing(cube: Cube) -> None:
    less = cube.without("images")
    window = less.read(DAY, DAY + 3)
    assert not window.observed.any()
    assert np.isnan(window.view_zenith).all()
    assert (window.count == 0).all()
    assert window.frp.max() == 7
    assert less.info().coverage["red"] == 0
    assert less.info().satellites == {}
    assert np.isnan(less.to_xarray().nir.values).all()


def test_into_an_array_that_is_given(cube: Cube) -> None:
    held = np.full((3, *REGION.shape), 9, np.float32)
    cube.without("hotspots").read(DAY, DAY + 3, into={"frp": held})
    assert (held == 0).all()


def test_days_are_as_if_the_cube_lacked_them(cube: Cube) -> None:
    less = cube.without(days=[DAY + 1, "2022-01-05"])
    assert less.days.tolist() == [DAY.item(), (DAY + 2).item()]
    assert less.record(DAY + 1) is None
    window = less.read(DAY, DAY + 3)
    assert window.observed.any((1, 2)).tolist() == [True, False, True]
    assert np.isnan(window.frp[1]).all()
    assert less.to_xarray().time.size == 2


def test_each_has_a_key_of_its_own(cube: Cube) -> None:
    all_of_them = [
        cube,
        cube.without("hotspots"),
        cube.without("images"),
        cube.without("hotspots", "images"),
        cube.without(days=[DAY]),
    ]
    assert len({one.content_key() for one in all_of_them}) == 5
    assert len({one.record(DAY + 1).content for one in all_of_them}) == 4
    assert cube.without("images").without("hotspots").content_key() == all_of_them[3].content_key()
    # Days that are not asked for do not count.
    assert all_of_them[4].content_key(np.array([DAY + 1])) == cube.content_key(np.array([DAY + 1]))
    before = cube.content_key()
    plane = np.full(REGION.shape, 0.3, np.float32)
    cube.write_day(DAY, DayPlanes(plane, plane, plane, plane, np.ones(REGION.shape, np.uint8)), None)
    assert cube.content_key() != before


def test_it_travels_to_another_process(cube: Cube) -> None:
    less = cube.without("hotspots", days=[DAY])
    back = pickle.loads(pickle.dumps(less))
    assert back.withheld == less.withheld
    assert back.content_key() == less.content_key()
    assert (back.read(DAY, DAY + 3).frp[1:] == 0).all()
    assert pickle.loads(pickle.dumps(cube)).content_key() == cube.content_key()


def test_it_cannot_be_written_to(cube: Cube) -> None:
    less = cube.without("images")
    for write in (
        lambda: less.record_gap(DAY, ["x"]),
        lambda: less.set_water(np.zeros(REGION.shape, bool)),
    ):
        with pytest.raises(InputError, match="shows less than its store"):
            write()
    with pytest.raises(InputError, match="no input 'fires' to withhold; there are hotspots, images"):
        cube.without("fires")  # type: ignore[arg-type]


def test_a_cube_and_a_window_show_themselves_in_a_few_words(cube: Cube) -> None:
    cube.record_gap(DAY + 5, ["no <file>"])
    assert repr(open_cube(cube.path)).endswith("region=W, sensor='VIIRS', 3 days)")
    less = cube.without("hotspots", days=[DAY])
    assert repr(less).endswith("2 days, without hotspots and 1 day)")
    window = cube.read(DAY, DAY + 2)
    assert repr(window) == "CubeWindow(2021-12-30 to 2021-12-31, 2 days, region W, 8 x 10 cells)"
    shown = cube._repr_html_()
    assert "2022-01-04: no &lt;file&gt;" in shown
    assert "3, 2021-12-30 to 2022-01-01" in shown
    assert "-8 to -7.9 degrees east" in shown
    assert "2 with an observation" in window._repr_html_()


def test_one_text_alone_is_no_row_of_letters(cube: Cube) -> None:
    assert cube.without(days=str(DAY)).days.tolist() == cube.days[1:].tolist()
    cube.record_gap(DAY + 5, "no file")
    assert cube.gaps[DAY + 5] == ("no file",)
    plane = np.full(REGION.shape, 0.2, np.float32)
    planes = DayPlanes(plane, plane, plane, plane, np.ones(REGION.shape, np.uint8))
    cube.write_day(DAY + 6, planes, None, notes="no hot spots")
    record = cube.record(DAY + 6)
    assert record is not None and record.notes == ("no hot spots",)


def test_rows_and_columns_are_slices(cube: Cube) -> None:
    with pytest.raises(InputError, match=r"rows are a slice of cells, such as slice\(3, 4\), not 3"):
        cube.read(DAY, DAY + 1, rows=3)
