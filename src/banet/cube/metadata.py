"""Metadata of a cube's store: the document `zarr.json` of its root, which carries a checksum.

It holds what the cube is (region, sensor, ...) and the metadata of all arrays, by which readers of Zarr go.
Each array has its own copy as well, which nothing of banet reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from banet.cube.chunks import put_file
from banet.errors import CorruptError, NotFoundError, UnreadableFileError
from banet.grid.region import Region
from banet.io.integrity import check_record, crc32c, seal_record

__all__ = ["FORMAT", "grow", "length_of", "publish", "read_root", "store_id"]

FORMAT = 2
_FILE = "zarr.json"
_NEEDED = {"banet_cube", "region", "sensor", "mir_band", "flags"}


def read_root(folder: Path) -> dict[str, Any]:
    """Read the root's document.

    Raises:
        NotFoundError: if there is nothing of this name.
        UnreadableFileError: if it is no cube, or one of another format.
        CorruptError: if it is damaged.
    """
    file = folder / _FILE
    try:
        root: Any = json.loads(file.read_bytes())
    except FileNotFoundError as error:
        if not folder.exists():
            raise NotFoundError(
                f"the cube {folder} does not exist; build it with `banet cube build`"
            ) from error
        raise UnreadableFileError(f"{folder} is not a cube (no Zarr store): it lacks {_FILE}") from error
    except NotADirectoryError as error:
        raise UnreadableFileError(f"{folder} is not a cube (no Zarr store): it is a file") from error
    except (OSError, ValueError, RecursionError) as error:
        raise CorruptError(f"{folder} is not a cube, or its {_FILE} is damaged: {error}") from error
    attributes = root.get("attributes") if isinstance(root, dict) else None
    if not isinstance(attributes, dict) or not attributes.keys() >= _NEEDED:
        raise UnreadableFileError(f"{folder} is a Zarr store but not a cube of banet (or {_FILE} is damaged)")
    _check_format(folder, attributes["banet_cube"])
    try:
        return _check(root)
    except ValueError as error:
        raise CorruptError(f"the cube's file {file} is damaged: {error}") from error


def store_id(region: Region, sensor: str, mir_band: str, flags: Sequence[str]) -> int:
    """Return a number that tells this cube from cubes of other regions, sensors or planes."""
    identity = json.dumps([FORMAT, region.to_dict(), sensor, mir_band, list(flags)], sort_keys=True)
    return int(crc32c(identity.encode()))


def length_of(root: Mapping[str, Any]) -> int:
    """Return the number of slots."""
    return int(root["consolidated_metadata"]["metadata"]["time"]["shape"][0])


def publish(folder: Path) -> None:
    """Gather the metadata of the arrays of a new store in the root's document, with its checksum."""
    root = json.loads((folder / _FILE).read_text())
    arrays = {file.parent.name: json.loads(file.read_text()) for file in sorted(folder.glob(f"*/{_FILE}"))}
    root["consolidated_metadata"] = {"kind": "inline", "must_understand": False, "metadata": arrays}
    _write_root(folder, root)


def grow(folder: Path, names: Sequence[str], length: int) -> None:
    """Give all arrays that many slots.

    Arrays grow one after another, then the root's document, in one rename: readers go by that, and never see
    arrays at odds.
    """
    root = read_root(folder)
    arrays = root["consolidated_metadata"]["metadata"]
    for name in (*names, "time"):
        arrays[name]["shape"][0] = length
        put_file(folder / name / _FILE, _text(arrays[name]))
    _write_root(folder, root)


def _write_root(folder: Path, root: dict[str, Any]) -> None:
    attributes = {name: value for name, value in root["attributes"].items() if name != "checksum"}
    sealed = seal_record({**root, "attributes": attributes})
    attributes["checksum"] = sealed.pop("checksum")
    put_file(folder / _FILE, _text({**root, "attributes": attributes}))


def _check(root: dict[str, Any]) -> dict[str, Any]:
    """Return the document if it is what was sealed: its checksum stands among the attributes."""
    attributes = dict(root["attributes"])
    checksum = attributes.pop("checksum", None)
    check_record({**root, "attributes": attributes, "checksum": checksum})
    return root


def _check_format(folder: Path, found: Any) -> None:
    if found == FORMAT:
        return
    older = isinstance(found, int) and found < FORMAT
    advice = "build it again" if older else "upgrade banet"
    raise UnreadableFileError(f"the cube {folder} has format {found}, this version reads {FORMAT}; {advice}")


def _text(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode()
