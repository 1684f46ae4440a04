"use strict";
(async function () {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const make = (html) => { const holder = document.createElement("template"); holder.innerHTML = html; return holder.content.firstChild; };
  const text = (value) => { const span = document.createElement("span"); span.textContent = value; return span.innerHTML; };
  const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
  const hectares = (value) => (value > 0 && value < 10 ? value.toFixed(1) : whole.format(value)) + " ha";
  const { days } = data, last = days.length - 1;
  const cells = await readCells(data);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  // Layers: the colour of each value.
  const packed = (hex, alpha = 255) => ((alpha << 24) | (parseInt(hex.slice(5, 7), 16) << 16) | (parseInt(hex.slice(3, 5), 16) << 8) | parseInt(hex.slice(1, 3), 16)) >>> 0;
  const layers = {
    dates: { said: "burn_date", ramp: data.colours.dates, ends: [days[0], days[last]], index: (cell) => cells.day[cell] - 1, burned: true },
    confidence: { said: "confidence", ramp: data.colours.confidence, ends: ["0", "100"], index: (cell) => cells.confidence[cell] },
    uncertainty: { said: "uncertainty", ramp: data.colours.uncertainty, ends: ["0", "31 and more"], index: (cell) => Math.min(cells.uncertainty[cell], 31), burned: true },
    observed: { said: "observed_days", ramp: data.colours.uncertainty.slice().reverse(), ends: ["0", String(days.length)],
      index: (cell) => Math.round(31 * Math.min(cells.observed[cell] / days.length, 1)) },
  };
  for (const one of Object.values(layers)) {
    [one.title, one.text] = data.said[one.said];
    one.packed = one.ramp.map((hex) => packed(hex));
  }
  const WATER = packed(data.colours.water, 150), UNSEEN = packed(data.colours.unseen, 170);
  let layer = "dates", day = last;
  function colour(cell) {
    const status = cells.status[cell], { packed: ramp, index, burned } = layers[layer];
    if (status === -2) return WATER;
    if (layer === "observed") return ramp[index(cell)];
    if (status === 1 && cells.day[cell] - 1 <= day) return ramp[index(cell)];
    if (status === -1) return UNSEEN;
    return !burned && status === 0 && cells.confidence[cell] > 0 ? ramp[cells.confidence[cell]] : 0;
  }

  // Map.
  const [west, south, east, north] = data.box;
  const bounds = [[Math.max(south, -85), west], [Math.min(north, 85), east]];
  const map = L.map("map", { zoomSnap: 0.25, minZoom: 1, maxZoom: 16, preferCanvas: true });
  map.attributionControl.setPrefix("");
  map.fitBounds(bounds);
  // Leaflet passes over a view that is asked for while another still moves: ours waits for its end, and the last one counts.
  let moving = false, next = null, done = null;
  map.on("zoomstart", () => { moving = true; });
  map.on("moveend", () => {
    const go = next, then = done;
    moving = false; next = done = null;
    if (go) go();
    else if (then) then();
  });
  function look(box, options, then = null) {
    const go = () => { moving = true; done = then; map.fitBounds(box, options); };
    if (moving) next = go;
    else go();
  }
  const overlay = new CellLayer(cells, colour, { bounds, opacity: 0.9, maxZoom: 16, noWrap: true }).addTo(map);
  const line = (kind, style) => L.geoJSON(
    data.outlines[kind].map((coordinates) => ({ type: "LineString", coordinates })),
    { style: { ...style, interactive: false }, interactive: false, attribution: "Natural Earth" });
  const lines = L.layerGroup([
    line("coast", { color: "#4a6a85", weight: 1 }), line("border", { color: "#7d7d85", weight: 1, dashArray: "4 3" }),
  ]).addTo(map);
  L.rectangle(bounds, { color: "#7d7d85", weight: 1, fill: false, interactive: false }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  const home = L.control({ position: "topleft" });
  home.onAdd = () => {
    const bar = make('<div class="leaflet-bar"><a href="#map" role="button" title="Whole region" aria-label="Whole region"><span aria-hidden="true">&#x2922;</span></a></div>');
    L.DomEvent.disableClickPropagation(bar).on(bar, "click", (event) => { L.DomEvent.preventDefault(event); map.closePopup(); look(bounds); });
    return bar;
  };
  home.addTo(map);
  const bases = {
    osm: ["https://tile.openstreetmap.org/{z}/{x}/{y}.png", { maxZoom: 19, attribution: "© OpenStreetMap contributors" }],
    gibs: ["https://gibs.earthdata.nasa.gov/wmts/epsg3857/best/BlueMarble_ShadedRelief_Bathymetry/default/GoogleMapsCompatible_Level8/{z}/{y}/{x}.jpeg",
      { maxNativeZoom: 8, attribution: "NASA EOSDIS GIBS" }],
  };
  let base = null;
  $("base").addEventListener("change", (event) => {
    if (base) map.removeLayer(base);
    const wanted = bases[event.target.value];
    base = wanted ? L.tileLayer(...wanted).addTo(map).bringToBack() : null;
    restyle();
  });

  // 0 is the day itself, half a day either way.
  const within = (days) => days < 0 ? "not known" : days ? `± ${days} d` : "± half a day";

  // The cell under the pointer, in words.
  function said({ lat, lng }) {
    const east = lng - west - 360 * Math.floor((lng - west) / 360);
    const r = Math.floor((north - lat) / data.cell), c = Math.floor(east / data.cell), cell = r * cells.cols + c;
    if (r < 0 || c < 0 || r >= cells.rows || c >= cells.cols) return "";
    const [place, status] = [`${lat.toFixed(3)}, ${L.Util.wrapNum(lng, [-180, 180]).toFixed(3)}: `, cells.status[cell]];
    if (status < 0) return place + (status === -1 ? "not observed" : "water");
    const [likely, seen] = [`confidence ${cells.confidence[cell]} %`, `seen on ${cells.observed[cell]} days`];
    const spread = cells.uncertainty[cell] < 255 ? ` ${within(cells.uncertainty[cell])}` : "";
    return place + (status === 1 ? `burned ${days[cells.day[cell] - 1]}${spread}, ` : "not burned, ") + `${likely}, ${seen}`;
  }
  map.on("mousemove click", (event) => { $("cell").textContent = said(event.latlng); });

  // Fires.
  const byId = new Map(), started = [], MARKED = { color: "#d4380d", weight: 3 };
  let chosen = null;
  const outline = () => ({ color: dark.matches && !base ? "#ececf0" : "#26262a", weight: map.getZoom() < 7 ? 0.7 : 1.5, fillOpacity: 0.02 });
  const restyle = () => { fires.setStyle(outline()); if (chosen) byId.get(chosen).setStyle(MARKED); };
  function told(fire) {
    const p = fire.properties;
    const facts = [["First day", p.start], ["Last day", p.end], ["Days", p.days], ["Area", hectares(p.area_ha)],
      ["Largest day", p.peak_day ? `${p.peak_day}, ${hectares(p.peak_ha)}` : ""],
      ["Date uncertainty", within(p.date_unc)], ["Status", p.status]];
    return `<b>${text(p.id)}</b><table>` + facts.filter(([, v]) => v)
      .map(([k, v]) => `<tr><td>${k}</td><td>${text(v)}</td></tr>`).join("") + `</table>` + sparkline(fire.growth);
  }
  function sparkline(growth) {
    if (!growth.length) return "";
    const first = growth[0][0], most = Math.max(...growth.map(([, ha]) => ha));
    const wide = 190, step = wide / (growth[growth.length - 1][0] - first + 1);
    return `<svg width="${wide}" height="34" role="img" aria-label="Growth by day">` + growth.map(([d, ha]) =>
      `<rect x="${(d - first) * step}" y="${32 - 30 * ha / most}" width="${Math.max(1, step - 1)}" height="${30 * ha / most}" fill="var(--accent)"><title>${days[d]}: ${hectares(ha)}</title></rect>`).join("") + "</svg>";
  }
  // Shapes are cut at 180 degrees, as files ask for; the region goes on beyond it. West of it lies nothing but rounding.
  const placed = ([lng, lat]) => L.latLng(lat, lng < west - 1e-5 ? lng + 360 : lng);
  const fires = L.geoJSON({ type: "FeatureCollection", features: data.fires }, {
    style: outline,
    coordsToLatLng: placed,
    onEachFeature(fire, shape) {
      const p = fire.properties;
      byId.set(p.id, shape); started.push([p.start, shape]);
      shape.bindTooltip(() => `${text(p.id)}<br>${p.start} to ${p.end}, ${hectares(p.area_ha)}`, { sticky: true });
      shape.bindPopup(() => told(fire), { maxWidth: 280 });
      shape.on("popupopen", () => choose(p.id, false));
    },
  }).addTo(map);
  dark.addEventListener("change", restyle);
  map.on("zoomend", restyle);
  const there = (from) => from <= days[day];
  function draw() {  // those that have begun by the day of the slider
    for (const [from, shape] of started)
      if (there(from) !== fires.hasLayer(shape)) there(from) ? fires.addLayer(shape) : fires.removeLayer(shape);
  }
  function choose(id, zoom) {
    if (chosen) byId.get(chosen).setStyle(outline());
    chosen = id;
    const shape = byId.get(id);
    if (zoom && !there(shape.feature.properties.start)) show(last);
    shape.setStyle(MARKED);
    for (const row of $("rows").children) row.setAttribute("aria-selected", String(row.dataset.id === id));
    const row = [...$("rows").children].find((one) => one.dataset.id === id);
    const { start, end, area_ha } = shape.feature.properties;
    $("told").textContent = `${id}: ${hectares(area_ha)}, ${start} to ${end}`;
    if (row && !zoom) {  // within the list: the page itself stays where it is, on the map
      const list = row.closest(".list"), head = list.querySelector("thead").offsetHeight;
      list.scrollTop = Math.min(row.offsetTop - head, Math.max(list.scrollTop, row.offsetTop + row.offsetHeight - list.clientHeight));
    }
    chart();
    if (zoom) { $("map").scrollIntoView({ block: "nearest" }); look(shape.getBounds(), { maxZoom: 11, padding: [40, 40] }, () => shape.openPopup()); }
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
      for (const [value, kind] of [[p.start], [p.end], [whole.format(p.area_ha), "number"], [p.id, "name"]]) {
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
  $("fires-title").textContent = !data.observed ? "Fires: not known" : data.fires.length === 1 ? "1 fire" : `${whole.format(data.fires.length)} fires`;

  // Downloads, of all fires or of the chosen one.
  const picked = () => (chosen && $("only").checked ? data.fires.filter((f) => f.properties.id === chosen) : data.fires);
  const quoted = (value) => { const s = value == null ? "" : String(value); return /[",\n]/.test(s) ? `"${s.replaceAll('"', '""')}"` : s; };
  const csv = (names, rows) => [names, ...rows].map((row) => row.map(quoted).join(",")).join("\n") + "\n";
  const names = Object.keys(data.fire_columns);
  const rowsOf = (found) => found.map(({ properties }) => names.map((name) => properties[name]));
  const GROWTH = { id: "TEXT", day: "DATE", cells: "INTEGER", area_ha: "REAL", total_ha: "REAL" };
  function grown(found) {
    return found.flatMap(({ properties, growth }) => {
      let total = 0;
      return growth.map(([d, ha, count]) => [properties.id, days[d], count, ha, Math.round(1000 * (total += ha)) / 1000]);
    });
  }
  function tables(found) {
    const [title, about] = data.about.fires, [second, more] = data.about.growth;
    const styles = { f_table_catalog: "", f_table_schema: "", f_table_name: "fires", f_geometry_column: "geom", styleName: "fires", styleQML: data.style,
      styleSLD: "", useAsDefault: 1, description: about, owner: "", ui: "", update_time: new Date().toISOString() };
    const kinds = Object.fromEntries(Object.keys(styles).map((name) => [name, { useAsDefault: "BOOLEAN", update_time: "DATETIME" }[name] || "TEXT"]));
    return [
      { name: "fires", title, about, columns: data.fire_columns, rows: rowsOf(found), shapes: found.map((fire) => fire.geometry) },
      { name: "growth", title: second, about: more, columns: GROWTH, rows: grown(found) },
      { name: "layer_styles", title: "layer_styles", about: "", columns: kinds, rows: [Object.values(styles)] },
    ];
  }
  const plain = ({ type, properties, geometry }) => ({ type, properties, geometry });
  const files = [
    ["GeoPackage", "fires.gpkg", "application/geopackage+sqlite3", (found) => geopackage(tables(found))],
    ["GeoJSON", "fires.geojson", "application/geo+json", (found) => JSON.stringify({ type: "FeatureCollection", features: found.map(plain) })],
    ["CSV", "fires.csv", "text/csv", (found) => csv(names, rowsOf(found))],
    ["Growth, CSV", "growth.csv", "text/csv", (found) => csv(Object.keys(GROWTH), grown(found))],
  ];
  if (data.fires.length) {
    for (const [label, name, type, content] of files) {
      const button = make(`<button type="button">${label}</button>`);
      button.addEventListener("click", () => {
        const found = picked(), address = URL.createObjectURL(new Blob([content(found)], { type }));
        const link = document.createElement("a"), one = chosen && $("only").checked;
        link.href = address; link.download = `${one ? chosen : data.name}_${name}`; link.click();
        setTimeout(() => URL.revokeObjectURL(address), 1000);
      });
      $("downloads").append(button);
    }
    $("downloads").append(make('<label><input type="checkbox" id="only"> only the chosen fire</label>'));
  }

  // Days.
  const slider = $("day");
  slider.max = String(last);
  const daily = data.daily_ha.map((ha) => ha ?? 0), mapped = (d) => data.daily_ha[d] != null;
  const dayText = (d, after) => mapped(d) ? hectares(daily[d]) + after : "no map of this day";
  const before = daily.reduce((sums, ha) => [...sums, sums[sums.length - 1] + ha], [0]).slice(1);
  const seenText = (d) => !data.seen ? "" : data.seen[d] == null ? "; not seen" : `; ${Math.round(100 * data.seen[d])} % of the land seen`;
  function show(next) {
    day = next;
    slider.value = String(day);
    slider.setAttribute("aria-valuetext", `${days[day]}, ` + (data.observed ? dayText(day, " burned that day") + seenText(day) : "not observed"));
    $("when").textContent = `${days[day]}: ` + (data.observed ? `${dayText(day, " that day")}, ${hectares(before[day])} so far` + seenText(day) : "not observed");
    draw();
    for (const bar of document.querySelectorAll("#chart .bar")) bar.dataset.when = Number(bar.dataset.day) === day ? "now" : Number(bar.dataset.day) < day ? "past" : "coming";
    overlay.repaint();
  }
  slider.addEventListener("input", () => show(Number(slider.value)));
  let timer = null;
  function play(on) {
    clearInterval(timer);
    timer = on ? setInterval(() => (day < last ? show(day + 1) : play(false)), 350) : null;
    if (on && day === last) show(0);
    $("play").textContent = on ? "Stop" : "Play";
    $("play").setAttribute("aria-pressed", String(on));
    $("when").setAttribute("aria-live", on ? "off" : "polite");
  }
  $("play").addEventListener("click", () => play(timer === null));

  // Hectares by day of all fires, those of the chosen one in front, and below how much of the land was seen.
  function chart() {
    const own = new Map(chosen ? byId.get(chosen).feature.growth.map(([d, ha]) => [d, ha]) : []);
    const most = Math.max(...daily, 1), step = 1000 / days.length, high = 64;
    const bar = (kind, d, ha) => {
      const tall = ha > 0 ? Math.max(1.5, (high * ha) / most) : 0;
      return `<rect class="${kind}" data-day="${d}" x="${d * step}" y="${high - tall + 2}" width="${step * 0.86}" height="${tall}"></rect>`;
    };
    const bars = daily.map((ha, d) => bar("bar", d, ha) + bar("own", d, own.get(d) || 0) +
      `<rect class="hit" data-day="${d}" x="${d * step}" y="0" width="${step}" height="${high + 16}"><title>${days[d]}: ${dayText(d, "")}${own.has(d) ? `, ${hectares(own.get(d))} of ${text(chosen)}` : ""}${seenText(d)}</title></rect>`);
    const strip = !data.seen ? [] : data.seen.map((s, d) =>
      `<rect class="${s == null ? "unseen" : "seen"}" x="${d * step}" y="${high + 6}" width="${step * 0.86}" height="8" opacity="${s == null ? 0.9 : 0.12 + 0.88 * s}"></rect>`);
    const holes = daily.flatMap((_, d) => mapped(d) ? [] : [`<rect class="unmapped" x="${d * step}" y="0" width="${step}" height="${high + 2}"></rect>`]);
    $("chart").innerHTML = `<svg viewBox="0 0 1000 ${high + 16}" preserveAspectRatio="none" aria-hidden="true">${holes.join("")}${strip.join("")}${bars.join("")}</svg>`;
    $("most").textContent = !data.observed ? "not observed" : `ha a day, at most ${whole.format(most)}` + (chosen ? `; in front ${chosen}` : "");
    $("axis").replaceChildren(...[0, Math.floor(last / 2), last].map((d) => make(`<span>${days[d]}</span>`)));
    const key = (kind, words) => make(`<span class="key"><i class="${kind}"></i>${words}</span>`);
    $("keys").replaceChildren(...(data.seen ? [key("seen", "land seen that day, the stronger the more"), key("unseen", "not seen")] : []),
      ...(holes.length ? [key("unmapped", "no map of this day")] : []));
    const peak = daily.indexOf(Math.max(...daily));
    $("chart").setAttribute("aria-label", !data.observed ? "Hectares burned on each day: not observed" : `Hectares burned on each day, at most ${hectares(daily[peak])} on ${days[peak]}`);
    for (const one of document.querySelectorAll("#chart .bar")) one.dataset.when = Number(one.dataset.day) === day ? "now" : Number(one.dataset.day) < day ? "past" : "coming";
  }
  $("chart").addEventListener("click", (event) => { const d = event.target.dataset?.day; if (d !== undefined) show(Number(d)); });

  // Legend, layers.
  function legend() {
    const { text: words, ramp, ends } = layers[layer];
    const key = (shade, word) => `<span class="key"><i style="background:${shade}"></i>${word}</span>`;
    $("legend").innerHTML = `<div>${text(words)}</div><div class="ramp">${ramp.map((c) => `<i style="background:${c}"></i>`).join("")}</div>` +
      `<div class="ends"><span>${ends[0]}</span><span>${ends[1]}</span></div>` +
      key(data.colours.unseen, "not observed") + key(data.colours.water, "water") + key("transparent", "not burned");
  }
  for (const [name, { title }] of Object.entries(layers)) {
    const label = make(`<label><input type="radio" name="layer" value="${name}"${name === layer ? " checked" : ""}> ${text(title)}</label>`);
    label.firstChild.addEventListener("change", () => { layer = name; legend(); overlay.repaint(); });
    $("layers").append(label);
  }
  $("show-fires").addEventListener("change", (event) => (event.target.checked ? fires.addTo(map) : map.removeLayer(fires)));
  $("show-lines").addEventListener("change", (event) => (event.target.checked ? lines.addTo(map) : map.removeLayer(lines)));
  $("opacity").addEventListener("input", (event) => overlay.setOpacity(Number(event.target.value)));
  $("summary").textContent = (data.observed ? `${hectares(before[last])} burned` : "Not observed") + ` from ${days[0]} to ${days[last]}` +
    (data.observed ? `, ${$("fires-title").textContent}` : "") + (data.block > 1 ? `; each cell shows that of ${data.block} x ${data.block} that burned most` : "");
  chart(); legend(); list();
  map.invalidateSize(); map.fitBounds(bounds);
  show(day);
  document.body.dataset.ready = "yes";
})();
