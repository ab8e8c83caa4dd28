// The strip below the track: the whole sequence, and two grips, the ends of what the track shows.

import { svg } from "./elements.js";
import { count } from "./numbers.js";

const LEFT = 46;
const RIGHT = 14;
const HEIGHT = 40;
const GRIP = 9;

export class Overview {
  constructor(root, view) {
    Object.assign(this, { root, view });
    this.svg = svg("svg", { height: HEIGHT, role: "group", "aria-label": "What the track shows of the sequence" });
    this.back = svg("g", { "aria-hidden": "true" });
    this.pan = svg("rect", { class: "pan", y: 0, height: HEIGHT });
    this.grips = ["from", "to"].map((end) =>
      svg("rect", {
        class: "grip", tabindex: 0, role: "slider", y: 5, width: GRIP, height: HEIGHT - 10, rx: 3, "data-end": end,
        "aria-label": end === "from" ? "Left end of the track" : "Right end of the track", "aria-orientation": "horizontal",
        onkeydown: (event) => this.key(event, end),
      }),
    );
    this.svg.append(this.back, this.pan, ...this.grips);
    root.replaceChildren(this.svg);
    this.svg.addEventListener("pointerdown", (event) => this.pressed(event));
    this.svg.addEventListener("pointermove", (event) => this.dragged(event));
    this.svg.addEventListener("pointerup", () => (this.drag = null));
    this.svg.addEventListener("pointercancel", () => (this.drag = null));
    view.addEventListener("change", () => this.draw());
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(root);
  }

  close() {
    this.observer.disconnect();
  }

  x(position) {
    const { start, end } = this.view.sequence;
    return LEFT + ((position - start) / (end - start)) * (this.width - LEFT - RIGHT);
  }

  position(event) {
    const { start, end } = this.view.sequence;
    const x = event.clientX - this.svg.getBoundingClientRect().left;
    return start + ((x - LEFT) / (this.width - LEFT - RIGHT)) * (end - start);
  }

  draw() {
    const { view } = this;
    this.width = Math.max(this.root.clientWidth, 260);
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${HEIGHT}`);
    const [a, b] = [this.x(view.from), this.x(view.to)];
    this.back.replaceChildren(
      svg("rect", { class: "area", x: LEFT, width: this.width - LEFT - RIGHT, y: 8, height: HEIGHT - 16, rx: 3 }),
      svg("path", { class: "curve", d: this.profile() }),
      ...view.sites.filter((site) => site.chrom === view.sequence.name).map((site) =>
        svg("rect", { class: "site", x: this.x(site.start), width: Math.max(this.x(site.end) - this.x(site.start), 2), y: HEIGHT - 8, height: 4 })),
      svg("rect", { class: "shade", x: LEFT, width: a - LEFT, y: 0, height: HEIGHT }),
      svg("rect", { class: "shade", x: b, width: this.width - RIGHT - b, y: 0, height: HEIGHT }),
      svg("rect", { class: "chosen", x: a, width: b - a, y: 5, height: HEIGHT - 10, rx: 3 }),
    );
    this.pan.setAttribute("x", a);
    this.pan.setAttribute("width", b - a);
    const { start, end } = view.sequence;
    this.grips.forEach((grip, i) => {
      const now = i === 0 ? view.from : view.to;
      grip.setAttribute("x", (i === 0 ? a : b) - GRIP / 2);
      grip.setAttribute("aria-valuemin", i === 0 ? start : view.from);
      grip.setAttribute("aria-valuemax", i === 0 ? view.to : end);
      grip.setAttribute("aria-valuenow", now);
      grip.setAttribute("aria-valuetext", count(now));
    });
  }

  // The highest logit of any model, pixel by pixel.
  profile() {
    const { view } = this;
    const highest = new Map();
    for (const lane of view.lanes) {
      lane.logit.forEach((logit, i) => {
        const x = Math.round(this.x(view.windows[i] + 50));
        if (!(logit <= highest.get(x))) highest.set(x, logit);
      });
    }
    if (!highest.size) return "";
    const values = [...highest.values()];
    let [low, high] = [Infinity, -Infinity];
    for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
    const y = (value) => HEIGHT - 10 - ((value - low) / (high - low || 1)) * (HEIGHT - 20);
    return `M${[...highest].map(([x, value]) => `${x} ${y(value).toFixed(1)}`).join("L")}`;
  }

  pressed(event) {
    if (event.button !== 0) return;
    const end = event.target.dataset.end;
    const at = this.position(event);
    const { from, to } = this.view;
    if (!end && (at < from || at > to)) this.view.zoom(at - (to - from) / 2, at + (to - from) / 2);
    this.drag = { end: end ?? "both", at, from: this.view.from, to: this.view.to };
    this.svg.setPointerCapture(event.pointerId);
  }

  dragged(event) {
    if (!this.drag) return;
    const { end, at, from, to } = this.drag;
    const by = this.position(event) - at;
    if (end === "from") this.move("from", from + by);
    else if (end === "to") this.move("to", to + by);
    else this.view.zoom(from + by, to + by);
  }

  move(end, position) {
    const { view } = this;
    const { start, end: last } = view.sequence;
    const least = Math.min(60, last - start);
    if (end === "from") view.zoom(Math.min(Math.max(position, start), view.to - least), view.to);
    else view.zoom(view.from, Math.max(Math.min(position, last), view.from + least));
  }

  key(event, end) {
    const { start, end: last } = this.view.sequence;
    const step = Math.max(Math.round((last - start) / (event.shiftKey ? 200 : 50)), 1);
    const now = this.view[end];
    const to = {
      ArrowLeft: now - step, ArrowDown: now - step, ArrowRight: now + step, ArrowUp: now + step,
      PageDown: now - 5 * step, PageUp: now + 5 * step, Home: start, End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.move(end, to);
  }
}
