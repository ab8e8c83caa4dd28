"""Makes a page of each notebook, from the outputs that are stored in it: nothing is run."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a Markdown page a notebook, and its pictures beside it."""
    for file in [file for file in files if file.src_uri.endswith(".ipynb")]:
        notebook = json.loads(Path(str(file.abs_src_path)).read_text(encoding="utf-8"))
        stem = file.src_uri.removesuffix(".ipynb")
        pictures: dict[str, bytes] = {}
        parts = [_cell(cell, Path(stem).name, pictures) for cell in notebook["cells"]]
        parts.append(f"[The notebook itself]({Path(file.src_uri).name}), to run and to change.")
        files.append(File.generated(config, f"{stem}.md", content="\n\n".join(parts)))
        for name, content in pictures.items():
            files.append(File.generated(config, f"{Path(stem).parent.as_posix()}/{name}", content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links to a notebook at its page."""
    return markdown if page.file.generated_by else re.sub(r"(\]\([^)\s:]+)\.ipynb\)", r"\1.md)", markdown)


def _cell(cell: dict[str, Any], stem: str, pictures: dict[str, bytes]) -> str:
    source = "".join(cell["source"])
    if cell["cell_type"] != "code":
        return source
    return "\n\n".join(
        [f"```python\n{source}\n```", *(_output(output, cell, stem, pictures) for output in cell["outputs"])]
    )


def _output(output: dict[str, Any], cell: dict[str, Any], stem: str, pictures: dict[str, bytes]) -> str:
    data = output.get("data", {})
    if "image/png" in data:
        name = f"{stem}-{len(pictures) + 1}.png"
        pictures[name] = base64.b64decode("".join(data["image/png"]))
        return f"![{cell['metadata'].get('alt', '')}]({name})"
    text = "".join(output.get("text", data.get("text/plain", "")))
    return f"```text\n{text.rstrip()}\n```"
