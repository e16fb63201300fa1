// What lies above the points: names or numbers of groups, the ring around the pointed item, the line being drawn.

class Overlay {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
  }

  draw(map, scene) {
    const { context, canvas } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(map.ratio, 0, 0, map.ratio, 0, 0);
    this.labels(map, scene);
    map.marks.place();
    map.links.draw(context, scene);
    map.edges.draw(context);
    if (map.links.on && map.links.near) this.ring(map, map.links.item, scene);
    if (map.edges.on && map.edges.item >= 0) this.ring(map, map.edges.item, scene);
    if (map.hovered >= 0) this.ring(map, map.hovered, scene);
    if (map.drawn) this.line(map);
  }

  labels(map, scene) {
    if (!map.legend.labels) return;
    const { context } = this;
    const { theme, camera } = map;
    const numbered = map.legend.numbers;
    const taken = [];
    context.textBaseline = "middle";
    context.textAlign = "center";
    for (const group of map.groupsBySize) {
      if (!map.shown(group.code) || !group.count) continue;
      const [dataX, dataY] = map.anchorOf(group);
      let [x, y] = [camera.screenX(dataX), camera.screenY(dataY)];
      if (x < 0 || y < 0 || x > camera.width || y > camera.height) continue;
      const picture = scene.pictures.find((one) => one.item === group.medoid);
      if (scene.medoids && !picture && !numbered && map.store) continue;
      const text = numbered ? String(group.number) : shortened(group.name, 30);
      context.font = numbered ? `600 12px ${theme.sans}` : `13px ${theme.serif}`;
      const width = context.measureText(text).width + (numbered ? 8 : 12);
      const height = numbered ? 17 : 19;
      if (picture) y = picture.top + picture.height + (numbered ? 0 : height / 2 + 4);
      x = Math.min(Math.max(x, width / 2), Math.max(camera.width - width / 2, width / 2)); // a name at the edge is not cut
      const box = [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
      if (taken.some((other) => box[0] < other[2] + 2 && box[2] > other[0] - 2 && box[1] < other[3] + 2 && box[3] > other[1] - 2)) continue;
      taken.push(box);
      const clear = group.hidden ? 0.5 : 1;
      context.fillStyle = css(theme.paper, 0.86 * clear);
      context.beginPath();
      context.roundRect(box[0], box[1], width, height, 3);
      context.fill();
      if (numbered) {
        context.fillStyle = css(map.palette[group.code] ?? theme.ink);
        context.fillRect(box[0] + 2, box[3] - 2.5, width - 4, 1.5);
      }
      context.fillStyle = css(theme.ink, clear);
      context.fillText(text, x, y + 0.5);
    }
  }

  ring(map, item, scene) {
    const { context } = this;
    const { camera, theme } = map;
    const picture = scene.pictures.find((one) => one.item === item);
    const [dataX, dataY] = map.positionOf(item);
    const path = (grow) => {
      context.beginPath();
      if (picture) {
        context.rect(picture.left - grow, picture.top - grow, picture.width + 2 * grow, picture.height + 2 * grow);
      } else context.arc(camera.screenX(dataX), camera.screenY(dataY), Math.max(7, scene.size / 2 + 3) + grow - 3, 0, 7);
    };
    context.lineWidth = 4.5;
    context.strokeStyle = css(theme.paper);
    path(4);
    context.stroke();
    context.lineWidth = 2;
    context.strokeStyle = css(theme.ink);
    path(4);
    context.stroke();
  }

  line(map) {
    const { context } = this;
    const { theme, drawn } = map;
    context.beginPath();
    drawn.line.forEach(([x, y], at) => (at ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
    context.fillStyle = css(theme.accent, 0.08);
    context.fill();
    context.lineWidth = 1.5;
    context.setLineDash(drawn.mode === "subtract" ? [4, 4] : []);
    context.strokeStyle = css(theme.accent);
    context.stroke();
    context.setLineDash([]);
  }
}

const shortened = (text, most) => (text.length > most ? `${text.slice(0, most - 1).trimEnd()}…` : text);
