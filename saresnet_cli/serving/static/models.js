// The list of models: a factor in a cell, each with a box to tick.

import { byId, html } from "./elements.js";
import { counted, fixed } from "./numbers.js";

export class Models {
  constructor(models) {
    this.rows = [...models]
      .sort((a, b) => a.tf.localeCompare(b.tf) || a.cell.localeCompare(b.cell))
      .map((model) => {
        const box = html("input", { type: "checkbox", value: model.id, onchange: () => this.say() });
        const auroc = model.metrics.auroc;
        const figure = auroc === undefined ? null : html("span", { class: "figure", title: "AUROC on its test set" }, fixed(auroc, 3));
        const label = html("label", {}, box, html("span", {}, model.tf), " ", html("span", { class: "cell" }, model.cell), " ", figure);
        return { box, label, words: `${model.tf} ${model.cell} ${model.id}`.toLowerCase() };
      });
    this.nothing = html("p", { hidden: true }, "No model has such a name.");
    byId("models").replaceChildren(...this.rows.map((row) => row.label), this.nothing);
    byId("filter").addEventListener("input", () => this.filter(byId("filter").value));
    byId("none").addEventListener("click", () => this.choose([]));
    this.say();
  }

  get chosen() {
    return this.rows.filter((row) => row.box.checked).map((row) => row.box.value);
  }

  choose(ids) {
    for (const row of this.rows) row.box.checked = ids.includes(row.box.value);
    this.say();
  }

  filter(text) {
    const words = text.toLowerCase().split(/[\s,_]+/).filter(Boolean);
    for (const row of this.rows) row.label.hidden = !row.box.checked && !words.every((word) => row.words.includes(word));
    this.nothing.hidden = this.rows.some((row) => !row.label.hidden);
  }

  say() {
    byId("chosen").textContent = `${counted(this.chosen.length, "model")} of ${this.rows.length} chosen.`;
    byId("none").hidden = this.chosen.length === 0;
  }
}
