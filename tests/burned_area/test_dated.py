"""Dated fractions, references and regridding: hectares kept, dates chosen by one rule, unknown is NaN."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dated import DatedFractions
from banet.days import parse_period
from banet.errors import InputError
from banet.grid.average import LatLonGrid, average, cut_cells
from banet.grid.region import Region

REGION = Region("T", (10, 40, 10.06, 40.04), 0.01)
DAY = np.datetime64("2020-12-30")


def dated(entries, region=REGION):
    """Fractions from (row, col, day offset, fraction[, uncertainty])."""
    table = np.array([(*e, np.nan) if len(e) == 4 else e for e in entries], float).reshape(-1, 5)
    return DatedFractions.from_pieces(
        region, table[:, 0], table[:, 1], DAY + table[:, 2].astype(int), table[:, 3], table[:, 4]
    )


def test_pieces_of_one_cell_and_day_add_up():
    got = dated([(1, 2, 0, 0.25, 2), (1, 2, 0, 0.5, 5), (1, 2, 3, 0.125)])
    assert got.fraction.tolist() == [0.75, 0.125]
    assert got.uncertainty[0] == pytest.approx((0.25 * 2 + 0.5 * 5) / 0.75)
    assert np.isnan(got.uncertainty[1])
    assert got.total()[1, 2] == np.float32(0.875)
    assert got.total().sum() == np.float32(0.875)


def test_a_piece_without_uncertainty_does_not_dilute_the_others():
    got = dated([(0, 0, 0, 0.5, 4), (0, 0, 0, 0.25)])
    assert got.uncertainty.tolist() == [4.0]


def test_main_day_is_the_day_with_most_and_the_earlier_of_equals():
    date, spread = dated([(0, 0, 5, 0.3), (0, 0, 1, 0.2), (0, 1, 7, 0.25), (0, 1, 4, 0.25, 2.2)]).main_day()
    assert date[0, 0] == DAY + 5
    assert date[0, 1] == DAY + 4
    assert spread[0, 1] == 3  # rounded up
    assert spread[0, 0] == 255
    assert np.isnat(date).sum() == 22


def test_days_past_new_year_keep_their_order():
    got = dated([(0, 0, 1, 0.1), (0, 0, 2, 0.2), (0, 0, 3, 0.3)])  # 31 December, 1 and 2 January
    days = np.arange(DAY, DAY + 5)
    np.testing.assert_allclose(got.daily(days)[:, 0, 0], [0, 0.1, 0.2, 0.3, 0], rtol=1e-6)
    assert got.main_day()[0][0, 0] == np.datetime64("2021-01-02")


def test_daily_follows_the_order_asked_for_and_leaves_out_other_days():
    got = dated([(0, 0, 0, 0.1), (0, 0, 2, 0.2), (3, 5, 9, 0.4)])
    np.testing.assert_allclose(got.daily(np.array([DAY + 2, DAY]))[:, 0, 0], [0.2, 0.1], rtol=1e-6)
    assert got.daily(np.array([DAY + 2, DAY])).sum() == pytest.approx(0.3)
    with pytest.raises(InputError, match="differ"):
        got.daily(np.array([DAY, DAY]))


def test_between_is_half_open():
    got = dated([(0, 0, 0, 0.1), (0, 0, 1, 0.2), (0, 0, 2, 0.4)]).between(DAY, DAY + 2)
    assert got.day.tolist() == [DAY.item(), (DAY + 1).item()]


def test_nothing_burned():
    empty = DatedFractions.empty(REGION)
    assert empty.total().sum() == 0
    assert np.isnat(empty.main_day()[0]).all()
    assert empty.daily(np.array([DAY])).sum() == 0
    reference = BurnedArea.from_dated(empty, name="none", start=DAY, stop=DAY + 10)
    assert reference.burned_area_ha == 0
    assert (reference.uncertainty == 255).all()
    assert empty.to(Region("U", REGION.bbox, 0.02)).row.size == 0


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ((4, 0, 0, 0.5), "outside"),
        ((0, -1, 0, 0.5), "outside"),
        ((0, 0, 0, 1.5), "0..1"),
        ((0, 0, 0, -0.1), "0..1"),
    ],
)
def test_entries_that_cannot_be(entry, message):
    row, col, day, fraction = entry
    with pytest.raises(InputError, match=message):
        DatedFractions(
            REGION,
            np.array([row]),
            np.array([col]),
            np.array([DAY + day]),
            np.array([fraction]),
            np.array([np.nan]),
        )


def test_entries_of_different_number_or_without_a_day():
    one, two = np.zeros(1, int), np.zeros(2, int)
    with pytest.raises(InputError, match="shapes"):
        DatedFractions(REGION, one, two, np.array([DAY]), np.zeros(1), np.zeros(1))
    with pytest.raises(InputError, match="without a day"):
        DatedFractions(REGION, one, one, np.array(["NaT"], "datetime64[D]"), np.zeros(1), np.zeros(1))


def test_reference_keeps_hectares_and_marks_the_unknown():
    valid = np.ones(REGION.shape, bool)
    valid[0, 0] = False
    reference = BurnedArea.from_dated(
        dated([(0, 0, 0, 1.0), (1, 1, 0, 0.5)]), name="x", known=valid, start=DAY, stop=DAY + 10
    )
    assert np.isnan(reference.burned_fraction[0, 0])
    assert reference.burned_fraction[3, 3] == 0
    assert reference.burned_area_ha == pytest.approx(0.5 * REGION.cell_area_ha[1])
    target = reference.daily_fraction(np.array([DAY]))
    assert target.shape == (1, *REGION.shape)
    assert target.dtype == np.float32
    assert np.isnan(target[0, 0, 0])
    assert target[0, 1, 1] == 0.5


def test_reference_with_one_date_a_cell_gives_its_fraction_to_that_day():
    fraction = np.zeros(REGION.shape, np.float32)
    fraction[2, 2] = 0.7
    date = np.full(REGION.shape, np.datetime64("NaT", "D"))
    date[2, 2] = DAY
    spread = np.full(REGION.shape, 255, np.uint8)
    spread[2, 2] = 3
    reference = BurnedArea(REGION, DAY, DAY + 3, fraction, date, spread, threshold=0, name="x")
    dates = reference.dates()
    assert (dates.row[0], dates.col[0], dates.day[0], dates.uncertainty[0]) == (2, 2, DAY, 3)
    assert reference.daily_fraction(np.array([DAY]))[0, 2, 2] == np.float32(0.7)


def test_reference_refuses_other_shapes_and_undated_burns():
    nat = np.full(REGION.shape, np.datetime64("NaT", "D"))
    ones = np.ones(REGION.shape, np.float32)
    with pytest.raises(InputError, match="24 cells are dated but burned nothing, or the reverse"):
        BurnedArea(REGION, DAY, DAY + 3, ones, nat, threshold=0, name="x")
    with pytest.raises(InputError, match=r"water is \(2, 2\)"):
        BurnedArea(REGION, DAY, DAY + 3, ones * 0, nat, water=np.ones((2, 2), bool), threshold=0)


def test_between_narrows_a_reference():
    reference = BurnedArea.from_dated(
        dated([(0, 0, 0, 0.2), (0, 0, 3, 0.6)]), name="x", start=DAY - 5, stop=DAY + 10
    )
    part = reference.between(DAY, DAY + 2)
    assert (part.start, part.stop) == (DAY, DAY + 2)
    assert part.burned_fraction[0, 0] == np.float32(0.2)
    assert part.burn_date[0, 0] == DAY


def test_burns_that_are_cut_away_take_their_confidence_with_them():
    nat = np.datetime64("NaT", "D")
    date = np.full(REGION.shape, nat)
    date[0, :2] = DAY, DAY + 5
    confidence = np.full(REGION.shape, np.nan, np.float32)
    confidence[0, :3] = 95, 90, 3
    burned = (~np.isnat(date)).astype(np.float32)
    source = BurnedArea(
        REGION, DAY, DAY + 9, burned, date, stated_confidence=confidence, threshold=0, name="x"
    )
    cut = source.between(DAY + 4, DAY + 9)
    np.testing.assert_array_equal(cut.stated_confidence[0, :4], np.float32([np.nan, 90, 3, np.nan]))


def test_fractions_without_a_date_stay_in_burned_cells_of_another_grid():
    """Cut, joined with a month without fire, or brought on to a third grid: 0.6 dated and 0.3 not."""
    nat, fine = np.datetime64("NaT", "D"), Region("U", (10, 40, 10.04, 40.04), 0.01)
    date, part = np.full(fine.shape, nat), np.zeros(fine.shape, np.float32)
    date[0, 0], part[0, :2], part[1, :2] = DAY, (0.6, 0.1), 0.1
    burned = BurnedArea(fine, DAY, DAY + 9, part, date, name="x")
    coarse = burned.to(Region("V", fine.bbox, 0.02))
    assert coarse.burned[0, 0] and coarse.burned_fraction[0, 0] == pytest.approx(0.225, abs=1e-4)
    assert coarse.undated[0, 0] == pytest.approx(0.075, abs=1e-4)
    assert coarse.between(DAY, DAY + 8).burned_fraction[0, 0] == coarse.burned_fraction[0, 0]
    assert coarse.between(DAY + 1, DAY + 8).burned_fraction[0, 0] == coarse.undated[0, 0]
    quiet = BurnedArea(fine, DAY + 9, DAY + 20, part * 0, np.full(fine.shape, nat), name="x")
    joined = coarse.join(quiet.to(coarse.region))
    np.testing.assert_allclose(joined.burned_fraction, coarse.burned_fraction)
    # What another month says without a date is not added to a burn, which is the stronger of the two.
    doubt = BurnedArea(
        fine, DAY + 9, DAY + 20, part * 0 + np.float32(0.2), np.full(fine.shape, nat), name="x"
    )
    joined = coarse.join(doubt.to(coarse.region))
    assert joined.burned_fraction[0, 0] == coarse.burned_fraction[0, 0]
    assert joined.burned_fraction[1, 1] == pytest.approx(0.2, abs=1e-4)
    whole = Region("W", fine.bbox, 0.04)
    twice, once = coarse.to(whole).burned_fraction, burned.to(whole).burned_fraction
    np.testing.assert_allclose(twice, once, rtol=1e-5)


@pytest.mark.parametrize(
    ("start", "end", "first", "stop"),
    [
        ("2021-08", "2021-08", "2021-08-01", "2021-09-01"),
        ("2021-08-03", "2021-08-03", "2021-08-03", "2021-08-04"),
        ("2020-12", np.datetime64("2021-01-15"), "2020-12-01", "2021-01-16"),
        (np.datetime64("2020-02"), np.datetime64("2020-02"), "2020-02-01", "2020-03-01"),
    ],
)
def test_period_takes_days_and_months(start, end, first, stop):
    assert parse_period(start, end) == (np.datetime64(first), np.datetime64(stop))


def test_a_period_that_ends_first():
    with pytest.raises(InputError, match="before it starts"):
        parse_period("2021-08", "2021-07")


# Grids of longitude and latitude.


def test_regridding_to_the_same_grid_changes_nothing():
    source = dated([(0, 0, 0, 0.2), (3, 5, 2, 0.9, 4)])
    got = source.to(Region("U", REGION.bbox, 0.01))
    np.testing.assert_allclose(got.fraction, source.fraction, rtol=1e-9)
    assert got.day.tolist() == source.day.tolist()
    assert (got.row.tolist(), got.col.tolist()) == ([0, 3], [0, 5])


def test_half_a_cell_of_shift_splits_a_cell_by_area():
    shifted = Region("U", (10.005, 40, 10.055, 40.04), 0.01)
    got = dated([(1, 2, 0, 0.8)]).to(shifted)
    np.testing.assert_allclose(got.total()[1, 1:3], [0.4, 0.4], rtol=1e-6)
    assert got.burned_area_ha == pytest.approx(0.8 * REGION.cell_area_ha[1], rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    size=st.sampled_from([0.02, 0.005, 0.01 / 3, 0.04]),
    entries=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 40), st.floats(0.001, 0.2)),
        min_size=1,
        max_size=5,
    ),
)
def test_hectares_survive_any_change_of_grid(size, entries):
    source = dated(entries)
    got = source.to(Region("U", (9.96, 39.96, 10.12, 40.08), size))
    assert got.burned_area_ha == pytest.approx(source.burned_area_ha, rel=1e-9)


def test_a_reference_on_a_coarser_grid():
    valid = np.ones(REGION.shape, bool)
    valid[:2, :2] = False
    valid[2, 0] = False
    reference = BurnedArea.from_dated(
        dated([(2, 2, 0, 1.0), (2, 3, 0, 1.0)]), name="x", known=valid, start=DAY, stop=DAY + 10
    )
    coarse = reference.to(Region("U", REGION.bbox, 0.02))
    assert coarse.burned_fraction.shape == (2, 3)
    assert coarse.burned_fraction[1, 1] == pytest.approx(0.5, abs=1e-4)
    assert np.isnan(coarse.burned_fraction[0, 0])
    assert not coarse.known[0, 0]
    assert coarse.known[1, 0]  # three quarters known
    assert reference.to(REGION) is reference


def test_average_of_a_constant_is_that_constant_and_outside_counts_as_nothing():
    grid = LatLonGrid(9.9, 41.0, 0.003, 0.003, (400, 100))
    got = average(grid, np.full(grid.shape, 7.0), Region("U", (10, 40, 10.1, 40.1), 0.01))
    np.testing.assert_allclose(got, 7, rtol=1e-6)
    far = average(grid, np.full(grid.shape, 7.0), Region("U", (30, 40, 30.1, 40.1), 0.01))
    assert not far.any()


def test_average_weighs_rows_by_their_area_between_parallels():
    """One cell from 0 to 60 degrees of two rows of 30: sin 30 = 1/2 of the way to sin 60."""
    grid = LatLonGrid(0, 60, 60, 30, (2, 1))
    got = average(grid, np.array([[1.0], [0.0]]), Region("U", (0, 0, 10, 60), 10))
    # Region cells are 10 degrees high: rows 0-2 lie in the first grid row.
    np.testing.assert_allclose(got[:, 0], [1, 1, 1, 0, 0, 0], atol=1e-12)
    whole = average(
        LatLonGrid(0, 60, 10, 10, (6, 1)), np.arange(6.0)[:, None], Region("U", (0, 50, 10, 60), 10)
    )
    assert whole[0, 0] == pytest.approx(0.0)


def test_average_from_fine_to_coarse_by_hand():
    values = np.array([[1.0, 2.0], [3.0, 4.0]])
    grid = LatLonGrid(0, 1, 0.5, 0.5, (2, 2))
    got = average(grid, values, Region("U", (0, 0, 1, 1), 1))
    area = Region("R", (0, 0, 1, 1), 0.5).cell_area_ha
    assert got[0, 0] == pytest.approx((1.5 * area[0] + 3.5 * area[1]) / area.sum(), rel=1e-12)


def test_across_the_antimeridian_a_global_raster_meets_the_region():
    grid = LatLonGrid(-180, 90, 1, 1, (180, 360))
    values = np.zeros(grid.shape)
    values[90, 0] = 1  # 180 W to 179 W, 0 to 1 S
    values[90, 359] = 2  # 179 E to 180 E
    got = average(grid, values, Region("U", (179, -1, 181, 0), 1))
    np.testing.assert_allclose(got, [[2, 1]], atol=1e-9)
    rows, cols = grid.window_on(Region("U", (10, -1, 12, 0), 1))
    assert (rows.start, rows.stop, cols.start, cols.stop) == (89, 92, 189, 193)


def test_pieces_of_a_cut_sum_to_the_cell():
    grid = LatLonGrid(9.97, 40.03, 0.0137, 0.0091, (3, 5))
    rows, cols = np.array([0, 2, 1]), np.array([4, 2, 3])
    region = Region("U", (9.9, 39.9, 10.1, 40.1), 0.01)
    cuts = cut_cells(grid, rows, cols, region)
    fine = Region("R", (9.97, 40.03 - 3 * 0.0091, 9.97 + 5 * 0.0091, 40.03), 0.0091)
    area = cuts.fraction * region.cell_area_ha[cuts.row]
    np.testing.assert_allclose(np.bincount(cuts.run, area), fine.cell_area_ha[rows] * 137 / 91, rtol=1e-7)


def test_upside_down_rasters_are_refused():
    with pytest.raises(InputError, match="upside down"):
        LatLonGrid.from_transform(Affine(0.1, 0, 0, 0, 0.1, 0), (3, 3))
    with pytest.raises(InputError, match="do not fit"):
        average(LatLonGrid(0, 1, 1, 1, (1, 1)), np.zeros((2, 2)), REGION)
