"""The original's day files, NetCDF and MATLAB, into a cube."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from banet.errors import BanetWarning, InputError, NotFoundError, UnreadableFileError
from banet.grid.region import Region
from banet.ingest.original import import_original

REGION = Region("PT", (-9.0, 38.0, -8.8, 38.1), 0.01)


def planes(seed: int = 0, fires: int = 60, strongest: float = 900.0) -> dict[str, np.ndarray]:
    """Red, NIR, MIR, and FRP in MW with NaN where nothing burned."""
    rng = np.random.default_rng(seed)
    made = {name: rng.uniform(0.02, 0.6, REGION.shape) for name in ("Red", "NIR", "MIR")}
    made["MIR"][0, 0] = 0
    for name in made:
        made[name][3:5, 4:8] = np.nan
    frp = np.full(REGION.shape, np.nan)
    frp.ravel()[rng.choice(frp.size, fires, replace=False)] = rng.uniform(1, strongest, fires)
    return made | {"FRP": frp}


def write_netcdf(
    folder: Path, day: str, values: dict[str, np.ndarray], region: str = "PT", sensor: str = "VIIRS750"
):
    """As the original writes them: uint16, 100 x value, 65535 missing, FRP as log(1 + MW)."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{sensor}{region}_{day}.nc"
    with h5py.File(path, "w") as file:
        for name, plane in values.items():
            kept = np.log1p(plane) if name == "FRP" else plane
            stored = np.where(np.isnan(kept), 65535, np.nan_to_num(kept) * 100).astype("u2")
            data = file.create_dataset(name, data=stored, compression="gzip")
            data.attrs["scale"] = np.array([100])
            data.attrs["mask"] = np.array([65535])
    return path


def write_matlab(
    folder: Path, day: str, values: dict[str, np.ndarray], *, log: bool, sensor: str = "VIIRS750"
):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{sensor}PT_{day}.mat"
    frp = np.log1p(values["FRP"]) if log else values["FRP"]
    savemat(path, {**values, "FRP": frp}, do_compression=True)
    return path


def one_day(cube, day: str):
    window = cube.read(day, np.datetime64(day) + 1)
    return {name: getattr(window, name)[0] for name in ("red", "nir", "mir", "frp", "view_zenith", "count")}


def test_netcdf(tmp_path):
    values = planes()
    write_netcdf(tmp_path / "old", "20170801", values)
    cube = import_original(tmp_path / "old", REGION, tmp_path / "c.zarr")
    assert cube.mir_band == "M12" and cube.sensor == "VIIRS S-NPP"
    assert [str(day) for day in cube.days] == ["2017-08-01"]
    got = one_day(cube, "2017-08-01")
    for name, old in (("red", "Red"), ("nir", "NIR"), ("mir", "MIR")):
        # The original cuts to two decimals, downwards.
        np.testing.assert_allclose(got[name], np.floor(values[old] * 100 + 1e-9) / 100, atol=2e-4)
    mega_watts = np.nan_to_num(values["FRP"])
    np.testing.assert_allclose(got["frp"], mega_watts, rtol=0.011, atol=0.05)
    assert (got["frp"][mega_watts == 0] == 0).all()
    assert np.isnan(got["view_zenith"]).all()
    assert np.array_equal(got["count"] == 1, np.isfinite(values["Red"]))


@pytest.mark.parametrize("log", [False, True])
def test_matlab_tells_raw_frp_by_its_range(tmp_path, log):
    values = planes()
    write_matlab(tmp_path / "old", "20130715", values, log=log)
    cube = import_original(tmp_path / "old", REGION, tmp_path / "c.zarr")
    got = one_day(cube, "2013-07-15")
    np.testing.assert_allclose(got["frp"], np.nan_to_num(values["FRP"]), rtol=2e-3, atol=0.06)
    np.testing.assert_allclose(got["red"], values["Red"], atol=1e-4)


def test_the_range_is_that_of_the_folder_not_of_the_day(tmp_path):
    """A day of weak fires is raw as the others are."""
    weak, strong = planes(1, strongest=8), planes(2, strongest=800)
    write_matlab(tmp_path / "old", "20130715", weak, log=False)
    write_matlab(tmp_path / "old", "20130716", strong, log=False)
    cube = import_original(tmp_path / "old", REGION, tmp_path / "c.zarr")
    np.testing.assert_allclose(one_day(cube, "2013-07-15")["frp"], np.nan_to_num(weak["FRP"]), atol=0.06)


