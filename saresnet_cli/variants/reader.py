"""Reads VCF and BCF; the file is pysam's work."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from saresnet_cli.errors import SaresnetError
from saresnet_cli.pipeline import read_ahead
from saresnet_cli.streams import STDIN, open_bytes, source_name
from saresnet_cli.variants.alleles import VariantError

if TYPE_CHECKING:
    from pysam import VariantHeader, VariantRecord


class VcfReader:
    """Records of a VCF or BCF file, plain, gzip or BGZF; "-" is standard input. Use it in a `with` statement.

    name: what errors call it. header: pysam's; may be added to before the first record is read. lock: held while a
    record is read, since htslib then may add to the header; hold it to change a record. Raises VariantError when the
    file can't be opened or, while iterated, a record can't be read.
    """

    def __init__(self, source: str | Path) -> None:
        import pysam

        self.lock = threading.Lock()
        self._source = source
        self._records = 0
        self.name = path = source_name(source)
        try:
            # Not by name: pysam can't open plain gzip then.
            opened = io.FileIO(0, closefd=False) if source == STDIN else io.FileIO(source)
        except OSError as error:
            raise VariantError(error.strerror or str(error), path=path) from error
        self._verbosity = pysam.set_verbosity(0)  # its messages name no file and no line
        try:
            # Of a pipe it waits for the first 64 kB; in a thread, so that Ctrl-C is heard meanwhile.
            with contextlib.closing(read_ahead(map(pysam.VariantFile, [opened]), 1)) as files:
                self._file = next(files)
            str(self._file.header)
        except (OSError, ValueError, TypeError) as error:
            pysam.set_verbosity(self._verbosity)
            if "truncated" in str(error):
                raise VariantError("is cut short", path=path, cure="copy it again") from error
            raise VariantError(
                "is no VCF or BCF with a header, or is cut short",
                path=path,
                cure="give the variants first, then the genome",
            ) from error
        finally:
            opened.close()
        self.header: VariantHeader = self._file.header

    def __enter__(self) -> VcfReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        import pysam

        # A thread may be waiting for standard input with the file in its hands: then the process's end closes it.
        if self.lock.acquire(timeout=0.1):
            with contextlib.suppress(OSError, ValueError, TypeError):
                self._file.close()
            self.lock.release()
        pysam.set_verbosity(self._verbosity)

    def __iter__(self) -> Iterator[VariantRecord]:
        while True:
            with self.lock:
                try:
                    record = next(self._file, None)
                    str(record)  # pysam decodes what it is asked for, so bytes that are no UTF-8 would come up later
                except (OSError, ValueError, TypeError) as error:
                    raise self._error() from error
            if record is None:
                return
            self._records += 1
            yield record

    def _error(self) -> VariantError:
        path = self.name
        number = self._records + 1
        line = None
        if self._source != STDIN and self._file.format == "VCF":
            with contextlib.suppress(SaresnetError, OSError), open_bytes(self._source, VariantError) as file:
                for header, text in enumerate(file):
                    if not text.startswith(b"#"):
                        line = header + number
                        break
        if line is not None:
            return VariantError("is no VCF record, or the file is cut short", path=path, line=line)
        return VariantError(f"record {number:,} can't be read: it is damaged, or the file is cut short", path=path)
