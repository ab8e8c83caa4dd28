// The form: what to score, by which models; and the request that it makes.

import { ask, get, Problem } from "./api.js";
import { byId, html } from "./elements.js";
import { Models } from "./models.js";
import { count, whole } from "./numbers.js";
import { Results } from "./results.js";

let models;
let server;
let running = null;

const say = (text) => (byId("status").textContent = text);

function fail(error) {
  const box = byId("error");
  box.replaceChildren(html("strong", {}, sentence(error.message)), error.cure ? sentence(error.cure) : "");
  box.hidden = false;
  say("");
  box.scrollIntoView({ block: "nearest" });
  if (!(error instanceof Problem)) console.error(error);
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const results = new Results(say, fail);

function source() {
  return document.querySelector("input[name=source]:checked").value;
}

function choose(name) {
  document.querySelector(`input[name=source][value=${name}]`).checked = true;
  for (const part of document.querySelectorAll("[data-source]")) part.hidden = part.dataset.source !== name;
}

// What the form asks for: {body, maxN, scan, call, score, cut}; throws a Problem.
async function request() {
  const chosen = models.chosen;
  if (!chosen.length) throw new Problem("no model is chosen", "tick at least one factor and cell");
  let body = null;
  let where = [];
  if (source() === "paste") {
    body = byId("fasta").value;
    if (!body.trim()) throw new Problem("no sequence is pasted", "paste FASTA, or use the example");
    if (!body.trimStart().startsWith(">")) body = `>sequence\n${body}`;
    body = new Blob([body]);
  } else if (source() === "file") {
    const [file] = byId("file").files;
    if (!file) throw new Problem("no file is chosen", "choose a FASTA file");
    body = new Blob([await file.arrayBuffer()]); // kept as it is now, whatever becomes of the file
  } else {
    const [start, end] = [whole(byId("start").value), whole(byId("end").value)];
    if (Number.isNaN(start) || Number.isNaN(end)) throw new Problem("start and end are not both whole numbers", "count bases from 0");
    if (!byId("chrom").value.trim()) throw new Problem("no sequence of the genome is named", "name one, such as chr1");
    where = [["chrom", byId("chrom").value.trim()], ["start", start], ["end", end]];
  }
  if (body && body.size > server.limits.body) {
    throw new Problem(`more than ${count(server.limits.body)} bytes`, "give less sequence at a time");
  }
  const maxN = byId("max-n").value;
  const cut = { name: byId("cut").value, value: Number(byId("cut-value").value) };
  const shared = [...chosen.map((id) => ["model", id]), ["stride", byId("stride").value], ["max_n", maxN]];
  const cutoff = cut.name ? [[cut.name, byId("cut-value").value.trim() || "?"]] : [];
  return {
    body, maxN, cut,
    scan: [...shared, ...where],
    call: [...shared, ...where, ...cutoff],
    score: body ? shared : null,
  };
}

async function run() {
  running?.abort();
  const mine = new AbortController();
  running = mine;
  byId("error").hidden = true;
  try {
    const asked = await request();
    busy(true);
    say("Scoring…");
    const begun = performance.now();
    const scan = await (await ask("scan", asked.scan, asked.body, mine.signal)).json();
    say("Calling sites…");
    const called = await (await ask("call", asked.call, asked.body, mine.signal)).json();
    say("");
    results.show(asked, scan, called, asked.cut, (performance.now() - begun) / 1000);
    if (window.matchMedia("(max-width: 62rem)").matches) byId("results").scrollIntoView();
  } catch (error) {
    if (error.name === "AbortError") say("Cancelled.");
    else fail(error);
  } finally {
    if (running === mine) {
      running = null;
      busy(false);
    }
  }
}

function busy(yes) {
  byId("request").classList.toggle("busy", yes);
  byId("run").disabled = yes;
  byId("cancel").hidden = !yes;
}

async function example() {
  choose("paste");
  byId("fasta").value = await (await fetch("/static/example.fa")).text();
}

async function begin() {
  const [about, offered] = await Promise.all([get("server"), get("models")]);
  server = about;
  models = new Models(offered.models);
  byId("version").textContent = server.version;
  for (const hint of document.querySelectorAll(".limits")) {
    hint.textContent = `Up to ${count(server.limits.bases)} bases in ${count(server.limits.sequences)} sequences.`;
  }
  if (server.genome) {
    byId("of-genome").hidden = false;
    byId("genome-name").textContent = server.genome.name;
    byId("chroms").replaceChildren(...server.genome.sequences.map(({ name, length }) => html("option", { value: name }, `${count(length)} bases`)));
    if (server.genome.sequences.length === 1) byId("chrom").value = server.genome.sequences[0].name;
  }
  for (const radio of document.querySelectorAll("input[name=source]")) radio.addEventListener("change", () => choose(radio.value));
  choose(source());
  byId("cut").addEventListener("change", () => {
    const preset = { max_pvalue: "1e-4", max_qvalue: "0.1", threshold: "0" }[byId("cut").value];
    byId("cut-value").disabled = preset === undefined;
    byId("cut-value").value = preset ?? "";
  });
  byId("request").addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  byId("cancel").addEventListener("click", () => running?.abort());
  byId("example").addEventListener("click", example);
  byId("example-run").addEventListener("click", async () => {
    await example();
    const wanted = offered.models.find((model) => model.id === "CTCF_GM12878") ?? offered.models[0];
    if (!models.chosen.length) models.choose([wanted.id]);
    run();
  });
}

begin().catch(fail);
