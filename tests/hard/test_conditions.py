"""Hard conditions, each tried on the command itself: what docs/hard-conditions.md lists."""

from __future__ import annotations

import contextlib
import gzip
import os
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of an error."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("saresnet: error: ")]
    assert errors == done.stderr.splitlines()[-1:]
    return errors[0]


# Disks


@pytest.mark.parametrize("name", ["out.bed", "out.bed.gz", "out.bedgraph"])
def test_a_full_disk_leaves_nothing(saresnet: Command, genome: Path, model: Path, tmp_path: Path, name: str) -> None:
    """A limit on the size of a file stands for the disk: the write fails half-way."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    before = sorted(tmp_path.iterdir())
    saresnet("scan", genome, "--model", model)  # the index
    done = saresnet("scan", genome, "--model", model, "--stride", "1", "-o", name, preexec_fn=limit)
    assert f"{name}: can't be written (File too large)" in complaint(done)
    assert [path.name for path in sorted(tmp_path.iterdir()) if path not in before] == ["genome.fa.fai"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 128 kB in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "saresnet-test", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@linux
def test_a_full_disk_is_cleared_and_the_scan_goes_on(
    saresnet: Command, genome: Path, model: Path, small_disk: Path
) -> None:
    command = ["scan", genome, "--model", model, "--stride", "1", "-o", small_disk / "out.bed"]
    filler = small_disk / "filler"
    filler.write_bytes(bytes(60_000))
    assert "out.bed: can't be written (No space left on device)" in complaint(saresnet(*command))
    assert sorted(small_disk.iterdir()) == [filler]
    assert "out.bed: can't be written (No space left on device)" in complaint(saresnet(*command, "--resume"))
    assert not (small_disk / "out.bed").exists()
    assert (small_disk / ".out.bed.part").stat().st_size > 10_000
    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    done = saresnet(*command, "--resume")
    assert done.returncode == 0
    assert (small_disk / "out.bed").read_text() == saresnet(*command[:-2]).stdout
    assert [path.name for path in small_disk.iterdir()] == ["out.bed"]


def test_a_full_standard_output(saresnet: Command, genome: Path, model: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    script = f'"{sys.executable}" -m saresnet_cli scan "{genome}" --model "{model}" --stride 1 > /dev/full'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert "standard output: No space left on device" in complaint(done)


def test_scans_that_make_one_index_at_once(saresnet: Command, genome: Path, model: Path) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(saresnet("scan", genome, "--model", model).stdout))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert set(found) == {saresnet("scan", genome, "--model", model).stdout}
    assert sorted(path.name for path in genome.parent.glob("*genome*")) == ["genome.fa", "genome.fa.fai"]


# Limits


@linux
def test_threads_follow_the_cores_that_a_container_has(saresnet: Command, genome: Path, model: Path) -> None:
    one = min(os.sched_getaffinity(0))
    done = saresnet("scan", genome, "--model", model, preexec_fn=lambda: os.sched_setaffinity(0, {one}))
    assert done.returncode == 0
    assert "device: CPU, 1 thread," in done.stderr


def test_few_open_files(saresnet: Command, genome: Path, model: Path, tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    done = saresnet("scan", genome, "--model", model, preexec_fn=limit)
    assert done.returncode == 0
    assert done.stdout == saresnet("scan", genome, "--model", model).stdout
    for engine in ("openvino", "onnxruntime"):
        done = saresnet("scan", genome, "--tf", "all", "--engine", engine, "-o", "each/", preexec_fn=limit)
        if "not installed" not in done.stderr:
            assert done.returncode == 0, done.stderr
            assert len(list((tmp_path / "each").iterdir())) == 4


# Files that are none


def test_text_of_other_systems(saresnet: Command, genome: Path, model: Path, tmp_path: Path) -> None:
    bed = "chr1\t0\t500\nchrM\t5\t300\n"
    wanted = saresnet("scan", genome, "-", "--model", model, input=bed).stdout
    (tmp_path / "mark.bed").write_bytes(b"\xef\xbb\xbf" + bed.encode())
    (tmp_path / "mark.bed.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + bed.replace("\n", "\r\n").encode()))
    for name in ("mark.bed", "mark.bed.gz"):
        assert saresnet("scan", genome, name, "--model", model).stdout == wanted
        shards = [saresnet("scan", genome, name, "--model", model, "--shard", f"{i}/2").stdout for i in (1, 2)]
        assert "".join(shards) == wanted
    for encoding in ("utf-16-le", "utf-16-be"):
        (tmp_path / "wide").write_bytes(("\ufeff" + bed).encode(encoding))
        assert "wide: is text in UTF-16; save it as UTF-8" in complaint(
            saresnet("scan", genome, "wide", "--model", model)
        )
        fasta = ("\ufeff>x\n" + "ACGT" * 50).encode(encoding)
        (tmp_path / "wide").write_bytes(fasta)
        assert "wide: begins with a byte order mark" in complaint(saresnet("scan", "wide", "--model", model))
        assert "wide: is text in UTF-16" in complaint(saresnet("score", "wide", "--model", model))


@pytest.mark.parametrize(
    ("bed", "message"),
    [
        (b"chr1\t0\t500\0\n", "a.bed:1: start '0' and end '500\\x00' are not both whole numbers"),
        (b"chr\x001\t0\t500\n", "a.bed:1: genome.fa: no sequence named 'chr\\x001'"),
        (b"\0" * 1000, "a.bed:1: 1 column where a BED line has at least 3"),
        (b"chr1\t0\t5\n" + b"x" * (1 << 23), "a.bed:2: more than 4 MB in a line"),
        ("chr1\t٣\t500\n".encode(), "a.bed:1: start '٣' and end '500' are not both whole numbers"),
    ],
)
@pytest.mark.parametrize("shard", [[], ["--shard", "1/2"]])
def test_bytes_that_are_no_bed(
    saresnet: Command, genome: Path, model: Path, tmp_path: Path, bed: bytes, message: str, shard: list[str]
) -> None:
    (tmp_path / "a.bed").write_bytes(bed)
    assert message in complaint(saresnet("scan", "genome.fa", "a.bed", "--model", model, *shard))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b">x\0y\n" + b"ACGT" * 50, "control characters in the name 'x\\x00y'; rename it"),
        (b">x\x1by\n" + b"ACGT" * 50, "control characters in the name 'x\\x1by'; rename it"),
        (b">x\n" + b"ACGT" * 50 + b"\0\n", "letter '\\x00'"),
        (b"\0" * 4096, "is not FASTA"),
    ],
)
def test_bytes_that_are_no_fasta(saresnet: Command, model: Path, tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "a.fa").write_bytes(data)
    for command in ("scan", "score"):
        assert message in complaint(saresnet(command, "a.fa", "--model", model))


@linux
def test_folders_pipes_and_devices(saresnet: Command, genome: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert "folder: Is a directory" in complaint(saresnet("scan", "folder", "--model", model))
    assert "folder: Is a directory" in complaint(saresnet("scan", genome, "folder", "--model", model))
    assert "folder" in complaint(saresnet("scan", genome, "--model", "folder/"))
    assert "is a stream, and has to be read by position" in complaint(saresnet("scan", "/dev/zero", "--model", model))
    assert "more than 4 MB in a line" in complaint(saresnet("scan", genome, "/dev/zero", "--model", model))
    bed = "chr1\t0\t500\n"
    wanted = saresnet("scan", genome, "-", "--model", model, input=bed).stdout
    assert saresnet("scan", genome, "/dev/stdin", "--model", model, input=bed).stdout == wanted
    os.mkfifo(tmp_path / "pipe")
    for shard in ([], ["--shard", "1/2"]):
        writer = threading.Thread(target=_fill, args=(tmp_path / "pipe", bed), daemon=True)
        writer.start()
        done = saresnet("scan", genome, "pipe", "--model", model, *shard)
        if shard:
            assert "pipe: can't be read twice, as a shard has to; give a file" in complaint(done)
            with contextlib.suppress(OSError):
                os.close(os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK))
        else:
            assert done.stdout == wanted
        writer.join(timeout=5)
    done = saresnet("scan", genome, "--model", model, "-o", "/dev/null")
    assert done.returncode == 0
    assert Path("/dev/null").is_char_device()


def _fill(path: Path, text: str) -> None:
    with contextlib.suppress(OSError):
        path.write_text(text)


# Names


@pytest.mark.parametrize(
    "name", ["a\nb", "a\tb", "$(touch hacked)", "; touch hacked", "a b'\"", "-x", "{model", "é\udcff"]
)
def test_hostile_names_of_files(saresnet: Command, genome: Path, model: Path, tmp_path: Path, name: str) -> None:
    wanted = saresnet("scan", genome, "--model", model).stdout
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(genome, folder / f"{name}.fa")
    shutil.copy(model, folder / f"{name}.onnx")
    (folder / f"{name}.bed").write_text("".join(f"{chrom}\t0\t{size}\n" for chrom, size in SIZES.items()))
    where = f"{folder}/{name}"
    done = saresnet("scan", f"{where}.fa", f"{where}.bed", "--model", f"{where}.onnx", "-o", f"{where}.out.bed.gz")
    assert done.returncode == 0, done.stderr
    found = gzip.decompress(Path(f"{where}.out.bed.gz").read_bytes()).decode()
    assert found == wanted
    (folder / f"{name}.bed").write_text("chr1\t5\n")
    line = complaint(saresnet("scan", genome, f"{where}.bed", "--model", model))
    assert "2 columns where a BED line has at least 3" in line
    assert not list(tmp_path.rglob("hacked"))


SIZES = {"chr1": 3000, "chr2": 101, "tiny": 60, "blank": 500, "chrM": 777}


def test_hostile_names_of_sequences(saresnet: Command, model: Path, tmp_path: Path) -> None:
    names = ["a;rm", "$(x)", "a|b", "..", "../x", "'\"", "é", "a\u2028b", "{model}", "#x", "-"]
    (tmp_path / "a.fa").write_text("".join(f">{name} d\n{'ACGT' * 30}\n" for name in names))
    for _ in range(2):  # the second time with the index
        done = saresnet("scan", "a.fa", "--model", model, "--format", "tsv", "--stride", "120")
        assert done.returncode == 0, done.stderr
        rows = [line.split("\t") for line in done.stdout.split("\n")[1:-1]]
        assert list(dict.fromkeys(row[0] for row in rows)) == names
        assert {len(row) for row in rows} == {7}
    assert "made again" not in done.stderr


def test_a_line_of_a_hundred_million_bases(saresnet: Command, model: Path, tmp_path: Path) -> None:
    with (tmp_path / "a.fa").open("wb") as file:
        file.write(b">x\n")
        for _ in range(100):
            file.write(b"ACGTTGCAAC" * 100_000)
        file.write(b"\n")
    (tmp_path / "a.bed").write_text("x\t0\t500\nx\t99999500\t100000000\n")
    done = saresnet("scan", "a.fa", "a.bed", "--model", model)
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()[2:]]
    assert (rows[0][1], rows[-1][2]) == ("0", "100000000")
    assert len(rows) == 18
