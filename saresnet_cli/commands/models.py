"""`saresnet models`."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from saresnet_cli.commands.options import F, as_json, debug_option, names_in, quiet_option
from saresnet_cli.commands.types import NumberRange

if TYPE_CHECKING:
    from saresnet_cli.registry.index import Entry
    from saresnet_cli.registry.models import Registry

_COLUMNS = ("id", "tf", "cell", "auroc", "auprc", "bytes", "licence")


Chosen = Callable[["Registry"], "list[Entry]"]


def _choice(every: str) -> Callable[[F], F]:
    """Add the options that choose models, and give the command `chosen`, which takes them from a registry.

    every: what those of --all are, for the help. Options that name none, or in two ways, are a click.UsageError.
    """

    def add(command: F) -> F:
        @wraps(command)
        def choosing(
            *args: Any, ids: tuple[str, ...], tf: str | None, cell: str | None, everything: bool, **options: Any
        ) -> Any:
            if bool(ids) + (tf is not None) + everything != 1:
                raise click.UsageError("Say which models: ids, --tf, or --all.")
            if cell is not None and tf is None:
                raise click.UsageError("--cell goes with --tf.")

            def chosen(registry: Registry) -> list[Entry]:
                if everything:
                    return list(registry.entries)
                if tf is not None:
                    return registry.select(names_in(tf), names_in(cell) if cell is not None else None)
                return list({entry.id: entry for entry in map(registry.get, ids)}.values())

            return command(*args, chosen=chosen, **options)

        wrapped: Any = choosing
        for option in (
            click.option("--all", "everything", is_flag=True, help=f"Every model that {every}."),
            click.option("--cell", metavar="CELL[,...]", help="With --tf: in these cell types."),
            click.option("--tf", metavar="TF[,...]|all", help="Models of these factors."),
            click.argument("ids", nargs=-1, metavar="[ID]..."),
        ):
            wrapped = option(wrapped)
        return cast(F, wrapped)

    return add


@click.group()
def models() -> None:
    """List, show, verify, save and fetch models."""


@models.command("list")
@click.option("--available", is_flag=True, help="Those that can be fetched, and are not here.")
@as_json
@debug_option
def list_models(available: bool, as_json: bool) -> None:
    """List the models that are here, installed or fetched, one a line."""
    from saresnet_cli.registry.models import Registry

    registry = Registry.read()
    entries = [entry.as_dict() for entry in (registry.available() if available else registry.entries)]
    for entry in entries:
        del entry["selftest"]
    if as_json:
        click.echo(json.dumps(entries, indent=2))
        return
    click.echo("\t".join(_COLUMNS))
    for entry in entries:
        values = {**entry["metrics"], **entry}
        click.echo("\t".join(_text(values.get(column)) for column in _COLUMNS))


@models.command()
@click.argument("id")
@as_json
@debug_option
def show(id: str, as_json: bool) -> None:
    """Show the card of a model: an id, or a model file."""
    from saresnet_cli.model import load_model

    model = load_model(id)
    card = {"path": str(model.path), "sha256": model.sha256, **json.loads(model.card.to_json())}
    if as_json:
        click.echo(json.dumps(card, indent=2))
        return
    for name, value in card.items():
        if name == "background":
            value = {kind: f"{null['windows']} windows, {null['source']}" for kind, null in value.items()}
        if isinstance(value, dict):
            for key, inner in value.items():
                click.echo(f"{name}.{key}\t{_text(inner)}")
        else:
            click.echo(f"{name}\t{_text(value)}")


@models.command()
@as_json
@debug_option
def verify(as_json: bool) -> None:
    """Compare every model that is here with its sha256, and read its card."""
    from saresnet_cli.errors import ModelError
    from saresnet_cli.model import load_model
    from saresnet_cli.registry.models import Registry

    results = []
    for entry in Registry.read().entries:
        try:
            card = load_model(entry.id).card
            problem = None if card.id == entry.id else f"its card says {card.id}"
        except ModelError as error:
            problem = str(error)
        results.append({"id": entry.id, "ok": problem is None, "problem": problem})
    if as_json:
        click.echo(json.dumps(results, indent=2))
    else:
        for result in results:
            click.echo(f"{result['id']}\t{'ok' if result['ok'] else result['problem']}")
    bad = [str(result["id"]) for result in results if not result["ok"]]
    if bad:
        message = f"{len(bad)} of {len(results)} models are damaged: {', '.join(bad)}"
        raise ModelError(message, cure="install saresnet again, or fetch them again")


@models.command(no_args_is_help=True)
@_choice("the source has")
@click.option("--from", "source", metavar="FOLDER_OR_URL", help="The source.  [default: $SARESNET_MODELS_URL]")
@click.option("--index-sha256", metavar="HEX", help="What the sha256 of its registry.json has to be.")
@click.option("--timeout", type=NumberRange(1), default=30, show_default=True, help="Seconds without an answer.")
@quiet_option
@debug_option
def fetch(
    chosen: Chosen,
    source: str | None,
    index_sha256: str | None,
    timeout: float,
) -> None:
    """Fetch models from a folder or an HTTP(S) address.

    They are kept in $SARESNET_CACHE (else $XDG_CACHE_HOME/saresnet, else
    ~/.cache/saresnet), and from then on found like those that are installed,
    without a network. What broke off goes on where it stopped. Prints id and
    file of each.

    \b
    saresnet models list --available
    saresnet models fetch GATA2_pan TP53_pan --from https://example.org/saresnet-models
    saresnet scan genome.fa --model GATA2_pan
    """
    from saresnet_cli.registry.fetching import Offer

    offer = Offer(source, index_sha256, timeout)
    fetched = offer.fetch(chosen(offer.registry), _progress)
    for model in fetched:
        click.echo(f"{model.entry.id}\t{model.path}")
    new = [model.entry.bytes for model in fetched if model.new]
    logging.getLogger("saresnet").info(
        "%d of %d models fetched, %.1f MB; the others were here", len(new), len(fetched), sum(new) / 1e6
    )


@models.command(no_args_is_help=True)
@_choice("is here")
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="FOLDER",
    help="Where to write them.",
)
@debug_option
def save(chosen: Chosen, folder: Path) -> None:
    """Write models as complete ONNX files, with an index.

    Any ONNX runtime can use the files; the folder, or a web server's copy of it,
    is what `saresnet models fetch --from` takes. Models that are in it stay.
    Prints id and file of each.

    \b
    saresnet models save CTCF_GM12878 -o onnx/
    saresnet models save --all -o saresnet-models/
    """
    from saresnet_cli.registry.models import Registry
    from saresnet_cli.registry.saving import save as write

    registry = Registry.read()
    entries = chosen(registry)
    for entry, path in zip(entries, write(registry, entries, folder), strict=True):
        click.echo(f"{entry.id}\t{path}")


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty() and logging.getLogger("saresnet").isEnabledFor(logging.INFO):
        text = f"\rsaresnet: {done / 1e6:.1f} of {total / 1e6:.1f} MB " if done < total else "\r\033[K"
        print(text, end="", file=sys.stderr, flush=True)


def _text(value: object) -> str:
    if value is None or value == "":
        return "."
    return f"{value:.4g}" if isinstance(value, float) else str(value)
