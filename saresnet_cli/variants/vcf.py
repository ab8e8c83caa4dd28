"""Writes VCF and BCF with what the models say of each alternate allele; the files are pysam's work."""

from __future__ import annotations

import contextlib
import errno
import logging
import re
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from saresnet_cli.errors import OutputError
from saresnet_cli.model import Model
from saresnet_cli.output import open_output, unwritable, whole_file
from saresnet_cli.provenance import VariantProvenance
from saresnet_cli.variants.alleles import VariantError
from saresnet_cli.variants.scores import VariantScores

if TYPE_CHECKING:
    from pysam import VariantHeader, VariantRecord

_log = logging.getLogger("saresnet")

KINDS = {"v": "VCF", "z": "VCF, BGZF", "b": "BCF", "u": "BCF, not compressed"}
"""Letters of bcftools for what is written."""

_FIELDS = {
    "ref": ("SAR_REF", "Float", "largest logit (log-odds of binding) of the 101-bp windows over the reference allele"),
    "alt": ("SAR_ALT", "Float", "largest logit of the 101-bp windows over the alternate allele"),
    "delta": ("SAR_DELTA", "Float", "SAR_ALT - SAR_REF; above 0 the alternate allele is bound better"),
    "gain": ("SAR_GAIN", "Float", "largest rise of the logit of a window, 0 where none rises"),
    "gain_start": ("SAR_GAINPOS", "Integer", "start of that window in the genome, 0-based"),
    "loss": ("SAR_LOSS", "Float", "largest fall of the logit of a window, 0 where none falls"),
    "loss_start": ("SAR_LOSSPOS", "Integer", "start of that window in the genome, 0-based"),
}
_NOTES = {
    "skipped": ("SAR_SKIPPED", "Why saresnet gives the alternate allele no score"),
    "partial": ("SAR_PARTIAL", "Why it is scored on fewer windows"),
}


