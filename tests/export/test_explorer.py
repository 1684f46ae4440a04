"""Interactive page: its numbers come back, its lines lie in place, and a browser shows it in silence."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import shutil
import sqlite3
import zlib
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely

from banet.burned_area.fires import trace_events
from banet.burned_area.unknown import UnknownDays
from banet.errors import InputError
from banet.export.explorer import write_explorer
from banet.export.explorer.coded_planes import coded_planes
from banet.export.explorer.outlines import outlines_of
from banet.export.explorer.page import explorer_data
from banet.export.explorer.pages import write_pages
from banet.grid.region import Region
from made_maps import map_of, random_map

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)


def plane(data, name, kind=np.uint8):
    return np.frombuffer(zlib.decompress(base64.b64decode(data.planes[name])), kind).reshape(
        data.rows, data.cols
    )


def test_numbers_come_back_from_the_planes():
    burned = random_map((41, 57), seed=3)
    coded = coded_planes(burned)
    day = np.where(burned.burned, (burned.burn_date - burned.start).astype(int) + 1, 0)
    assert (plane(coded, "day", "<u2") == day).all()
    assert (plane(coded, "status", np.int8) == burned.status).all()
    assert (plane(coded, "confidence") == burned.confidence).all()
    assert (plane(coded, "uncertainty") == burned.uncertainty).all()
    assert (plane(coded, "observed", "<u2") == burned.observed_days).all()


def test_days_seen_in_a_year_are_all_told():
    year = map_of(np.full((4, 5), -1), start="2021-01-01", days=730)
    assert (plane(coded_planes(year), "observed", "<u2") == 365).all()


def test_days_of_no_map_are_told_and_are_not_zero_hectares():
    june, august = (map_of([[3, -1]], start=f"2021-{month}-01", days=30) for month in ("06", "08"))
    joined = june.join(august)
    daily = explorer_data(joined)["daily_ha"]
    assert daily[3] > 0 and daily[4] == 0
    assert daily[30:61] == [None] * 31 and daily[61] == 0
    assert any("no map of 2021-07-01 to 2021-07-31" in note for note in joined.notes)
    halves = [np.array([[True, False]]), np.array([[False, True]])]
    gaps = [UnknownDays(june.start + k, june.start + 4 + k, cells) for k, cells in enumerate(halves)]
    daily = explorer_data(replace(june, unknown_days=tuple(gaps)))["daily_ha"]
    assert [ha is None for ha in daily[:6]] == [False, True, True, True, False, False]


def test_a_large_map_shows_the_cell_of_each_block_that_burned_most(monkeypatch):
    burned = random_map((41, 57), seed=3)
    monkeypatch.setattr("banet.export.explorer.coded_planes.MOST_CELLS", burned.burn_date.size // 4 + 1)
    coded = coded_planes(burned)
    rows, cols = burned.region.shape
    assert coded.block == 2
    assert (coded.rows, coded.cols) == (-(-rows // 2), -(-cols // 2))
    status = plane(coded, "status", np.int8)
    padded = np.pad(burned.burned, ((0, -rows % 2), (0, -cols % 2)))
    blocks = padded.reshape(coded.rows, 2, coded.cols, 2).any(axis=(1, 3))
    assert ((status == 1) == blocks).all()


def test_lines_of_a_region_lie_within_it_and_past_180_degrees():
    fiji = Region("FJ", (177.0, -19.0, 182.0, -16.0), 0.01)
    coast = np.concatenate([np.array(line) for line in outlines_of(fiji, around=0)["coast"]])
    assert (coast.min(axis=0) >= [177, -19]).all()
    assert (coast.max(axis=0) <= [182, -16]).all()
    # Taveuni lies across the meridian of 180 degrees at 16.8 south (Natural Earth).
    assert ((np.abs(coast[:, 0] - 180) < 0.3) & (np.abs(coast[:, 1] + 16.8) < 0.3)).any()


@pytest.mark.parametrize(
    "box", [(34.0, -17.2, 35.0, -16.0), (120.0, -17.2, 150.0, -16.0), (-140.0, 64.0, -100.0, 72.0)]
)
def test_no_line_runs_across_the_world(box):
    lines = outlines_of(Region("T", box, 0.01))
    for line in (*lines["coast"], *lines["border"]):
        assert np.abs(np.diff(np.array(line), axis=0)).max() < 3
    if box[0] == 34.0:  # in the middle of Malawi and Mozambique
        assert lines["coast"] == []


def test_a_border_is_where_it_is_known_to_be():
    region = Region("T", (-7.1, 41.0, -6.7, 41.1), 0.01)
    lines = outlines_of(region, around=0)
    assert lines["coast"] == []
    # The Douro is the border of Portugal and Spain at 41.03 north, 6.93 west near Barca d'Alva.
    points = np.concatenate([np.array(line) for line in lines["border"]])
    assert (np.hypot(points[:, 0] + 6.93, points[:, 1] - 41.03) < 0.1).any()


def parts_of(shape):
    return shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]


def test_a_cell_that_burned_in_two_maps_counts_in_both(tmp_path):
    first, second = np.full((12, 12), -1), np.full((12, 12), -1)
    first[2:6, 2:6], second[4:9, 4:9] = 3, 20
    maps = [map_of(first, start="2021-08-01"), map_of(second, start="2021-09-01", days=30)]
    (page,) = write_pages(maps, tmp_path, min_hectares=0)
    inside = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', page.read_text(), re.DOTALL
    )
    data = json.loads(inside[1])
    grown = sum(ha for fire in data["fires"] for _, ha, _ in fire["growth"])
    assert sum(data["daily_ha"]) == pytest.approx(grown, abs=0.01)
    assert [day for day, ha in zip(data["days"], data["daily_ha"]) if ha] == ["2021-08-04", "2021-09-21"]


def test_two_grids_of_one_name_are_refused(tmp_path):
    maps = [map_of([[1]]), map_of([[1]], start="2021-09-01", west=10.0)]
    with pytest.raises(InputError, match=r"named T \(.*-8.* and .*10.*\); keep each in a folder of its own"):
        write_pages(maps, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_fires_and_their_growth_are_within_the_page(tmp_path):
    burned = random_map((41, 57), seed=3)
    events = trace_events(burned, min_cells=1)
    data = explorer_data(burned, events.table, events.growth)
    assert [fire["properties"]["id"] for fire in data["fires"]] == events.table["id"].tolist()
    for fire, seed in zip(data["fires"], zip(events.table["seed_lon"], events.table["seed_lat"])):
        assert (fire["properties"]["seed_lon"], fire["properties"]["seed_lat"]) == pytest.approx(
            seed, abs=1e-6
        )
        assert all(shapely.LinearRing(part[0]).is_ccw for part in parts_of(fire["geometry"]))
    total = sum(ha for fire in data["fires"] for _, ha, _ in fire["growth"])
    assert total == pytest.approx(burned.burned_area_ha, abs=0.1 * len(events.growth))
    path = write_explorer(
        burned, tmp_path / "a.html", fires=events.table, notes=("a <b> & </script>",), title="x</title>"
    )
    text = path.read_text()
    assert "a &lt;b&gt; &amp; &lt;/script&gt;" in text
    assert "<title>x&lt;/title&gt;</title>" in text
    inside = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert inside is not None
    assert json.loads(inside[1])["days"] == [str(day) for day in burned.days]


def test_small_days_add_up_to_the_hectares_of_the_map():
    offset = np.full((12, 31), -1)
    offset[5] = np.arange(31)
    burned = map_of(offset, fraction=0.5123, size=0.001)
    daily = explorer_data(burned)["daily_ha"]
    assert 0 < max(daily) < 1 and sum(daily) == pytest.approx(burned.burned_area_ha, abs=0.02)


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no chromium to show the page")
    options = [
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-sync",
    ]
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield chromium
        chromium.close()


PAINTED = """() => {
    let count = 0;
    for (const canvas of document.querySelectorAll("#map canvas.pixels")) {
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
        copy.drawImage(canvas, 0, 0);
        const data = copy.getImageData(0, 0, canvas.width, canvas.height).data;
        for (let i = 3; i < data.length; i += 4) count += data[i] === 255;
    }
    return count;
}"""


@contextlib.contextmanager
def opened(browser, path, **look):
    """Give the page after it has painted; at the end it must have said and asked for nothing."""
    context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **look})
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready]", timeout=60_000)
    try:
        yield page
    finally:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "blob:", "data:"))] == []


@pytest.mark.parametrize(("width", "height", "scheme"), [(1400, 900, "light"), (390, 844, "dark")])
def test_a_browser_shows_the_page_moves_its_days_and_opens_a_fire(browser, tmp_path, width, height, scheme):
    burned = random_map((41, 57), seed=3)
    events = trace_events(burned, min_cells=1)
    path = write_explorer(burned, tmp_path / "a.html", fires=events.table, growth=events.growth)
    look = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
    with opened(browser, path, **look) as page:
        last = page.evaluate(PAINTED)
        assert last > 0
        page.focus("#day")
        page.keyboard.press("Home")
        assert page.evaluate(PAINTED) < last
        assert str(burned.start) in page.inner_text("#when")
        page.keyboard.press("End")
        assert page.evaluate(PAINTED) == last
        page.locator("#rows tr").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_selector(".leaflet-popup-content", timeout=30_000)
        name = page.locator("#rows tr").first.get_attribute("data-id")
        assert name in page.inner_text(".leaflet-popup-content") and name in page.text_content("#told")
        # The page stays on the map, on a phone too, where list and map do not fit the screen together.
        assert -1 <= page.evaluate("document.querySelector('#map').getBoundingClientRect().top") < height / 2
        page.click("[aria-label='Whole region']")
        page.wait_for_selector(".leaflet-popup", state="detached", timeout=30_000)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_fire_that_is_chosen_while_the_map_still_moves_is_zoomed_to(browser, tmp_path):
    burned = random_map((41, 57), seed=3, size=0.1)
    events = trace_events(burned, min_cells=1)
    path = write_explorer(burned, tmp_path / "a.html", fires=events.table, growth=events.growth)
    scale = "document.querySelector('.leaflet-control-scale').innerText"
    with opened(browser, path) as page:
        whole = page.evaluate(scale)
        page.locator("#rows tr").last.click()
        page.wait_for_selector(".leaflet-popup-content", timeout=30_000)
        near = page.evaluate(scale)
        assert near != whole
        # In one go: back to the whole region, which takes a quarter of a second, and to the fire again.
        page.evaluate("""() => {
            document.querySelector("[aria-label='Whole region']").click();
            document.querySelector("#rows tr:last-child").click();
        }""")
        for shown in (whole, near):
            page.wait_for_function(f"{scale} === '{shown}'", timeout=30_000)


def test_a_region_on_both_sides_of_180_degrees_looks_like_any_other(browser, tmp_path):
    offset = np.full((60, 100), 3)
    offset[:20], offset[25:35, 45:55] = -1, 8
    shown = []
    for west in (10.5, 179.5):
        burned = map_of(offset, west=west, fraction=0.9)
        events = trace_events(burned, min_cells=1)
        path = write_explorer(burned, tmp_path / "a.html", fires=events.table, growth=events.growth)
        with opened(browser, path) as page:
            painted = page.evaluate(PAINTED)
            page.locator("#rows tr").last.click()
            page.wait_for_selector(".leaflet-popup-content", timeout=30_000)
            scale = page.inner_text(".leaflet-control-scale")
            shown.append((painted, scale, page.locator("#map .leaflet-popup").count()))
            page.hover("#map", position={"x": 600, "y": 300})
            place = page.inner_text("#cell")
    assert abs(shown[0][0] / shown[1][0] - 1) < 0.01 and shown[0][1:] == shown[1][1:]
    assert ", -179." in place


def test_a_page_on_what_nobody_saw_shows_no_hectares(browser, tmp_path):
    offset = np.full((8, 9), -1)
    burned = map_of(offset, unseen=np.ones(offset.shape, bool))
    with opened(browser, write_explorer(burned, tmp_path / "a.html")) as page:
        assert page.inner_text("#summary") == "Not observed from 2021-08-01 to 2021-08-31"
        assert page.inner_text("#when") == "2021-08-31: not observed"
        assert page.inner_text("#fires-title") == "Fires: not known"
        assert not re.search(r"\d ha\b", page.inner_text("body"))


def test_a_long_name_of_a_region_fits_a_phone(browser, tmp_path):
    offset = np.full((20, 30), -1)
    offset[5:9, 5:9] = 3
    burned = map_of(offset, name="A_province_of_a_republic_with_a_name_of_very_many_words")
    events = trace_events(burned, min_cells=1)
    path = write_explorer(burned, tmp_path / "a.html", fires=events.table, growth=events.growth)
    with opened(browser, path, viewport={"width": 375, "height": 740}) as page:
        page.locator("#rows tr").first.click()
        page.wait_for_selector(".leaflet-popup-content", timeout=30_000)
        assert page.evaluate("document.documentElement.scrollWidth") == 375


def test_the_chart_moves_the_map_and_the_list_sorts(browser, tmp_path):
    burned = random_map((41, 57), seed=3)
    events = trace_events(burned, min_cells=1)
    seen = {str(day): 0.5 for day in burned.days[1:]}
    path = write_explorer(burned, tmp_path / "a.html", fires=events.table, growth=events.growth, seen=seen)
    with opened(browser, path) as page:
        page.locator("#chart .hit[data-day='4']").click()
        assert page.input_value("#day") == "4" and str(burned.days[4]) in page.inner_text("#when")
        assert "50 % of the land seen" in page.inner_text("#when")
        page.locator("#chart .hit[data-day='0']").click()
        assert "not seen" in page.inner_text("#when")
        page.click("th button[data-sort='start']")
        first = page.locator("#rows tr td:first-child").all_inner_texts()
        assert first == sorted(first) and len(first) == len(events.table)
        page.locator("#rows tr").last.click()
        name = page.locator("#rows tr").last.get_attribute("data-id")
        grew = events.growth[events.growth["id"] == name]
        assert page.locator("#chart .own:not([height='0'])").count() == len(grew)


def test_a_cell_that_burned_alone_in_a_large_region_shows_at_every_zoom(browser, tmp_path):
    offset = np.full((900, 1300), -1)
    offset[333, 777] = 5
    path = write_explorer(map_of(offset, fraction=0.9), tmp_path / "a.html")
    with opened(browser, path) as page:
        colour = json.loads(page.inner_text("#data"))["colours"]["dates"][5]
        red = int(colour[1:3], 16)
        some = PAINTED.replace("data[i] === 255", f"data[i] === 255 && data[i - 3] === {red}")
        page.keyboard.press("Tab")
        for _ in range(3):
            assert page.evaluate(some) > 0
            page.click(".leaflet-control-zoom-out")
            page.wait_for_timeout(400)


def download(page, label):
    with page.expect_download() as found:
        page.click(f"#downloads button:text-is('{label}')")
    name = found.value.suggested_filename
    return found.value.path().rename(found.value.path().with_name(name))


def test_fires_are_downloaded_all_or_one_as_the_commands_write_them(browser, tmp_path):
    offset = np.full((140, 160), -1)
    offset[::7, ::9] = np.arange(360).reshape(20, 18) % 31
    chequered = np.add.outer(np.arange(40), np.arange(40)) % 2
    offset[50:90, 60:100] = np.where(chequered, np.arange(40) % 4, -1)
    burned = map_of(offset, fraction=0.7)
    events = trace_events(burned, min_cells=1)
    table, columns = events.table, [name for name in events.table.columns if name != "geometry"]
    assert max(len(shape.wkb) for shape in table.geometry) > 8192  # more than a page of SQLite
    path = write_explorer(burned, tmp_path / "a.html", fires=table, growth=events.growth)
    with opened(browser, path) as page:
        for one in (False, True):
            wanted = table.loc[[table["area_ha"].idxmax()]] if one else table
            if one:
                page.locator("#rows tr").first.click()
                page.check("#only")
            stem = wanted["id"].item() if one else "T"
            file = download(page, "GeoPackage")
            assert file.name == f"{stem}_fires.gpkg"
            with contextlib.closing(sqlite3.connect(file)) as database:
                assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                assert database.execute("SELECT count(*) FROM layer_styles").fetchone() == (1,)
            found = gpd.read_file(file, layer="fires")
            assert list(found.columns) == [*columns, "geometry"] and found.crs.to_epsg() == 4326
            found = found.set_index("id").loc[wanted["id"]]
            assert found["start"].to_numpy("M8[D]").tolist() == wanted["start"].to_numpy("M8[D]").tolist()
            np.testing.assert_allclose(found["area_ha"], wanted["area_ha"], atol=0.005)
            assert found["cells"].tolist() == wanted["cells"].tolist()
            apart = shapely.symmetric_difference(found.geometry.to_numpy(), wanted.geometry.to_numpy())
            assert shapely.area(apart).max() < 1e-9
            grown = gpd.read_file(file, layer="growth")
            assert len(grown) == events.growth["id"].isin(wanted["id"]).sum()
            assert grown.groupby("id")["cells"].sum().loc[wanted["id"]].tolist() == wanted["cells"].tolist()
            read = gpd.read_file(download(page, "GeoJSON"))
            assert sorted(read["id"]) == sorted(wanted["id"]) and len(read.columns) == len(columns) + 1
            for label, count in (("CSV", len(wanted)), ("Growth, CSV", len(grown))):
                assert len(download(page, label).read_text().splitlines()) == 1 + count


def test_a_month_of_a_large_region_stays_small(tmp_path):
    burned = random_map((400, 800), seed=1)
    noise = np.random.default_rng(0).integers(0, 32, burned.region.shape).astype(np.int16)
    burned = replace(burned, observed_days=np.where(burned.observed_days > 0, np.maximum(noise, 1), 0))
    events = trace_events(burned, min_hectares=100)
    assert len(events.table) > 300
    path = write_explorer(burned, tmp_path / "a.html", fires=events.table, growth=events.growth)
    assert path.stat().st_size < 6e6


def test_a_notebook_shows_the_page_in_a_frame():
    from banet.export.explorer import explore

    frame = explore(random_map((20, 30)), min_hectares=0)
    shown = frame._repr_html_()
    assert shown.startswith("<iframe") and "&lt;script" in shown and "<script" not in shown
    assert len(repr(frame)) < 60
