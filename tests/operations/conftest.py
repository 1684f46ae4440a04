"""Mornings and runs draw no picture here, which takes most of their time: tests of the products do."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True, scope="module")
def empty_pictures():
    """Leave an empty file in the place of a picture."""

    def written(burned, path):
        path.write_bytes(b"\x89PNG")
        return path

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("banet.export.picture.map_picture", written)
        yield