class Annotation:
    """What goes into the records of a VCF: INFO fields, one a quantity and model, a value an alternate allele.

    Raises VariantError when two models have the same id but for letters that a key can't hold.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        names = [re.sub(r"[^0-9A-Za-z_.]", "_", model.id) for model in models]
        for model, name in zip(models, names, strict=True):
            if names.count(name) > 1:
                raise VariantError(
                    f"models are called {name} alike in a VCF, {model.id} among them", cure="give them one at a time"
                )
        self._models = list(zip(models, names, strict=True))
        self._keys = {
            (quantity, column): f"{key}_{name}"
            for column, name in enumerate(names)
            for quantity, (key, _, _) in _FIELDS.items()
        }
        self._all_keys = [*self._keys.values(), *(key for key, _ in _NOTES.values())]

    def define(self, header: VariantHeader, provenance: VariantProvenance) -> None:
        """Add the definitions of the fields to a header, and a line a model that says what made them.

        Fields of an earlier run are defined anew.
        """
        made = str(header).splitlines()
        for model, _ in self._models:
            line = f"##saresnet_variants={provenance.words(model)}"
            if line not in made:
                header.add_line(line)
        for column, (model, _) in enumerate(self._models):
            for quantity, (_, type_, description) in _FIELDS.items():
                _define(header, self._keys[quantity, column], type_, f"{model.id}: {description}")
        for key, description in _NOTES.values():
            _define(header, key, "String", description)

    def add(self, scores: VariantScores) -> None:
        """Put scores into their records; a record without a score gets just the reason."""
        values = {name: _numbers(getattr(scores, name)) for name in _FIELDS}
        notes = {name: getattr(scores, name).tolist() for name in _NOTES}
        bounds = np.searchsorted(scores.record, np.arange(len(scores.variants) + 1)).tolist()
        for record, begin, end in zip(scores.variants, bounds, bounds[1:], strict=False):
            info = record.info
            for key in self._all_keys:
                if key in info:
                    del info[key]
            if record.alts is None:  # INFO has a value an alternate, and there is none
                continue
            if not all(notes["skipped"][begin:end]):
                for (quantity, column), key in self._keys.items():
                    info[key] = [row[column] for row in values[quantity][begin:end]]
            for name, (key, _) in _NOTES.items():
                if any(notes[name][begin:end]):
                    info[key] = [word or "." for word in notes[name][begin:end]]


def _define(header: VariantHeader, key: str, type_: str, description: str) -> None:
    if key in header.info:  # or htslib would keep what is there
        header.info.remove_header(key)
    header.add_line(f'##INFO=<ID={key},Number=A,Type={type_},Description="{description}">')


def _numbers(column: np.ndarray) -> list[list[Any]]:
    """Return (n, models) as lists, None where there is no value."""
    if column.dtype.kind == "i":
        return [[value if value >= 0 else None for value in row] for row in column.tolist()]
    rounded = np.round(column, 4) + 0.0  # no -0
    return [[None if value != value else value for value in row] for row in rounded.tolist()]


@contextlib.contextmanager
def open_vcf(
    path: str | Path | None, kind: str, header: VariantHeader
) -> Generator[Callable[[Sequence[VariantRecord]], None], None, None]:
    """Open a VCF or BCF file for writing, None for standard output; gives the function that writes records.

    kind: a letter of `KINDS`. A file appears whole or not at all, as with `output.open_output`. Raises OutputError
    when it can't be written, or BCF can't hold a record, since its header lacks what the record uses.
    """
    import pysam

    with contextlib.ExitStack() as stack:
        if path is None:
            sys.stdout.flush()
        if kind in "vz":
            if kind == "z" and path is None:
                stack.enter_context(_htslib_errors(path))
                out: Any = stack.enter_context(pysam.BGZFile("-", "wb", None))
            else:
                out = stack.enter_context(open_output(path))
            out.write(str(header).encode())

            def write_text(records: Sequence[VariantRecord]) -> None:
                out.write("".join(map(str, records)).encode())
                out.flush()

            yield write_text
            return
        ended, dropped = "END" in header.info, 0
        if not ended:  # pysam gives it to records with symbolic alleles
            header.add_line('##INFO=<ID=END,Number=1,Type=Integer,Description="End position of the variant">')
        name = "-" if path is None else str(stack.enter_context(whole_file(path, ".bcf")))
        stack.enter_context(_htslib_errors(path))
        file = stack.enter_context(pysam.VariantFile(name, "wb" if kind == "b" else "wb0", header=header))

        def write(records: Sequence[VariantRecord]) -> None:
            nonlocal dropped
            complete = _sizes(header) == _sizes(file.header)
            for record in records:
                if not complete and _lacks(file.header, record):
                    raise OutputError(
                        f"BCF can't hold the record at {record.chrom}:{record.pos}: the header of the input "
                        "lacks its contig, FILTER, INFO or FORMAT",
                        path=path or "standard output",
                        cure="write VCF (-O v)",
                    )
                had = ended and _has_end(record)
                file.write(record)
                dropped += had and not _has_end(record)

        yield write
        if dropped:
            _log.warning(
                "END is left out of %s records, where it is what REF says: so does pysam in BCF", f"{dropped:,}"
            )


def _has_end(record: VariantRecord) -> bool:
    return any(field.startswith("END=") for field in str(record).split("\t", 8)[7].rstrip("\n").split(";"))


def _sizes(header: VariantHeader) -> list[int]:
    return [len(part) for part in (header.contigs, header.filters, header.info, header.formats)]


def _lacks(header: VariantHeader, record: VariantRecord) -> bool:
    """Return whether a record uses what htslib had to make up, when it read the record, since the header lacks it."""
    used = ((header.contigs, [record.chrom]), (header.filters, record.filter), (header.info, record.info))
    return any(key not in part for part, keys in (*used, (header.formats, record.format)) for key in keys)


@contextlib.contextmanager
def _htslib_errors(path: str | Path | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise BrokenPipeError from error
        raise unwritable(error, path or "standard output") from error
