"""HDF5 files: errors of the library and claims of size become one line."""

from __future__ import annotations

import time

import h5py
import pytest

from banet.errors import InputError, UnreadableFileError
from banet.io.hdf5 import check_stored, dataset, opened


@pytest.mark.parametrize(
    "error", [OSError("a"), RuntimeError("b"), KeyError("c"), ValueError("d"), TypeError("e"), MemoryError()]
)
def test_raw_errors_inside_are_those_of_the_file(tmp_path, error):
    with h5py.File(tmp_path / "a.nc", "w"):
        pass
    told = r"a\.nc is truncated or damaged; download it again"
    with pytest.raises(UnreadableFileError, match=told), opened(tmp_path / "a.nc"):
        raise error
    with pytest.raises(InputError), opened(tmp_path / "a.nc"):
        raise InputError("our own")


def test_a_size_that_no_file_has_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.nc", "w") as file:
        file.create_dataset("lat", (40000, 40000), "f4", chunks=(64, 64))
        file.create_dataset("lon", (6400, 6400), "f4", chunks=(64, 64))
    with opened(tmp_path / "a.nc") as file:
        assert dataset(file, "lon").shape == (6400, 6400)
        with pytest.raises(UnreadableFileError, match="lat claims the shape 40000 x 40000"):
            dataset(file, "lat")


def test_many_chunks_are_looked_for_in_one_walk(tmp_path):
    with h5py.File(tmp_path / "a.nc", "w") as file:
        held = file.create_dataset("JD", (1200, 1200), "u1", chunks=(10, 10))
        held[:1190] = 1
        begin = time.process_time()
        check_stored(held, (slice(0, 1190), slice(0, 1200)))
        assert time.process_time() - begin < 3  # with one look-up for each, 8
        with pytest.raises(UnreadableFileError, match="JD is cut off"):
            check_stored(held, (slice(1100, 1200), slice(0, 1200)))
