"""Answers to requests: what the library gives, as JSON or as the file that the command would write."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from saresnet_cli.calling.calls import call
from saresnet_cli.calling.cutoffs import Cutoff
from saresnet_cli.calling.narrowpeak import COLUMNS as SITE_COLUMNS
from saresnet_cli.calling.narrowpeak import narrowpeak_line
from saresnet_cli.card import WINDOW
from saresnet_cli.errors import SaresnetError
from saresnet_cli.explaining.attribution_files import COLUMNS as BASE_COLUMNS
from saresnet_cli.explaining.attribution_files import table_lines
from saresnet_cli.explaining.explanations import explain
from saresnet_cli.explaining.mutagenesis import CHANGES
from saresnet_cli.formats.bed import BED_COLUMNS, bed_lines
from saresnet_cli.formats.tsv import LONG_COLUMNS, long_lines
from saresnet_cli.genome import Genome
from saresnet_cli.model import Model
from saresnet_cli.provenance import Provenance, ScanProvenance
from saresnet_cli.regions import Region
from saresnet_cli.running import sigmoid
from saresnet_cli.runtime import Runtime
from saresnet_cli.scanning import scan
from saresnet_cli.scoring import score
from saresnet_cli.serving.computing import Models, SharedRuntime
from saresnet_cli.serving.inputs import FASTA, SentGenome, ServedGenome, read_sequences, refusal
from saresnet_cli.serving.jobs import Job
from saresnet_cli.serving.limits import Limits, Refusal, too_many
from saresnet_cli.serving.tracks import about, numbers, tracks, typed
from saresnet_cli.windows import WindowPlan
from saresnet_cli.writer import score_header, score_lines

Values = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What is sent back: bytes, their media type, and the name of a file that a browser should give them."""

    content: bytes
    media: str = "application/json"
    file: str | None = None


@dataclass(frozen=True)
class Input:
    """What is scored. regions: None for every sequence; file: what a command line calls it."""

    genome: Genome
    regions: list[Region] | None
    file: str


