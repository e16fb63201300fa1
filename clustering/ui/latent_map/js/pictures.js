// Which items show their picture, and where its pixels come from: atlas sheets for many small ones, single files for few large ones.

const MOST_SINGLES = { 256: 200, 512: 32 };
const MOST_CELLS = 2000;
const AT_ONCE = 4; // requests under way
const MOST_SHEETS = { 32: 400, 64: 24, 128: 12 }; // above this many sheets smaller thumbnails are taken
const LOCAL_FROM = 50000; // above this many points only the neighbourhood of the view is thinned

class PictureStore {
  constructor(source, arrived) {
    this.source = source;
    this.arrived = arrived;
    this.cells = Object.keys(source.sizes ?? {}).map(Number).sort((a, b) => a - b)
      .filter((size, at) => at === 0 || source.sizes[size].sheets <= (MOST_SHEETS[size] ?? 8));
    this.bitmaps = new Map([...this.cells, 256, 512].map((tier) => [tier, new Map()]));
    this.sheets = new Map();
    this.failed = new Set();
    this.under_way = new Set();
    this.wanted = new Map();
    this.cutting = new Map();
    this.cuts = new Set();
  }

  /** The best picture there is now of an item, about `pixels` wide; asks for a better one if there may be one. */
  get(item, pixels, single) {
    const largest = this.cells.at(-1) ?? 0;
    const tier = largest && (!single || pixels <= largest * 1.35)
      ? this.cells.find((size) => size >= pixels * 0.85) ?? largest
      : pixels <= 300 ? 256 : 512;
    const found = this.bitmaps.get(tier).get(item);
    if (found) return found;
    if (!this.failed.has(`${tier}:${item}`)) this.wanted.set(`${tier}:${item}`, [tier, item]);
    for (const other of [...this.bitmaps.keys()].reverse()) {
      const stand_in = this.bitmaps.get(other).get(item);
      if (stand_in) return stand_in;
    }
    return undefined;
  }

  /** Start what was asked for since the last call; what is no longer asked for is forgotten. */
  request() {
    const sheets = new Map();
    const singles = [];
    for (const [tier, item] of this.wanted.values()) {
      if (!this.cells.includes(tier)) singles.push([tier, item]);
      else {
        const name = `${tier}/${Math.floor(item / this.source.sizes[tier].per_sheet)}`;
        if (!sheets.has(name)) sheets.set(name, []);
        sheets.get(name).push(item);
      }
    }
    this.wanted.clear();
    this.cutting = sheets;
    for (const [name, items] of [...sheets].sort((a, b) => b[1].length - a[1].length)) {
      if (this.sheets.has(name)) this.cut(name, items);
      else this.start(name, () => this.loadSheet(name));
    }
    for (const [tier, item] of singles) this.start(`${tier}:${item}`, () => this.loadSingle(tier, item));
  }

  async start(name, load) {
    if (this.under_way.has(name) || this.failed.has(name) || this.under_way.size >= AT_ONCE) return;
    this.under_way.add(name);
    try {
      await load();
    } catch {
      this.failed.add(name); // the item stays a point
    }
    this.under_way.delete(name);
    this.arrived();
  }

  async bitmap(url) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
    return createImageBitmap(await answer.blob());
  }

  async loadSheet(name) {
    const [size, sheet] = name.split("/");
    this.sheets.set(name, await this.bitmap(this.source.atlas.replace("{size}", size).replace("{sheet}", sheet)));
    if (this.sheets.size > 6) this.drop(this.sheets);
    await this.cut(name, this.cutting.get(name) ?? []);
  }

  async cut(name, items) {
    const size = Number(name.split("/")[0]);
    const { columns, per_sheet } = this.source.sizes[size];
    const whole = this.sheets.get(name);
    const fresh = items.filter((item) => !this.cuts.has(`${size}:${item}`));
    fresh.forEach((item) => this.cuts.add(`${size}:${item}`));
    await Promise.all(fresh.map(async (item) => {
      const at = item % per_sheet;
      try {
        const bitmap = await createImageBitmap(whole, (at % columns) * size, Math.floor(at / columns) * size, size, size);
        this.keep(size, item, { bitmap, slot: size, boxed: true });
      } finally {
        this.cuts.delete(`${size}:${item}`);
      }
    }));
    if (fresh.length) this.arrived();
  }

  async loadSingle(tier, item) {
    const bitmap = await this.bitmap(this.source.picture.replace("{index}", item).replace("{size}", tier));
    this.keep(tier, item, { bitmap, slot: tier, boxed: false });
  }

  keep(tier, item, entry) {
    const shelf = this.bitmaps.get(tier);
    shelf.set(item, entry);
    if (shelf.size > (MOST_SINGLES[tier] ?? MOST_CELLS)) this.drop(shelf);
  }

  drop(map) {
    const [oldest, entry] = map.entries().next().value;
    map.delete(oldest);
    (entry.bitmap ?? entry).close();
  }
}

/** Chooses the pictures of one view. */
class PictureChooser {
  constructor(map) {
    this.map = map;
    this.born = new Map();
    this.thinning = null;
    this.level = -9; // none yet
  }

  /** Forget what was thinned: positions, filters, selection or legend changed. */
  renew() {
    this.thinning = null;
  }

