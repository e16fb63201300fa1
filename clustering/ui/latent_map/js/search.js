// Finding points: the nearest one, those in a polygon, and which of them may carry a picture.

class PointGrid {
  constructor(xy, bounds) {
    const n = xy.length / 2;
    this.xy = xy;
    this.bounds = bounds;
    this.side = Math.max(1, Math.ceil(Math.sqrt(n / 3)));
    this.stepX = (bounds[2] - bounds[0]) / this.side;
    this.stepY = (bounds[3] - bounds[1]) / this.side;
    const cellOf = new Uint32Array(n);
    this.start = new Uint32Array(this.side * this.side + 1);
    for (let i = 0; i < n; i++) {
      cellOf[i] = this.row(xy[2 * i + 1]) * this.side + this.column(xy[2 * i]);
      this.start[cellOf[i] + 1]++;
    }
    for (let cell = 0; cell < this.side * this.side; cell++) this.start[cell + 1] += this.start[cell];
    const next = this.start.slice();
    this.items = new Uint32Array(n);
    for (let i = 0; i < n; i++) this.items[next[cellOf[i]]++] = i;
  }

  column(x) {
    return clamp(Math.floor((x - this.bounds[0]) / this.stepX), 0, this.side - 1);
  }

  row(y) {
    return clamp(Math.floor((y - this.bounds[1]) / this.stepY), 0, this.side - 1);
  }

  /** Call `visit(i)` for every point in the cells that touch the rectangle; stop when it returns true. */
  visit([left, bottom, right, top], visit) {
    const [from, to] = [this.column(left), this.column(right)];
    for (let row = this.row(bottom); row <= this.row(top); row++) {
      const first = this.start[row * this.side + from];
      const last = this.start[row * this.side + to + 1];
      for (let at = first; at < last; at++) if (visit(this.items[at])) return;
    }
  }

  /** The nearest point within `radius` that `accepts`, or -1. */
  nearest(x, y, radius, accepts) {
    let [best, found] = [radius * radius, -1];
    this.visit([x - radius, y - radius, x + radius, y + radius], (i) => {
      const distance = (this.xy[2 * i] - x) ** 2 + (this.xy[2 * i + 1] - y) ** 2;
      if (distance < best && accepts(i)) [best, found] = [distance, i];
    });
    return found;
  }

  /** How many points lie in the cells of the rectangle. */
  count([left, bottom, right, top]) {
    let total = 0;
    const [from, to] = [this.column(left), this.column(right)];
    for (let row = this.row(bottom); row <= this.row(top); row++) {
      total += this.start[row * this.side + to + 1] - this.start[row * this.side + from];
    }
    return total;
  }
}

/** Even-odd rule, the same arithmetic as selection.py, so both sides select the same items. */
function insidePolygon(x, y, polygon) {
  let inside = false;
  const n = polygon.length / 2;
  for (let i = 0, j = n - 1; i < n; j = i++) {
    const yi = polygon[2 * i + 1];
    const yj = polygon[2 * j + 1];
    if (yi > y === yj > y) continue;
    const xi = polygon[2 * i];
    if (x < ((polygon[2 * j] - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/** Drop the corners of a drawn line that deviate less than a tolerance (Douglas and Peucker), to at most `most`. */
function simplified(line, most) {
  for (let tolerance = 1; ; tolerance *= 1.4) {
    const keep = new Uint8Array(line.length);
    keep[0] = keep[line.length - 1] = 1;
    const open = [[0, line.length - 1]];
    while (open.length) {
      const [from, to] = open.pop();
      const [ax, ay] = line[from];
      const [dx, dy] = [line[to][0] - ax, line[to][1] - ay];
      const length = Math.hypot(dx, dy);
      let [far, at] = [tolerance, -1];
      for (let i = from + 1; i < to; i++) {
        const [px, py] = [line[i][0] - ax, line[i][1] - ay];
        const distance = length ? Math.abs(px * dy - py * dx) / length : Math.hypot(px, py);
        if (distance > far) [far, at] = [distance, i];
      }
      if (at < 0) continue;
      keep[at] = 1;
      open.push([from, at], [at, to]);
    }
    const left = line.filter((_, i) => keep[i]);
    if (left.length <= most) return left;
  }
}

const DEEPEST = 36; // levels; beyond, points lie on one another

/**
 * Which points may carry a picture at which level: at level L accepted points lie at least `base / 2^(L/2)` apart
 * (in either direction), and a point accepted once stays. So pictures neither overlap nor flicker.
 */
class Thinning {
  constructor(xy, order, base) {
    this.xy = xy;
    this.base = base;
    this.levels = [];
    this.accepted = [];
    this.waiting = order;
  }

  distance(level) {
    return this.base / 2 ** (level / 2);
  }

  upTo(level) {
    while (this.levels.length <= Math.min(level, DEEPEST)) this.grow();
    return this.levels.slice(0, level + 1);
  }

  grow() {
    const apart = this.distance(this.levels.length);
    const cells = new Map();
    const { xy } = this;
    const key = (column, row) => column * 1048583 + row;
    const put = (i) => {
      const at = key(Math.floor(xy[2 * i] / apart), Math.floor(xy[2 * i + 1] / apart));
      if (cells.has(at)) cells.get(at).push(i);
      else cells.set(at, [i]);
    };
    const free = (i) => {
      const column = Math.floor(xy[2 * i] / apart);
      const row = Math.floor(xy[2 * i + 1] / apart);
      for (let dc = -1; dc <= 1; dc++) {
        for (let dr = -1; dr <= 1; dr++) {
          for (const j of cells.get(key(column + dc, row + dr)) ?? []) {
            if (Math.abs(xy[2 * i] - xy[2 * j]) < apart && Math.abs(xy[2 * i + 1] - xy[2 * j + 1]) < apart) return false;
          }
        }
      }
      return true;
    };
    this.accepted.forEach(put);
    const fresh = [];
    const rest = [];
    for (const i of this.waiting) {
      if (free(i)) {
        put(i);
        fresh.push(i);
      } else rest.push(i);
    }
    for (const i of fresh) this.accepted.push(i);
    this.waiting = rest;
    this.levels.push(fresh);
  }
}
