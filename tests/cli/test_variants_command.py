"""`saresnet variants`: VCF in, VCF out, as a process."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from saresnet_cli.commands.variants import output_kind
from saresnet_cli.runtime import Runtime
from saresnet_cli.variants import Variant, score_variants

pysam = pytest.importorskip("pysam")

ROOT = Path(__file__).resolve().parent.parent.parent
HOWTO = ROOT / "docs" / "howto"
LIGHT = ("--engine", "onnxruntime", "--device", "cpu", "--threads", "1")
Command = Callable[..., subprocess.CompletedProcess[str]]

HEADER = """##fileformat=VCFv4.2
##contig=<ID=chr1,length=3000>
##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tone\ttwo
"""


@pytest.fixture
def vcf(tmp_path: Path, sequences: dict[str, str], genome: Path) -> Path:
    """A VCF on the genome in the test's folder, with one of everything."""
    text = sequences["chr1"]
    other = {position: "A" if text[position - 1] != "A" else "C" for position in (501, 601, 701)}
    lines = [
        f"chr1\t501\trs1\t{text[500]}\t{other[501]}\t29.5\tPASS\tDP=7\tGT:PL\t0|1:1,2,3\t./.:.",
        f"chr1\t601\t.\t{text[600]}\t{other[601]},*,<DEL>\t.\t.\t.\tGT\t1/2\t0/0",
        f"chr1\t601\trs1;rs2\t{text[600:604]}\t{text[600]}\t10\tPASS\tDP=3\tGT\t0/1\t0/1",
        f"chr1\t301\t.\t{text[300]}\t.\t.\t.\tDP=1\tGT\t0/0\t0/0",
        f"chr1\t701\t.\t{other[701]}\t{text[700]}\t.\tPASS\tDP=2\tGT\t0/1\t1/1",
    ]
    path = tmp_path / "in.vcf"
    path.write_text(HEADER + "\n".join(lines) + "\n")
    return path


def without_ours(text: str) -> str:
    """A VCF without what saresnet adds."""
    lines = []
    for line in text.splitlines():
        if line.startswith(("##saresnet_variants=", "##INFO=<ID=SAR_", "##INFO=<ID=END", "##FILTER=<ID=PASS")):
            continue
        if not line.startswith("#"):
            columns = line.split("\t")
            info = [field for field in columns[7].split(";") if not field.startswith("SAR_")]
            columns[7] = ";".join(info) or "."
            line = "\t".join(columns)
        lines.append(line)
    return "\n".join(lines) + "\n"


def info(line: str) -> dict[str, str]:
    return dict(field.split("=") for field in line.split("\t")[7].split(";") if "=" in field)


