"""Cutting and joining are inverse, whatever the sizes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from banet.errors import InputError
from banet.mapping.tiling import (
    MARGIN,
    Joiner,
    blend_tiling,
    make_tiling,
    margin_of,
    original_tiles,
    original_tiling,
)
from banet.model.config import BANetConfig
from banet.model.network import BANet

SHAPES = st.tuples(st.integers(1, 70), st.integers(1, 70))


@st.composite
def blends(draw):
    align = draw(st.sampled_from([1, 4, 8]))
    tile = align * draw(st.integers(6 // align + 1, 6 // align + 6))
    margin = draw(st.tuples(st.integers(0, 12), st.integers(0, 12)))
    step = draw(st.none() | st.integers(max(align, tile // 3), tile))
    if step is None and -(-sum(margin) // align) * align >= tile:
        step = tile
    return blend_tiling(draw(SHAPES), tile, step, margin, align)


@st.composite
def originals(draw):
    tile = draw(st.integers(6, 40))
    return original_tiling(draw(SHAPES), tile, draw(st.integers(tile // 3, tile - 1)))


TILINGS = st.one_of(blends(), originals())


def split(tiling, array):
    return [(tile, array[:, tile.rows, tile.cols]) for tile in tiling]


def join(tiling, parts, days):
    result = np.full((days, *tiling.shape), np.nan, np.float32)
    joiner = Joiner(tiling)
    for tile, part in parts:
        block = joiner.add(tile, part)
        assert np.isnan(result[:, block.rows, block.cols]).all(), "a cell was finished twice"
        result[:, block.rows, block.cols] = block.probability
    assert not joiner._columns, "the joiner still holds something"
    return result


@settings(max_examples=60, deadline=None)
@given(tiling=TILINGS, seed=st.integers(0, 99))
def test_splitting_and_joining_gives_back_what_was_split(tiling, seed):
    array = np.random.default_rng(seed).random((3, *tiling.shape), np.float32)
    np.testing.assert_allclose(join(tiling, split(tiling, array), 3), array, atol=5e-7)


@settings(max_examples=60, deadline=None)
@given(tiling=TILINGS)
def test_weights_are_a_partition_of_unity(tiling):
    total = np.zeros(tiling.shape)
    for tile in tiling:
        weights = tiling.weights(tile)
        assert weights.shape == tile.shape
        assert weights.min() >= 0
        total[tile.rows, tile.cols] += weights
    np.testing.assert_allclose(total, 1, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(tiling=TILINGS)
def test_a_tile_has_weight_only_in_the_blocks_it_touches(tiling):
    blocks = {
        tile.index: (tiling.rows.block(tile.index[0]), tiling.cols.block(tile.index[1])) for tile in tiling
    }
    for tile in tiling:
        plane = np.zeros(tiling.shape)
        plane[tile.rows, tile.cols] = tiling.weights(tile)
        for index in tiling.touched(tile.index):
            plane[blocks[index]] = 0
        assert not plane.any()
        rows, cols = blocks[tile.index]
        assert tile.rows.start <= rows.start < rows.stop <= tile.rows.stop
        assert tile.cols.start <= cols.start < cols.stop <= tile.cols.stop


@settings(max_examples=60, deadline=None)
@given(tiling=blends())
def test_all_tiles_of_a_blend_are_of_one_size_and_stay_within_the_padded_region(tiling):
    for tile in tiling:
        assert tile.rows.start + tile.size[0] <= tiling.rows.extent + 7
        assert tile.size == (tiling.rows.size, tiling.cols.size)


def test_original_tiles_are_those_of_the_original():
    tiles = original_tiles((800, 1500))
    assert sorted({t.rows.start for t in tiles}) == list(range(0, 799, 100))
    assert sorted({t.cols.start for t in tiles}) == list(range(0, 1499, 100))
    assert len(tiles) == 8 * 15
    assert {t.size for t in tiles} == {(128, 128)}
    assert tiles[-1].shape == (100, 100)
    # 201 cells: range(0, 200, 100) ends at 100, and that tile's 128 cells reach past the last one.
    assert sorted({t.cols.start for t in original_tiles((201, 201))}) == [0, 100]
    # One cell: the original has no tile at all; one is needed to say anything.
    assert len(original_tiles((1, 1))) == 1


def test_the_original_joins_by_the_plain_mean():
    tiling = original_tiling((128, 220), 128, 100)
    parts = [
        (tile, np.full((1, *tile.shape), value, np.float32))
        for tile, value in zip(tiling, (1, 4, 9, 16, 25, 36))
    ]
    joined = join(tiling, parts, 1)[0]
    assert len(parts) == 6
    assert joined[0, 0] == 1
    assert joined[0, 110] == (1 + 4) / 2
    assert joined[110, 110] == pytest.approx((1 + 4 + 16 + 25) / 4)
    assert joined[110, 219] == pytest.approx((4 + 9 + 25 + 36) / 4)


def test_margins_get_no_weight_and_ramps_lead_between():
    tiling = blend_tiling((32, 160), tile=96, step=64, margin=(8, 8))
    left, right = (tiling.weights(tile)[0] for tile in tiling)
    assert (left[-8:] == 0).all()
    assert (right[:8] == 0).all()
    ramp = right[8:24]
    assert (np.diff(ramp) > 0).all()
    np.testing.assert_allclose(ramp + ramp[::-1], 1, atol=1e-6)


def test_least_work_is_chosen():
    one = blend_tiling((133, 280), 256)
    assert (len(one), one.rows.size, one.cols.size) == (1, 160, 288)
    many = blend_tiling((400, 800), 256)
    assert len(many) * many.rows.size * many.cols.size <= 400 * 800 * 2.05
    for tile in many:
        assert tile.size[0] * tile.size[1] <= 256 * 256
        assert tile.rows.start % 32 == tile.cols.start % 32 == tile.size[0] % 32 == tile.size[1] % 32 == 0


def test_blocks_of_a_large_region_hold_little():
    """On 300 x 4000 cells the joiner never holds more than the overlap over the width and a tile."""
    tiling = blend_tiling((300, 4000), 192, 96, margin=(64, 32))
    joiner, most = Joiner(tiling), 0
    for tile in tiling:
        joiner.add(tile, np.ones((2, *tile.shape), np.float32))
        most = max(most, sum(held.size for held in joiner._columns.values()))
    assert most <= 2 * (96 * 4000 + 192 * 192)


@pytest.mark.parametrize(
    ("kernels", "margin"),
    [
        ((7, 3, 3, 3, 3), (64, 32)),
        ((1, 1, 1), (8, 0)),
        ((7, 5, 5), (16, 8)),
        ((5, 3), (8, 4)),
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
        ({"tile": 128, "step": 160}, "not between 32 and"),
        ({"tile": 128, "step": 16}, "not between 32 and"),
        ({"tile": 0}, "none may be below 1"),
        ({"tile": 128, "margin": (-1, 0)}, "negative"),
    ],
)
def test_sizes_that_do_not_fit(arguments, message):
    with pytest.raises(InputError, match=message):
        blend_tiling((300, 300), **arguments)


def test_original_sizes_that_do_not_fit():
    with pytest.raises(InputError, match="uncovered"):
        original_tiling((300, 300), 128, 128)
    with pytest.raises(InputError, match="none may be below 1"):
        original_tiling((0, 300))
    with pytest.raises(InputError, match="'mosaic'"):
        make_tiling("mosaic", (300, 300))


def test_the_joiner_takes_tiles_in_order_and_of_the_right_shape():
    tiling = original_tiling((150, 150), 128, 100)
    first, second, *_ = tiling
    with pytest.raises(InputError, match=r"\(0, 1\) came where \(0, 0\) was due"):
        Joiner(tiling).add(second, None)
    with pytest.raises(InputError, match="is not .days, 128, 128"):
        Joiner(tiling).add(first, np.zeros((2, 128, 127), np.float32))
