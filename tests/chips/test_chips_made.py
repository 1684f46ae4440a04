"""Chips from the simulator and from a cube with labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dated import DatedFractions
from banet.burned_area.unknown import UnknownDays
from banet.chips.real import plan_blocks, starts, write_cube_chips
from banet.chips.simulated import plan_simulated, write_simulated_chips
from banet.chips.store import ChipEntry, Chips
from banet.cube import Cube
from banet.errors import BanetWarning, BusyError, InputError
from banet.grid.region import Region
from banet.observations.planes import DayPlanes
from training_scenes import toy_sample

REGION = Region("T", (10.0, 40.0, 10.4, 40.3), 0.01)
FIRST = np.datetime64("2020-12-10")


def test_climates_take_turns_and_a_longer_plan_begins_with_the_shorter() -> None:
    short, long = plan_simulated(4, ("a", "b", "c"), 10), plan_simulated(9, ("a", "b", "c"), 10)
    assert long[:4] == short
    assert [item.climate for item in short] == ["a", "b", "c", "a"]
    assert len({item.name for item in long}) == 9
    with pytest.raises(InputError, match="at least 1"):
        plan_simulated(0, ("a",), 0)
    with pytest.raises(InputError, match="climate"):
        plan_simulated(3, (), 0)


def test_simulating_goes_on_where_it_stopped(tmp_path: Path) -> None:
    plan = plan_simulated(5, ("a", "bb"), 3)
    calls: list[int] = []

    def counting(seed: int, **kwargs: object) -> tuple[np.ndarray, np.ndarray]:
        calls.append(seed)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return toy_sample(seed, **kwargs)  # type: ignore[arg-type]

    with pytest.raises(KeyboardInterrupt):
        write_simulated_chips(tmp_path, plan, days=8, size=16, sampler=counting)
    told: list[tuple[int, int, str]] = []
    chips = write_simulated_chips(
        tmp_path, plan, days=8, size=16, sampler=counting, progress=lambda *line: told.append(line)
    )
    assert calls == [3, 4, 5, 6, 6, 7]
    assert [line[:2] for line in told] == [(4, 5), (5, 5)]
    planes, target = toy_sample(6, days=8, size=16, climate="bb")
    chip = chips.read(3)
    np.testing.assert_allclose(chip.target, target, atol=0.51 / 200)
    np.testing.assert_allclose(chip.planes[:3], planes[:3], atol=0.51e-4)
    assert chip.entry.seed == 6 and chip.entry.climate == "bb"


def test_a_plan_has_its_chips_in_its_order_whatever_the_folder_holds(tmp_path: Path) -> None:
    plan = plan_simulated(3, ("a",), 3)
    for part in (plan_simulated(2, ("bb",), 50), plan[::-1]):
        write_simulated_chips(tmp_path, part, days=8, size=16, sampler=toy_sample)
    chips = write_simulated_chips(tmp_path, plan, days=8, size=16, sampler=toy_sample)
    assert [entry.seed for entry in chips.entries] == [3, 4, 5]
    assert len(Chips.open(tmp_path)) == 5


def test_two_runs_that_add_to_one_folder_are_told_and_lose_nothing(tmp_path: Path) -> None:
    plan = plan_simulated(4, ("a",), 3)
    stale = Chips.create(tmp_path, 8, 16)

    def meanwhile(seed: int, **kwargs: object) -> tuple[np.ndarray, np.ndarray]:
        if seed == 4:
            with pytest.raises(BusyError, match="at work on the folder of chips"):
                write_simulated_chips(tmp_path, plan, days=8, size=16, sampler=toy_sample)
        return toy_sample(seed, **kwargs)  # type: ignore[arg-type]

    write_simulated_chips(tmp_path, plan[:2], days=8, size=16, sampler=meanwhile)
    with stale.adding():
        assert len(stale) == 2
    assert len(write_simulated_chips(tmp_path, plan, days=8, size=16, sampler=toy_sample)) == 4
    with stale.adding():  # nothing is missing, so nothing is waited for
        assert len(write_simulated_chips(tmp_path, plan, days=8, size=16, sampler=toy_sample)) == 4
    assert sorted(Chips.open(tmp_path).names) == [item.name for item in plan]


@pytest.mark.slow
def test_processes_make_the_same_chips_as_one(tmp_path: Path) -> None:
    plan = plan_simulated(3, ("mediterranean",), 0)
    one = write_simulated_chips(tmp_path / "one", plan, days=4, size=16)
    two = write_simulated_chips(tmp_path / "two", plan, days=4, size=16, workers=2)
    assert {e.name: e for e in one.entries} == {e.name: e for e in two.entries}
    for name in one.names:
        a, b = (next(i for i, e in enumerate(c.entries) if e.name == name) for c in (one, two))
        np.testing.assert_array_equal(one.read(a).planes, two.read(b).planes)


def test_blocks_cover_everything() -> None:
    assert starts(100, 128, 100) == [0]
    assert starts(128, 128, 100) == [0]
    assert starts(300, 128, 100) == [0, 100, 172]
    covered = np.zeros(801, bool)
    for first in starts(801, 128, 100):
        covered[first : first + 128] = True
    assert covered.all()


def reference(start: str = "2020-12-01", stop: str = "2021-02-01") -> BurnedArea:
    """Labels that know what burned in December and January, kept to a period of these months."""
    fraction = np.zeros(REGION.shape, np.float32)
    date = np.full(REGION.shape, np.datetime64("NaT", "D"))
    fraction[5:9, 5:9], date[5:9, 5:9] = 0.6, np.datetime64("2021-01-02")
    fraction[25, 35], date[25, 35] = 0.2, np.datetime64("2020-12-12")
    fraction[0, :] = np.nan
    first, last = np.datetime64("2020-12-01"), np.datetime64("2021-02-01")
    whole = BurnedArea(REGION, first, last, fraction, date, threshold=0, name="LABELS")
    return whole.between(start, stop)


@pytest.fixture(scope="module")
def cube(tmp_path_factory: pytest.TempPathFactory) -> Cube:
    cube = Cube.create(
        tmp_path_factory.mktemp("cube") / "cube.zarr", REGION, sensor="VIIRS S-NPP", mir_band="M12"
    )
    rng = np.random.default_rng(0)
    for i in range(40):
        if i == 7:
            continue
        red, nir, mir, zenith = rng.uniform(0.05, 0.6, (4, *REGION.shape)).astype(np.float32)
        red[3, 3] = np.nan
        frp = np.zeros(REGION.shape, np.float32)
        frp[6, 6] = 12 if i == 23 else 0
        planes = DayPlanes(red, nir, mir, zenith, np.ones(REGION.shape, np.uint8))
        cube.write_day(FIRST + i, planes, frp)
    return cube


def test_cube_chips_hold_planes_and_daily_fractions_across_the_year(cube: Cube, tmp_path: Path) -> None:
    labels = reference("2020-12-11", "2021-01-17")
    chips = write_cube_chips(
        tmp_path / "chips", cube, labels, days=32, size=16, step=12, day_step=16, empty_share=0.0
    )
    assert chips.entries
    for number, entry in enumerate(chips.entries):
        chip = chips.read(number)
        row, col = entry.corner
        days = slice(int((entry.day - FIRST).astype(int)), int((entry.day - FIRST).astype(int)) + 32)
        assert entry.source == "cube" and entry.details["labels"] == "LABELS"
        window = cube.read(FIRST, FIRST + 40, slice(row, row + 16), slice(col, col + 16))
        np.testing.assert_allclose(chip.planes[0], window.red[days], atol=0.6e-4)
        np.testing.assert_allclose(chip.planes[3], window.frp[days], rtol=1e-3)
        known = np.isfinite(chip.target)
        assert not known[:, np.arange(row, row + 16) == 0].any()
        burned = np.nansum(chip.target, 0)
        expected = reference().burned_fraction[row : row + 16, col : col + 16]
        dates = reference().burn_date[row : row + 16, col : col + 16]
        inside = (dates >= entry.day) & (dates < entry.day + 32)
        np.testing.assert_allclose(burned, np.where(inside, np.nan_to_num(expected), 0), atol=0.003)
        when = np.nan_to_num(chip.target).argmax(0)[burned > 0] + entry.day
        np.testing.assert_array_equal(when, dates[burned > 0])
    again = write_cube_chips(
        tmp_path / "chips", cube, labels, days=32, size=16, step=12, day_step=16, empty_share=0.0
    )
    assert again.entries == chips.entries


def test_the_known_part_of_a_cell_is_the_target(cube: Cube, tmp_path: Path) -> None:
    """Labels of half the cell size: of four cells one is not known and two burned, or two and one."""
    fine = Region("F", REGION.bbox, 0.005)
    fraction = np.zeros(fine.shape, np.float32)
    for row, *values in ((10, 1, 1, 0, np.nan), (12, 1, np.nan, 0, np.nan), (14, 1, np.nan, np.nan, np.nan)):
        fraction[row : row + 2, 10:12] = np.reshape(values, (2, 2))
    date = np.where(fraction > 0, np.datetime64("2021-01-02"), np.datetime64("NaT"))
    labels = BurnedArea(fine, "2020-12-01", "2021-02-01", fraction, date, threshold=0, name="LABELS")
    chips = write_cube_chips(
        tmp_path, cube, labels, days=32, size=30, step=30, day_step=16, empty_share=0.0, min_burned_cells=1
    )
    number = next(i for i, entry in enumerate(chips.entries) if entry.corner == (0, 0))
    burned = chips.read(number).target.sum(0)
    np.testing.assert_allclose(burned[5:8, 5], [2 / 3, 1 / 2, np.nan], atol=0.003)
    assert labels.to(REGION).burned_area_ha == pytest.approx(
        fraction[10:14, 10:12].size * 0.375 * fine.cell_area_ha[12], rel=1e-3
    )


def test_several_processes_cut_the_same_chips(cube: Cube, tmp_path: Path) -> None:
    settings = {"days": 16, "size": 16, "step": 12, "day_step": 8, "min_burned_cells": 1}
    told: list[tuple[int, int, str]] = []
    one = write_cube_chips(tmp_path / "one", cube, reference(), **settings)
    two = write_cube_chips(
        tmp_path / "two", cube, reference(), workers=2, progress=lambda *a: told.append(a), **settings
    )
    assert two.entries == one.entries
    assert [(done, total) for done, total, _ in told] == [(n + 1, len(one)) for n in range(len(one))]
    for number in range(len(one)):
        ours, theirs = one.read(number), two.read(number)
        np.testing.assert_array_equal(ours.planes, theirs.planes)
        np.testing.assert_array_equal(ours.target, theirs.target)


def test_days_outside_the_labels_period_are_not_known(cube: Cube, tmp_path: Path) -> None:
    labels = reference("2020-12-20", "2021-01-17")
    chips = write_cube_chips(
        tmp_path / "c", cube, labels, days=16, size=64, step=64, day_step=8, min_burned_cells=1
    )
    assert all(entry.day >= np.datetime64("2020-12-20") for entry in chips.entries)
    target = chips.read(0).target
    # The region is smaller than the chip: what lies beyond it is not known, and not observed.
    assert np.isnan(target[:, 30:]).all() and np.isnan(target[:, :, 40:]).all()
    assert np.isnan(chips.read(0).planes[:, :, 30:]).all()


def test_days_that_are_asked_for_may_reach_beyond_the_labels(cube: Cube, tmp_path: Path) -> None:
    labels = reference("2020-12-31", "2021-01-03")
    chips = write_cube_chips(
        tmp_path / "c", cube, labels, start="2020-12-22", stop="2021-01-07", days=16, size=64, step=64,
        min_burned_cells=0,
    )  # fmt: skip
    target = chips.read(0).target
    assert chips.entries[0].day == np.datetime64("2020-12-22")
    known = np.isfinite(target[:, :30, :40]).any(axis=(1, 2))
    assert np.flatnonzero(known).tolist() == [9, 10, 11]


@pytest.mark.parametrize("days", [1, 7, 16, 40])
def test_every_day_lies_in_a_block_however_long_blocks_are(days: int) -> None:
    """They began every 32 days, so that blocks of 16 days left out every other half of a month."""
    first, stop = np.datetime64("2020-12-01"), np.datetime64("2021-02-01")
    cells = [(day, row) for day in range(62) for row in range(2)]
    day, row = (np.array(part) for part in zip(*cells, strict=True))
    dated = DatedFractions.from_pieces(REGION, row, row, first + day, np.full(day.size, 0.01))
    plan = plan_blocks(dated, first, stop, days=days, size=64, min_burned_cells=1)
    held = {block.start + n for block in plan for n in range(days)}
    assert held == {first + n for n in range(62)}
    gaps = r"leave out 2020-12-08 to 2021-01-09, 2021-01-17 to 2021-01-24 \(41 of 62 days\)"
    with pytest.warns(BanetWarning, match=gaps):
        plan_blocks(dated, first, stop, days=7, size=64, day_step=40)


def test_empty_blocks_are_few_and_the_same_each_time() -> None:
    dated = reference().dates()
    settings = {"days": 16, "size": 8, "step": 8, "day_step": 8, "min_burned_cells": 1, "empty_share": 0.5}
    plan = plan_blocks(dated, FIRST, FIRST + 40, **settings)  # type: ignore[arg-type]
    burned = [block for block in plan if block.burned_cells]
    assert plan == plan_blocks(dated, FIRST, FIRST + 40, **settings)  # type: ignore[arg-type]
    assert len(plan) == 2 * len(burned) > 0
    assert sum(block.burned_cells for block in burned) >= 17


def test_blocks_of_which_little_is_known_are_no_empty_ones() -> None:
    """Half of the region, and in a part of the rest half of the days, are not known."""
    labels = reference()
    blank = np.zeros(REGION.shape, bool)
    blank[:15, 20:] = True
    gap = UnknownDays(FIRST, FIRST + 30, blank)
    fraction = labels.burned_fraction.copy()
    fraction[15:] = np.nan
    date = np.where(np.isfinite(fraction), labels.burn_date, np.datetime64("NaT"))
    labels = replace(
        labels, burned_fraction=fraction, burn_date=date, unknown_days=(gap,),
        observed_days=np.where(np.isfinite(fraction), labels.observed_days, 0),
    )  # fmt: skip
    settings = {"days": 16, "size": 5, "day_step": 12, "min_burned_cells": 1, "empty_share": 0.95}
    dated = labels.dates_of_known()
    every = plan_blocks(dated, FIRST, FIRST + 40, **settings)  # type: ignore[arg-type]
    known = plan_blocks(dated, FIRST, FIRST + 40, reference=labels, **settings)  # type: ignore[arg-type]
    assert any(block.row >= 15 for block in every)
    assert all(block.row < 15 for block in known)
    assert all(block.start >= FIRST + 24 for block in known if block.col >= 20)
    assert {block for block in every if block.burned_cells} < set(known)


def test_a_folder_keeps_to_one_band_and_a_tile_to_its_labels(cube: Cube, tmp_path: Path) -> None:
    settings = {"days": 16, "size": 16, "step": 8, "min_burned_cells": 1}
    made = write_cube_chips(tmp_path, cube, reference(), **settings)
    assert len(write_cube_chips(tmp_path, cube, reference(), **settings)) == len(made) > 0
    with pytest.raises(InputError, match="with labels LABELS, asked for is OTHERS: choose another folder"):
        write_cube_chips(tmp_path, cube, replace(reference(), name="OTHERS"), **settings)
    region = Region("ELSEWHERE", REGION.bbox, 0.01)
    other = Cube.create(tmp_path / "other.zarr", region, sensor="VIIRS S-NPP", mir_band="M11")
    for i in range(40):
        planes = np.full((4, *REGION.shape), 0.2, np.float32)
        other.write_day(FIRST + i, DayPlanes(*planes, np.ones(REGION.shape, np.uint8)), planes[0] * 0)
    labels = replace(reference(), region=region)
    with pytest.raises(InputError, match="with mir_band M12, asked for is M11"):
        write_cube_chips(tmp_path, other, labels, **settings)
    assert {entry.corner: entry.details["bbox"] for entry in made.entries}[14, 24] == [
        10.24,
        40.0,
        10.4,
        40.16,
    ]
    moved = Region("T", (11.0, 40.0, 11.4, 40.3), 0.01)
    namesake = Cube.create(tmp_path / "namesake.zarr", moved, sensor="VIIRS S-NPP", mir_band="M12")
    for i in range(40):
        namesake.write_day(FIRST + i, DayPlanes(*planes, np.ones(REGION.shape, np.uint8)), planes[0] * 0)
    with pytest.raises(InputError, match=r"with bbox \[10.*, asked for is \[11"):
        write_cube_chips(tmp_path, namesake, replace(reference(), region=moved), **settings)


def moved(labels: BurnedArea) -> BurnedArea:
    """The same labels after a correction: what burned lies two cells further south and east."""
    planes = {
        name: np.roll(getattr(labels, name), (2, 2), (0, 1)) for name in ("burned_fraction", "burn_date")
    }
    return replace(labels, **planes)


def test_tiles_of_corrected_labels_or_another_cube_are_not_kept(cube: Cube, tmp_path: Path) -> None:
    settings = {"days": 16, "size": 16, "step": 8, "day_step": 8, "min_burned_cells": 1}
    made = write_cube_chips(tmp_path / "made", cube, reference(), **settings)
    told = "cut from another content of the labels LABELS: choose another folder"
    with pytest.raises(InputError, match=told):
        write_cube_chips(tmp_path / "made", cube, moved(reference()), **settings)
    far = replace(
        reference(), **{name: getattr(reference(), name)[::-1] for name in ("burned_fraction", "burn_date")}
    )
    narrow = settings | {"min_burned_cells": 16, "empty_share": 0.0}
    few = write_cube_chips(tmp_path / "few", cube, reference(), **narrow)
    with pytest.raises(InputError, match=told):  # of the tiles to cut now the folder holds none
        write_cube_chips(tmp_path / "few", cube, far, **narrow)
    assert len(Chips.open(tmp_path / "few")) == len(few)
    with pytest.raises(InputError, match=r"cut from another content of the cube cube\.zarr: choose another"):
        write_cube_chips(tmp_path / "made", cube.without("images"), reference(), **settings)
    assert Chips.open(tmp_path / "made").entries == made.entries


def test_tiles_without_a_word_of_their_content_are_kept(
    cube: Cube, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"days": 16, "size": 16, "step": 8, "day_step": 8, "min_burned_cells": 1}
    enter = Chips.enter

    def entering(self: Chips, entry: ChipEntry) -> None:
        known = {name: value for name, value in entry.details.items() if not name.endswith("_content")}
        enter(self, replace(entry, details=known))

    with monkeypatch.context() as before:
        before.setattr(Chips, "enter", entering)
        made = write_cube_chips(tmp_path, cube, reference(), **settings)
    assert (
        write_cube_chips(tmp_path, cube, moved(reference()), **settings).entries[: len(made)] == made.entries
    )


def test_it_says_why_there_is_nothing_to_train_on(cube: Cube, tmp_path: Path) -> None:
    settings = {"days": 16, "size": 16}
    with pytest.raises(InputError, match=r"LABELS shows 17 burned cells in T .* of which no tile holds 20 "):
        write_cube_chips(tmp_path, cube, reference(), **settings, min_burned_cells=20)
    elsewhere = replace(reference(), region=Region("E", (110.0, -40.0, 110.4, -39.7), 0.01))
    with pytest.raises(
        InputError, match=r"LABELS says nothing of T \(it covers 110 to 110.4 degrees east, -40 to"
    ):
        write_cube_chips(tmp_path, cube, elsewhere, **settings)
    with pytest.raises(InputError, match="LABELS shows no fire in T from 2021-01-03 to"):
        write_cube_chips(tmp_path, cube, reference("2021-01-03"), **settings, min_burned_cells=1)


def test_the_share_that_labels_do_not_know_is_told(cube: Cube, tmp_path: Path) -> None:
    half = reference().crop(slice(0, 30), slice(0, 20))
    with pytest.warns(BanetWarning, match="LABELS says nothing of 52% of the cells of T: they are left out"):
        write_cube_chips(tmp_path, cube, half, days=16, size=16, day_step=8)


def test_periods_are_told_with_their_last_day(cube: Cube, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2020-12-10 to 2021-01-18 are 40 days, a chip needs 50"):
        write_cube_chips(tmp_path, cube, reference(), days=50, size=16)
    with pytest.raises(InputError, match="the period ends on 2020-12-31, before it begins on 2021-01-05"):
        write_cube_chips(tmp_path, cube, reference(), days=8, size=16, start="2021-01-05", stop="2021-01-01")


def test_nothing_in_common_or_no_fire_is_an_error(cube: Cube, tmp_path: Path) -> None:
    march, april = np.datetime64("2021-03-01"), np.datetime64("2021-04-01")
    nothing = np.zeros(REGION.shape, np.float32)
    late = BurnedArea(REGION, march, april, nothing, np.full(REGION.shape, np.datetime64("NaT", "D")))
    with pytest.raises(InputError, match="share none"):
        write_cube_chips(tmp_path / "c", cube, late, days=16, size=16)
    with pytest.raises(InputError, match="choose fewer days"):
        write_cube_chips(tmp_path / "c", cube, reference(), days=64, size=16)
    with pytest.raises(InputError, match="nothing to train on"):
        write_cube_chips(tmp_path / "c", cube, reference(), days=16, size=16, min_burned_cells=999)
    empty = Cube.create(tmp_path / "empty.zarr", REGION, sensor="X", mir_band="M12")
    with pytest.raises(InputError, match="no day yet"):
        write_cube_chips(tmp_path / "c", empty, reference(), days=16, size=16)
    with pytest.raises(InputError, match="at least 1"):
        plan_blocks(reference().dates(), FIRST, FIRST + 40, days=16, step=0)
    assert not (tmp_path / "c").exists() or not len(Chips.open(tmp_path / "c"))
