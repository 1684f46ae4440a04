"""A newer production of a file that cannot be read leaves the older one to be used, and is told."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from banet import observations
from banet.errors import UnreadableFileError
from banet.grid.region import Region
from banet.ingest.folder import build_cube
from banet.observations.productions import newest_readable
from swath_scenes import DAY, Part, small, surface
from writers_hdf4 import smooth_planes, write_overpass
from writers_l1b import write_granule
from writers_sdr import write_sdr
from writers_surface import write_tile

REGION = Region("Evia", (23.2, 38.6, 23.5, 38.8))
OLD, NEW = 0.1, 0.2


def _level_1b(folder, value, late):
    geometry = small()
    production = "2022100000000" if late else "2021218000000"
    return write_granule(folder, geometry, surface(geometry, red=value), production=production)


def _sdr(folder, value, late, **options):
    geometry = small()
    created = "20210901000000000000" if late else "20210806000000000000"
    return write_sdr(folder, geometry, surface(geometry, red=value), created=created, **options)


def _packed_sdr(folder, value, late):
    return _sdr(folder, value, late, packed=True)[:1]


def _surface(folder, value, late):
    production = "2023198172838" if late else "2021218000000"
    return [write_tile(folder, 19, 5, {"M5": value}, production=production)]


def _gridded(folder, value, late):
    planes = smooth_planes(REGION, 1)
    planes["Reflectance_M5"][:] = value
    production = "2021301000000" if late else "2021218000000"
    return list(write_overpass(folder, REGION, f"{DAY}T12:36", planes, production=production).values())


FAMILIES = {
    "viirs750-swath": _level_1b,
    "viirs750-sdr": _sdr,
    "surface": _surface,
    "viirs750-gridded": _gridded,
}
CASES = [(name, write, part) for name, write in FAMILIES.items() for part in (0, -1)]
CASES.append(("viirs750-sdr", _packed_sdr, 0))


@pytest.mark.parametrize(("name", "write", "part"), CASES)
def test_the_older_production_is_used_where_the_newer_is_cut_off(tmp_path, name, write, part):
    write(tmp_path, OLD, False)
    paths = write(tmp_path, NEW, True)
    paths[part].write_bytes(paths[part].read_bytes()[: paths[part].stat().st_size // 2])
    planes = observations.source(name).read_day(tmp_path, DAY, REGION)
    assert np.isfinite(planes.red).any()
    (told,) = planes.gaps
    assert paths[part].name in told and " is read in its place" in told and "\n" not in told
    assert paths[part].name not in planes.inputs
    if paths[part].name.startswith(("VNP02", "SVM05", "VNP09")):
        np.testing.assert_allclose(planes.red[np.isfinite(planes.red)], OLD, atol=1e-4)


def test_values_that_cannot_be_decoded_leave_the_older_production(tmp_path):
    """A byte that flipped within a file, which opens all the same."""
    geometry = small()
    options = {"compression": 4}
    write_granule(tmp_path, geometry, surface(geometry, red=OLD), production="2021218", **options)
    bands, _ = write_granule(tmp_path, geometry, surface(geometry, red=NEW), production="2022100", **options)
    with h5py.File(bands) as file:
        chunk = file["observation_data/M07"].id.get_chunk_info(0)
    data = bytearray(bands.read_bytes())
    data[chunk.byte_offset : chunk.byte_offset + 64] = bytes(64)
    bands.write_bytes(data)
    planes = observations.source("viirs750-swath").read_day(tmp_path, DAY, REGION)
    np.testing.assert_allclose(planes.red[np.isfinite(planes.red)], OLD, atol=1e-4)
    assert len(planes.gaps) == 1 and bands.name in planes.gaps[0]


def _no_scale(file):
    del file["observation_data/M12"].attrs["scale_factor"]


def _scale_nan(file):
    file["observation_data/M05"].attrs["scale_factor"] = np.float32("nan")


def _beyond_physics(file):
    file["observation_data/M07"].attrs["add_offset"] = np.float32(50)


def _other_lines(file):
    values = file["observation_data/M07"][:-16]
    del file["observation_data/M07"]
    file["observation_data/M07"] = values


@pytest.mark.parametrize("fault", [_no_scale, _scale_nan, _beyond_physics, _other_lines])
@pytest.mark.parametrize("with_geolocation", [True, False])
def test_whatever_makes_a_newer_granule_useless_leaves_the_older(tmp_path, fault, with_geolocation):
    _level_1b(tmp_path, OLD, False)
    bands, geolocation = _level_1b(tmp_path, NEW, True)
    with h5py.File(bands, "r+") as file:
        fault(file)
    if not with_geolocation:
        geolocation.unlink()
    planes = observations.source("viirs750-swath").read_day(tmp_path, DAY, REGION)
    np.testing.assert_allclose(planes.red[np.isfinite(planes.red)], OLD, atol=1e-4)
    assert len(planes.gaps) == 1 and bands.name in planes.gaps[0] and "in its place" in planes.gaps[0]


def test_newer_bands_go_with_the_only_geolocation(tmp_path):
    """Where no older pair is there, one file is taken from each."""
    _, geolocation = _level_1b(tmp_path, OLD, False)
    geolocation.unlink()
    bands, _ = _level_1b(tmp_path, NEW, True)
    with h5py.File(bands, "r+") as file:
        _no_scale(file)
    planes = observations.source("viirs750-swath").read_day(tmp_path, DAY, REGION)
    np.testing.assert_allclose(planes.red[np.isfinite(planes.red)], OLD, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "late"), [("viirs750-swath", "2022100"), ("viirs750-sdr", "20210901000000000000")]
)
@pytest.mark.parametrize("degrees", [0.01, 1.0])
def test_a_newer_file_cut_for_another_region_leaves_the_older(tmp_path, name, late, degrees):
    """The cut may end so near that its pixels are looked at, or far away."""
    whole = small(scans=24)
    cut = Part(whole, slice(-64, None))
    north = round(float(cut.latitude[(cut.longitude > 23.1) & (cut.longitude < 23.6)].min()) - degrees, 2)
    region = Region("south", (23.2, round(north - 0.2, 2), 23.5, north))
    write, key = {
        "viirs750-swath": (write_granule, "production"),
        "viirs750-sdr": (write_sdr, "created"),
    }[name]
    old = write(tmp_path, whole, surface(whole, red=OLD))
    source = observations.source(name)
    before = source.read_day(tmp_path, DAY, region)
    assert np.isfinite(before.red).any() and before.gaps == ()
    new = write(tmp_path, cut, surface(cut, red=NEW), **{key: late})
    planes = source.read_day(tmp_path, DAY, region)
    np.testing.assert_array_equal(planes.red, before.red)
    (told,) = planes.gaps
    assert f"{new[-1].name}: region south is not in it; " in told and "is read in its place" in told
    assert all(path.name in told for path in old)
    for path in old:
        path.unlink()
    assert source.read_day(tmp_path, DAY, region).gaps[0].startswith("no granule of 2021-08-05 sees region")


@pytest.mark.parametrize("name", FAMILIES)
def test_where_no_production_can_be_read_each_is_told(tmp_path, name):
    paths = [FAMILIES[name](tmp_path, OLD, late)[0] for late in (False, True)]
    for path in paths:
        path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UnreadableFileError) as caught:
        observations.source(name).read_day(tmp_path, DAY, REGION)
    assert all(path.name in str(caught.value) for path in paths)
    assert "in its place" not in str(caught.value)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_cube_of_the_older_production_tells_the_newer(tmp_path, name):
    files = tmp_path / "files"
    FAMILIES[name](files, OLD, False)
    broken = FAMILIES[name](files, NEW, True)[0]
    broken.write_text("<html>Earthdata Login</html>")
    cube = build_cube(REGION, files, None, tmp_path / "cube", source=name, notice=lambda line: None)
    record = cube.record(DAY)
    assert record is not None and record.inputs and broken.name not in record.inputs
    assert any(broken.name in gap for gap in record.gaps)


NEVER_WRITTEN = [
    ("viirs750-swath", 0, "observation_data/M05"),
    ("viirs750-swath", 0, "observation_data/M12"),
    ("viirs750-swath", 1, "geolocation_data/latitude"),
    ("viirs750-swath", 1, "geolocation_data/longitude"),
    ("viirs750-swath", 1, "geolocation_data/solar_zenith"),
    ("viirs750-sdr", 0, "All_Data/VIIRS-M5-SDR_All/Reflectance"),
    ("surface", 0, "HDFEOS/GRIDS/VIIRS_Grid_1km_2D/Data Fields/SurfReflect_M5_1"),
    ("surface", 0, "HDFEOS/GRIDS/VIIRS_Grid_1km_2D/Data Fields/SensorZenith_1"),
    ("surface", 0, "HDFEOS/GRIDS/VIIRS_Grid_1km_2D/Data Fields/SurfReflect_QF1_1"),
]


@pytest.mark.parametrize(("name", "which", "array"), NEVER_WRITTEN)
def test_values_that_were_never_written_are_no_zeros(tmp_path, name, which, array):
    """A program that ends while it writes leaves chunks out, which the library reads as 0."""
    path = FAMILIES[name](tmp_path, NEW, True)[which]
    with h5py.File(path, "r+") as file:
        values, attributes = file[array][()], dict(file[array].attrs)
        del file[array]
        half = file.create_dataset(array, values.shape, values.dtype, chunks=(16, values.shape[1]))
        half[:48] = values[:48]
        half.attrs.update({key: value for key, value in attributes.items() if "DIM" not in key})
    told = f"{path.name}: .*{array.rpartition('/')[2]} is cut off, values of it were never written"
    with pytest.raises(UnreadableFileError, match=told):
        observations.source(name).read_day(tmp_path, DAY, REGION)
    FAMILIES[name](tmp_path, OLD, False)
    planes = observations.source(name).read_day(tmp_path, DAY, REGION)
    assert np.nanmin(planes.red) > 0.09 and "is read in its place" in planes.gaps[0]


def _other_level_1b(paths):
    with h5py.File(paths[0], "r+") as file:
        file.attrs["time_coverage_start"] = "2021-07-20T11:27:00.000Z"


def _other_sdr(paths):
    with h5py.File(paths[0], "r+") as file:
        held = file["Data_Products/VIIRS-M5-SDR/VIIRS-M5-SDR_Aggr"]
        held.attrs["AggregateBeginningDate"] = np.array([["20210720"]], "S8")


def _other_sdr_granule(paths):
    """A file of geolocation whose first granule alone tells its start."""
    with h5py.File(paths[-1], "r+") as file:
        group = file["Data_Products/VIIRS-MOD-GEO-TC"]
        del group["VIIRS-MOD-GEO-TC_Aggr"]
        group["VIIRS-MOD-GEO-TC_Gran_0"].attrs["Beginning_Time"] = np.array([["140000.0Z"]], "S14")


def _next_level_1b(paths):
    for path in paths:
        with h5py.File(path, "r+") as file:
            file.attrs["time_coverage_start"] = "2021-08-05T11:33:00.000Z"


def _next_sdr(paths):
    for path in paths:
        with h5py.File(path, "r+") as file:
            for product in file["Data_Products"].values():
                for name, part in product.items():
                    key = "AggregateBeginningTime" if name.endswith("Aggr") else "Beginning_Time"
                    part.attrs[key] = np.array([["113043.300000Z"]], "S14")


def _other_surface(paths):
    with h5py.File(paths[0], "r+") as file:
        core = file["HDFEOS INFORMATION/CoreMetadata.0"][()]
        del file["HDFEOS INFORMATION/CoreMetadata.0"]
        file["HDFEOS INFORMATION/CoreMetadata.0"] = core.replace(b"2021-08-05", b"2021-07-20")


def _other_surface_attribute(paths):
    with h5py.File(paths[0], "r+") as file:
        file.attrs["RangeBeginningDate"] = np.bytes_("2021-07-20")


RENAMED = {
    _other_level_1b: (
        "viirs750-swath",
        "VNP02MOD.* holds 2021-07-20T11:27:00, its name says 2021-08-05T11:27",
    ),
    _next_level_1b: (
        "viirs750-swath",
        "VNP03MOD.* holds 2021-08-05T11:33:00, its name says 2021-08-05T11:27",
    ),
    _next_sdr: ("viirs750-sdr", "GMTCO.* holds 2021-08-05T11:30:43, its name says 2021-08-05T11:29:18"),
    _other_sdr: ("viirs750-sdr", "SVM05.* holds 2021-07-20T11:29:18, its name says 2021-08-05T11:29:18"),
    _other_sdr_granule: (
        "viirs750-sdr",
        "GMTCO.* holds 2021-08-05T14:00:00, its name says 2021-08-05T11:29:18",
    ),
    _other_surface: ("surface", "VNP09GA.* holds 2021-07-20, its name says 2021-08-05; was it renamed"),
    _other_surface_attribute: ("surface", "VNP09GA.* holds 2021-07-20, its name says 2021-08-05"),
}


@pytest.mark.parametrize("rename", RENAMED, ids=lambda fault: fault.__name__.strip("_"))
def test_a_file_whose_content_is_of_another_time_than_its_name_says_is_told(tmp_path, rename):
    name, told = RENAMED[rename]
    paths = FAMILIES[name](tmp_path, NEW, True)
    rename(paths)
    with pytest.raises(UnreadableFileError, match=told) as caught:
        observations.source(name).read_day(tmp_path, DAY, REGION)
    assert "\n" not in str(caught.value)
    FAMILIES[name](tmp_path, OLD, False)
    planes = observations.source(name).read_day(tmp_path, DAY, REGION)
    assert np.isfinite(planes.red).any() and "is read in its place" in planes.gaps[0]


def test_a_file_that_tells_no_time_passes(tmp_path):
    for path in _sdr(tmp_path, OLD, False):
        with h5py.File(path, "r+") as file:
            del file["Data_Products"]
    planes = observations.source("viirs750-sdr").read_day(tmp_path, DAY, REGION)
    assert np.isfinite(planes.red).any() and planes.gaps == ()


def test_the_next_production_is_asked_for_only_where_one_fails():
    asked = []

    def productions():
        for name in "abc":
            asked.append(name)
            yield name

    def read(name):
        if name == "a":
            raise UnreadableFileError("a is cut off")
        return name.upper()

    assert newest_readable(productions(), read) == ("b", "B", "a is cut off")
    assert asked == ["a", "b"]
