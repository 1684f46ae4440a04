"""One type for maps and products: its period, grid and dates, and what is kept on the way elsewhere."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot

sys.path.insert(0, str(Path(__file__).parents[1]))

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.dated import DatedFractions
from banet.burned_area.fires import find_events
from banet.burned_area.meaning import burned_from
from banet.burned_area.netcdf import read_map, write_netcdf
from banet.burned_area.quality import Quality
from banet.errors import InputError
from banet.grid.region import Region
from made_maps import map_of, random_map

REGION = Region("T", (10, 40, 10.06, 40.04), 0.01)
START, STOP = np.datetime64("2020-12-15"), np.datetime64("2021-01-15")
NAT = np.datetime64("NaT", "D")


def a_product(entries, *, known=None, water=None, **fields):
    """Make a product of (row, column, day of the period, fraction)."""
    table = np.array(entries, float).reshape(-1, 4)
    days = START + table[:, 2].astype(int)
    dated = DatedFractions.from_pieces(REGION, table[:, 0], table[:, 1], days, table[:, 3])
    return BurnedArea.from_dated(dated, name="P", start=START, stop=STOP, known=known, water=water, **fields)


def test_a_source_must_say_its_period():
    with pytest.raises(TypeError, match="stop"):
        BurnedArea(REGION, START, burned_fraction=np.zeros((4, 6)), burn_date=np.full((4, 6), NAT))


def test_a_shore_that_burned_keeps_its_fraction_in_a_part_of_the_period():
    shore = np.zeros(REGION.shape, bool)
    shore[1, 2] = True
    product = a_product([(1, 2, 20, 0.3125), (0, 0, 20, 1.0)], known=~shore, water=shore)
    january = product.between("2021-01-01", STOP)
    assert january.burned[1, 2] and january.burned_fraction[1, 2] == np.float32(0.3125)
    assert january.confidence[1, 2] == product.confidence[1, 2] == 31
    december = product.between(START, "2021-01-01")
    assert not december.burned[1, 2] and np.isnan(december.burned_fraction[1, 2])
    assert december.confidence[1, 2] == 255


def test_what_is_known_follows_from_the_days_of_observation():
    known = np.ones(REGION.shape, bool)
    known[0] = False
    product = a_product([(0, 0, 3, 0.4), (1, 1, 3, 0.4)], known=known)
    assert product.observed_days[1, 0] == 31 and product.observed_days[0, 0] == 0
    np.testing.assert_array_equal(product.known, known)
    assert np.isnat(product.burn_date[0, 0]) and product.burned[1, 1]
    assert (product.status[0] == -1).all() and product.status[2, 2] == 0


def test_a_partly_burned_cell_over_new_year_counts_by_day():
    product = a_product([(1, 2, 10, 0.25), (1, 2, 20, 0.5)])
    hectares = product.daily_area_ha()
    assert hectares["2020-12-25"] == pytest.approx(0.25 * REGION.cell_area_ha[1])
    assert hectares["2021-01-04"] == pytest.approx(0.5 * REGION.cell_area_ha[1])
    assert str(product.burn_date[1, 2]) == "2021-01-04"
    january = product.between("2021-01-01", "2022-01-01")
    assert (january.start, january.stop) == (np.datetime64("2021-01-01"), STOP)
    assert january.burned_fraction[1, 2] == np.float32(0.5) and january.observed_days.max() == 14
    with pytest.raises(InputError, match="no day from 2022-01-01 to 2022-01-31"):
        product.between("2022-01-01", "2022-02-01")


def test_of_a_cell_no_more_than_the_whole_burns_whatever_its_entries_add_up_to():
    product = a_product([(1, 2, 10, 0.78), (1, 2, 20, 0.26)])
    whole = REGION.cell_area_ha[1]
    assert product.burned_area_ha == pytest.approx(whole)
    assert product.daily_area_ha()["2020-12-25"] == pytest.approx(0.75 * whole)


@pytest.mark.parametrize("size", [0.02, 0.005, 0.03])
def test_hectares_of_a_map_survive_another_grid(size):
    rng = np.random.default_rng(4)
    fraction = rng.uniform(0.5, 1, (12, 18))
    source = map_of(rng.integers(-9, 31, (12, 18)).clip(-1), fraction=fraction, west=-8.0, north=40.0)
    other = source.to(Region("U", source.region.bbox, size))
    assert other.burned_area_ha == pytest.approx(source.burned_area_ha, rel=1e-6)
    assert other.daily_area_ha().to_numpy() == pytest.approx(source.daily_area_ha().to_numpy(), rel=1e-6)


def test_fires_on_another_grid_have_the_hectares_of_the_map():
    # Fractions below the threshold carry no date: on a coarser grid they lie in cells that are dated, too.
    region = Region("T", (10, 40, 10.4, 40.4), 0.01)
    fine = random_map((40, 40), seed=4, region=region)
    coarse = fine.to(Region("T", region.bbox, 0.04))
    fires = find_events(coarse, min_hectares=0)
    assert fires["area_ha"].sum() == pytest.approx(coarse.burned_area_ha)
    assert coarse.burned_area_ha == pytest.approx(coarse.daily_area_ha().sum())
    whole = coarse.between(coarse.start, coarse.stop)
    np.testing.assert_array_equal(whole.burned_fraction, coarse.burned_fraction)


def test_low_fractions_of_a_map_stay_on_another_grid():
    """Two cells of 0.6 and two undated ones of 0.1 make one of 0.35, of which 0.3 is dated."""
    source = map_of([[3, 3], [-1, -1]], fraction=0.6, west=-8.0, north=0.02)
    coarse = source.to(Region("U", source.region.bbox, 0.02))
    assert coarse.burned_fraction[0, 0] == pytest.approx(0.35, abs=1e-6)
    assert coarse.dates().fraction[0] == pytest.approx(0.3, abs=1e-6)
    assert coarse.burned[0, 0]


def test_a_map_on_another_grid_has_a_threshold_that_is_true_of_it(tmp_path):
    source = map_of([[3, 3], [-1, -1]], fraction=0.6, west=-8.0, north=0.02)
    coarse = source.to(Region("U", source.region.bbox, 0.02))
    assert (coarse.threshold, coarse.dated_from) == (0, 0.5)
    assert source.at_threshold(0.5) is source and coarse.at_threshold(0) is coarse
    assert coarse.to(source.region).dated_from == 0.5
    assert not coarse.at_threshold(0.5).burned.any()
    with pytest.raises(InputError, match=r"made with threshold 0.5 and dates no cell below"):
        coarse.at_threshold(0.4)
    assert burned_from(coarse) == "any part, from cells of its first grid that burned by at least 50%"
    back = read_map(write_netcdf(coarse, tmp_path / "c.nc"))
    assert (back.threshold, back.dated_from) == (0, 0.5)
    july = map_of([[3, 3], [-1, -1]], fraction=0.6, west=-8.0, north=0.02, start="2021-07-01")
    for other in (july.to(coarse.region).at_threshold(0.6), replace(july, threshold=0.3).to(coarse.region)):
        with pytest.raises(InputError, match="differ in grid or threshold"):
            coarse.join(other)


def test_months_of_a_product_join_to_the_whole():
    whole = a_product([(1, 2, 10, 0.25), (1, 2, 20, 0.5), (3, 3, 2, 1.0)])
    year = np.datetime64("2021-01-01")
    got = whole.between(year, STOP).join(whole.between(START, year))
    np.testing.assert_array_equal(got.burn_date, whole.burn_date)
    np.testing.assert_allclose(got.burned_fraction, whole.burned_fraction, rtol=1e-6)
    np.testing.assert_array_equal(got.observed_days, whole.observed_days)
    assert (got.start, got.stop) == (START, STOP)


def test_everything_comes_back_from_a_file(tmp_path):
    quality = Quality(np.full((4, 6), START - 3), np.full((4, 6), NAT), np.full((4, 6), 3, np.uint8))
    stated = np.full((4, 6), np.nan, np.float32)
    stated[1, 2] = 62.5
    product = a_product(
        [(1, 2, 10, 0.25), (1, 2, 20, 0.5)], quality=quality, confidence=stated, notes=["one left out"]
    )
    got = read_map(write_netcdf(product, tmp_path / "p.nc"))
    for name in (
        "burned_fraction",
        "burn_date",
        "uncertainty",
        "observed_days",
        "known",
        "stated_confidence",
    ):
        np.testing.assert_array_equal(getattr(got, name), getattr(product, name), err_msg=name)
    for name in ("row", "col", "day", "fraction", "uncertainty"):
        np.testing.assert_array_equal(getattr(got.dated, name), getattr(product.dated, name), err_msg=name)
    for name in ("first_day", "last_day", "qa"):
        np.testing.assert_array_equal(getattr(got.quality, name), getattr(quality, name), err_msg=name)
    assert (got.name, got.threshold, got.notes) == ("P", 0, ("one left out",))


def test_a_glance():
    source = random_map((30, 40))
    assert "\n" not in repr(source) and "30 x 40 cells, 2021-08-01 to 2021-08-31" in repr(source)
    page = source.named("<b>")._repr_html_()
    assert "&lt;b&gt;" in page and "<b>" not in page and "data:image/png;base64," in page
    axes = source.plot()
    assert axes.figure.number in pyplot.get_fignums()  # so a notebook shows it
    pyplot.close(axes.figure)
    assert axes.get_xlim() == (source.region.west, source.region.east)
    assert axes.images[0].get_array().shape == (30, 40, 3)


def test_a_crop_keeps_entries_where_they_lie():
    product = a_product([(1, 2, 10, 0.25), (3, 5, 20, 0.5)])
    part = product.crop(slice(2, 4), slice(4, 6))
    assert (part.dated.row.tolist(), part.dated.col.tolist()) == ([1], [1])
    assert part.burned_area_ha == pytest.approx(0.5 * REGION.cell_area_ha[3])


def test_water_of_one_month_stays_water_where_another_saw_nothing():
    from made_maps import map_of

    shape = (2, 2)
    none, all_ = np.zeros(shape, bool), np.ones(shape, bool)
    blind = map_of(np.full(shape, -1), start="2021-07-01", unseen=all_)
    wet = map_of(np.full(shape, -1), water=all_)
    assert (blind.join(wet).status == -2).all()
    dry = map_of(np.full(shape, -1), water=none)
    assert (blind.join(dry).status == 0).all()


def test_hectares_in_words_say_where_nobody_looked():
    from banet.burned_area import hectares
    from made_maps import map_of

    nobody = np.ones((1, 2), bool)
    for burned, said, known in (
        (map_of([[-1, -1]]), "0 ha burned", 0.0),
        (map_of([[-1, -1]], unseen=nobody), "not observed", None),
        (map_of([[3, -1]], unseen=nobody), "not observed, 95 ha burned", 94.5),
    ):
        assert hectares.in_words(burned) == said
        assert hectares.known_total(burned) == (None if known is None else pytest.approx(known, abs=1))
