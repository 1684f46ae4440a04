"""Pages on maps: those of a region joined, and their fires found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.fires import trace_events
from banet.burned_area.joining import in_order, join, once
from banet.errors import InputError
from banet.export.explorer.page import write_explorer
from banet.export.explorer.seen import seen_by_day
from banet.grid.region import Region
from banet.io.files import PathLike

if TYPE_CHECKING:
    from banet.cube import Cube

__all__ = ["write_pages"]


def write_pages(
    maps: Sequence[BurnedArea], folder: PathLike, *, cube: Cube | None = None, min_hectares: float = 100.0
) -> list[Path]:
    """Write `{region}_map.html` for each region of some maps, with the fires of all its maps.

    Args:
        maps: months or other periods, in any order.
        folder: where to.
        cube: of the region, to show which days were seen; nothing is said of that without it.
        min_hectares: fires of less burned area are left out, and counted.

    Returns:
        The pages.

    Raises:
        InputError: if periods of one region overlap, or two regions have one name, and so one page.
    """
    by_region: dict[Region, list[BurnedArea]] = defaultdict(list)
    for one in maps:
        by_region[one.region].append(one)
    names = [region.name for region in by_region]
    for name in names:
        if names.count(name) > 1:
            boxes = " and ".join(str(region.bbox) for region in by_region if region.name == name)
            raise InputError(
                f"maps of different regions are named {name} ({boxes}); keep each in a folder of its own"
            )
    return [_page(region, found, Path(folder), cube, min_hectares) for region, found in by_region.items()]


def _page(
    region: Region, maps: list[BurnedArea], folder: Path, cube: Cube | None, min_hectares: float
) -> Path:
    parts, _ = once(in_order(maps))
    events, whole = trace_events(parts, min_hectares=min_hectares), join(maps)
    # A cell that burned twice counts twice, as among the fires; the map as one holds the stronger burn.
    daily_ha = np.zeros(len(whole.days))
    for one in parts:
        daily_ha[(one.days - whole.start).astype(np.int64)] += one.daily_area_ha()
    return write_explorer(
        whole,
        folder / f"{region.name}_map.html",
        fires=events.table,
        growth=events.growth,
        seen=None if cube is None else seen_by_day(cube, whole),
        daily_ha=daily_ha,
        notes=(*whole.notes, events.summary),
    )
