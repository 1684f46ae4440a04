"use strict";
(async function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const [rows, cols] = data.size;
  const [west, , , north] = data.box;
  const [east, south] = data.reach;
  const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
  const hectares = (value) => (value < 10 ? value.toFixed(1) : whole.format(value)) + " ha";

  // Planes: numbers packed into the colours of two pictures.
  async function numbers(text) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const options = { premultiplyAlpha: "none", colorSpaceConversion: "none" };
    const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }), options);
    const canvas = document.createElement("canvas");
    canvas.width = cols; canvas.height = rows;
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(picture, 0, 0);
    return pen.getImageData(0, 0, cols, rows).data;
  }
  const [dates, values] = await Promise.all([numbers(data.dates), numbers(data.values)]);
  const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  const ramps = Object.fromEntries(
    ["dates", "confidence", "uncertainty"].map((name) => [name, data.colours[name].map(rgb)]));
  const unseen = rgb(data.colours.unseen), water = rgb(data.colours.water);
  const dayOf = (cell) => dates[4 * cell] + 256 * dates[4 * cell + 1];
  const mostSeen = data.days.length;

  const layers = {
    dates: { said: "burn_date", ramp: ramps.dates, ends: [data.days[0], data.days[data.days.length - 1]],
      index: (cell) => dayOf(cell) - 1, burned: true },
    confidence: { said: "confidence", ramp: ramps.confidence,
      ends: ["0", "100"], index: (cell) => values[4 * cell], burned: false },
    uncertainty: { said: "uncertainty", ramp: ramps.uncertainty, ends: ["0", "31 and more"],
      index: (cell) => Math.min(values[4 * cell + 1], 31), burned: true },
    observed: { said: "observed_days", ramp: ramps.uncertainty.slice().reverse(), ends: ["0", String(mostSeen)],
      index: (cell) => Math.round(31 * Math.min(values[4 * cell + 2] / mostSeen, 1)), burned: false },
  };

  for (const one of Object.values(layers)) [one.title, one.text] = data.said[one.said];

  // The picture is drawn in the map's projection: its rows follow Mercator's latitudes.
  const mercator = (lat) => Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360));
  const top = mercator(Math.min(north, 85)), bottom = mercator(Math.max(south, -85));
  // Finer rows than the cells have, so that edges of cells stay within a quarter of a cell of their place.
  const finer = Math.max(1, Math.min(6, Math.floor(8e6 / (rows * cols)), Math.floor(8192 / rows)));
  const tall = rows * finer;
  const rowOf = Int32Array.from({ length: tall }, (_, r) => {
    const y = top - ((r + 0.5) / tall) * (top - bottom);
    const lat = (360 / Math.PI) * Math.atan(Math.exp(y)) - 90;
    return Math.min(rows - 1, Math.max(0, Math.floor(((north - lat) / (north - south)) * rows)));
  });
  const canvas = document.createElement("canvas");
  canvas.width = cols; canvas.height = tall; canvas.className = "pixels";
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(cols, tall);
  let layer = "dates", day = data.days.length - 1;

  function paint() {
    const { ramp, index, burned } = layers[layer], pixels = image.data;
    for (let r = 0, at = 0; r < tall; r++) {
      for (let c = 0, cell = rowOf[r] * cols; c < cols; c++, cell++, at += 4) {
        const status = dates[4 * cell + 2], when = dayOf(cell);
        let colour = null, alpha = 255;
        if (status === 3) { colour = water; alpha = 150; }
        else if (layer === "observed") colour = ramp[index(cell)];
        else if (status === 1 && when - 1 <= day) colour = ramp[index(cell)];
        else if (status === 2) { colour = unseen; alpha = 170; }
        else if (!burned && status === 0 && values[4 * cell] > 0) { colour = ramp[values[4 * cell]]; }
        if (colour === null) { pixels[at + 3] = 0; continue; }
        pixels[at] = colour[0]; pixels[at + 1] = colour[1]; pixels[at + 2] = colour[2]; pixels[at + 3] = alpha;
      }
    }
    pen.putImageData(image, 0, 0);
  }

  // Map.
  const CanvasOverlay = L.ImageOverlay.extend({
    _initImage() {
      const element = (this._image = this._url);
      L.DomUtil.addClass(element, "leaflet-image-layer");
      if (this._zoomAnimated) L.DomUtil.addClass(element, "leaflet-zoom-animated");
      element.onselectstart = L.Util.falseFn;
      element.onmousemove = L.Util.falseFn;
    },
  });
  const bounds = [[Math.max(south, -85), west], [Math.min(north, 85), east]];
  const map = L.map("map", { zoomControl: true, attributionControl: true, zoomSnap: 0.25, minZoom: 1, maxZoom: 16 });
  map.attributionControl.setPrefix("");
  map.fitBounds(bounds);
  const overlay = new CanvasOverlay(canvas, bounds, { opacity: 0.9 }).addTo(map);
  const line = (kind, style) => L.geoJSON(
    data.outlines[kind].map((coordinates) => ({ type: "LineString", coordinates })),
    { style: { ...style, interactive: false }, interactive: false, attribution: "Natural Earth" });
  const lines = L.layerGroup([
    line("coast", { color: "#4a6a85", weight: 1 }), line("border", { color: "#7d7d85", weight: 1, dashArray: "4 3" }),
  ]).addTo(map);
  L.rectangle([[data.box[1], data.box[0]], [data.box[3], data.box[2]]],
    { color: "#7d7d85", weight: 1, fill: false, interactive: false }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);

  const bases = {
    osm: ["https://tile.openstreetmap.org/{z}/{x}/{y}.png", { maxZoom: 19, attribution: "© OpenStreetMap contributors" }],
    gibs: ["https://gibs.earthdata.nasa.gov/wmts/epsg3857/best/BlueMarble_ShadedRelief_Bathymetry/default/GoogleMapsCompatible_Level8/{z}/{y}/{x}.jpeg",
      { maxNativeZoom: 8, attribution: "NASA EOSDIS GIBS" }],
  };
  let base = null;
  $("base").addEventListener("change", (event) => {
    if (base) map.removeLayer(base);
    const chosen = bases[event.target.value];
    base = chosen ? L.tileLayer(...chosen).addTo(map) : null;
  });

  // Fires.
  const byId = new Map();
  const text = (value) => { const span = document.createElement("span"); span.textContent = value; return span.innerHTML; };
  function told(fire) {
    const p = fire.properties;
    const lines = [["First day", p.start], ["Last day", p.end], ["Area", hectares(p.area_ha)],
      ["Largest day", p.peak_day ? `${p.peak_day}, ${hectares(p.peak_ha)}` : ""],
      ["Date uncertainty", p.date_unc >= 0 ? `${p.date_unc} d` : "not known"]];
    return `<b>${text(p.id)}</b><table>` + lines.filter(([, v]) => v)
      .map(([k, v]) => `<tr><td>${k}</td><td>${text(v)}</td></tr>`).join("") + `</table>` + sparkline(p.growth);
  }
  function sparkline(growth) {
    if (!growth.length) return "";
    const first = growth[0][0], last = growth[growth.length - 1][0], most = Math.max(...growth.map((g) => g[1]));
    const wide = 190, step = wide / (last - first + 1);
    return `<svg width="${wide}" height="34" role="img" aria-label="Growth by day">` + growth.map(([d, ha]) =>
      `<rect x="${(d - first) * step}" y="${32 - 30 * ha / most}" width="${Math.max(1, step - 1)}" height="${30 * ha / most}" fill="#a03a13"><title>${data.days[d]}: ${hectares(ha)}</title></rect>`).join("") + "</svg>";
  }
  const fires = L.geoJSON({ type: "FeatureCollection", features: data.fires }, {
    style: { color: "#26262a", weight: 1.5, fillOpacity: 0.02 },
    onEachFeature(fire, shape) {
      byId.set(fire.properties.id, shape);
      shape.bindTooltip(() => `${text(fire.properties.id)}<br>${fire.properties.start} to ${fire.properties.end}, ${hectares(fire.properties.area_ha)}`, { sticky: true });
      shape.bindPopup(() => told(fire), { maxWidth: 280 });
      shape.on("popupopen", () => choose(fire.properties.id, false));
    },
  }).addTo(map);
  let chosen = null;
  function choose(id, zoom) {
    if (chosen && byId.has(chosen)) byId.get(chosen).setStyle({ color: "#26262a", weight: 1.5 });
    chosen = id;
    const shape = byId.get(id);
    shape.setStyle({ color: "#d4380d", weight: 3 });
    for (const row of $("rows").children) row.setAttribute("aria-selected", String(row.dataset.id === id));
    const row = [...$("rows").children].find((one) => one.dataset.id === id);
    if (row && !zoom) row.scrollIntoView({ block: "nearest" });
    if (zoom) { map.fitBounds(shape.getBounds(), { maxZoom: 11, padding: [40, 40] }); shape.openPopup(); }
  }

  // The list.
  let order = { key: "area_ha", down: true };
  function list() {
    const sorted = data.fires.map((fire) => fire.properties)
      .sort((a, b) => (a[order.key] < b[order.key] ? -1 : a[order.key] > b[order.key] ? 1 : 0) * (order.down ? -1 : 1));
    $("rows").replaceChildren(...sorted.map((p) => {
      const row = document.createElement("tr");
      row.dataset.id = p.id; row.tabIndex = 0;
      row.setAttribute("aria-selected", String(p.id === chosen));
      for (const [value, kind] of [[p.start], [p.end], [whole.format(p.area_ha), "number"], [p.id]]) {
        const cell = row.insertCell();
        cell.textContent = value;
        if (kind) cell.className = kind;
      }
      row.addEventListener("click", () => choose(p.id, true));
      row.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(p.id, true); } });
      return row;
    }));
    for (const button of document.querySelectorAll("th button")) {
      const state = button.dataset.sort === order.key ? (order.down ? "descending" : "ascending") : "none";
      button.closest("th").setAttribute("aria-sort", state);
    }
  }
  for (const button of document.querySelectorAll("th button"))
    button.addEventListener("click", () => {
      order = { key: button.dataset.sort, down: order.key === button.dataset.sort ? !order.down : button.dataset.sort === "area_ha" };
      list();
    });
  $("fires-title").textContent = data.fires.length === 1 ? "1 fire" : `${data.fires.length} fires`;

  // Downloads.
  function offer(label, name, type, content) {
    const button = document.createElement("button");
    button.type = "button"; button.textContent = label;
    button.addEventListener("click", () => {
      const link = document.createElement("a");
      const address = URL.createObjectURL(new Blob([content()], { type }));
      link.href = address; link.download = name(); link.click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    });
    $("downloads").append(button);
  }
  const picked = () => (chosen && $("only").checked ? data.fires.filter((f) => f.properties.id === chosen) : data.fires);
  const stem = () => (picked().length === 1 ? picked()[0].properties.id : `${data.name}_fires`);
  const quoted = (value) => { const s = value == null ? "" : String(value); return /[",\n]/.test(s) ? `"${s.replaceAll('"', '""')}"` : s; };
  if (data.fires.length) {
    offer("GeoJSON", () => `${stem()}.geojson`, "application/geo+json", () => JSON.stringify({ type: "FeatureCollection", features: picked() }));
    offer("CSV", () => `${stem()}.csv`, "text/csv", () => {
      const names = Object.keys(data.fires[0].properties).filter((name) => name !== "growth");
      return [names.join(","), ...picked().map((f) => names.map((name) => quoted(f.properties[name])).join(","))].join("\n") + "\n";
    });
    if (data.gpkg) offer("GeoPackage (all)", () => `${data.name}_fires.gpkg`, "application/geopackage+sqlite3",
      () => Uint8Array.from(atob(data.gpkg), (c) => c.charCodeAt(0)));
    const label = document.createElement("label");
    label.innerHTML = '<input type="checkbox" id="only"> only the chosen fire';
    $("downloads").append(label);
  }

  // Days.
  const slider = $("day");
  slider.max = String(data.days.length - 1);
  const before = data.daily_ha.reduce((sums, ha) => [...sums, sums[sums.length - 1] + ha], [0]).slice(1);
  function show(next) {
    day = next;
    slider.value = String(day);
    slider.setAttribute("aria-valuetext", data.days[day]);
    $("when").textContent = `${data.days[day]}: ${hectares(data.daily_ha[day])} that day, ${hectares(before[day])} so far` + seenText(day);
    fires.eachLayer((shape) => {
      const there = shape.feature.properties.start <= data.days[day];
      shape.getElement && shape.getElement()?.style.setProperty("display", there ? "" : "none");
    });
    for (const bar of document.querySelectorAll("#chart .bar")) bar.setAttribute("fill", Number(bar.dataset.day) === day ? "#d4380d" : Number(bar.dataset.day) < day ? "#c98a6b" : "#b9b6ae");
    paint();
  }
  function seenText(d) {
    if (!data.seen) return "";
    return data.seen[d] == null ? "; not seen" : `; ${Math.round(100 * data.seen[d])} % of the land seen`;
  }
  slider.addEventListener("input", () => show(Number(slider.value)));
  let timer = null;
  $("play").addEventListener("click", () => {
    const playing = timer !== null;
    if (playing) { clearInterval(timer); timer = null; }
    else {
      if (day === data.days.length - 1) show(0);
      timer = setInterval(() => {
        if (day < data.days.length - 1) show(day + 1);
        else { clearInterval(timer); timer = null; $("play").textContent = "Play"; $("play").setAttribute("aria-pressed", "false"); }
      }, 350);
    }
    $("play").textContent = playing ? "Play" : "Stop";
    $("play").setAttribute("aria-pressed", String(!playing));
  });
  function chart() {
    const count = data.days.length, most = Math.max(...data.daily_ha, 1), wide = 1000, step = wide / count, high = 64;
    const bars = data.daily_ha.map((ha, d) => {
      const tall = ha > 0 ? Math.max(1.5, (high * ha) / most) : 0;
      return `<g><rect class="bar" data-day="${d}" x="${d * step}" y="${high - tall + 6}" width="${step * 0.86}" height="${tall}"></rect>` +
        `<rect class="hit" data-day="${d}" x="${d * step}" y="0" width="${step}" height="${high + 8}" fill="transparent" style="cursor:pointer"><title>${data.days[d]}: ${hectares(ha)}${seenText(d)}</title></rect></g>`;
    }).join("");
    const strip = data.seen ? data.seen.map((s, d) =>
      `<rect x="${d * step}" y="${high + 9}" width="${step * 0.86}" height="5" fill="${s == null ? "#c0392b" : "#4a6a85"}" opacity="${s == null ? 0.9 : 0.15 + 0.85 * s}"></rect>`).join("") : "";
    $("chart").innerHTML = `<svg viewBox="0 0 ${wide} 92" preserveAspectRatio="none">${bars}${strip}</svg>`;
    $("chart").addEventListener("click", (event) => { const d = event.target.dataset?.day; if (d !== undefined) show(Number(d)); });
  }

  // Legend, layers.
  function legend() {
    const { text: words, ramp, ends } = layers[layer];
    const key = (colour, word) => `<span class="key"><i style="background:${colour}"></i>${word}</span>`;
    $("legend").innerHTML = `<div>${text(words)}</div><div class="ramp">${ramp.map((c) => `<i style="background:rgb(${c})"></i>`).join("")}</div>` +
      `<div class="ends"><span>${ends[0]}</span><span>${ends[1]}</span></div>` +
      key(data.colours.unseen, "not observed") + key(data.colours.water, "water") + key("transparent", "not burned");
  }
  for (const [name, { title }] of Object.entries(layers)) {
    const label = document.createElement("label");
    label.innerHTML = `<input type="radio" name="layer" value="${name}"${name === layer ? " checked" : ""}> ${text(title)}`;
    label.firstChild.addEventListener("change", () => { layer = name; legend(); paint(); });
    $("layers").append(label);
  }
  $("show-fires").addEventListener("change", (event) => (event.target.checked ? fires.addTo(map) : map.removeLayer(fires)));
  $("show-lines").addEventListener("change", (event) => (event.target.checked ? lines.addTo(map) : map.removeLayer(lines)));
  $("opacity").addEventListener("input", (event) => overlay.setOpacity(Number(event.target.value)));
  const total = data.daily_ha.reduce((a, b) => a + b, 0);
  $("summary").textContent = `${hectares(total)} burned from ${data.days[0]} to ${data.days[data.days.length - 1]}, ` +
    `${data.fires.length} fires` + (data.block > 1 ? `; each pixel shows the cell of ${data.block} x ${data.block} that burned most` : "");
  map.on("mousemove", (event) => {
    const c = Math.floor(((event.latlng.lng - west) / (east - west)) * cols), r = Math.floor(((north - event.latlng.lat) / (north - south)) * rows);
    if (r < 0 || c < 0 || r >= rows || c >= cols) { $("map").title = ""; return; }
    const cell = r * cols + c, status = dates[4 * cell + 2];
    $("map").title = status === 1 ? `${data.days[dayOf(cell) - 1]} ± ${values[4 * cell + 1]} d, ${layers.confidence.title.toLowerCase()}: ${values[4 * cell]}`
      : ["not burned", "", "not observed", "water"][status];
  });
  chart(); legend(); list();
  map.invalidateSize(); map.fitBounds(bounds);
  show(day);
  document.body.dataset.ready = "yes";
})();
