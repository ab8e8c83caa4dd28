// What came back: the track, the explanation of a window, the tables, the files.

import { ask } from "./api.js";
import { byId, html, save, table } from "./elements.js";
import { baseTable, logo, logoFile } from "./logo.js";
import { count, counted, firstFrom, fixed, place, share, whole } from "./numbers.js";
import { Overview } from "./overview.js";
import { Track } from "./track.js";
import { View, WINDOW } from "./view.js";

const ROWS = 300;
const FILES = {
  bed: ["scan", "bed", "scan.bed"],
  tsv: ["scan", "tsv", "scan.tsv"],
  narrowpeak: ["call", "narrowpeak", "sites.narrowPeak"],
  score: ["score", "tsv", "scores.tsv"],
};

export class Results {
  // say: shows a line of status; fail: shows an error.
  constructor(say, fail) {
    Object.assign(this, { say, fail });
    byId("sequence").addEventListener("change", (event) => this.view.show(Number(event.target.value)));
    byId("value").addEventListener("change", (event) => {
      this.view.value = event.target.value;
      this.view.changed();
    });
    byId("zoom-in").addEventListener("click", () => this.view.scale(0.5));
    byId("zoom-out").addEventListener("click", () => this.view.scale(2));
    byId("zoom-all").addEventListener("click", () => this.view.zoom(this.view.sequence.start, this.view.sequence.end));
    for (const id of ["from", "to"]) byId(id).addEventListener("change", () => this.zoomed());
    byId("windows").addEventListener("toggle", () => this.windows());
    for (const button of document.querySelectorAll("[data-file]")) {
      button.addEventListener("click", () => this.file(...FILES[button.dataset.file]));
    }
    byId("explained-tsv").addEventListener("click", () => this.explanation("tsv", "explanation.tsv"));
    byId("explained-svg").addEventListener("click", () => save(logoFile(byId("logo").firstChild), "logo.svg", "image/svg+xml"));
  }

  // request: {scan, call, score, body}, what was asked for; scan, called: the answers; seconds: how long they took.
  show(request, scan, called, cut, seconds) {
    this.track?.close();
    this.overview?.close();
    this.explaining?.abort();
    Object.assign(this, { request, scan, called });
    const view = new View(scan, called.sites, cut);
    view.value = byId("value").value;
    this.view = view;
    byId("empty").hidden = true;
    byId("scored").hidden = false;
    this.track = new Track(byId("track"), view, byId("readout"), "keys");
    this.overview = new Overview(byId("overview"), view);
    view.addEventListener("change", () => this.changed());
    view.addEventListener("choose", () => this.explain());
    const names = scan.sequences.map((sequence, i) => html("option", { value: i }, sequence.name));
    byId("sequence").replaceChildren(...names);
    byId("sequence-field").hidden = names.length < 2;
    byId("summary").textContent = this.summary(seconds);
    byId("commands").textContent = `${scan.command}\n${called.command}`;
    document.querySelector("[data-file=score]").hidden = request.score === null;
    this.unexplained();
    this.sites();
    const scored = scan.sequences.findIndex((sequence) => sequence.windows.length);
    byId("sequence").value = Math.max(scored, 0);
    view.show(Math.max(scored, 0));
    if (called.sites.length) this.locate(called.sites.reduce((a, b) => (b.logit > a.logit ? b : a)), false);
  }

  summary(seconds) {
    const skipped = Object.entries(this.scan.skipped).map(([reason, n]) => `${count(n)} ${reason}`);
    return [
      counted(this.scan.windows, "window"),
      counted(this.scan.models.length, "model"),
      counted(this.called.sites.length, "site"),
      `${seconds.toFixed(1)} s`,
      ...(skipped.length ? [`skipped: ${skipped.join("; ")}`] : []),
    ].join(" · ");
  }

  changed() {
    const { view } = this;
    const { name, start, end } = view.sequence;
    byId("title").textContent = name;
    byId("title").title = `${name}, ${place(start, end)}`;
    [byId("from").value, byId("to").value] = [count(view.from), count(view.to)];
    this.windows();
  }

  zoomed() {
    const [from, to] = [whole(byId("from").value), whole(byId("to").value)];
    if (from >= 0 && to > from) this.view.zoom(from, to);
    else this.changed();
  }