  /** Pixels between neighbours if the visible points were spread evenly. */
  spacing() {
    const { camera, grid } = this.map;
    const count = Math.max(1, grid.count(camera.rectangle()));
    return Math.sqrt((camera.width * camera.height) / count);
  }

  choose() {
    const { map } = this;
    if (!map.store || !map.kept.pictures || map.options.live) return { pictures: [], medoids: false };
    const spacing = this.spacing();
    const crowded = spacing < 7.5;
    const boxes = crowded ? this.medoids() : this.thinned(spacing);
    const few = boxes.length <= 90;
    const now = performance.now();
    const pictures = [];
    for (const box of boxes) {
      const found = map.store.get(box.item, box.side * map.ratio, few && Boolean(map.store.source.picture));
      if (!found) continue;
      if (!this.born.has(box.item)) this.born.set(box.item, now);
      const opacity = calm() || map.tedious ? 1 : clamp((now - this.born.get(box.item)) / 160, 0.05, 1);
      if (opacity < 1) map.again();
      pictures.push(this.placed(box, found, opacity));
    }
    if (this.born.size > 4000) this.born.clear();
    map.store.request();
    return { pictures, medoids: crowded };
  }

  placed({ item, side, x, y }, found, opacity) {
    const { map } = this;
    const { bitmap, slot, boxed } = found;
    const aspect = boxed ? map.aspectOf(item) : bitmap.width / bitmap.height;
    const [width, height] = aspect >= 1 ? [side, side / aspect] : [side * aspect, side];
    const crop = boxed
      ? [(slot - slot * Math.min(1, aspect)) / 2, (slot - slot / Math.max(1, aspect)) / 2, slot * Math.min(1, aspect), slot / Math.max(1, aspect)]
      : [0, 0, bitmap.width, bitmap.height];
    return { item, bitmap, slot, crop, width, height, left: x - width / 2, top: y - height / 2, frame: map.colourOf(item), opacity };
  }

  at(item) {
    const [x, y] = this.map.positionOf(item);
    return [this.map.camera.screenX(x), this.map.camera.screenY(y)];
  }

  /** One picture a group where nothing else covers it, large groups first. */
  medoids() {
    const { map } = this;
    const side = map.camera.width < 600 ? 34 : map.groups.length > 16 ? 44 : 60;
    const taken = [];
    for (const group of map.groupsBySize) {
      if (group.medoid < 0 || !map.isActive(group.medoid)) continue;
      const [x, y] = this.at(group.medoid);
      const hit = taken.some((box) => Math.abs(box.x - x) < side + 8 && Math.abs(box.y - y) < side + 24);
      if (!hit) taken.push({ item: group.medoid, side, x, y });
    }
    return taken;
  }

  thinned(spacing) {
    const { map } = this;
    const { camera } = map;
    const [left, bottom, right, top] = map.camera.bounds;
    const base = Math.max(right - left, top - bottom) / 8.5;
    const cell = clamp(spacing * 0.75, camera.width < 600 ? 30 : 40, 230);
    const exact = 2 * Math.log2((base * camera.scale) / cell);
    if (exact < this.level - 0.3 || exact > this.level + 1.3) this.level = clamp(Math.floor(exact), 0, DEEPEST);
    const thinning = this.thinningFor(base);
    const side = Math.min(thinning.distance(this.level) * camera.scale * 0.92, 380);
    const [x0, y0, x1, y1] = camera.rectangle(side / 2);
    const boxes = [];
    for (const items of thinning.upTo(this.level)) {
      for (const item of items) {
        const [px, py] = map.positionOf(item);
        if (px < x0 || px > x1 || py < y0 || py > y1) continue;
        boxes.push({ item, side, x: camera.screenX(px), y: camera.screenY(py) });
      }
    }
    return boxes;
  }

  thinningFor(base) {
    const { map } = this;
    const local = map.n > LOCAL_FROM;
    const view = map.camera.rectangle();
    const inside = ([a, b, c, d], [e, f, g, h]) => a >= e && b >= f && c <= g && d <= h;
    const near = this.reach && inside(view, this.reach) && (this.reach[2] - this.reach[0]) / (view[2] - view[0]) < 8;
    if (this.thinning && (!local || near)) return this.thinning;
    this.reach = map.camera.rectangle(Math.max(map.camera.width, map.camera.height) * 0.6);
    const candidates = [];
    if (local) map.grid.visit(this.reach, (i) => { if (map.isActive(i)) candidates.push(i); });
    else for (let i = 0; i < map.n; i++) if (map.isActive(i)) candidates.push(i);
    this.thinning = new Thinning(map.xy, this.ordered(candidates), base);
    return this.thinning;
  }

  /** Medoids first, then the items the model is surest of; ties in an order that has no pattern. */
  ordered(candidates) {
    const { map } = this;
    const first = new Set(map.groups.map((group) => group.medoid));
    const rank = (i) => (first.has(i) ? 512 : map.confidence ? map.confidence[i] : 0) + ((i * 2654435761) % 4294967296) / 4294967296;
    const ranks = new Map(candidates.map((i) => [i, rank(i)]));
    return candidates.sort((a, b) => ranks.get(b) - ranks.get(a));
  }
}