@dataclass(frozen=True)
class Answers:
    """Answers requests with the library, a request at a time in a thread of its own."""

    models: Models
    genome: ServedGenome | None
    limits: Limits

    def scan(self, values: Values, body: bytes, job: Job) -> Answer:
        """Score windows: as `saresnet scan` writes them, or by sequence and model."""
        with self._input(values, body) as given, self._opened(values, job) as (models, runtime):
            self._count(given, values["stride"], len(models))
            stride, max_n = values["stride"], values["max_n"]
            with scan(models, given.genome, given.regions, stride=stride, max_n=max_n, runtime=runtime) as run:
                blocks = list(run)
            made = ScanProvenance.of_scan(models, run.summary, stride)
            if values["format"] == "bed":
                lines = (bed_lines(block, models) for block in blocks)
                return Answer(made.header(BED_COLUMNS) + b"".join(lines), _TEXT, "scan.bed")
            if values["format"] == "tsv":
                head = ("\t".join(LONG_COLUMNS) + "\n").encode()
                lines = (long_lines(block, list(values["model"])) for block in blocks)
                return Answer(head + b"".join(lines), _TSV, "scan.tsv")
            return _json(
                made=made.lines(),
                command=self._command("scan", values, given, {"stride": 50}),
                windows=run.summary.windows,
                skipped=run.summary.skipped,
                models=[about(model) for model in models],
                sequences=tracks(_spans(given), blocks, values["model"]),
            )

    def score(self, values: Values, body: bytes, job: Job) -> Answer:
        """Score sequences, each as a whole: as `saresnet score` writes them, or as objects."""
        sequences = read_sequences(body, self.limits)
        given = Input(SentGenome(sequences), None, _SENT)
        with self._opened(values, job) as (models, runtime):
            self._count(given, values["stride"], len(models))
            with score(models, sequences, stride=values["stride"], max_n=values["max_n"], runtime=runtime) as run:
                blocks = list(run)
            table = score_header() + b"".join(score_lines(block, models) for block in blocks)
            if values["format"] == "tsv":
                return Answer(table, _TSV, "scores.tsv")
            # From the very text of the table, so that both have the same digits.
            head, *rows = (line.split("\t") for line in table.decode().splitlines())
            return _json(
                command=self._command("score", values, given, {"stride": 1}),
                skipped=run.summary.skipped,
                rows=[{name: typed(name, word) for name, word in zip(head, row, strict=True)} for row in rows],
            )

    def call(self, values: Values, body: bytes, job: Job) -> Answer:
        """Call binding sites: as `saresnet call` writes them, or as objects."""
        cuts = {name: values[name] for name in ("threshold", "max_pvalue", "max_qvalue") if values[name] is not None}
        if len(cuts) > 1:
            raise Refusal(400, "bad_parameter", f"{' and '.join(cuts)} are given", "give one of them")
        with self._input(values, body) as given, self._opened(values, job) as (models, runtime):
            self._count(given, values["stride"], len(models))
            calls = call(
                models,
                given.genome,
                given.regions,
                cutoff=Cutoff(**cuts),
                stride=values["stride"],
                max_n=values["max_n"],
                min_distance=values["min_distance"],
                runtime=runtime,
            )
            with calls:
                sites = list(calls)
            if values["format"] == "narrowpeak":
                head = "".join(f"{line}\n" for line in [*calls.header, "#" + "\t".join(SITE_COLUMNS)]).encode()
                lines = (narrowpeak_line(site) for site in sites)
                return Answer(head + b"".join(lines), _TEXT, "sites.narrowPeak")
            fields = ("chrom", "start", "end", "name", "model", "summit", "logit", "pvalue", "qvalue")
            return _json(
                made=[line.removeprefix("# ") for line in calls.header],
                command=self._command("call", values, given, {"stride": 20, "min_distance": 101}),
                windows=calls.summary.windows,
                skipped=calls.summary.skipped,
                sites=[
                    {**{name: getattr(site, name) for name in fields}, "score": _rounded(sigmoid(np.array(site.logit)))}
                    for site in sites
                ],
            )

    def explain(self, values: Values, body: bytes, job: Job) -> Answer:
        """Explain one window base by base: as `saresnet explain` writes it, or as numbers."""
        start = values["start"]
        place = {**values, "end": start + WINDOW}
        with self._input(place, body, of_body=True) as given, self._opened(values, job) as (models, runtime):
            if (1 + CHANGES) * len(models) > self.limits.scores:
                raise self._too_much()
            max_n = values["max_n"]
            with explain(models, given.genome, given.regions, window="center", max_n=max_n, runtime=runtime) as run:
                blocks = list(run)
            if not blocks:
                raise Refusal(422, "no_window", f"the window has more than {100 * max_n:.3g}% N", "raise max_n")
            if values["format"] == "tsv":
                settings = {"windows": "center", "method": "ism"}
                head = Provenance.of(models, run.summary, settings).header(BASE_COLUMNS)
                return Answer(head + b"".join(map(table_lines, blocks)), _TSV, "explanation.tsv")
            rows = [row for block in blocks for row in block.rows()]
            return _json(
                command=self._command("explain", values, given, {}),
                chrom=values["chrom"],
                start=start,
                end=start + WINDOW,
                bases=rows[0].bases.tobytes().decode("ascii"),
                explanations=[
                    {
                        "model": row.model[0],
                        "logit": round(float(row.logit[0]), 4),
                        "attribution": numbers(row.attribution[0], 4),
                        "effect": [numbers(base, 4) for base in row.effect[0]],
                    }
                    for row in rows
                ],
            )

    @contextmanager
    def _input(self, values: Values, body: bytes, of_body: bool = False) -> Iterator[Input]:
        """Lend what is scored: the sequences of the body, or the server's genome, and which regions.

        of_body: whether the place may lie in the body.
        """
        chrom, start, end = values["chrom"], values["start"] or 0, values["end"]
        if body.strip() and (chrom is None or of_body):
            if chrom is None and (values["start"] is not None or end is not None):
                raise Refusal(400, "bad_parameter", "start and end without chrom", "give chrom, or no place")
            sent = SentGenome(read_sequences(body, self.limits))
            empty = [name for name, length in sent.lengths.items() if not length]
            if empty:
                raise Refusal(422, "not_fasta", f"sequence {empty[0]!r} has no bases", "leave it out")
            yield Input(sent, None if chrom is None else [_region(sent, chrom, start, end, FASTA)], _SENT)
            return
        if body.strip():
            raise Refusal(400, "bad_parameter", "both FASTA and chrom are given", "give one of them")
        if chrom is None:
            raise Refusal(422, "no_sequence", "no sequence was sent", "send FASTA in the body, or name a chrom")
        if self.genome is None:
            raise Refusal(422, "no_genome", "the server has no genome", "send FASTA in the body")
        with self.genome.opened() as genome:
            region = _region(genome, chrom, start, end, self.genome.name)
            if region.end - region.start > self.limits.bases:
                raise too_many("too_many_bases", "bases", self.limits.bases, "ask for a shorter region")
            yield Input(genome, [region], self.genome.name)

    @contextmanager
    def _opened(self, values: Values, job: Job) -> Iterator[tuple[list[Model], Runtime]]:
        """Open the models that were chosen, on behalf of a job; errors of the library come out as refusals."""
        try:
            if len(values["model"]) > self.limits.scores:
                raise self._too_much()
            models = []
            for id in values["model"]:
                job.check()
                models.append(self.models.get(id).model)
            yield models, SharedRuntime(**vars(self.models.runtime), models=self.models, job=job)
        except SaresnetError as error:
            # What was sent has been looked at before: a model is damaged, a device failed, the genome's file changed.
            folders = [self.models.offered[id].folder for id in values["model"]]
            if self.genome is not None:
                folders.append(self.genome.path.parent)
            raise refusal("failed", error, *folders, status=500) from error

    def _count(self, given: Input, stride: int, models: int) -> None:
        """Raise Refusal when there are more windows than may be scored by so many models."""
        names, starts, ends = zip(*_spans(given), strict=True)
        lengths = [given.genome.lengths[given.genome.resolve(name)] for name in names]
        start, end, length = (np.array(column, dtype=np.int64) for column in (starts, ends, lengths))
        plan = WindowPlan.of(start, end, length, stride)
        if plan.total * models > self.limits.scores:
            raise self._too_much()

    def _too_much(self) -> Refusal:
        cure = "send less sequence, choose fewer models, or a larger stride"
        return too_many("too_many_scores", "scores (windows times models)", self.limits.scores, cure)

    def _command(self, verb: str, values: Values, given: Input, defaults: Values) -> str:
        """Return the command line that prints the same."""
        words = ["saresnet", verb, given.file, *(["-"] if given.regions else [])]
        for id in values["model"]:
            words += ["--model", id]
        for name in ("stride", "max_n", "threshold", "max_pvalue", "max_qvalue", "min_distance"):
            value = values.get(name)
            if value is not None and value != {"max_n": 0.1, **defaults}.get(name):
                words += [f"--{name.replace('_', '-')}", str(value)]
        runtime = self.models.runtime
        words += ["--engine", runtime.engine] if runtime.engine != "auto" else []
        words += ["--precision", runtime.precision] if runtime.precision != "float32" else []
        line = shlex.join(words)
        if given.regions:
            (region,) = given.regions
            place = shlex.join([region.chrom, str(region.start), str(region.end)])
            line = f"printf '%s\\t%s\\t%s\\n' {place} | {line}"
        return line


_TSV = "text/tab-separated-values; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"
_SENT = "sequences.fa"


def _region(genome: Genome, chrom: str, start: int, end: int | None, name: str) -> Region:
    """Return a region that is in the genome; raises Refusal, status 422."""
    try:
        length = genome.lengths[genome.resolve(chrom)]
    except SaresnetError as error:
        raise refusal("no_such_region", error, genome.path.parent) from error
    end = length if end is None else end
    if not start < end <= length:
        raise Refusal(
            422, "no_such_region", f"{chrom}:{start}-{end} is not within the {length:,} bases of {chrom} in {name}",
            "start counts from 0 and is below end",
        )  # fmt: skip
    return Region(chrom, start, end)


def _spans(given: Input) -> list[tuple[str, int, int]]:
    if given.regions is None:
        return [(name, 0, length) for name, length in given.genome.lengths.items()]
    return [(region.chrom, region.start, region.end) for region in given.regions]


def _rounded(value: Any) -> float:
    return round(float(value), 6)


def _json(**members: Any) -> Answer:
    return Answer(json.dumps(members, allow_nan=False, separators=(",", ":")).encode() + b"\n")
