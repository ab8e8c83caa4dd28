"""BED and narrowPeak: what is read, what is skipped, and what is refused with its line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from saresnet_cli.errors import RegionError
from saresnet_cli.regions import Region, read_regions


def read(path: Path, data: bytes) -> list[Region]:
    path.write_bytes(data)
    return list(read_regions(path))


def test_columns_from_bed3_to_bed12(tmp_path: Path) -> None:
    data = (
        b"chr1\t0\t10\nchr1\t5\t15\tpeak\nchr1\t5\t15\tpeak\t0\t+\nchr1\t5\t15\tpeak\t0\t+\t5\t15\t0,0,0\t2\t3,3\t0,7\n"
    )
    assert read(tmp_path / "a.bed", data) == [
        Region("chr1", 0, 10, ".", None, 1),
        Region("chr1", 5, 15, "peak", None, 2),
        Region("chr1", 5, 15, "peak", None, 3),
        Region("chr1", 5, 15, "peak", None, 4),
    ]


def test_narrowpeak_has_an_absolute_summit_or_none(tmp_path: Path) -> None:
    row = b"chr1\t100\t200\tp\t0\t.\t1\t1\t1\t%d\n"
    assert [r.summit for r in read(tmp_path / "a.narrowPeak", row % 0 + row % 99 + row % 100 + row % -1)] == [
        100,
        199,
        199,
        None,
    ]


@pytest.mark.parametrize("last", [b"20", b"2000", b"peakB"])
def test_what_bedtools_puts_side_by_side_is_no_narrowpeak(tmp_path: Path, last: bytes) -> None:
    (region,) = read(tmp_path / "a.bed", b"chr1\t100\t200\tp\t0\t.\tchr1\t150\t300\t" + last + b"\n")
    assert region.summit is None


def test_sequences_called_by_numbers_make_no_narrowpeak_of_an_intersection(tmp_path: Path) -> None:
    beside = b"20\t14540\t14891\tp1\t0\t.\t20\t14600\t14700\t100\n"
    peaks = b"20\t100\t200\tp\t0\t.\t20\t5\t3\t30\n20\t100\t200\tp\t0\t.\t20\t-1\t3\t30\n"
    other = b"20\t100\t200\tp\t0\t.\t21\t150\t300\t30\n"  # no intersection: it is on one sequence
    found = read(tmp_path / "a.bed", beside + peaks + other)
    assert [region.summit for region in found] == [None, 130, 130, 130]


def test_summits_that_are_not_asked_for_are_not_judged(tmp_path: Path) -> None:
    (tmp_path / "a.bed").write_bytes(b"chr1\t100\t200\tp\t0\t.\t1\t1\t1\t101\n")
    (region,) = read_regions(tmp_path / "a.bed", summits=False)
    assert region.summit is None


def test_comments_blank_lines_and_windows_ends_are_skipped_and_counted(tmp_path: Path) -> None:
    data = (
        b"# made by hand\r\n\r\ntrack name=x\r\nbrowser position chr1\r\n  \r\ntracker\t1\t2\r\nchr1 3   4 spaced\r\n"
    )
    assert read(tmp_path / "a.bed", data) == [
        Region("tracker", 1, 2, ".", None, 6),
        Region("chr1", 3, 4, "spaced", None, 7),
    ]


def test_the_last_line_may_lack_its_end(tmp_path: Path) -> None:
    assert read(tmp_path / "a.bed", b"chr1\t1\t2") == [Region("chr1", 1, 2, ".", None, 1)]


def test_gzip_is_known_by_content(tmp_path: Path) -> None:
    assert read(tmp_path / "named.bed", gzip.compress(b"chr1\t1\t2\n")) == [Region("chr1", 1, 2, ".", None, 1)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"chr1\t10", "2 columns"),
        (b"chr1", "1 column where"),
        (b"chr1\tten\t20", "start 'ten' and end '20' are not both whole numbers"),
        (b"chr1\t10\t20.5", "'20.5'"),
        (b"chr1\t-1\t20", "'-1'"),
        (b"chr1\t1_0\t20", "'1_0'"),
        (b"chr1\t20\t10", "start 20 is greater than end 10"),
        (b"chr1\t20\t20", "start 20 is equal to end 20"),
        (b"\t10\t20", "no chromosome"),
        (b"chr1\t100\t200\tp\t0\t.\t1\t1\t1\t101", "summit 101 is outside the 100 bp"),
        (b"chr1\t100\t200\tp\t0\t.\t1\t1\t1\tx", "summit 'x'"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: bytes, message: str) -> None:
    path = tmp_path / "bad.bed"
    with pytest.raises(RegionError) as caught:
        read(path, b"#\nchr1\t1\t2\n" + line + b"\n")
    assert str(caught.value).startswith(f"{path}:3: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damaged_gzip_is_an_error_not_an_end(tmp_path: Path) -> None:
    data = gzip.compress(b"".join(b"chr1\t%d\t%d\n" % (i, i + 7) for i in range(5000)))
    with pytest.raises(RegionError, match=r"a\.bed\.gz: its compressed data is damaged"):
        read(tmp_path / "a.bed.gz", data[: len(data) // 2])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RegionError, match=r"none\.bed: No such file"):
        list(read_regions(tmp_path / "none.bed"))
