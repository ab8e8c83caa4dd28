"""What a release is made of: archives, manual pages, completion, versions, citation."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import click
import pytest
import yaml

from saresnet_cli import __version__
from saresnet_cli.completion import VARIABLE, answer
from saresnet_cli.main import COMMANDS, cli

Script = Callable[[str], ModuleType]
ROOT = Path(__file__).resolve().parent.parent
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def saresnet(*arguments: str, **environment: str) -> str:
    command = [sys.executable, "-m", "saresnet_cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | environment).stdout


# Archives


@pytest.fixture(scope="module")
def archives(script: Script, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An sdist of a copy of the project, and the wheel that was built from what is in it; of the models one."""
    source = tmp_path_factory.mktemp("source") / "saresnet"
    others = [path.name for path in (ROOT / "models").glob("*.onnx") if path.stem != "CTCF_GM12878"]
    ignored = shutil.ignore_patterns(
        "__pycache__", "*.egg-info", "build", "dist", ".?*_cache", ".git", ".venv*", "*.whl", *others
    )
    shutil.copytree(ROOT, source, ignore=ignored)
    out = tmp_path_factory.mktemp("out")

    def build(kind: str, folder: Path) -> Path:
        code = f"import sys; sys.path.insert(0, 'release'); import backend; print(backend.build_{kind}(sys.argv[1]))"
        command = [sys.executable, "-W", "ignore", "-c", code, str(out)]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return out / done.stdout.splitlines()[-1]

    sdist = build("sdist", source)
    make = script("release/make.py")
    make.normalize(sdist, 1_700_000_000)
    return sdist, build("wheel", make.unpack(sdist, tmp_path_factory.mktemp("unpacked")))


def test_the_sdist_holds_what_git_does(archives: tuple[Path, Path]) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    with tarfile.open(archives[0]) as tar:
        held = {name.partition("/")[2] for name in tar.getnames()}
    wanted = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    # the recipe holds the hash of the sdist, and benchmarks/ large results
    left = [name for name in wanted - held if not name.startswith(("recipe/", "benchmarks/"))]
    assert [name for name in left if not name.endswith(".onnx")] == []
    assert not {name for name in held if name.endswith((".pyc", ".fai", ".whl"))}


def test_an_sdist_is_the_same_bytes_whenever_it_is_made(
    script: Script, archives: tuple[Path, Path], tmp_path: Path
) -> None:
    make = script("release/make.py")
    with tarfile.open(archives[0]) as tar:
        members = tar.getmembers()
    assert [member.name for member in members] == sorted(member.name for member in members)
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members} == {(1_700_000_000, 0, 0, "", "")}
    again = tmp_path / archives[0].name
    shutil.copy(archives[0], again)
    make.normalize(again, 1_700_000_000)
    assert again.read_bytes() == archives[0].read_bytes()


