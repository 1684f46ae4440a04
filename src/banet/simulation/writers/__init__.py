"""Simulated scenes as files in the formats that the agencies deliver."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from banet.errors import InputError
from banet.io.files import PathLike, output_folder
from banet.io.progress import Progress
from banet.observations import product_name
from banet.simulation.observe import followed
from banet.simulation.writers import firecci, gridded, gridded375, hotspots, labels, surface, swath, truth

if TYPE_CHECKING:
    from banet.simulation.scene import Scene

__all__ = ["FORMATS", "write_scene"]

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


def write_scene(
    scene: Scene,
    folder: PathLike,
    *,
    formats: Iterable[str] = ("viirs750-gridded", "hotspots", "truth"),
    progress: Progress | None = None,
) -> dict[str, tuple[Path, ...]]:
    """Write a scene as files in the formats of the agencies.

    Beside the formats' own folders (`viirs/`, `hotspots/`, `truth/`, ...) goes the region, `R_{name}.json`.

    Args:
        scene: what to write.
        folder: where to; made if it is not there.
        formats: some of `FORMATS`, or other names of those products.
        progress: called with the overpasses written, all of them, and the format and day.

    Returns:
        the files of each format, and of `region`.

    Raises:
        InputError: if a format is unknown.
        OutputError: if the folder cannot be written to.
    """
    wanted = tuple(map(product_name, formats))
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown:
        raise InputError(f"cannot write a scene as {unknown[0]!r}; choose among {', '.join(FORMATS)}")
    base = output_folder(folder)
    written: dict[str, tuple[Path, ...]] = {"region": (scene.region.save(base),)}
    for name in wanted:
        place, write = FORMATS[name]
        with followed(progress and _named(progress, name)):
            written[name] = write(scene, output_folder(base / place))
    return written


def _named(progress: Progress, name: str) -> Progress:
    return lambda done, total, message: progress(done, total, f"{name} {message}")
