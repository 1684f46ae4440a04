"""Third-party files of the map page, taken from unpacked npm packages.

npm pack leaflet@1.9.4 world-atlas@2.0.2      # then unpack both
python tools/vendor_page.py LEAFLET_DIR WORLD_ATLAS_DIR
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import sys
from pathlib import Path

ASSETS = Path(__file__).parents[1] / "src" / "banet" / "export" / "explorer" / "assets"
# Rules for pictures and a browser of 2010, neither of which the page has.
UNUSED = re.compile(
    r"[^{}]*(?:leaflet-control-layers-toggle|leaflet-default-icon-path|lvml)[^{}]*\{[^}]*\}", re.DOTALL
)


def leaflet(package: Path) -> None:
    """Copy Leaflet's script, style and licence."""
    script = (package / "dist" / "leaflet.js").read_text(encoding="utf-8")
    (ASSETS / "leaflet.js").write_text(re.sub(r"//# sourceMappingURL=.*", "", script), encoding="utf-8")
    style = UNUSED.sub("", (package / "dist" / "leaflet.css").read_text(encoding="utf-8"))
    assert "url(" not in style
    (ASSETS / "leaflet.css").write_text(style, encoding="utf-8")
    shutil.copy(package / "LICENSE", ASSETS / "leaflet.LICENSE")


def outlines(package: Path) -> None:
    """Keep the lines of Natural Earth's countries: scale, lines, and which of them are coasts."""
    atlas = json.loads((package / "countries-10m.json").read_text(encoding="utf-8"))
    coasts = sorted({arc if arc >= 0 else ~arc for arc in _arcs(atlas["objects"]["land"])})
    kept = {"transform": atlas["transform"], "coasts": coasts, "arcs": atlas["arcs"]}
    text = json.dumps(kept, separators=(",", ":")).encode()
    (ASSETS / "outlines.json.gz").write_bytes(gzip.compress(text, 9, mtime=0))
    shutil.copy(package / "LICENSE", ASSETS / "outlines.LICENSE")


def _arcs(node: object) -> list[int]:
    if isinstance(node, dict):
        return [arc for key in ("geometries", "arcs") if key in node for arc in _arcs(node[key])]
    if isinstance(node, list):
        return [arc for part in node for arc in ([part] if isinstance(part, int) else _arcs(part))]
    return []


if __name__ == "__main__":
    leaflet(Path(sys.argv[1]))
    outlines(Path(sys.argv[2]))
