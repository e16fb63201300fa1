// The true neighbours of one item: lines to them, whole or broken, and crosses on those only the map makes neighbours.

const TRUE_SPACES = { latent: "Latent space", features: "Features" };
const KINDS = {
  kept: (count) => `${count} near in truth and here`,
  missing: (count) => `${count} missing: near in truth, far here`,
  wrong: (count) => `${count} false: near here, far in truth`,
};

class TrueNeighbours {
  constructor(map) {
    this.map = map;
    this.answers = new Map();
    this.item = -1;
    this.near = null;
    this.key = element("div", { class: "near", hidden: true, role: "group", "aria-label": "True neighbours" });
    map.panel.frame.append(this.key);
  }

  get offered() {
    return Boolean(this.map.options.near_url);
  }

  get on() {
    return this.offered && Boolean(this.map.kept.near);
  }

  get space() {
    return this.map.kept.nearSpace ?? this.map.options.near_space ?? "latent";
  }

  toggle(on = !this.on) {
    const { map } = this;
    map.kept.near = on;
    if (on && map.edges.on) map.edges.toggle(false); // one key at a time
    kept.save(map.options.key);
    map.panel.showTools();
    this.showKey();
    if (on) this.look(map.hovered >= 0 ? map.hovered : this.item, true);
    map.trace();
  }

  choose(space) {
    this.map.kept.nearSpace = space;
    kept.save(this.map.options.key);
    this.showKey();
    this.map.trace();
  }

  /** Another map or another run: what was found is no longer what is asked. */
  renew() {
    this.near = null;
    this.answers.clear();
    this.showKey();
    this.look(this.item, true);
  }

  /** Look from another item; the last one stays until then. */
  async look(item, again = false) {
    if (item < 0 || item >= this.map.n || (item === this.item && !again)) return;
    this.item = item;
    this.near = null;
    if (!this.on) return;
    const [near, said] = await Promise.all([this.found(item), this.map.cardOf(item)]);
    if (this.item !== item || !near) return;
    this.near = near;
    this.title = said.title || `Item ${item + 1}`;
    this.showKey();
    const { kept: both, missing, wrong } = this.sorted();
    this.map.panel.say(`${this.title}: ${[KINDS.kept(both.length), KINDS.missing(missing.length), KINDS.wrong(wrong.length)].join(", ")}`);
    this.map.trace();
  }

  async found(item) {
    const address = this.map.options.near_url.replace("{index}", item);
    if (!this.answers.has(address)) {
      try {
        const answer = await fetch(address);
        if (!answer.ok) return null;
        this.answers.set(address, await answer.json());
      } catch {
        return null; // no connection: the lines of the next item may come again
      }
      if (this.answers.size > 200) this.answers.delete(this.answers.keys().next().value);
    }
    return this.answers.get(address);
  }

  sorted() {
    const here = new Set(this.near.map);
    const truly = this.near[this.space] ?? [];
    const truth = new Set(truly);
    return {
      kept: truly.filter((item) => here.has(item)),
      missing: truly.filter((item) => !here.has(item)),
      wrong: this.near.map.filter((item) => !truth.has(item)),
    };
  }

  // ---- looks ----

  showKey() {
    this.key.hidden = !this.on;
    if (!this.on) return;
    const { near } = this;
    const spaces = element("div", { class: "spaces", role: "group", "aria-label": "Neighbours in" });
    for (const [space, name] of Object.entries(TRUE_SPACES)) {
      spaces.append(element("button", { type: "button", "aria-pressed": String(space === this.space), onclick: () => this.choose(space) }, name));
    }
    const found = near ? this.sorted() : null;
    const lines = Object.entries(KINDS).map(([kind, words]) => element("div", { class: "line" }, sign(kind), found ? words(found[kind].length) : ""));
    this.key.replaceChildren(
      element("div", { class: "heading" }, near ? this.title : "Point at a work, or open one."),
      ...(near ? lines : []),
      spaces,
    );
  }

  draw(context, scene) {
    if (!this.on || !this.near) return;
    const { kept: both, missing, wrong } = this.sorted();
    for (const item of missing) this.line(context, item, true);
    for (const item of both) this.line(context, item, false);
    for (const [kind, items] of [["wrong", wrong], ["missing", missing], ["kept", both]]) {
      for (const item of items) this.mark(context, kind, item, scene);
    }
  }

  place(item) {
    const [x, y] = this.map.positionOf(item);
    return [this.map.camera.screenX(x), this.map.camera.screenY(y)];
  }

  line(context, item, broken) {
    const { theme } = this.map;
    context.beginPath();
    context.moveTo(...this.place(this.item));
    context.lineTo(...this.place(item));
    context.lineWidth = 4;
    context.strokeStyle = css(theme.paper, 0.75);
    context.stroke();
    context.lineWidth = 1.6;
    context.strokeStyle = css(broken ? theme.accent : theme.ink);
    context.setLineDash(broken ? [5, 4] : []);
    context.stroke();
    context.setLineDash([]);
  }

  /** A disc where item and map agree, an open diamond where the map is too far, a cross where it is too near. */
  mark(context, kind, item, scene) {
    const { theme } = this.map;
    const picture = scene.pictures.find((one) => one.item === item);
    const [x, y] = picture ? [picture.left + picture.width, picture.top] : this.place(item);
    context.beginPath();
    context.arc(x, y, kind === "kept" ? 5.5 : 6.5, 0, 7);
    context.fillStyle = css(theme.paper, 0.85);
    context.fill();
    context.fillStyle = css(theme.ink);
    context.strokeStyle = css(kind === "missing" ? theme.accent : theme.ink);
    context.lineWidth = 1.8;
    context.beginPath();
    if (kind === "kept") context.arc(x, y, 3.5, 0, 7);
    else if (kind === "missing") {
      context.moveTo(x, y - 5);
      for (const [dx, dy] of [[5, 0], [0, 5], [-5, 0]]) context.lineTo(x + dx, y + dy);
      context.closePath();
    } else {
      for (const turn of [1, -1]) {
        context.moveTo(x - 4, y - 4 * turn);
        context.lineTo(x + 4, y + 4 * turn);
      }
    }
    if (kind === "kept") context.fill();
    else context.stroke();
  }
}

const SIGNS = { kept: "M1 7h12M17 7a3 3 0 1 0 6 0a3 3 0 1 0-6 0", missing: "M1 7h3M6.5 7h3M12 7h3M20 2.5 24.5 7 20 11.5 15.5 7Z", wrong: "M16 3l8 8M24 3l-8 8" };

function sign(kind) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("viewBox", "0 0 26 14");
  drawing.setAttribute("aria-hidden", "true");
  drawing.setAttribute("data-kind", kind);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SIGNS[kind]);
  drawing.append(path);
  return drawing;
}
