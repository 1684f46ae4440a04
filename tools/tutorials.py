"""Pages of the tutorials: notebooks that are run, and Markdown with what they printed and drew.

python tools/tutorials.py                  # all of docs/tutorials/*.ipynb; greece_2021 needs BANET_REAL_DATA
python tools/tutorials.py my_own_sensor    # one of them

A notebook is kept without outputs; its page, NAME.md beside it, is made here and never edited by hand.
"""

from __future__ import annotations

import base64
import io
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from PIL import Image

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "tutorials"
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
_SECONDS = 900


def run(path: Path, folder: Path) -> Any:
    """Run a notebook in a folder, with the `banet` of this environment, and return it with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    found = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    client = NotebookClient(
        notebook, timeout=_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    return client.execute(env={**os.environ, "PATH": found, "COLUMNS": "100"})


def page(notebook: Any, name: str, pictures: Path | None = None) -> str:
    """Return a notebook as Markdown; pictures of its outputs are written to a folder, if one is given."""
    parts = []
    for cell in notebook.cells:
        parts.append(code(cell.source) if cell.cell_type == "code" else cell.source)
        parts += [_output(output, name, pictures) for output in _joined(cell.get("outputs", ()))]
    head = f"<!-- Made of {name}.ipynb by tools/tutorials.py; edit the notebook. -->"
    foot = f"[The notebook of this page]({name}.ipynb), to be run in a folder of its own."
    return "\n\n".join(part for part in [head, *parts, foot] if part) + "\n"


def code(source: str) -> str:
    """Return the fenced block of a cell: commands of a shell without their `!`, or Python."""
    lines = source.strip().splitlines()
    if all(line.startswith("!") for line in lines):
        return "\n".join(["```bash", *(line[1:].strip() for line in lines), "```"])
    return "\n".join(["```python", *lines, "```"])


def plain(text: str, places: tuple[str, ...] = ()) -> str:
    """Return what a terminal shows in the end: no control sequences, bars of progress or own folders."""
    lines = [line.rstrip().split("\r")[-1].rstrip() for line in _TERMINAL.sub("", text).split("\n")]
    told = "\n".join(line for line in lines if "━" not in line)
    for place in places:
        told = told.replace(place, "")
    return re.sub(r"\n{3,}", "\n\n", told).strip("\n")


def _joined(outputs: Any) -> list[Any]:
    """Return the outputs of a cell with the lines of both streams in one, in their order."""
    kept: list[Any] = []
    for output in outputs:
        if kept and output.output_type == kept[-1].output_type == "stream":
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def _output(output: Any, name: str, pictures: Path | None) -> str:
    if output.output_type == "stream":
        return _text(output.text)
    if output.output_type == "error":
        raise RuntimeError(f"{name}: {output.ename}: {output.evalue}")
    held = output.data
    if "image/png" in held:
        return _picture(base64.b64decode(held["image/png"]), name, pictures)
    if "<table" in held.get("text/html", ""):
        html = re.sub(r"<style.*?</style>", "", held["text/html"], flags=re.DOTALL)
        inner = "\n".join(line.strip() for line in html.splitlines() if line.strip())
        return f'<div class="output">\n{inner}\n</div>'
    return _text(held.get("text/plain", ""))


def _text(text: str) -> str:
    shown = plain(text, (f"{Path.cwd()}/",))
    return f"```{{.text .output}}\n{shown}\n```" if shown else ""


def _picture(data: bytes, name: str, folder: Path | None) -> str:
    if folder is None:
        return ""
    folder.mkdir(parents=True, exist_ok=True)
    number = len(list(folder.glob(f"{name}_*.png"))) + 1
    with Image.open(io.BytesIO(data)) as image:
        flat = image.convert("RGB").quantize(200)
        flat.save(folder / f"{name}_{number}.png", optimize=True)
    return f"![Picture {number} of this page]({folder.name}/{name}_{number}.png)"


def main(names: list[str]) -> None:
    """Run the notebooks of these names, or all, and write their pages."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        if names and path.stem not in names:
            continue
        for old in (FOLDER / "pictures").glob(f"{path.stem}_*.png"):
            old.unlink()
        with tempfile.TemporaryDirectory() as folder:
            notebook = run(path, Path(folder))
            text = (
                page(notebook, path.stem, FOLDER / "pictures").replace(f"{folder}/", "").replace(folder, ".")
            )
        path.with_suffix(".md").write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.with_suffix('.md')}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
