"""Scripts beside the package: every name that they take from it is there, also where it is taken late."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted(file for folder in ("benchmarks", "tools") for file in (ROOT / folder).glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_names_taken_from_the_package_are_there(script):
    tree = ast.parse(script.read_text(encoding="utf-8"))
    # What an `except` takes is of earlier states, which some scripts measure too.
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    earlier = {id(node) for handler in handlers for node in ast.walk(handler)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or id(node) in earlier:
            continue
        if (node.module or "").split(".")[0] == "banet":
            module = importlib.import_module(str(node.module))
            for one in node.names:
                if not hasattr(module, one.name):  # a module of the package
                    importlib.import_module(f"{node.module}.{one.name}")
