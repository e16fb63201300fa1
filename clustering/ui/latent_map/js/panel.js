// The parts of the map that are ordinary HTML: tools, legend, card, and what is said to a screen reader.

const ICONS = {
  pan: "M8 1v14M1 8h14M8 1 6 3.2M8 1l2 2.2M8 15l-2-2.2M8 15l2-2.2M1 8l2.2-2M1 8l2.2 2M15 8l-2.2-2M15 8l-2.2 2",
  lasso: "M8 2.5c3.6 0 6.3 1.7 6.3 4s-2.7 4-6.3 4c-1.2 0-2.3-.2-3.2-.5M4.8 10C2.9 9.4 1.7 8.1 1.7 6.5c0-2.3 2.7-4 6.3-4M4.8 10a1.5 1.5 0 1 0-.4 2.2c.3 1-.1 1.7-1 2.3",
  box: "M2 4V2h2M7 2h2M12 2h2v2M14 7v2M14 12v2h-2M9 14H7M4 14H2v-2M2 9V7",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
  pictures: "M2 3h12v10H2zM2 11l3.5-4 3 3.5 2-2L14 12M10.5 5.5h.01",
  near: "M6.6 9.2 3.6 5M7.8 8.8 11.4 4.6M8.5 10.6h3.2M6.9 12.3a1.6 1.6 0 1 0 0-3.2a1.6 1.6 0 1 0 0 3.2M3 4.6a1.2 1.2 0 1 0 0-2.4a1.2 1.2 0 1 0 0 2.4M12.3 4.3a1.2 1.2 0 1 0 0-2.4a1.2 1.2 0 1 0 0 2.4M13 11.8a1.2 1.2 0 1 0 0-2.4a1.2 1.2 0 1 0 0 2.4",
  edges: "M3.2 5 8 11M12.8 5 8 11M4.6 3.8h6.8M3 5.2a1.6 1.6 0 1 0 0-3.2a1.6 1.6 0 1 0 0 3.2M13 5.2a1.6 1.6 0 1 0 0-3.2a1.6 1.6 0 1 0 0 3.2M8 14.2a1.6 1.6 0 1 0 0-3.2a1.6 1.6 0 1 0 0 3.2",
  legend: "M2 4h2M2 8h2M2 12h2M7 4h7M7 8h7M7 12h7",
};

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null)); // strings become text nodes, never markup
  return made;
}

function icon(name) {
  const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  drawing.setAttribute("viewBox", "0 0 16 16");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  drawing.append(path);
  return drawing;
}

class Panel {
  constructor(root, map) {
    this.map = map;
    this.canvas = element("canvas", { class: "points", "aria-hidden": "true" });
    this.above = element("canvas", { class: "above", "aria-hidden": "true" });
    this.stage = element("div", { class: "stage", tabindex: "0", role: "application", "aria-roledescription": "map" }, this.canvas, this.above);
    this.tools = element("div", { class: "tools", role: "toolbar", "aria-label": "Map tools" });
    this.legend = element("div", { class: "legend", role: "group" });
    this.card = element("div", { class: "card", hidden: true });
    this.status = element("div", { class: "status", hidden: true });
    this.note = element("div", { class: "note", hidden: true });
    this.live = element("div", { class: "spoken", "aria-live": "polite" });
    this.frame = element("div", { class: "frame" }, this.stage, this.tools, this.legend, this.status, this.note, this.card, this.live);
    root.append(this.frame);
    this.makeTools();
    this.makeStatus();
  }

  /** A canvas that gave a WebGL2 context gives no other one: take a new one. */
  freshCanvas() {
    const fresh = this.canvas.cloneNode();
    this.canvas.replaceWith(fresh);
    this.canvas = fresh;
    return fresh;
  }

