"""Products in QGIS, drawn over a base map; where there is no PyQGIS, this is left out."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from banet.burned_area.fires import trace_events
from banet.export import write_events, write_products
from made_maps import random_map

ROOT = Path(__file__).parents[2]
PYTHON = shutil.which("python3", path="/usr/bin") or ""


def test_products_look_right_in_qgis(tmp_path):
    probe = [PYTHON, "-c", "import qgis.core"]
    if not PYTHON or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("needs PyQGIS (Debian: python3-qgis)")
    burnmap = random_map((60, 80), seed=3)
    write_products(burnmap, tmp_path, "T_202108", pictures=False)
    write_events(trace_events(burnmap, min_hectares=100), tmp_path / "fires.gpkg")
    command = [PYTHON, str(ROOT / "tools" / "check_qgis.py"), str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})
    assert said.returncode == 0 and "5 layers, 0 things wrong" in said.stdout, said.stdout + said.stderr
