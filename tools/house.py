"""Size of the house by room, at an earlier commit and in this tree, as the table of docs/architecture.md.

python tools/house.py [--write]     prints the table, or writes it into the page
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BEFORE = "0362282"
"""The commit from which the house was rebuilt."""

PAGE = ROOT / "docs" / "architecture.md"
TABLE = re.compile(r"^\| room \| at .*?^\| functions [^\n]*\n", re.MULTILINE | re.DOTALL)

_Documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def rooms_of(top: Path) -> Counter[str]:
    """Return lines by room, a package or a file under `top`."""
    found: Counter[str] = Counter()
    for file in top.rglob("*.py"):
        found[file.relative_to(top).parts[0].removesuffix(".py")] += file.read_text().count("\n")
    return found


def counts_of(top: Path) -> dict[str, int]:
    """Return lines of code, files and functions."""
    files, code, functions = sorted(top.rglob("*.py")), 0, 0
    for file in files:
        text = file.read_text()
        nodes = list(ast.walk(ast.parse(text)))
        functions += sum(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) for node in nodes)
        told = [node.body[0] for node in nodes if isinstance(node, _Documented) and ast.get_docstring(node)]
        words = {line for one in told for line in range(one.lineno, (one.end_lineno or one.lineno) + 1)}
        lines = enumerate(map(str.strip, text.splitlines()), 1)
        code += sum(bool(line) and not line.startswith("#") and k not in words for k, line in lines)
    return {"lines of code, without words and blank lines": code, "files": len(files), "functions": functions}


def table() -> str:
    """Return the table."""
    archive = subprocess.run(
        ["git", "archive", BEFORE, "src/banet"], cwd=ROOT, capture_output=True, check=True
    )
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as packed:
            packed.extractall(folder, filter="data")
        tops = (Path(folder, "src/banet"), ROOT / "src" / "banet")
        then, now = map(rooms_of, tops)
        rows = {f"`{room}`": (then[room], now[room]) for room in sorted(now) if "__" not in room}
        rest = tuple(
            sum(counts.values()) - sum(row[k] for row in rows.values())
            for k, counts in enumerate((then, now))
        )
        rows |= {"files of the root": rest, "**all**": (sum(then.values()), sum(now.values()))}
        rows |= {name: (count, counts_of(tops[1])[name]) for name, count in counts_of(tops[0]).items()}
    cells = (" | ".join(f"{count:,}" if count else "-" for count in row) for row in rows.values())
    lines = (f"| {name} | {held} |\n" for name, held in zip(rows, cells, strict=True))
    return f"| room | at {BEFORE} | today |\n|---|---|---|\n{''.join(lines)}"


def main(arguments: list[str]) -> int:
    """Print the table, or write it into the page."""
    if arguments == ["--write"]:
        text, count = TABLE.subn(lambda _: table(), PAGE.read_text(encoding="utf-8"))
        PAGE.write_text(text, encoding="utf-8")
        return 0 if count == 1 else 1
    print(table(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
