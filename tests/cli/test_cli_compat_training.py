"""The original's commands for tiles and training, on a simulated scene."""

from __future__ import annotations

from pathlib import Path

import pytest

from banet.chips import Chips
from banet.cli import compat_training
from banet.cli.compat_training import dataset2tiles, train_model
from banet.errors import NotFoundError
from banet.evaluation.benchmark.stage import write_cube
from banet.grid.region import Region
from banet.simulation import simulate, write_scene
from banet.training import presets

REGION = Region("TINY", (-8, 40, -7.68, 40.32), 0.01)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two years' ends in a cube, with label tiles where the original kept them."""
    folder = tmp_path_factory.mktemp("dataset")
    scene = simulate(REGION, "2019-10-27", 130, seed=11, climate="mozambique")
    write_cube(scene, folder / "TINY.zarr")
    write_scene(scene, folder / "MCD64A1C6", formats=("labels",))
    return folder


def ended(command, *words: object) -> int:
    with pytest.raises(SystemExit) as end:
        command([str(word) for word in words])
    return int(end.value.code or 0)


def test_tiles_of_each_year_train_the_published_recipe(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(dataset2tiles, "TINY", dataset, tmp_path / "tiles", "--size", 32, "--step", 32) == 0
    years = {folder.name: Chips.open(folder) for folder in sorted((tmp_path / "tiles").iterdir())}
    assert set(years) == {"2019", "2020"}
    for year, chips in years.items():
        assert len(chips) and all(entry.start[:4] == year for entry in chips.entries)
        assert sum(entry.burned_area for entry in chips.entries) > 0
    asked = []

    def small(chips, held, *, epochs):
        asked.append(([folder.name for folder in chips], [folder.name for folder in held], epochs))
        recipe = presets.original(chips, held, epochs=epochs)
        shape = {"width": 2, "multipliers": (1, 2), "space_kernels": (3, 3), "time_kernels": (3, 3)}
        return recipe.changed(
            network=shape, data={"crop_size": 32, "min_burned_cells": 0}, optimiser={"steps": 2},
            runtime={"workers": 0},
        )  # fmt: skip

    monkeypatch.setattr("banet.training.original", small, raising=False)
    run = tmp_path / "run"
    words = [tmp_path / "tiles", run, "--val_year", 2019, "--n_epochs", 1, "--sequence_len", 32]
    with monkeypatch.context() as patched:
        patched.setattr("banet.training.loop._Run._after_step", lambda run: "interrupted")
        assert ended(train_model, *words) == 130
    told = capsys.readouterr()
    assert f"interrupted after 1 steps; give --resume to go on in {run}" in told.err
    assert "None" not in told.out
    assert ended(train_model, *words) == 2
    assert ended(train_model, *words, "--resume") == 0
    assert asked[0] == (["2020"], ["2019"], 1)
    assert (run / "weights.safetensors").exists() and (run / "validation.json").exists()


def test_a_year_without_tiles_is_told_and_the_others_are_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = simulate(REGION, "2019-12-01", 100, seed=11, climate="mozambique")
    write_cube(scene, tmp_path / "TINY.zarr")
    write_scene(scene, tmp_path / "MCD64A1C6", formats=("labels",))
    words = ["TINY", tmp_path, tmp_path / "tiles", "--size", 32, "--step", 32]
    assert ended(dataset2tiles, *words) == 0
    assert [folder.name for folder in (tmp_path / "tiles").iterdir()] == ["2020"]
    told = capsys.readouterr().err
    assert "note: no tiles of 2019: 2019-12-01 to 2019-12-31 are 31 days, a chip needs 64" in told
    assert ended(dataset2tiles, *words, "--year", 2019) == 2
    # A year whose tiles are there, of another size, is none to leave out.
    assert ended(dataset2tiles, *words[:3], "--size", 16) == 2


def test_labels_that_lack_a_year_are_a_part_that_failed(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def tiles(cube: object, year: int, folder: Path, arguments: object) -> int:
        if year == 2019:
            raise NotFoundError("no MCD64A1 file")
        return 1

    monkeypatch.setattr(compat_training, "_years", lambda cube, asked: [2019, 2020])
    monkeypatch.setattr(compat_training, "_tiles_of_year", tiles)
    assert ended(dataset2tiles, "TINY", dataset, tmp_path) == 3
    assert "no tiles of 2019: no MCD64A1 file" in capsys.readouterr().err


def test_what_is_missing_is_said_in_one_line(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(dataset2tiles, "TINY", dataset, tmp_path, "--year", 1999) == 2
    assert ended(dataset2tiles, "TINY", dataset, tmp_path, "--mcd64_path", tmp_path / "none") == 2
    assert ended(train_model, tmp_path, tmp_path / "run", "--val_year", 2012) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 3 and "1999" in lines[0] and "2012" in lines[2]
