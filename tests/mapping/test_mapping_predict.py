"""From a cube to a map: tiles, masks, months, and going on after a kill."""

from __future__ import annotations

import dataclasses
import warnings
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import ndimage

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.evidence import classes_of
from banet.days import day_range
from banet.errors import BanetWarning, BusyError, InputError
from banet.export.products import map_stem
from banet.grid.region import Region
from banet.mapping import (
    map_burned,
    map_months,
    map_nrt,
    month_window,
    predict,
)
from banet.mapping.cores import seamless_tiling
from banet.mapping.ensemble import as_ensemble
from banet.mapping.options import MapOptions
from banet.mapping.run import Run
from banet.mapping.store import Store
from banet.mapping.windows import Window, period_windows
from banet.model.config import BANetConfig, Calibration, InputSpec
from banet.model.inputs import normalise
from banet.model.network import BANet

FIRST = np.datetime64("2020-11-01")
SHORT = Window(FIRST, FIRST + 16, FIRST + 3, FIRST + 14)


@dataclass
class Planes:
    """What a cube's window holds."""

    red: np.ndarray
    nir: np.ndarray
    mir: np.ndarray
    frp: np.ndarray
    view_zenith: np.ndarray

    @property
    def observed(self):
        return np.isfinite(self.red) & np.isfinite(self.nir) & np.isfinite(self.mir)


class MemoryCube:
    """A cube of planes in memory: as many days as it got, NaN on all others."""

    sensor, mir_band = "VIIRS S-NPP", "M12"

    def __init__(self, shape, count=130, seed=0, missing=0.1):
        rows, cols = shape
        self.region = Region("T", (10, 0, 10 + cols / 100, rows / 100), 0.01)
        self.days = FIRST + np.arange(count)
        self.water = None
        self.reads = []
        rng = np.random.default_rng(seed)
        x = rng.random((5, count, rows, cols), np.float32) * 0.4 + 0.05
        x[1] += 0.1
        x[3] = np.where(rng.random(x[3].shape) < 0.01, x[3] * 100, 0)
        x[:3, rng.random(x.shape[1:]) < missing] = np.nan
        self.planes = x

    def record(self, day):
        return None

    def read(self, start, stop, rows=slice(None), cols=slice(None), *, variables=None, into=None):
        self.reads.append((start, rows, cols))
        days = day_range(start, stop)
        shape = self.planes[0, 0, rows, cols].shape
        out = np.full((5, days.size, *shape), np.nan, np.float32)
        held = np.isin(days, self.days)
        out[:, held] = self.planes[:, np.searchsorted(self.days, days[held]), rows, cols]
        planes = Planes(*out)
        for name, array in (into or {}).items():
            array[...] = getattr(planes, name)
            setattr(planes, name, array)
        return planes

    def ranges(self, days):
        powers = self.planes[3, np.isin(self.days, days)]
        powers = powers[np.isfinite(powers)]
        return {"frp": (powers.min(), powers.max())} if powers.size else {}

    def has_images(self, day):
        return bool(np.isfinite(self.planes[:3, self.days == day]).any())

    def tells(self, day):
        return self.has_images(day) or bool((self.planes[3, self.days == day] > 0).any())

    def content_key(self, days):
        held = np.searchsorted(self.days, np.intersect1d(days, self.days))
        return str(np.nansum(self.planes[:, held], (0, 2, 3)).tolist())


class LocalEngine:
    """A network of which all is known: it looks 2 cells and 1 day around."""

    spec = InputSpec()
    models = (
        SimpleNamespace(
            name="local", weights_sha256="1" * 64, config=BANetConfig(), calibration=None, card={}
        ),
    )

    def __init__(self):
        self.calls = 0

    def probabilities(self, x, part=...):
        self.calls += 1
        mixed = ndimage.uniform_filter(x[1] - x[0] + x[3], (3, 5, 5), mode="constant")
        return (1 / (1 + np.exp(6 - 2 * mixed))).astype(np.float32)[part]


class PlainEngine:
    """A network as torch runs it, without anything that makes it faster."""

    def __init__(self, *models):
        self.models, self.spec, self.config = models, models[0].spec, models[0].config

    def probabilities(self, x, part=...):
        with torch.no_grad():
            whole = sum(model(torch.from_numpy(x)[None]).sigmoid()[0, 0] for model in self.models)
            return whole.numpy()[part]


def joined(cube, window, engine, **tiling):
    """Predict a whole region."""
    out = np.full((window.kept.size, *cube.region.shape), np.nan, np.float32)
    for block in predict(cube, window, engine, **tiling):
        assert block.probability.dtype == np.float32
        assert np.isnan(out[:, block.rows, block.cols]).all(), "a cell was given twice"
        out[:, block.rows, block.cols] = block.probability
    return out


@pytest.fixture(scope="module")
def cube():
    return MemoryCube((110, 150))


def small_network(seed=0, spread=3.0, **config):
    """Random weights whose probabilities spread from 0 to 1."""
    torch.manual_seed(seed)
    model = BANet(BANetConfig(width=2, **{"lstm": False, **config}))
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            module.momentum = None
        if isinstance(module, torch.nn.Dropout3d):
            module.p = 0.0
    x = torch.randn(1, 4, 16, 64, 64)
    with torch.no_grad():
        model.train()(x)
        logits = model.eval()(x)
        model.logits.weight *= spread / logits.std()
        model.logits.bias.copy_(-2 - (model(x) - model.logits.bias.view(1, 1, 1, 1, 1)).mean().reshape(1))
    model.name, model.weights_sha256 = f"random{seed}", "0" * 64
    return model


# What the original does, written from the description of its method: float16 all through, zero padding past
# the edge, plain mean where tiles overlap.


