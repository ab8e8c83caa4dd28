"""`saresnet completion`."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what a shell needs to complete commands, options, models and files.

    bash has to be 4.4 or newer; for zsh the folder has to be on $fpath. It holds
    from the next shell on.

    \b
    saresnet completion bash > ~/.local/share/bash-completion/completions/saresnet
    saresnet completion zsh > ~/.zfunc/_saresnet
    saresnet completion fish > ~/.config/fish/completions/saresnet.fish
    """
    from saresnet_cli.completion import script

    click.echo(script(context.find_root().command, shell))
