"""A genome by position: the index, BGZF, names, and what is refused."""

from __future__ import annotations

import gzip
import logging
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saresnet_cli import bgzf, fasta_index
from saresnet_cli.errors import GenomeError
from saresnet_cli.fasta_index import index_fasta
from saresnet_cli.genome import Genome


def compress(data: bytes, block: int = 1000) -> bytes:
    """Write BGZF with blocks of this many bytes."""
    return b"".join(bgzf.block(data[i : i + block]) for i in range(0, len(data), block)) + bgzf.END


def bases(genome: Genome, name: str) -> str:
    return genome.fetch(name, 0, genome.lengths[name]).tobytes().decode()


@pytest.mark.parametrize("packed", [False, True])
def test_every_slice_is_the_sequence(tmp_path: Path, genome: Path, sequences: dict[str, str], packed: bool) -> None:
    path = genome
    if packed:
        path = tmp_path / "packed.fa.gz"
        path.write_bytes(compress(genome.read_bytes(), 97))
    with Genome(path) as opened:
        assert opened.names == list(sequences)
        assert opened.lengths == {name: len(text) for name, text in sequences.items()}
        for name, text in sequences.items():
            assert bases(opened, name) == text
        text = sequences["chrM"]
        for start in range(0, 777, 7):
            for end in (start, start + 1, start + 60, 777):
                assert opened.fetch("chrM", start, min(end, 777)).tobytes().decode() == text[start : min(end, 777)]


def test_blocks_of_64_kib_are_read_from_their_first_byte(tmp_path: Path) -> None:
    text = "".join(np.random.default_rng(0).choice(list("ACGT"), 200_000))
    path = tmp_path / "a.fa.gz"
    path.write_bytes(compress(f">x\n{text}\n".encode(), 65_536))
    with Genome(path) as genome:
        for start in (65_536 - 3 + i for i in (-1, 0, 1)):
            assert genome.fetch("x", start, start + 10).tobytes().decode() == text[start : start + 10]


def test_bgzf_of_htslib_is_read(tmp_path: Path, genome: Path, sequences: dict[str, str]) -> None:
    if shutil.which("bgzip") is None:
        pytest.skip("bgzip is not installed")
    subprocess.run(["bgzip", genome], check=True)
    with Genome(tmp_path / "genome.fa.gz") as opened:
        assert {name: bases(opened, name) for name in opened.names} == sequences


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lower_case_iupac_and_windows_ends(tmp_path: Path, fasta: Callable[..., str], end: str) -> None:
    text = "acgtNNryswkmbdhvuACGT" * 9
    path = tmp_path / "a.fa"
    path.write_bytes(fasta({"x": text, "y": "ac"}, 25, end).encode())
    with Genome(path) as genome:
        assert bases(genome, "x") == text.upper().replace("U", "T")
        assert bases(genome, "y") == "AC"


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (0, 102), (50, 40), (102, 103)])
def test_a_range_outside_is_an_error_not_a_shorter_answer(genome: Path, start: int, end: int) -> None:
    with Genome(genome) as opened, pytest.raises(GenomeError, match="is not within"):
        opened.fetch("chr2", start, end)


# The index


records = st.lists(st.text("ACGTN", max_size=60), min_size=1, max_size=6)


@given(records, st.integers(1, 20), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.integers(1, 50))
def test_the_index_is_that_of_a_slow_reader(
    tmp_path_factory: pytest.TempPathFactory, several: list[str], width: int, end: str, closed: bool, chunk: int
) -> None:
    path = tmp_path_factory.mktemp("index") / "a.fa"
    text, wanted = "", []
    for number, sequence in enumerate(several):
        text += f">s{number} about{end}"
        wanted.append((f"s{number}", len(sequence), len(text)))
        text += "".join(sequence[i : i + width] + end for i in range(0, len(sequence), width))
    path.write_bytes((text if closed else text.removesuffix(end)).encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fasta_index, "_CHUNK", chunk)
        found = index_fasta(path, compressed=False)
    # Where the last line is a header without its end, the byte after it is only counted.
    assert [(r.name, r.length, r.offset) for r in found][:-1] == wanted[:-1]
    assert (found[-1].name, found[-1].length) == wanted[-1][:2]


