"""Sources by name."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from banet import observations
from banet.errors import InputError
from banet.observations.planes import DayPlanes


class Mine:
    name, sensor, mir_band = "mine", "my satellite", "M12"

    def files(self, folder: Path) -> dict:
        return {np.datetime64("2020-01-01"): (Path(folder) / "a",)}

    def days(self, folder: Path) -> np.ndarray:
        return np.array(list(self.files(folder)), "datetime64[D]")

    def read_day(self, folder: Path, day: np.datetime64, region: object, files: object = None) -> DayPlanes:
        raise InputError("not asked for here")


def test_built_in_source_is_found_by_name() -> None:
    source = observations.source("viirs750-gridded")
    assert (source.name, source.mir_band) == ("viirs750-gridded", "M12")
    assert "viirs750-gridded" in observations.sources()


def test_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(InputError, match="no observation source 'viirs'; there are .*viirs750-gridded"):
        observations.source("viirs")


def test_a_source_of_ones_own_is_registered_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observations, "_SOURCES", dict(observations._SOURCES))
    first, second = Mine(), Mine()
    assert observations.register(first) is first
    observations.register(second)
    assert observations.source("mine") is second
    assert "mine" in observations.sources()


def test_what_is_no_source_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observations, "_SOURCES", dict(observations._SOURCES))
    nameless = Mine()
    nameless.name = ""
    with pytest.raises(InputError, match="lacks a name"):
        observations.register(nameless)
    with pytest.raises(InputError, match="lacks .*read_day"):
        observations.register(object())  # type: ignore[arg-type]


def test_asking_for_nothing_imports_no_reader() -> None:
    import subprocess

    code = "import sys, banet.observations; print('pyhdf' in sys.modules, 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize(
    ("name", "fits", "not_quite", "others"),
    [
        (
            "viirs750-swath",
            "VNP02MOD.A2021217.1124.002.2021218010101.nc",
            "VNP02MOD.A2021217.1124.002.2021218010101.nc.gz VNP03MOD.A2021217.1124.002.2021218010101.nc.1 "
            "VNP03MODLL.A2021217.1124.002.2021218010101.nc VJ102MOD.A2021366.1124.002.2021218010101.nc",
            "VNP02IMG.A2021217.1124.002.2021218010101.nc.gz VNP14IMG.A2021217.1124.002.2021218010101.nc",
        ),
        (
            "viirs750-sdr",
            "GMTCO_npp_d20210805_t1129183_e1130425_b50625_c20210806120000000000_oebc_ops.h5",
            "SVM05_npp_d20210805_t1129183_e1130425_b50625_c20210806120000000000_oebc_ops.h5.gz",
            "SVM01_npp_d20210805_t1129183_e1130425_b50625_c20210806120000000000_oebc_ops.h5",
        ),
        (
            "surface",
            "VNP09GA.A2021217.h19v05.002.2023198172838.h5",
            "VNP09GA.A2021366.h19v05.002.2023198172838.h5 VNP09GA.A2021217.h19v05.002.2023198172838.h5.1",
            "VNP09A1.A2021217.h19v05.002.2023198172838.h5",
        ),
        (
            "viirs750-gridded",
            "NPP_VMAES_L1.A2017300.1406.001.2017300192651.psrpgs_1.Reflectance_M5.hdf",
            "NPP_VMAES_L1.A2017300.1406.001.2017300192651.psrpgs_1.Reflectance_M5.hdf.gz",
            "NPP_VMAES_L1.A2017300.1406.001.2017300192651.psrpgs_1.Reflectance_M10.hdf",
        ),
    ],
)
def test_files_that_are_named_nearly_as_a_family_are_found(tmp_path, name, fits, not_quite, others):
    for file in (fits, *not_quite.split(), *others.split()):
        (tmp_path / file).touch()
    found = observations.source(name).misnamed(tmp_path)
    assert {path.name for path in found} == set(not_quite.split())
