// What a person does with the map: move, choose a tool, toggle groups, point, select.

const doing = {
  viewKey(options) {
    return options.space ?? "";
  },

  viewChanged() {
    this.kept.views[this.viewKey(this.options)] = this.camera.state();
    kept.save(this.options.key);
    this.movedAt = performance.now();
    this.panel.hideCard();
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.again(), 160);
    this.again();
  },

  pan(dx, dy) {
    this.camera.pan(dx, dy);
    this.viewChanged();
  },

  zoomAt(factor, px, py) {
    this.camera.zoomAt(factor, px, py);
    this.viewChanged();
  },

  zoomBy(factor, px = this.camera.originX, py = this.camera.height / 2) {
    this.glide(() => this.camera.zoomAt(factor, px, py));
  },

  fit() {
    this.glide(() => this.camera.home());
    delete this.kept.views[this.viewKey(this.options)];
    kept.save(this.options.key);
  },

  /** Change the view in a short glide, at once when motion is not wanted. */
  glide(change) {
    const from = this.moving?.to ?? this.camera.state();
    const seen = this.camera.state();
    this.camera.restore(from);
    change();
    const to = this.camera.state();
    this.viewChanged();
    if (calm()) return;
    this.camera.restore(seen);
    this.moving = { from: seen, to, since: performance.now() };
  },

  setTool(tool) {
    this.kept.tool = tool;
    kept.save(this.options.key);
    this.panel.showTools();
  },

  setPictures(shown) {
    this.kept.pictures = shown;
    kept.save(this.options.key);
    this.panel.showTools();
    this.again();
  },

  setLegend(shown) {
    this.kept.legend = shown;
    kept.save(this.options.key);
    this.panel.showLegend();
    this.panel.showTools();
    this.measure();
    this.again();
  },

  toggle(code) {
    this.groups[code].hidden = !this.groups[code].hidden;
    this.groupsChanged();
  },

  solo(code) {
    const alone = this.groups.every((group) => group.hidden === (group.code !== code));
    for (const group of this.groups) group.hidden = !alone && group.code !== code;
    this.groupsChanged();
  },

  groupsChanged() {
    this.spot = null;
    this.kept.hidden[this.legend.title] = this.groups.filter((group) => group.hidden).map((group) => group.code);
    kept.save(this.options.key);
    this.chooser.renew();
    this.showPalette();
    this.panel.markLegend();
    this.again();
  },

  spotlight(code) {
    if (this.spot === code || (code !== null && this.groups[code].hidden)) return;
    this.spot = code;
    this.showPalette();
    this.again();
  },

  /** Ring an item and soon show its card; elsewhere (a second map of the same items) it is only ringed. */
  hover(item, elsewhere = false) {
    if (item === this.hovered) return;
    this.hovered = item;
    clearTimeout(this.waiting);
    this.panel.hideCard();
    if (item >= 0 && !elsewhere) this.waiting = setTimeout(() => { this.panel.showCard(item); if (this.links.on) this.links.look(item); if (this.edges.on) this.edges.look(item); }, HOVER_WAIT);
    this.panel.stage.classList.toggle("on-item", item >= 0);
    this.trace();
    if (!elsewhere) dispatchEvent(new CustomEvent("studio-point", { detail: { items: this.options.items, index: item, from: this.options.key } }));
  },

  open(item) {
    this.links.look(item);
    this.edges.look(item);
    this.send("clicked", { token: newToken(), index: item });
  },

  select(line, mode) {
    const { camera } = this;
    const digits = clamp(Math.ceil(Math.log10(camera.scale)), 0, 9);
    const polygon = line.flatMap(([px, py]) => [Number(camera.dataX(px).toFixed(digits)), Number(camera.dataY(py).toFixed(digits))]);
    const hidden = this.groups.filter((group) => group.hidden).map((group) => group.code);
    this.send("gesture", { token: newToken(), mode, polygon, hidden }); // first, so that the server works meanwhile
    const { xy, flags, n } = this;
    for (let i = 0; i < n; i++) {
      const allowed = !(flags[i] & FILTERED) && !this.groups[this.codes[i]]?.hidden;
      const inside = allowed && insidePolygon(xy[2 * i], xy[2 * i + 1], polygon);
      if (mode === "replace") flags[i] = inside ? flags[i] | SELECTED : flags[i] & ~SELECTED;
      else if (inside) flags[i] = mode === "add" ? flags[i] | SELECTED : flags[i] & ~SELECTED;
    }
    this.selectionChanged();
  },

  selectView() {
    const { width, height } = this.camera;
    this.select([[0, 0], [width, 0], [width, height], [0, height]], "replace");
  },

  clearSelection() {
    this.send("gesture", { token: newToken(), mode: "clear", polygon: [], hidden: [] });
    for (let i = 0; i < this.n; i++) this.flags[i] &= ~SELECTED;
    this.selectionChanged();
  },

  selectionChanged() {
    this.keepSelection();
    this.painter.setFlags(reordered(this.flags, this.order));
    this.chooser.renew();
    this.showPalette();
    this.panel.showSelection();
    this.panel.say(this.selectedCount ? this.panel.counted.textContent : "Nothing selected");
    if (this.tedious) this.hurry();
    setTimeout(() => this.again()); // the message goes up before a slow frame holds it back
  },

  /** Show a change at once with some of the points, and all of them when the page has had its turn. */
  hurry() {
    this.movedAt = performance.now();
    this.share = Math.min(this.share ?? 1, 0.3);
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.again(), 400);
  },

  keepSelection() {
    const bits = new Uint8Array(this.n);
    this.selectedCount = 0;
    for (let i = 0; i < this.n; i++) {
      if (!(this.flags[i] & SELECTED)) continue;
      bits[i] = 1;
      this.selectedCount++;
    }
    this.kept.selection = { items: this.options.items, version: this.options.selection_version ?? 0, bits };
  },

  escape() {
    if (this.drawn) this.drawn = null;
    else if (this.links.on) this.links.toggle(false);
    else if (this.edges.on) this.edges.toggle(false);
    else if (this.selectedCount) this.clearSelection();
    else if (this.groups.some((group) => group.hidden)) {
      for (const group of this.groups) group.hidden = false;
      this.groupsChanged();
    }
    this.again();
  },
};