  makeTools() {
    const { map } = this;
    this.buttons = {};
    const make = (name, label, action, toggles) => {
      const button = element("button", { type: "button", title: label, "aria-label": label, "data-tool": name, onclick: action }, icon(name));
      if (toggles) button.setAttribute("aria-pressed", "false");
      this.buttons[name] = button;
      return button;
    };
    const group = (...buttons) => this.tools.append(element("div", {}, ...buttons));
    group(
      make("pan", "Move the map (P)", () => map.setTool("pan"), true),
      make("lasso", "Lasso: draw around works (L); Shift adds, Alt takes away", () => map.setTool("lasso"), true),
      make("box", "Box: drag over works (B); Shift adds, Alt takes away", () => map.setTool("box"), true),
    );
    group(
      make("plus", "Closer (+)", () => map.zoomBy(1.6)),
      make("minus", "Further (−)", () => map.zoomBy(1 / 1.6)),
      make("fit", "Show everything (F)", () => map.fit()),
    );
    group(
      make("pictures", "Pictures on the map", () => map.setPictures(!map.kept.pictures), true),
      make("near", "Show true neighbours (N)", () => map.links.toggle(), true),
      make("edges", "Show links (E)", () => map.edges.toggle(), true),
      make("legend", "Legend", () => map.setLegend(!map.legendOpen), true),
    );
  }

  makeStatus() {
    const { map } = this;
    this.counted = element("span");
    this.status.append(this.counted, element("button", { type: "button", onclick: () => map.clearSelection() }, "Clear"));
  }

  showTools() {
    const { map, buttons } = this;
    for (const tool of ["pan", "lasso", "box"]) buttons[tool].setAttribute("aria-pressed", String(map.kept.tool === tool));
    buttons.pictures.setAttribute("aria-pressed", String(map.kept.pictures));
    buttons.pictures.hidden = !map.store || map.options.live;
    buttons.near.setAttribute("aria-pressed", String(map.links.on));
    buttons.near.hidden = !map.links.offered;
    buttons.edges.setAttribute("aria-pressed", String(map.edges.on));
    buttons.edges.hidden = !map.edges.offered;
    buttons.legend.setAttribute("aria-pressed", String(map.legendOpen));
    buttons.lasso.hidden = buttons.box.hidden = buttons.pan.hidden = map.options.selectable === false;
    this.stage.dataset.tool = map.kept.tool;
  }

  showSelection() {
    const { map } = this;
    this.status.hidden = !map.selectedCount;
    const text = `${map.selectedCount.toLocaleString("en")} of ${plural(map.n, "item", "items")} selected`;
    if (this.counted.textContent !== text) this.counted.textContent = text;
  }

  say(text) {
    this.live.textContent = text;
  }

  tell(text) {
    this.note.hidden = !text;
    this.note.textContent = text;
  }

  // ---- legend ----

  showLegend() {
    const { map } = this;
    this.legend.replaceChildren();
    this.legend.hidden = !map.legendOpen;
    if (!map.legendOpen) return;
    const legend = map.legend;
    this.legend.setAttribute("aria-label", legend.title);
    this.legend.append(element("div", { class: "title" }, legend.title));
    this.legend.append(legend.kind === "ramp" ? this.ramp(legend) : this.groups());
  }

  ramp(legend) {
    const { map } = this;
    const stops = map.palette.filter((_, at) => at % 16 === 0 || at === map.palette.length - 1).map((colour) => css(colour));
    const bar = element("div", { class: "ramp" });
    bar.style.background = `linear-gradient(to right, ${stops.join(",")})`;
    return element("div", {}, bar, element("div", { class: "ends" }, element("span", {}, legend.low), element("span", {}, legend.high)));
  }