def records(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_records_go_through_with_what_is_added(saresnet: Command, vcf: Path, model: Path) -> None:
    done = saresnet("variants", vcf, "genome.fa", "--model", model, *LIGHT)
    assert done.returncode == 0
    assert without_ours(done.stdout) == vcf.read_text()
    first, second, third, fourth, fifth = records(done.stdout)
    delta = "SAR_DELTA_TOY_CELL"
    assert list(info(first)) == [
        "DP",
        *(f"SAR_{key}_TOY_CELL" for key in ("REF", "ALT", "DELTA", "GAIN", "GAINPOS", "LOSS", "LOSSPOS")),
    ]
    change = Variant("chr1", 500, first.split("\t")[3], (first.split("\t")[4],))
    runtime = Runtime(engine="onnxruntime", device="cpu", threads=1)
    [block] = score_variants(model, [change], vcf.parent / "genome.fa", runtime=runtime)
    assert float(info(first)[delta]) == pytest.approx(block.delta.item(), abs=1e-4)
    assert int(info(first)["SAR_LOSSPOS_TOY_CELL"]) == block.loss_start.item()
    assert info(second)[delta].split(",")[1:] == [".", "."]
    assert info(second)["SAR_SKIPPED"] == ".,STAR,SYMBOLIC"
    assert delta in info(third)
    assert "SAR" not in fourth
    assert info(fifth) == {"DP": "2", "SAR_SKIPPED": "REF_MISMATCH"}
    assert "5 records, 6 alternate alleles, 3 scored, skipped: 1 NO_ALT" in done.stderr
    assert "1 REF_MISMATCH (alleles whose REF differs from the genome)" in done.stderr
    [provenance] = [line for line in done.stdout.splitlines() if line.startswith("##saresnet_variants")]
    assert "model=TOY_CELL sha256=" in provenance
    assert "engine=onnxruntime precision=float32 windows=covering max_n=0.1" in provenance


def test_vcf_is_written_as_asked_and_read_from_anything(
    saresnet: Command, vcf: Path, model: Path, tmp_path: Path
) -> None:
    run = ("genome.fa", "--model", model, *LIGHT, "-q")
    text = saresnet("variants", vcf, *run).stdout
    for name in ("a.vcf.gz", "a.bcf", "a.tsv.gz"):
        done = saresnet("variants", vcf, *run, "-o", name)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert gzip.decompress((tmp_path / "a.vcf.gz").read_bytes()).decode() == text
    table = gzip.decompress((tmp_path / "a.tsv.gz").read_bytes()).decode()
    assert table.splitlines()[1].split("\t")[:3] == ["chrom", "pos", "id"]
    with pysam.VariantFile(str(tmp_path / "a.bcf")) as file:
        assert file.format == "BCF"
        # pysam gives END to symbolic alleles
        assert [str(record).replace(";END=601", "") for record in file] == [f"{line}\n" for line in records(text)]
    (tmp_path / "in.vcf.gz").write_bytes(gzip.compress(vcf.read_bytes()))
    pysam.tabix_compress(str(vcf), str(tmp_path / "in.bgz"))
    assert saresnet("variants", "in.vcf.gz", *run).stdout == text
    with (tmp_path / "in.bgz").open("rb") as file:
        assert saresnet("variants", "-", *run, stdin=file).stdout == text
    assert saresnet("variants", *run, input=vcf.read_text()).stdout == text
    assert records(saresnet("variants", "a.bcf", *run).stdout.replace(";END=601", "")) == records(text)


@pytest.mark.parametrize(
    ("kind", "format", "compression"), [("z", "VCF", "BGZF"), ("b", "BCF", "BGZF"), ("u", "BCF", "")]
)
def test_standard_output_takes_every_kind(
    vcf: Path, model: Path, tmp_path: Path, kind: str, format: str, compression: str
) -> None:
    command = [sys.executable, "-W", "error", "-m", "saresnet_cli", "variants", "in.vcf", "genome.fa"]
    with (tmp_path / "out").open("wb") as out:
        subprocess.run(
            [*command, "--model", str(model), *LIGHT, "-O", kind, "-q"], stdout=out, cwd=tmp_path, check=True
        )
    with pysam.VariantFile(str(tmp_path / "out")) as file:
        assert file.format == format
        assert compression in file.compression
        assert [record.pos for record in file] == [501, 601, 601, 301, 701]


def test_a_table_has_a_row_an_allele_and_model(saresnet: Command, vcf: Path) -> None:
    done = saresnet("variants", vcf, "genome.fa", "--tf", "CTCF,MAX", "--cell", "GM12878,K562", "-O", "t", *LIGHT)
    lines = done.stdout.splitlines()
    assert [line.split()[3] for line in lines[:3]] == ["model=CTCF_GM12878", "model=CTCF_K562", "model=MAX_K562"]
    columns = lines[3].split("\t")
    rows = [dict(zip(columns, line.split("\t"), strict=True)) for line in lines[4:]]
    assert [row["model"] for row in rows] == ["CTCF_GM12878", "CTCF_K562", "MAX_K562"] * 7
    assert [row["pos"] for row in rows[::3]] == ["501", "601", "601", "601", "601", "301", "701"]
    assert [row["skipped"] for row in rows[::3]] == [".", ".", "STAR", "SYMBOLIC", ".", "NO_ALT", "REF_MISMATCH"]
    assert rows[6]["delta"] == rows[6]["gain_start"] == "NA"
    scored = rows[0]
    assert float(scored["alt_logit"]) - float(scored["ref_logit"]) == pytest.approx(float(scored["delta"]), abs=2e-4)
    assert (scored["windows"], scored["partial"], scored["id"]) == ("202", ".", "rs1")


def test_several_models_and_a_second_run(saresnet: Command, vcf: Path, tmp_path: Path) -> None:
    """Models have fields of their own, with letters that a key may hold; a run replaces its own fields, no others."""
    run = ("genome.fa", *LIGHT, "-q", "--tf")
    both = saresnet("variants", vcf, *run, "REST,MAX", "-o", "both.vcf")
    assert both.returncode == 0
    text = (tmp_path / "both.vcf").read_text()
    assert without_ours(text) == vcf.read_text()
    assert {"SAR_DELTA_REST_H1_hESC", "SAR_DELTA_MAX_K562"} < set(info(records(text)[0]))
    assert saresnet("variants", "both.vcf", *run, "REST,MAX").stdout == text
    one = saresnet("variants", vcf, *run, "REST").stdout
    two = saresnet("variants", *run, "MAX", input=one).stdout
    assert [info(line) for line in records(two)] == [info(line) for line in records(text)]
    stale = text.replace("Number=A,Type=Float", "Number=1,Type=Float")
    stale = stale.replace("SAR_SKIPPED=REF_MISMATCH", "SAR_DELTA_MAX_K562=5;SAR_SKIPPED=STAR")
    renewed = saresnet("variants", *run, "REST,MAX", input=stale).stdout
    assert records(renewed) == records(text)
    assert sorted(renewed.splitlines()) == sorted(text.splitlines())


def test_a_vcf_with_a_lean_header_goes_through(saresnet: Command, vcf: Path, model: Path, tmp_path: Path) -> None:
    lean = "".join(line for line in vcf.read_text().splitlines(True) if not line.startswith(("##c", "##I", "##FOR")))
    done = saresnet("variants", "genome.fa", "--model", model, *LIGHT, input=lean)
    assert done.returncode == 0
    assert without_ours(done.stdout) == lean
    done = saresnet("variants", "genome.fa", "--model", model, *LIGHT, "-o", "a.bcf", input=lean)
    assert "a.bcf: BCF can't hold the record at chr1:501: the header of the input lacks" in complaint(done)
    assert not list(tmp_path.glob("*.bcf*"))


def test_bcf_says_what_it_leaves_out(saresnet: Command, genome: Path, model: Path, sequences: dict[str, str]) -> None:
    text = sequences["chr1"]
    head = HEADER.replace("#CHROM", '##INFO=<ID=END,Number=1,Type=Integer,Description="End">\n#CHROM')
    head = head.replace("\tFORMAT\tone\ttwo", "")
    deletion = f"chr1\t601\t.\t{text[600:604]}\t{text[600]}\t.\t.\tEND=604"
    symbolic = f"chr1\t701\t.\t{text[700]}\t<DEL>\t.\t.\tEND=800"
    done = saresnet(
        "variants", "-", "genome.fa", "--model", model, *LIGHT, "-o", "a.bcf", input=f"{head}{deletion}\n{symbolic}\n"
    )
    assert done.returncode == 0, done.stderr
    assert "END is left out of 1 records, where it is what REF says" in done.stderr
    with pysam.VariantFile(str(genome.parent / "a.bcf")) as file:
        assert [record.stop for record in file] == [604, 800]


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("saresnet: error: ")]
    assert errors == done.stderr.splitlines()[-1:]
    return errors[0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "bad: is no VCF or BCF with a header, or is cut short; give the variants first"),
        (b">chr1\nACGT\n", "bad: is no VCF or BCF with a header"),
        (b"chr1\t7\t.\tA\tC\t.\t.\t.\n", "bad: is no VCF or BCF with a header"),
        (HEADER.encode() + b"chr1\t7\t.\tA\tC\t.\t.\t.\tGT\t0/1\t0/1\nchr1\tx\t.\tA\tC\n", "bad:8: is no VCF record"),
        (HEADER.encode() + b"chr1\t7\t.\tA\tC\n", "bad:7: is no VCF record"),
    ],
)
def test_a_file_that_is_no_vcf(
    saresnet: Command, genome: Path, model: Path, tmp_path: Path, data: bytes, message: str
) -> None:
    (tmp_path / "bad").write_bytes(data)
    done = saresnet("variants", "bad", "genome.fa", "--model", model, *LIGHT, "-o", "out.vcf")
    assert message in complaint(done)
    assert not (tmp_path / "out.vcf").exists()
    with (tmp_path / "bad").open("rb") as file:
        done = saresnet("variants", "genome.fa", "--model", model, *LIGHT, stdin=file)
    assert "standard input: " in complaint(done)


