"""Interactive page: its numbers come back, its lines lie in place, and a browser shows it in silence."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from banet.burned_area.fires import trace_events
from banet.export.explorer import write_explorer
from banet.export.explorer.outlines import outlines_of
from banet.export.explorer.page import explorer_data
from banet.export.explorer.planes import coded_planes
from banet.grid.region import Region
from made_maps import random_map

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)


def pixels(address: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address)))).astype(int)


def test_numbers_come_back_from_the_pictures():
    burned = random_map((41, 57), seed=3)
    coded = coded_planes(burned)
    dates, values = pixels(coded.dates), pixels(coded.values)
    day = np.where(burned.burned, (burned.burn_date - burned.start).astype(int) + 1, 0)
    assert (dates[..., 0] + 256 * dates[..., 1] == day).all()
    assert (np.array([0, 1, 2, 3])[dates[..., 2]] == np.choose(burned.status + 2, [3, 2, 0, 1])).all()
    assert (values[..., 0] == burned.confidence).all()
    assert (values[..., 1] == burned.uncertainty).all()
    assert (values[..., 2] == np.minimum(burned.observed_days, 255)).all()


def test_a_large_map_shows_the_cell_of_each_block_that_burned_most(monkeypatch):
    burned = random_map((41, 57), seed=3)
    monkeypatch.setattr("banet.export.explorer.planes.MOST_CELLS", burned.burn_date.size // 4 + 1)
    coded = coded_planes(burned)
    rows, cols = burned.region.shape
    assert coded.block == 2
    assert (coded.rows, coded.cols) == (-(-rows // 2), -(-cols // 2))
    status = pixels(coded.dates)[..., 2]
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


def test_a_border_is_where_it_is_known_to_be():
    region = Region("T", (-7.1, 41.0, -6.7, 41.1), 0.01)
    lines = outlines_of(region, around=0)
    assert lines["coast"] == []
    # The Douro is the border of Portugal and Spain at 41.03 north, 6.93 west near Barca d'Alva.
    points = np.concatenate([np.array(line) for line in lines["border"]])
    assert (np.hypot(points[:, 0] + 6.93, points[:, 1] - 41.03) < 0.1).any()


def test_fires_and_their_growth_are_within_the_page(tmp_path):
    burned = random_map((41, 57), seed=3)
    events = trace_events(burned, min_cells=1)
    data = explorer_data(burned, events.table, events.growth)
    assert [fire["properties"]["id"] for fire in data["fires"]] == events.table["id"].tolist()
    total = sum(ha for fire in data["fires"] for _, ha in fire["properties"]["growth"])
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


@pytest.mark.parametrize(("width", "height", "scheme"), [(1400, 900, "light"), (390, 844, "dark")])
def test_a_browser_shows_the_page_moves_its_days_and_opens_a_fire(browser, tmp_path, width, height, scheme):
    burned = random_map((41, 57), seed=3)
    events = trace_events(burned, min_cells=1)
    path = write_explorer(burned, tmp_path / "a.html", fires=events.table, growth=events.growth)
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready]", timeout=20_000)
    painted = """() => {
        const canvas = document.querySelector("#map canvas");
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
        copy.drawImage(canvas, 0, 0);
        const data = copy.getImageData(0, 0, canvas.width, canvas.height).data;
        let count = 0;
        for (let i = 3; i < data.length; i += 4) count += data[i] === 255;
        return count;
    }"""
    last = page.evaluate(painted)
    assert last > 0
    page.focus("#day")
    page.keyboard.press("Home")
    assert page.evaluate(painted) < last
    assert str(burned.start) in page.inner_text("#when")
    page.keyboard.press("End")
    assert page.evaluate(painted) == last
    page.locator("#rows tr").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".leaflet-popup-content", timeout=5_000)
    assert page.locator("#rows tr").first.get_attribute("data-id") in page.inner_text(
        ".leaflet-popup-content"
    )
    with page.expect_download() as download:
        page.click("#downloads button:has-text('CSV')")
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 1 + len(events.table)
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "blob:", "data:"))] == []
    context.close()


def test_a_notebook_shows_the_page_in_a_frame():
    from banet.export.explorer import show

    frame = show(random_map((20, 30)), min_hectares=0)
    shown = frame._repr_html_()
    assert shown.startswith("<iframe") and "&lt;script" in shown and "<script" not in shown
    assert len(repr(frame)) < 60
