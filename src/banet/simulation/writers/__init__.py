"""Simulated scenes as files in the formats that the agencies deliver."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from banet.errors import InputError
from banet.io.files import PathLike, output_folder, write_json
from banet.io.progress import Progress
from banet.observations import product_name
from banet.simulation.observe import followed
from banet.simulation.writers import firecci, gridded, gridded375, hotspots, labels, surface, swath, truth

if TYPE_CHECKING:
    from banet.simulation.scene import Scene

__all__ = ["FORMATS", "check_folder", "known_formats", "write_scene"]

Writer = Callable[["Scene", Path], tuple[Path, ...]]

FORMATS: dict[str, tuple[str, Writer]] = {
    "viirs750-gridded": ("viirs", gridded.write),
    "hotspots": ("hotspots", hotspots.write),
    "truth": ("truth", truth.write),
    "viirs750-swath": ("swath", swath.write_mod),
    "viirs375-swath": ("swath", swath.write_img),
    "viirs375-gridded": ("viirs375", gridded375.write),
    "surface": ("surface", surface.write),
    "labels": ("labels", labels.write),
    "firecci": ("firecci", firecci.write),
}
"""Name of each format, for satellite files that of their source: the folder it goes to and what writes it."""
_NOTE = "scene.json"
_LATER = ("satellites", "fire_satellites", "any_time")
"""What notes of earlier scenes do not tell."""


def write_scene(
    scene: Scene,
    folder: PathLike,
    *,
    formats: Iterable[str] = ("viirs750-gridded", "hotspots", "truth"),
    progress: Progress | None = None,
) -> dict[str, tuple[Path, ...]]:
    """Write a scene as files in the formats of the agencies.

    Beside the formats' own folders (`viirs/`, `hotspots/`, `truth/`, ...) go the region, `R_{name}.json`, and
    a note of the scene that the files are of, `scene.json`.

    Args:
        scene: what to write.
        folder: where to; made if it is not there.
        formats: some of `FORMATS`, or other names of those products.
        progress: called with the overpasses written, all of them, and the format and day.

    Returns:
        the files of each format, and of `region`.

    Raises:
        InputError: if a format is unknown, or the folder holds files of another scene.
        OutputError: if the folder cannot be written to.
    """
    wanted, note = known_formats(formats), _note(scene)
    check_folder(folder, **note)
    base = output_folder(folder)
    write_json(base / _NOTE, note, indent=1)
    written: dict[str, tuple[Path, ...]] = {"region": (scene.region.save(base),)}
    for name in wanted:
        place, write = FORMATS[name]
        with followed(progress and _named(progress, name)):
            written[name] = write(scene, output_folder(base / place))
    return written


def known_formats(formats: Iterable[str]) -> tuple[str, ...]:
    """Return the names of formats as `FORMATS` has them.

    Raises:
        InputError: if one is unknown.

    >>> known_formats(["swath750", "truth"])
    ('viirs750-swath', 'truth')
    """
    wanted = tuple(map(product_name, formats))
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown:
        raise InputError(f"cannot write a scene as {unknown[0]!r}; choose among {', '.join(FORMATS)}")
    return wanted


def check_folder(folder: PathLike, **scene: Any) -> None:
    """Refuse a folder that holds files of another scene.

    Args:
        folder: where a scene is to go; it need not be there.
        scene: some of what the folder's `scene.json` says of a scene: `climate`, `seed`, `start`, `days`,
            `region`.

    Raises:
        InputError: if its note says something else, or cannot be read.
    """
    path = Path(folder) / _NOTE
    if not path.is_file():
        return
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        told = {name: held[name] for name in scene if name in held or name not in _LATER}
        other = [f"{name} {value}, not {scene[name]}" for name, value in told.items() if value != scene[name]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} does not say which scene this folder holds; give another folder") from error
    if other:
        raise InputError(f"{folder} holds another scene ({'; '.join(other)}); give another folder")


def _note(scene: Scene) -> dict[str, Any]:
    world = scene.world
    return {
        "climate": world.climate.name,
        "seed": int(world.seed),
        "start": str(world.start),
        "days": int(world.days),
        "region": scene.region.to_dict(),
        "satellites": list(world.image_satellites),
        "fire_satellites": list(world.fire_satellites),
        "any_time": bool(world.any_time),
    }


def _named(progress: Progress, name: str) -> Progress:
    return lambda done, total, message: progress(done, total, f"{name} {message}")
