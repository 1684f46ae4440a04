"""`banet cube`: build, show and import cubes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from banet.cli.progress import caution, progress, say, say_json
from banet.cli.workers import Workers

if TYPE_CHECKING:
    from cyclopts import App

    from banet.cube import Cube


def register(root: App) -> None:
    """Add the commands of this group to the application."""
    from cyclopts import App

    group = App(name="cube", help="Build and show the store of daily planes of a region.")
    group.command(build)
    group.command(info)
    group.command(check)
    group.command(import_original, name="import")
    root.command(group)


def build(
    region: str,
    *,
    viirs: Path,
    out: Path,
    hotspots: list[Path] | None = None,
    start: str | None = None,
    end: str | None = None,
    source: Annotated[str | None, Parameter(name=("--source", "--sensor"))] = None,
    all_hotspots: bool = False,
    json: bool = False,
    spread: Workers = Workers(),  # noqa: B008 - it is frozen
) -> None:
    """Make or update a cube from satellite files and hot spots.

    Days that are there already are not read again; a day without a usable file becomes a recorded gap.
    FRP of an earlier build stays where the hot spots given now say nothing.

    Args:
        region: a R_NAME.json, or the name of a region that ships with banet.
        viirs: folder of satellite files.
        out: the cube, a folder CUBE.zarr.
        hotspots: FIRMS file or folder; may be given several times. Without it fires are not known, which a
            network maps as such; not known is not the same as none.
        start: first day or month, YYYY-MM-DD or YYYY-MM; the first day with a file if left out.
        end: last day or month, included; the last day found if left out.
        source: which family of files the folder holds, told from the files if left out: viirs750-gridded,
            viirs375-gridded, viirs750-swath, viirs375-swath, viirs750-sdr, viirs375-sdr or surface.
        all_hotspots: also take volcanoes, static land sources and offshore flares for fire.
        json: print what the cube holds as JSON.
        spread: who reads the files; days are written by this process alone.
    """
    from banet.grid.region import Region
    from banet.ingest.folder import build_cube, images_of

    spread.check()
    if hotspots is None:
        caution("no hot spots are given: FRP is not known but where the cube holds it from before")
    grid = Region.load(region)
    with spread.connected() as client, progress("cube") as report:
        cube = build_cube(
            grid,
            viirs,
            hotspots,
            out,
            start=start,
            end=end,
            source=source,
            vegetation_only=not all_hotspots,
            scheduler=client,
            progress=report,
            notice=_advise,
        )
    if json:
        say_json({"path": out, **cube.info().to_dict()})
    else:
        _summary(cube)
        say(str(images_of(cube)))


def _advise(note: str) -> None:
    """Print a note of a build, with the option that takes the hot spots that were left out."""
    from banet.observations.hotspots import LEFT_OUT

    caution(note.replace(LEFT_OUT, f"{LEFT_OUT} (--all-hotspots takes them)"))


def import_original(
    folder: Path, *, region: str, out: Path, frp: Literal["auto", "raw", "log1p"] = "auto"
) -> None:
    """Import the day files of the original, VIIRS750{region}_{YYYYMMDD}.nc or .mat.

    Args:
        folder: with the files.
        region: a R_NAME.json, or the name of a region that ships with banet.
        out: the cube, a folder CUBE.zarr.
        frp: whether FRP in .mat files is in MW or log1p of it; told by its values if 'auto'.
    """
    from banet.grid.region import Region
    from banet.ingest.original import import_original as run

    with progress("import") as report:
        cube = run(folder, Region.load(region), out, frp=frp, progress=report, notice=caution)
    _summary(cube)


def info(cube: Path, *, json: bool = False) -> None:
    """Show days, gaps, coverage and value ranges of a cube.

    Args:
        cube: a folder CUBE.zarr.
        json: print them as JSON.
    """
    from banet.cube import open_cube

    opened = open_cube(cube)
    if json:
        say_json({"path": cube, **opened.info().to_dict()})
        return
    _summary(opened)
    say(str(opened.info()))


def check(cube: Path, *, drop: bool = False, json: bool = False) -> None:
    """Read all of a cube and name the days that are damaged, and a damaged water mask or coordinate.

    Args:
        cube: a folder CUBE.zarr.
        drop: leave the damaged days out, so that the next `banet cube build` reads their files again; write
            damaged coordinates again; leave a damaged water mask out, so that maps find water in the images.
        json: print the days, the damaged ones, and what of the grid is, with what is wrong, as JSON.
    """
    from banet.cube import open_cube
    from banet.errors import CorruptError

    opened = open_cube(cube)
    damage, grid = opened.damage(), opened.damage_of_grid()
    if json:
        damaged = {str(day): told for day, told in damage.items()}
        say_json({"days": len(opened.days), "damaged": damaged, "grid": grid})
    for told in [*damage.values(), *grid.values()]:
        caution(told)
    if drop:
        if grid:
            opened.mend_grid()
        for day in damage:
            opened.record_gap(day, ["was damaged and left out; build the cube again"])
    elif damage:
        raise CorruptError(
            f"{len(damage)} days of {cube} are damaged; `banet cube check {cube} --drop` leaves them out, "
            "and the next `banet cube build` reads their files again"
        )
    elif grid:
        raise CorruptError(
            f"{' and '.join(grid)} of {cube} are damaged; `banet cube check {cube} --drop` writes "
            "coordinates again and leaves a water mask out: set it anew, or maps find water in the images"
        )
    if not json:
        left_out = [f"{len(damage)} damaged days left out"] if damage else []
        left_out += [f"{' and '.join(grid)} mended"] if grid else []
        say("; ".join(left_out) or f"{len(opened.days)} days, all sound")


def _summary(cube: Cube) -> None:
    from banet.cube.info import lacking_days

    days = cube.days
    span = f"{days[0]} to {days[-1]}" if len(days) else "no day yet"
    rows, cols = cube.region.shape
    grid = f"region {cube.region.name}, {rows} x {cols} cells"
    say(f"{cube.path}: {grid}, {cube.sensor}, MIR slot {cube.mir_band}")
    lacking = lacking_days(days)
    no_file = f"; no file of {lacking}" if lacking else ""
    say(f"{len(days)} days ({span}), {len(cube.gaps)} days with recorded gaps{no_file}")
    for day, reasons in sorted(cube.gaps.items())[:10]:
        say(f"  gap {day}: {'; '.join(reasons)}")
    if len(cube.gaps) > 10:
        say(f"  and {len(cube.gaps) - 10} more days with gaps")
