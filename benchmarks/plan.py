"""Every contestant with its command."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from jobs import Job, Sizes, Span

MODEL = "CTCF_GM12878"
TEN = (
    "CTCF_GM12878", "CTCF_Dnd41", "CTCFL_K562", "CEBPB_HepG2", "FOXA1_HepG2",
    "GABPA_GM12878", "REST_GM12878", "SP1_GM12878", "SRF_H1-hESC", "YY1_H1-hESC",
)  # fmt: skip

_BLAS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "MKL_DEBUG_CPU_TYPE")
_ENGINES = {
    "onnxruntime": ("onnxruntime", ("--engine", "onnxruntime")),
    "openvino": ("openvino", ("--engine", "openvino")),
    "bfloat16": ("openvino, bfloat16", ("--engine", "openvino", "--precision", "bfloat16")),
}
"""Name in the results -> name in the table, options of `saresnet scan` and of contestants.engine."""


@dataclass
class Plan:
    """All jobs of a benchmark.

    genome: FASTA file; sequence: its chromosome that is scanned; work: folder for what is made on the way; data:
    data folder of the project, for the gkm-SVM; threads: default every core.
    """

    genome: Path
    work: Path
    data: Path | None = None
    sequence: str = "20"
    sizes: Sizes = field(default_factory=Sizes)
    threads: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))

    def jobs(self) -> list[Job]:
        """Return the jobs in the order of a round; writes the BED files that they read."""
        self.work.mkdir(parents=True, exist_ok=True)
        jobs = [*self._prepare(), *self._limits(), *self._network()]
        for name in _ENGINES:
            jobs += self._scans(name)
        return [*jobs, *self._peers(), *self._gpu()]

    def _prepare(self) -> list[Job]:
        jobs = [Job("flops", "operations of the network", "prepare", _python("flops"), once=True)]
        for n in (1, 2):
            made = self.work / f"naive_{n}d.onnx"
            command = _python("export_naive", "--output", made, "--dimensions", n)
            jobs.append(Job(f"export_{n}d", f"torch's export, {n}-D", "prepare", command, once=True, makes=made))
        made = self.work / "gkmsvm.npz"
        command = _python("gkmsvm_train", "--data", self.data, "--count", self.sizes.svm, "--output", made)
        what = "training of the gkm-SVM"
        return [*jobs, Job("gkmsvm_train", what, "prepare", command, once=True, makes=made, needs="data")]

    def _limits(self) -> list[Job]:
        jobs = []
        for library, blas in (("numpy", "OpenBLAS"), ("torch", "MKL")):
            options = ("--library", library, "--seconds", self.sizes.seconds / 2, "--threads", self.threads)
            what = f"(d) sgemm, {library} ({blas})"
            command = _python("sgemm", *options)
            jobs.append(Job(f"sgemm_{library}", what, "limit", command, self.threads, without=_BLAS))
        return jobs

    def _network(self) -> list[Job]:
        few = ("--windows", self.sizes.few)
        chosen: list[tuple[str, str, tuple[object, ...]]] = [
            ("naive", "(a) naive loop, torch's 1-D export", ("--onnx", self.work / "naive_1d.onnx", *few)),
            ("naive_2d", "the naive loop, torch's 2-D export", ("--onnx", self.work / "naive_2d.onnx", *few)),
            ("torch_eager", "(e) torch, eager", few),
            ("torch_compile", "(e) torch.compile", ()),
        ]
        chosen += [(f"engine_{name}", f"(b) engine, {what}", options) for name, (what, options) in _ENGINES.items()]
        jobs = []
        for name, what, options in chosen:
            module = {"naive_2d": "naive"}.get(name, "engine" if name.startswith("engine") else name)
            command = _python(module, *self._piece(), *options, "--threads", self.threads)
            jobs.append(Job(name, what, "network", command, self.threads))
        return jobs

    def _scans(self, name: str) -> list[Job]:
        sizes, (engine, options) = self.sizes, _ENGINES[name]
        region, one = self._bed("piece", sizes.region), (sizes.region[0], sizes.region[0] + 200)

        def job(
            kind: str,
            what: str,
            group: str,
            bed: Path | None,
            *words: object,
            threads: int = self.threads,
            once: bool = False,
        ) -> Job:
            command = self._scan(bed, *words, *options, "--device", "cpu", "--threads", threads)
            return Job(f"{kind}_{name}", what, group, command, threads, scan=True, once=once)

        bgzf = self.work / f"{name}.bed.gz"
        jobs = [
            job("scan", f"(c) scan, {engine}, to /dev/null", "network", region),
            job("bgzf", f"(c) scan, {engine}, to BGZF", "network", region, "-o", bgzf),
            job("startup", f"one region, {engine}", "startup", self._bed("one", one)),
        ]
        if name == "bfloat16":
            return jobs
        ten = self._bed("ten", sizes.ten)
        others = [word for model in TEN[1:] for word in ("--model", model)]
        jobs += [
            job("one_thread", f"scan, {engine}, one thread", "threads", region, threads=1),
            job("one_model", f"scan, {engine}, one model", "models", ten),
            job("ten_models", f"scan, {engine}, {len(TEN)} models", "models", ten, *others),
        ]
        megabases = (sizes.short[1] - sizes.short[0]) // 1_000_000
        stride = ("--stride", sizes.whole_stride)
        return [
            *jobs,
            job("short", f"{megabases} Mb, {engine}", "memory", self._bed("short", sizes.short), *stride, once=True),
            job("whole", f"the whole genome, {engine}", "memory", None, *stride, once=True),
        ]

    def _peers(self) -> list[Job]:
        piece, seconds = self._piece(), ("--seconds", self.sizes.seconds)
        svm = ("--svm", self.work / "gkmsvm.npz", *seconds, "--threads", self.threads)
        gkmsvm = _python("gkmsvm", *piece, *svm)
        return [
            Job("lightmotif", "(e) PWM, lightmotif", "peer", _python("lightmotif_scan", *piece, *seconds)),
            Job("moods", "(e) PWM, MOODS", "peer", _python("moods_scan", *piece, *seconds)),
            Job("gkmsvm", "(e) gkm-SVM, gkmsvm-lite", "peer", gkmsvm, self.threads, needs="data"),
        ]

    def _gpu(self) -> list[Job]:
        piece, region = self._piece(self.sizes.gpu), self._bed("gpu", self.sizes.gpu)
        jobs: list[tuple[str, str, tuple[str, ...]]] = []
        for precision in ("float32", "tf32", "float16"):
            chosen = ("--precision", precision)
            if precision != "float16":
                command = _python("cuda_loop", *piece, *chosen)
                jobs.append((f"loop_{precision}", f"loop in memory, onnxruntime, {precision}", command))
            command = _python("engine", *piece, "--engine", "onnxruntime", "--device", "cuda", *chosen)
            jobs.append((f"engine_{precision}", f"engine, {precision}", command))
            command = self._scan(region, "--engine", "onnxruntime", "--device", "cuda", *chosen)
            jobs.append((f"scan_{precision}", f"scan, {precision}, to /dev/null", command))
        for precision in ("float32", "tf32", "bfloat16"):
            for how in ("eager", "compile"):
                command = _python("torch_cuda", *piece, "--precision", precision, f"--{how}")
                jobs.append((f"torch_{how}_{precision}", f"torch, {how}, {precision}", command))
        return [
            Job(f"cuda_{name}", what, "gpu", command, scan=name.startswith("scan"), needs="cuda")
            for name, what, command in jobs
        ]

    def _piece(self, span: Span | None = None) -> tuple[object, ...]:
        start, end = span or self.sizes.region
        region = f"{self.sequence}:{start}-{end}"
        return ("--genome", self.genome, "--region", region, "--stride", self.sizes.stride)

    def _bed(self, name: str, span: Span) -> Path:
        path = self.work / f"{name}.bed"
        path.write_text(f"{self.sequence}\t{span[0]}\t{span[1]}\n")
        return path

    def _scan(self, bed: Path | None, *words: object) -> tuple[str, ...]:
        regions = () if bed is None else (str(bed),)
        return (program(), "scan", str(self.genome), *regions, "--model", MODEL, *map(str, words))


def program() -> str:
    """Return the path of the `saresnet` command: that of this Python, else the first there is."""
    beside = Path(sys.executable).with_name("saresnet")
    return str(beside) if beside.exists() else shutil.which("saresnet") or "saresnet"


def _python(module: str, *words: object) -> tuple[str, ...]:
    return (sys.executable, "-m", f"contestants.{module}", *map(str, words))
