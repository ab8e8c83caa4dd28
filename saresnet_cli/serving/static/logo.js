// The explanation of a window: its bases as letters, as high as what each adds, and what every change would do.

import { svg, table } from "./elements.js";
import { count, fixed, ticks } from "./numbers.js";

// Letters in a box of 100 by 100.
const SHAPES = {
  A: "M0 100L37 0H63L100 100H77L70 78H30L23 100ZM36 60H64L50 18Z",
  C: "M100 24A50 50 0 1 0 100 76L80 66A30 30 0 1 1 80 34Z",
  G: "M99 25A50 50 0 1 0 100 74V46H54V63H80V67A30 30 0 1 1 79 34Z",
  T: "M0 0H100V19H61V100H39V19H0Z",
};
const LETTERS = "ACGT";
const COLUMN = 10;
const LEFT = 46;
const TOP = 8;
const HEIGHT = 170;
const CELL = 13;
const WIDTH = LEFT + 101 * COLUMN + 22;

export function logo(explained, readout) {
  const one = explained.explanations[0];
  const bases = [...explained.bases];
  const values = one.attribution.map((value, i) => (LETTERS.includes(bases[i]) ? value : 0));
  const [low, high] = [Math.min(0, ...values), Math.max(0.1, ...values)];
  const y = (value) => TOP + ((high - value) / (high - low)) * HEIGHT;
  const below = TOP + HEIGHT + 26;
  const drawing = svg("svg", {
    viewBox: `0 0 ${WIDTH} ${below + 4 * CELL + 8}`, role: "img", tabindex: 0,
    "aria-label": `Logo of ${explained.chrom} ${explained.start} to ${explained.end} by ${one.model}; the table below has its numbers`,
  });
  for (const value of ticks(low, high, 5)) {
    drawing.append(
      svg("line", { class: "grid", x1: LEFT, x2: WIDTH - 22, y1: y(value), y2: y(value) }),
      svg("text", { x: LEFT - 7, y: y(value) + 4, "text-anchor": "end" }, String(value).replace("-", "−")),
    );
  }
  bases.forEach((base, i) => {
    const height = Math.abs(y(values[i]) - y(0));
    if (!(base in SHAPES) || height < 0.3) return;
    const x = LEFT + i * COLUMN + 0.4;
    const way = values[i] < 0 ? -1 : 1;
    const transform = `translate(${x} ${(y(0) - way * height).toFixed(2)}) scale(${(COLUMN - 0.8) / 100} ${((way * height) / 100).toFixed(4)})`;
    drawing.append(svg("path", { class: way < 0 ? `${base} below` : base, d: SHAPES[base], "fill-rule": "evenodd", transform }));
  });
  drawing.append(svg("line", { class: "axis", x1: LEFT, x2: WIDTH - 22, y1: y(0), y2: y(0) }));
  for (let at = Math.ceil(explained.start / 10) * 10; at < explained.end; at += 10) {
    const x = LEFT + (at - explained.start + 0.5) * COLUMN;
    drawing.append(
      svg("line", { class: "axis", x1: x, x2: x, y1: TOP + HEIGHT, y2: TOP + HEIGHT + 4 }),
      svg("text", { x, y: TOP + HEIGHT + 16, "text-anchor": "middle" }, count(at)),
    );
  }
  const most = Math.max(...one.effect.flat().map((value) => Math.abs(value ?? 0)), 1e-6);
  [...LETTERS].forEach((letter, row) => {
    const top = below + row * CELL;
    drawing.append(svg("text", { x: LEFT - 7, y: top + CELL - 3, "text-anchor": "end" }, letter));
    one.effect.forEach((four, i) => {
      const value = four[row];
      if (value === null) return;
      const [x, own] = [LEFT + i * COLUMN, bases[i] === letter];
      const strength = own ? 0 : Math.min(1, Math.abs(value) / most);
      drawing.append(svg("rect", { class: `cell ${value < 0 ? "loss" : "gain"}`, x, y: top, width: COLUMN, height: CELL, "fill-opacity": strength.toFixed(3) }));
      if (own) drawing.append(svg("circle", { class: "own", cx: x + COLUMN / 2, cy: top + CELL / 2, r: 1.1 }));
    });
  });
  const pick = svg("rect", { class: "pick", y: TOP - 4, width: COLUMN, height: below + 4 * CELL - TOP + 6, rx: 2, visibility: "hidden" });
  drawing.append(pick);
  let picked = -1;
  const show = (i) => {
    picked = Math.min(Math.max(i, 0), bases.length - 1);
    pick.setAttribute("x", LEFT + picked * COLUMN);
    pick.setAttribute("visibility", "visible");
    const changes = [...LETTERS].filter((letter) => letter !== bases[picked])
      .map((letter) => `${letter} ${fixed(one.effect[picked][LETTERS.indexOf(letter)], 2)}`).join(", ");
    readout.textContent = `${count(explained.start + picked)}: ${bases[picked]} adds ${fixed(one.attribution[picked], 2)}; instead of it ${changes}`;
  };
  drawing.addEventListener("pointermove", (event) => {
    const box = drawing.getBoundingClientRect();
    show(Math.floor((((event.clientX - box.left) / box.width) * WIDTH - LEFT) / COLUMN));
  });
  drawing.addEventListener("keydown", (event) => {
    const to = { ArrowRight: picked + 1, ArrowLeft: picked - 1, Home: 0, End: 100 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show(to);
  });
  return drawing;
}

export function baseTable(explained) {
  const one = explained.explanations[0];
  const columns = [["Position", true], ["Base", false], ["Adds", true], ...[...LETTERS].map((letter) => [`to ${letter}`, true])];
  const rows = [...explained.bases].map((base, i) => [
    count(explained.start + i), base, fixed(one.attribution[i], 4), ...one.effect[i].map((value) => fixed(value, 4)),
  ]);
  return table("What each base adds to the logit, and what putting another there would change", columns, rows);
}

// The logo as a file of its own: the colours that a style sheet gives it here are written into it.
export function logoFile(drawing) {
  const copy = drawing.cloneNode(true);
  copy.querySelector(".pick").remove();
  copy.removeAttribute("tabindex");
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const sources = drawing.querySelectorAll("path, line, text, rect:not(.pick), circle");
  copy.querySelectorAll("path, line, text, rect, circle").forEach((element, i) => {
    const style = getComputedStyle(sources[i]);
    for (const name of ["fill", "stroke", "stroke-width", "opacity"]) element.setAttribute(name, style.getPropertyValue(name));
    element.setAttribute("font-family", "sans-serif");
    element.setAttribute("font-size", "11");
    element.removeAttribute("class");
  });
  return new XMLSerializer().serializeToString(copy);
}
