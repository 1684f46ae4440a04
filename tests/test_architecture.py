"""The house: rooms as the page on architecture lists them, arrows down, no circles, one meaning a name."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import banet

ROOT = Path(__file__).parents[1]
SRC = Path(banet.__file__).parent
FILES = sorted({*SRC.rglob("*.py")} - {SRC / "__init__.py", SRC / "__main__.py"})
ROW = re.compile(r"^\| (\d+) \| `(\w+)` \|", re.MULTILINE)


def floors() -> dict[str, int]:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    return {room: int(floor) for floor, room in ROW.findall(page)}


def room_of(file: Path) -> str:
    return file.relative_to(SRC).parts[0].removesuffix(".py")


def imported(file: Path) -> Iterator[str]:
    """Modules of the package that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.startswith("banet."))
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "banet":
            yield from (f"{node.module}.{name.name}" for name in node.names)


def file_of(module: str) -> Path | None:
    """The file that a dotted name leads to: a module, or the package or module that holds the name."""
    words = module.split(".")[1:]
    for length in range(len(words), 0, -1):
        place = SRC.joinpath(*words[:length])
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file():
                return file
    return None


def test_the_page_lists_the_rooms_and_no_others():
    rooms = {room_of(file) for file in FILES}
    assert set(floors()) == rooms


@pytest.mark.parametrize("room", sorted({room_of(file) for file in FILES}))
def test_nothing_imports_from_its_own_floor_or_above(room):
    level = floors()
    up = [
        f"{file.relative_to(SRC)} -> {module}"
        for file in FILES
        if room_of(file) == room
        for module in imported(file)
        if (target := file_of(module)) is not None
        and target != SRC / "__init__.py"
        and room_of(target) != room
        and level[room_of(target)] >= level[room]
    ]
    assert up == []


def test_no_files_import_one_another_in_a_circle():
    """Imports inside functions and for types count as well."""
    graph = {
        file: {target for module in imported(file) if (target := file_of(module)) and target != file}
        for file in FILES
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(str(file.relative_to(SRC)) for file in error.args[1]))


def test_no_class_name_stands_in_two_rooms():
    homes = defaultdict(set)
    for file in FILES:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].add(room_of(file))
    assert {name: rooms for name, rooms in homes.items() if len(rooms) > 1} == {}


SHARED_NAMES = """
compat config confounders display errors files firecci firms folder gridded gridded375 hotspots labels maps
netcdf options original perimeters products progress quality region settings shares state store surface swath
tables vectors weights
"""
"""Names of files in several rooms, with one meaning: what the name says, done as is that room's part."""


def test_no_file_name_stands_in_two_rooms_with_two_meanings():
    homes = defaultdict(set)
    for file in FILES:
        homes[file.stem].add(room_of(file))
    shared = {name for name, rooms in homes.items() if len(rooms) > 1 and not name.startswith("__")}
    assert shared == set(SHARED_NAMES.split())


def test_files_and_functions_stay_short():
    long = []
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        if text.count("\n") > 500:
            long.append(f"{file.relative_to(SRC)}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                assert node.end_lineno is not None
                if node.end_lineno - node.lineno + 1 > 80:
                    long.append(f"{file.relative_to(SRC)}: {node.name}")
    assert long == []


def test_first_lines_name_a_thing():
    vague = re.compile(r"(What|Where|How|Which|When|Who|Everything|All that|That which|A right that)\b")
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    found = []
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            text = ast.get_docstring(node) if isinstance(node, kinds) else "none"
            if vague.match(text or "") or (isinstance(node, ast.Module) and not text):
                found.append(f"{file.relative_to(SRC)}: {(text or 'nothing').splitlines()[0]}")
    assert found == []


def test_types_are_shipped():
    assert (SRC / "py.typed").is_file()
