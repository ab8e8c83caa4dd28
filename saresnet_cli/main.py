"""The command `saresnet`: finds the subcommand, and turns errors into one line and an exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import traceback
from typing import Any

import click

from saresnet_cli.commands.group import LazyGroup
from saresnet_cli.errors import SaresnetError

# name: (module, attribute, help). The help stands here, so that listing the commands imports none of them.
COMMANDS = {
    "scan": ("saresnet_cli.commands.scan", "scan", "Score the windows of a genome, or of BED regions."),
    "score": ("saresnet_cli.commands.score", "score", "Score each sequence of a FASTA file once."),
    "call": ("saresnet_cli.commands.call", "call", "Call binding sites, as narrowPeak."),
    "variants": ("saresnet_cli.commands.variants", "variants", "Score what the variants of a VCF do to binding."),
    "explain": ("saresnet_cli.commands.explain", "explain", "Explain scores base by base."),
    "marginalize": ("saresnet_cli.commands.marginalize", "marginalize", "Measure what motifs do to a score."),
    "serve": ("saresnet_cli.commands.serve", "serve", "Open a web page of scores and sites (needs saresnet[serve])."),
    "models": ("saresnet_cli.commands.models", "models", "List, show, verify, save and fetch models."),
    "selftest": ("saresnet_cli.commands.selftest", "selftest", "Say whether this machine computes what ours did."),
    "finetune": (
        "saresnet_cli.commands.finetune",
        "finetune",
        "Make a model of your own peaks (needs saresnet[train]).",
    ),
    "train": ("saresnet_train.commands", "train", "Train and evaluate models (needs saresnet[train])."),
    "export": ("saresnet_export.command", "export", "Export a trained model to ONNX (needs saresnet[train])."),
    "benchmark": (
        "saresnet_train.commands.benchmark",
        "benchmark",
        "Compare methods as the paper does (needs saresnet[benchmark]).",
    ),
    "completion": ("saresnet_cli.commands.completion", "completion", "Print what a shell needs to complete commands."),
}
EXTRA = {"finetune": "train", "train": "train", "export": "train", "benchmark": "benchmark", "serve": "serve"}
"""What a command needs beside the package itself: the extra of that name."""


class _Saresnet(LazyGroup):
    """The commands, which name what they need and do not find."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        try:
            return super().get_command(ctx, cmd_name)
        except ModuleNotFoundError as error:
            raise _missing(cmd_name, error) from error

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            raise _missing(str(ctx.invoked_subcommand), error) from error


def _missing(command: str, error: ModuleNotFoundError) -> SaresnetError:
    cure = f"pip install 'saresnet[{EXTRA[command]}]'" if command in EXTRA else "install saresnet again"
    return SaresnetError(f"`saresnet {command}` needs {error.name}, which is not installed", cure=cure)


def _show_versions(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from saresnet_cli.versions import versions

    for name, version in versions().items():
        click.echo(f"{name} {version}")
    ctx.exit()


@click.group(cls=_Saresnet, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_versions,
    help="Show saresnet's version and those of what it works with.",
)  # fmt: skip
def cli() -> None:
    """Find where transcription factors bind, from the DNA sequence alone."""


def main(argv: list[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 data or model, 2 usage, 130 interrupted.

    argv: arguments without the program's name; default is those of the process. An error is
    one line on standard error; with --debug its traceback goes before it.
    """
    arguments = sys.argv[1:] if argv is None else argv
    completing = os.environ.get("_SARESNET_COMPLETE")  # completion.VARIABLE, whose import would cost every start
    if completing:
        from saresnet_cli.completion import answer

        return answer(cli, completing)
    state: dict[str, Any] = {"debug": False}
    try:
        # Not cli.main(): it has an error policy of its own.
        with cli.make_context("saresnet", list(arguments), obj=state) as context:
            cli.invoke(context)
        sys.stdout.flush()
        return 0
    except click.exceptions.Exit as done:
        return _flushed(done.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "saresnet"
        return _fail(f"{error.format_message().rstrip('.')}; see `{where} --help`", error.exit_code)
    except SaresnetError as error:
        return _fail(str(error), error.exit_code, state["debug"])
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted", 130, state["debug"])
    except BrokenPipeError:
        _drop_stdout()
        return 0
    except OSError as error:
        # Files of the user's are opened by the library, which names them: what is left is standard output.
        if error.errno in (errno.ENOSPC, errno.EBADF):
            _drop_stdout()
        return _fail(f"{error.filename or 'standard output'}: {error.strerror or error}", 1, state["debug"])


def run() -> None:
    """Run the command as a process: the console script."""
    _stand_in()
    # OpenVINO does without its converter of other formats, as where it is not installed: with that come reports to
    # Google, and a tenth of a second at each start.
    sys.modules["openvino.tools.ovc"] = None  # type: ignore[assignment]  # says to Python that there is none
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a half-written file is removed
    sys.exit(main())


def _stand_in() -> None:
    """Put something in place of standard streams that were closed, or the next file that is opened takes their number.

    Input is empty, and to write is an error.
    """
    for name, access, mode in (("stdin", os.O_RDONLY, "r"), ("stdout", os.O_RDONLY, "w"), ("stderr", os.O_WRONLY, "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, access), mode, closefd=False))


def _flushed(code: int) -> int:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
        return code
    _drop_stdout()
    return code


def _fail(message: str, code: int, debug: bool = False) -> int:
    if debug:
        traceback.print_exc()
    print(f"saresnet: error: {' '.join(message.split())}", file=sys.stderr)
    return code


def _drop_stdout() -> None:
    """Send what is still held for standard output nowhere, or Python complains about it when it ends."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
