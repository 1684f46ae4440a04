"""Cores partition the region, and tiles hold all that their cores feel, whatever the sizes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from banet.errors import InputError
from banet.mapping.cores import MARGIN, margin_of, original_tiling, seamless_tiling
from banet.mapping.original import MeanOfTiles
from banet.mapping.tiles import Prediction
from banet.model.config import BANetConfig
from banet.model.network import BANet

SHAPES = st.tuples(st.integers(1, 70), st.integers(1, 70))


@st.composite
def seamless(draw):
    align = draw(st.sampled_from([1, 4, 8]))
    margin = draw(st.tuples(st.integers(0, 12), st.integers(0, 12)))
    least = sum(-(-cells // align) for cells in margin) + 1
    return seamless_tiling(draw(SHAPES), align * draw(st.integers(least, least + 6)), margin, align)


@st.composite
def originals(draw):
    tile = draw(st.integers(6, 40))
    return original_tiling(draw(SHAPES), tile, draw(st.integers(max(1, tile // 3), tile - 1)))


@settings(max_examples=80, deadline=None)
@given(tiling=st.one_of(seamless(), originals()))
def test_every_cell_is_in_one_core_and_inside_its_tile(tiling):
    count = np.zeros(tiling.shape, int)
    assert [core.index for core in tiling.cores] == sorted(core.index for core in tiling.cores)
    assert len(tiling.cores) == len(tiling)
    for core in tiling.cores:
        assert min(core.shape) >= 1
        count[core.rows, core.cols] += 1
        tile = tiling.tile(core.index)
        assert tile.rows.start <= core.rows.start < core.rows.stop <= tile.rows.stop
        assert tile.cols.start <= core.cols.start < core.cols.stop <= tile.cols.stop
    assert (count == 1).all()


@settings(max_examples=80, deadline=None)
@given(shape=SHAPES, align=st.sampled_from([1, 4, 8]), more=st.integers(1, 6), data=st.data())
def test_tiles_reach_as_far_as_the_margin_keep_to_the_alignment_and_to_their_size(shape, align, more, data):
    margin = data.draw(st.tuples(st.integers(0, 12), st.integers(0, 12)))
    edge = align * (sum(-(-cells // align) for cells in margin) + more)
    tiling = seamless_tiling(shape, edge, margin, align)
    whole = [-(-extent // align) * align for extent in shape]
    assert tiling.cells_computed == sum(np.prod(tiling.tile(core.index).size) for core in tiling.cores)
    for core in tiling.cores:
        tile = tiling.tile(core.index)
        assert tile.size[0] * tile.size[1] <= edge * edge
        cells_of = zip((core.rows, core.cols), (tile.rows, tile.cols), tile.size, whole, strict=True)
        for inner, cells, size, end in cells_of:
            assert cells.start % align == size % align == inner.start % align == 0
            assert cells.start <= max(0, inner.start - margin[0])
            assert cells.start + size >= min(end, inner.stop + margin[1])
            assert cells.start + size <= end


@settings(max_examples=40, deadline=None)
@given(shape=SHAPES, edge=st.integers(3, 12), lead=st.integers(0, 1), trail=st.integers(0, 1))
def test_no_other_number_of_tiles_of_that_size_computes_less(shape, edge, lead, trail):
    overlap, least = lead + trail, None
    for down in range(1, max(1, shape[0] - overlap) + 1):
        for across in range(1, max(1, shape[1] - overlap) + 1):
            rows, cols = (n + (k - 1) * overlap for n, k in zip(shape, (down, across)))
            if -(-rows // down) * -(-cols // across) <= edge * edge:
                least = rows * cols if least is None else min(least, rows * cols)
                break  # more of them across compute more
    assert seamless_tiling(shape, edge, (lead, trail), 1).cells_computed == least


def join(tiling, array):
    """Cut an array into tiles and take their mean, core by core."""
    result, asked = np.full(array.shape, np.nan, np.float32), []

    def predict(tile):
        asked.append(tile.index)
        flat = np.zeros(tile.shape, np.int16)
        planes = flat, flat.astype(np.int8), flat.astype(np.uint8), flat, flat[None].astype(bool)
        return Prediction(array[:, tile.rows, tile.cols], *planes)

    mean = MeanOfTiles(tiling, predict)
    for core in tiling.cores:
        result[:, core.rows, core.cols] = mean(core).probability
    assert sorted(asked) == [core.index for core in tiling.cores], "a tile was predicted twice, or never"
    return result


@settings(max_examples=60, deadline=None)
@given(tiling=originals(), seed=st.integers(0, 99))
def test_the_mean_of_tiles_gives_back_what_was_cut(tiling, seed):
    array = np.random.default_rng(seed).random((3, *tiling.shape), np.float32)
    np.testing.assert_allclose(join(tiling, array), array, atol=5e-7)


def test_original_tiles_are_those_of_the_original():
    tiling = original_tiling((800, 1500))
    tiles = [tiling.tile(core.index) for core in tiling.cores]
    assert sorted({t.rows.start for t in tiles}) == list(range(0, 799, 100))
    assert sorted({t.cols.start for t in tiles}) == list(range(0, 1499, 100))
    assert len(tiles) == 8 * 15
    assert {t.size for t in tiles} == {(128, 128)}
    assert tiles[-1].shape == (100, 100)
    # 201 cells: range(0, 200, 100) ends at 100, and that tile's 128 cells reach past the last one.
    assert [start for start, _ in original_tiling((201, 201)).cols.spans] == [0, 100]
    # One cell: the original has no tile at all; one is needed to say anything.
    assert len(original_tiling((1, 1))) == 1


def test_the_original_joins_by_the_plain_mean():
    tiling = original_tiling((128, 220), 128, 100)
    values = iter((1, 4, 9, 16, 25, 36))
    tile_values = {core.index: next(values) for core in tiling.cores}

    def predict(tile):
        flat = np.zeros(tile.shape, np.int16)
        value = np.full((1, *tile.shape), tile_values[tile.index], np.float32)
        planes = flat, flat.astype(np.int8), flat.astype(np.uint8), flat, flat[None].astype(bool)
        return Prediction(value, *planes)

    mean, joined = MeanOfTiles(tiling, predict), np.zeros(tiling.shape)
    for core in tiling.cores:
        joined[core.rows, core.cols] = mean(core).probability[0]
    assert len(tile_values) == 6
    assert joined[0, 0] == 1
    assert joined[0, 110] == (1 + 4) / 2
    assert joined[110, 110] == pytest.approx((1 + 4 + 16 + 25) / 4)
    assert joined[110, 219] == pytest.approx((4 + 9 + 25 + 36) / 4)


def test_least_work_is_chosen():
    one = seamless_tiling((133, 280), 256)
    assert (len(one), one.tile((0, 0)).size) == (1, (160, 288))
    many = seamless_tiling((400, 800), 256)
    assert many.cells_computed <= 400 * 800 * 2.05
    for core in many.cores:
        tile = many.tile(core.index)
        assert tile.size[0] * tile.size[1] <= 256 * 256
        assert tile.rows.start % 32 == tile.cols.start % 32 == tile.size[0] % 32 == tile.size[1] % 32 == 0


@pytest.mark.parametrize(
    ("kernels", "margin"),
    [
        ((7, 3, 3, 3, 3), (64, 32)),
        ((1, 1, 1), (8, 0)),
        ((7, 5, 5), (16, 8)),
        ((5, 3), (8, 4)),
        ((3, 3), (4, 4)),
    ],
)
def test_past_the_margin_a_network_does_not_feel_the_border_of_its_tile(kernels, margin):
    """Noise on both sides of a tile reaches to the margin that the kernels tell, and no further."""
    config = BANetConfig(
        width=2,
        lstm=False,
        multipliers=(1,) * len(kernels),
        space_kernels=kernels,
        time_kernels=(1,) * len(kernels),
    )
    assert margin_of(kernels) == margin
    torch.manual_seed(0)
    model = BANet(config).eval()
    for parameter in model.parameters():  # every path open: no ReLU may close one
        parameter.data.abs_()
    align = config.multiple[1]
    start, stop = 4 * align, 12 * align
    x = torch.rand(1, 4, config.multiple[0], align, stop + 4 * align)
    with torch.no_grad():
        whole = model(x)[0, 0, 0, :, start:stop]
        part = model(x[..., start:stop])[0, 0, 0]
    felt = ((whole - part).abs().amax(0) > 1e-6 * whole.abs().max()).numpy()
    reach = np.flatnonzero(felt)
    lead = reach[reach < felt.size // 2]
    trail = reach[reach >= felt.size // 2]
    assert margin[0] - align < lead.max() + 1 <= margin[0]
    assert (felt.size - trail.min() if trail.size else 0) <= margin[1]


def test_margin_of_the_published_network_is_the_default():
    assert margin_of(BANetConfig.original().space_kernels) == MARGIN


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tile": 100}, "multiple of 32"),
        ({"tile": 96}, "too small for the margin"),
        ({"tile": 0}, "none may be below 1"),
        ({"tile": 128, "margin": (-1, 0)}, "negative"),
    ],
)
def test_sizes_that_do_not_fit(arguments, message):
    with pytest.raises(InputError, match=message):
        seamless_tiling((300, 300), **arguments)


def test_original_sizes_that_do_not_fit():
    with pytest.raises(InputError, match="uncovered"):
        original_tiling((300, 300), 128, 128)
    with pytest.raises(InputError, match="none may be below 1"):
        original_tiling((0, 300))