def test_frp_that_cannot_be_told_must_be_said(tmp_path):
    write_matlab(tmp_path / "old", "20130715", planes(fires=5, strongest=6), log=False)
    with pytest.raises(InputError, match="say frp='raw' or frp='log1p'"):
        import_original(tmp_path / "old", REGION, tmp_path / "c.zarr")
    raw = import_original(tmp_path / "old", REGION, tmp_path / "raw.zarr", frp="raw")
    log = import_original(tmp_path / "old", REGION, tmp_path / "log.zarr", frp="log1p")
    np.testing.assert_allclose(
        one_day(log, "2013-07-15")["frp"], np.expm1(one_day(raw, "2013-07-15")["frp"]), rtol=0.02, atol=0.1
    )
    with pytest.raises(InputError, match="may be auto, raw or log1p"):
        import_original(tmp_path / "old", REGION, tmp_path / "x.zarr", frp="MW")


def test_a_folder_without_fires_needs_no_word(tmp_path):
    values = planes()
    values["FRP"][:] = 0
    write_matlab(tmp_path / "old", "20130715", values, log=False)
    cube = import_original(tmp_path / "old", REGION, tmp_path / "c.zarr")
    assert (one_day(cube, "2013-07-15")["frp"] == 0).all()


@pytest.mark.parametrize("suffix", ["nc", "mat"])
def test_missing_frp_is_no_fire_beside_fires_alone(tmp_path, suffix):
    """Beside fires NaN was the original's word for none; where 0 is, or nothing burns, it is missing."""
    none, partly, fires = planes(), planes(), planes()
    none["FRP"][:] = np.nan
    partly["FRP"][:5] = np.nan_to_num(partly["FRP"][:5])
    partly["FRP"][5:] = np.nan
    for day, values in (("20130715", none), ("20130716", partly), ("20130717", fires)):
        if suffix == "nc":
            write_netcdf(tmp_path / "old", day, values)
        else:
            write_matlab(tmp_path / "old", day, values, log=True)
    said = []
    cube = import_original(tmp_path / "old", REGION, tmp_path / "c.zarr", frp="log1p", notice=said.append)
    known = [np.isfinite(one_day(cube, f"2013-07-{day}")["frp"]) for day in (15, 16, 17)]
    assert not known[0].any() and known[2].all()
    assert known[1][:5].all() and not known[1][5:].any()
    assert said == [f"VIIRS750PT_20130715.{suffix}: 200 cells of FRP are missing, and none burns"]


def test_files_of_both_kinds_of_frp_are_refused(tmp_path):
    write_matlab(tmp_path / "old", "20130715", planes(), log=False)
    write_matlab(tmp_path / "old", "20160715", planes(3), log=True)
    with pytest.raises(InputError, match=r"MW in .mat files up to .*20130715.mat and likely log.*--frp raw"):
        import_original(tmp_path / "old", REGION, tmp_path / "c.zarr")
    (tmp_path / "old" / "VIIRS750PT_20130715.mat").unlink()
    said = []
    import_original(tmp_path / "old", REGION, tmp_path / "c.zarr", notice=said.append)
    (line,) = said
    assert line.startswith("FRP in .mat files, at most 6.") and line.endswith("is taken for log(1 + MW)")


def test_values_outside_physics_are_a_gap_or_missing(tmp_path):
    percent, filled = planes(), planes(2)
    for name in ("Red", "NIR", "MIR"):
        percent[name] *= 100
    filled["Red"][:3] = -9999
    filled["MIR"][4, 0] = 655
    write_matlab(tmp_path / "old", "20130715", percent, log=False)
    with pytest.raises(UnreadableFileError, match=r"values are no reflectance .* 100 times reflectance\?"):
        import_original(tmp_path / "old", REGION, tmp_path / "c.zarr", frp="raw")
    write_matlab(tmp_path / "old", "20130716", filled, log=False)
    with pytest.warns(
        BanetWarning, match="60 cells of Red are no reflectance, and missing, .*: 1 cells of MIR"
    ):
        cube = import_original(tmp_path / "old", REGION, tmp_path / "c.zarr", frp="raw")
    assert [str(day) for day in cube.gaps] == ["2013-07-15"]
    got = one_day(cube, "2013-07-16")
    assert np.isnan(got["red"][:3]).all() and np.isnan(got["mir"][4, 0]) and np.isfinite(got["nir"][0, 0])
    assert not got["count"][:3].any()


