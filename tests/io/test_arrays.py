"""Arrays in .npz files: there and back, and damage told."""

from __future__ import annotations

import numpy as np
import pytest

from banet.errors import UnreadableFileError
from banet.io.arrays import load_arrays, save_arrays


def test_there_and_back(tmp_path):
    arrays = {"a.b": np.arange(50.0), "none": np.zeros((0, 3), np.int16), "yes": np.array(True)}
    save_arrays(tmp_path / "a.npz", arrays)
    held = load_arrays(tmp_path / "a.npz")
    assert list(held) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(held[name], array)
        assert held[name].dtype == array.dtype


def test_every_flipped_bit_is_told_or_without_effect(tmp_path):
    """One of them says that a member is encrypted."""
    save_arrays(tmp_path / "a.npz", {"a": np.arange(9)})
    whole, told = (tmp_path / "a.npz").read_bytes(), 0
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        (tmp_path / "a.npz").write_bytes(flipped)
        try:
            held = load_arrays(tmp_path / "a.npz")
        except UnreadableFileError:
            told += 1
        else:
            np.testing.assert_array_equal(*held.values(), np.arange(9))
    assert told > 4 * len(whole)
    with pytest.raises(UnreadableFileError, match="cannot be read"):
        load_arrays(tmp_path / "b.npz")
