"""`banet tiles` and `banet train`: from cubes and labels, or simulated scenes, to weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from banet.cli.evaluation import Perimeters
from banet.cli.progress import caution, progress, say
from banet.cli.workers import Workers

if TYPE_CHECKING:
    from cyclopts import App

    from banet.training import TrainingConfig


def register(root: App) -> None:
    """Add the commands of this group to the application."""
    root.command(tiles)
    root.command(train)


def tiles(
    cube: Path,
    *,
    labels: list[Path],
    out: Path,
    size: int = 128,
    step: int | None = None,
    days: int = 64,
    start: str | None = None,
    end: str | None = None,
    perimeters: Perimeters = Perimeters(),  # noqa: B008 - it is frozen
    spread: Workers = Workers(),  # noqa: B008 - it is frozen
) -> None:
    """Cut a cube and its burned-area labels into training tiles.

    Args:
        cube: a folder CUBE.zarr.
        labels: MCD64A1, VNP64A1, FireCCI, C3S, CLMS or AusCover files or folders, of one product, given once
            or several times; or one file of perimeters, one map, or the truth of a simulated scene.
        out: folder of tiles; tiles that it holds already, of the same cube and labels, are kept.
        size: edge of a tile in cells.
        step: distance of tiles in cells; 100, or the size where that is less, if left out.
        days: length of a tile; tiles begin every half of it.
        start: first day or month, YYYY-MM-DD or YYYY-MM; the first of the cube if left out.
        end: last day or month, included; the last of the cube if left out.
        perimeters: fields and format of their dates.
        spread: who cuts the tiles; they are entered by this process alone.
    """
    from dataclasses import asdict

    import numpy as np

    from banet.chips import Chips, burned_in_no_chip, days_in_no_chip, write_cube_chips
    from banet.chips.store import HEADER
    from banet.cube import open_cube
    from banet.days import parse_period
    from banet.errors import InputError
    from banet.labels.reading import read_map_or_product, sniff

    spread.check()
    asked = [name for name, value in asdict(perimeters).items() if value is not None]
    if asked and "perimeters" not in (kinds := [sniff(one) for one in labels]):
        option = asked[0].replace("_", "-")
        raise InputError(f"--{option} is for perimeters, and {labels[0]} is of the kind {kinds[0]}")
    before = len(Chips.open(out)) if (out / HEADER).is_file() else 0
    opened = open_cube(cube)
    if not len(opened.days):
        raise InputError(f"the cube {cube} holds no day yet")
    first = parse_period(start)[0] if start else opened.days[0]
    last = parse_period(end)[1] - 1 if end else opened.days[-1]
    fields = asdict(perimeters) | {"notice": caution}
    reference = read_map_or_product(labels, region=opened.region, days=(first, last), perimeters=fields)
    stop = last + np.timedelta64(1, "D")
    with spread.connected() as client, progress("tiles") as report:
        chips = write_cube_chips(
            out,
            opened,
            reference,
            start=first,
            stop=stop,
            days=days,
            size=size,
            step=step,
            scheduler=client,
            progress=report,
        )
    told = f"; {len(chips) - before} cut now, {before} kept" if before else ""
    say(f"{out}: {len(chips)} tiles of {days} days x {size} x {size} cells{told}")
    if left := days_in_no_chip(chips, opened.region.name, first, stop):
        caution(f"no tile holds {left}: little burned then, or the labels do not cover them")
    if left := burned_in_no_chip(chips, reference.to(opened.region), first, stop):
        caution(f"no tile holds {left}: too few lie close together, or between tiles")


def train(
    *chips: Path,
    config: Path | None = None,
    out: Path,
    from_: str | None = None,
    resume: bool = False,
    sensor: Path | None = None,
    sequence_length: int | None = None,
    tile: int | None = None,
) -> None:
    """Train a network, or train one further.

    With --from and no --config the network and its inputs are those of the weights, and settings for
    fine-tuning are used. Started by `torchrun`, several processes train together.

    Args:
        chips: folders of tiles to train on, in place of those of the configuration and of what it simulates
            for training; its validation tiles stay.
        config: YAML file with the configuration.
        out: folder of the run: weights.safetensors, validation.json, log.jsonl, checkpoint.pt, config.yaml.
        from_: weights to go on from, a name or a path.
        resume: go on with the run in the folder.
        sensor: YAML file that says what the input is: sensor, mir_band, channels, mean and std by channel;
            what it leaves out is as in the weights or the configuration.
        sequence_length: days of an episode; fewer need less memory.
        tile: edge of an episode in cells; smaller needs less memory.
    """
    from banet.io.settings import read_fields
    from banet.training import train as run
    from banet.training.parallel import is_first
    from banet.training.presets import with_sensor

    settings = _settings(config, [str(folder) for folder in chips], from_)
    changes: dict[str, dict[str, object]] = {}
    if sequence_length is not None:
        changes.setdefault("data", {})["crop_days"] = sequence_length
    if tile is not None:
        changes.setdefault("data", {})["crop_size"] = tile
    settings = settings.changed(**changes) if changes else settings
    if sensor is not None:
        settings = with_sensor(settings, read_fields(sensor, "sensor definition"))
    with progress("train") as report:
        result = run(settings, out, resume=resume, progress=report)
    if not is_first():
        return
    if result.reason == "interrupted":
        raise KeyboardInterrupt(result.note)
    say(f"{result.steps} steps in {result.minutes:.1f} minutes, ended by {result.reason}")
    for variant, groups in result.scores.items():
        say(f"{variant}: {groups['overall']}")
    say(f"weights: {result.weights}")
    if result.note:
        caution(result.note)


def _settings(config: Path | None, chips: list[str], weights: str | None) -> TrainingConfig:
    from banet.errors import InputError
    from banet.training import TrainingConfig, fine_tuning, load_config

    if config is None and not chips:
        raise InputError("nothing to train on: give folders of tiles, or --config")
    if config is None and weights is not None:
        return fine_tuning(weights, chips)
    if config:
        settings = load_config(config, chips=chips)
    else:
        settings = TrainingConfig.parse({"data": {"chips": chips}}, "tiles")
    return settings if weights is None else settings.changed(start={"weights": weights})
