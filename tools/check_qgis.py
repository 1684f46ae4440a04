"""Show the products of a map in QGIS, without a screen, and check how they look over a base map.

    python3 tools/check_qgis.py FOLDER [--out PICTURES]

It needs the PyQGIS of a QGIS installation (Debian: python3-qgis) and nothing of banet. Each raster of the
folder and each styled layer of its GeoPackages is opened as QGIS opens it, drawn over a chequered base map
and saved as a PNG. A raster passes when it covers nothing where it holds 0 (but for a number of days, where 0
is a value), its legend has at most 14 lines, and title, abstract and period are set; a vector layer when a
style, title, abstract and times are.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from qgis.core import (
    QgsApplication,
    QgsFeature,
    QgsFillSymbol,
    QgsGeometry,
    QgsLayerTreeLayer,
    QgsLayerTreeModelLegendNode,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsProviderRegistry,
    QgsRasterLayer,
    QgsRectangle,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QImage

WIDTH = 900
LINES = 14
TRANSPARENT = ("_burn_date", "_confidence", "_over_tenth")


def main() -> int:
    """Check a folder; return 1 if something is wrong."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--out", type=Path, help="folder for the pictures; that of the products if left out")
    chosen = options.parse_args()
    pictures = chosen.out or chosen.folder
    pictures.mkdir(parents=True, exist_ok=True)
    app = QgsApplication([], False)
    app.initQgis()
    layers = list(rasters(chosen.folder)) + list(vectors(chosen.folder))
    wrong = [line for name, layer in layers for line in checked(name, layer, pictures)]
    for line in wrong:
        print(f"WRONG: {line}")
    print(f"{len(layers)} layers, {len(wrong)} things wrong")
    return 0 if layers and not wrong else 1


def rasters(folder: Path):
    """Give each raster; QGIS applies the .qml as it opens it, and its window the .qmd."""
    for path in sorted(folder.glob("*.tif")):
        layer = QgsRasterLayer(str(path), path.stem)
        layer.loadDefaultStyle()
        layer.loadDefaultMetadata()
        yield path.stem, layer


def vectors(folder: Path):
    """Give each layer with shapes of each GeoPackage."""
    for path in sorted(folder.glob("*.gpkg")):
        for found in QgsProviderRegistry.instance().querySublayers(str(path)):
            if found.wkbType() != 100:  # a table
                layer = QgsVectorLayer(found.uri(), found.name(), "ogr")
                layer.loadDefaultStyle()
                yield f"{path.stem}_{found.name()}", layer


def checked(name: str, layer, pictures: Path):
    """Draw a layer and give a line for each thing that is wrong."""
    lines = legend(layer)
    about = layer.metadata()
    print(f"{name}: {len(lines)} lines of legend ({'; '.join(lines[:3])}...), {about.title()!r}")
    if isinstance(layer, QgsVectorLayer) and not layer.featureCount():
        print("  no shapes")
        return
    base = chequers(layer.extent())
    size = size_of(layer)
    without, drawn = (picture(shown, layer.extent(), size) for shown in ([base], [layer, base]))
    drawn.save(str(pictures / f"{name}.png"))
    if not about.title() or not about.abstract():
        yield f"{name} has no title or abstract"
    if not layer.temporalProperties().isActive():
        yield f"{name} has no times"
    if not 1 <= len(lines) <= LINES:
        yield f"{name} has {len(lines)} lines of legend"
    if isinstance(layer, QgsVectorLayer):
        if layer.renderer().type() != "RuleRenderer":
            yield f"{name} has no style"
    elif name.endswith(TRANSPARENT):
        covered, shown = hidden(layer, without, drawn)
        print(f"  {covered} cells that hold 0 and {shown} others are painted")
        if covered or not shown:
            yield f"{name} paints {covered} cells that hold 0 and {shown} that do not"


def legend(layer) -> list[str]:
    """Return the lines of a layer's legend."""
    found = layer.legend().createLayerTreeModelLegendNodes(QgsLayerTreeLayer(layer))
    kinds = QgsLayerTreeModelLegendNode.NodeTypes
    words = [
        str(node.data(0) or "")
        for node in found
        if node.data(QgsLayerTreeModelLegendNode.NodeTypeRole) not in (kinds.EmbeddedWidget,)
    ]
    return [word for word in words if word]


def chequers(extent: QgsRectangle) -> QgsVectorLayer:
    """Return a base map of squares in two greens."""
    layer = QgsVectorLayer("Polygon?crs=EPSG:4326", "base", "memory")
    edge, features = extent.width() / 12, []
    for row in range(int(extent.height() / edge) + 1):
        for col in range(12):
            if (row + col) % 2:
                continue
            west, south = extent.xMinimum() + col * edge, extent.yMinimum() + row * edge
            feature = QgsFeature()
            feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(west, south, west + edge, south + edge)))
            features.append(feature)
    layer.dataProvider().addFeatures(features)
    layer.updateExtents()
    symbol = QgsFillSymbol.createSimple({"color": "140,170,120", "outline_style": "no"})
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    return layer


def size_of(layer) -> QSize:
    """Return the size of a picture; of a raster, a whole number of pixels a cell."""
    if isinstance(layer, QgsVectorLayer):
        return QSize(WIDTH, max(1, round(WIDTH * layer.extent().height() / layer.extent().width())))
    scale = max(1, WIDTH // layer.width())
    return QSize(layer.width() * scale, layer.height() * scale)


def picture(layers, extent: QgsRectangle, size: QSize) -> QImage:
    """Draw layers, the first on top, on pale green."""
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setBackgroundColor(QColor(190, 210, 170))
    settings.setOutputSize(size)
    settings.setExtent(extent)
    settings.setDestinationCrs(layers[0].crs())
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    return job.renderedImage()


def hidden(layer: QgsRasterLayer, without: QImage, drawn: QImage) -> tuple[int, int]:
    """Return how many cells differ in their middle from the base map, by whether the raster holds 0."""
    block = layer.dataProvider().block(1, layer.extent(), layer.width(), layer.height())
    scale, counts = drawn.width() // layer.width(), [0, 0]
    for row in range(layer.height()):
        for col in range(layer.width()):
            x, y = col * scale + scale // 2, row * scale + scale // 2
            if drawn.pixel(x, y) != without.pixel(x, y):
                counts[0 if block.value(row, col) == 0 else 1] += 1
    return counts[0], counts[1]


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # QGIS may crash as Python takes its objects down
