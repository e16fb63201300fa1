// What is on the map without being one of its items: a numbered flag, with a small picture where there is one.

class Marks {
  constructor(map) {
    this.map = map;
    this.given = [];
    this.flags = [];
    this.room = element("div", { class: "marks" });
    map.panel.frame.append(this.room);
  }

  take(given) {
    const { map } = this;
    this.given = given;
    this.flags = given.map((mark) => this.flag(mark));
    this.room.replaceChildren(...this.flags);
    const [left, bottom, right, top] = map.options.bounds ?? boundsOf(map.xy);
    const across = given.map((mark) => mark.x);
    const up = given.map((mark) => mark.y);
    map.camera.bounds = [Math.min(left, ...across), Math.min(bottom, ...up), Math.max(right, ...across), Math.max(top, ...up)];
    if (!map.kept.views[map.viewKey(map.options)]) map.camera.home(); // a mark beyond the edge is seen too
  }

  flag(mark) {
    const picture = mark.picture ? element("img", { alt: "", src: mark.picture }) : element("i", { class: "shape" });
    const flag = element(
      "button",
      {
        type: "button", class: "mark", title: mark.title, "data-number": mark.number,
        "aria-label": `Placed item ${mark.number}: ${mark.title}. Show its card.`,
        onclick: () => this.open(mark.number),
      },
      picture, element("span", { class: "number" }, String(mark.number)),
    );
    flag.style.setProperty("--group", mark.colour);
    return flag;
  }

  /** Follow the view; what is outside it is not there. */
  place() {
    const { camera } = this.map;
    this.room.style.height = `${camera.height}px`;
    this.given.forEach((mark, at) => {
      const [x, y] = [camera.screenX(mark.x), camera.screenY(mark.y)];
      this.flags[at].hidden = x < 0 || y < 0 || x > camera.width || y > camera.height;
      this.flags[at].style.transform = `translate(${x}px, ${y}px)`;
    });
  }

  open(number) {
    const card = document.querySelector(`.st-key-newcomer-${number}`);
    card?.scrollIntoView({ behavior: calm() ? "auto" : "smooth", block: "center" });
  }
}