def test_a_file_that_is_cut_short(saresnet: Command, vcf: Path, model: Path, tmp_path: Path) -> None:
    run = ("genome.fa", "--model", model, *LIGHT)
    many = vcf.read_text() + "".join(
        f"chr1\t{i + 1}\tx{i * 7919 % 10007}\tA\t<DEL>\t.\t.\tDP={i}\tGT\t.\t.\n" for i in range(20_000)
    )
    (tmp_path / "many.vcf").write_text(many)
    pysam.tabix_compress(str(tmp_path / "many.vcf"), str(tmp_path / "many.vcf.gz"))
    data = (tmp_path / "many.vcf.gz").read_bytes()
    (tmp_path / "cut.vcf.gz").write_bytes(data[:-28])  # without the block that ends it
    assert "cut.vcf.gz: is cut short; copy it again" in complaint(saresnet("variants", "cut.vcf.gz", *run))
    packed = gzip.compress(many.encode())
    (tmp_path / "cut.vcf.gz").write_bytes(packed[: len(packed) // 2])
    assert "or the file is cut short" in complaint(saresnet("variants", "cut.vcf.gz", *run))


@pytest.mark.parametrize("kind", ["v", "z", "b"])
def test_a_file_of_variants_may_be_written_in_place(
    saresnet: Command, vcf: Path, model: Path, tmp_path: Path, kind: str
) -> None:
    """The result takes the name when all was read: more records than are read ahead, and than a buffer holds."""
    head, *lines = vcf.read_text().partition("chr1\t501")
    (tmp_path / "plain.vcf").write_text(head + "".join(lines) * 1500)
    run = ("genome.fa", "--model", model, *LIGHT)
    path = tmp_path / {"v": "plain.vcf", "z": "packed.vcf.gz", "b": "made.bcf"}[kind]
    if kind == "z":
        pysam.tabix_compress(str(tmp_path / "plain.vcf"), str(path))
    elif kind == "b":
        assert saresnet("variants", "plain.vcf", *run, "-o", path).returncode == 0
    beside = saresnet("variants", path, *run, "-o", f"beside{''.join(path.suffixes)}")
    done = saresnet("variants", path, *run, "-o", path)
    assert (beside.returncode, done.returncode) == (0, 0), done.stderr
    assert path.read_bytes() == (tmp_path / f"beside{''.join(path.suffixes)}").read_bytes()
    with pysam.VariantFile(str(path)) as file:
        assert sum(1 for _ in file) == 7500


def test_mistakes_of_the_caller(saresnet: Command, vcf: Path, model: Path) -> None:
    run = ("--model", model, *LIGHT)
    assert "none.vcf: No such file" in complaint(saresnet("variants", "none.vcf", "genome.fa", *run))
    assert "none.fa: No such file" in complaint(saresnet("variants", vcf, "none.fa", *run))
    assert "genome.fa: is no VCF or BCF" in complaint(saresnet("variants", "genome.fa", vcf, *run))
    assert "no/a.bcf: can't be written" in complaint(saresnet("variants", vcf, "genome.fa", *run, "-o", "no/a.bcf"))
    done = saresnet("variants", "a", "b", "c", *run)
    assert (done.returncode, "3 files, where there are IN.vcf and GENOME.fa" in done.stderr) == (2, True)
    done = saresnet("variants", vcf, "genome.fa", "-O", "b", "-o", "a.vcf.gz", *run)
    assert (done.returncode, "-O b does not fit the name a.vcf.gz" in done.stderr) == (2, True)


@pytest.mark.parametrize(
    ("kind", "output", "chosen"),
    [
        (None, None, "v"),
        ("b", None, "b"),
        (None, "a.vcf", "v"),
        (None, "x.y/a.b.vcf.gz", "z"),
        (None, "a.bgz", "z"),
        (None, "a.bcf", "b"),
        ("u", "a.bcf", "u"),
        (None, "a.tsv", "t"),
        (None, "a.tsv.gz", "t"),
        (None, "/dev/stdout", "v"),
        ("v", "a.vcf.gz", None),
        ("z", "a.vcf", None),
        (None, "a.bcf.gz", None),
    ],
)
def test_what_is_written_goes_by_name_or_by_letter(kind: str | None, output: str | None, chosen: str | None) -> None:
    if chosen is not None:
        assert output_kind(kind, output) == chosen
        return
    with pytest.raises(click.UsageError, match="does not fit the name"):
        output_kind(kind, output)


def test_a_full_disk_and_a_closed_pipe(vcf: Path, model: Path, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    command = (
        f"{sys.executable} -W error -m saresnet_cli variants in.vcf genome.fa --model {model} {' '.join(LIGHT)} -q"
    )
    for kind in "vzbut":
        done = subprocess.run(
            f"{command} -O {kind} > /dev/full", shell=True, capture_output=True, text=True, cwd=tmp_path
        )
        assert "standard output" in complaint(done), kind
    done = subprocess.run(f"{command} -O b | true", shell=True, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_another_genome_is_suspected(saresnet: Command, genome: Path, model: Path, sequences: dict[str, str]) -> None:
    text = sequences["chr1"]
    wrong = [f"chr1\t{i}\t.\t{'A' if text[i - 1] != 'A' else 'C'}\tG\t.\t.\t.\tGT\t.\t.\n" for i in range(1, 40)]
    done = saresnet("variants", "genome.fa", "--model", model, *LIGHT, input=HEADER + "".join(wrong))
    assert done.returncode == 0
    assert "REF of 39 of 39 alleles differs from genome.fa: is it the genome" in done.stderr
    named = HEADER.replace("chr1", "chr7") + "chr7\t5\t.\tA\tG\t.\t.\t.\tGT\t.\t.\n"
    done = saresnet("variants", "genome.fa", "--model", model, *LIGHT, "-o", "a.vcf", input=named)
    assert "standard input: the genome has none of its sequences (chr7); give the genome" in complaint(done)
    bridged = HEADER.replace("chr1", "1") + f"1\t5\t.\t{text[4]}\tGT\t.\t.\t.\tGT\t.\t.\n"
    done = saresnet("variants", "genome.fa", "--model", model, *LIGHT, input=bridged)
    assert "genome.fa calls 1 chr1" in done.stderr
    assert records(done.stdout)[0].startswith("1\t5\t")
    assert "SAR_DELTA" in records(done.stdout)[0]


def test_the_example(saresnet: Command, tmp_path: Path, example_genome: Path) -> None:
    shutil.copy(example_genome, tmp_path / "genome.fa")
    example = ROOT / "examples" / "variants.vcf"
    model = ROOT / "models" / "CTCF_GM12878.onnx"
    done = saresnet("variants", example, "genome.fa", "--model", model, "--windows", "centered", *LIGHT)
    assert without_ours(done.stdout) == without_ours(example.read_text())
    delta = {line.split("\t")[2]: info(line).get("SAR_DELTA_CTCF_GM12878") for line in records(done.stdout)}
    assert float(str(delta["lost_too"])) < -10
    assert float(str(delta["stronger"])) > 8
    assert abs(float(str(delta["near_end"]))) < 0.5
    assert delta["symbolic"] is delta["other_ref"] is None


def test_the_allelic_sites_are_reported_as_measured() -> None:
    measured = json.loads((HOWTO / "variants_allelic.json").read_text())
    page = (HOWTO / "variants.md").read_text()
    best = measured["methods"]["CTCF_GM12878, covering"]["0.1"]
    assert best["right"] + best["wrong"] + best["negligible"] == measured["sites"] == 198
    assert best["right"] >= 0.85 * (best["right"] + best["wrong"])
    for thresholds in measured["methods"].values():
        for counts in thresholds.values():
            assert counts["share_right"] == pytest.approx(
                counts["right"] / (counts["right"] + counts["wrong"]), abs=5e-4
            )
    over, anywhere = measured["pwm"]
    for name, method in (
        ("CTCF_GM12878", "CTCF_GM12878, covering"),
        ("CTCF_GM12878, `--windows centered`", "CTCF_GM12878, centered"),
        ("matrix, best hit over the site", over),
        ("matrix, best hit in the 100 bp", anywhere),
    ):
        every = measured["pwm"][method] if method in measured["pwm"] else measured["methods"][method]["0"]
        most, fewer = (_largest(part[method]) for part in measured["largest_differences"].values())
        if method == anywhere:  # it tells no 161 sites apart
            most = ""
        assert f"| {name} | {_counted(every)} | {most}{' ' * bool(most)}| {fewer} |\n" in page
    assert list(measured["largest_differences"]) == [str(best["right"] + best["wrong"]), "117"]
    model, matrix, p = measured["only_one_is_right"].values()
    assert (
        f"alone right at {model} and the matrix alone at {matrix}, which may be chance (sign test, p = {p:.2f})" in page
    )
    assert p > 0.05
    names = ("CTCF_GM12878", "CTCF_GM12878 and CTCF_Dnd41", "any of the 194 sets")
    unseen = measured["sites_of_no_training_window"]
    for name, part in zip(names, unseen.values(), strict=True):
        scored = part["CTCF_GM12878, covering"]
        called = _counted({**scored["0.1"], "negligible": 0})
        assert f"| {name} | {part['sites']} | {called} | {_counted(scored['0'])} | {_counted(part[over])} |\n" in page
    # what the page says of sites that were never seen
    for threshold in ("0", "0.1"):
        new, old = unseen["all"]["CTCF_GM12878, covering"], measured["methods"]["CTCF_GM12878, covering"]
        assert new[threshold]["share_right"] >= old[threshold]["share_right"]


def _counted(counts: dict[str, float]) -> str:
    tied = f", {counts['negligible']} tied" if counts["negligible"] else ""
    share = counts["right"] / (counts["right"] + counts["wrong"])
    return f"{counts['right']} right, {counts['wrong']} wrong{tied}: {100 * share:.1f} %"


def _largest(counts: dict[str, int]) -> str:
    ends = sorted({counts["right_at_least"], counts["right_at_most"]})
    shares = "–".join(f"{100 * end / counts['sites']:.1f}" for end in ends)
    return f"{'–'.join(map(str, ends))} right: {shares} %"


def test_the_rates_are_reported_as_measured() -> None:
    measured = json.loads((HOWTO / "variants_rate.json").read_text())
    rows = [
        line.split(" | ")
        for line in (HOWTO / "variants.md").read_text().splitlines()
        if "190 b" in line or "three a" in line
    ]
    names = ["covering, sparse", "covering, dense", "centered, sparse", "centered, dense"]
    for name, (_, together, *times) in zip(names, rows[-4:], strict=True):
        part = measured[name]
        assert together == f"{part['rates']['together, the model open']['per_processor_second']:.0f}"
        wanted = [ratio["per_processor_second"] for ratio in part["times_as_fast_together_as"].values()]
        assert [time.rstrip(" |") for time in times] == [f"{v:.1f}" if v < 10 else f"{v:.0f}" for v in wanted]
