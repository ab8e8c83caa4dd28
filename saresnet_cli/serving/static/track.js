// The score track: a lane a model, sites below its curve, a cursor that mouse and keys move.

import { svg } from "./elements.js";
import { count, firstFrom, fixed, place, share, ticks } from "./numbers.js";
import { VALUES, WINDOW } from "./view.js";

const LEFT = 46;
const RIGHT = 14;
const TOP = 20;
const FOOT = 17; // room for sites below a curve
const AXIS = 24;
const DRAGGED = 5;

export class Track {
  constructor(root, view, readout, keysId) {
    Object.assign(this, { root, view, readout });
    this.svg = svg("svg", {
      tabindex: 0, role: "slider", "aria-label": "Score track", "aria-describedby": keysId, "aria-orientation": "horizontal",
    });
    this.drawn = svg("g");
    this.over = svg("g");
    this.svg.append(this.drawn, this.over);
    root.replaceChildren(this.svg);
    this.svg.addEventListener("pointermove", (event) => this.pointed(event));
    this.svg.addEventListener("pointerdown", (event) => this.pressed(event));
    this.svg.addEventListener("pointerup", (event) => this.released(event));
    this.svg.addEventListener("pointercancel", () => this.dropped());
    this.svg.addEventListener("keydown", (event) => this.key(event));
    this.svg.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    view.addEventListener("change", () => this.draw());
    view.addEventListener("point", () => this.point());
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(root);
  }

  close() {
    this.observer.disconnect();
  }

  get height() {
    const lanes = this.view.lanes.length;
    return lanes === 1 ? 190 : lanes <= 4 ? 124 : 100;
  }

  x(position) {
    const { from, to } = this.view;
    return LEFT + ((position - from) / (to - from)) * (this.width - LEFT - RIGHT);
  }

  position(x) {
    const { from, to } = this.view;
    return from + ((x - LEFT) / (this.width - LEFT - RIGHT)) * (to - from);
  }

