"""Make a release: sdist and wheel, checked, tried in clean environments, with their sha256 sums.

    python release/make.py [--out dist] [--python python3.10 --python python3.14 ...] [--dirty]

Needs `pip install build twine`. The same commit gives the same bytes. In --out: saresnet-VERSION.tar.gz, the wheel that
was built from it, SHA256SUMS, and recipe/meta.yaml with the sha256 filled in.
"""

from __future__ import annotations

import argparse
import configparser
import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LARGEST_WHEEL = 60_000_000
NEWEST = 20  # python3.N up to which the path is searched


class ReleaseError(Exception):
    """What is in the way of a release, and the cure."""


def version() -> str:
    """Return the version; raises ReleaseError when the files that name it don't agree."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    named = config["metadata"]["version"]
    for file, pattern in (
        ("saresnet_cli/__init__.py", r'^__version__ = "(.+)"$'),
        ("CITATION.cff", r"^version: (\S+)$"),
        ("CHANGELOG.md", r"^## \[?(\d[^\]\s]*)"),
        ("recipe/meta.yaml", r'^{% set version = "(.+)" %}$'),
    ):
        path = ROOT / file
        if file.startswith("recipe/") and not path.exists():
            continue  # an sdist is without
        found = re.search(pattern, path.read_text("utf-8"), re.M)
        if found is None or found[1] != named:
            got = found[1] if found else "none"
            raise ReleaseError(f"{file} has version {got}, setup.cfg has {named}; make them the same")
    return named


def dated() -> None:
    """Raise ReleaseError when CHANGELOG.md has no date for its newest version, or another than CITATION.cff."""
    changed = re.search(r"^## \[\d[^\]]*\] - (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    cited = re.search(r"^date-released: (\S+)", (ROOT / "CITATION.cff").read_text("utf-8"), re.M)
    days = [found[1] if found else "none" for found in (changed, cited)]
    if days[0] != days[1] or not re.fullmatch(r"\d{4}-\d\d-\d\d", days[0]):
        raise ReleaseError(
            f"the release's day is {days[0]} in CHANGELOG.md, {days[1]} in CITATION.cff; make them the same"
        )


def epoch() -> int:
    """Return the time that files of the release get: $SOURCE_DATE_EPOCH, else the commit's."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ReleaseError("no git history here; set SOURCE_DATE_EPOCH to the seconds of the release's date")
    return int(done.stdout)


def sources(folder: Path, dirty: bool) -> None:
    """Copy what git knows into a folder; dirty: also new files, and uncommitted changes are no error."""
    if not dirty and subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=ROOT, check=False).returncode != 0:
        raise ReleaseError("there are uncommitted changes; commit them, or give --dirty for a trial")
    command = ["git", "ls-files", "-z", "--cached", *(["--others", "--exclude-standard"] if dirty else [])]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file() and not name.endswith(".whl"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def build(source: Path, kind: str, out: Path, seconds: int) -> Path:
    """Build an "sdist" or a "wheel" from a source tree, in an environment of its own; returns its path."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(seconds)}
    before = set(out.iterdir())
    run([sys.executable, "-m", "build", f"--{kind}", "--outdir", str(out), str(source)], env=environment)
    (made,) = set(out.iterdir()) - before
    return made


def normalize(archive: Path, seconds: int) -> None:
    """Write an sdist again so that the same files give the same bytes: sorted, of one time and no owner."""
    plain = io.BytesIO()
    with tarfile.open(archive) as old, tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member in sorted(old.getmembers(), key=lambda member: member.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = seconds, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    with archive.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=seconds) as packed:
        packed.write(plain.getvalue())


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack an sdist of ours; returns its top folder."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder)  # ours, made a moment ago
    (top,) = folder.iterdir()
    return top


def interpreters() -> list[str]:
    """Return the lowest and the highest Python on the path that the package is for."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lowest = int(config["options"]["python_requires"].removeprefix(">=3."))
    found = [name for minor in range(lowest, NEWEST) if (name := f"python3.{minor}") and works(name)]
    if not found:
        raise ReleaseError(f"no python3.{lowest} or newer on the path; give --python PATH")
    return sorted({found[0], found[-1]}, key=found.index)


def works(python: str) -> bool:
    """Say whether there is such a Python, one that can make environments."""
    if shutil.which(python) is None:
        return False
    command = [python, "-c", "import venv, ensurepip, ssl"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def sha256(path: Path) -> str:
    """Return the sha256 of a file, hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run(command: list[str], **options: object) -> None:
    """Run a command; raises ReleaseError when it fails."""
    done = subprocess.run(command, check=False, **options)  # type: ignore[call-overload]
    if done.returncode != 0:
        raise ReleaseError(f"`{' '.join(command)}` ended with {done.returncode}")


def make(out: Path, pythons: list[str], dirty: bool) -> None:
    """Make the release and try it; raises ReleaseError. An --out that has one already is emptied first."""
    seconds = epoch()
    named = version()
    if not dirty:
        dated()
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="saresnet-release-") as scratch:
        work = Path(scratch)
        (work / "source").mkdir()
        sources(work / "source", dirty)
        sdist = build(work / "source", "sdist", out, seconds)
        normalize(sdist, seconds)
        # the wheel comes from the sdist, so that what is missing in it shows here
        wheel = build(unpack(sdist, work / "sdist"), "wheel", out, seconds)
    run([sys.executable, "-m", "twine", "check", "--strict", str(sdist), str(wheel)])
    if wheel.stat().st_size >= LARGEST_WHEEL:
        raise ReleaseError(f"{wheel.name} has {wheel.stat().st_size} bytes, {LARGEST_WHEEL} are allowed")
    for python in pythons:
        run([python, str(ROOT / "release/try_wheel.py"), str(wheel), str(sdist)])
    sums = "".join(f"{sha256(path)}  {path.name}\n" for path in (sdist, wheel))
    (out / "SHA256SUMS").write_text(sums, encoding="utf-8")
    if (ROOT / "recipe").is_dir():
        (out / "recipe").mkdir()
        recipe = (ROOT / "recipe/meta.yaml").read_text("utf-8").replace("0" * 64, sha256(sdist))
        recipe = re.sub(r"^# of the archive on PyPI.*\n", "", recipe, flags=re.M)
        (out / "recipe/meta.yaml").write_text(recipe, encoding="utf-8")
    print(f"\nsaresnet {named}, tried on {', '.join(pythons)}\n{sums}", end="")


def main() -> int:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder of the release [dist]")
    parser.add_argument("--python", action="append", help="try the wheel on this Python; may be repeated "
                        "[the lowest and the highest that are on the path]")  # fmt: skip
    parser.add_argument("--dirty", action="store_true", help="a trial: take uncommitted changes and new files too")
    given = parser.parse_args()
    try:
        make(given.out, given.python or interpreters(), given.dirty)
    except ReleaseError as error:
        print(f"release: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
