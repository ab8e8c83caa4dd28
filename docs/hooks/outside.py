"""Brings the files that pages name outside `docs/` into the site, under `project/`, so that no link leads nowhere."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

PREFIX = "project/"
LINK = re.compile(r"(\]\()([^)\s#:]+)(#[^)\s]*)?(?=\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what pages name, and what the added pages name in turn."""
    root = Path(config.docs_dir).parent
    waiting = [(file.src_uri, _text(file)) for file in files.documentation_pages()]
    while waiting:
        page, text = waiting.pop()
        for target in {_target(page, found[2], config) for found in LINK.finditer(_prose(text))}:
            if target is None or not target.startswith(PREFIX) or files.get_file_from_path(target) is not None:
                continue
            path = root / target.removeprefix(PREFIX)
            if path.is_file():
                files.append(File.generated(config, target, abs_src_path=str(path)))
                if path.suffix == ".md":
                    waiting.append((target, path.read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links at where these files lie in the site; a link to a folder becomes its text."""

    def rewritten(found: re.Match[str]) -> str:
        target = _target(page.file.src_uri, found[2], config)
        if target is None or files.get_file_from_path(target) is None:
            return found[0]
        return f"{found[1]}{posixpath.relpath(target, posixpath.dirname(page.file.src_uri))}{found[3] or ''}"

    return LINK.sub(rewritten, markdown)


def _target(page: str, link: str, config: MkDocsConfig) -> str | None:
    """Return where in the site a link of a page leads, None where it leads out of the project."""
    docs = Path(config.docs_dir).name
    home = page.removeprefix(PREFIX) if page.startswith(PREFIX) else f"{docs}/{page}"
    path = posixpath.normpath(posixpath.join(posixpath.dirname(home), link))
    if path.startswith(("../", "/")):
        return None
    return os.path.relpath(path, docs) if path.startswith(f"{docs}/") else PREFIX + path


def _text(file: File) -> str:
    return file.content_string if file.generated_by else Path(str(file.abs_src_path)).read_text(encoding="utf-8")


def _prose(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