  draw() {
    this.width = Math.max(this.root.clientWidth, 260);
    const { view, height } = this;
    const total = height * view.lanes.length + AXIS;
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${total}`);
    this.svg.setAttribute("height", total);
    const [scale, label] = [this.scale(), VALUES[view.value].name];
    const lanes = view.lanes.map((lane, i) => this.lane(lane, i * height, scale, i === 0 ? label : ""));
    const bottom = height * view.lanes.length;
    const axis = svg("g", {}, svg("line", { class: "axis", x1: LEFT, x2: this.width - RIGHT, y1: bottom, y2: bottom }));
    for (const at of ticks(view.from, view.to, this.width / 130)) {
      const x = this.x(at);
      const anchor = x > this.width - 40 ? "end" : "middle";
      axis.append(
        svg("line", { class: "axis", x1: x, x2: x, y1: bottom, y2: bottom + 5 }),
        svg("text", { x: anchor === "end" ? this.width - 2 : x, y: bottom + 18, "text-anchor": anchor }, count(at)),
      );
    }
    this.drawn.replaceChildren(...lanes, axis);
    this.point();
  }

  // One scale for all lanes, so that heights can be compared.
  scale() {
    const { view } = this;
    if (view.value === "score") return [0, 1];
    let [low, high] = view.value === "pvalue" ? [0, 1] : [-1, 1];
    for (const lane of view.lanes) {
      for (let i = 0; i < view.windows.length; i += 1) {
        const value = VALUES[view.value].of(lane, i);
        if (value !== null) [low, high] = [Math.min(low, value), Math.max(high, value)];
      }
      const limit = view.limit(lane.model);
      if (limit !== null) [low, high] = [Math.min(low, limit), Math.max(high, limit)];
    }
    return [low, high + (high - low) * 0.05];
  }

  lane(lane, top, [low, high], label) {
    const { view } = this;
    const floor = top + this.height - FOOT;
    const y = (value) => floor - ((value - low) / (high - low)) * (this.height - FOOT - TOP);
    const group = svg("g", {});
    for (const value of ticks(low, high, this.height > 150 ? 5 : 3)) {
      group.append(
        svg("line", { class: "grid", x1: LEFT, x2: this.width - RIGHT, y1: y(value), y2: y(value) }),
        svg("text", { x: LEFT - 7, y: y(value) + 4, "text-anchor": "end" }, String(value).replace("-", "−")),
      );
    }
    const points = this.points(lane);
    if (points.length) {
      const line = points.map(([x, value]) => `${x.toFixed(1)} ${y(value).toFixed(1)}`).join("L");
      const [first, last] = [points[0][0].toFixed(1), points.at(-1)[0].toFixed(1)];
      group.append(
        svg("path", { class: "area", d: `M${first} ${floor}L${line}L${last} ${floor}Z` }),
        svg("path", { class: "curve", d: `M${line}` }),
      );
      if (points.length <= this.width / 9) {
        for (const [x, value] of points) group.append(svg("circle", { class: "dot", cx: x, cy: y(value), r: 2.2 }));
      }
    }
    const limit = view.limit(lane.model);
    if (limit !== null) {
      group.append(svg("line", { class: "limit", x1: LEFT, x2: this.width - RIGHT, y1: y(limit), y2: y(limit) }));
      const name = view.cut.name === "" ? "model’s threshold" : "cutoff";
      if (label) group.append(svg("text", { class: "limit-name", x: this.width - RIGHT - 2, y: y(limit) - 4, "text-anchor": "end" }, name));
    }
    for (const site of view.sitesOf(lane.model)) {
      if (site.end <= view.from || site.start >= view.to) continue;
      const [a, b] = [Math.max(this.x(site.start), LEFT), Math.min(this.x(site.end), this.width - RIGHT)];
      const middle = this.x(site.summit + 0.5);
      group.append(
        svg("rect", { class: "site", x: a, width: Math.max(b - a, 3), y: floor + 3, height: 8, rx: 2 },
          svg("title", {}, `${site.name}, summit ${count(site.summit)}`)),
        middle >= a && middle <= b ? svg("line", { class: "summit", x1: middle, x2: middle, y1: floor + 3, y2: floor + 11 }) : "",
      );
    }
    group.append(svg("text", { class: "name", x: LEFT + 4, y: top + 15 }, lane.model));
    if (label) group.append(svg("text", { x: 2, y: top + 12 }, label));
    return group;
  }

  // [x, value] of the windows in view; of many in a pixel the lowest and the highest.
  points(lane) {
    const { windows, from, to, value } = this.view;
    const first = Math.max(firstFrom(windows, from - WINDOW / 2) - 1, 0);
    const last = Math.min(firstFrom(windows, to - WINDOW / 2) + 1, windows.length);
    const found = [];
    const inside = (x) => Math.min(Math.max(x, LEFT), this.width - RIGHT);
    if (last - first <= 3 * this.width) {
      for (let i = first; i < last; i += 1) {
        const height = VALUES[value].of(lane, i);
        if (height !== null) found.push([inside(this.x(windows[i] + WINDOW / 2)), height]);
      }
      return found;
    }
    const columns = new Map();
    for (let i = first; i < last; i += 1) {
      const height = VALUES[value].of(lane, i);
      if (height === null) continue;
      const x = Math.round(inside(this.x(windows[i] + WINDOW / 2)));
      const column = columns.get(x);
      if (column) [column[0], column[1]] = [Math.min(column[0], height), Math.max(column[1], height)];
      else columns.set(x, [height, height]);
    }
    for (const [x, [low, high]] of columns) found.push([x, low], [x, high]);
    return found;
  }

  // Draw the cursor and the chosen window, and say what is under it.
  point() {
    const { view, height } = this;
    const parts = [];
    const box = (window, lane, name) => {
      const start = view.windows[window];
      const [a, b] = [this.x(start), this.x(start + WINDOW)].map((x) => Math.min(Math.max(x, LEFT), this.width - RIGHT));
      if (b > a) parts.push(svg("rect", { class: name, x: a, width: b - a, y: lane * height + 2, height: height - 4, rx: 3 }));
    };
    if (view.chosen) box(view.chosen.window, view.chosen.lane, "chosen");
    if (view.cursor !== null) {
      box(view.cursor, view.lane, "span");
      const x = this.x(view.windows[view.cursor] + WINDOW / 2);
      const inside = x >= LEFT && x <= this.width - RIGHT;
      if (inside) parts.push(svg("line", { class: "cursor", x1: x, x2: x, y1: 0, y2: height * view.lanes.length }));
    }
    if (this.drag) {
      const [a, b] = [Math.min(this.drag.x, this.drag.now), Math.max(this.drag.x, this.drag.now)];
      parts.push(svg("rect", { class: "drag", x: a, width: b - a, y: 0, height: height * view.lanes.length }));
    }
    this.over.replaceChildren(...parts);
    const words = this.words();
    this.readout.textContent = words;
    this.svg.setAttribute("aria-valuemin", 1);
    this.svg.setAttribute("aria-valuemax", Math.max(view.windows.length, 1));
    this.svg.setAttribute("aria-valuenow", (view.cursor ?? 0) + 1);
    this.svg.setAttribute("aria-valuetext", words || `${view.windows.length} windows, press an arrow key`);
  }

  words() {
    const { view } = this;
    if (view.cursor === null) return "";
    const lane = view.lanes[view.lane];
    const start = view.windows[view.cursor];
    const [logit, p] = [fixed(lane.logit[view.cursor], 4), share(lane.pvalue[view.cursor])];
    const model = view.lanes.length > 1 ? `${lane.model} · ` : "";
    return `${model}${place(start, start + WINDOW)} · logit ${logit} · p ${p}`;
  }

  at(event) {
    const box = this.svg.getBoundingClientRect();
    const x = Math.min(Math.max(event.clientX - box.left, LEFT), this.width - RIGHT);
    const lane = Math.min(Math.max(Math.floor((event.clientY - box.top) / this.height), 0), this.view.lanes.length - 1);
    return { x, lane };
  }

  pointed(event) {
    const { x, lane } = this.at(event);
    if (this.drag) {
      this.drag.now = x;
      this.point();
      return;
    }
    const cursor = this.view.nearest(this.position(x));
    if (cursor !== null) this.view.point(cursor, lane);
  }

  pressed(event) {
    if (event.button !== 0) return;
    this.svg.setPointerCapture(event.pointerId);
    const { x } = this.at(event);
    this.drag = { x, now: x };
  }

  released(event) {
    if (!this.drag) return;
    const { x, now } = this.drag;
    this.drag = null;
    if (Math.abs(now - x) < DRAGGED) {
      this.pointed(event);
      this.view.choose();
    } else {
      this.view.zoom(this.position(Math.min(x, now)), this.position(Math.max(x, now)));
    }
  }

  dropped() {
    this.drag = null;
    this.point();
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    this.view.scale(event.deltaY > 0 ? 1.25 : 0.8, this.position(this.at(event).x));
  }

  key(event) {
    const { view } = this;
    const from = view.cursor ?? view.nearest(view.from + WINDOW / 2) ?? 0;
    const page = Math.max(Math.round(view.windows.length / 20), 1);
    const steps = {
      ArrowRight: () => view.move(view.cursor === null ? from : from + 1),
      ArrowLeft: () => view.move(view.cursor === null ? from : from - 1),
      ArrowDown: () => view.move(from, view.lane + 1),
      ArrowUp: () => view.move(from, view.lane - 1),
      PageDown: () => view.move(from + page),
      PageUp: () => view.move(from - page),
      Home: () => view.move(0),
      End: () => view.move(view.windows.length - 1),
      Enter: () => view.choose(),
      " ": () => view.choose(),
      "+": () => view.scale(0.5),
      "=": () => view.scale(0.5),
      "-": () => view.scale(2),
      0: () => view.zoom(view.sequence.start, view.sequence.end),
    };
    if (event.altKey || event.ctrlKey || event.metaKey || !(event.key in steps)) return;
    event.preventDefault();
    steps[event.key]();
  }
}
