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