def test_every_file_of_the_region_is_taken_or_named(tmp_path):
    write_matlab(tmp_path / "old", "20130715", planes(), log=False).rename(
        tmp_path / "old" / "VIIRS750PT_20130715.MAT"
    )
    for folder in ("a", "b"):
        write_matlab(tmp_path / "old" / folder, "20130716", planes(), log=False)
    write_netcdf(tmp_path / "old", "20130716", planes())
    (tmp_path / "old" / "VIIRS750PT_20130230.mat").touch()
    said = []
    cube = import_original(tmp_path / "old", REGION, tmp_path / "c.zarr", frp="raw", notice=said.append)
    assert [str(day) for day in cube.days] == ["2013-07-15", "2013-07-16"]
    assert said == [
        "1 files left out whose names say no day: VIIRS750PT_20130230.mat",
        "1 files left out of days of which others are taken: a/VIIRS750PT_20130716.mat",
        "1 files left out of days of which .mat files are taken: VIIRS750PT_20130716.nc",
    ]


def test_all_bands_zero_is_not_observed(tmp_path):
    values = planes()
    for name in ("Red", "NIR", "MIR"):
        values[name][7, 7] = 0
    write_matlab(tmp_path / "old", "20130715", values, log=False)
    got = one_day(import_original(tmp_path / "old", REGION, tmp_path / "c.zarr"), "2013-07-15")
    assert np.isnan(got["red"][7, 7]) and got["count"][7, 7] == 0
    assert got["mir"][0, 0] == 0 and got["count"][0, 0] == 1


def test_matlab_in_hdf5_is_transposed(tmp_path):
    values = planes()
    path = tmp_path / "old" / "VIIRS750PT_20130715.mat"
    path.parent.mkdir()
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, plane in values.items():
            file[name] = plane.T
    got = one_day(import_original(tmp_path / "old", REGION, tmp_path / "c.zarr"), "2013-07-15")
    np.testing.assert_allclose(got["nir"], values["NIR"], atol=1e-4)


def test_matlab_goes_before_netcdf_and_labels_are_passed_over(tmp_path):
    values = planes()
    write_netcdf(tmp_path / "old", "20170801", planes(9))
    write_matlab(tmp_path / "old", "20170801", values, log=True)
    write_netcdf(tmp_path / "old", "20170802", planes(3))
    write_netcdf(tmp_path / "old", "20170803", planes(3), region="ES")
    write_netcdf(tmp_path / "old", "20170801", {"bafrac": np.zeros(REGION.shape)}, sensor="MCD64A1C6")
    (tmp_path / "old" / "VIIRS750PT_20170199.nc").touch()
    lines = []
    cube = import_original(
        tmp_path / "old",
        REGION,
        tmp_path / "c.zarr",
        progress=lambda done, total, line: lines.append((done, total, line)),
        notice=lambda line: None,
    )
    assert [str(day) for day in cube.days] == ["2017-08-01", "2017-08-02"]
    np.testing.assert_allclose(one_day(cube, "2017-08-01")["red"], values["Red"], atol=1e-4)
    assert [(done, total) for done, total, _ in lines] == [(1, 2), (2, 2)]
    assert lines[0][2] == "2017-08-01 VIIRS750PT_20170801.mat"


def test_375_metres(tmp_path):
    write_netcdf(tmp_path / "old", "20170801", planes(), sensor="VIIRS375")
    assert import_original(tmp_path / "old", REGION, tmp_path / "c.zarr").mir_band == "I4"
    write_netcdf(tmp_path / "old", "20170801", planes(), sensor="VIIRS750")
    with pytest.raises(InputError, match="VIIRS375 and VIIRS750"):
        import_original(tmp_path / "old", REGION, tmp_path / "d.zarr")