def test_the_index_is_that_of_samtools(tmp_path: Path, genome: Path) -> None:
    if shutil.which("samtools") is None:
        pytest.skip("samtools is not installed")
    theirs = tmp_path / "theirs.fai"
    subprocess.run(["samtools", "faidx", genome, "-o", theirs], check=True)
    with Genome(genome):
        assert genome.with_name("genome.fa.fai").read_text() == theirs.read_text()


def test_a_gzi_of_htslib_is_read_as_ours_is(tmp_path: Path, genome: Path) -> None:
    if shutil.which("bgzip") is None:
        pytest.skip("bgzip is not installed")
    text = genome.read_text() * 50
    path = tmp_path / "a.fa"
    path.write_text(text)
    subprocess.run(["bgzip", "-i", path], check=True)
    theirs = bgzf.read_gzi(tmp_path / "a.fa.gz.gzi")
    with (tmp_path / "a.fa.gz").open("rb") as file:
        assert theirs.tolist() == bgzf.find_blocks(file)[: len(theirs)].tolist()
    assert len(theirs) > 2


def test_a_fresh_index_is_used_and_a_stale_one_made_again(
    genome: Path, sequences: dict[str, str], fasta: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "saresnet")
    with Genome(genome):
        made = genome.with_name("genome.fa.fai")
    first = made.stat().st_mtime_ns
    with Genome(genome):
        assert made.stat().st_mtime_ns == first
    genome.write_text(fasta({"other": "ACGT" * 30}))
    os.utime(genome, ns=(first + 10**9, first + 10**9))
    caplog.clear()
    with Genome(genome) as opened:
        assert opened.names == ["other"]
    assert "older than genome.fa: made again" in caplog.text


@pytest.mark.parametrize("content", ["", "chr1\n", "chr1\t99999999\t6\t60\t61\n", "chr1\t10\t6\t0\t0\n", "\x00\x01"])
def test_an_index_that_does_not_fit_is_made_again(genome: Path, sequences: dict[str, str], content: str) -> None:
    genome.with_name("genome.fa.fai").write_text(content)
    with Genome(genome) as opened:
        assert bases(opened, "chr1") == sequences["chr1"]


@pytest.fixture
def read_only(sequences: dict[str, str], fasta: Callable[..., str]) -> Iterator[Path]:
    """A genome in a folder that this process can't write, even when it is root's."""
    folder = Path(tempfile.mkdtemp())
    path = folder / "genome.fa.gz"
    path.write_bytes(compress(fasta(sequences).encode()))
    (folder / "cache").mkdir()
    (folder / "cache").chmod(0o777)
    folder.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield path
    finally:
        os.seteuid(user)
        folder.chmod(0o755)
        shutil.rmtree(folder)


def test_in_a_read_only_folder_the_index_goes_to_the_cache(
    read_only: Path, sequences: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = read_only.parent / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    with Genome(read_only) as genome:
        assert bases(genome, "chrM") == sequences["chrM"]
    made = sorted(path.suffix for path in (cache / "saresnet").iterdir())
    assert made == [".fai", ".gzi"]
    assert sorted(path.name for path in read_only.parent.iterdir()) == ["cache", "genome.fa.gz"]
    monkeypatch.setattr("saresnet_cli.genome.index_fasta", None)  # the second time it is only read
    with Genome(read_only) as genome:
        assert bases(genome, "chrM") == sequences["chrM"]


def test_where_neither_can_be_written_the_index_is_made_each_time_and_it_is_said_once(
    read_only: Path, sequences: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(read_only.parent / "none"))
    for _ in range(2):
        with Genome(read_only) as genome:
            assert bases(genome, "chr1") == sequences["chr1"]
    told = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert len(told) == 1
    assert "set XDG_CACHE_HOME to a folder that you can write" in told[0]
    assert sorted(path.name for path in read_only.parent.iterdir()) == ["cache", "genome.fa.gz"]


READER = """
import sys
from saresnet_cli import Genome
print("ready", flush=True)
sys.stdin.readline()
with Genome(sys.argv[1]) as genome:
    print(genome.fetch("chrM", 0, genome.lengths["chrM"]).tobytes().decode())
"""


def test_processes_that_make_the_index_at_the_same_time_agree(genome: Path, sequences: dict[str, str]) -> None:
    command = [sys.executable, "-c", READER, str(genome)]
    pipe = subprocess.PIPE
    workers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=genome.parent) for _ in range(3)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    found = [worker.communicate(timeout=60)[0].strip() for worker in workers]
    assert found == [sequences["chrM"]] * 3
    assert sorted(path.name for path in genome.parent.iterdir()) == ["genome.fa", "genome.fa.fai"]


