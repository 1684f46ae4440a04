"""NetCDF-4 files loaded whole, their sizes checked before memory is taken for them, and built in memory."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py

from banet.errors import UnreadableFileError, first_line
from banet.io.hdf5 import check_heaps

if TYPE_CHECKING:
    import h5netcdf
    import xarray as xr

__all__ = ["building", "load"]

_MOST_PACKED = 1100
"""Times that a file's values may be larger than the file: deflate makes them 1032 times smaller at most."""


def load(
    file: Path, *, drop: tuple[str, ...] = (), only: tuple[str, ...] | None = None, decode: bool = False
) -> xr.Dataset:
    """Load a NetCDF file, without some variables or only some of them.

    Raises:
        UnreadableFileError: if it is truncated or of another format, or claims more than it can hold.
    """
    import xarray as xr

    try:
        check_heaps(file)
        h5py.File(file, "r").close()  # what h5netcdf cannot open it does not clean up either
        with xr.open_dataset(
            file.absolute(),
            engine="h5netcdf",
            decode_cf=decode,
            drop_variables=list(drop),
            decode_timedelta=False,
            phony_dims="access",
        ) as dataset:
            wanted = (
                dataset if only is None else dataset[[name for name in only if name in dataset.variables]]
            )
            # Before memory is taken for it.
            if wanted.nbytes > _MOST_PACKED * file.stat().st_size:
                raise ValueError(f"it claims {wanted.nbytes / 2**30:,.1f} GiB, which no such file holds")
            return wanted.load()
    except Exception as error:  # a damaged file makes HDF5, h5netcdf and xarray raise nearly anything
        raise UnreadableFileError(f"cannot read {file} as NetCDF-4: {first_line(error)}") from error


@contextlib.contextmanager
def building(
    path: Path, dataset: xr.Dataset, encoding: Mapping[str, Mapping[str, Any]] | None = None
) -> Iterator[h5netcdf.File]:
    """Give a file with the variables of a dataset to add more to, and write it when the block ends well.

    It is built in memory: HDF5 that meets a full disk may end the process, a plain write says what is wrong.

    Raises:
        OSError: if it cannot be written.
    """
    import h5netcdf
    from xarray.backends import H5NetCDFStore

    memory = io.BytesIO()
    with h5netcdf.File(memory, "w") as file:
        dataset.dump_to_store(H5NetCDFStore(file), encoding=encoding or {})
        yield file
    path.write_bytes(memory.getbuffer())
