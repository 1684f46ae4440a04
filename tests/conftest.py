"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no failure.
settings.register_profile("banet", deadline=None)
settings.load_profile("banet")


@pytest.fixture(scope="session")
def real() -> Path:
    """Folder of real satellite files; BANET_REAL_DATA names it, or it lies beside the project."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "real"
    folder = Path(os.environ.get("BANET_REAL_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set BANET_REAL_DATA")
    return folder
