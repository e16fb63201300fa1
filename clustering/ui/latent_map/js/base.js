// What every part of the map uses: numbers, colours, the theme, and the container the points travel in.

const MISSING = 65535; // the code of an item without a group
const FILTERED = 1; // flag: left out by a filter on the server
const SELECTED = 2; // flag: in the selection
const COLOURS_A_ROW = 256; // width of the palette texture
const SHAPES = 8; // circle, square, diamond, triangle up and down, cross, x, star: as charts/palette.py has them

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const eased = (t) => (t < 0.5 ? 4 * t * t * t : 1 - (-2 * t + 2) ** 3 / 2);
const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const plural = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
const newToken = () => `${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;

const TYPES = { f32: Float32Array, u32: Uint32Array, u16: Uint16Array, u8: Uint8Array };

/** Read the container that blob.py writes: options, number of items and named sections. */
function unpack(bytes) {
  const whole = bytes.byteOffset % 8 ? bytes.slice() : bytes;
  const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength);
  if (view.getUint32(0, false) !== 0x4443534d) throw new Error("These bytes are not a latent map.");
  const length = view.getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(whole.subarray(8, 8 + length)));
  const sections = {};
  let offset = 8 + length;
  for (const [name, type, size] of header.sections) {
    sections[name] = new TYPES[type](whole.buffer, whole.byteOffset + offset, size);
    offset += Math.ceil((size * TYPES[type].BYTES_PER_ELEMENT) / 8) * 8;
  }
  return { n: header.n, options: header.options, sections };
}

let colourProbe = null;

/** Any CSS colour as [red, green, blue], 0..255. */
function rgb(css) {
  colourProbe ??= document.createElement("canvas").getContext("2d");
  colourProbe.fillStyle = "#888888";
  colourProbe.fillStyle = css;
  const found = colourProbe.fillStyle;
  if (found[0] === "#") return [1, 3, 5].map((at) => parseInt(found.slice(at, at + 2), 16));
  return found.match(/[\d.]+/g).slice(0, 3).map(Number);
}

const css = (colour, alpha = 1) => `rgba(${colour.map(Math.round).join(",")},${alpha})`;
const mixed = (a, b, share) => a.map((value, at) => value + (b[at] - value) * share);

/** The colours and fonts Streamlit gives the page, read from its variables. */
function readTheme(host) {
  const style = getComputedStyle(host);
  const value = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  const paper = rgb(value("--st-background-color", "#FAF8F4"));
  const ink = rgb(value("--st-text-color", "#1F1D1A"));
  return {
    paper,
    ink,
    surface: rgb(value("--st-secondary-background-color", "#FFFFFF")),
    accent: rgb(value("--st-primary-color", "#A33B20")),
    grey: mixed(paper, ink, 0.16),
    unassigned: mixed(paper, ink, 0.34),
    sans: value("--st-font", "sans-serif"),
    serif: value("--st-heading-font", "serif"),
  };
}

const sameTheme = (a, b) => a && JSON.stringify(a) === JSON.stringify(b);

/** What a person set on a map and would want back after a rerun, a page switch or a reload. */
const kept = {
  maps: (globalThis.__studioLatentMaps ??= new Map()),
  of(key) {
    if (!this.maps.has(key)) {
      let saved = {};
      try {
        saved = JSON.parse(sessionStorage.getItem(`latent-map:${key}`) ?? "{}");
      } catch {
        saved = {}; // storage may be blocked; the map then starts fitted
      }
      this.maps.set(key, { tool: "pan", pictures: true, legend: null, views: {}, hidden: {}, ...saved });
    }
    return this.maps.get(key);
  },
  save(key) {
    const { tool, pictures, legend, views, hidden, near, nearSpace, edges, allEdges } = this.of(key);
    try {
      sessionStorage.setItem(`latent-map:${key}`, JSON.stringify({ tool, pictures, legend, views, hidden, near, nearSpace, edges, allEdges }));
    } catch {
      return; // storage may be full or blocked; the view then lives as long as the page
    }
  },
};
