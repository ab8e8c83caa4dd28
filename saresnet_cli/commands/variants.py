"""`saresnet variants`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from saresnet_cli.commands.options import max_n_option, model_options, output_options, runtime_options

if TYPE_CHECKING:
    from saresnet_cli.model import Model
    from saresnet_cli.runtime import Runtime


@click.command(no_args_is_help=True)
@click.argument("files", metavar="[IN.vcf|-] GENOME.fa", nargs=-1, required=True)
@model_options
@click.option(
    "--windows",
    type=click.Choice(("covering", "centered")),
    default="covering",
    show_default=True,
    help="All over an allele, or one.",
)
@max_n_option
@click.option(
    "--output-type",
    "-O",
    "kind",
    type=click.Choice(("v", "z", "b", "u", "t")),
    help="As in bcftools; t: a table.  [default: by name, or v]",
)
@runtime_options
@output_options
def variants(
    files: tuple[str, ...],
    models: list[Model],
    windows: str,
    max_n: float,
    kind: str | None,
    runtime: Runtime,
    output: str | None,
) -> None:
    """Score what variants do to binding: alternate against reference allele.

    IN.vcf is VCF or BCF; default is standard input. An alternate allele gets the
    largest logit of the 101 bp windows over it and over the reference, the
    difference, and the largest gain and loss of a window, in INFO. What can't be
    scored goes through, with the reason in SAR_SKIPPED.

    \b
    saresnet variants in.vcf.gz hg38.fa --tf CTCF --cell GM12878 -o out.vcf.gz
    bcftools view -v snps in.bcf | saresnet variants hg38.fa --tf all -O t > out.tsv
    """
    if len(files) > 2:
        raise click.UsageError(f"{len(files)} files, where there are IN.vcf and GENOME.fa.")
    source, genome = files if len(files) == 2 else ("-", files[0])
    if len(files) == 1 and sys.stdin.isatty():
        raise click.UsageError("Give IN.vcf before GENOME.fa, or the variants on standard input.")
    output = None if output == "-" else output
    kind = output_kind(kind, output)

    from saresnet_cli.commands.progress import with_progress
    from saresnet_cli.output import check_apart, open_output
    from saresnet_cli.provenance import VariantProvenance
    from saresnet_cli.variants.reader import VcfReader
    from saresnet_cli.variants.scores import score_variants
    from saresnet_cli.variants.table import table_header, table_lines
    from saresnet_cli.variants.vcf import Annotation, open_vcf

    # IN.vcf itself may be written: the result takes its name when all of it was read, and has its records.
    check_apart([output], [genome, *(model.path for model in models), source if kind == "t" else None])
    with VcfReader(source) as records:
        annotation = Annotation(models)
        with score_variants(models, records, genome, windows=windows, max_n=max_n, runtime=runtime) as blocks:
            settings = {"windows": windows, "max_n": f"{max_n:g}"}
            provenance = VariantProvenance.of(models, blocks.summary, settings)
            if kind == "t":
                with open_output(output) as out:
                    out.write(table_header(provenance))
                    for block in with_progress(blocks):
                        with records.lock:
                            lines = table_lines(block, models)
                        out.write(lines)
                        out.flush()
            else:
                annotation.define(records.header, provenance)
                with open_vcf(output, kind, records.header) as write:
                    for block in with_progress(blocks):
                        with records.lock:
                            annotation.add(block)
                            write(block.variants)
    logging.getLogger("saresnet").info("%s", blocks.summary)


def output_kind(kind: str | None, output: str | None) -> str:
    """Return the letter of what is written; raises click.UsageError when it does not fit the name of the file."""
    suffixes = Path(output.lower()).suffixes[-2:] if output else []
    packed = suffixes[-1:] in ([".gz"], [".bgz"])
    named = {".vcf": "v", ".bcf": "b", ".tsv": "t", ".txt": "t"}.get("".join(suffixes[: len(suffixes) - packed][-1:]))
    chosen = kind or ("z" if packed and named in ("v", None) else named or "v")
    if output and packed != (chosen == "z") and not (packed and chosen == "t"):
        raise click.UsageError(f"-O {chosen} does not fit the name {output}.")
    return chosen
