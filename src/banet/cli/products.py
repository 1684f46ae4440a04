"""`banet events`, `banet report` and `banet export`: products of maps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from banet.cli.progress import say, say_json

if TYPE_CHECKING:
    from cyclopts import App


def register(root: App) -> None:
    """Add the commands of this group to the application."""
    root.command(events)
    root.command(report)
    root.command(export)


def events(
    *maps: Path,
    out: Path,
    max_gap_days: int = 2,
    max_gap_cells: int = 2,
    min_hectares: float | None = None,
    min_cells: int | None = None,
    epsg: int | None = None,
    perimeters: Path | None = None,
    growth: Path | None = None,
    json: bool = False,
) -> None:
    """Find single fires: burned cells near each other in space and time.

    Args:
        maps: NetCDF maps of one region that 'banet map' wrote, or folders of them.
        out: .gpkg (with perimeters by day, growth and QGIS styles), .parquet, .geojson, .shp, .kml or .csv.
        max_gap_days: most days between the dates of neighbouring cells of one fire.
        max_gap_cells: most cells between them.
        min_hectares: fires of less burned area are left out, and counted; 100 if neither limit is given.
        min_cells: fires of fewer cells are left out, and counted.
        epsg: also give hectares in this projected reference system.
        perimeters: also write the perimeters by day, in any of these formats.
        growth: also write the hectares of each fire by day as .csv.
        json: print the result as JSON.
    """
    from banet.burned_area.fires import trace_events
    from banet.errors import InputError
    from banet.export.products import gathered
    from banet.export.vectors import check_files, write_events, write_growth, write_perimeters

    outputs = [path.resolve() for path in (out, perimeters, growth) if path is not None]
    if len(set(outputs)) < len(outputs):
        raise InputError("two outputs have the same path: give --out, --perimeters and --growth one each")
    check_files({"fires": out} | ({} if perimeters is None else {"perimeters": perimeters}))
    if growth is not None and growth.suffix.lower() != ".csv":
        raise InputError(f"cannot write the growth as {growth.name}; it is a .csv")
    found = trace_events(
        gathered(list(maps)),
        max_gap_days=max_gap_days,
        max_gap_cells=max_gap_cells,
        min_cells=min_cells,
        min_hectares=min_hectares,
        epsg=epsg,
    )
    files = [write_events(found, out)]
    if perimeters is not None:
        files.append(write_perimeters(found, perimeters))
    if growth is not None:
        files.append(write_growth(found, growth))
    if json:
        count, hectares = found.left_out
        left_out = {"fires": count, "hectares": round(hectares, 1)}
        total = round(float(found.table["area_ha"].sum()), 1)
        told = {"fires": len(found.table), "hectares": total, "left_out": left_out}
        say_json({"files": files, **(told if found.observed else dict.fromkeys(told))})
    else:
        say(f"{files[0]}: {found.summary}")


def report(folder: Path, *, min_hectares: float = 100.0) -> None:
    """Write two web pages on the maps in a folder, which open without a network.

    `report.html` lists maps, files and manifests; `{region}_map.html` shows all maps of a region and their
    fires on a map with a slider of days.

    Args:
        folder: with the products of 'banet map'.
        min_hectares: fires of less burned area are left out of the map, and counted.
    """
    from banet.export import sections_of, write_report
    from banet.export.explorer import write_pages
    from banet.export.products import read_maps

    for page in write_pages(read_maps(folder), folder, min_hectares=min_hectares):
        say(str(page))
    say(str(write_report(folder, "Burned area", sections_of(folder))))


def export(
    *maps: Path, out: Path, layout: Annotated[Literal["vnp64a1", "vnp64a1-tif"], Parameter(name="--as")]
) -> None:
    """Write maps in the layout of another product, so that what reads that goes on unchanged.

    'vnp64a1' gives monthly HDF4 tiles of NASA's sinusoidal grid with the layers, names and codes of
    VNP64A1.002; 'vnp64a1-tif' the same pixels as GeoTIFF windows of the region.

    Args:
        maps: NetCDF maps that 'banet map' wrote, or folders of them, of one region.
        out: folder to write to.
        layout: of which product.
    """
    from banet.export.vnp64a1 import write_vnp64a1

    for path in write_vnp64a1(list(maps), out, form="tif" if layout == "vnp64a1-tif" else "hdf"):
        say(str(path))
