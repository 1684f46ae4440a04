"""The hot kernels, timed by pytest-benchmark and checked as they run; no time is asserted.

`pytest tests/test_bench_kernels.py --benchmark-only` shows the table.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from banet.burned_area.dating import summarise
from banet.cube import Cube
from banet.grid.region import Region
from banet.mapping.cores import Core, original_tiling
from banet.mapping.original import MeanOfTiles
from banet.mapping.store import Store
from banet.mapping.tiles import Prediction
from banet.mapping.water import WaterCounts
from banet.model.config import BANetConfig, InputSpec
from banet.model.engine import Engine
from banet.model.inputs import normalise
from banet.model.network import BANet
from banet.model.temporal_context import TemporalContext
from banet.observations.planes import DayPlanes

SHAPE = (64, 96)
DAYS = 32

pytestmark = pytest.mark.benchmark(min_rounds=2, max_time=0.1, warmup=False)


@pytest.fixture(scope="module")
def planes():
    rng = np.random.default_rng(0)
    spans = ((0.05, 0.14), (0.2, 0.4), (0.08, 0.3))
    red, nir, mir = (rng.uniform(*span, (DAYS, *SHAPE)).astype(np.float32) for span in spans)
    for plane in (red, nir, mir):
        plane[:, :10] = np.nan
    frp = np.where(rng.random(red.shape) < 0.01, 20, 0).astype(np.float32)
    return SimpleNamespace(red=red, nir=nir, mir=mir, frp=frp)


def test_reading_a_block_of_a_cube(benchmark, planes, tmp_path):
    region = Region("T", (20, 38, 20.96, 38.64), 0.01)
    cube = Cube.create(tmp_path / "T.zarr", region, sensor="x", mir_band="M12")
    first, count = np.datetime64("2021-07-01"), np.ones(SHAPE, np.uint8)
    for day in range(8):
        fields = (getattr(planes, name)[day] for name in ("red", "nir", "mir"))
        cube.write_day(
            first + day, DayPlanes(*fields, np.full(SHAPE, 20, np.float32), count), planes.frp[day]
        )
    window = benchmark(cube.read, first, first + 8)
    np.testing.assert_allclose(window.red, planes.red[:8], atol=1e-4)


def test_normalising_a_tile(benchmark, planes):
    spec = InputSpec()
    x = benchmark(normalise, planes, spec)
    assert np.isfinite(x).all()
    np.testing.assert_allclose(x[1, :, 10:], (planes.nir[:, 10:] - spec.mean[1]) / spec.std[1], rtol=1e-5)
    np.testing.assert_allclose(x[0, :, :10], -spec.mean[0] / spec.std[0], rtol=1e-5)


def test_finding_water(benchmark, planes):
    def work():
        counts = WaterCounts(planes.red.shape[1:])
        for day in zip(planes.red, planes.nir, planes.mir, planes.frp):
            counts.add(*day)
        return counts.evidence(len(planes.red))

    evidence = benchmark(work)
    assert (evidence[:10] <= 0).all()
    assert (evidence[10:] == -1).all()


@pytest.mark.parametrize("name", ["lstm", "remembering"])
def test_one_tile_through_the_engine(benchmark, name):
    torch.manual_seed(0)
    config = BANetConfig(width=8) if name == "lstm" else BANetConfig.remembering(8)
    model = BANet(config).eval()
    x = torch.randn(4, DAYS, 64, 64)
    found = benchmark(Engine([model], "torch", threads=1).logits, x)
    with torch.inference_mode():
        np.testing.assert_allclose(found[0], model(x[None])[0, 0].numpy(), atol=1e-4)


def test_remembering(benchmark):
    memory = TemporalContext(BANetConfig.remembering(8), InputSpec()).eval()
    x = torch.randn(4, DAYS, 16 * 16)
    with torch.inference_mode():
        found = torch.cat(benchmark(memory.remember, x))
        alone = torch.cat(memory.remember(x[:, :, 5:6]))
    assert found.shape == (4 + 28, *x.shape[1:])
    assert torch.equal(found[:4], x)
    torch.testing.assert_close(found[:, :, 5:6], alone)  # every cell by itself


def test_the_mean_of_overlapping_tiles(benchmark):
    tiling = original_tiling((160, 192), tile=96, step=64)
    field = np.random.default_rng(0).random((DAYS, 160, 192), np.float32)
    flat = np.zeros((96, 96), np.int16)

    def predict(tile):
        rows, cols = tile.shape
        return Prediction(
            field[:, tile.rows, tile.cols],
            flat[:rows, :cols],
            flat[:rows, :cols].astype(np.int8),
            flat[:rows, :cols].astype(np.uint8),
            flat[:rows, :cols],
            flat[None, :rows, :cols].astype(bool),
        )

    def join():
        mean, out = MeanOfTiles(tiling, predict), np.empty_like(field)
        for core in tiling.cores:
            out[:, core.rows, core.cols] = mean(core).probability
        return out

    np.testing.assert_allclose(benchmark(join), field, atol=1e-6)


def test_summing_and_dating(benchmark):
    rng = np.random.default_rng(0)
    probability = np.zeros((DAYS, *SHAPE), np.float32)
    when = rng.integers(0, DAYS, SHAPE)
    np.put_along_axis(probability, when[None], 0.9, axis=0)
    summary = benchmark(summarise, probability)
    assert np.array_equal(summary.day, when)
    assert not summary.uncertainty.any()


def test_keeping_a_core(benchmark, tmp_path):
    core = Core((0, 0), slice(0, SHAPE[0]), slice(0, SHAPE[1]))
    planes = {"burned_fraction": np.full(SHAPE, 0.3, np.float32), "day": np.full(SHAPE, -1, np.int32)}
    store = Store(tmp_path, {"made": "by hand"})

    def keep():
        store.write(core, planes)
        return store.read(core)

    found = benchmark(keep)
    assert all(np.array_equal(found[name], plane) for name, plane in planes.items())
