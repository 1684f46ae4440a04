"""The command names of the original, with its positional arguments, on top of today's rooms.

Where the original wrote one file a day, these commands keep one cube `{region}.zarr` in the same folder; the
results keep the names, variables and meaning of the original's files, with its dating errors mended.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from banet.cli.progress import caution, progress, say

if TYPE_CHECKING:
    import numpy as np

    from banet.burned_area.burned_area import BurnedArea
    from banet.cube import Cube
    from banet.grid.region import Region

_FOLDS = tuple(f"banetv0.20-val2017-fold{fold}.pth" for fold in range(3))


def create_dataset() -> None:
    """`banet_create_dataset`: satellite files and hot spots to a cube."""
    _command(_create_dataset, _dataset_parser())


def predict_monthly() -> None:
    """`banet_predict_monthly`: one map for each month of a year."""
    _command(_predict_monthly, _monthly_parser())


def predict_times() -> None:
    """`banet_predict_times`: the months of a span and one map of all of them."""
    _command(_predict_times, _times_parser())


def _command(
    action: Callable[[argparse.Namespace], int],
    parser: argparse.ArgumentParser,
    argv: Sequence[str] | None = None,
) -> None:
    from banet.cli import given, run_guarded

    parser.add_argument("--debug", action="store_true", help="show the whole traceback of an error")
    words = sys.argv[1:] if argv is None else argv
    sys.exit(run_guarded(lambda: action(parser.parse_args(given(words))), debug="--debug" in words))


def _parser(name: str, positional: Sequence[tuple[str, str]]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=name)
    for argument, words in positional:
        parser.add_argument(argument, help=words)
    return parser


def _dataset_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "banet_create_dataset",
        [
            ("region", "region name"),
            ("viirs_path", "folder of VIIRS files"),
            ("fires_path", "folder with hotspots{region}.csv"),
            ("save_path", "folder for the dataset"),
            ("regions_path", "folder with R_{region}.json"),
        ],
    )
    parser.add_argument("--mcd64_path", help="not used: labels are read when training tiles are made")
    parser.add_argument("--cci51_path", help="not used: labels are read when training tiles are made")
    parser.add_argument("--bands", help="not used: the bands follow from the kind of files")
    parser.add_argument("--year", type=int, help="a single year instead of all that are there")
    return parser


def _monthly_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "banet_predict_monthly",
        [
            ("region", "region name"),
            ("input_path", "folder of the dataset"),
            ("output_path", "folder for the maps"),
        ],
    )
    parser.add_argument("year", type=int, help="year to map")
    parser.add_argument("--weight_files", nargs="+", help="weight files; their mean is taken")
    return parser


def _times_parser() -> argparse.ArgumentParser:
    parser = _parser(
        "banet_predict_times",
        [
            ("region", "region name"),
            ("tstart", "first month, yyyy-mm-01"),
            ("tend", "last month, yyyy-mm-01"),
            ("input_path", "folder of the dataset"),
            ("output_path", "folder for the maps"),
            ("regions_path", "folder with R_{region}.json"),
        ],
    )
    parser.add_argument("--product", default="VIIRS750", help="not used: the day files say what they are")
    parser.add_argument("--output", default="data", help="first part of the names of the results")
    parser.add_argument("--weight_files", nargs="+", help="weight files; their mean is taken")
    return parser


def _create_dataset(arguments: argparse.Namespace) -> int:
    from banet.ingest.folder import build_cube
    from banet.io.files import existing_file

    region = _region(arguments.regions_path, arguments.region)
    hotspots = existing_file(Path(arguments.fires_path) / f"hotspots{region.name}.csv", "hot-spot file")
    year = arguments.year
    with progress("dataset") as report:
        cube = build_cube(
            region,
            arguments.viirs_path,
            hotspots,
            Path(arguments.save_path) / f"{region.name}.zarr",
            start=None if year is None else f"{year:04d}-01-01",
            end=None if year is None else f"{year:04d}-12-31",
            progress=report,
        )
    say(f"{cube.path}: {len(cube.days)} days, {len(cube.gaps)} with recorded gaps")
    return 0


def _predict_monthly(arguments: argparse.Namespace) -> int:
    from banet.burned_area.hectares import in_words
    from banet.days import month_range
    from banet.errors import NotFoundError
    from banet.io.files import output_folder
    from banet.mapping import map_months

    cube = _cube(arguments.input_path, arguments.region)
    folder = output_folder(arguments.output_path)
    days = cube.days[cube.days.astype("datetime64[Y]").astype(str) == str(arguments.year)]
    if not len(days):
        raise NotFoundError(f"{cube.path} holds no day of {arguments.year}")
    months = month_range(days[0], days[-1])
    with progress("map") as report:
        maps = map_months(
            cube, months[0], months[-1], weights=_weights(arguments.weight_files), progress=report
        )
        for burnmap in maps:
            stem = f"ba_{cube.region.name}_{_compact(burnmap.start)[:6]}"
            _save_mat(folder / f"{stem}.mat", _burned_and(burnmap, _day_of_year(burnmap)))
            say(f"{folder / stem}.mat: {in_words(burnmap)}")
    return 0


def _predict_times(arguments: argparse.Namespace) -> int:
    from banet.days import as_day, as_month
    from banet.export.products import write_map
    from banet.io.files import output_folder
    from banet.mapping import map_burned

    region = _region(arguments.regions_path, arguments.region)
    cube = _cube(arguments.input_path, region.name, region)
    folder = output_folder(arguments.output_path)
    first, last = as_month(as_day(arguments.tstart)), as_month(as_day(arguments.tend))
    say(f"months are mapped whole, as in the original: {first} to {last}")
    with progress("map") as report:
        burnmap = map_burned(
            cube, first, last, weights=_weights(arguments.weight_files), threshold=0.05, progress=report
        )
    stem = f"{arguments.output}_{region.name}{str(first)[:4]}"
    index = (burnmap.burn_date - burnmap.start).astype("float32")
    content = _burned_and(burnmap, index)
    content["times"] = [str(day) for day in burnmap.days]
    _save_mat(folder / f"{stem}.mat", content)
    write_map(cube, burnmap, folder, stem, settings={"threshold": 0.05}, pictures=False)
    say(f"{folder / stem}.mat: {burnmap.burned_area_ha:,.0f} ha at 0.05 or more")
    return 0


def _region(folder: str, name: str) -> Region:
    from banet.grid.region import Region
    from banet.io.files import existing_file

    return Region.load(existing_file(Path(folder) / f"R_{name}.json", "region file"))


def _cube(folder: str, name: str, region: Region | None = None) -> Cube:
    """Open the cube of a dataset; where that is of the original's day files, with those that are new."""
    from banet.cube import open_cube
    from banet.errors import NotFoundError
    from banet.ingest.original import import_original
    from banet.io.files import visible_files

    path = Path(folder) / f"{name}.zarr"
    pattern = f"VIIRS???{name}_????????.*"
    files = visible_files(folder, pattern)
    if path.is_dir():
        cube = open_cube(path)
        days = {_compact(day) for day in cube.days}
        record = cube.record(cube.days[0]) if days else None
        inputs = () if record is None else record.inputs
        of_satellites = bool(inputs) and not any(fnmatch(each, pattern) for each in inputs)
        if of_satellites or all(file.stem[-8:] in days for file in files):
            return cube
        region = cube.region
    if not files:
        raise NotFoundError(f"no cube {path}; make it with banet_create_dataset")
    if region is None:
        raise NotFoundError(
            f"{folder} holds day files of the original, which do not say where they are; make a cube: "
            f"banet cube import {folder} --region R_{name}.json --out {path}"
        )
    with progress("import") as report:
        return import_original(folder, region, path, progress=report, notice=caution)


def _weights(files: Sequence[str] | None) -> list[str]:
    if files:
        return list(files)
    folder = Path.home() / ".banet" / "models"
    published = [folder / name for name in _FOLDS]
    if all(file.is_file() for file in published):
        return [str(file) for file in published]
    say(f"the published weights are not in {folder}; taking the weights that ship with banet")
    return ["default"]


def _compact(day: np.datetime64) -> str:
    return str(day).replace("-", "")


def _day_of_year(burnmap: BurnedArea) -> Any:
    import numpy as np

    from banet.days import day_of_year

    return np.where(burnmap.burned, day_of_year(burnmap.burn_date), np.nan)


def _burned_and(burnmap: BurnedArea, date: Any) -> dict[str, Any]:
    """The two variables of the original's result: NaN where not burned."""
    import numpy as np

    burned = np.where(burnmap.burned, burnmap.burned_fraction, np.nan)
    return {"burned": burned.astype(np.float32), "date": np.where(burnmap.burned, date, np.nan)}


def _save_mat(path: Path, content: dict[str, Any]) -> None:
    from scipy.io import savemat

    from banet.io.files import writing

    with writing(path) as part:
        savemat(part, content, do_compression=True)
