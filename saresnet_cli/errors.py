"""Errors that a user can cure: one line that names the file, the line and the cure."""

from __future__ import annotations


class SaresnetError(Exception):
    """A data or model error (exit code 1); its text is the one line that the user reads.

    path: the file it is about; line: 1-based line in it; cure: what to do.
    The text is composed as `path:line: message; cure`.
    """

    exit_code = 1

    def __init__(self, message: str, *, path: object = None, line: int | None = None, cure: str | None = None) -> None:
        where = "" if path is None else f"{path}:{line}: " if line is not None else f"{path}: "
        super().__init__(where + message + (f"; {cure}" if cure else ""))


class GenomeError(SaresnetError):
    """A FASTA file that can't be read as DNA, or a region that is not in it."""


class RegionError(SaresnetError):
    """A line of a BED file that is not a region."""


class ModelError(SaresnetError):
    """A model that does not exist, is damaged, or is not a saresnet model."""


class DeviceError(SaresnetError):
    """A device that was asked for and is not there."""


class OutputError(SaresnetError):
    """An output file that can't be written."""
