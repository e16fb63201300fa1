// The WebGL2 programs: points, their density, and pictures.

const POINT_VERTEX = `#version 300 es
precision highp float;
precision highp int;
layout(location = 0) in vec2 a_before;
layout(location = 1) in vec2 a_now;
layout(location = 2) in uint a_code;
layout(location = 3) in uint a_flags;
uniform vec2 u_centre;   // data coordinates in the middle of the view
uniform vec2 u_scale;    // clip units a data unit
uniform vec2 u_shift;    // clip units from the middle of the canvas
uniform float u_moved;   // 0 at the positions before, 1 at the new ones
uniform float u_size;    // device pixels
uniform int u_active;    // 1 draws what is coloured, 0 what is greyed
uniform int u_selecting; // 1 while there is a selection
uniform sampler2D u_palette;
uniform vec3 u_grey;
uniform vec3 u_unassigned;
out vec3 v_colour;
flat out int v_shape;
void main() {
  bool missing = a_code == ${MISSING}u;
  int code = int(a_code);
  vec4 entry = missing ? vec4(u_unassigned, 1.0)
    : texelFetch(u_palette, ivec2(code % ${COLOURS_A_ROW}, code / ${COLOURS_A_ROW}), 0);
  bool lit = (a_flags & ${FILTERED}u) == 0u && entry.a > 0.5 && (u_selecting == 0 || (a_flags & ${SELECTED}u) != 0u);
  if (lit != (u_active == 1)) {
    gl_Position = vec4(3.0, 3.0, 0.0, 1.0);
    gl_PointSize = 0.0;
    return;
  }
  vec2 at = mix(a_before, a_now, u_moved);
  gl_Position = vec4((at - u_centre) * u_scale + u_shift, 0.0, 1.0);
  gl_PointSize = u_size;
  v_colour = lit ? entry.rgb : u_grey;
  v_shape = missing || !lit ? 0 : code % ${SHAPES};
}`;

const POINT_FRAGMENT = `#version 300 es
precision highp float;
in vec3 v_colour;
flat in int v_shape;
uniform float u_size;
uniform float u_alpha;
uniform int u_shapes;
uniform vec3 u_ink;
out vec4 colour;
float box(vec2 p, vec2 half_size) {
  vec2 d = abs(p) - half_size;
  return length(max(d, 0.0)) + min(max(d.x, d.y), 0.0);
}
float triangle(vec2 p) {
  return max(abs(p.x) * 0.87 - p.y * 0.45 - 0.43, p.y - 0.74);
}
void main() {
  vec2 p = gl_PointCoord * 2.0 - 1.0;
  float d = length(p) - 0.94;
  if (u_shapes == 1 && u_size > 6.0) {
    vec2 turned = vec2(p.x + p.y, p.y - p.x) * 0.7071;
    if (v_shape == 1) d = box(p, vec2(0.76));
    else if (v_shape == 2) d = box(turned, vec2(0.68));
    else if (v_shape == 3) d = triangle(p);
    else if (v_shape == 4) d = triangle(vec2(p.x, -p.y));
    else if (v_shape == 5) d = min(box(p, vec2(0.94, 0.32)), box(p, vec2(0.32, 0.94)));
    else if (v_shape == 6) d = min(box(turned, vec2(0.98, 0.28)), box(turned, vec2(0.28, 0.98)));
    else if (v_shape == 7) d = length(p) - 0.6 - 0.36 * cos(5.0 * atan(p.x, -p.y));
  }
  float pixel = 2.0 / u_size;
  float cover = u_size < 2.2 ? 1.0 : 1.0 - smoothstep(-pixel, pixel, d);
  if (cover <= 0.0) discard;
  float rim = u_size > 6.0 ? smoothstep(-2.4 * pixel, -0.6 * pixel, d) * 0.28 : 0.0;
  float alpha = cover * u_alpha;
  colour = vec4(mix(v_colour, u_ink, rim) * alpha, alpha);
}`;

const LINE_VERTEX = `#version 300 es
precision highp float;
layout(location = 0) in vec2 a_before;
layout(location = 1) in vec2 a_now;
uniform vec2 u_centre;
uniform vec2 u_scale;
uniform vec2 u_shift;
uniform float u_moved;
void main() {
  gl_Position = vec4((mix(a_before, a_now, u_moved) - u_centre) * u_scale + u_shift, 0.0, 1.0);
}`;

const LINE_FRAGMENT = `#version 300 es
precision highp float;
uniform vec3 u_ink;
uniform float u_alpha;
out vec4 colour;
void main() {
  colour = vec4(u_ink, 1.0) * u_alpha;
}`;

const HAZE_FRAGMENT = `#version 300 es
precision highp float;
in vec3 v_colour;
out vec4 colour;
void main() {
  vec2 p = gl_PointCoord * 2.0 - 1.0;
  float weight = exp(-4.0 * dot(p, p)) - 0.018;
  if (weight <= 0.0) discard;
  colour = vec4(v_colour * weight, weight);
}`;

const SHEET_VERTEX = `#version 300 es
out vec2 v_at;
void main() {
  vec2 corner = vec2(float((gl_VertexID << 1) & 2), float(gl_VertexID & 2));
  v_at = corner;
  gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}`;

const SHEET_FRAGMENT = `#version 300 es
precision highp float;
in vec2 v_at;
uniform sampler2D u_haze;
uniform float u_gain;
uniform float u_strength;
out vec4 colour;
void main() {
  vec4 heap = texture(u_haze, v_at);
  if (heap.a <= 0.0) discard;
  float alpha = u_strength * (1.0 - exp(-heap.a * u_gain));
  colour = vec4(heap.rgb / heap.a * alpha, alpha);
}`;

const PICTURE_VERTEX = `#version 300 es
precision highp float;
layout(location = 0) in vec4 a_box;   // left, top, width, height in pixels
layout(location = 1) in vec4 a_part;  // the same inside the texture, 0..1
layout(location = 2) in vec4 a_frame; // colour of the frame, opacity
uniform vec2 u_canvas;
uniform float u_border;               // pixels of frame around the picture
out vec2 v_inside;
out vec4 v_frame;
flat out vec4 v_part;
flat out vec2 v_size;
void main() {
  vec2 corner = vec2(float(gl_VertexID & 1), float(gl_VertexID >> 1));
  vec2 outer = a_box.zw + 2.0 * u_border;
  vec2 at = a_box.xy - u_border + corner * outer;
  v_inside = corner * outer - u_border;
  v_size = a_box.zw;
  v_part = a_part;
  v_frame = a_frame;
  gl_Position = vec4(at.x / u_canvas.x * 2.0 - 1.0, 1.0 - at.y / u_canvas.y * 2.0, 0.0, 1.0);
}`;

const PICTURE_FRAGMENT = `#version 300 es
precision highp float;
in vec2 v_inside;
in vec4 v_frame;
flat in vec4 v_part;
flat in vec2 v_size;
uniform sampler2D u_pictures;
out vec4 colour;
void main() {
  vec2 share = v_inside / v_size;
  bool framed = any(lessThan(share, vec2(0.0))) || any(greaterThan(share, vec2(1.0)));
  vec4 paint = texture(u_pictures, v_part.xy + clamp(share, 0.0, 1.0) * v_part.zw);
  colour = (framed ? vec4(v_frame.rgb, 1.0) : paint) * v_frame.a;
}`;
