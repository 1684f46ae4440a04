"""Text of HDF5 attributes, which lies in a heap that damage can leave without an end."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from banet.errors import UnreadableFileError
from banet.io.hdf5 import number, opened, text


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "granule.h5"
    with h5py.File(file, "w") as made:
        made.attrs["begins"] = "2020-12-31"
        made.attrs["fixed"] = np.bytes_("2020-12-30")
        made.attrs["fill"] = "255"
        made.attrs["scale"] = 0.5
    return file


def test_text_of_any_kind_is_read(path):
    with opened(path) as file:
        assert [text(file, name) for name in ("begins", "fixed", "lacking")] == [
            "2020-12-31",
            "2020-12-30",
            "",
        ]
        assert [number(file, (name,)) for name in ("fill", "scale")] == [255, 0.5]


@pytest.mark.timeout(20)
def test_a_heap_without_an_end_is_told_where_text_lies_in_it(path):
    data = bytearray(path.read_bytes())
    heap = data.index(b"GCOL\x01\0\0\0")
    size = int.from_bytes(data[heap + 8 : heap + 16], "little")
    data[heap + 16 : heap + size] = bytes(size - 16)
    path.write_bytes(data)
    with pytest.raises(UnreadableFileError, match="a heap of it has no end"), opened(path) as file:
        text(file, "begins")
    with opened(path) as file:
        assert text(file, "fixed") == "2020-12-30"
