"""Pictures: what is drawn where, and that words neither overlap nor leave the page."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from banet.burned_area.burned_area import BurnedArea
from banet.burned_area.colours import (
    NOT_OBSERVED,
    UNBURNED,
    WATER,
    confidence_table,
    date_colours,
    uncertainty_table,
)
from banet.cube.window import CubeWindow
from banet.errors import InputError, OutputError
from banet.export.calendar import date_ticks, period_in_words
from banet.export.comparison import agreement_classes, comparison_figure, comparison_picture
from banet.export.drawing import STRIPE, date_image, latitude_aspect, sized
from banet.export.filmstrip import false_colour, filmstrip, filmstrip_figure, telling_days
from banet.export.picture import map_figure, map_picture
from banet.grid.region import Region
from made_maps import map_of, random_map, region_of

DAYS = np.arange("2021-08-01", "2021-09-01", dtype="datetime64[D]")


def words(figure):
    """Return each visible text of a figure with its box in pixels."""
    from matplotlib.text import Text

    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    boxes = [(t.get_text(), t.get_window_extent(renderer)) for t in texts]
    return [(text, box) for text, box in boxes if box.width > 0]


def assert_legible(figure):
    """No two texts overlap, and none leaves the page."""
    page = figure.bbox
    found = words(figure)
    assert len(found) > 5
    for text, box in found:
        inside = box.x0 >= page.x0 and box.x1 <= page.x1 and box.y0 >= page.y0 and box.y1 <= page.y1
        assert inside, f"{text!r} leaves the page: {box} of {page}"
    for (one, a), (other, b) in itertools.combinations(found, 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        high = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert wide <= 0.5 or high <= 0.5, f"{one!r} overlaps {other!r}"


# Shape, west, north, cell size, first day, number of days.
PLACES = {
    "tiny": ((32, 32), 21.8, 38.32, 0.01, "2021-08-03", 12),
    "one cell": ((1, 1), 0.0, 1.0, 0.01, "2021-08-03", 1),
    "tall": ((80, 40), -10, 44, 0.1, "2017-06-01", 153),
    "very tall": ((120, 6), -10, 44, 0.1, "2017-06-01", 31),
    "wide": ((17, 41), 113, -10, 1.0, "2019-12-01", 62),
    "very wide": ((4, 150), 20, -10, 0.1, "2019-12-01", 400),
    "north": ((160, 400), -169, 72, 0.1, "2019-06-01", 92),
    "date line": ((40, 80), 176, 68, 0.1, "2020-12-20", 21),
    "years": ((50, 50), -60, -10, 0.1, "2015-01-01", 2000),
}


def place(name):
    shape, west, north, size, start, days = PLACES[name]
    return random_map(shape, name="R", west=west, north=north, size=size, start=start, days=days)


@pytest.mark.parametrize("name", PLACES)
def test_no_words_overlap_in_the_picture_of_a_map(name):
    assert_legible(map_figure(place(name)))


def test_a_map_without_burned_cells_says_so():
    figure = map_figure(map_of(np.full((40, 60), -1)))
    texts = [text for text, _ in words(figure)]
    assert "no cell burned in this period" in texts
    assert any("nothing burned" in text for text in texts)
    assert_legible(figure)


def test_a_map_that_nobody_saw_does_not_say_that_nothing_burned():
    offset = np.full((40, 60), -1)
    texts = [text for text, _ in words(map_figure(map_of(offset, unseen=np.ones(offset.shape, bool))))]
    assert sum("not observed" in text for text in texts) == 3  # headline, curve and legend
    assert not any("burned in" in text or "nothing" in text for text in texts)


def test_a_map_of_water_alone_and_of_nothing_observed_can_be_drawn():
    everywhere = np.ones((20, 20), bool)
    assert_legible(map_figure(map_of(np.full((20, 20), -1), water=everywhere)))
    assert_legible(map_figure(map_of(np.full((20, 20), -1), unseen=everywhere)))


def test_the_picture_states_the_hectares_of_the_map(tmp_path):
    burnmap = map_of(np.where(np.arange(400).reshape(20, 20) < 90, 4, -1))
    text = " ".join(text for text, _ in words(map_figure(burnmap))).replace("\u2009", "")
    assert f"{burnmap.burned_area_ha:.0f} ha burned" in text
    assert "5 Aug" in text


def test_the_curve_has_a_bar_a_day_as_high_as_the_hectares():
    burnmap = place("tiny")
    figure = map_figure(burnmap)
    curve = next(axes for axes in figure.axes if axes.get_title(loc="left"))
    heights = [bar.get_height() for bar in curve.patches]
    np.testing.assert_allclose(heights, burnmap.daily_area_ha().to_numpy())


def test_the_picture_is_a_png_and_equal_maps_give_equal_bytes(tmp_path):
    burnmap = place("tiny")
    one, two = map_picture(burnmap, tmp_path / "a.png"), map_picture(burnmap, tmp_path / "b.png")
    assert one.read_bytes() == two.read_bytes()
    with Image.open(one) as image:
        assert image.format == "PNG" and min(image.size) > 800


def test_drawing_leaves_pyplot_alone(tmp_path):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from made_maps import random_map;"
        "from banet.export import map_picture; map_picture(random_map((9, 9)), sys.argv[2]);"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parents[1]), str(tmp_path / "a.png")], check=True
    )


def test_a_picture_cannot_be_written_below_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        map_picture(place("tiny"), tmp_path / "file" / "a.png")


def test_an_image_shows_every_state_in_its_colour():
    water, unseen = np.array([[True, False, False, False]]), np.array([[False, True, False, False]])
    date = np.array([["NaT", "NaT", "NaT", "2021-08-31"]], "datetime64[D]")
    image = date_image(date, DAYS, water, unseen)
    cells = image.reshape(image.shape[0], 4, -1, 3)
    assert (cells[:, 0] == WATER).all()
    grey = cells[:, 1].reshape(-1, 3)
    assert ((grey == NOT_OBSERVED).all(1) | (grey == STRIPE).all(1)).all()
    assert (grey == STRIPE).all(1).any() and (grey == NOT_OBSERVED).all(1).any()
    assert (cells[:, 2] == UNBURNED).all()
    assert (cells[:, 3] == date_colours(DAYS)[-1]).all()


def test_a_thinned_image_keeps_a_single_burned_cell():
    date = np.full((30, 4000), np.datetime64("NaT"), "datetime64[D]")
    date[17, 2001] = DAYS[9]
    image = date_image(date, DAYS)
    assert max(image.shape) <= 1500
    assert (image == date_colours(DAYS)[9]).all(-1).sum() == 1


def test_a_thinned_image_covers_sizes_that_do_not_divide():
    date = np.full((1703, 4099), DAYS[0])
    image = date_image(date, DAYS)
    assert image.shape[:2] == (-(-1703 // 3), -(-4099 // 3))
    assert (image == date_colours(DAYS)[0]).all()


def test_colours_of_dates_grow_lighter_every_day_and_differ_from_the_ground():
    # Rec. 709 luminance of linear light.
    linear = np.where(
        date_colours(DAYS) / 255 > 0.04045, ((date_colours(DAYS) / 255 + 0.055) / 1.055) ** 2.4, 0
    )
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > 0).all()
    ground = np.array([UNBURNED, WATER, NOT_OBSERVED], float)
    distance = np.linalg.norm(date_colours(DAYS)[:, None] - ground, axis=-1)
    assert distance.min() > 80


@pytest.mark.parametrize("table", [confidence_table(), uncertainty_table()])
def test_colour_tables_hold_every_byte_and_hide_no_data(table):
    assert sorted(table) == list(range(256))
    assert table[255][3] == 0
    assert all(entry[3] == 255 for value, entry in table.items() if value != 255)


def test_maps_keep_their_shape_on_the_ground():
    region = Region("AK", (-169, 56, -129, 72), 0.01)
    assert latitude_aspect(region) == pytest.approx(1 / np.cos(np.radians(64)))
    width, height = sized(region, 6.8, 6.4)
    assert width / height == pytest.approx(40 * np.cos(np.radians(64)) / 16)
    assert width <= 6.8 and height <= 6.4


@pytest.mark.parametrize(
    ("start", "stop", "text"),
    [
        ("2021-08-01", "2021-09-01", "Aug 2021"),
        ("2021-08-01", "2021-11-01", "Aug to Oct 2021"),
        ("2021-08-05", "2021-08-06", "5 Aug 2021"),
        ("2021-08-30", "2021-09-03", "30 Aug to 2 Sep 2021"),
        ("2020-12-20", "2021-01-10", "20 Dec 2020 to 9 Jan 2021"),
    ],
)
def test_periods_in_words(start, stop, text):
    assert period_in_words(np.datetime64(start), np.datetime64(stop)) == text


@pytest.mark.parametrize("count", [1, 2, 8, 31, 64, 92, 366, 900, 4000])
@pytest.mark.parametrize("most", [2, 5, 12])
def test_ticks_are_few_and_name_their_days(count, most):
    days = np.datetime64("2019-12-05") + np.arange(count)
    places, texts = date_ticks(days, most)
    assert 1 <= len(places) <= most and len(texts) == len(places) == len(set(places))
    assert min(places) >= 0 and max(places) < count
    if count <= 64:
        assert all(text.split()[0] == str(int(str(days[i])[-2:])) for i, text in zip(places, texts))


# --- side by side


def panels(shape=(40, 60), **where):
    names = ("truth", "BA-Net", "active fires")
    return [random_map(shape, seed=seed, **where).named(name) for seed, name in enumerate(names, 1)]


@pytest.mark.parametrize(("shape", "count"), [((40, 60), 3), ((90, 30), 3), ((90, 9), 3), ((20, 90), 2)])
def test_no_words_overlap_side_by_side(shape, count):
    figure = comparison_figure(
        panels(shape)[:count], start=DAYS[0], stop=DAYS[-1] + 1, title="Truth and maps"
    )
    assert len(figure.axes) == count + 2
    assert_legible(figure)


def knows(source):
    return source.known | source.water


def test_the_four_classes_part_what_both_know():
    truth, mapped, _ = panels()
    classes = agreement_classes(truth, mapped)
    total = sum(mask.astype(int) for mask in classes.values())
    np.testing.assert_array_equal(total, (knows(truth) & knows(mapped)).astype(int))
    np.testing.assert_array_equal(
        classes["hit"] | classes["miss"], truth.burned & knows(truth) & knows(mapped)
    )


def test_a_map_agrees_with_itself():
    truth = panels()[0]
    classes = agreement_classes(truth, truth)
    assert not classes["miss"].any() and not classes["false alarm"].any() and classes["hit"].any()


def test_what_a_reference_does_not_know_or_burned_little_is_no_hit():
    start, stop = DAYS[0], DAYS[-1] + 1
    fraction = np.array([[0.9, np.nan, 0.2]], np.float32)
    date = np.array([["2021-08-03", "NaT", "2021-08-04"]], "datetime64[D]")
    reference = BurnedArea(region_of((1, 3)), start, stop, fraction, date, threshold=0, name="reference")
    classes = agreement_classes(reference, BurnedArea.from_dates(reference.region, start, stop, date))
    assert {name: mask.tolist() for name, mask in classes.items()} == {
        "hit": [[True, False, False]],
        "miss": [[False, False, False]],
        "false alarm": [[False, False, True]],
        "correct": [[False, False, False]],
    }


def test_comparison_is_written_and_bad_input_is_refused(tmp_path):
    path = comparison_picture(panels(), tmp_path / "c.png", start=DAYS[0], stop=DAYS[-1] + 1, title="T")
    with Image.open(path) as image:
        assert image.format == "PNG"
    with pytest.raises(InputError, match="cannot compare BA-Net"):
        agreement_classes(panels((5, 5))[0], panels((6, 5))[1])
    with pytest.raises(InputError, match="needs a reference and a map"):
        comparison_picture(panels()[:1], tmp_path / "d.png", start=DAYS[0], stop=DAYS[-1], title="T")


# --- filmstrip


def window(shape=(40, 60), days=10):
    rng = np.random.default_rng(3)
    planes = {name: rng.uniform(0, 0.4, (days, *shape)).astype(np.float32) for name in ("red", "nir", "mir")}
    for plane in planes.values():
        plane[:, :5] = np.nan
        plane[3] = np.nan
    frp = np.where(rng.random((days, *shape)) > 0.99, 30, 0).astype(np.float32)
    zeros = np.zeros((days, *shape), np.float32)
    return CubeWindow(
        region=region_of(shape),
        days=DAYS[:days],
        frp=frp,
        view_zenith=zeros,
        count=zeros.astype(np.uint8),
        **planes,
    )


def test_no_words_overlap_in_a_filmstrip():
    for shape in ((40, 60), (90, 30)):
        burned = np.full(shape, DAYS[4])
        burned[:20] = np.datetime64("NaT")
        assert_legible(filmstrip_figure(window(shape), burn_date=burned))


def test_false_colour_greys_what_was_not_observed_and_shares_one_stretch():
    view = window()
    image = false_colour(view, [0, 3])
    assert (image[0, :5] == NOT_OBSERVED).all() and (image[1] == NOT_OBSERVED).all()
    assert image[0, 5:].std() > 20


def test_a_filmstrip_avoids_days_without_images(tmp_path):
    chosen = telling_days(window())
    assert len(chosen) == 8 and (np.diff(chosen) > np.timedelta64(0)).all()
    assert DAYS[3] not in chosen
    with Image.open(filmstrip(window(), tmp_path / "f.png", days=["2021-08-01"])) as image:
        assert image.format == "PNG"
    with pytest.raises(InputError, match="2021-09-09 is not among the days"):
        filmstrip(window(), tmp_path / "g.png", days=["2021-09-09"])
