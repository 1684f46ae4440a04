"""The page on sources: its example of a sensor of one's own does what the page says, its links are there."""

from __future__ import annotations

import re
import sys
import types
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import numpy as np
import pytest
import rasterio

from banet import observations
from banet.errors import BanetWarning, InputError
from banet.grid.region import Region
from banet.ingest.folder import build_cube

PAGE = Path(__file__).resolve().parents[1] / "docs" / "sources.md"
REGION = Region("MINE", (10.0, 50.0, 10.3, 50.2), 0.01)


@pytest.fixture
def registry(monkeypatch):
    """A registry to add to; those that ship are in it first, since modules register only once."""
    monkeypatch.setattr(observations, "_SOURCES", dict(observations.sources()))


@pytest.fixture
def example(monkeypatch, registry):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (code,) = [block for block in blocks if "class DailyTiffs" in block]
    module = types.ModuleType("example_of_the_page")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(code, str(PAGE), "exec"), module.__dict__)


def write(path: Path, red: float, shape=REGION.shape) -> None:
    planes = np.full((4, *shape), red, np.float32)
    planes[:, 0, 0] = np.nan
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=shape[1],
        height=shape[0],
        count=4,
        dtype="float32",
        crs="EPSG:4326",
        transform=REGION.transform,
    ) as raster:
        raster.write(planes)


@pytest.mark.usefixtures("example")
def test_the_example_builds_a_cube(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    write(folder / "mine_20201231.tif", 0.1)
    write(folder / "mine_20210101.tif", 0.2)
    write(folder / "mine_20210102.tif", 0.2, (3, 3))
    (folder / "mine_20210103.tif").write_text("<html>login</html>")
    with pytest.warns(BanetWarning, match="2 of 4 days with images were read"):
        cube = build_cube(REGION, folder, None, tmp_path / "c.zarr", source="my-tiffs")
    assert (cube.sensor, cube.mir_band) == ("MODIS Terra", "B21")
    assert cube.days.astype(str).tolist() == ["2020-12-31", "2021-01-01"]
    red = cube.read("2020-12-31", "2021-01-02").red
    assert np.isnan(red[:, 0, 0]).all()
    np.testing.assert_allclose(red[:, 1:].mean((1, 2)), [0.1, 0.2], atol=1e-4)
    assert "not on the grid" in cube.gaps[np.datetime64("2021-01-02")][0]
    assert "mine_20210103.tif" in cube.gaps[np.datetime64("2021-01-03")][0]
    assert cube.info().satellites == {"Terra": 2}


@pytest.mark.usefixtures("registry")
def test_a_source_of_another_package_is_found_by_its_entry_point(monkeypatch):
    point = EntryPoint("my-tiffs", "somewhere:made", "banet.sources")

    def load(self):
        observations.register(_Made())

    monkeypatch.setattr(EntryPoint, "load", load)
    points = EntryPoints([point])
    monkeypatch.setattr(
        "importlib.metadata.entry_points", lambda group, **asked: points.select(group=group, **asked)
    )
    assert observations.source("my-tiffs").sensor == "MODIS"
    assert "my-tiffs" in observations.sources()
    with pytest.raises(InputError, match="there are .*my-tiffs, surface"):
        observations.source("theirs")


class _Made:
    name, sensor, mir_band = "my-tiffs", "MODIS", "B21"

    def files(self, folder):
        return {}

    def days(self, folder):
        return np.zeros(0, "datetime64[D]")

    def read_day(self, folder, day, region, files=None):
        raise NotImplementedError


def test_every_source_is_on_the_page():
    text = PAGE.read_text()
    for name in observations.sources():
        assert f"`{name}`" in text, name


def test_files_that_the_page_names_are_there():
    text = PAGE.read_text()
    root = PAGE.parents[1]
    for name in re.findall(r"\]\(([\w./]+\.(?:md|png))", text):
        assert (PAGE.parent / name).is_file(), name
    for name in re.findall(r"python (benchmarks/\w+\.py)", text):
        assert (root / name).is_file(), name
