// The links of a graph: those of one node, drawn above the points, or all of them in one call below.

const MOST_LINKS = 20000; // drawn at once; more are a grey fog that says nothing

class NodeLinks {
  constructor(map) {
    this.map = map;
    this.item = -1;
    this.ends = null;
    this.key = element("div", { class: "near", hidden: true, role: "group", "aria-label": "Links" });
    map.panel.frame.append(this.key);
  }

  get offered() {
    return Boolean(this.map.options.edges_url);
  }

  get on() {
    return this.offered && Boolean(this.map.kept.edges);
  }

  get count() {
    return this.ends ? this.ends.length / 2 : 0;
  }

  get all() {
    return this.on && Boolean(this.map.kept.allEdges) && this.count > 0 && this.count <= MOST_LINKS;
  }

  async toggle(on = !this.on) {
    const { map } = this;
    map.kept.edges = on;
    if (on && map.links.on) map.links.toggle(false); // one key at a time
    kept.save(map.options.key);
    map.panel.showTools();
    this.showKey();
    if (on) await this.load();
    if (on) this.look(map.hovered >= 0 ? map.hovered : this.item, true);
    this.upload();
  }

  chooseAll(all) {
    this.map.kept.allEdges = all;
    kept.save(this.map.options.key);
    this.showKey();
    this.upload();
  }

  /** Another collection: other links. */
  renew() {
    this.ends = null;
    this.item = -1;
    this.showKey();
    if (this.on) this.load().then(() => this.upload());
  }

  async load() {
    const address = this.map.options.edges_url;
    if (this.ends || !address) return;
    try {
      const { sections } = await blobAt(address);
      if (address !== this.map.options.edges_url) return;
      this.ends = sections.edges;
    } catch {
      return; // no connection: the next toggle asks again
    }
    this.sort();
    this.showKey();
  }

  /** Lay the neighbours of each node side by side, so that one node's are found at once. */
  sort() {
    const { ends, map } = this;
    this.starts = new Uint32Array(map.n + 1);
    for (const end of ends) this.starts[end + 1]++;
    for (let i = 0; i < map.n; i++) this.starts[i + 1] += this.starts[i];
    const next = this.starts.slice();
    this.near = new Uint32Array(ends.length);
    for (let at = 0; at < ends.length; at += 2) {
      this.near[next[ends[at]]++] = ends[at + 1];
      this.near[next[ends[at + 1]]++] = ends[at];
    }
  }

  neighbours() {
    return this.ends && this.item >= 0 ? this.near.subarray(this.starts[this.item], this.starts[this.item + 1]) : [];
  }

  /** Look from another node; the last one stays until then. */
  async look(item, again = false) {
    if (item < 0 || item >= this.map.n || (item === this.item && !again)) return;
    this.item = item;
    if (!this.on) return;
    const said = await this.map.cardOf(item);
    if (this.item !== item) return;
    this.title = said.title || `Item ${item + 1}`;
    this.showKey();
    this.map.panel.say(`${this.title}: ${this.told()}`);
    this.map.trace();
  }

  told() {
    const near = this.neighbours();
    const own = this.map.codes[this.item];
    const alike = near.filter((item) => this.map.codes[item] === own).length;
    return `${plural(near.length, "neighbour", "neighbours")}, ${alike.toLocaleString("en")} of its colour`;
  }

  /** Give the painter the ends of all links, or none. */
  upload() {
    const { map, ends } = this;
    if (!this.all || !map.xy) map.painter.setLines(null, null);
    else {
      const [before, now] = [map.start, map.xy].map((places) => {
        const made = new Float32Array(ends.length * 2);
        for (let at = 0; at < ends.length; at++) {
          made[2 * at] = places[2 * ends[at]];
          made[2 * at + 1] = places[2 * ends[at] + 1];
        }
        return made;
      });
      map.painter.setLines(before, now);
    }
    map.again();
  }

  get alpha() {
    return clamp(7 / Math.sqrt(Math.max(this.count, 1)), 0.05, 0.4);
  }

  // ---- looks ----

  showKey() {
    this.key.hidden = !this.on;
    if (!this.on) return;
    const choice = (all, words) => element("button", { type: "button", "aria-pressed": String(all === this.all), onclick: () => this.chooseAll(all) }, words);
    const many = this.count > MOST_LINKS;
    this.key.replaceChildren(
      element("div", { class: "heading" }, this.item >= 0 && this.title ? this.title : "Point at a node, or open one."),
      element("div", { class: "line" }, this.item >= 0 && this.ends ? this.told() : ""),
      many
        ? element("div", { class: "line" }, `${this.count.toLocaleString("en")} links are too many to draw at once.`)
        : element("div", { class: "spaces", role: "group", "aria-label": "Links of" }, choice(false, "Of one node"), choice(true, `All ${this.count.toLocaleString("en")}`)),
    );
  }

  draw(context) {
    if (!this.on || this.item < 0) return;
    const { map } = this;
    const place = (item) => {
      const [x, y] = map.positionOf(item);
      return [map.camera.screenX(x), map.camera.screenY(y)];
    };
    const from = place(this.item);
    const near = this.neighbours();
    for (const [width, colour] of [[4, css(map.theme.paper, 0.7)], [1.4, css(map.theme.ink)]]) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.beginPath();
      for (const item of near) {
        context.moveTo(...from);
        context.lineTo(...place(item));
      }
      context.stroke();
    }
    for (const item of near) {
      context.beginPath();
      context.arc(...place(item), 4.5, 0, 7);
      context.fillStyle = css(map.colourOf(item));
      context.fill();
      context.lineWidth = 1.5;
      context.strokeStyle = css(map.theme.ink);
      context.stroke();
    }
  }
}
