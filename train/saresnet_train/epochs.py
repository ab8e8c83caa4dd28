"""Epochs: which windows a network sees, in which order and how changed, from a seed alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from saresnet_train.codes import reverse_complement
from saresnet_train.gc import gc_shares
from saresnet_train.negatives import GenomicWindows, shuffle_dinucleotides
from saresnet_train.recipe import Recipe


class Epochs:
    """The training windows of a run, epoch by epoch.

    positives: (n, 101) uint8 codes; negatives: own negatives, (m, 101) codes,
    used in place of shuffles where given; background: where genomic windows
    come from; flanks: where windows beside the peaks come from. All draws follow
    from (seed, epoch, step), so that a run that was stopped can go on with the
    very same batches.
    """

    def __init__(
        self,
        positives: np.ndarray,
        recipe: Recipe,
        seed: int,
        background: GenomicWindows | None = None,
        negatives: np.ndarray | None = None,
        flanks: GenomicWindows | None = None,
    ) -> None:
        self.positives, self.recipe, self.seed = positives, recipe, seed
        self.background, self.negatives, self.flanks = background, negatives, flanks
        self.hard: np.ndarray | None = None  # starts of the background windows that score highest, (n,) int64
        if recipe.genomic and background is None:
            raise ValueError("a recipe with genomic windows needs a background")
        if recipe.flanks and flanks is None:
            raise ValueError("a recipe with flanks needs the places of the peaks")
        self.shuffled = 0 if negatives is not None else round(recipe.shuffles * len(positives))
        self.genomic = round(recipe.genomic * len(positives))
        self.beside = round(recipe.flanks * len(positives))
        self.gc = gc_shares(positives) if recipe.match_gc else None
        self.size = sum(self.counts.values())
        self.steps = -(-self.size // recipe.batch_size)

    @property
    def counts(self) -> dict[str, int]:
        """How many windows of each kind an epoch has, for the model card."""
        counts = {"positives": len(self.positives), "shuffled": self.shuffled, "genomic": self.genomic}
        if self.beside:
            counts["flanks"] = self.beside
        if self.negatives is not None:
            counts["given"] = len(self.negatives)
        return counts

    def windows(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the windows of an epoch, shuffled: (size, 101) uint8 codes and (size,) uint8 labels."""
        drawn = np.random.default_rng((self.seed, epoch, 2))
        parts = [self.positives]
        if self.negatives is not None:
            parts.append(self.negatives)
        if self.shuffled:
            repeats = -(-self.shuffled // len(self.positives))
            source = np.concatenate([self.positives] * repeats)[: self.shuffled] if repeats > 1 else self.positives
            if self.shuffled < len(source):
                source = source[drawn.permutation(len(source))[: self.shuffled]]
            parts.append(shuffle_dinucleotides(source, (self.seed, epoch if self.recipe.fresh else 0, 3)))
        if self.background is not None and self.genomic:
            near = 0 if self.hard is None else round(self.recipe.hard * self.genomic)
            parts.append(self.background.draw(self.genomic - near, drawn, self.gc))
            if self.hard is not None and near:
                parts.append(self.background.draw_near(self.hard, near, drawn))
        if self.flanks is not None and self.beside:
            parts.append(self.flanks.draw(self.beside, drawn))
        codes = np.concatenate(parts)
        labels = np.zeros(len(codes), np.uint8)
        labels[: len(self.positives)] = 1
        order = drawn.permutation(len(codes))
        return codes[order], labels[order]

    def batches(self, epoch: int, first: int = 0) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Yield (step, codes, labels) of an epoch from step `first` on, augmented as the recipe says."""
        codes, labels = self.windows(epoch)
        size = self.recipe.batch_size
        for step in range(first, self.steps):
            part = slice(step * size, (step + 1) * size)
            rng = np.random.default_rng((self.seed, epoch, 4, step))
            yield step, self._augment(codes[part].copy(), labels[part], rng), labels[part]

    def _augment(self, codes: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        recipe = self.recipe
        if recipe.shift and recipe.shifted and self.background is not None:
            moved = np.flatnonzero((labels == 1) & (rng.random(len(codes)) < recipe.shifted))
            offsets = rng.integers(-recipe.shift, recipe.shift + 1, len(moved))
            around = self.background.draw(len(moved), rng)
            # the bases that move out are lost; those that move in are real genome, from elsewhere
            places = np.arange(codes.shape[1])[None] - offsets[:, None]
            inside = (places >= 0) & (places < codes.shape[1])
            shifted = np.take_along_axis(codes[moved], np.clip(places, 0, codes.shape[1] - 1), axis=1)
            codes[moved] = np.where(inside, shifted, around)
        if recipe.reverse_complement:
            turned = rng.random(len(codes)) < 0.5
            codes[turned] = reverse_complement(codes[turned])
        return codes
