// Draws points, haze and pictures with WebGL2; everything on the device can be made again from the arrays given.

const HAZE_POINTS = 24000; // the haze is smooth: so many points in a shuffled order give it as well as all

class GlPainter {
  static LARGEST = Infinity;

  /**
   * Draws off screen and hands each frame over as a bitmap: Chromium without a GPU shows only part of a WebGL canvas
   * once the page is scrolled (it clips the upside-down texture the wrong way round).
   */
  constructor(canvas) {
    this.screen = canvas;
    this.canvas = globalThis.OffscreenCanvas ? new OffscreenCanvas(1, 1) : canvas;
    this.gl = this.canvas.getContext("webgl2", { antialias: false, premultipliedAlpha: true, alpha: true });
    if (!this.gl) throw new Error("no WebGL2");
    this.shown = this.canvas === canvas ? null : canvas.getContext("bitmaprenderer");
    this.build();
  }

  /** Where lost and restored contexts are told. */
  get events() {
    return this.canvas;
  }

  /** Make programs and buffers; again after a lost context. */
  build() {
    const { gl } = this;
    this.floats = Boolean(gl.getExtension("EXT_color_buffer_float") || gl.getExtension("EXT_color_buffer_half_float"));
    this.points = this.program(POINT_VERTEX, POINT_FRAGMENT);
    this.haze = this.program(POINT_VERTEX, HAZE_FRAGMENT);
    this.line = this.program(LINE_VERTEX, LINE_FRAGMENT);
    this.sheet = this.program(SHEET_VERTEX, SHEET_FRAGMENT);
    this.picture = this.program(PICTURE_VERTEX, PICTURE_FRAGMENT);
    this.nothing = gl.createVertexArray();
    this.pointState = gl.createVertexArray();
    this.buffers = Object.fromEntries(["before", "now", "code", "flags", "picture", "turn", "lineBefore", "lineNow"].map((name) => [name, gl.createBuffer()]));
    gl.bindVertexArray(this.pointState);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.buffers.turn);
    this.sorted = "";
    this.attribute(0, "before", 2, gl.FLOAT);
    this.attribute(1, "now", 2, gl.FLOAT);
    this.attribute(2, "code", 1, gl.UNSIGNED_SHORT);
    this.attribute(3, "flags", 1, gl.UNSIGNED_BYTE);
    this.lineState = gl.createVertexArray();
    gl.bindVertexArray(this.lineState);
    this.attribute(0, "lineBefore", 2, gl.FLOAT);
    this.attribute(1, "lineNow", 2, gl.FLOAT);
    this.lines = 0;
    this.pictureState = gl.createVertexArray();
    gl.bindVertexArray(this.pictureState);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers.picture);
    for (const [location, offset] of [[0, 0], [1, 16], [2, 32]]) {
      gl.enableVertexAttribArray(location);
      gl.vertexAttribPointer(location, 4, gl.FLOAT, false, 48, offset);
      gl.vertexAttribDivisor(location, 1);
    }
    gl.bindVertexArray(null);
    this.palette = this.texture(gl.NEAREST);
    this.hazeTexture = this.texture(gl.LINEAR);
    this.hazeFrame = gl.createFramebuffer();
    this.hazeSize = "";
    this.shelves = new Map();
    gl.enable(gl.BLEND);
  }

  program(vertex, fragment) {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      const shaders = gl.getAttachedShaders(program).map((shader) => gl.getShaderInfoLog(shader));
      throw new Error(`${gl.getProgramInfoLog(program)} ${shaders.join(" ")}`);
    }
    const places = {};
    for (let at = 0; at < gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS); at++) {
      const { name } = gl.getActiveUniform(program, at);
      places[name] = gl.getUniformLocation(program, name);
    }
    return { program, places };
  }

  attribute(location, buffer, size, type) {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[buffer]);
    gl.enableVertexAttribArray(location);
    if (type === gl.FLOAT) gl.vertexAttribPointer(location, size, type, false, 0, 0);
    else gl.vertexAttribIPointer(location, size, type, 0, 0);
  }

  texture(filter) {
    const { gl } = this;
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
    for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, filter);
    return texture;
  }

  fill(name, array) {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, array, gl.DYNAMIC_DRAW);
  }

  setPositions(before, now) {
    this.n = now.length / 2;
    this.fill("before", before);
    this.fill("now", now);
  }

  /** Ends of lines below the points, two by two; null for none. */
  setLines(before, now) {
    this.lines = now ? now.length / 2 : 0;
    if (!now) return;
    this.fill("lineBefore", before);
    this.fill("lineNow", now);
  }

  setCodes(codes) {
    this.codes = codes;
    this.sorted = "";
    this.fill("code", codes);
  }

  setFlags(flags) {
    this.flags = flags;
    this.sorted = "";
    this.fill("flags", flags);
  }

  /** `entries` is RGBA, one a code; alpha 0 greys a group. */
  setPalette(entries) {
    const { gl } = this;
    const rows = Math.max(1, Math.ceil(entries.length / 4 / COLOURS_A_ROW));
    const filled = new Uint8Array(rows * COLOURS_A_ROW * 4);
    filled.set(entries);
    this.entries = filled;
    this.sorted = "";
    gl.bindTexture(gl.TEXTURE_2D, this.palette);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, COLOURS_A_ROW, rows, 0, gl.RGBA, gl.UNSIGNED_BYTE, filled);
  }

  /** Show one frame: see `LatentMap.paintNow` for what a scene holds. */
  draw(scene) {
    const { gl, canvas, screen } = this;
    if (gl.isContextLost()) return;
    if (canvas.width !== screen.width) canvas.width = screen.width;
    if (canvas.height !== screen.height) canvas.height = screen.height;
    this.paint(scene);
    this.shown?.transferFromImageBitmap(canvas.transferToImageBitmap());
  }

  paint(scene) {
    const { gl, canvas } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    if (!this.n) return;
    this.sort(scene);
    if (this.lines) this.drawLines(scene);
    if (scene.greyed) this.drawPoints(scene, 0);
    if (scene.haze > 0.02 && this.floats) this.drawHaze(scene);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.drawPoints(scene, 1);
    this.drawPictures(scene);
  }

  /** Put the coloured points before the grey ones, each in the shuffled order, so that neither pass pays for the other's. */
  sort(scene) {
    const wanted = `${scene.selecting}`;
    if (this.sorted === wanted) return;
    this.sorted = wanted;
    const { gl, codes, flags, entries, n } = this;
    const turn = new Uint32Array(n);
    let [front, back] = [0, n];
    for (let i = 0; i < n; i++) {
      const lit = !(flags[i] & FILTERED) && (codes[i] === MISSING || entries[4 * codes[i] + 3] > 127) && (!scene.selecting || flags[i] & SELECTED);
      if (lit) turn[front++] = i;
      else turn[--back] = i;
    }
    this.lit = front;
    gl.bindVertexArray(this.pointState);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, turn, gl.DYNAMIC_DRAW);
  }

  /** Draw the coloured points (1) or the grey ones (0): the share of them a scene affords, at most so many. */
  elements(scene, active, most = Infinity) {
    const { gl, n, lit } = this;
    const own = active ? lit : n - lit;
    const count = Math.min(own, Math.ceil((own * scene.count) / n), most);
    if (count) gl.drawElements(gl.POINTS, count, gl.UNSIGNED_INT, active ? 0 : 4 * (n - count));
    return count / Math.max(own, 1);
  }

  drawPoints(scene, active) {
    const { gl } = this;
    const { places } = this.use(this.points, scene, scene.size * scene.ratio, active);
    gl.uniform1f(places.u_alpha, active ? scene.alpha : Math.min(0.8, scene.alpha));
    gl.uniform1i(places.u_shapes, scene.shapes ? 1 : 0);
    gl.uniform3fv(places.u_ink, scene.ink);
    this.elements(scene, active);
  }

  drawLines(scene) {
    const { gl } = this;
    const { places } = this.look(this.line, scene);
    gl.bindVertexArray(this.lineState);
    gl.uniform3fv(places.u_ink, scene.ink);
    gl.uniform1f(places.u_alpha, scene.lineAlpha);
    gl.drawArrays(gl.LINES, 0, this.lines);
  }

  /** Take up a program and tell it the view. */
  look(program, scene) {
    const { gl } = this;
    const { places } = program;
    const { camera } = scene;
    gl.useProgram(program.program);
    gl.uniform2f(places.u_centre, camera.cx, camera.cy);
    gl.uniform2f(places.u_scale, (2 * camera.scale) / camera.width, (2 * camera.scale) / camera.height);
    gl.uniform2f(places.u_shift, (2 * camera.originX) / camera.width - 1, 0);
    gl.uniform1f(places.u_moved, scene.moved);
    return program;
  }

  use(program, scene, size, active) {
    const { gl } = this;
    const { places } = this.look(program, scene);
    gl.bindVertexArray(this.pointState);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.palette);
    gl.uniform1i(places.u_palette, 0);
    gl.uniform1f(places.u_size, clamp(size, 1, 64));
    gl.uniform1i(places.u_active, active);
    gl.uniform1i(places.u_selecting, scene.selecting ? 1 : 0);
    gl.uniform3fv(places.u_grey, scene.grey);
    gl.uniform3fv(places.u_unassigned, scene.unassigned);
    return program;
  }

  drawHaze(scene) {
    const { gl, canvas } = this;
    const [width, height] = [Math.ceil(canvas.width / 4), Math.ceil(canvas.height / 4)];
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.hazeTexture);
    if (this.hazeSize !== `${width}x${height}`) {
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA16F, width, height, 0, gl.RGBA, gl.HALF_FLOAT, null);
      this.hazeSize = `${width}x${height}`;
    }
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.hazeFrame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.hazeTexture, 0);
    if (gl.checkFramebufferStatus(gl.FRAMEBUFFER) !== gl.FRAMEBUFFER_COMPLETE) this.floats = false;
    let share = 1;
    if (this.floats) {
      gl.viewport(0, 0, width, height);
      gl.clear(gl.COLOR_BUFFER_BIT);
      gl.blendFunc(gl.ONE, gl.ONE);
      this.use(this.haze, scene, scene.ratio * 3.2, 1);
      share = this.elements(scene, 1, HAZE_POINTS);
    }
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, canvas.width, canvas.height);
    if (!this.floats) return;
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.useProgram(this.sheet.program);
    gl.bindVertexArray(this.nothing);
    gl.bindTexture(gl.TEXTURE_2D, this.hazeTexture);
    gl.uniform1i(this.sheet.places.u_haze, 0);
    gl.uniform1f(this.sheet.places.u_gain, scene.hazeGain / Math.max(share, 1e-6)); // fewer points, each counting for more
    gl.uniform1f(this.sheet.places.u_strength, scene.haze);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** Pictures lie on shelves: textures cut into square slots of one size; the longest unused makes room. */
  shelf(slot) {
    const { gl } = this;
    if (!this.shelves.has(slot)) {
      const side = slot >= 512 ? 2048 : slot >= 256 ? 4096 : 2048;
      const texture = this.texture(gl.LINEAR);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, side, side, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
      this.shelves.set(slot, { slot, side, texture, places: new Map(), room: (side / slot) ** 2 });
    }
    return this.shelves.get(slot);
  }

  place(picture) {
    const { gl } = this;
    const shelf = this.shelf(picture.slot);
    const known = shelf.places.get(picture.item);
    if (known !== undefined) {
      shelf.places.delete(picture.item); // set again below: the map's order is the order of use
      shelf.places.set(picture.item, known);
      return { shelf, at: known };
    }
    let at = shelf.places.size;
    if (at >= shelf.room) {
      const [oldest, freed] = shelf.places.entries().next().value;
      shelf.places.delete(oldest);
      at = freed;
    }
    const a_row = shelf.side / shelf.slot;
    gl.bindTexture(gl.TEXTURE_2D, shelf.texture);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
    gl.texSubImage2D(
      gl.TEXTURE_2D, 0, (at % a_row) * shelf.slot, Math.floor(at / a_row) * shelf.slot,
      gl.RGBA, gl.UNSIGNED_BYTE, picture.bitmap,
    );
    shelf.places.set(picture.item, at);
    return { shelf, at };
  }

  drawPictures(scene) {
    const { gl, canvas } = this;
    const byShelf = new Map();
    for (const picture of scene.pictures) {
      const { shelf, at } = this.place(picture);
      const a_row = shelf.side / shelf.slot;
      const { crop } = picture;
      if (!byShelf.has(shelf)) byShelf.set(shelf, []);
      byShelf.get(shelf).push(
        picture.left * scene.ratio, picture.top * scene.ratio, picture.width * scene.ratio, picture.height * scene.ratio,
        ((at % a_row) * shelf.slot + crop[0] + 0.5) / shelf.side, (Math.floor(at / a_row) * shelf.slot + crop[1] + 0.5) / shelf.side,
        (crop[2] - 1) / shelf.side, (crop[3] - 1) / shelf.side,
        ...picture.frame.map((value) => value / 255), picture.opacity,
      );
    }
    gl.useProgram(this.picture.program);
    gl.bindVertexArray(this.pictureState);
    gl.activeTexture(gl.TEXTURE0);
    gl.uniform1i(this.picture.places.u_pictures, 0);
    gl.uniform2f(this.picture.places.u_canvas, canvas.width, canvas.height);
    gl.uniform1f(this.picture.places.u_border, scene.border * scene.ratio);
    for (const [shelf, rows] of byShelf) {
      this.fill("picture", new Float32Array(rows));
      gl.bindTexture(gl.TEXTURE_2D, shelf.texture);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, rows.length / 12);
    }
  }

  /** Forget a picture's slots, for instance when another collection is shown. */
  forgetPictures() {
    for (const shelf of this.shelves.values()) shelf.places.clear();
  }

  free() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}
