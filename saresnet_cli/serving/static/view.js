// What is looked at: one sequence of a scan, a stretch of it, and a cursor on a window and a model.

import { firstFrom } from "./numbers.js";

const NARROWEST = 60;
export const WINDOW = 101;

export const VALUES = {
  logit: { name: "logit", of: (scores, i) => scores.logit[i] },
  pvalue: { name: "−log₁₀ p", of: (scores, i) => (scores.pvalue[i] === null ? null : -Math.log10(scores.pvalue[i])) },
  score: { name: "probability", of: (scores, i) => scores.score[i] },
};

export class View extends EventTarget {
  // scan, sites: answers of the server. cut: {name, value} of what sites were called by.
  constructor(scan, sites, cut) {
    super();
    Object.assign(this, { scan, sites, cut, value: "logit", lane: 0, cursor: null, chosen: null });
    this.limits = new Map(scan.models.map((model) => [model.id, model.threshold]));
    this.show(0);
  }

  show(number) {
    this.sequence = this.scan.sequences[number];
    this.cursor = null;
    this.chosen = null;
    this.zoom(this.sequence.start, this.sequence.end);
  }

  get windows() {
    return this.sequence.windows;
  }

  get lanes() {
    return this.sequence.scores;
  }

  sitesOf(model) {
    return this.sites.filter((site) => site.model === model && site.chrom === this.sequence.name);
  }

  // Where the dashed line of a lane is, in what is shown; null where there is none.
  limit(model) {
    const { name, value } = this.cut;
    const logit = name === "" ? this.limits.get(model) : name === "threshold" ? value : null;
    if (this.value === "pvalue") return name === "max_pvalue" ? -Math.log10(value) : null;
    if (logit === null) return null;
    return this.value === "logit" ? logit : 1 / (1 + Math.exp(-logit));
  }

  zoom(from, to) {
    const { start, end } = this.sequence;
    const width = Math.min(Math.max(Math.round(to - from), NARROWEST), end - start);
    this.from = Math.round(Math.min(Math.max(from, start), end - width));
    this.to = this.from + width;
    this.changed();
  }

  // Zoom by a factor around a position, default the cursor or the middle.
  scale(factor, around = this.focus) {
    this.zoom(around - (around - this.from) * factor, around + (this.to - around) * factor);
  }

  get focus() {
    const at = this.cursor === null ? null : this.windows[this.cursor] + WINDOW / 2;
    return at !== null && at >= this.from && at <= this.to ? at : (this.from + this.to) / 2;
  }

  nearest(position) {
    if (!this.windows.length) return null;
    const start = position - WINDOW / 2;
    const after = Math.min(firstFrom(this.windows, start), this.windows.length - 1);
    return after > 0 && start - this.windows[after - 1] < this.windows[after] - start ? after - 1 : after;
  }

  point(cursor, lane = this.lane) {
    if (cursor === this.cursor && lane === this.lane) return;
    this.cursor = cursor;
    this.lane = lane;
    this.dispatchEvent(new Event("point"));
  }

  // Move the cursor and bring it into view.
  move(cursor, lane = this.lane) {
    if (!this.windows.length) return;
    const to = Math.min(Math.max(cursor, 0), this.windows.length - 1);
    const start = this.windows[to];
    const width = this.to - this.from;
    if (start < this.from) this.zoom(start - width * 0.1, start + width * 0.9);
    else if (start + WINDOW > this.to) this.zoom(start + WINDOW - width * 0.9, start + WINDOW + width * 0.1);
    this.point(to, Math.min(Math.max(lane, 0), this.lanes.length - 1));
  }

  choose() {
    if (this.cursor === null) return;
    this.chosen = { window: this.cursor, lane: this.lane };
    this.dispatchEvent(new Event("choose"));
    this.changed();
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }
}
