// Where the map is looked at from: a centre in data coordinates and a zoom relative to the whole.

class Camera {
  constructor() {
    this.bounds = [-1, -1, 1, 1];
    this.width = 0;
    this.height = 0;
    this.inset = 0; // pixels at the right that the legend covers
    this.home();
  }

  home() {
    this.zoom = 1;
    this.cx = (this.bounds[0] + this.bounds[2]) / 2;
    this.cy = (this.bounds[1] + this.bounds[3]) / 2;
  }

  get fitScale() {
    const [left, bottom, right, top] = this.bounds;
    const margin = Math.min(36, this.width * 0.06);
    const wide = Math.max(20, this.width - this.inset - 2 * margin) / Math.max(right - left, 1e-9);
    const high = Math.max(20, this.height - 2 * margin) / Math.max(top - bottom, 1e-9);
    return Math.min(wide, high);
  }

  get scale() {
    return this.fitScale * this.zoom; // pixels a data unit
  }

  get originX() {
    return (this.width - this.inset) / 2;
  }

  screenX(x) {
    return this.originX + (x - this.cx) * this.scale;
  }

  screenY(y) {
    return this.height / 2 - (y - this.cy) * this.scale;
  }

  dataX(px) {
    return this.cx + (px - this.originX) / this.scale;
  }

  dataY(py) {
    return this.cy - (py - this.height / 2) / this.scale;
  }

  /** The visible rectangle in data coordinates, widened by some pixels. */
  rectangle(margin = 0) {
    return [
      this.dataX(-margin), this.dataY(this.height + margin),
      this.dataX(this.width + margin), this.dataY(-margin),
    ];
  }

  pan(dx, dy) {
    this.cx -= dx / this.scale;
    this.cy += dy / this.scale;
    this.keepInReach();
  }

  zoomAt(factor, px, py) {
    const x = this.dataX(px);
    const y = this.dataY(py);
    this.zoom = clamp(this.zoom * factor, 0.4, 4000);
    this.cx += x - this.dataX(px);
    this.cy += y - this.dataY(py);
    this.keepInReach();
  }

  keepInReach() {
    const [left, bottom, right, top] = this.bounds;
    this.cx = clamp(this.cx, left, right);
    this.cy = clamp(this.cy, bottom, top);
  }

  state() {
    return { cx: this.cx, cy: this.cy, zoom: this.zoom };
  }

  restore(state) {
    if (!state) return this.home();
    ({ cx: this.cx, cy: this.cy, zoom: this.zoom } = state);
    return this.keepInReach();
  }
}

/** The box around all points, never of zero size. */
function boundsOf(xy) {
  let [left, bottom, right, top] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let at = 0; at < xy.length; at += 2) {
    if (xy[at] < left) left = xy[at];
    if (xy[at] > right) right = xy[at];
    if (xy[at + 1] < bottom) bottom = xy[at + 1];
    if (xy[at + 1] > top) top = xy[at + 1];
  }
  if (!(left <= right)) return [-1, -1, 1, 1];
  const least = Math.max(right - left, top - bottom, 1e-6) * 1e-3;
  return [
    Math.min(left, (left + right) / 2 - least), Math.min(bottom, (bottom + top) / 2 - least),
    Math.max(right, (left + right) / 2 + least), Math.max(top, (bottom + top) / 2 + least),
  ];
}
