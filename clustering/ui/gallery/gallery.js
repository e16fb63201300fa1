// A wall of works in justified rows: every picture keeps its proportions, captions are text, a click or Enter opens one.

const A_ROW = 24; // empty places at least as many as a row holds, so that works of the last row are no larger or smaller

const token = () => `${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;

function made(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== "" && value !== null) element.setAttribute(name, value);
  element.append(...children); // strings become text nodes, never markup
  return element;
}

/** The item's cell of an atlas sheet, stretched over the picture's place until the picture itself is there. */
function sprite(item, aspect, atlas) {
  const sheet = Math.floor(item / atlas.per_sheet);
  const cell = item % atlas.per_sheet;
  const whole = atlas.columns * atlas.size;
  const [width, height] = [atlas.size * Math.min(1, aspect), atlas.size / Math.max(1, aspect)];
  const left = (cell % atlas.columns) * atlas.size + (atlas.size - width) / 2;
  const top = Math.floor(cell / atlas.columns) * atlas.size + (atlas.size - height) / 2;
  return {
    backgroundImage: `url("${atlas.url.replace("{sheet}", sheet)}")`,
    backgroundSize: `${(whole / width) * 100}% ${(whole / height) * 100}%`,
    backgroundPosition: `${(left / (whole - width)) * 100}% ${(top / (whole - height)) * 100}%`,
  };
}

/** Let a map of the same collection ring the item a hand or a key is on. */
function pointing(button, data, item) {
  const point = (index) => dispatchEvent(new CustomEvent("studio-point", { detail: { items: data.collection, index } }));
  for (const [name, index] of [["pointerenter", item], ["focus", item], ["pointerleave", -1], ["blur", -1]]) {
    button.addEventListener(name, () => point(index));
  }
}

/** Small shapes, filled or not; what they mean is said in words too. */
function badges(given) {
  const line = made("span", { class: "badges" });
  for (const [shape, filled, words] of given) line.append(made("i", { class: filled ? "badge filled" : "badge", "data-shape": shape, title: words }));
  const meaning = given.map(([, , words]) => words).join(", ");
  line.append(made("span", { class: "spoken" }, meaning));
  return line;
}

function work(entry, data, open) {
  const [item, aspect, caption, colour, note, marks] = entry;
  const button = data.still
    ? made("figure", { class: "work", tabindex: 0, "data-item": item })
    : made("button", { type: "button", class: "work", "data-item": item });
  const shape = Math.min(Math.max(aspect, 0.35), 3);
  const frame = made("span", { class: "frame" });
  if (data.atlas) Object.assign(frame.style, sprite(item, aspect, data.atlas));
  if (data.picture) {
    const image = made("img", { loading: "lazy", decoding: "async", src: data.picture.replace("{index}", item) });
    image.alt = caption;
    image.addEventListener("load", () => image.classList.add("here"));
    image.addEventListener("error", () => image.remove());
    frame.append(image);
  }
  if (colour) {
    const mark = made("i", { class: "mark" });
    mark.style.background = colour;
    frame.append(mark);
  }
  button.append(frame, made("span", { class: "caption", "aria-hidden": data.picture ? "true" : null }, caption));
  if (note) button.append(made("span", { class: "note" }, note));
  if (marks) button.append(badges(marks));
  pointing(button, data, item);
  if (!data.still) button.addEventListener("click", () => open(item));
  const place = made("li", {}, button);
  place.style.setProperty("--aspect", shape);
  return place;
}

function row(entry, data, open) {
  const [item, , caption, colour, note, marks] = entry;
  const mark = made("i", { class: "mark" });
  mark.style.background = colour || "transparent";
  const button = made("button", { type: "button", class: "row", "data-item": item }, mark, made("span", { class: "title" }, caption), made("span", { class: "detail" }, note ?? ""));
  if (marks) button.append(badges(marks));
  pointing(button, data, item);
  button.addEventListener("click", () => open(item));
  return made("li", {}, button);
}

export default function gallery({ data, parentElement, setStateValue }) {
  const signature = JSON.stringify(data);
  if (parentElement.gallerySignature === signature) return undefined;
  parentElement.gallerySignature = signature;
  const before = parentElement.galleryList;
  const focused = before && before.contains(parentElement.activeElement ?? document.activeElement);
  before?.remove();
  const open = (item) => setStateValue("clicked", { token: token(), index: item });
  const look = data.rows ? "rows" : data.strip ? "wall strip" : data.still ? "wall still" : "wall";
  const list = made("ul", { class: look, "aria-label": data.title });
  list.style.setProperty("--row", `${data.height}px`);
  for (const entry of data.items) list.append(data.rows ? row(entry, data, open) : work(entry, data, open));
  if (!data.rows && !data.strip) for (let place = 0; place < A_ROW; place++) list.append(made("li", { class: "rest", "aria-hidden": "true" }));
  parentElement.append(list);
  parentElement.galleryList = list;
  if (focused) list.querySelector("[data-item]")?.focus({ preventScroll: true }); // else Escape and Tab start from nowhere
  return () => {
    parentElement.galleryList?.remove();
    parentElement.gallerySignature = undefined;
  };
}
