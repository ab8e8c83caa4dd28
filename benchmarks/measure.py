"""Runs one command and measures it from outside: wall time, processor time, peak memory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from machine import busy_seconds

_SCORED = re.compile(r"([\d,]+) windows scored")
_RATE = re.compile(r"([\d,]+) windows/s")
_DEVICE = re.compile(r"windows/s on (.+)")


@dataclass(frozen=True)
class Measured:
    """What a command did: figures, or why there are none.

    figures: wall_s, cpu_s, peak_mb (10^6 bytes), other_cpu_s (of all else on the machine meanwhile), and what
    the command says of itself.
    """

    figures: dict
    trouble: str = ""


def measure(command: Sequence[str], folder: Path, without: Sequence[str], limit: float, keep_output: bool) -> Measured:
    """Run a command in a folder.

    without: environment variables to remove; limit: seconds after which it is ended. keep_output: its standard
    output holds a line of JSON that begins with "{"; else it goes to /dev/null, and the figures are those of the
    summary that `saresnet scan` leaves on standard error.
    """
    environment = {name: value for name, value in os.environ.items() if name not in without}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        others = busy_seconds()
        begun = time.perf_counter()
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out if keep_output else subprocess.DEVNULL,
            stderr=err,
        )
        late = threading.Timer(limit, process.kill)
        late.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        finally:
            late.cancel()
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu = usage.ru_utime + usage.ru_stime
        figures = {
            "wall_s": round(wall, 3),
            "cpu_s": round(cpu, 3),
            "peak_mb": round(usage.ru_maxrss * 1024 / 1e6, 1),
            "other_cpu_s": round(max(busy_seconds() - others - cpu, 0), 2),
        }
        out.seek(0)
        err.seek(0)
        said, complained = out.read(), err.read()
    if process.returncode:
        reason = f"took more than {limit:.0f} s" if wall >= limit else _last_line(complained)
        return Measured(figures, f"exit code {process.returncode}: {reason}")
    return _with_its_own(figures, said) if keep_output else _with_summary(figures, complained)


def _with_its_own(figures: dict, said: str) -> Measured:
    lines = [line for line in said.splitlines() if line.startswith("{")]
    if not lines:
        return Measured(figures, "printed no figures")
    own = json.loads(lines[-1])
    if "skip" in own:
        return Measured(figures, own["skip"])
    return Measured({**figures, **own})


def _with_summary(figures: dict, complained: str) -> Measured:
    scored, rate, device = (pattern.search(complained) for pattern in (_SCORED, _RATE, _DEVICE))
    if scored is None or rate is None:
        return Measured(figures, f"no summary on standard error: {_last_line(complained)}")
    windows, speed = (int(match[1].replace(",", "")) for match in (scored, rate))
    if windows and speed:
        figures = {**figures, "windows": windows, "seconds": round(windows / speed, 4)}
    return Measured({**figures, "device": device[1].strip() if device else ""})


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "said nothing"
