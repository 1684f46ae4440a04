"""The training commands of the original, with its positional arguments, on today's tiles and loop."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from banet.cli.compat import _command, _cube, _parser
from banet.days import ONE_DAY

if TYPE_CHECKING:
    from banet.cube import Cube


def dataset2tiles(argv: Sequence[str] | None = None) -> None:
    """`banet_dataset2tiles`: a dataset to training tiles."""
    parser = _parser(
        "banet_dataset2tiles",
        [
            ("region", "region name"),
            ("input_path", "folder of the dataset"),
            ("output_path", "folder for the tiles, one subfolder a year"),
        ],
    )
    parser.add_argument("--size", type=int, default=128, help="edge of a tile in cells")
    parser.add_argument("--step", type=int, default=100, help="distance of tiles in cells")
    parser.add_argument("--year", type=int, help="a single year instead of all that are there")
    parser.add_argument("--mcd64_path", help="folder of MCD64A1 files; INPUT_PATH/MCD64A1C6 if left out")
    _command(_dataset2tiles, parser, argv)


def train_model(argv: Sequence[str] | None = None) -> None:
    """`banet_train_model`: the published recipe on tiles, a year left out for validation."""
    parser = _parser(
        "banet_train_model",
        [("input_path", "folder of banet_dataset2tiles"), ("output_path", "folder of the run")],
    )
    parser.add_argument("--val_year", type=int, help="year left out for validation")
    parser.add_argument("--n_epochs", type=int, default=8, help="epochs of 2000 episodes")
    parser.add_argument("--sequence_len", type=int, default=64, help="days of an episode")
    parser.add_argument("--resume", action="store_true", help="go on with the run in the folder")
    _command(_train_model, parser, argv)


def _dataset2tiles(arguments: argparse.Namespace) -> int:
    from banet.chips.store import HEADER
    from banet.cli.progress import caution, say
    from banet.errors import InputError, NotFoundError, PartialFailureError

    cube = _cube(arguments.input_path, arguments.region)
    years = _years(cube, arguments.year)
    without: list[str] = []
    code = 0
    for year in years:
        folder = Path(arguments.output_path) / str(year)
        try:
            count = _tiles_of_year(cube, year, folder, arguments)
        except (InputError, NotFoundError) as error:
            if (folder / HEADER).is_file() or len(years) == 1:
                raise
            without.append(f"no tiles of {year}: {error}")
            if isinstance(error, NotFoundError):  # labels that nobody gave are no year without fire
                code = PartialFailureError.exit_code
        else:
            say(f"{folder}: {count} tiles of {arguments.size} x {arguments.size} cells")
    if len(without) == len(years):
        raise InputError("; ".join(without))
    for line in without:
        caution(line)
    return code


def _tiles_of_year(cube: Cube, year: int, folder: Path, arguments: argparse.Namespace) -> int:
    """Cut the tiles of a year of a cube, and return how many its folder holds."""
    import numpy as np

    from banet.chips import write_cube_chips
    from banet.cli.progress import progress
    from banet.labels import read_mcd64a1

    labels = Path(arguments.mcd64_path or Path(arguments.input_path) / "MCD64A1C6")
    first, after = (np.datetime64(f"{n}-01-01", "D") for n in (year, year + 1))
    start, stop = max(first, cube.days[0]), min(after, cube.days[-1] + ONE_DAY)
    reference = read_mcd64a1([labels], cube.region, start, stop - ONE_DAY)
    with progress("tiles") as report:
        chips = write_cube_chips(
            folder, cube, reference, start=start, stop=stop, size=arguments.size, step=arguments.step,
            progress=report,
        )  # fmt: skip
    return len(chips)


def _years(cube: Cube, only: int | None) -> list[int]:
    from banet.errors import NotFoundError

    years = sorted({int(str(day)[:4]) for day in cube.days})
    if only is not None and only not in years:
        raise NotFoundError(f"{cube.path} holds no day of {only}")
    return years if only is None else [only]


def _train_model(arguments: argparse.Namespace) -> int:
    from banet.cli.progress import caution, progress, say
    from banet.errors import NotFoundError
    from banet.training import original, train

    years = sorted(path.parent for path in Path(arguments.input_path).glob("*/chips.json"))
    held = [folder for folder in years if folder.name == str(arguments.val_year)]
    kept = [folder for folder in years if folder not in held]
    if not kept or (arguments.val_year is not None and not held):
        raise NotFoundError(
            f"{arguments.input_path} holds tiles of {', '.join(f.name for f in years) or 'no year'}; "
            f"asked to leave out {arguments.val_year}"
        )
    settings = original(kept, held, epochs=arguments.n_epochs).changed(
        data={"crop_days": arguments.sequence_len}
    )
    with progress("train") as report:
        result = train(settings, arguments.output_path, resume=arguments.resume, progress=report)
    if result.reason == "interrupted":
        raise KeyboardInterrupt(result.note)
    say(f"{result.steps} steps in {result.minutes:.1f} minutes: {result.weights}")
    if result.note:
        caution(result.note)
    return 0
