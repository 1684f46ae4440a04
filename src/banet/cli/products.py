"""`banet events` and `banet report`: what maps are turned into."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from banet.cli.progress import say

if TYPE_CHECKING:
    from cyclopts import App


def register(root: App) -> None:
    """Add the commands of this group to the application."""
    root.command(events)
    root.command(report)


def events(
    *maps: Path,
    out: Path,
    max_gap_days: int = 2,
    max_gap_cells: int = 2,
    min_cells: int = 25,
    epsg: int | None = None,
) -> None:
    """Find single fires: burned cells near each other in space and time.

    Args:
        maps: NetCDF maps that 'banet map' wrote, of one region.
        out: .gpkg, .parquet, .geojson or .shp file to write.
        max_gap_days: most days between the dates of neighbouring cells of one fire.
        max_gap_cells: most cells between them.
        min_cells: smaller fires are left out.
        epsg: also give hectares in this projected reference system.
    """
    from banet.burned_area.fires import find_events
    from banet.errors import InputError
    from banet.export import read_map
    from banet.export.vectors import write_events

    if not maps:
        raise InputError("give at least one map, a .nc file that 'banet map' wrote")
    found = find_events(
        [read_map(path) for path in maps],
        max_gap_days=max_gap_days,
        max_gap_cells=max_gap_cells,
        min_cells=min_cells,
        epsg=epsg,
    )
    written = write_events(found, out)
    say(f"{written}: {len(found)} fires")


def report(folder: Path) -> None:
    """Write one web page on the maps in a folder; it opens without a network.

    Args:
        folder: with the products of 'banet map'.
    """
    from banet.export import sections_of, write_report

    say(str(write_report(folder, "Burned area", sections_of(folder))))
