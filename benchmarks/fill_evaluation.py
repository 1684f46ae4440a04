"""Record a benchmark and show it in the documentation.

    python -m benchmarks.fill_evaluation [FOLDER]

Copies FOLDER/benchmark.json to benchmarks/results/ and its pictures to docs/pictures/, and writes the tables
between the markers of docs/evaluation.md. Without FOLDER the page is filled from what is recorded.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
from pathlib import Path
from typing import Any

from banet.evaluation.result_files import ALT, FOLDER
from banet.evaluation.tables import markdown, rows_of, words
from banet.io.files import writing

ROOT = Path(__file__).resolve().parents[1]
RECORDED = ROOT / "benchmarks" / "results" / "benchmark.json"
PAGE = ROOT / "docs" / "evaluation.md"
SHOWN = ROOT / "docs" / "pictures"

_MARKED = re.compile(r"(<!-- benchmark: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_PICTURES = {
    "overall": ("dice",),
    "climates": ("climates",),
    "fractions": ("fractions",),
    "calibration": ("calibration", "uncertainty"),
    "convergence": ("convergence",),
    "greece": ("greece",),
}


def filled(text: str, tree: dict[str, Any], pictures: set[str]) -> str:
    """Return the page with what the tree says between its markers.

    Args:
        text: of the page.
        tree: JSON of a benchmark.
        pictures: names of those that are shown, without folder and suffix.
    """
    return _MARKED.sub(lambda found: found[1] + _part(found[2], tree, pictures) + found[3], text)


def _part(name: str, tree: dict[str, Any], pictures: set[str]) -> str:
    if name == "words":
        return f"{words(tree)}\n"
    if name == "worst":
        return _worst(tree, pictures)
    table = markdown(tree, [name], level=3) if rows_of(tree, name) else ""
    shown = [_picture(one) for one in _PICTURES.get(name, ()) if one in pictures]
    return "\n".join([table, *shown]).strip("\n") + "\n" if table else ""


def _picture(name: str) -> str:
    alt = ALT.get(name, "Truth, map and agreement of one of the worst seasons")
    return f"![{alt}](pictures/benchmark_{name}.png)\n"


def _worst(tree: dict[str, Any], pictures: set[str]) -> str:
    """The worst seasons of the first weights."""
    methods = tree["methods"]
    leader = next((name for name, method in methods.items() if method["candidate"]), next(iter(methods)))
    parts = [f"### The worst seasons of `{leader}`\n"]
    for rank, season in enumerate(methods[leader]["worst"], 1):
        scores = methods[leader]["seasons"][season]
        parts.append(
            f"{season}: Dice {scores['dice']:.2f}, commission {scores['commission']:.2f}, "
            f"omission {scores['omission']:.2f}, {scores['reference_ha']:,.0f} ha burned.\n"
        )
        if f"worst_{rank}" in pictures:
            parts.append(_picture(f"worst_{rank}"))
    return "\n".join(parts)


def record(folder: Path) -> None:
    """Keep the JSON and the pictures of a run in the project."""
    RECORDED.parent.mkdir(exist_ok=True)
    shutil.copyfile(folder / "benchmark.json", RECORDED)
    for old in SHOWN.glob("benchmark_*.png"):
        old.unlink()
    wanted = {name for names in _PICTURES.values() for name in names}
    for path in sorted((folder / FOLDER).glob("*.png")):
        if path.stem in wanted or path.stem.startswith("worst_"):
            shutil.copyfile(path, SHOWN / f"benchmark_{path.name}")


def shown_pictures() -> set[str]:
    return {path.stem.removeprefix("benchmark_") for path in SHOWN.glob("benchmark_*.png")}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", help="of `banet benchmark --out`")
    given = parser.parse_args(arguments)
    if given.folder is not None:
        record(given.folder)
    tree = json.loads(RECORDED.read_text(encoding="utf-8"))
    text = filled(PAGE.read_text(encoding="utf-8"), tree, shown_pictures())
    with writing(PAGE) as part:
        part.write_text(text, encoding="utf-8")
    print(PAGE)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