  windows() {
    if (!byId("windows").open || !this.view) return;
    const { view } = this;
    const first = firstFrom(view.windows, view.from);
    const last = firstFrom(view.windows, view.to - WINDOW + 1);
    const rows = [];
    for (let i = first; i < last && rows.length < ROWS; i += 1) {
      for (const lane of view.lanes) {
        const start = view.windows[i];
        const jump = () => {
          view.move(i, view.lanes.indexOf(lane));
          view.choose();
        };
        const where = html("button", { type: "button", class: "link", onclick: jump, "aria-label": `Explain ${start} by ${lane.model}` }, place(start, start + WINDOW));
        rows.push([where, lane.model, fixed(lane.logit[i], 4), fixed(lane.score[i], 6), share(lane.pvalue[i])]);
      }
    }
    const all = (last - first) * view.lanes.length;
    const caption = all > rows.length ? `The first ${count(rows.length)} of ${count(all)} rows: zoom in, or download the file` : counted(rows.length, "row");
    const columns = [["Window", false], ["Model", false], ["Logit", true], ["Probability", true], ["p-value", true]];
    byId("windows").querySelector(".scroll").replaceChildren(table(caption, columns, rows));
  }

  sites() {
    const { sites } = this.called;
    byId("sites-title").textContent = counted(sites.length, "site");
    if (!sites.length) {
      const text = "No window passes. A weaker site may show in the track: try a larger p-value under Options.";
      byId("sites").replaceChildren(html("p", { class: "sub" }, text));
      return;
    }
    const rows = sites.slice(0, ROWS).map((site) => [
      html("button", { type: "button", class: "link", onclick: () => this.locate(site, true) }, site.name),
      site.chrom, place(site.start, site.end), count(site.summit), fixed(site.logit, 4), share(site.pvalue),
      ...(site.qvalue === null ? [] : [share(site.qvalue)]),
    ]);
    const columns = [["Site", false], ["Sequence", false], ["Place", false], ["Summit", true], ["Logit", true], ["p-value", true]];
    if (sites[0].qvalue !== null) columns.push(["q-value", true]);
    const caption = sites.length > ROWS ? `The first ${ROWS} of ${count(sites.length)}: download the file for all` : "Choose a site to explain its best window";
    byId("sites").replaceChildren(table(caption, columns, rows));
  }

  // Go to the best window of a site; zoomed: also bring it near.
  locate(site, zoomed) {
    const { view } = this;
    const number = this.scan.sequences.findIndex((sequence) => sequence.name === site.chrom);
    if (this.scan.sequences[number] !== view.sequence) {
      byId("sequence").value = number;
      view.show(number);
    }
    const lane = view.lanes.findIndex((each) => each.model === site.model);
    let best = null;
    for (let i = firstFrom(view.windows, site.start - WINDOW); i < view.windows.length && view.windows[i] < site.end; i += 1) {
      const inside = view.windows[i] + WINDOW > site.start;
      if (inside && (best === null || view.lanes[lane].logit[i] > view.lanes[lane].logit[best])) best = i;
    }
    if (zoomed) view.zoom(site.summit - 400, site.summit + 400);
    view.move(best, lane);
    view.choose();
    if (zoomed) byId("explained").scrollIntoView({ block: "nearest" });
  }

  place() {
    const { view } = this;
    const { window, lane } = view.chosen;
    const model = view.lanes[lane].model;
    return [["model", model], ["max_n", this.request.maxN], ["chrom", view.sequence.name], ["start", view.windows[window]]];
  }

  unexplained() {
    byId("explained-body").hidden = true;
    byId("explained-sub").textContent = "Choose a window in the track, or a site below.";
  }

  async explain() {
    this.explaining?.abort();
    this.explaining = new AbortController();
    const { signal } = this.explaining;
    this.explained = this.place();
    const { window, lane } = this.view.chosen;
    const scores = this.view.lanes[lane];
    const start = this.view.windows[window];
    const about = `${this.view.sequence.name}: ${place(start, start + WINDOW)}, ${scores.model}, logit ${fixed(scores.logit[window], 4)}, p ${share(scores.pvalue[window])}`;
    byId("explained-sub").textContent = `${about}. Scoring its single changes…`;
    byId("explained").setAttribute("aria-busy", "true");
    try {
      const answer = await (await ask("explain", this.explained, this.request.body, signal)).json();
      byId("base-readout").textContent = "A letter is as high as what its base adds to the logit. Below: what A, C, G or T in its place would do, blue less, orange more.";
      byId("logo").replaceChildren(logo(answer, byId("base-readout")));
      byId("bases").querySelector(".scroll").replaceChildren(baseTable(answer));
      byId("explained-body").hidden = false;
      byId("explained-sub").textContent = about;
    } catch (error) {
      if (error.name === "AbortError") return;
      this.unexplained();
      this.fail(error);
    } finally {
      if (this.explaining.signal === signal) byId("explained").removeAttribute("aria-busy");
    }
  }

  async explanation(format, name) {
    await this.saved("explain", [...this.explained, ["format", format]], name);
  }

  async file(verb, format, name) {
    await this.saved(verb, [...this.request[verb], ["format", format]], name);
  }

  async saved(verb, query, name) {
    try {
      this.say(`Making ${name}…`);
      save(await (await ask(verb, query, this.request.body)).blob(), name);
      this.say(`${name} is downloaded.`);
    } catch (error) {
      this.fail(error);
    }
  }
}
