"""Names and values of monthly products: what is missing, which names are known, months that lack a file."""

from __future__ import annotations

import warnings
import zipfile

import h5py
import numpy as np
import pytest
import rasterio
from affine import Affine

from banet.burned_area.geotiff import read_geotiff
from banet.burned_area.netcdf import write_netcdf
from banet.errors import BanetWarning, InputError, UnreadableFileError
from banet.grid.region import Region
from banet.grid.vectors import read_polygons
from banet.labels.firecci import read_firecci
from banet.labels.mcd64a1 import read_mcd64a1
from banet.labels.reading import read_map_or_product, sniff
from banet.observations.hotspots import read_hotspots

REGION = Region("PT", (-8.0, 39.0, -7.6, 39.4), 0.01)
NORTH = Affine(0.01, 0, -8.0, 0, -0.01, 39.4)
NAME = "MCD64A1.061_Burn_Date_doy2020214_aid0001.tif"


def burn_dates(gone=-1, kind="int16"):
    """North half not observed, 20 burned cells on 5 August in the south."""
    values = np.zeros((40, 40), kind)
    values[:20] = gone
    values[30:34, 10:15] = 218
    return values


def write(path, values, nodata=None, transform=NORTH):
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", height=height, width=width, count=1, dtype=values.dtype, crs="EPSG:4326",
        transform=transform, nodata=nodata,
    ) as file:  # fmt: skip
        file.write(values, 1)
    return path


def read(path, reader=read_mcd64a1):
    return reader(path, REGION, "2020-08", "2020-08")


def told(got):
    return int(got.known.sum()), int(got.burned.sum())


GONE = [
    (burn_dates(), None),
    (burn_dates(), -1),
    (burn_dates(-9999), -9999),
    (burn_dates(255), 255),
    (burn_dates(-32768), -32768),
    (burn_dates(np.nan, "float32"), None),
    (burn_dates(np.nan, "float64"), np.nan),
    (burn_dates(-1.5e38, "float32"), -1.5e38),
    (burn_dates(65535, "uint16"), 65535),
]


@pytest.mark.parametrize(("values", "nodata"), GONE)
@pytest.mark.parametrize("south_up", [False, True])
def test_what_is_missing_is_missing_in_every_reader(tmp_path, values, nodata, south_up):
    transform = Affine(0.01, 0, -8.0, 0, 0.01, 39.0) if south_up else NORTH
    stored = values[::-1] if south_up else values
    got = read(write(tmp_path / NAME, stored, nodata, transform))
    assert told(got) == (800, 20)
    assert set(np.argwhere(got.burned)[:, 0]) == {30, 31, 32, 33}
    name = "20200801-ESACCI-L3S_FIRE-BA-MODIS-AREA_3-fv5.1-JD.tif"
    assert told(read(write(tmp_path / name, stored, nodata, transform), read_firecci)) == (800, 20)
    plain = read_geotiff(
        write(tmp_path / "dates.tif", stored, nodata, transform), days=("2020-08", "2020-08")
    )
    assert told(plain) == (800, 20)
    assert set(np.argwhere(plain.burned)[:, 0]) == {30, 31, 32, 33}


@pytest.mark.parametrize("kind", ["int16", "float32", "uint16"])
def test_a_tag_of_0_leaves_0_unburned_and_is_told(tmp_path, kind):
    path = write(tmp_path / NAME, burn_dates(0, kind), nodata=0)
    with pytest.warns(BanetWarning, match="names 0 as its value for nothing"):
        got = read(path)
    assert told(got) == (1600, 20)
    with pytest.warns(BanetWarning, match="names 0 as its value for nothing"):
        plain = read_geotiff(
            write(tmp_path / "dates.tif", burn_dates(0, kind), 0), days=("2020-08", "2020-08")
        )
    assert told(plain) == (1600, 20)


@pytest.mark.parametrize(
    ("gone", "kind"), [(-9999, "int16"), (-3, "int32"), (400, "uint16"), (-1e38, "float32")]
)
def test_a_value_for_nothing_that_the_file_does_not_name_is_refused(tmp_path, gone, kind):
    with pytest.raises(UnreadableFileError, match=r"burn dates from .* expected -2 to 366"):
        read(write(tmp_path / NAME, burn_dates(gone, kind)))
    with pytest.raises(UnreadableFileError, match=r"dates\.tif: burn dates from .* expected -2 to 366"):
        read_geotiff(write(tmp_path / "dates.tif", burn_dates(gone, kind)), days=("2020-08", "2020-08"))