def original_predictions(cube, window, model, tile, step):
    planes = cube.read(window.start, window.stop)
    frp = np.log1p(np.nan_to_num(planes.frp))
    channels = [np.nan_to_num(planes.red), np.nan_to_num(planes.nir), np.nan_to_num(planes.mir), frp]
    images = np.stack(channels).astype(np.float16)
    rows, cols = cube.region.shape
    total, count = np.zeros((window.length, rows, cols), np.float16), np.zeros((rows, cols), np.float16)
    mean, std = (np.float32(v).reshape(4, 1, 1, 1) for v in (InputSpec().mean, InputSpec().std))
    for col in range(0, cols - 1, step):
        for row in range(0, rows - 1, step):
            cut = np.zeros((4, window.length, tile, tile), np.float16)
            part = images[:, :, row : row + tile, col : col + tile]
            cut[:, :, : part.shape[2], : part.shape[3]] = part
            x = torch.from_numpy((cut.astype(np.float32) - mean) / std)
            with torch.no_grad():
                out = model(x[None]).sigmoid()[0, 0].numpy().astype(np.float16)
            height, width = part.shape[2:]
            total[:, row : row + tile, col : col + tile] += out[:, :height, :width]
            count[row : row + tile, col : col + tile] += 1
    return (total / count)[window.keep]


def float16_cube(shape):
    """Planes that float16 holds exactly, so that only the arithmetic differs."""
    cube = MemoryCube(shape)
    cube.planes[3] = np.expm1(np.log1p(cube.planes[3]).astype(np.float16).astype(np.float32))
    cube.planes[:3] = cube.planes[:3].astype(np.float16)
    return cube


def test_the_original_tiling_gives_what_the_original_gives():
    cube, model, window = float16_cube((66, 100)), small_network(), SHORT
    got = joined(cube, window, PlainEngine(model), tiling="original", tile=64, step=48)
    expected = original_predictions(cube, window, model, 64, 48)
    assert got.max() > 0.5 > 0.01 > got.min()
    # float16 keeps 11 bits; up to four tiles are summed in it.
    np.testing.assert_allclose(got, expected.astype(np.float32), atol=2e-3)


@pytest.mark.oracle
def test_the_original_tiling_equals_the_originals_own_code():
    import ast
    import os
    from pathlib import Path

    if "BANET_ORACLE" not in os.environ:
        pytest.skip("BANET_ORACLE names no folder of the original's source")
    source = (Path(os.environ["BANET_ORACLE"]) / "banet" / "predict.py").read_text()
    wanted = {"crop", "image2tiles", "tiles2image", "get_preds"}
    body = [node for node in ast.parse(source).body if getattr(node, "name", None) in wanted]
    theirs = {"np": np, "torch": torch, "tensor": torch.tensor}
    exec(compile(ast.Module(body, []), "predict.py", "exec"), theirs)

    cube, model, window = float16_cube((66, 100)), small_network(), SHORT
    planes = normalise_nothing(cube.read(window.start, window.stop))
    tiles = np.stack(
        [theirs["image2tiles"](day.transpose(1, 2, 0), 48, 64).transpose(0, 3, 1, 2) for day in planes]
    )
    x = torch.from_numpy(tiles.transpose(1, 2, 0, 3, 4)).float()
    out = theirs["get_preds"](x, model)
    expected = np.stack(
        [theirs["tiles2image"](out[:, day], cube.region.shape, 64, 48) for day in range(out.shape[1])]
    )
    got = joined(cube, window, PlainEngine(model), tiling="original", tile=64, step=48)
    np.testing.assert_allclose(got, expected[window.keep].astype(np.float32), atol=2e-3)


def normalise_nothing(planes):
    """Unscaled channels by day, (T, 4, rows, cols) float16, as the original reads them."""
    raw = normalise(planes, InputSpec(mean=(0,) * 4, std=(1,) * 4))
    return raw.transpose(1, 0, 2, 3).astype(np.float16)


def test_original_tiles_are_all_computed_and_left_as_they_come():
    cube, engine = MemoryCube((40, 40)), LocalEngine()
    cube.planes[:3], cube.planes[3] = np.nan, 0
    out = joined(cube, month_window("2021-01"), engine, tiling="original")
    assert engine.calls == 1
    assert (out > 0).all()


def smooth_cube(shape):
    """Planes that vary from cell to cell as weather does, all of about 0.3."""
    cube = MemoryCube(shape, count=16, missing=0)
    smooth = ndimage.gaussian_filter(cube.planes, (0, 2, 8, 8))
    deviation = smooth.std(axis=(1, 2, 3), keepdims=True)
    deviation[deviation == 0] = 1
    cube.planes = 0.3 + 0.1 * (smooth - smooth.mean(axis=(1, 2, 3), keepdims=True)) / deviation
    return cube


@pytest.mark.parametrize(
    ("shape", "tile"),
    [((32, 300), 64), ((300, 32), 64), ((175, 161), 128), ((129, 33), 96), ((257, 40), 128)],
)
def test_cores_equal_a_single_pass(shape, tile):
    """With the default margin cores differ from one pass by rounding alone, 1.2e-5 at most."""
    cube = smooth_cube(shape)
    engine, window = PlainEngine(small_network()), Window(FIRST, FIRST + 16, FIRST, FIRST + 16)
    whole = joined(cube, window, engine, tile=320)
    cut = joined(cube, window, engine, tile=tile)
    assert len(seamless_tiling(shape, 320)) == 1
    assert len(seamless_tiling(shape, tile)) >= 2
    assert whole.std() > 0.02
    assert np.abs(whole - cut).max() < 5e-5
    if shape == (175, 161):  # a margin that is too small shows: the test would see a seam
        assert np.abs(whole - joined(cube, window, engine, tile=tile, margin=(0, 0))).max() > 1e-3