def test_the_wheel_brings_manual_pages_and_licences(archives: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(archives[1]) as wheel:
        names = wheel.namelist()
        pages = {Path(name).name: wheel.read(name).decode() for name in names if "/share/man/man1/" in name}
    assert {"saresnet.1", "saresnet-models-fetch.1", *(f"saresnet-{name}.1" for name in COMMANDS)} <= set(pages)
    assert f'"saresnet {__version__}"' in pages["saresnet-scan.1"]
    assert {Path(name).name for name in names if "/licenses/" in name} == {"LICENSE", "NOTICE.md"}


def test_versions_that_differ_stop_a_release(script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = script("release/make.py")
    assert make.version() == __version__
    for name in ("setup.cfg", "saresnet_cli/__init__.py", "CITATION.cff", "CHANGELOG.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.setattr(make, "ROOT", tmp_path)
    assert make.version() == __version__
    (tmp_path / "CITATION.cff").write_text((ROOT / "CITATION.cff").read_text().replace(__version__, "9.9"))
    with pytest.raises(make.ReleaseError, match=r"CITATION.cff has version 9\.9, setup\.cfg has"):
        make.version()
    (tmp_path / "CITATION.cff").write_text("date-released: 2026-01-02\n")
    (tmp_path / "CHANGELOG.md").write_text("## [0.1.0] - unreleased\n")
    with pytest.raises(make.ReleaseError, match=r"unreleased in CHANGELOG\.md, 2026-01-02 in CITATION\.cff"):
        make.dated()
    (tmp_path / "CHANGELOG.md").write_text("## [0.1.0] - 2026-01-02\n")
    make.dated()


# Manual pages


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("man")
    (folder / "saresnet-gone.1").write_text("of an older version")
    subprocess.run([sys.executable, ROOT / "release/manual.py", folder], check=True, capture_output=True)
    return folder


def test_a_page_says_what_help_says(script: Script, manual: Path) -> None:
    assert not (manual / "saresnet-gone.1").exists()
    checked = 0
    for command, context in script("release/manual.py").commands(cli, click.Context(cli, info_name="saresnet")):
        page = (manual / f"{context.command_path.replace(' ', '-')}.1").read_text()
        plain = page.replace("\\-", "-")
        for parameter in command.get_params(context):
            for option in parameter.opts if isinstance(parameter, click.Option) and not parameter.hidden else ():
                assert option in plain
                checked += 1
        assert "\b" not in page
    assert checked > 100
    assert ".nf\nsaresnet scan " in (manual / "saresnet-scan.1").read_text().replace("\\-", "-")


@pytest.mark.skipif(shutil.which("man") is None, reason="needs man")
def test_man_reads_the_pages_without_a_warning(manual: Path) -> None:
    for page in (manual / "saresnet.1", manual / "saresnet-scan.1", manual / "saresnet-models-fetch.1"):
        done = subprocess.run(
            ["man", "--warnings", "-l", page],
            env=os.environ | {"MANWIDTH": "100", "LC_ALL": "C.UTF-8"},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stderr == ""
        assert "EXIT STATUS" in done.stdout
    if shutil.which("mandoc"):
        subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *manual.glob("*.1")], check=True)


# Completion


def completed(line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What bash is told about a command line that ends where the cursor is."""
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(line.count(" ")))
    assert answer(cli, "bash_complete") == 0
    return [item.removeprefix("plain,") for item in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("saresnet scan --tf CT", ["CTCF", "CTCFL"]),
        ("saresnet scan --tf ctcf,res", ["ctcf,REST"]),
        ("saresnet scan --tf CTCF --cell ", ["Dnd41", "GM12878"]),
        ("saresnet scan --cell K", ["K562"]),
        ("saresnet score --model ctcf_", ["CTCF_Dnd41", "CTCF_GM12878"]),
        ("saresnet scan --precision b", ["bfloat16"]),
        ("saresnet models f", ["fetch"]),
        ("saresnet variants --dev", ["--device"]),
        # what is no option is a file
        ("saresnet scan exam", ["file,exam"]),
        ("saresnet scan --model ./m", ["file,./m"]),
        ("saresnet scan --nonesuch", []),
    ],
)
def test_values_are_those_of_the_models_that_are_here(
    line: str, wanted: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert completed(line, monkeypatch, capsys) == wanted


def test_completion_without_models_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SARESNET_MODELS", "/nonexistent")
    assert completed("saresnet scan --tf C", monkeypatch, capsys) == ["file,C"]


def test_completion_imports_nothing_heavy() -> None:
    code = (
        "import sys; from saresnet_cli.main import main; code = main([]);"
        "print([m for m in ('numpy', 'torch', 'onnxruntime', 'pyfaidx') if m in sys.modules]); sys.exit(code)"
    )
    asked = os.environ | {VARIABLE: "bash_complete", "COMP_WORDS": "saresnet scan --tf CTC", "COMP_CWORD": "3"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=asked)
    assert done.stdout.splitlines() == ["plain,CTCF", "plain,CTCFL", "[]"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_with_the_script(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    (tmp_path / "completion").write_text(saresnet("completion", shell))
    ask = {
        "bash": "source ./completion; COMP_WORDS=(saresnet scan --tf CTCF --cell G); COMP_CWORD=5;"
        ' _saresnet_completion saresnet; echo "${COMPREPLY[@]}"',
        # zsh completes in its line editor only: the function is run on words of ours, and what it adds is caught
        "zsh": "compdef() { :; }; compadd() { print -l -- ${(P)${@[-1]}}; }; _describe() { :; };"
        " source ./completion; words=(saresnet scan --tf CTCF --cell G); CURRENT=6; _saresnet_completion",
        "fish": "source ./completion; complete -C 'saresnet scan --tf CTCF --cell G'",
    }[shell]
    done = subprocess.run(
        [shell, *(["--norc"] if shell == "bash" else ["-f"] if shell == "zsh" else ["--no-config"]), "-c", ask],
        cwd=tmp_path, env=os.environ | {"PATH": PATH, "HOME": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "GM12878" in done.stdout.split(), done.stderr
    assert "K562" not in done.stdout


# Versions and citation


def test_version_names_what_matters() -> None:
    lines = saresnet("--version").splitlines()
    assert lines[0] == f"saresnet {__version__}"
    told = dict(line.split(" ", 1) for line in lines)
    assert told["python"] == sys.version.split(" ")[0]
    assert set(told) >= {"numpy", "onnxruntime", "openvino", "pyfaidx", "pysam", "machine", "engine"}
    assert told["numpy"][0].isdigit()
    assert told["engine"].split(" ")[0] in ("openvino", "onnxruntime")


def test_the_citation_is_valid_and_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == __version__
    assert citation["preferred-citation"]["doi"] == "10.1093/bib/bbab101"
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    if shutil.which("cffconvert", path=PATH):
        subprocess.run(["cffconvert", "--validate", "-i", ROOT / "CITATION.cff"], check=True, env={"PATH": PATH})


def test_the_changelog_is_one() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## (.+)$", text, re.M)
    assert headings
    for heading in headings:
        assert re.fullmatch(r"\[(Unreleased|\d+\.\d+\.\d+)\]( - (\d{4}-\d\d-\d\d|unreleased))?", heading), heading
    kinds = set(re.findall(r"^### (.+)$", text, re.M))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


# Containers


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_container_installs_what_setup_cfg_asks_for(device: str, archives: tuple[Path, Path]) -> None:
    command = [sys.executable, ROOT / "containers/requirements.py", device]
    environment = os.environ | {"PYTHONPATH": str(archives[1])}  # where metadata is looked for first
    lines = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.splitlines()
    names = {re.split(r"[\[<>=]", line)[0] for line in lines}
    assert {"numpy", "click", "pyfaidx", "pybedtools", "pysam"} <= names
    assert not {"torch", "captum", "pytest"} & names
    assert ("onnxruntime-gpu" in names) <= (device == "cuda")
    assert "onnxruntime" in {name.removesuffix("-gpu") for name in names}


def test_both_containers_copy_what_a_build_needs() -> None:
    definition = (ROOT / "containers/saresnet.def").read_text()
    kept = (ROOT / "containers/Dockerfile.dockerignore").read_text().splitlines()
    for name in (
        "setup.cfg",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "CITATION.cff",
        "saresnet_cli",
        "train",
        "export",
    ):
        assert f"    {name} /source/{name}\n" in definition
        assert f"!{name}" in kept
