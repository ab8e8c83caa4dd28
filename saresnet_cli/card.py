"""The model card: what a model file says about itself, and the p-values that it gives."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields

import numpy as np

from saresnet_cli.errors import ModelError

METADATA_KEY = "saresnet_card"
"""Key of the card, as JSON, in the metadata of the ONNX file."""

WINDOW = 101
"""Length of a window in bases (paper, section "Model architecture")."""


@dataclass(frozen=True)
class Background:
    """How a model scores windows where the factor is not expected to be bound.

    windows: how many were scored. tail: descending shares in (0, 1], logit: for
    each share, the logit that just this share of the windows reaches or exceeds
    (ascending). source: what the windows are, in words.
    """

    windows: int
    tail: tuple[float, ...]
    logit: tuple[float, ...]
    source: str = ""

    @classmethod
    def measure(cls, logits: np.ndarray, source: str, points: int = 200) -> Background:
        """Summarise the logits of background windows, any shape, float, as tail quantiles.

        points: how many quantiles, log-spaced from 1 to 1/len(logits). Raises
        ValueError without logits.
        """
        ranked = np.sort(np.asarray(logits, dtype=np.float64).ravel())[::-1]
        if not len(ranked):
            raise ValueError("no background logits")
        ranks = np.unique(np.round(np.geomspace(1, len(ranked), points)).astype(np.int64))[::-1]
        return cls(
            windows=len(ranked),
            tail=tuple(float(f"{rank / len(ranked):.6g}") for rank in ranks),
            logit=tuple(float(f"{ranked[rank - 1]:.6g}") for rank in ranks),
            source=source,
        )

    def check(self, name: str) -> None:
        """Raise ValueError, with this name, when it is no distribution."""
        tail, logit = np.asarray(self.tail), np.asarray(self.logit)
        if self.windows < 1 or not len(tail) or len(tail) != len(logit):
            raise ValueError(f"background {name} has {self.windows} windows, {len(tail)} shares, {len(logit)} logits")
        if not ((tail > 0) & (tail <= 1)).all() or (np.diff(tail) > 0).any():
            raise ValueError(f"the shares of background {name} do not descend from 1 to 0")
        if not np.isfinite(logit).all() or (np.diff(logit) < 0).any():
            raise ValueError(f"the logits of background {name} do not ascend")

    def pvalue(self, logits: np.ndarray) -> np.ndarray:
        """Return the share of background windows that score at least as high.

        logits: (n,) float -> (n,) float64 in (0, 1]. Between two quantiles it is
        interpolated in log space; above the highest it is 1 / (windows + 1), so
        never 0 (Phipson and Smyth 2010).
        """
        logits = np.asarray(logits, dtype=np.float64)
        heights, first = np.unique(np.asarray(self.logit), return_index=True)  # ties keep the largest share
        log_tail = np.log(np.asarray(self.tail)[first])
        pvalues = np.exp(np.interp(logits, heights, log_tail, left=0.0))
        return np.where(logits > heights[-1], 1.0 / (self.windows + 1), pvalues)

    def threshold(self, pvalue: float) -> float:
        """Return the lowest logit whose p-value is at most `pvalue` (inf when none reaches it)."""
        if pvalue >= 1.0:
            return float("-inf")
        if pvalue < 1.0 / (self.windows + 1):
            return float("inf")
        share = np.asarray(self.tail)[::-1]
        return float(np.interp(np.log(pvalue), np.log(share), np.asarray(self.logit)[::-1]))


@dataclass(frozen=True)
class Card:
    """What a model is, where it comes from, how good it is: the metadata `saresnet_card` of its file, as JSON."""

    id: str
    tf: str
    cell: str
    assay: str = "ChIP-seq"
    source: str = ""  # the experiment the positives come from
    strands: str = "both"  # "both" (logit(x) = logit(rc(x))) or "forward"
    window: int = WINDOW
    weights: str = "float32"  # how weights are stored: "float16" or "float32"
    channels: int = 64
    attention: bool = True
    parameters: int = 0
    train: dict = field(default_factory=dict)  # counts: positives, shuffled, genomic
    test: dict = field(default_factory=dict)  # positives, negatives, auroc, auprc, protocol
    background: dict[str, Background] = field(default_factory=dict)  # "shuffled", "genomic"
    threshold: float = 0.0  # logit above which a window is called bound
    versions: dict = field(default_factory=dict)
    licence: str = "MIT"
    paper: str = "Shen et al. 2021, Briefings in Bioinformatics, SAResNet"

    @property
    def null(self) -> Background | None:
        """The background of p-values: genomic windows where there are any, else shuffles."""
        return self.background.get("genomic") or self.background.get("shuffled")

    @property
    def null_name(self) -> str:
        """Which background `null` is: "genomic", "shuffled" or "none"."""
        return next((name for name in ("genomic", "shuffled") if name in self.background), "none")

    def to_json(self) -> str:
        """Return the card as one line of JSON with sorted keys."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str, path: object = None) -> Card:
        """Read a card; unknown fields are ignored, so that older tools read newer cards.

        path: the model file, named in errors. Raises ModelError when it is not a card.
        """
        try:
            values = json.loads(text)
            known = {f.name for f in fields(cls)}
            values = {key: value for key, value in values.items() if key in known}
            values["background"] = {
                name: Background(
                    windows=int(b["windows"]),
                    tail=tuple(float(v) for v in b["tail"]),
                    logit=tuple(float(v) for v in b["logit"]),
                    source=str(b.get("source", "")),
                )
                for name, b in values.get("background", {}).items()
            }
            card = cls(**values)
            card._check()
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise ModelError(f"its model card can't be read ({error})", path=path, cure="export it again") from error
        if card.window != WINDOW or card.strands not in ("both", "forward"):
            raise ModelError(
                f"window {card.window}, strands {card.strands!r} are not supported",
                path=path,
                cure=f"this version reads windows of {WINDOW} bp",
            )
        return card

    def _check(self) -> None:
        """Raise ValueError on values that can't be."""
        for f in fields(self):
            value, kind = getattr(self, f.name), _KINDS[str(f.type).partition("[")[0]]
            if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
                raise ValueError(f"{f.name} is {type(value).__name__}")
        for name in ("id", "tf", "cell"):
            if not getattr(self, name).isprintable():
                raise ValueError(f"control characters in {name}")
        if not self.id:
            raise ValueError("no id")
        if not np.isfinite(self.threshold):
            raise ValueError(f"threshold {self.threshold}")
        for name, background in self.background.items():
            background.check(name)


_KINDS: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "bool": bool,
    "float": (float, int),
    "dict": dict,
}
