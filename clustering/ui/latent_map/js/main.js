// The map itself: takes data, keeps the view and the selection, and paints when something changed.

const MOVE_TIME = 500; // milliseconds points take from old to new places
const GATHER = 250; // milliseconds in which arriving pictures wait for one another on a slow machine
const fetched = new Map(); // the last blobs by address, so that a page switch needs no request

async function blobAt(address) {
  if (!fetched.has(address)) {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`The map's data did not come (${answer.status}). Reload the page.`);
    fetched.set(address, unpack(new Uint8Array(await answer.arrayBuffer())));
    if (fetched.size > 8) fetched.delete(fetched.keys().next().value);
  }
  return fetched.get(address);
}

class LatentMap {
  constructor(root) {
    this.options = { n: 0 };
    this.legend = { kind: "groups", title: "", names: [], colours: [] };
    this.camera = new Camera();
    this.palette = [];
    this.groups = [];
    this.groupsBySize = [];
    this.pictures = [];
    this.cards = new Map();
    this.n = 0;
    this.moved = 1;
    this.hovered = -1;
    this.selectedCount = 0;
    this.drawn = null;
    this.spot = null;
    this.turn = 0;
    this.kept = { tool: "pan", pictures: true, legend: null, views: {}, hidden: {} };
    this.panel = new Panel(root, this);
    this.links = new TrueNeighbours(this);
    this.edges = new NodeLinks(this);
    this.marks = new Marks(this);
    this.overlay = new Overlay(this.panel.above);
    this.chooser = new PictureChooser(this);
    this.makePainter();
    this.input = new Input(this);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.panel.stage);
    this.pointed = ({ detail }) => { if (detail.items === this.options.items && detail.from !== this.options.key && detail.index < this.n) this.hover(detail.index, Boolean(detail.from)); };
    addEventListener("studio-point", this.pointed);
  }

  makePainter() {
    try {
      this.painter = new GlPainter(this.panel.canvas);
    } catch (error) {
      console.info(`The map is drawn without WebGL2: ${error.message}`);
      this.painter = new FlatPainter(this.panel.freshCanvas());
    }
    this.panel.frame.dataset.painter = this.painter instanceof GlPainter ? "webgl2" : "canvas";
    this.painter.events.addEventListener("webglcontextlost", (event) => event.preventDefault());
    this.painter.events.addEventListener("webglcontextrestored", () => {
      this.painter.build();
      this.uploadAll();
      this.again();
    });
  }

  // ---- data ----

  async receive(data, send) {
    this.send = send;
    const turn = ++this.turn;
    try {
      let { options, sections } = data instanceof Uint8Array ? unpack(data) : { options: data, sections: null };
      if (!options || (options.signature && options.signature === this.options.signature)) return this.restyle();
      if (!sections) {
        const parts = await Promise.all([blobAt(options.points_url), blobAt(options.layer_url)]);
        if (turn !== this.turn) return undefined; // newer data came meanwhile
        sections = { ...parts[0].sections, ...parts[1].sections };
      }
      this.apply(options, sections);
    } catch (error) {
      this.panel.tell(String(error.message ?? error));
    }
    return undefined;
  }

  apply(options, sections) {
    const before = this.options;
    const first = !before.key;
    this.options = options;
    if (before.key !== options.key) this.kept = kept.of(options.key);
    this.kept.instance = this;
    if (first && this.kept.tedious) {
      this.tedious = true;
      this.hurry();
    }
    this.panel.stage.style.setProperty("--map-height", `${options.height ?? 620}px`);
    this.panel.stage.setAttribute("aria-label", this.spokenTitle(options, sections));
    this.takeLayer(options, sections);
    if (first || before.positions !== options.positions || !this.xy) this.takePositions(before, options, sections);
    this.takePictures(before, options, sections);
    this.marks.take(options.marks ?? []);
    if (before.near_url !== options.near_url || first) this.links.renew();
    if (before.edges_url !== options.edges_url || first) this.edges.renew();
    this.theme = null;
    this.restyle();
    this.panel.tell(
      this.painter.constructor.LARGEST < this.n ? `This browser has no WebGL2: ${FlatPainter.LARGEST.toLocaleString("en")} of ${this.n.toLocaleString("en")} points are drawn.` : "",
    );
    this.panel.showTools();
    this.panel.showSelection();
    this.again();
  }

  spokenTitle(options, sections) {
    const n = sections.codes.length;
    return `${options.title ?? "Map"}: ${plural(n, "item", "items")}, coloured by ${options.legend.title}. `
      + `Arrow keys move, plus and minus zoom, F shows everything, A selects what is in view, N shows true neighbours, ${options.edges_url ? "E shows links, " : ""}Enter opens the ringed item, Escape clears.`;
  }

  takeLayer(options, sections) {
    this.n = sections.codes.length;
    this.legend = options.legend;
    this.codes = sections.codes;
    this.confidence = sections.confidence ?? null;
    this.flags = sections.flags ? sections.flags.slice() : new Uint8Array(this.n);
    const mine = this.kept.selection;
    const current = mine && mine.items === options.items && mine.bits.length === this.n && mine.version === (options.selection_version ?? 0);
    if (current) {
      for (let i = 0; i < this.n; i++) this.flags[i] = (this.flags[i] & ~SELECTED) | (mine.bits[i] ? SELECTED : 0);
    }
    this.keepSelection();
    const hidden = new Set(this.kept.hidden[options.legend.title] ?? []);
    Object.assign(this, readGroups(this.legend, this.codes, this.flags, hidden));
    this.groupsBySize = [...this.groups].sort((a, b) => b.count - a.count);
    this.middles = null;
    this.chooser.renew();
    if (this.order?.length !== this.n) this.order = shuffledOrder(this.n);
    this.painter.setCodes(reordered(this.codes, this.order));
    this.painter.setFlags(reordered(this.flags, this.order));
  }

  takePositions(before, options, sections) {
    const old = this.xy;
    const oldCamera = Object.assign(new Camera(), this.camera);
    const oldMoved = this.moved;
    const oldStart = this.start;
    this.xy = sections.xy;
    const followed = options.live && before.key && !this.kept.views[this.viewKey(before)];
    this.camera.bounds = options.bounds ?? boundsOf(this.xy);
    this.grid = new PointGrid(this.xy, boundsOf(this.xy));
    this.middles = null;
    this.chooser.renew();
    if (followed) this.camera.home();
    else this.camera.restore(this.kept.views[this.viewKey(options)]);
    this.start = this.xy;
    this.moved = 1;
    if (old && old.length === this.xy.length && before.items === options.items && !calm() && this.camera.width) {
      this.start = this.carried(old, oldStart, oldMoved, oldCamera);
      this.moved = 0;
      this.movedSince = performance.now();
    }
    this.uploadPositions();
  }

  /** The positions points are seen at now, written in the coordinates of the new view. */
  carried(old, oldStart, oldMoved, oldCamera) {
    const { camera } = this;
    const ratio = oldCamera.scale / camera.scale;
    const shift = (oldCamera.originX - camera.originX) / camera.scale;
    const made = new Float32Array(old.length);
    for (let at = 0; at < old.length; at += 2) {
      const x = oldStart[at] + (old[at] - oldStart[at]) * oldMoved;
      const y = oldStart[at + 1] + (old[at + 1] - oldStart[at + 1]) * oldMoved;
      made[at] = camera.cx + shift + (x - oldCamera.cx) * ratio;
      made[at + 1] = camera.cy + (y - oldCamera.cy) * ratio;
    }
    return made;
  }

  uploadPositions() {
    if (this.order?.length !== this.n) this.order = shuffledOrder(this.n);
    const now = reordered(this.xy, this.order, 2);
    this.painter.setPositions(this.start === this.xy ? now : reordered(this.start, this.order, 2), now);
    if (this.edges.all) this.edges.upload();
  }

  uploadAll() {
    if (!this.n) return;
    this.uploadPositions();
    this.painter.setCodes(reordered(this.codes, this.order));
    this.painter.setFlags(reordered(this.flags, this.order));
    this.showPalette();
  }

  takePictures(before, options, sections) {
    this.aspects = sections.aspect ?? null;
    const source = options.pictures;
    if (JSON.stringify(source) === JSON.stringify(before.pictures) && before.key) return;
    this.painter.forgetPictures();
    this.chooser.born.clear();
    this.cards.clear();
    this.store = source ? new PictureStore(source, () => this.soon()) : null;
  }

  // ---- looks ----

  restyle() {
    const theme = readTheme(this.panel.frame);
    if (sameTheme(theme, this.theme)) return;
    this.theme = theme;
    this.palette = this.legend.colours.map((colour) => (colour === "ink" ? theme.ink : rgb(colour)));
    this.showPalette();
    this.panel.showLegend();
    this.measure();
    this.again();
  }

  showPalette() {
    this.painter.setPalette(paletteBytes(this.palette, this.groups, this.spot));
    let active = 0;
    for (let i = 0; i < this.n; i++) if (this.isActive(i)) active++;
    this.greyed = active < this.n || this.spot !== null;
  }

  resize() {
    const { stage, canvas, above } = this.panel;
    const [width, height] = [stage.clientWidth, stage.clientHeight];
    if (!width || !height) return;
    this.ratio = Math.min(globalThis.devicePixelRatio || 1, 3);
    this.camera.width = width;
    this.camera.height = height;
    for (const one of [canvas, above]) {
      one.width = Math.round(width * this.ratio);
      one.height = Math.round(height * this.ratio);
    }
    this.panel.frame.classList.toggle("narrow", width < 640);
    const narrow = width < 640;
    if (narrow !== this.narrow) {
      this.narrow = narrow;
      this.panel.showLegend();
      this.panel.showTools();
    }
    this.measure();
    this.paintNow();
  }

  /** Leave room for the legend, which lies over the map when there is width for it. */
  measure() {
    const over = this.legendOpen && !this.narrow && this.camera.width;
    this.camera.inset = over ? this.panel.legend.offsetWidth + 12 : 0;
  }

  get legendOpen() {
    return (this.kept.legend ?? true) && this.options.legend_shown !== false;
  }

  // ---- painting ----

  again() {
    this.stale = true;
    this.trace();
  }

  /** Paint for what can wait a moment: where a frame takes long, several arrivals share one. */
  soon() {
    if (!this.tedious) this.again();
    else this.gathering ??= setTimeout(() => { this.gathering = null; this.again(); }, GATHER);
  }

  /** Draw what lies above the points again (the ring, the line being drawn); points and pictures stay as they are. */
  trace() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (this.stale || !this.scene) this.paintNow();
      else this.overlay.draw(this, this.scene);
    });
  }

  step(now) {
    if (this.moving) {
      const t = Math.min(1, (now - this.moving.since) / 260);
      const { from, to } = this.moving;
      const share = eased(t);
      this.camera.restore({
        cx: from.cx + (to.cx - from.cx) * share,
        cy: from.cy + (to.cy - from.cy) * share,
        zoom: from.zoom * (to.zoom / from.zoom) ** share,
      });
      if (t >= 1) this.moving = null;
      this.again();
    }
    if (this.moved < 1) {
      this.moved = Math.min(1, (now - this.movedSince) / MOVE_TIME);
      this.again();
    }
  }

  paintNow() {
    const { camera } = this;
    if (!this.n || !this.xy || !camera.width || !this.theme) return;
    const now = performance.now();
    this.stale = false;
    this.step(now);
    const spacing = this.chooser.spacing();
    const { pictures, medoids } = this.chooser.choose();
    this.pictures = pictures;
    const busy = Boolean(this.moving) || now - (this.movedAt ?? 0) < 150 || this.moved < 1;
    const scene = {
      camera, pictures, medoids,
      ratio: this.ratio,
      moved: eased(this.moved),
      size: this.pointSize(spacing),
      alpha: clamp(0.95 - (6 - spacing) * 0.05, 0.6, 0.95),
      count: this.affordable(busy, now),
      lineAlpha: this.edges.alpha,
      haze: this.n > 4000 && !(busy && this.tedious) ? 0.5 * clamp((6 - spacing) / 4, 0, 1) : 0,
      hazeGain: (0.05 * spacing ** 2),
      shapes: Boolean(this.legend.shapes),
      greyed: this.greyed,
      selecting: this.selectedCount > 0,
      border: medoids ? 2 : 1.5,
      grey: this.theme.grey.map((value) => value / 255),
      unassigned: this.theme.unassigned.map((value) => value / 255),
      ink: this.theme.ink.map((value) => value / 255),
    };
    this.scene = scene;
    this.painter.draw(scene);
    if (!busy) this.tedious = this.kept.tedious = performance.now() - now > 40; // without a graphics processor the call waits for the picture
    this.overlay.draw(this, scene);
    if (!this.panel.card.hidden && this.hovered >= 0) this.panel.placeCard(this.hovered);
    this.panel.frame.dataset.frames = String(Number(this.panel.frame.dataset.frames ?? 0) + 1);
    this.panel.frame.dataset.pictures = String(pictures.length);
  }

  pointSize(spacing) {
    const size = clamp(spacing * 0.3, 1.7, 8.5);
    return this.legend.shapes && this.n <= 5000 ? Math.max(7, size * 1.15) : size;
  }

  /** While the view moves on a slow machine fewer points are drawn; all of them once it rests. */
  affordable(busy, now) {
    const took = now - (this.lastFrame ?? now);
    this.lastFrame = now;
    if (!busy) {
      this.share = Math.min(1, (this.share ?? 1) * 1.5);
      return this.n;
    }
    if (took > 45 && took < 2000) this.share = Math.max(0.08, (this.share ?? 1) * 0.7);
    return Math.max(Math.min(this.n, 20000), Math.round(this.n * (this.share ?? 1)));
  }

  free() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.waiting);
    clearTimeout(this.settling);
    clearTimeout(this.gathering);
    this.observer.disconnect();
    removeEventListener("studio-point", this.pointed);
    this.painter.free();
  }
}

Object.assign(LatentMap.prototype, questions, doing);

/** Streamlit calls this for new data and for a new theme; the map itself lives on the element it is given. */
export default function latentMap({ data, parentElement, setStateValue }) {
  parentElement.latentMap ??= new LatentMap(parentElement);
  const map = parentElement.latentMap;
  map.receive(data, setStateValue);
  return () => {
    map.free();
    delete parentElement.latentMap;
    map.panel.frame.remove();
  };
}