def test_codes_that_were_interpolated_are_refused(tmp_path):
    values = burn_dates(0, "float32")
    values[30, 12] = 109.5
    with pytest.raises(UnreadableFileError, match=r"109\.5 is no whole number"):
        read(write(tmp_path / NAME, values))


def test_day_366_of_a_year_that_has_365_is_not_known_and_counted(tmp_path):
    values = burn_dates(0)
    values[values > 0] = 340
    values[30, 10:13] = 366
    for year, (lost, days) in {
        "2019": (3, ["2019-12-06"]),
        "2020": (0, ["2020-12-05", "2020-12-31"]),
    }.items():
        for name, reader in (
            (f"MCD64A1_Burn_Date_{year}_12_01.tif", read_mcd64a1),
            (f"{year}1201-ESACCI-L3S_FIRE-BA-MODIS-AREA_3-fv5.1-JD.tif", read_firecci),
        ):
            path = write(tmp_path / name, values)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                got = reader(path, REGION, f"{year}-12", f"{int(year) + 1}-01" if lost else f"{year}-12")
            assert np.unique(got.burn_date[got.burned]).astype(str).tolist() == days
            assert int((~got.known).sum()) == lost and int(got.burned.sum()) == 20 - lost
            noted = [note for note in got.notes if "3 of 20 burn dates are day 366" in note]
            assert len(noted) == bool(lost) == sum(name in str(each.message) for each in caught)


@pytest.mark.parametrize(
    "name",
    [
        "MCD64A1.061_Burn_Date_doy2020214000000_aid0001.tif",
        "VNP64A1.002_Burn_Date_doy2020214000000_aid0003.tif",
        "MCD64A1_Burn_Date_2020_214.tif",
        "MCD64A1.A2020214.h17v05.061.2020250000000_Burn_Date.tif",
    ],
)
def test_names_of_windows(tmp_path, name):
    path = write(tmp_path / name, burn_dates())
    assert sniff(tmp_path) == sniff(path) == "mcd64a1"
    assert told(read(path)) == (800, 20)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("20200801-ESACCI-L3S_FIRE-BA-MSI-AREA_h36v09-fv2.0-JD.tif", "FireCCI MSI.v2.0"),
        ("20200801-ESACCI-L3S_FIRE-BA-SYN-AREA_3-fv1.1-JD.tif", "FireCCI SYN.v1.1"),
        ("20200801-ESACCI-L3S_FIRE-BA-MERIS-AREA_3-v02.0-fv04.1-JD.tif", "FireCCI MERIS.v04.1"),
        ("20200801-ESACCI-L3S_FIRE-BA-MODIS-AREA_3-fv5.1cds-JD.tif", "FireCCI MODIS.v5.1"),
        ("20200801-ESACCI-L3S_FIRE-BA-MSI-SFDL-AREA_h36v09-fv1.0-JD.tif", "FireCCI MSI-SFDL.v1.0"),
        ("20200801-C3S-L3S_FIRE-BA-OLCI-AREA_3-fv1.1-JD.tif", "C3S OLCI.v1.1"),
        ("c_gls_BA300-DOB-NTC_202008010000_GLOBE_S3_V4.0.1.tiff", "CLMS BA300.v4.0.1"),
    ],
)
def test_names_of_rasters(tmp_path, name, source):
    path = write(tmp_path / name, burn_dates())
    assert sniff(tmp_path) == sniff(path) == "firecci"
    got = read(tmp_path, read_firecci)
    assert told(got) == (800, 20)
    assert got.name == source


