// The same picture on a 2-D canvas, for browsers without WebGL2; it draws at most 20,000 points.

class FlatPainter {
  static LARGEST = 20000;

  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.entries = new Uint8Array(0);
  }

  get events() {
    return this.canvas;
  }

  setPositions(before, now) {
    this.before = before;
    this.now = now;
  }

  /** Ends of lines below the points, two by two; null for none. */
  setLines(before, now) {
    this.lines = now ? { before, now } : null;
  }

  setCodes(codes) {
    this.codes = codes;
  }

  setFlags(flags) {
    this.flags = flags;
  }

  setPalette(entries) {
    this.entries = entries;
  }

  draw(scene) {
    const { canvas, context } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(scene.ratio, 0, 0, scene.ratio, 0, 0);
    if (!this.now) return;
    if (this.lines) this.drawLines(scene);
    this.drawPoints(scene, false);
    this.drawPoints(scene, true);
    for (const picture of scene.pictures) {
      const { left, top, width, height, frame, opacity, crop } = picture;
      context.globalAlpha = opacity;
      context.fillStyle = css(frame);
      context.fillRect(left - scene.border, top - scene.border, width + 2 * scene.border, height + 2 * scene.border);
      context.drawImage(picture.bitmap, ...crop, left, top, width, height);
    }
    context.globalAlpha = 1;
  }

  drawLines(scene) {
    const { context } = this;
    const { before, now } = this.lines;
    const { camera, moved } = scene;
    const at = (place) => before[place] + (now[place] - before[place]) * moved;
    context.globalAlpha = scene.lineAlpha;
    context.strokeStyle = css(scene.ink.map((value) => value * 255));
    context.lineWidth = 1;
    context.beginPath();
    for (let place = 0; place < now.length; place += 4) {
      context.moveTo(camera.screenX(at(place)), camera.screenY(at(place + 1)));
      context.lineTo(camera.screenX(at(place + 2)), camera.screenY(at(place + 3)));
    }
    context.stroke();
  }

  drawPoints(scene, active) {
    const { context, before, now, codes, flags, entries } = this;
    const { camera, moved, size } = scene;
    const n = Math.min(now.length / 2, scene.count, FlatPainter.LARGEST); // the order is shuffled: a fair sample
    context.globalAlpha = active ? scene.alpha : Math.min(0.8, scene.alpha);
    let last = "";
    for (let i = 0; i < n; i++) {
      const missing = codes[i] === MISSING;
      const shown = missing || entries[4 * codes[i] + 3] > 127;
      const coloured = !(flags[i] & FILTERED) && shown && (!scene.selecting || Boolean(flags[i] & SELECTED));
      if (coloured !== active) continue;
      const colour = !active ? scene.grey.map((v) => v * 255) : missing ? scene.unassigned.map((v) => v * 255)
        : entries.subarray(4 * codes[i], 4 * codes[i] + 3);
      const fill = `rgb(${Math.round(colour[0])},${Math.round(colour[1])},${Math.round(colour[2])})`;
      if (fill !== last) context.fillStyle = last = fill;
      const x = camera.screenX(before[2 * i] + (now[2 * i] - before[2 * i]) * moved);
      const y = camera.screenY(before[2 * i + 1] + (now[2 * i + 1] - before[2 * i + 1]) * moved);
      if (x < -size || y < -size || x > camera.width + size || y > camera.height + size) continue;
      context.beginPath();
      if (scene.shapes && active && !missing && size > 6) this.shape(codes[i] % SHAPES, x, y, size / 2);
      else context.arc(x, y, size / 2, 0, 7);
      context.fill();
    }
    context.globalAlpha = 1;
  }

  shape(which, x, y, r) {
    const { context } = this;
    const cross = [[-0.3, -1], [0.3, -1], [0.3, -0.3], [1, -0.3], [1, 0.3], [0.3, 0.3], [0.3, 1], [-0.3, 1], [-0.3, 0.3], [-1, 0.3], [-1, -0.3], [-0.3, -0.3]];
    const corners = [
      null,
      [[-0.8, -0.8], [0.8, -0.8], [0.8, 0.8], [-0.8, 0.8]],
      [[0, -1], [1, 0], [0, 1], [-1, 0]],
      [[0, -1], [0.95, 0.75], [-0.95, 0.75]],
      [[0, 1], [0.95, -0.75], [-0.95, -0.75]],
      cross,
      cross.map(([dx, dy]) => [(dx + dy) * 0.71, (dy - dx) * 0.71]),
      Array.from({ length: 10 }, (_, at) => [Math.sin(at * 0.628) * (at % 2 ? 0.45 : 1), -Math.cos(at * 0.628) * (at % 2 ? 0.45 : 1)]),
    ][which];
    if (!corners) context.arc(x, y, r, 0, 7);
    else {
      corners.forEach(([dx, dy], at) => (at ? context.lineTo(x + dx * r, y + dy * r) : context.moveTo(x + dx * r, y + dy * r)));
      context.closePath();
    }
  }

  forgetPictures() {}

  free() {}
}
