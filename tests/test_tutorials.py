"""The tutorials: their pages say what their notebooks hold, and the notebooks run."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "tutorials"
NOTEBOOKS = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
SHORT = "my_own_sensor"
LARGEST = 300_000


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("tutorials", ROOT / "tools" / "tutorials.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_page_holds_its_notebook(tool, name):
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    place = 0
    for cell in notebook.cells:
        wanted = tool.code(cell.source) if cell.cell_type == "code" else cell.source
        found = text.find(wanted, place)
        assert found >= 0, (
            f"{name}.md is not of this notebook; run: python tools/tutorials.py {name}\n{wanted}"
        )
        place = found + len(wanted)
        assert not cell.get("outputs"), f"{name}.ipynb holds outputs; they belong into its page"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_page_is_small_and_shows_no_failure(name):
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    pictures = [FOLDER / one for one in re.findall(r"\]\((pictures/\w+\.png)\)", text)]
    assert all(picture.is_file() for picture in pictures)
    assert len(text.encode()) + sum(picture.stat().st_size for picture in pictures) < LARGEST
    assert "Traceback" not in text and "\nerror:" not in text and "Warning:" not in text
    assert not re.search(r"(?:/tmp|/root|/home|/work)/", text)


def run(tool, name, folder):
    notebook = tool.run(FOLDER / f"{name}.ipynb", folder)
    page = tool.page(notebook, name, folder / "pictures")
    committed = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    # What was printed may differ in figures from machine to machine, not in what there is.
    for mark in ("```{.text .output}", '<div class="output">', "![Picture"):
        assert page.count(mark) == committed.count(mark), mark
    assert "\nerror:" not in page


def test_the_short_notebook_runs(tool, tmp_path):
    run(tool, SHORT, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [one for one in NOTEBOOKS if one not in (SHORT, "greece_2021")])
def test_a_notebook_runs(tool, name, tmp_path):
    run(tool, name, tmp_path)


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.timeout(900)
def test_the_greek_notebook_runs(tool, real, tmp_path, monkeypatch):
    monkeypatch.setenv("BANET_REAL_DATA", str(real))
    run(tool, "greece_2021", tmp_path)
