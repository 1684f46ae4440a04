"""`banet_nrt_run` of the original: one day of a region in its project folders, on top of today's rooms.

`config/` holds `R_{region}.json` and weights, `ladsweb/` satellite files, `hotspots/` tables, `dataset/` the
cube `{region}.zarr`, `outputs/` the map `ba_YYYYMMDD.mat` and `web/` its fires as `.tif`, `.shp` and `.json`.
`banet nrt` does more: fires that keep their names, revisions, a page.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from banet.cli.compat import _FOLDS, _burned_and, _command, _compact, _parser, _save_mat, _weights
from banet.cli.operations import Terminal
from banet.cli.progress import progress, say
from banet.days import NO_DATE
from banet.errors import PartialFailureError

if TYPE_CHECKING:
    from banet.burned_area.burned_area import BurnedArea
    from banet.days import Day
    from banet.grid.region import Region
    from banet.operations.steps import Places

_MIN_CELLS = 25
_FOLDERS = ("config", "ladsweb", "hotspots", "dataset", "outputs", "web")


def nrt_run(argv: list[str] | None = None) -> None:
    """`banet_nrt_run`: fetch, build and map the 64 days that end today or yesterday."""
    _command(_run, _nrt_parser(), argv)


def _nrt_parser() -> argparse.ArgumentParser:
    parser = _parser("banet_nrt_run", [("region", "region name")])
    for side in ("left", "bottom", "right", "top"):
        parser.add_argument(side, type=float, help=f"{side} limit of the box in degrees")
    parser.add_argument("project_path", type=Path, help=f"folder for {', '.join(_FOLDERS)}")
    parser.add_argument("hotspots_region", help="not used: hot spots are those of the box")
    parser.add_argument("--product", default="VIIRS750", help="VIIRS750, VIIRS375, or another to fetch")
    parser.add_argument("--area_epsg", type=int, default=3763, help="projection to measure hectares in")
    parser.add_argument("--pixel_size", type=float, default=0.01, help="edge of a cell in degrees")
    parser.add_argument("--time", choices=("today", "yesterday"), default="today", help="last day, UTC")
    parser.add_argument("--threshold", type=float, default=0.5, help="least burned value of a burned cell")
    for name, words in (
        ("skip_hotspots", "fetch no hot spots"),
        ("skip_ladsweb", "fetch no satellite files"),
        ("skip_preprocess", "leave the cube as it is"),
        ("skip_getpreds", "make no map"),
        ("skip_postprocess", "write no fires"),
        ("single_fold", "map with the first of the three published weights alone"),
    ):
        parser.add_argument(f"--{name}", nargs="?", type=_truth, const=True, default=False, help=words)
    parser.add_argument("--max_size", type=int, default=2000, help="not used: tiles follow from the memory")
    return parser


def _truth(text: str) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if text.lower() not in words:
        raise argparse.ArgumentTypeError(f"{text!r} is neither True nor False")
    return words[text.lower()]


@dataclass(frozen=True)
class _Project:
    """Folders of a project, and what its run is of."""

    path: Path
    region: Region
    day: Day

    @property
    def places(self) -> Places:
        from banet.operations.area import Area
        from banet.operations.steps import Places

        cube = self.path / "dataset" / f"{self.region.name}.zarr"
        return Places(Area(self.region), self.path / "ladsweb", self.path / "hotspots", cube)

    @property
    def mat(self) -> Path:
        return self.path / "outputs" / f"ba_{_compact(self.day)}.mat"


def _run(arguments: argparse.Namespace) -> int:
    from banet.days import today_utc
    from banet.grid.region import Region
    from banet.io.files import output_folder
    from banet.io.lock import lock

    box = (arguments.left, arguments.bottom, arguments.right, arguments.top)
    region = Region(arguments.region, box, arguments.pixel_size)
    for folder in _FOLDERS:
        output_folder(arguments.project_path / folder)
    region.save(arguments.project_path / "config")
    day = today_utc() - int(arguments.time == "yesterday")
    project = _Project(arguments.project_path, region, day)
    with lock(project.path / region.name, f"the project {project.path}"):
        failed = _fetch_and_build(project, arguments)
        if not arguments.skip_getpreds:
            _map(project, arguments)
        if not arguments.skip_postprocess:
            _fires(project, arguments)
    for line in failed:
        say(f"failed: {line}")
    return PartialFailureError.exit_code if failed else 0


def _fetch_and_build(project: _Project, arguments: argparse.Namespace) -> tuple[str, ...]:
    from banet.io.files import visible_files
    from banet.mapping import nrt_window
    from banet.operations.options import RunOptions
    from banet.operations.steps import build, fetch

    window = nrt_window(project.day)
    days = window.days[0], window.days[-1]
    fields = {"region": project.region.name, "out": project.path, "start": str(days[0]), "end": str(days[1])}
    images, tables = not arguments.skip_ladsweb, not arguments.skip_hotspots
    named = {"download": images, "product": arguments.product, "threshold": arguments.threshold}
    options = RunOptions.parse({**fields, **named}, "banet_nrt_run")
    places = project.places
    failed = fetch(options, places, days, Terminal(), images=images, hotspots=tables)
    if not arguments.skip_preprocess:
        there = places if visible_files(project.path / "hotspots") else replace(places, hotspots=None)
        with progress("dataset") as report:
            _, unread = build(options, there, days, report)
        failed += tuple(unread)
    return failed


def _map(project: _Project, arguments: argparse.Namespace) -> None:
    from banet.burned_area.hectares import in_words
    from banet.mapping import map_nrt
    from banet.operations.steps import opened

    with progress("map") as report:
        burned = map_nrt(
            opened(project.places),
            project.day,
            _chosen(project.path / "config", single=arguments.single_fold),
            threshold=arguments.threshold,
            progress=report,
        )
    content = _burned_and(burned, (burned.burn_date - burned.start).astype("float32"))
    content |= {"times": [str(day) for day in burned.days], "observed": burned.known | burned.water}
    _save_mat(project.mat, content)
    say(f"{project.mat}: {in_words(burned)}")


def _chosen(config: Path, *, single: bool) -> list[str]:
    """Return the published weights of the project, else those that were fetched, else those that ship."""
    own = [str(config / name) for name in _FOLDS[: 1 if single else None] if (config / name).is_file()]
    return own or _weights(None)[: 1 if single else None]


def _fires(project: _Project, arguments: argparse.Namespace) -> None:
    """Write the fires of 25 cells and more: fraction and day as raster, outlines as vector files."""
    import rasterio

    from banet.burned_area.fires import trace_events
    from banet.export.vectors import write_events
    from banet.io.files import writing

    burned, fraction, date = _read(project)
    events = trace_events(burned, min_cells=_MIN_CELLS, epsg=arguments.area_epsg)
    kept = _in_fires(events.cells, project.region)
    target = project.path / "web" / project.mat.stem
    bands = [kept * fraction * 255, kept * date]
    with writing(target.with_suffix(".tif")) as part:
        profile = {
            "driver": "GTiff",
            "count": 2,
            "dtype": "uint16",
            "crs": "EPSG:4326",
            "compress": "deflate",
        }
        rows, cols = project.region.shape
        transform = project.region.transform
        with rasterio.open(part, "w", height=rows, width=cols, transform=transform, **profile) as raster:
            for number, band in enumerate(bands, 1):
                raster.write(band.astype("uint16"), number)
    table = events.table.assign(area_ha=events.table["epsg_ha"].round().astype("int64"))
    for suffix in (".shp", ".json"):
        write_events(table, target.with_suffix(suffix))
    say(f"{target}.tif, .shp, .json: {events.summary}")


def _read(project: _Project) -> tuple[BurnedArea, Any, Any]:
    """Return the map of the day, its fraction, and its days counted from the first day of its first year."""
    import numpy as np
    from scipy.io import loadmat

    from banet.burned_area.burned_area import BurnedArea
    from banet.io.files import existing_file

    content = loadmat(existing_file(project.mat, "map of the day"))
    days = np.array([str(day).strip() for day in content["times"]], "datetime64[D]")
    burned = np.isfinite(content["date"]) & (content["burned"] > 0)
    number = np.where(burned, content["date"], 0).astype(np.int64)
    date = np.where(burned, days[number], NO_DATE)
    fraction = np.where(burned, np.minimum(content["burned"], 1), 0).astype(np.float32)
    # Files of the original do not tell what was observed.
    told = burned | np.asarray(content.get("observed", True), bool)
    first = days[0].astype("datetime64[Y]").astype("datetime64[D]")
    since = np.where(burned, (days[number] - first).astype(np.int64) + 1, 0)
    area = BurnedArea(
        project.region, days[0], days[-1] + 1, np.where(told, fraction, np.nan), date, threshold=0.0
    )
    return area, fraction, since


def _in_fires(cells: Any, region: Region) -> Any:
    import numpy as np

    kept = np.zeros(region.shape, bool)
    kept[cells["row"].to_numpy(), cells["col"].to_numpy()] = True
    return kept