@pytest.mark.parametrize("shape", [(1, 1), (31, 33), (5, 40)])
def test_a_region_smaller_than_a_core_is_one_pass(shape):
    """Past its edge the network sees missing values, up to the next multiple of its alignment."""
    cube = smooth_cube(shape)
    model, window = small_network(), Window(FIRST, FIRST + 16, FIRST, FIRST + 16)
    x = np.empty((4, 16, *(-(-n // 32) * 32 for n in shape)), np.float32)
    x[...] = np.asarray(model.spec.missing, np.float32)[:, None, None, None]
    x[:, :, : shape[0], : shape[1]] = normalise(cube.read(FIRST, FIRST + 16), model.spec)
    expected = PlainEngine(model).probabilities(x)[:, : shape[0], : shape[1]]
    np.testing.assert_allclose(joined(cube, window, PlainEngine(model)), expected, atol=1e-6)


def test_a_region_smaller_than_a_tile():
    cube, window = MemoryCube((5, 40)), month_window("2021-01")
    out = joined(cube, window, LocalEngine())
    assert out.shape == (31, 5, 40)
    assert np.isfinite(out).all()


def test_the_ensemble_is_the_mean_of_its_members(cube):
    window, tiny = month_window("2021-01", 32), MemoryCube((20, 30))
    one, two = small_network(1), small_network(2)
    each = [joined(tiny, window, [model]) for model in (one, two)]
    np.testing.assert_allclose(joined(tiny, window, [one, two]), np.mean(each, axis=0), atol=1e-6)
    assert not np.allclose(*each, atol=1e-2)


def test_members_must_agree_on_their_input():
    other = small_network()
    other.spec = InputSpec(mean=(0.0,) * 4)
    with pytest.raises(InputError, match="differently scaled"):
        predict(MemoryCube((20, 30)), month_window("2021-01"), [small_network(), other])
    with pytest.raises(InputError, match="no weights"):
        predict(MemoryCube((20, 30)), month_window("2021-01"), [])


def test_cells_never_seen_have_no_probability_and_their_tiles_are_not_computed():
    """The result with skipped tiles is that of computing all tiles: the same cells are 0 either way."""
    cube, window = MemoryCube((64, 300)), month_window("2021-01")
    cube.planes[:3, :, :, :200], cube.planes[3, :, :, :200] = np.nan, 0
    cube.planes[3, 90, 10, 10] = 7
    skipping, whole = LocalEngine(), LocalEngine()
    out = joined(cube, window, skipping, **SIZES)
    single = joined(cube, window, whole, tile=320)
    assert 0 < skipping.calls < len(seamless_tiling((64, 300), **SIZES))
    unseen = np.ones((64, 200), bool)
    unseen[10, 10] = False
    assert not out[:, :, :200][:, unseen].any()
    assert (out[:, 10, 10] > 0).all()
    np.testing.assert_allclose(out, single, atol=1e-6)


def test_days_after_the_last_of_the_cube_have_no_probability():
    """Of days to come nothing is known; a scar still tells of those before the first."""
    cube, engine = MemoryCube((32, 32)), LocalEngine()
    whole = joined(cube, month_window("2021-01"), engine)
    assert (whole > 0).all()
    cube.days, cube.planes = cube.days[:72], cube.planes[:, :72]  # to 2021-01-11
    ended = joined(cube, month_window("2021-01"), engine)
    assert (ended[:11] > 0).all()
    assert not ended[11:].any()
    cube.days, cube.planes = cube.days[65:], cube.planes[:, 65:]  # from 2021-01-05
    assert (joined(cube, month_window("2021-01"), engine)[:11] > 0).all()
    # As the original has it, which knows no end.
    assert (joined(cube, month_window("2021-01"), engine, tiling="original", tile=64, step=48) > 0).all()


def test_looks_that_lack_a_band_count_as_none():
    partial, none, engine = MemoryCube((32, 32)), MemoryCube((32, 32)), LocalEngine()
    partial.planes[0, 70:90, 5:20] = none.planes[:3, 70:90, 5:20] = np.nan
    partial.planes[1, :, 25:28], none.planes[:3, :, 25:28] = np.nan, np.nan
    for cube in (partial, none):
        cube.planes[3, :, 25:28] = 0
    window = month_window("2021-01")
    found = joined(partial, window, engine)
    np.testing.assert_array_equal(found, joined(none, window, engine))
    assert not found[:, 25:28].any(), "nobody ever saw a whole look of these"
    assert (found[:, :5] > 0).all()
    engine.spec = InputSpec.original()
    as_it_is = joined(partial, window, engine)
    assert (as_it_is[:, 25:28] > 0).all()
    assert not np.array_equal(as_it_is[:, 5:20], found[:, 5:20])


def test_a_map_counts_looks_that_lack_a_band():
    cube, engine = MemoryCube((32, 32)), LocalEngine()
    cube.planes[2, 61:71, :, :16] = np.nan  # MIR, 2021-01-01 to 10, the western half
    january = cube.planes[:3, 61:92]
    whole = int(np.isfinite(january).all(0).sum())
    partial = int(np.isfinite(january).any(0).sum()) - whole
    share = f"{partial / (whole + partial):.0%}"
    with pytest.warns(BanetWarning, match=f"2021-01: {share} of the looks lack .* they count as none"):
        found = map_burned(cube, "2021-01", "2021-01", engine)
    assert found.attrs["looks"] == {"whole": whole, "partial": partial}
    assert whole == found.observed_days.sum()
    engine.spec = InputSpec.original()
    with pytest.warns(BanetWarning, match="they are taken as they are"):
        plain = map_burned(cube, "2021-01", "2021-01", engine, tiling="original", tile=64, step=48)
    assert plain.attrs["looks"] == found.attrs["looks"]
    cube.planes[:3, 61:71, :, :16] = np.nan
    cube.planes[0, 80, 3, 3] = np.nan
    few = map_burned(cube, "2021-01", "2021-01", LocalEngine())
    assert few.attrs["looks"]["partial"] == 1
    assert not any("looks lack" in note for note in few.notes)


def test_a_map_tells_of_land_that_no_look_saw_clearly():
    cube = MemoryCube((32, 32))
    cube.planes[0] = np.minimum(cube.planes[0], 0.25)
    assert not any("cloud" in note for note in map_burned(cube, "2021-01", "2021-01", LocalEngine()).notes)
    cube.planes[0, :, :, :16] = np.maximum(cube.planes[0, :, :, :16], 0.6)  # red of the western half
    with pytest.warns(BanetWarning, match="2021-01: 50% of the land .* lay under cloud, snow or bright"):
        overcast = map_burned(cube, "2021-01", "2021-01", LocalEngine(), water=None)
    assert any("no image can show a burn there" in note for note in overcast.notes)
    sea = np.zeros((32, 32), bool)
    sea[:, :16] = True
    inland = map_burned(cube, "2021-01", "2021-01", LocalEngine(), water=sea)
    assert not any("cloud" in note for note in inland.notes)
    cube.planes[:3, 95] = 0.1  # one look after the mapped days
    assert not any("cloud" in note for note in map_burned(cube, "2021-01", "2021-01", LocalEngine()).notes)


class Resting(LocalEngine):
    """Counts how often it gave its memory back."""

    rested = 0

    def rest(self):
        self.rested += 1


def test_an_engine_gives_its_memory_back_after_each_map():
    """What it keeps for a next tile, a gigabyte, else stays until Python looks for circles."""
    engine = Resting()
    map_burned(MemoryCube((32, 32)), "2020-12", "2021-01", engine)
    assert engine.rested == 1
    assert len(list(map_months(MemoryCube((32, 32)), "2020-12", "2021-01", engine))) == 2
    assert engine.rested == 3


def test_a_hot_spot_alone_keeps_a_cell():
    cube = MemoryCube((32, 32))
    cube.planes[:3], cube.planes[3] = np.nan, 0
    cube.planes[3, 75, 3, 4] = 1e6
    with pytest.warns(BanetWarning, match="2021-01: not observed"):
        burnmap = map_burned(cube, "2021-01", "2021-01", LocalEngine(), threshold=0.05)
    expected = np.full((32, 32), -1)
    expected[3, 4] = 1
    assert np.array_equal(burnmap.status, expected)


def by_hand(cube, windows, engine, water=None, **tiling):
    """The map from joined probabilities of the whole region at once."""
    p = np.concatenate([joined(cube, window, engine, **tiling) for window in windows])
    seen = np.concatenate([cube.read(w.start, w.stop).observed[w.keep] for w in windows])
    days = np.concatenate([w.kept for w in windows])
    burned = BurnedArea.from_probabilities(cube.region, days, p, seen, water)
    known = ~np.isnan(burned.burned_fraction)
    return dataclasses.replace(
        burned,
        evidence=np.where(known, evidence_by_hand(cube, windows, p), np.uint8(255)),
        first_look=first_look_by_hand(cube, burned, max(w.stop for w in windows)),
    )


def first_look_by_hand(cube, burned, stop):
    """Days to the first cloudless day after the date that has all three bands, up to the last day seen."""
    planes, found = cube.read(burned.start, stop), np.full(burned.region.shape, 255, np.uint8)
    seen = planes.observed & (planes.red < 0.3)
    for row, col in np.argwhere(burned.burned):
        date = (burned.burn_date[row, col] - burned.start).astype(int)
        later = np.flatnonzero(seen[date + 1 :, row, col])
        found[row, col] = later[0] + 1 if later.size else 255
    return found


def evidence_by_hand(cube, windows, p):
    """The class of each cell about its most probable day, in the window that holds it."""
    day, first, found = p.argmax(0), 0, np.full(p.shape[1:], 255, np.uint8)
    for window in windows:
        planes = cube.read(window.start, window.stop)
        inside = (day >= first) & (day < first + window.kept.size)
        at = np.where(inside, day - first + window.keep.start, 0)
        classes = classes_of(planes.observed, np.isfinite(planes.frp), at)
        found[inside] = classes[inside]
        first += window.kept.size
    return found


def assert_same_map(got, expected):
    for field in dataclasses.fields(BurnedArea):
        if field.name not in ("attrs", "region", "burned_fraction"):
            np.testing.assert_array_equal(getattr(got, field.name), getattr(expected, field.name), field.name)
    np.testing.assert_allclose(got.burned_fraction, expected.burned_fraction, atol=1e-6)


SIZES = {"tile": 96, "margin": (32, 32)}


@pytest.mark.parametrize("tiling", [{"tiling": "original", "tile": 64, "step": 40}, SIZES, {}])
def test_a_map_block_by_block_is_the_map_of_the_whole(cube, tiling):
    got = map_burned(cube, "2020-12", "2021-01", LocalEngine(), water=None, **tiling)
    windows = [month_window(month) for month in ("2020-12", "2021-01")]
    assert_same_map(got, by_hand(cube, windows, LocalEngine(), **tiling))
    assert (got.status == 1).any()
    assert (got.status == 0).any()
    assert (got.start, got.stop) == (np.datetime64("2020-12-01"), np.datetime64("2021-02-01"))


def test_months_one_by_one(cube):
    maps = list(map_months(cube, "2020-12", "2021-02", LocalEngine(), water=None))
    assert [str(m.start) for m in maps] == ["2020-12-01", "2021-01-01", "2021-02-01"]
    assert_same_map(maps[1], by_hand(cube, [month_window("2021-01")], LocalEngine()))


def test_a_region_over_the_antimeridian_is_mapped_as_any_other():
    """The same planes at 179.6 E to 178.9 W, in several cores: the same cells, and longitudes that go on."""
    near, far = MemoryCube((70, 150), count=80), MemoryCube((70, 150), count=80)
    far.region = Region("FIJI", (179.6, 0, -178.9, 0.7), 0.01)
    there, here = (
        map_burned(cube, "2020-12-05", "2021-01-04", LocalEngine(), water=None, **SIZES)
        for cube in (far, near)
    )
    assert np.array_equal(there.burned_fraction, here.burned_fraction, equal_nan=True)
    assert np.array_equal(there.burn_date, here.burn_date, equal_nan=True)
    longitudes = there.to_dataset().longitude.values
    assert (np.diff(longitudes) > 0).all()
    assert (longitudes[0], longitudes[-1]) == pytest.approx((179.605, 181.095))
    assert map_stem(there) == "FIJI_20201205-20210104"
    assert there.attrs["tiling"] == here.attrs["tiling"]
    assert len(there.attrs["tiling"]["cores"][1]) > 2


def test_near_real_time(cube):
    burnmap = map_nrt(cube, "2021-02-10", LocalEngine(), length=32)
    assert (burnmap.start, burnmap.stop) == (np.datetime64("2021-01-10"), np.datetime64("2021-02-11"))


def test_progress_counts_the_tiles_of_all_months(cube):
    told = []
    list(map_months(cube, "2020-12", "2021-01", LocalEngine(), progress=lambda *a: told.append(a), **SIZES))
    total = 2 * len(seamless_tiling(cube.region.shape, **SIZES))
    assert [t[:2] for t in told] == [(n + 1, total) for n in range(total)]
    assert told[0][2] == "T 2020-12-01 to 2020-12-31"


@pytest.mark.parametrize("tiling", [SIZES, {"tiling": "original", "tile": 64, "step": 40}])
def test_blocks_are_handed_out_once_each(cube, tiling):
    out = np.full((31, *cube.region.shape), np.nan, np.float32)

    def take(block):
        assert np.isnan(out[:, block.rows, block.cols]).all()
        out[:, block.rows, block.cols] = block.probability

    map_burned(cube, "2021-01", "2021-01", LocalEngine(), on_block=take, water=None, **tiling)
    expected = joined(cube, month_window("2021-01"), LocalEngine(), **tiling)
    np.testing.assert_allclose(out, expected, atol=1e-6)


def test_water_from_the_cube_from_the_user_from_the_images_or_none():
    cube, engine = MemoryCube((40, 50)), LocalEngine()
    for band, value in enumerate((0.05, 0.02, 0.01, 0)):
        cube.planes[band, :, :, :20] = value
    sea = np.zeros((40, 50), bool)
    sea[:, :20] = True
    found = map_burned(cube, "2021-01", "2021-01", engine)
    assert np.array_equal(found.water, sea)
    assert found.attrs["water"] == "estimated"
    assert np.isnan(found.burned_fraction[sea]).all()
    cube.water = ~sea
    assert np.array_equal(map_burned(cube, "2021-01", "2021-01", engine).water, ~sea)
    given = np.eye(40, 50, dtype=bool)
    assert np.array_equal(map_burned(cube, "2021-01", "2021-01", engine, water=given).water, given)
    assert not map_burned(cube, "2021-01", "2021-01", engine, water=None).water.any()
    with pytest.raises(InputError, match="the water mask is"):
        map_burned(cube, "2021-01", "2021-01", engine, water=given.T)
    with pytest.raises(InputError, match="give 'auto'"):
        map_burned(cube, "2021-01", "2021-01", engine, water="sea")


def test_what_burned_of_a_cell_is_at_most_its_share_of_land():
    cube, engine = MemoryCube((40, 50)), LocalEngine()
    share = np.linspace(0, 1, 2000, dtype=np.float32).reshape(40, 50)
    plain = map_burned(cube, "2021-01", "2021-01", engine, water=None, threshold=0.3)
    got = map_burned(cube, "2021-01", "2021-01", engine, water=share, threshold=0.3)
    assert np.array_equal(got.water, share > 0.5)
    land = ~got.water
    expected = np.minimum(plain.burned_fraction, 1 - share)[land]
    assert (expected < plain.burned_fraction[land]).any()
    np.testing.assert_array_equal(got.burned_fraction[land], expected)
    np.testing.assert_array_equal(got.burned[land], plain.burned[land] & (expected >= np.float32(0.3)))
    np.testing.assert_array_equal(got.burn_date[got.burned], plain.burn_date[got.burned])
    assert "at most the part of the cell that is land" in got.to_dataset()["burned_fraction"].attrs["comment"]
    with pytest.raises(InputError, match="shares below 0 or above 1"):
        map_burned(cube, "2021-01", "2021-01", engine, water=share * 2)


def test_a_map_of_nothing_but_water_computes_nothing():
    cube, engine = MemoryCube((40, 50)), LocalEngine()
    cube.water = np.ones((40, 50), bool)
    assert (map_burned(cube, "2021-01", "2021-01", engine).status == -2).all()
    assert engine.calls == 0


def test_a_map_says_how_it_was_made(cube):
    tiny = MemoryCube((20, 30), count=80)
    tiny.mir_band = "M11"
    with pytest.warns(BanetWarning) as told:
        attrs = map_burned(tiny, "2021-01", "2021-01", PlainEngine(small_network(4)), length=32).attrs
    assert [str(warning.message) for warning in told] == [
        attrs["notes"][0],
        f"2021-01: {attrs['notes'][1]}",
    ]
    assert attrs["weights"] == [{"name": "random4", "sha256": "0" * 64}]
    assert attrs["windows"] == [["2021-01-01", "2021-02-02", "2021-01-01", "2021-02-01"]]
    assert attrs["tiling"]["name"] == "seamless"
    assert attrs["tiling"]["margin"] == [64, 32]
    assert (attrs["sensor"], attrs["mir_band"]) == ("VIIRS S-NPP", "M11")
    band, days = attrs["notes"]
    assert "M11" in band
    assert "M12" in band
    assert "lacks 12 of the 31 days" in days
    assert map_burned(cube, "2021-01", "2021-01", LocalEngine()).attrs["notes"] == []


def test_days_that_the_cube_does_not_hold(cube):
    with pytest.raises(
        InputError, match="no day from 2019-01-01 to 2019-01-31; it holds 2020-11-01 to 2021-03-10"
    ):
        map_burned(cube, "2019-01", "2019-01", LocalEngine())
    with pytest.raises(InputError, match="no day"):
        map_months(cube, "2019-01", "2019-02", LocalEngine())
    with pytest.raises(InputError, match="no day"):
        predict(cube, month_window("2019-01"), LocalEngine())
    with pytest.warns(BanetWarning):
        last = list(map_months(MemoryCube((20, 30), count=60), "2020-12", "2021-02", LocalEngine()))[-1]
    assert (last.status == -1).all()


def test_settings_are_checked_before_anything_is_read(cube):
    cube.reads.clear()
    for settings, message in (
        ({"threshold": 2}, "threshold"),
        ({"tiling": "mosaic"}, "mosaic"),
        ({"tile": 100}, "multiple of 32"),
    ):
        with pytest.raises(InputError, match=message):
            map_burned(cube, "2021-01", "2021-01", LocalEngine(), **settings)
    assert not cube.reads


def test_a_network_that_answers_for_other_days(cube):
    class Short(LocalEngine):
        def probabilities(self, x, part=...):
            return super().probabilities(x, part)[1:]

    with pytest.raises(InputError, match="the network gave"):
        map_burned(cube, "2021-01", "2021-01", Short())


# Going on after a kill.


class Dies(LocalEngine):
    """Works for some tiles and then fails, as a killed run would."""

    def __init__(self, after):
        super().__init__()
        self.after = after

    def probabilities(self, x, part=...):
        if self.calls == self.after:
            raise KeyboardInterrupt
        return super().probabilities(x, part)


@pytest.mark.parametrize("after", [0, 1, 3, 5])
@pytest.mark.parametrize("tiling", [SIZES, {"tiling": "original", "tile": 64, "step": 40}])
def test_a_killed_run_goes_on_and_repeats_no_core(cube, tmp_path, after, tiling):
    settings = {"scratch": tmp_path, "water": None, **tiling}
    original = "step" in tiling
    total = 12 if original else len(seamless_tiling(cube.region.shape, **SIZES))
    assert total == (12 if original else 6)
    with pytest.raises(KeyboardInterrupt):
        map_burned(cube, "2021-01", "2021-01", Dies(after), **settings)
    assert len(list(tmp_path.glob("*/core-*"))) == after
    second = LocalEngine()
    got = map_burned(cube, "2021-01", "2021-01", second, **settings)
    # The original's tiling needs the tiles again that reach into the cores which are not there.
    assert total - after <= second.calls <= total - after + (5 if original else 0)
    assert_same_map(got, map_burned(cube, "2021-01", "2021-01", LocalEngine(), water=None, **tiling))
    third = LocalEngine()
    assert_same_map(map_burned(cube, "2021-01", "2021-01", third, **settings), got)
    assert third.calls == 0


def test_other_settings_do_not_share_what_is_kept(cube, tmp_path):
    map_burned(cube, "2021-01", "2021-01", LocalEngine(), scratch=tmp_path, **SIZES)
    for change in ({"threshold": 0.4}, {"tile": 128}, {"water": None}):
        engine = LocalEngine()
        map_burned(cube, "2021-01", "2021-01", engine, scratch=tmp_path, **{**SIZES, **change})
        assert engine.calls > 0
    assert len(list(tmp_path.iterdir())) == 4
    other = MemoryCube((110, 150), seed=1)
    engine = LocalEngine()
    map_burned(other, "2021-01", "2021-01", engine, scratch=tmp_path, **SIZES)
    assert engine.calls > 0


def test_an_engine_that_does_not_tell_its_weights_cannot_be_resumed(cube, tmp_path):
    engine = LocalEngine()
    engine.models = ()
    assert map_burned(cube, "2021-01", "2021-01", engine).attrs["weights"] == []
    with pytest.raises(InputError, match="does not tell its weights"):
        map_burned(cube, "2021-01", "2021-01", engine, scratch=tmp_path)


def test_networks_that_came_from_no_file_are_told_apart(cube):
    one, same, other = small_network(1), small_network(1), small_network(2)
    for model in (one, same, other):
        model.weights_sha256 = ""
    hashes = [as_ensemble(PlainEngine(model)).members[0]["sha256"] for model in (one, same, other)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_two_runs_on_the_same_work_refuse(tmp_path):
    with Store(tmp_path, {"a": 1}).held():
        with pytest.raises(BusyError, match="another run is at work"), Store(tmp_path, {"a": 1}).held():
            pass
        with Store(tmp_path, {"a": 2}).held():
            pass
    with Store(tmp_path, {"a": 1}).held():
        pass


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_chunk_of_an_earlier_run_is_made_anew(cube, tmp_path, seed):
    """Cut short, emptied, of another core, or with any single bit flipped."""
    settings = {"scratch": tmp_path, "water": None, **SIZES}
    whole = map_burned(cube, "2021-01", "2021-01", LocalEngine(), **settings)
    files, rng = sorted(tmp_path.glob("*/core-*")), np.random.default_rng(seed)
    content = files[4].read_bytes()
    damaged = [content[:100], b"", files[5].read_bytes(), content + b"x"]
    for position in rng.integers(0, 8 * len(content), 8):
        flipped = bytearray(content)
        flipped[position // 8] ^= 1 << position % 8
        damaged.append(bytes(flipped))
    for number, one in enumerate(damaged):
        files[4].write_bytes(one)
        engine = LocalEngine()
        assert_same_map(map_burned(cube, "2021-01", "2021-01", engine, **settings), whole)
        assert engine.calls == 1, number
        assert files[4].read_bytes() == content


# Options.


def test_an_unknown_option_is_a_type_error_with_advice(cube):
    for function in (map_burned, map_months):
        with pytest.raises(TypeError, match=r"'treshold'; did you mean 'threshold'\?"):
            function(cube, "2021-01", "2021-01", LocalEngine(), treshold=0.1)
    with pytest.raises(TypeError, match=r"map_nrt\(\) .* 'lenght'; did you mean 'length'\?"):
        map_nrt(cube, "2021-01-31", LocalEngine(), lenght=32)
    with pytest.raises(TypeError, match="known are: keep_going, length, margin"):
        map_burned(cube, "2021-01", "2021-01", LocalEngine(), colour="red")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": 0}, "threshold 0.0 is not above 0"),
        ({"threshold": float("nan")}, "threshold nan is not above 0"),
        ({"threshold": "half"}, "threshold: .* found 'half'"),
        ({"tiling": "mosaic"}, "tiling: .*'seamless' or 'original', found 'mosaic'"),
        ({"tile": 0}, "tile: .* found 0"),
        ({"step": 32}, "give tiling='original', or no step"),
        ({"tiling": "original", "margin": (32, 32)}, "has no margin"),
        ({"workers": 0}, "workers: .* found 0"),
        ({"workers": 2, "scheduler": "tcp://h:1"}, "workers or a scheduler, not both"),
        ({"workers": 2, "tiling": "original"}, "runs in one process"),
        ({"workers": 2, "on_block": print}, "map without on_block"),
        ({"water": 3}, "give 'auto', a mask"),
        ({"progress": 3}, "progress: .* found 3"),
    ],
)
def test_a_wrong_value_is_told_in_one_line(cube, options, message):
    with pytest.raises(InputError, match=message) as told:
        map_burned(cube, "2021-01", "2021-01", LocalEngine(), **options)
    assert "\n" not in str(told.value)


# Periods.


def test_days_map_days(cube):
    got = map_burned(cube, "2021-01-15", "2021-01-20", LocalEngine(), water=None)
    assert (got.start, got.stop) == (np.datetime64("2021-01-15"), np.datetime64("2021-01-21"))
    assert got.attrs["windows"] == [["2020-12-17", "2021-02-19", "2021-01-15", "2021-01-21"]]
    (window,) = period_windows(got.start, got.stop, cube.days)
    assert_same_map(got, by_hand(cube, [window], LocalEngine()))


def test_whole_months_are_the_same_said_in_days(cube):
    months = map_burned(cube, "2020-12", "2021-01", LocalEngine(), water=None)
    days = map_burned(cube, "20201201", "2021-01-31", LocalEngine(), water=None)
    assert days.attrs == months.attrs
    assert_same_map(days, months)


def test_a_period_over_new_year_in_two_windows(cube):
    got = map_burned(cube, "2020-12-10", "2021-01-20", LocalEngine(), water=None)
    kept = [window[2:] for window in got.attrs["windows"]]
    assert kept == [["2020-12-10", "2020-12-31"], ["2020-12-31", "2021-01-21"]]
    windows = period_windows(got.start, got.stop, cube.days)
    assert_same_map(got, by_hand(cube, windows, LocalEngine()))


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (8, 8, "8 is "),
        ("2021/01", "2021/01", "2021-01"),
        ("2021-01", "2020-12", "ends .2020-12. before it starts .2021-01"),
        ("January", "January", "'January' is "),
    ],
)
def test_what_is_no_period_is_refused_with_advice(cube, start, end, message):
    for function in (map_burned, map_months):
        with pytest.raises(InputError, match=message):
            function(cube, start, end, LocalEngine())


def test_days_one_by_one_are_one_map(cube):
    (got,) = map_months(cube, "2021-01-15", "2021-01-20", LocalEngine(), water=None)
    assert_same_map(got, map_burned(cube, "2021-01-15", "2021-01-20", LocalEngine(), water=None))


def test_days_of_hot_spots_alone_are_told():
    cube, lost = MemoryCube((20, 30)), np.datetime64("2021-01-08")
    cube.record = lambda day: (
        SimpleNamespace(gaps=("no file",), inputs=(), summaries={}) if day == lost else None
    )
    with pytest.warns(
        BanetWarning, match="2021-01: the cube has no image of 1 of the 31 days that are mapped"
    ):
        map_burned(cube, "2021-01", "2021-01", LocalEngine())


def test_days_of_which_hot_spots_are_not_known_are_told():
    cube, last = MemoryCube((20, 30)), np.datetime64("2021-01-31")

    def record(day):
        frp = SimpleNamespace(cells=0 if day == last else 600)
        return SimpleNamespace(day=str(day), gaps=(), inputs=("a.h5",), summaries={"frp": frp})

    cube.record = record
    note = "hot spots are not known of 1 of the 31 days that are mapped, the last of them 2021-01-31"
    with pytest.warns(BanetWarning, match=f"2021-01: {note}"):
        assert note in map_burned(cube, "2021-01", "2021-01", LocalEngine()).attrs["notes"]


def test_the_record_of_a_day_is_read_once_for_the_notes_of_a_map(tmp_path):
    cube, read = MemoryCube((20, 30)), []
    cube.record = read.append
    map_burned(cube, "2021-01", "2021-01", LocalEngine(), scratch=tmp_path)
    assert len(read) == len(set(read)) == 31


def test_a_month_without_one_observation_is_told(cube):
    blind = MemoryCube((20, 30))
    blind.planes[:3], blind.planes[3] = np.nan, 0
    lit = MemoryCube((32, 32))
    lit.planes[:3], lit.planes[3] = np.nan, 0
    lit.planes[3, 75, 3, 4] = 1e6
    with pytest.warns(BanetWarning, match="not observed in any image; what burned follows from hot spots"):
        assert map_burned(lit, "2021-01", "2021-01", LocalEngine(), threshold=0.05).burned.sum() == 1
    with pytest.warns(BanetWarning, match="2021-01: not observed"):
        burnmap = map_burned(blind, "2021-01", "2021-01", LocalEngine())
    assert burnmap.attrs["notes"] == ["not observed"]
    ended = MemoryCube((20, 30), count=60)
    with pytest.warns(BanetWarning) as told:
        maps = list(map_months(ended, "2020-12", "2021-02", LocalEngine()))
    assert [str(warning.message) for warning in told] == [
        "2020-12: the cube lacks 1 of the 31 days that are mapped",
        "2021-01: the cube lacks 31 of the 31 days that are mapped",
        "2021-01: not observed",
        "2021-02: the cube lacks 28 of the 28 days that are mapped",
        "2021-02: not observed",
    ]
    assert all(warning.filename == __file__ for warning in told)
    assert [burnmap.attrs["notes"][-1] == "not observed" for burnmap in maps] == [False, True, True]


class Looking(LocalEngine):
    """A network that says whether somebody looked for hot spots."""

    spec = InputSpec(channels=(*InputSpec().channels, "hotspots_known"), mean=(0.0,) * 5, std=(1.0,) * 5)

    def probabilities(self, x, part=...):
        return x[4][part].copy()


def test_hot_spots_are_known_in_a_region_and_window_in_which_one_was_seen():
    def known(cube):
        blocks = predict(cube, month_window("2021-02"), Looking(), tile=128)
        return {float(value) for block in blocks for value in np.unique(block.probability)}

    cube = MemoryCube((400, 40), missing=0.0)
    cube.planes[3] = 0
    assert known(cube) == {0.0}
    with pytest.warns(BanetWarning, match="no hot spot was seen from 2021-01-15 to 2021-03-19: they count"):
        map_burned(cube, "2021-02", "2021-02", Looking(), water=None)
    # One in the last corner, in a tile of its own, on a day that is not kept: the whole region is told.
    cube.planes[3, cube.days == np.datetime64("2021-01-20"), -1, -1] = 5
    assert known(cube) == {1.0}
    cube.planes[3] = np.nan
    assert known(cube) == {0.0}


@pytest.mark.parametrize(
    ("days", "cells", "told"),
    [
        (["2021-01-20"], 1, "in 1 cell on 1 of 54 days"),
        (["2021-01-20", "2021-02-20"], 40, "in 80 cells on 2 of 54 days"),
        (["2021-01-20", "2021-02-01", "2021-02-02", "2021-02-03"], 1, "in 1 cell on 4 of 54 days"),
        (["2021-01-20", "2021-02-20", "2021-03-01"], 1, None),
    ],
)
def test_of_few_hot_spots_a_map_says_how_many(days, cells, told):
    cube = MemoryCube((40, 40), missing=0.0)
    cube.planes[3] = 0
    cube.planes[3, cube.days == np.datetime64("2021-02-11")] = np.nan
    for row, day in enumerate(days):
        place = 0 if len(days) == 4 else row  # a flare stays where it is
        cube.planes[3, cube.days == np.datetime64(day), place, :cells] = 5
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        made = map_burned(cube, "2021-02", "2021-02", Looking(), water=None)
    notes = [str(note.message) for note in heard if "hot spots were seen" in str(note.message)]
    assert len(notes) == (told is not None)
    if told is not None:
        assert f"{told} from 2021-01-15 to 2021-03-19: if their table is not whole" in notes[0]
        assert any(told in note for note in made.attrs["notes"])
    map_burned(cube, "2021-02", "2021-02", LocalEngine(), water=None)  # is not told what is known


def test_the_first_look_after_burning_may_come_after_the_map():
    cube = MemoryCube((40, 56), missing=0.6)
    made = map_burned(cube, "2020-12-03", "2020-12-20", LocalEngine(), threshold=0.05)
    last = period_windows(made.start, made.stop, cube.days, 64)[-1].stop
    assert last > made.stop
    np.testing.assert_array_equal(made.first_look, first_look_by_hand(cube, made, last))
    beyond = made.burned & (made.burn_date + made.first_look.astype(int) >= made.stop)
    assert (beyond & (made.first_look < 255)).sum() > 5


class Turning(LocalEngine):
    """It says the same of every cell: 0.4 on the last day of November and the first of December."""

    turn = FIRST + 30

    def __init__(self, calibrated, other=0.4):
        super().__init__()
        if calibrated:
            table = Calibration(mapped=(0, 1), burned=(0, 1), date_quantile=0.5)
            self.models = (SimpleNamespace(**{**vars(LocalEngine.models[0]), "calibration": table}),)
        self.start, self.other = None, other

    def probabilities(self, x, part=...):
        found = np.zeros(x.shape[1:], np.float32)
        at = int((self.turn - self.start).astype(int))
        found[at - 1], found[at] = 0.4, self.other
        return found[part]


@pytest.mark.parametrize(
    ("calibrated", "options", "burned"),
    [
        (True, {}, ["2020-11-30", None]),
        (True, {"tiling": "original"}, [None, None]),
        (False, {}, [None, None]),
    ],
)
def test_a_burn_across_the_turn_of_the_month_is_in_one_map(calibrated, options, burned):
    cube, dates, engine = MemoryCube((40, 40), missing=0.0), [], Turning(calibrated)
    for month in ("2020-11", "2020-12"):
        engine.start = month_window(month).start
        mapped = map_burned(cube, month, month, engine, water=None, **options)
        whole = calibrated and not options
        assert mapped.attrs["edge_days"] == ([5 if month == "2020-12" else 0, 5] if whole else [0, 0])
        found = np.unique(mapped.burn_date[mapped.burned])
        dates.append(str(found[0]) if found.size else None)
        assert mapped.burned.all() or not mapped.burned.any()
    assert dates == burned


def test_daily_probabilities_are_of_the_mapped_days_alone():
    cube, engine, blocks = MemoryCube((40, 40), missing=0.0), Turning(True), []
    engine.start = month_window("2020-11").start
    map_burned(cube, "2020-11", "2020-11", engine, water=None, on_block=blocks.append)
    assert {block.probability.shape[0] for block in blocks} == {30}
    assert all((block.probability[-1] == np.float32(0.4)).all() for block in blocks)
    (block,) = predict(cube, month_window("2020-11"), engine)
    np.testing.assert_array_equal(block.probability, blocks[0].probability)


def test_what_scars_tell_of_days_before_the_cube_is_of_no_period():
    cube, engine = MemoryCube((40, 40), missing=0.0), Turning(True)
    engine.start, engine.turn = month_window("2020-11").start, FIRST
    assert not map_burned(cube, "2020-11", "2020-11", engine, water=None).burned.any()


def test_days_that_are_known_to_be_quiet_are_no_record_of_images():
    """A cube may hold hot spots of weeks before its first image and after its last."""
    cube, options = MemoryCube((8, 8), missing=0.0), MapOptions.of_keywords("test", {})
    cube.planes[:3, :40], cube.planes[3, :40] = np.nan, 0
    cube.planes[:3, 100:], cube.planes[3, 100:] = np.nan, 0
    run = Run.plan(cube, (month_window("2021-01"),), as_ensemble(Turning(True)), options)
    assert (run.first_day, run.last_day) == (FIRST + 40, FIRST + 99)
    cube.planes[3, 105, 2, 2] = 9
    run = Run.plan(cube, (month_window("2021-01"),), as_ensemble(Turning(True)), options)
    assert run.last_day == FIRST + 105, "a fire of the last day is mapped before its images come"
