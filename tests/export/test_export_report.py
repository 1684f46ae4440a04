"""Reports: one page that needs nothing else, with all that was put in."""

from __future__ import annotations

import base64
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from banet.errors import InputError, NotFoundError, OutputError, UnreadableFileError
from banet.export import Picture, Section, Table, sections_of, write_products, write_report
from made_maps import map_of, random_map

VOID = {"meta", "img", "br", "hr", "link"}


class Page(HTMLParser):
    """Reads a page, and insists that every tag is closed in turn."""

    def __init__(self, path):
        super().__init__()
        self.open, self.tags, self.text, self.images, self.addresses = [], [], [], [], []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if tag == "img":
            self.images.append(attrs)
        self.addresses += [attrs[name] for name in ("src", "href") if name in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data):
        if data.strip() and "style" not in self.open:
            self.text.append(data.strip())


@pytest.fixture
def png(tmp_path):
    # The smallest PNG: one grey pixel.
    data = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
    )
    (tmp_path / "a.png").write_bytes(data)
    return tmp_path / "a.png"


def test_a_page_holds_everything_and_needs_no_network(tmp_path, png):
    table = Table(
        ["method", "Dice", "cells"], [["BA-Net", 0.91234, 123456], ["none", float("nan"), None]], "Scores"
    )
    section = Section(
        "Scores", ["First.", "Second."], [table], [Picture(png, "The map", "A map")], {"Manifest": "{}"}
    )
    path = write_report(tmp_path / "out", "Demo <1>", [section], lead="Two lines", foot="by banet")
    page = Page(path)
    assert path.name == "report.html"
    for text in (
        "Demo <1>",
        "Two lines",
        "First.",
        "Second.",
        "0.912",
        "123\u2009456",
        "–",
        "The map",
        "by banet",
        "{}",
    ):
        assert text in page.text, text
    (image,) = page.images
    assert base64.b64decode(image["src"].removeprefix("data:image/png;base64,")) == png.read_bytes()
    assert image["alt"] == "A map"
    assert all(address.startswith(("data:", "#")) for address in page.addresses)
    assert not [tag for tag, _ in page.tags if tag in ("script", "link", "iframe")]
    assert "@import" not in path.read_text() and "url(" not in path.read_text()
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in page.tags


def test_contents_link_to_every_section(tmp_path):
    page = Page(write_report(tmp_path, "T", [Section(f"Part {i}") for i in range(5)]))
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    places = [attrs["id"] for tag, attrs in page.tags if tag == "section"]
    assert links == [f"#{place}" for place in places] and len(links) == 5


def test_numbers_are_set_flush_right(tmp_path):
    rows = [
        ["2021-08-05", "1\u2009234 ha", "3 days", 0.5, True],
        ["2021-08-06", "12 ha", "1 day", -1.0, False],
    ]
    page = Page(write_report(tmp_path, "T", [Section("S", tables=[Table(list("abcde"), rows)])]))
    heads = [attrs.get("class") for tag, attrs in page.tags if tag == "th"]
    assert heads == [None, "n", "n", "n", None]


def test_long_cells_wrap(tmp_path):
    table = Table(("name", "meaning"), [("short", "words that go on and on, " * 4)])
    page = write_report(tmp_path, "Title", [Section("A", tables=[table])]).read_text()
    assert "<td>short</td>" in page and '<td class="t">words that' in page


def test_a_table_of_a_frame():
    frame = pd.DataFrame({"Dice": [0.9]}, index=pd.Index(["BA-Net"], name="method"))
    table = Table.of(frame, "Scores")
    assert table.columns == ["method", "Dice"] and table.rows == [["BA-Net", 0.9]]
    assert Table.of(frame, index=False).columns == ["Dice"]
    with pytest.raises(InputError, match="a row of 1 does not fit 2 columns"):
        Table(["a", "b"], [[1]])


def test_maps_of_a_folder_become_sections(tmp_path):
    write_products(map_of(np.full((20, 30), 4), name="PT"), tmp_path, "PT_202108")
    write_products(
        random_map((20, 30), name="PT", start="2021-09-01", days=30), tmp_path, "PT_202109", pictures=False
    )
    sections = sections_of(tmp_path)
    assert [section.title for section in sections] == ["Maps", "PT, Aug 2021", "PT, Sep 2021"]
    page = Page(write_report(tmp_path, "Maps of PT", sections))
    assert "2021-08-05" in page.text and "PT_202109_burn_date.tif" in page.text
    assert len(page.images) == 1 and "ha burned" in page.images[0]["alt"]
    assert "banet-manifest/1" in " ".join(page.text)


def test_the_report_says_where_nobody_looked_and_shows_the_notes(tmp_path):
    from dataclasses import replace

    offset = np.full((8, 9), -1)
    unseen = map_of(offset, unseen=np.ones(offset.shape, bool))
    noted = replace(map_of(offset, name="U"), attrs={"notes": ["14 of 31 days are missing"]})
    for one in (unseen, noted):
        write_products(one, tmp_path, one.region.name, pictures=False)
    overview, first, second = sections_of(tmp_path)
    assert overview.tables[0].rows[0][2:5] == [
        "not observed",
        pytest.approx(np.nan, nan_ok=True),
        "not known",
    ]
    assert overview.tables[0].rows[1][2:5] == ["0 ha", 0, "none"]
    assert first.text == () and second.text == ("14 of 31 days are missing",)


def test_a_map_of_water_and_without_fire_is_reported(tmp_path):
    write_products(map_of(np.full((4, 4), -1), water=np.ones((4, 4), bool)), tmp_path, "T", pictures=False)
    page = Page(write_report(tmp_path, "T", sections_of(tmp_path)))
    assert "none" in page.text and "0.0% of land" in page.text


def test_bad_input_is_refused_in_one_line(tmp_path, png):
    with pytest.raises(NotFoundError, match="holds no map with its manifest"):
        sections_of(tmp_path)
    with pytest.raises(NotFoundError, match="the picture"):
        write_report(tmp_path, "T", [Section("S", pictures=[Picture(tmp_path / "no.png")])])
    (tmp_path / "a.tif").write_bytes(b"")
    with pytest.raises(InputError, match=r"a page shows \.png"):
        write_report(tmp_path, "T", [Section("S", pictures=[Picture(tmp_path / "a.tif")])])
    with pytest.raises(OutputError, match="cannot write to the folder"):
        write_report(png, "T", [])
    paths = write_products(random_map((4, 4)), tmp_path, "T", pictures=False)
    paths["burn_date"].unlink()
    with pytest.raises(UnreadableFileError, match="missing or changed"):
        sections_of(tmp_path)
