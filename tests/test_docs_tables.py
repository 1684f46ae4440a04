"""The page of columns and attributes says what files hold."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # every product is written
TOOL = Path(__file__).resolve().parents[1] / "tools" / "product_tables.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("product_tables", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def found(tool, tmp_path_factory):
    folder = tmp_path_factory.mktemp("products")
    tool.make_products(folder)
    return tool.tables(folder)


def test_every_column_and_attribute_has_words_and_no_words_are_left_over(tool, found):
    assert tool.unlike(found) == []


def test_the_page_is_of_these_files(tool, found):
    shown = tool.PAGE.read_text(encoding="utf-8").splitlines()
    missing = [line for line in tool.page(found).splitlines() if line not in shown]
    assert not missing, f"run: python tools/product_tables.py ({missing[:3]})"


def test_a_new_column_is_missed(tool, found):
    changed = {**found, "fires": {**found["fires"], "colour": ["text"]}}
    assert tool.unlike(changed) == ["fires: colour has no words in tools/product_tables.py"]
