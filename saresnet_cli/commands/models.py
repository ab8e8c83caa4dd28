"""`saresnet models`."""

from __future__ import annotations

import json

import click

from saresnet_cli.commands.options import as_json, debug_option

_COLUMNS = ("id", "tf", "cell", "auroc", "auprc", "bytes", "licence")


@click.group()
def models() -> None:
    """List, show and verify the installed models."""


@models.command("list")
@as_json
@debug_option
def list_models(as_json: bool) -> None:
    """List the installed models, one a line."""
    from saresnet_cli.registry import Registry

    entries = [entry.as_dict() for entry in Registry.read().entries]
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
    """Compare every installed model with its sha256, and read its card."""
    from saresnet_cli.errors import ModelError
    from saresnet_cli.model import load_model
    from saresnet_cli.registry import Registry

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
        raise ModelError(message, cure="install saresnet again")


def _text(value: object) -> str:
    if value is None or value == "":
        return "."
    return f"{value:.4g}" if isinstance(value, float) else str(value)
