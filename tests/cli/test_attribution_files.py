"""What explanations are written as: TF-MoDISco's files, a table, pictures."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from saresnet_cli.errors import OutputError, SaresnetError
from saresnet_cli.explaining import Explanations, explain
from saresnet_cli.explaining.attribution_files import ModiscoFiles, table_lines
from saresnet_cli.explaining.logo import ROWS, LogoFiles
from saresnet_cli.regions import read_regions
from saresnet_cli.runtime import Runtime

CPU = Runtime(engine="onnxruntime", device="cpu", threads=1)
CTCF = "CTCF_GM12878"


def letters(windows: np.ndarray) -> list[str]:
    return [window.tobytes().decode() for window in windows]


@pytest.fixture(scope="module")
def peaks_explained(example_genome: Path, example_peaks: Path) -> Explanations:
    """Three real peaks."""
    with explain(CTCF, example_genome, list(read_regions(example_peaks))[:3], runtime=CPU) as run:
        (found,) = run
    return found


def test_npz_is_what_modisco_reads(peaks_explained: Explanations, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        with ModiscoFiles(tmp_path / folder / "x.npz") as files:
            for row in peaks_explained.rows():
                files.add(row)
        assert sorted(path.name for path in (tmp_path / folder).iterdir()) == ["x.ohe.npz", "x.shap.npz"]
    sequences, contributions = np.load(files.sequences), np.load(files.contributions)
    assert sequences["arr_0"].shape == contributions["arr_0"].shape == (3, 4, 101)
    assert sequences["arr_0"].dtype == np.uint8 and contributions["arr_0"].dtype == np.float32
    assert (sequences["arr_0"].sum(axis=1) == 1).all()
    text = ["".join("ACGT"[i] for i in window.argmax(axis=0)) for window in sequences["arr_0"]]
    assert text == letters(peaks_explained.bases)
    product = (sequences["arr_0"] * contributions["arr_0"]).sum(axis=1)
    np.testing.assert_allclose(product, peaks_explained.attribution, rtol=1e-6)
    np.testing.assert_array_equal(contributions["arr_0"], peaks_explained.contribution.transpose(0, 2, 1))
    assert sequences["name"].tolist() == ["CTCF_peak_1", "CTCF_peak_2", "CTCF_peak_3"]
    assert (sequences["end"] - sequences["start"] == 101).all()
    assert set(sequences["model"]) == {CTCF}
    np.testing.assert_array_equal(contributions["logit"], peaks_explained.logit)
    for name in ("x.ohe.npz", "x.shap.npz"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_npz_files_appear_whole_or_not_at_all(peaks_explained: Explanations, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), ModiscoFiles(tmp_path / "x.npz") as files:
        files.add(peaks_explained)
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OutputError, match="its folder does not exist"):
        ModiscoFiles(tmp_path / "none" / "x.npz")


def test_npz_of_nothing_is_empty(tmp_path: Path) -> None:
    with ModiscoFiles(tmp_path / "x.npz") as files:
        pass
    assert np.load(files.sequences)["arr_0"].shape == (0, 4, 101)


def test_the_table_has_a_row_a_base(peaks_explained: Explanations) -> None:
    rows = [line.split("\t") for line in table_lines(peaks_explained).decode().splitlines()]
    assert len(rows) == 303
    first = peaks_explained.start[0]
    assert rows[0][:3] == ["chr20_part", str(first), str(first + 1)]
    assert "".join(row[3] for row in rows[:101]) == letters(peaks_explained.bases)[0]
    assert rows[0][9:12] == ["CTCF_peak_1", CTCF, str(first)]
    np.testing.assert_allclose(
        [[float(value) for value in row[5:9]] for row in rows], peaks_explained.effect.reshape(-1, 4), atol=5.1e-5
    )
    np.testing.assert_allclose([float(row[4]) for row in rows], peaks_explained.attribution.ravel(), atol=5.1e-5)


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_a_picture_is_the_same_each_time(peaks_explained: Explanations, tmp_path: Path, kind: str) -> None:
    pytest.importorskip("logomaker")
    for name in "ab":
        pictures = LogoFiles(str(tmp_path / f"{name}.{kind}"))
        pictures.add(next(peaks_explained.rows()))
        pictures.close()
    data = (tmp_path / f"a.{kind}").read_bytes()
    assert data == (tmp_path / f"b.{kind}").read_bytes()
    assert data.startswith(b"\x89PNG" if kind == "png" else b"<?xml")


def test_pictures_by_name(peaks_explained: Explanations, tmp_path: Path) -> None:
    pytest.importorskip("logomaker")
    pictures = LogoFiles(str(tmp_path / "{name}.{start}.svg"))
    pictures.add(peaks_explained)
    pictures.close()
    wanted = [f"{n}.{s}.svg" for n, s in zip(peaks_explained.name, peaks_explained.start, strict=True)]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(wanted)
    pictures = LogoFiles(str(tmp_path / "{model}.svg"))
    with pytest.raises(OutputError, match=r"two pictures have this name; put \{start\}"):
        pictures.add(peaks_explained)


def test_too_many_for_a_picture_is_said_before_all_are_computed(peaks_explained: Explanations, tmp_path: Path) -> None:
    pytest.importorskip("logomaker")
    pictures = LogoFiles(str(tmp_path / "x.png"))
    for _ in range(ROWS // 3):
        pictures.add(peaks_explained)
    with pytest.raises(OutputError, match="more than 12 explanations do not fit in one picture; give fewer, or"):
        pictures.add(peaks_explained)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [("x.pdf", "is PNG or SVG"), ("{peak}.png", "there is no field {peak}; use {chrom}"), ("{.png", "braces")],
)
def test_a_wrong_name_of_a_picture_is_said_at_once(name: str, message: str) -> None:
    pytest.importorskip("logomaker")
    with pytest.raises(OutputError, match=message):
        LogoFiles(name)


@pytest.mark.parametrize("library", ["matplotlib", "logomaker"])
def test_a_picture_without_its_library_says_what_to_install(
    library: str, peaks_explained: Explanations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if library == "logomaker":
        pytest.importorskip("matplotlib")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(
        SaresnetError, match=rf"needs {library}, which is not installed; pip install 'saresnet\[plot\]'"
    ):
        LogoFiles(str(tmp_path / "x.png"))
