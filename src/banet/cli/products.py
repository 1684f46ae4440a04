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
    min_hectares: float | None = None,
    min_cells: int | None = None,
    epsg: int | None = None,
) -> None:
    """Find single fires: burned cells near each other in space and time.

    Args:
        maps: NetCDF maps that 'banet map' wrote, of one region.
        out: .gpkg, .parquet, .geojson or .shp file to write.
        max_gap_days: most days between the dates of neighbouring cells of one fire.
        max_gap_cells: most cells between them.
        min_hectares: fires of less burned area are left out, and counted; 100 if neither limit is given.
        min_cells: fires of fewer cells are left out, and counted.
        epsg: also give hectares in this projected reference system.
    """
    from banet.burned_area.fires import trace_events
    from banet.errors import InputError
    from banet.export import read_map
    from banet.export.vectors import write_events

    if not maps:
        raise InputError("give at least one map, a .nc file that 'banet map' wrote")
    found = trace_events(
        [read_map(path) for path in maps],
        max_gap_days=max_gap_days,
        max_gap_cells=max_gap_cells,
        min_cells=min_cells,
        min_hectares=min_hectares,
        epsg=epsg,
    )
    written = write_events(found, out)
    say(f"{written}: {found.summary}")


def report(folder: Path, *, min_hectares: float = 100.0) -> None:
    """Write two web pages on the maps in a folder, which open without a network.

    `report.html` lists maps, files and manifests; `{region}_map.html` shows all maps of a region and their
    fires on a map with a slider of days.

    Args:
        folder: with the products of 'banet map'.
        min_hectares: fires of less burned area are left out of the map, and counted.
    """
    from banet.export import sections_of, write_report
    from banet.export.explorer import explore
    from banet.export.products import read_maps

    for page in explore(read_maps(folder), folder, min_hectares=min_hectares):
        say(str(page))
    say(str(write_report(folder, "Burned area", sections_of(folder))))
