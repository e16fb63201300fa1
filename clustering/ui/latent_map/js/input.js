// Pointer, touch, wheel and keys.

const HOVER_WAIT = 125; // milliseconds before the card opens
const REACH = 14; // pixels around the pointer in which an item is met
const MOST_CORNERS = 30; // keeps a lasso under 1 KB on its way up

class Input {
  constructor(map) {
    this.map = map;
    this.pointers = new Map();
    const { stage } = map.panel;
    const on = (name, handler, options) => stage.addEventListener(name, handler, options);
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", (event) => this.cancel(event));
    on("pointerleave", () => { if (!this.pointers.size) map.hover(-1); });
    on("wheel", (event) => this.wheel(event), { passive: false });
    on("dblclick", (event) => map.zoomBy(2, ...this.at(event)));
    on("keydown", (event) => this.key(event));
    on("blur", () => map.hover(-1));
  }

  at(event) {
    const box = this.map.panel.stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  mode(event) {
    return event.altKey ? "subtract" : event.shiftKey ? "add" : "replace";
  }

  down(event) {
    if (event.button) return;
    const { map } = this;
    const at = this.at(event);
    this.pointers.set(event.pointerId, at);
    map.panel.stage.setPointerCapture(event.pointerId);
    map.moving = null;
    if (this.pointers.size === 2) {
      map.drawn = null; // the second finger turns drawing into pinching
      return;
    }
    this.start = at;
    this.travelled = 0;
    const drawing = map.options.selectable !== false && (map.kept.tool !== "pan" || event.shiftKey || event.altKey);
    map.drawn = drawing ? { kind: map.kept.tool === "box" ? "box" : "lasso", mode: this.mode(event), line: [at] } : null;
  }

  move(event) {
    const { map } = this;
    const at = this.at(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      if (event.pointerType !== "touch") map.hover(this.under(at));
      return;
    }
    if (this.pointers.size === 2) {
      this.pinch(event.pointerId, at);
      return;
    }
    this.pointers.set(event.pointerId, at);
    this.travelled += Math.hypot(at[0] - before[0], at[1] - before[1]);
    if (this.travelled < 4) return;
    map.hover(-1);
    if (!map.drawn) {
      map.pan(at[0] - before[0], at[1] - before[1]);
      return;
    }
    if (map.drawn.kind === "box") {
      const [[x0, y0], [x1, y1]] = [this.start, at];
      map.drawn.line = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
    } else {
      const last = map.drawn.line.at(-1);
      if (Math.hypot(at[0] - last[0], at[1] - last[1]) > 2) map.drawn.line.push(at);
    }
    map.trace();
  }

  pinch(moved, at) {
    const { map } = this;
    const [first, second] = [...this.pointers.values()];
    const middle = [(first[0] + second[0]) / 2, (first[1] + second[1]) / 2];
    const apart = Math.hypot(first[0] - second[0], first[1] - second[1]);
    this.pointers.set(moved, at);
    const [third, fourth] = [...this.pointers.values()];
    const middleNow = [(third[0] + fourth[0]) / 2, (third[1] + fourth[1]) / 2];
    map.pan(middleNow[0] - middle[0], middleNow[1] - middle[1]);
    map.zoomAt(Math.hypot(third[0] - fourth[0], third[1] - fourth[1]) / Math.max(apart, 1), ...middleNow);
    this.travelled = 99;
  }

  up(event) {
    const { map } = this;
    if (!this.pointers.has(event.pointerId)) return;
    const at = this.at(event);
    this.pointers.delete(event.pointerId);
    const { drawn } = map;
    map.drawn = null;
    if (this.travelled < 4) this.click(at, event);
    else if (drawn && drawn.line.length > 2) {
      const line = drawn.kind === "box" ? drawn.line : simplified(drawn.line, MOST_CORNERS);
      map.select(line, drawn.mode);
    }
    map.trace();
  }

  cancel(event) {
    this.pointers.delete(event.pointerId);
    this.map.drawn = null;
    this.map.trace();
  }

  click(at, event) {
    const item = this.under(at, event.pointerType === "touch" ? 22 : REACH);
    if (event.pointerType === "touch") this.map.hover(item);
    if (item >= 0) this.map.open(item);
  }

  /** The item under the pointer: a picture it is on, else the nearest point. */
  under([px, py], reach = REACH) {
    const { map } = this;
    for (let at = map.pictures.length - 1; at >= 0; at--) {
      const { left, top, width, height, item } = map.pictures[at];
      if (px >= left && py >= top && px <= left + width && py <= top + height) return item;
    }
    const { camera } = map;
    return map.grid.nearest(camera.dataX(px), camera.dataY(py), reach / camera.scale, () => true);
  }

  wheel(event) {
    const { map } = this;
    const focused = map.panel.stage.matches(":focus");
    if (map.options.scroll_zoom === false && !event.ctrlKey && !event.metaKey && !focused) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 20 : 1;
    map.zoomAt(Math.exp(-clamp(event.deltaY * lines, -240, 240) * (event.ctrlKey ? 0.008 : 0.0022)), ...this.at(event));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { map } = this;
    const step = event.shiftKey ? 160 : 60;
    const middle = () => map.hover(this.under([map.camera.originX, map.camera.height / 2], 1e4));
    const actions = {
      ArrowLeft: () => { map.pan(step, 0); middle(); },
      ArrowRight: () => { map.pan(-step, 0); middle(); },
      ArrowUp: () => { map.pan(0, step); middle(); },
      ArrowDown: () => { map.pan(0, -step); middle(); },
      "+": () => map.zoomBy(1.6),
      "=": () => map.zoomBy(1.6),
      "-": () => map.zoomBy(1 / 1.6),
      f: () => map.fit(),
      p: () => map.setTool("pan"),
      l: () => map.setTool("lasso"),
      b: () => map.setTool("box"),
      a: () => map.selectView(),
      n: () => map.links.toggle(),
      e: () => map.edges.toggle(),
      Enter: () => { if (map.hovered >= 0) map.open(map.hovered); },
      Escape: () => map.escape(),
    };
    const action = actions[event.key] ?? actions[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }
}
