// What the other parts ask the map: where an item is, what colour it has, what is written about it.

const questions = {
  isActive(i) {
    const code = this.codes[i];
    return !(this.flags[i] & FILTERED) && !this.groups[code]?.hidden && (!this.selectedCount || Boolean(this.flags[i] & SELECTED));
  },

  shown(code) {
    return !this.groups[code].hidden && (this.spot === null || this.spot === code);
  },

  positionOf(i) {
    const { start, xy, moved } = this;
    if (moved >= 1) return [xy[2 * i], xy[2 * i + 1]];
    const t = eased(moved);
    return [start[2 * i] + (xy[2 * i] - start[2 * i]) * t, start[2 * i + 1] + (xy[2 * i + 1] - start[2 * i + 1]) * t];
  },

  anchorOf(group) {
    if (group.medoid >= 0) return this.positionOf(group.medoid);
    this.middles ??= groupMiddles(this.groups, this.codes, this.flags, this.xy);
    return this.middles[group.code];
  },

  aspectOf(item) {
    return this.aspects ? 2 ** ((this.aspects[item] - 128) / 32) : 1;
  },

  colourOf(item) {
    return this.palette[this.codes[item]] ?? this.theme.unassigned;
  },

  groupOf(item) {
    return this.groups[this.codes[item]] ?? null;
  },

  pictureSide(item) {
    return this.pictures.find((one) => one.item === item)?.width ?? 0;
  },

  rampValue(item) {
    const share = Math.round((this.codes[item] / (this.palette.length - 1)) * 100);
    return this.codes[item] === MISSING ? "unknown" : this.legend.share ? `${share} %` : `${share} % of the range`;
  },

  async cardOf(item) {
    const inline = this.options.cards?.[item];
    if (inline) return { title: inline[0], lines: inline.slice(1) };
    if (!this.options.card_url) return { title: "", lines: [] };
    const address = this.options.card_url.replace("{index}", item);
    if (!this.cards.has(address)) {
      try {
        const answer = await fetch(address);
        this.cards.set(address, answer.ok ? await answer.json() : { title: "", lines: [] });
      } catch {
        return { title: "", lines: [] }; // no connection: the card still shows group and confidence
      }
      if (this.cards.size > 500) this.cards.delete(this.cards.keys().next().value);
    }
    return this.cards.get(address);
  },
};