def test_again_changes_nothing_and_new_days_are_added(tmp_path):
    write_netcdf(tmp_path / "old", "20170801", planes())
    first = import_original(tmp_path / "old", REGION, tmp_path / "c.zarr")
    before = first.record("2017-08-01")
    write_netcdf(tmp_path / "old", "20170802", planes(4))
    (tmp_path / "old" / "VIIRS750PT_20170801.nc").write_bytes(b"gone bad")
    again = import_original(tmp_path / "old", REGION, tmp_path / "c.zarr")
    assert [str(day) for day in again.days] == ["2017-08-01", "2017-08-02"]
    assert again.record("2017-08-01") == before
    with pytest.raises(InputError, match="is of region PT"):
        other = Region("ES", REGION.bbox, 0.01)
        write_netcdf(tmp_path / "other", "20170801", planes(), region="ES")
        import_original(tmp_path / "other", other, tmp_path / "c.zarr")


def _without(path, name):
    with h5py.File(path, "r+") as file:
        del file[name]


def _smaller(path):
    with h5py.File(path, "r+") as file:
        del file["Red"]
        file["Red"] = np.zeros((5, 5), "u2")


FAULTS = {
    "empty": (lambda p: p.write_bytes(b""), "is empty"),
    "page": (lambda p: p.write_text("<html>"), "is a web page"),
    "cut": (lambda p: p.write_bytes(p.read_bytes()[:700]), "truncated or damaged"),
    "lacking": (lambda p: _without(p, "MIR"), "lacks MIR; it holds FRP, NIR, Red"),
    "shape": (_smaller, r"Red has \(5, 5\) cells, region PT has \(10, 20\)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_file_is_a_gap(tmp_path, fault):
    spoil, message = FAULTS[fault]
    spoil(write_netcdf(tmp_path / "old", "20170801", planes()))
    with pytest.raises(UnreadableFileError, match=message):
        import_original(tmp_path / "old", REGION, tmp_path / "none.zarr")
    write_netcdf(tmp_path / "old", "20170802", planes())
    cube = import_original(tmp_path / "old", REGION, tmp_path / "c.zarr")
    assert [str(day) for day in cube.days] == ["2017-08-02"]
    assert list(cube.gaps) == [np.datetime64("2017-08-01")]
    assert "VIIRS750PT_20170801.nc" in cube.gaps[np.datetime64("2017-08-01")][0]


@pytest.mark.parametrize("keep", [0, 60, 150, 400, 2000])
def test_a_damaged_matlab_file_is_a_gap(tmp_path, keep):
    path = write_matlab(tmp_path / "old", "20130715", planes(), log=False)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UnreadableFileError, match="VIIRS750PT_20130715.mat"):
        import_original(tmp_path / "old", REGION, tmp_path / "c.zarr", frp="raw")


def test_scrambled_matlab_files_never_give_a_traceback(tmp_path):
    path = write_matlab(tmp_path / "old", "20130715", planes(), log=False)
    whole = np.frombuffer(path.read_bytes(), "u1")
    rng = np.random.default_rng(0)
    for _ in range(40):
        spoiled = whole.copy()
        spoiled[rng.integers(0, spoiled.size, 8)] = rng.integers(0, 256, 8)
        path.write_bytes(spoiled.tobytes())
        try:
            import_original(tmp_path / "old", REGION, tmp_path / "c.zarr", frp="raw")
        except (UnreadableFileError, InputError) as error:
            assert "\n" not in str(error)


def test_nothing_to_import(tmp_path):
    (tmp_path / "old").mkdir()
    with pytest.raises(NotFoundError, match="it holds no VIIRS750"):
        import_original(tmp_path / "old", REGION, tmp_path / "c.zarr")
    write_netcdf(tmp_path / "old", "20170801", planes(), region="ES")
    with pytest.raises(NotFoundError, match="it holds files of region ES"):
        import_original(tmp_path / "old", REGION, tmp_path / "c.zarr")
    with pytest.raises(NotFoundError, match="does not exist"):
        import_original(tmp_path / "nowhere", REGION, tmp_path / "c.zarr")
