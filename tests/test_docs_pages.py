"""The pages of the docs: their examples run, their links lead somewhere, and all public names are there."""

from __future__ import annotations

import doctest
import inspect
import re
import warnings
from pathlib import Path

import pytest
import yaml

import banet

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
TEXTS = {page.relative_to(DOCS).as_posix(): page.read_text(encoding="utf-8") for page in PAGES}


def plain(text: str) -> str:
    """A page without its blocks of code."""
    return re.sub(r"(?ms)^(```|~~~).*?^\1\s*$", "", text)


def test_the_examples_of_the_python_page_say_what_it_shows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", banet.BanetWarning)
        failed, tried = doctest.testfile(
            str(DOCS / "python.md"), module_relative=False, optionflags=doctest.ELLIPSIS, encoding="utf-8"
        )
    assert tried > 30 and failed == 0


@pytest.mark.parametrize("name", banet.__all__)
def test_every_public_name_is_in_the_reference_with_an_example(name):
    text = TEXTS["python.md"]
    assert re.search(rf"^::: banet\.{name}$", text, re.MULTILINE)
    shown = "\n".join(re.findall(r"^(?:>>>|\.\.\.) (.*)$", text, re.MULTILINE))
    assert name == "BurnedArea" or f"banet.{name}" in shown


@pytest.mark.parametrize("name", banet.__all__)
def test_examples_of_the_reference_stand_in_a_section_of_their_own(name):
    """An example outside a section `Examples:` comes out as a torn quotation."""
    found = getattr(banet, name)
    members = [found, *(vars(found).values() if inspect.isclass(found) else ())]
    for one in filter(lambda member: hasattr(member, "__module__") or hasattr(member, "fget"), members):
        told = inspect.getdoc(getattr(one, "__func__", getattr(one, "fget", one))) or ""
        assert ">>>" not in told or "Examples:" in told


def pages_of(nav) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    return [page for part in (nav.values() if isinstance(nav, dict) else nav) for page in pages_of(part)]


def test_every_page_is_in_the_menu():
    text = re.sub(r"!!\S+", "", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert sorted(pages_of(yaml.safe_load(text)["nav"])) == sorted(TEXTS)


def anchors(text: str) -> set[str]:
    found = re.findall(r"^#+ (.*)$", plain(text), re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", head).strip().lower()) for head in found}


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name):
    for target in re.findall(r"\]\(([^)\s]+)\)", plain(TEXTS[name])):
        if re.match(r"https?:|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (DOCS / name).parent / path if path else DOCS / name
        assert file.exists(), f"{name}: {target}"
        if anchor and file.suffix == ".md":
            assert anchor in anchors(file.read_text(encoding="utf-8")), f"{name}: {target}"


def test_the_words_that_people_look_for_are_there():
    together = "\n".join(TEXTS.values()).lower()
    for word in ("tutorial", "cron", "qgis", "australia", "windows", "s-npp ended", "0 ha", "earthdata"):
        assert word in together, word


@pytest.mark.parametrize(
    "name", ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", *(f"docs/{name}" for name in TEXTS)]
)
def test_extras_are_asked_for_by_version(name):
    """The bare name on the package index is another program."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.findall(r"pip install '?banet(?!\[\w+\]>=1)\b[^`]*", text.replace("pip install banet`", ""))


@pytest.mark.parametrize("name", TEXTS)
def test_no_mark_of_markdown_is_shown_as_it_is(name):
    """A bar that is escaped within code shows its backslash on the site."""
    for number, line in enumerate(plain(TEXTS[name]).splitlines(), 1):
        assert not re.search(r"`[^`]*\\\|[^`]*`", line), f"{name}:{number}: {line}"
