"""What a model may be called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from saresnet_cli.errors import ModelError
from saresnet_cli.naming import check_name, fault_of

REGISTRY = Path(__file__).resolve().parent.parent.parent / "models" / "registry.json"


def test_every_shipped_model_may_be_called_as_it_is() -> None:
    models = json.loads(REGISTRY.read_text())["models"]
    names = {model[key] for model in models for key in ("id", "tf", "cell")}
    assert len(models) > 190
    assert not [name for name in names if fault_of(name)]
    for name in ("H1-hESC", "NF-kB(p65)", "CD4+", "a.b", "β-catenin"):
        check_name("tf", name)


@pytest.mark.parametrize(
    ("name", "better"),
    [("My TF", "My_TF"), ("a/b", "a_b"), ("../x", ".._x"), ("x\ty\n", "x_y"), ("\u00a0x", "x"), ("a\u2028b", "a_b"),
     ("\x1b", "My_TF"), (" ", "My_TF"), ("", "My_TF")],
)  # fmt: skip
def test_what_breaks_a_header_or_a_file_name_is_refused_with_a_cure(name: str, better: str) -> None:
    with pytest.raises(ModelError, match=f"; --cell {better}$") as caught:
        check_name("cell", name)
    assert "\n" not in str(caught.value)
    check_name("cell", better)
