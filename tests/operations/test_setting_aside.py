"""Which files a run sets aside to fetch again."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from banet.operations import steps

DAY = np.datetime64("2021-08-05")


@pytest.mark.parametrize(
    ("why", "gone"), [(" is truncated or damaged", True), (": region GR is not in it", False)]
)
def test_a_whole_file_of_another_place_stays(tmp_path, why, gone):
    files = [tmp_path / name for name in ("VNP03MOD.new.nc", "VNP03MOD.old.nc")]
    for path in files:
        path.write_text(path.name)
    line = f"granule S-NPP: {files[0].name}{why}; {files[1].name} is read in its place"
    cube = SimpleNamespace(gaps={DAY: (line,)})
    told = steps._unread(SimpleNamespace(download=True), SimpleNamespace(viirs=tmp_path), cube, (DAY, DAY))
    assert bool(told) == gone and files[0].exists() == (not gone) and files[1].exists()