  groups() {
    const { map } = this;
    const list = element("ul", {});
    for (const group of map.groups) {
      const entry = element(
        "button",
        {
          type: "button", "data-code": group.code, "aria-pressed": String(!group.hidden),
          title: `${group.name}: ${plural(group.count, "item", "items")}. Click to grey or colour, double-click (or S) for this one alone.`,
          onclick: () => map.toggle(group.code),
          ondblclick: () => map.solo(group.code),
          onkeydown: (event) => { if (event.key.toLowerCase() === "s") { map.solo(group.code); event.stopPropagation(); } },
          onpointerenter: () => map.spotlight(group.code),
          onpointerleave: () => map.spotlight(null),
        },
        this.swatch(group),
        map.legend.numbers ? element("span", { class: "number" }, String(group.number)) : null,
        element("span", { class: "name" }, group.label),
        element("span", { class: "count" }, group.count.toLocaleString("en")),
      );
      list.append(element("li", {}, entry));
    }
    if (map.unassigned) {
      const sign = element("i", { class: "swatch" });
      sign.style.background = css(map.theme.unassigned);
      list.append(element("li", { class: "plain" }, sign, element("span", { class: "name" }, map.legend.missing ?? "Unassigned"), element("span", { class: "count" }, map.unassigned.toLocaleString("en"))));
    }
    return list;
  }

  swatch(group) {
    const { map } = this;
    const sign = element("i", { class: "swatch", "data-shape": map.legend.shapes ? group.code % SHAPES : 0 });
    sign.style.background = css(map.palette[group.code]);
    return sign;
  }

  /** Follow toggles without building the list again, so that a double click meets the same button. */
  markLegend() {
    for (const button of this.legend.querySelectorAll("button[data-code]")) {
      const hidden = this.map.groups[Number(button.dataset.code)]?.hidden;
      button.setAttribute("aria-pressed", String(!hidden));
    }
  }

  // ---- the card of the pointed item ----

  hideCard() {
    this.card.hidden = true;
    this.cardItem = -1;
  }

  async showCard(item) {
    const { map } = this;
    this.cardItem = item;
    const said = await map.cardOf(item);
    if (this.cardItem !== item || map.hovered !== item) return;
    const picture = this.pictureOf(item, said.title);
    const group = map.groupOf(item);
    const lines = (said.lines ?? []).filter(Boolean).map((line) => element("div", { class: "line" }, String(line)));
    const sign = group ? this.swatch(group) : null;
    const value = map.legend.kind === "ramp" ? `${map.legend.title}: ${said.value ?? map.rampValue(item)}` : group ? group.name : map.legend.missing ?? "Unassigned";
    const sure = map.confidence && map.options.confidence !== false ? `Confidence ${Math.round((map.confidence[item] / 255) * 100)} %` : null;
    this.card.replaceChildren(
      ...[picture].filter(Boolean),
      element("div", { class: "words" }, element("div", { class: "heading" }, said.title || `Item ${item + 1}`), ...lines,
        element("div", { class: "group" }, ...[sign].filter(Boolean), element("span", {}, value)),
        sure ? element("div", { class: "line sure" }, sure) : null),
    );
    this.card.hidden = false;
    this.placeCard(item);
    this.say([said.title, ...(said.lines ?? []), value, sure].filter(Boolean).join(", "));
  }

  pictureOf(item, title) {
    const source = this.map.store?.source.picture;
    if (!source) return null;
    const image = element("img", { alt: title ?? "", src: source.replace("{index}", item).replace("{size}", 256) });
    const aspect = this.map.aspectOf(item);
    image.width = Math.round(aspect >= 1 ? 200 : 200 * aspect);
    image.height = Math.round(aspect >= 1 ? 200 / aspect : 200);
    image.addEventListener("error", () => image.remove());
    return image;
  }

  placeCard(item) {
    const { camera } = this.map;
    const [dataX, dataY] = this.map.positionOf(item);
    const [x, y] = [camera.screenX(dataX), camera.screenY(dataY)];
    const { offsetWidth: width, offsetHeight: height } = this.card;
    const clear = 18 + this.map.pictureSide(item) / 2;
    const left = x + clear + width < camera.width ? x + clear : x - clear - width;
    this.card.style.left = `${clamp(left, 8, Math.max(8, camera.width - width - 8))}px`;
    this.card.style.top = `${clamp(y - height / 2, 8, Math.max(8, camera.height - height - 8))}px`;
  }
}
