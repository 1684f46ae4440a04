"use strict";
// Planes of a map, and the layer of tiles that shows them at any zoom: each pixel of the screen looks its cell up.
async function readCells(data) {
  async function plane(name, Kind) {
    const bytes = Uint8Array.from(atob(data.planes[name]), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Kind(await new Response(stream).arrayBuffer());
  }
  const kinds = { day: Uint16Array, status: Int8Array, confidence: Uint8Array, uncertainty: Uint8Array, observed: Uint16Array };
  const planes = Object.fromEntries(await Promise.all(
    Object.entries(kinds).map(async ([name, Kind]) => [name, await plane(name, Kind)])));
  const [rows, cols] = data.size, { day, status, confidence } = planes;

  // Overviews: of 2 x 2 cells the one that burned first, else the likeliest; in that order also water is last.
  const rank = (cell) => status[cell] === 1 ? 70000 - day[cell] : status[cell] === 0 ? 200 + (confidence[cell] % 255) : status[cell] + 2;
  const levels = [{ rows, cols, at: (r, c) => r * cols + c }];
  for (let { rows: h, cols: w, at } = levels[0]; Math.max(h, w) > 256; { rows: h, cols: w, at } = levels[levels.length - 1]) {
    const [high, wide] = [Math.ceil(h / 2), Math.ceil(w / 2)], picked = new Int32Array(high * wide);
    for (let r = 0; r < high; r++) for (let c = 0; c < wide; c++) {
      let best = at(2 * r, 2 * c), most = rank(best);
      for (const [y, x] of [[2 * r, 2 * c + 1], [2 * r + 1, 2 * c], [2 * r + 1, 2 * c + 1]]) {
        if (y >= h || x >= w) continue;
        const cell = at(y, x), own = rank(cell);
        if (own > most) { best = cell; most = own; }
      }
      picked[r * wide + c] = best;
    }
    levels.push({ rows: high, cols: wide, at: (r, c) => picked[r * wide + c] });
  }
  return { ...planes, levels, rows, cols, size: data.cell, west: data.box[0], north: data.box[3] };
}

const CellLayer = L.GridLayer.extend({
  // paint(cell) gives a colour as 0xAABBGGRR, 0 for none.
  initialize(cells, paint, options) { this._cells = cells; this._paint = paint; L.setOptions(this, options); },
  createTile(coords) {
    const tile = document.createElement("canvas"), size = this.getTileSize();
    tile.width = size.x; tile.height = size.y; tile.className = "pixels";
    this._fill(tile, coords);
    return tile;
  },
  repaint() { for (const { el, coords } of Object.values(this._tiles)) this._fill(el, coords); },
  _fill(tile, { x, y, z }) {
    const { levels, rows, cols, size, west, north } = this._cells, [wide, high] = [tile.width, tile.height];
    const world = 256 * 2 ** z, level = Math.min(levels.length - 1, Math.max(0, Math.ceil(Math.log2(360 / world / size) - 0.05)));
    const { at, rows: h, cols: w } = levels[level], block = 2 ** level;
    const col = Int32Array.from({ length: wide }, (_, i) => {
      const east = ((x * 256 + i + 0.5) / world) * 360 - 180 - west, c = Math.floor((east - 360 * Math.floor(east / 360)) / size);
      return c < cols ? Math.min(w - 1, Math.floor(c / block)) : -1;
    });
    const pen = tile.getContext("2d"), image = pen.createImageData(wide, high), pixels = new Uint32Array(image.data.buffer);
    for (let j = 0, to = 0; j < high; j++) {
      const lat = (Math.atan(Math.sinh(Math.PI * (1 - (2 * (y * 256 + j + 0.5)) / world))) * 180) / Math.PI;
      const r = Math.floor((north - lat) / size), row = Math.min(h - 1, Math.floor(r / block));
      if (r < 0 || r >= rows) { to += wide; continue; }
      for (let i = 0; i < wide; i++, to++) if (col[i] >= 0) pixels[to] = this._paint(at(row, col[i]));
    }
    pen.putImageData(image, 0, 0);
  },
});