@pytest.mark.parametrize(
    "name",
    [
        "20200801-ESACCI-L3S_FIRE-BA-MODIS-fv5.1-JD.tif",
        "20200801-ESACCI-L3S_FIRE-BA-MODIS-AREA_3-fv5.1-CL.tif",
        "20200801-C3S-L3S_FIRE-BA-OLCI-AREA_3-fv1.1_subset.nc",
        "c_gls_BA300-DOB-NRT_202008050000_GLOBE_S3_V4.0.1.tiff",
        "c_gls_BA300-NRT_202008050000_GLOBE_S3_V4.0.1.nc",
    ],
)
def test_a_name_of_a_product_that_is_like_none_that_is_read_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"x")
    with pytest.raises(InputError, match=r"not named like a file of it that is read: .*\.(nc|tif)"):
        sniff(path)
    with pytest.raises(InputError, match=f"no kind that banet knows: {name} is of a burned-area product"):
        sniff(tmp_path)
    write(tmp_path / "20200801-ESACCI-L3S_FIRE-BA-MODIS-AREA_3-fv5.1-JD.tif", burn_dates())
    assert sniff(tmp_path) == "firecci"


def test_a_product_in_a_container_that_is_not_read_says_so(tmp_path):
    path = tmp_path / "MCD64A1.061_500m_aid0001.nc"
    path.write_bytes(b"x")
    with pytest.raises(InputError, match=r"is read as HDF4 tiles \(.hdf\) or GeoTIFF"):
        sniff(path)
    with zipfile.ZipFile(tmp_path / "dataset.zip", "w") as archive:
        archive.writestr("a/20200801-C3S-L3S_FIRE-BA-OLCI-AREA_3-fv1.1.nc", b"x")
    with pytest.raises(InputError, match=r"dataset.zip holds 20200801-C3S.*\.nc; unpack it"):
        sniff(tmp_path / "dataset.zip")
    for name in ("20200801-ESACCI-L3S_FIRE-BA-MODIS-AREA_3-fv5.1.tar.gz", "fires.tgz", "fires.csv.bz2"):
        (tmp_path / name).write_bytes(b"x")
        for reader in (sniff, read_hotspots, read_polygons):
            with pytest.raises(UnreadableFileError, match=r"is packed in a way .* unpack it"):
                reader(tmp_path / name)


def test_a_map_of_banet_may_be_called_after_a_product(tmp_path):
    for name in ("MCD64A1.portugal.nc", "labels_L3S_FIRE-BA.nc"):
        folder = tmp_path / name[:3]
        write(folder / NAME, burn_dates())
        got = read(folder)
        (folder / NAME).unlink()
        path = write_netcdf(got, folder / name)
        assert sniff(path) == sniff(folder) == "map"
        assert told(read_map_or_product(folder)) == told(got)
        truth = path.rename(path.with_name(f"{path.stem}_truth.nc"))
        assert sniff(truth) == "truth"


@pytest.mark.parametrize(
    "name", ["20200801-ESACCI-L3S_FIRE-BA-MODIS.gpkg", "c_gls_BA300.geojson", "MCD64A1_2020.shp"]
)
def test_polygons_may_be_called_after_a_product(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"x")
    assert sniff(path) == sniff(tmp_path) == "perimeters"
    with zipfile.ZipFile(tmp_path / "fires.zip", "w") as archive:
        archive.write(path, name)
        archive.writestr("MCD64_user_guide.pdf", b"x")
    assert sniff(tmp_path / "fires.zip") == sniff(tmp_path) == "perimeters"


@pytest.mark.parametrize("name", ["MCD64A1.A2020214.h17v04.061.nc", "c_gls_BA300-NRT_1.nc", "products.zip"])
def test_a_product_that_is_not_read_is_named_beside_what_is(tmp_path, name):
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr(NAME, b"x")
    (tmp_path / "fires.gpkg").write_bytes(b"x")
    with pytest.raises(
        InputError, match=rf"several kinds \(perimeters, what is not read\): {name} .*name a file"
    ):
        sniff(tmp_path)


