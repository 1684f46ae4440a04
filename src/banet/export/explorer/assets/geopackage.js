"use strict";
// GeoPackage (OGC 12-128r18), which is an SQLite 3 file, written from tables that the page holds.
// Layout of the file: https://www.sqlite.org/fileformat2.html
const geopackage = (function () {
  const PAGE = 8192, text = new TextEncoder();

  const joined = (parts) => {
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
    return whole;
  };
  const bigEndian = (value, size) => Uint8Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** (size - 1 - i)) & 255);
  function varint(value) {
    if (value === -1) return new Uint8Array(9).fill(255);
    const found = [value & 127];
    for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) found.unshift((rest & 127) | 128);
    return Uint8Array.from(found);
  }

  // A value with its type: null, text, bytes, a whole number or a real one.
  function coded(value) {
    if (value === null || value === undefined) return [0, new Uint8Array()];
    if (value instanceof Uint8Array) return [12 + 2 * value.length, value];
    if (typeof value === "string") { const bytes = text.encode(value); return [13 + 2 * bytes.length, bytes]; }
    const bytes = new Uint8Array(8), view = new DataView(bytes.buffer);
    if (Number.isSafeInteger(value)) { view.setBigInt64(0, BigInt(value)); return [6, bytes]; }
    view.setFloat64(0, value);
    return [7, bytes];
  }
  function record(values) {
    const found = values.map(coded), types = joined(found.map(([type]) => varint(type)));
    return joined([varint(types.length + 1), types, ...found.map(([, bytes]) => bytes)]);
  }

  class Pages {
    constructor() { this.pages = [null]; }
    add(page) { this.pages.push(page); return this.pages.length; }

    // What does not fit into a cell of a table goes into a chain of pages.
    stored(payload) {
      const most = PAGE - 35, least = Math.floor(((PAGE - 12) * 32) / 255) - 23;
      if (payload.length <= most) return payload;
      const some = least + ((payload.length - least) % (PAGE - 4)), local = some <= most ? some : least;
      let next = 0;
      const rest = payload.subarray(local);
      for (let at = Math.floor((rest.length - 1) / (PAGE - 4)) * (PAGE - 4); at >= 0; at -= PAGE - 4) {
        const page = new Uint8Array(PAGE);
        page.set(bigEndian(next, 4)); page.set(rest.subarray(at, at + PAGE - 4), 4);
        next = this.add(page);
      }
      return joined([payload.subarray(0, local), bigEndian(next, 4)]);
    }
  }

  // One page of a tree: kind 13 is a leaf of a table, 5 an inner page of one, 10 a leaf of an index.
  function page(kind, cells, right = 0, from = 0) {
    const bytes = new Uint8Array(PAGE), head = kind === 5 ? 12 : 8;
    let end = PAGE;
    cells.forEach((cell, i) => { end -= cell.length; bytes.set(cell, end); bytes.set(bigEndian(end, 2), from + head + 2 * i); });
    bytes.set([kind, 0, 0, ...bigEndian(cells.length, 2), ...bigEndian(end, 2), 0], from);
    if (kind === 5) bytes.set(bigEndian(right, 4), from + 8);
    return bytes;
  }
  function groups(cells, head) {
    const found = [];
    let room = 0;
    for (const cell of cells) {
      if (room < cell.bytes.length + 2) { found.push([]); room = PAGE - head; }
      found[found.length - 1].push(cell);
      room -= cell.bytes.length + 2;
    }
    return found.length ? found : [[]];
  }
  // The first column of a table with a whole-number key is that key; a record holds null in its place.
  function table(file, rows) {
    const leaves = rows.map(({ key, values }) => {
      const payload = record(values);
      return { key, bytes: joined([varint(payload.length), varint(key), file.stored(payload)]) };
    });
    let level = groups(leaves, 8).map((cells) => ({
      key: cells.length ? cells[cells.length - 1].key : 0, page: file.add(page(13, cells.map((one) => one.bytes))) }));
    while (level.length > 1) {
      const inner = level.map((one) => ({ ...one, bytes: joined([bigEndian(one.page, 4), varint(one.key)]) }));
      level = groups(inner, 12 + 12).map((cells) => {
        const last = cells[cells.length - 1];
        return { key: last.key, page: file.add(page(5, cells.slice(0, -1).map((one) => one.bytes), last.page)) };
      });
    }
    return level[0].page;
  }
  // An index of few short rows: one page, in the order of its bytes.
  function index(file, entries) {
    const cells = entries.slice().sort((a, b) => (a.join("\0") < b.join("\0") ? -1 : 1))
      .map((entry) => { const payload = record(entry); return joined([varint(payload.length), payload]); });
    return file.add(page(10, cells));
  }

  const SCHEMA = {
    gpkg_spatial_ref_sys: "srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL, organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT",
    gpkg_contents: "table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE, description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')), min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER, CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id)",
    gpkg_geometry_columns: "table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL, srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL, CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name), CONSTRAINT uk_gc_table_name UNIQUE (table_name), CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name), CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id)",
  };
  const SYSTEMS = [
    [-1, "Undefined Cartesian SRS", "NONE", -1, "undefined", "undefined Cartesian coordinate reference system"],
    [0, "Undefined geographic SRS", "NONE", 0, "undefined", "undefined geographic coordinate reference system"],
    [4326, "WGS 84 geodetic", "EPSG", 4326,
      'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]', "longitude and latitude in degrees"],
  ];

  function extent(polygons) {
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (const polygon of polygons) for (const [x, y] of polygon[0]) {
      box[0] = Math.min(box[0], x); box[1] = Math.min(box[1], y); box[2] = Math.max(box[2], x); box[3] = Math.max(box[3], y);
    }
    return box;
  }
  const polygonsOf = (geometry) => (geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates);
  function shape(geometry) {
    const polygons = polygonsOf(geometry), [west, south, east, north] = extent(polygons), parts = [];
    const uint = (value) => { const b = new Uint8Array(4); new DataView(b.buffer).setUint32(0, value, true); parts.push(b); };
    const real = (value) => { const b = new Uint8Array(8); new DataView(b.buffer).setFloat64(0, value, true); parts.push(b); };
    parts.push(Uint8Array.of(0x47, 0x50, 0, 3)); uint(4326);  // "GP", little-endian with an envelope
    [west, east, south, north].forEach(real);
    parts.push(Uint8Array.of(1)); uint(6); uint(polygons.length);
    for (const polygon of polygons) {
      parts.push(Uint8Array.of(1)); uint(3); uint(polygon.length);
      for (const ring of polygon) { uint(ring.length); for (const [x, y] of ring) { real(x); real(y); } }
    }
    return joined(parts);
  }

  // tables: [{name, title, about, columns: {name: type}, rows: [[value, ...]], shapes: [geometry] or none}]
  return function (tables) {
    const file = new Pages(), schema = [], now = new Date().toISOString();
    const create = (name, columns, root) => schema.push(["table", name, name, root, `CREATE TABLE "${name}" (${columns})`]);
    const unique = (name, number, entries) => schema.push(["index", `sqlite_autoindex_${name}_${number}`, name, index(file, entries), null]);
    const numbered = (rows) => rows.map((values, i) => ({ key: i + 1, values }));
    const shaped = tables.filter((one) => one.shapes);

    create("gpkg_spatial_ref_sys", SCHEMA.gpkg_spatial_ref_sys,
      table(file, SYSTEMS.map(([key, name, ...more]) => ({ key, values: [name, null, ...more] }))));
    const listed = tables.filter((one) => one.title);
    create("gpkg_contents", SCHEMA.gpkg_contents, table(file, numbered(listed.map((one) => {
      const box = one.shapes ? extent(one.shapes.flatMap(polygonsOf)) : [null, null, null, null];
      return [one.name, one.shapes ? "features" : "attributes", one.title, one.about, now, ...box, one.shapes ? 4326 : null];
    }))));
    unique("gpkg_contents", 1, listed.map((one, i) => [one.name, i + 1]));
    unique("gpkg_contents", 2, listed.map((one, i) => [one.title, i + 1]));
    create("gpkg_geometry_columns", SCHEMA.gpkg_geometry_columns,
      table(file, numbered(shaped.map((one) => [one.name, "geom", "MULTIPOLYGON", 4326, 0, 0]))));
    unique("gpkg_geometry_columns", 1, shaped.map((one, i) => [one.name, "geom", i + 1]));
    unique("gpkg_geometry_columns", 2, shaped.map((one, i) => [one.name, i + 1]));
    for (const one of tables) {
      const columns = ["fid INTEGER PRIMARY KEY NOT NULL", ...(one.shapes ? ["geom MULTIPOLYGON"] : []),
        ...Object.entries(one.columns).map(([name, type]) => `"${name}" ${type}`)];
      create(one.name, columns.join(", "), table(file, numbered(one.rows.map((row, i) =>
        [null, ...(one.shapes ? [shape(one.shapes[i])] : []), ...row]))));
    }
    const cells = schema.map((values, i) => {
      const payload = record(values);
      return joined([varint(payload.length), varint(i + 1), file.stored(payload)]);
    });
    const first = page(13, cells, 0, 100), count = file.pages.length;
    first.set(text.encode("SQLite format 3\0"));
    first.set([...bigEndian(PAGE, 2), 1, 1, 0, 64, 32, 32, ...bigEndian(1, 4), ...bigEndian(count, 4)], 16);
    first.set([...bigEndian(1, 4), ...bigEndian(4, 4)], 40);        // cookie and format of the schema
    first.set(bigEndian(1, 4), 56);                                  // UTF-8
    first.set([...bigEndian(10300, 4), 0, 0, 0, 0, 0x47, 0x50, 0x4b, 0x47], 60);  // GeoPackage 1.3, "GPKG"
    first.set([...bigEndian(1, 4), ...bigEndian(3040000, 4)], 92);
    file.pages[0] = first;
    return joined(file.pages);
  };
})();