# Names


@pytest.mark.parametrize(
    ("have", "ask", "got"),
    [
        ("chr1", "1", "chr1"),
        ("1", "chr1", "1"),
        ("X", "chrX", "X"),
        ("MT", "chrM", "MT"),
        ("chrM", "MT", "chrM"),
        ("M", "chrM", "M"),
        ("chrMT", "M", "chrMT"),
    ],
)
def test_names_are_bridged_and_it_is_said_once(
    tmp_path: Path, have: str, ask: str, got: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.fa"
    path.write_text(f">{have}\nACGT\n")
    caplog.set_level(logging.INFO, "saresnet")
    with Genome(path) as genome:
        caplog.clear()
        assert genome.resolve(ask) == genome.resolve(ask) == got
        assert genome.resolve(have) == have
    assert len(caplog.records) == 1
    assert ask in caplog.text


def test_an_unknown_name_lists_what_there_is(genome: Path) -> None:
    with Genome(genome) as opened, pytest.raises(GenomeError, match=r"no sequence named 'chr3'.*it has 5, among.*chr1"):
        opened.resolve("chr3")


def test_an_exact_name_goes_before_its_alias(tmp_path: Path) -> None:
    path = tmp_path / "a.fa"
    path.write_text(">1\nA\n>chr1\nC\n")
    with Genome(path) as genome:
        assert genome.resolve("1") == "1"
        assert genome.resolve("chr1") == "chr1"


# What is refused


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "is not FASTA"),
        (b"\n\n", "holds no sequences"),
        (b"ACGT\n>x\n", "a.fa:1: is not FASTA"),
        (b">x\nAC\n> y\nAC\n", "a.fa:3: a sequence without a name"),
        (b">x\nAC\n>x z\nAC\n", "a.fa:3: a second sequence named 'x'"),
        (b">x\nACGT\nAC\nACGT\n", "a.fa:4: lines of different lengths in sequence 'x'"),
        (b">x\nACGT\nACGTA\n", "a.fa:3: lines of different lengths"),
        (b">x\nACGT\n\nACGT\n", "a.fa:4: lines of different lengths"),
        (gzip.compress(b">x\nACGT\n"), "use bgzip"),
        (b"BZh91AY", "but not with bgzip"),
        (compress(b">x\n" + b"ACGT" * 600)[:-40], "cut short"),
        (compress(b">x\n" + b"ACGT" * 600)[:-28], "end block is missing"),
    ],
)
def test_a_file_that_is_no_genome_is_named(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "a.fa"
    path.write_bytes(data)
    with pytest.raises(GenomeError) as caught:
        Genome(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("*.fai"))


def test_protein_letters_are_named_with_sequence_and_position(tmp_path: Path) -> None:
    path = tmp_path / "a.fa"
    path.write_text(">dna\nACGTAC\n>prot\nACGTAC\nACGEAC\n")
    with Genome(path) as genome:
        assert bases(genome, "dna") == "ACGTAC"
        with pytest.raises(GenomeError, match=r"a\.fa: letter 'E' at position 9 of prot is not DNA"):
            bases(genome, "prot")


def test_damage_inside_a_block_is_an_error(tmp_path: Path) -> None:
    data = bytearray(compress(b">x\n" + b"ACGT" * 600 + b"\n", 500))
    path = tmp_path / "a.fa.gz"
    path.write_bytes(data)
    with Genome(path):
        pass
    length = struct.unpack("<H", data[16:18])[0] + 1
    data[length + 30] ^= 0xFF
    path.write_bytes(data)
    for index in tmp_path.glob("*.fa.gz.*"):
        os.utime(index, (2**31, 2**31))
    with Genome(path) as genome, pytest.raises(GenomeError, match="can't be read"):
        bases(genome, "x")


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(GenomeError, match=r"none\.fa: No such file"):
        Genome(tmp_path / "none.fa")
    with pytest.raises(GenomeError, match="Is a directory"):
        Genome(tmp_path)