def netcdf(path, *, turned=False, dates="JD", **layers):
    lat, lon = 39.395 - 0.01 * np.arange(40), -7.995 + 0.01 * np.arange(40)
    with h5py.File(path, "w") as file:
        file["lat"], file["lon"] = (lat[::-1] if turned else lat), lon
        for name, values in ({dates: burn_dates()} | layers).items():
            file[name] = (values[::-1] if turned else values)[None]
            file[name].attrs["units"] = "Day of the year"
    return path


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("20200801-C3S-L3S_FIRE-BA-OLCI-AREA_3-fv1.1.nc", "JD"),
        ("c_gls_BA300-NTC_202008010000_GLOBE_S3_V4.0.1.nc", "day_of_burn"),
        ("c_gls_BA300_202008010000_GLOBE_S3_V3.1.1.nc", "DOB"),
    ],
)
def test_products_in_one_netcdf(tmp_path, name, layer, turned):
    path = netcdf(tmp_path / name, turned=turned, dates=layer)
    assert sniff(path) == "firecci"
    got = read(path, read_firecci)
    assert told(got) == (800, 20)
    assert set(np.argwhere(got.burned)[:, 0]) == {30, 31, 32, 33}
    assert got.burned_area_ha == pytest.approx(5 * REGION.cell_area_ha[30:34].sum(), rel=1e-6)


def test_burned_fraction_and_confidence_of_the_netcdf(tmp_path):
    part = np.where(burn_dates() > 0, 0.25, 0).astype(np.float32)
    sure = np.where(burn_dates() > 0, 0.8, 0).astype(np.float32)
    path = netcdf(
        tmp_path / "c_gls_BA300-NTC_202008010000_GLOBE_S3_V4.0.1.nc", dates="day_of_burn",
        burned_fraction=part, classification_probability=sure,
    )  # fmt: skip
    got = read(path, read_firecci)
    assert got.burned_area_ha == pytest.approx(5 * REGION.cell_area_ha[30:34].sum() / 4, rel=1e-5)
    assert np.nanmax(got.stated_confidence) == pytest.approx(80)
    assert told(read_firecci(path, REGION, "2020-08", "2020-08", minimum_confidence=90))[1] == 0


def test_a_netcdf_without_its_layer_or_grid(tmp_path):
    path = netcdf(tmp_path / "20200801-C3S-L3S_FIRE-BA-OLCI-AREA_3-fv1.1.nc", dates="other")
    with pytest.raises(UnreadableFileError, match="lacks the layer JD"):
        read(path, read_firecci)
    with h5py.File(path, "w") as file:
        file["JD"] = burn_dates()
    with pytest.raises(UnreadableFileError, match="no coordinate lat"):
        read(path, read_firecci)
    with pytest.raises(InputError, match="not named like"):
        read(path.rename(tmp_path / "x.nc"), read_firecci)


@pytest.mark.parametrize("turned", [False, True])
def test_a_netcdf_of_which_a_part_was_never_written(tmp_path, turned):
    path = tmp_path / "20200801-C3S-L3S_FIRE-BA-OLCI-AREA_3-fv1.1.nc"
    south = Region("S", (-8.0, 39.0, -7.6, 39.08), 0.01)
    for fill, chunks in ((None, (1, 10, 10)), (None, None), (-1, (1, 10, 10))):
        netcdf(path, turned=turned, dates="CL")
        values = burn_dates()[::-1] if turned else burn_dates()
        with h5py.File(path, "a") as file:
            layer = file.create_dataset("JD", (1, 40, 40), "i2", chunks=chunks, fillvalue=fill)
            if chunks:  # all but the last rows in the south
                layer[0, 10 * turned : 30 + 10 * turned] = values[10 * turned : 30 + 10 * turned]
        if fill is not None:
            assert told(read(path, read_firecci)) == (400, 0)
            continue
        for region in (REGION, south):
            with pytest.raises(UnreadableFileError, match="JD is cut off, values of it were never written"):
                read_firecci(path, region, "2020-08", "2020-08")
        if chunks:
            north = Region("N", (-8.0, 39.12, -7.6, 39.4), 0.01)
            assert told(read_firecci(path, north, "2020-08", "2020-08")) == (320, 0)


def test_months_with_all_their_files_are_told_nothing(tmp_path):
    write(tmp_path / NAME, burn_dates())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(tmp_path).notes == ()


def test_a_raster_that_does_not_say_where_it_lies_is_refused(tmp_path):
    for name, reader in ((NAME, read), ("dates.tif", lambda p: read_geotiff(p, days=("2020-08", "2020-08")))):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            path = write(tmp_path / name, burn_dates(), transform=Affine.identity())
        with pytest.raises(UnreadableFileError, match="does not say where its cells lie"):
            reader(path)
