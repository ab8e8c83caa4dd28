"""Calls binding sites: from a genome, or from a scan that was written before."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from saresnet_cli.calling.cutoffs import Cutoff, by_qvalue, by_value
from saresnet_cli.calling.joining import join_regions
from saresnet_cli.calling.merging import SiteMerger
from saresnet_cli.calling.scan_file import ScanFile, about, open_scan
from saresnet_cli.calling.scored_windows import ScoredWindows
from saresnet_cli.calling.sites import MIN_DISTANCE, Site
from saresnet_cli.errors import ModelError, RegionError
from saresnet_cli.genome import Genome
from saresnet_cli.model import Model, load_model, load_models
from saresnet_cli.printed import three_digits
from saresnet_cli.provenance import ScanProvenance
from saresnet_cli.reading import RegionLike, RegionReader
from saresnet_cli.regions import read_regions
from saresnet_cli.running import Run, Summary
from saresnet_cli.runtime import Runtime
from saresnet_cli.scanning import Block, scan
from saresnet_cli.streams import source_name

_log = logging.getLogger("saresnet")


class Calls(Run[Site]):
    """Sites that are being called, and `header`: lines that say what makes them, one a model."""

    header: list[str]


def call(
    models: Model | str | Path | Sequence[Model | str | Path],
    genome: Genome | str | Path,
    regions: Iterable[RegionLike] | str | Path | None = None,
    *,
    cutoff: Cutoff | None = None,
    stride: int = 20,
    max_n: float = 0.1,
    min_distance: int = MIN_DISTANCE,
    runtime: Runtime | None = None,
) -> Calls:
    """Scan regions, or every sequence of a genome, and yield the binding sites in order.

    models, genome, stride, max_n, runtime: as for `scanning.scan`, but a stride of 20. regions: sorted and
    joined as `joining.join_regions` tells. cutoff: which windows are called. min_distance: as for
    `sites.split`. Logits and p-values count as a scan prints them, so that `call_scan` gives the same sites.

    Sites of all models come sorted by sequence and start; each model's are numbered from 1. They come as the
    scan goes, and memory is bounded by a run of overlapping windows. With a q-value they come when the scan
    is done, and meanwhile the windows that may pass are held, beyond 64 MB in a temporary file.

    Raises like `scan`, and RegionError for a region outside the genome at once.
    """
    cutoff = cutoff or Cutoff()
    loaded = load_models(models)
    for model in loaded:
        if cutoff.by_share and model.card.null is None:
            raise ModelError("the model has no background, so no p-values", path=model.path, cure="use --threshold")
    thresholds = {model.id: model.card.threshold for model in loaded}
    merger = SiteMerger([*thresholds], [], min_distance)
    with contextlib.ExitStack() as stack:
        if not isinstance(genome, Genome):
            genome = stack.enter_context(Genome(genome))
        if regions is not None:
            source = source_name(regions) if isinstance(regions, str | Path) else None
            given = read_regions(regions, summits=False) if isinstance(regions, str | Path) else regions
            regions = join_regions(given, RegionReader(genome, stride, max_n, source))
            if not regions and source is not None:
                _log.warning("%s holds no regions", source)
        run = stack.enter_context(scan(loaded, genome, regions, stride=stride, max_n=max_n, runtime=runtime))
        windows = _distinct(_of_blocks(run, merger.sequences))
        calls = Calls(
            _sites(windows, merger, cutoff, thresholds.__getitem__, run.summary), run.summary, stack.pop_all()
        )
        about_models = ScanProvenance.of_scan(loaded, run.summary, stride).lines()
        calls.header = [
            f"# {line} {cutoff.words(model.card.threshold)} min_distance={min_distance}"
            for line, model in zip(about_models, loaded, strict=True)
        ]
        return calls


def call_scan(
    source: str | Path,
    models: Model | str | Path | Sequence[Model | str | Path] | None = None,
    *,
    cutoff: Cutoff | None = None,
    min_distance: int = MIN_DISTANCE,
) -> Calls:
    """Call binding sites from what `saresnet scan` wrote, without computing; else like `call`.

    source: BED with logit and pvalue, plain or gzip, or "-", sorted by start, each sequence in one stretch.
    models: which to call, default every model of the scan. Where a model's own threshold is asked for, it is
    that of these, else of the installed model.

    Raises RegionError, with the line, for what is no sorted scan, and where it lacks the p-values or
    a model that was asked for; ModelError where a model's threshold is needed and its file isn't the scan's.
    """
    cutoff = cutoff or Cutoff()
    given = None if models is None else {model.id: model for model in load_models(models)}
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open_scan(source))
        for id in given or {}:
            if file.models and id not in file.models:
                raise RegionError(f"holds no scores by {id}", path=file.name, cure=f"it has {', '.join(file.models)}")
        own = _Thresholds(file.header, given or {})
        named = [id for id in file.header if given is None or id in given]
        filters = [kept for id in named if (kept := about(file.header[id]).get("kept"))]
        if cutoff.max_qvalue is not None and filters:
            raise RegionError(
                f"it holds only rows with {filters[0]}, and q-values take every window",
                path=file.name,
                cure="scan without --max-pvalue and --min-score",
            )
        merger = SiteMerger(file.models, file.sequences, min_distance)
        summary = Summary(models=max(len(named), 1))
        windows = _counted(_distinct(_of_file(file, given, cutoff)), summary)
        calls = Calls(_sites(windows, merger, cutoff, own, summary, file.name), summary, stack.pop_all())
        calls.header = [
            f"{file.header[id]} {cutoff.words(own(id) if cutoff.by_model else 0)} min_distance={min_distance}"
            for id in named
        ]
        return calls


class _Thresholds:
    """The decision thresholds of models that made a scan, looked up when they are needed."""

    def __init__(self, header: dict[str, str], given: dict[str, Model]) -> None:
        self._header = header
        self._given = given
        self._known: dict[str, float] = {}

    def __call__(self, id: str) -> float:
        if self._given and id not in self._given:
            return float("inf")  # not among those that are called
        if id not in self._known:
            try:
                model = self._given.get(id) or load_model(id)
            except ModelError as error:
                cure = "the scan is by this model: give --model FILE, or --threshold"
                raise ModelError(str(error), cure=cure) from error
            digest = about(self._header.get(id, "")).get("sha256", "")
            if not model.sha256.startswith(digest):
                raise ModelError(
                    f"is not the {id} that made the scan, whose sha256 begins with {digest}",
                    path=model.path,
                    cure="give that with --model, or --threshold",
                )
            self._known[id] = model.card.threshold
        return self._known[id]


def _of_blocks(run: Iterable[Block], sequences: list[str]) -> Iterator[ScoredWindows]:
    """Turn blocks of a scan into rows, numbers as they are printed; names of sequences are added to `sequences`."""
    for block in run:
        heads = np.concatenate([[0], np.flatnonzero(block.chrom[1:] != block.chrom[:-1]) + 1])
        goes_on = bool(sequences) and sequences[-1] == block.chrom[0]
        sequences.extend(block.chrom[heads[int(goes_on) :]])
        first = len(sequences) - len(heads)
        sequence = first + np.repeat(np.arange(len(heads)), np.diff(np.append(heads, len(block))))
        count = block.logit.shape[1]
        yield ScoredWindows(
            model=np.tile(np.arange(count), len(block)),
            sequence=np.repeat(sequence, count),
            start=np.repeat(block.start, count),
            # Of a float32 this is always what "%.4f" prints: it is never that near to a half, unless exactly there.
            logit=np.round(block.logit.astype(np.float64).ravel(), 4),
            pvalue=three_digits(block.pvalue.ravel()),
        )


def _of_file(file: ScanFile, given: dict[str, Model] | None, cutoff: Cutoff) -> Iterator[ScoredWindows]:
    """Read the rows of the models that are called."""
    for windows in file.windows():
        if given is not None:
            windows = windows.take(np.isin(windows.model, [i for i, id in enumerate(file.models) if id in given]))
        if cutoff.by_share and np.isnan(windows.pvalue).any():
            raise RegionError("the scan has no p-values", path=file.name, cure="use --threshold")
        yield windows
    for id in given or {}:
        if file.models and id not in file.models:
            raise RegionError(f"holds no scores by {id}", path=file.name, cure=f"it has {', '.join(file.models)}")


def _distinct(windows: Iterable[ScoredWindows]) -> Iterator[ScoredWindows]:
    """Drop rows that repeat the model and place of one before; yield no empty batches."""
    last: dict[int, tuple[int, int]] = {}
    for rows in windows:
        order = np.argsort(rows.model, kind="stable")
        model, sequence, start = rows.model[order], rows.sequence[order], rows.start[order]
        repeats = np.zeros(len(rows), dtype=bool)
        repeats[1:] = (np.diff(model) == 0) & (np.diff(sequence) == 0) & (np.diff(start) == 0)
        for head in np.flatnonzero(np.diff(model, prepend=-1)).tolist():
            repeats[head] = last.get(int(model[head])) == (sequence[head], start[head])
        for tail in np.flatnonzero(np.diff(model, append=-1)).tolist():
            last[int(model[tail])] = int(sequence[tail]), int(start[tail])
        if repeats.any():
            keep = np.ones(len(rows), dtype=bool)
            keep[order[repeats]] = False
            rows = rows.take(keep)
        if len(rows):
            yield rows


def _counted(windows: Iterable[ScoredWindows], summary: Summary) -> Iterator[ScoredWindows]:
    """Count what a scan holds: windows by the model that has most of them."""
    rows_of = np.zeros(0, dtype=np.int64)
    for rows in windows:
        counts = np.bincount(rows.model, minlength=len(rows_of))
        counts[: len(rows_of)] += rows_of
        rows_of = counts
        summary.windows = int(rows_of.max())
        yield rows


def _sites(
    windows: Iterable[ScoredWindows],
    merger: SiteMerger,
    cutoff: Cutoff,
    threshold: Callable[[str], float],
    summary: Summary,
    name: str | None = None,
) -> Generator[Site, None, None]:
    """Yield the sites of windows and count them; name: the file of a scan, None for windows that were just computed."""
    if cutoff.max_qvalue is not None:
        passing = by_qvalue(windows, merger, cutoff.max_qvalue, name)
    else:
        passing = by_value(windows, merger, cutoff, threshold)
    sites = 0
    try:
        for rows, end in passing:
            for site in merger.add(rows, end):
                sites += 1
                yield site
        for site in merger.rest():
            sites += 1
            yield site
    finally:
        summary.kept = sites
