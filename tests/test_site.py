"""The documentation as a site: it builds without a warning, its links lead somewhere, it needs no other host."""

from __future__ import annotations

import dataclasses
import html
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
import pytest

import saresnet_cli
from saresnet_cli.card import Card
from saresnet_cli.main import cli

ROOT = Path(__file__).resolve().parent.parent
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


class Html(HTMLParser):
    """What a page has: ids, links, and what it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids.update(value for name in ("id", "name") if (value := values.get(name)))
        if tag == "a" and (link := values.get("href")):
            self.links.append(link)
        if (link := values.get(LOADED.get(tag, ""))) and values.get("rel") not in ("canonical", "prev", "next"):
            self.loads.append(link)


def leads_nowhere(page: Path, link: str, pages: dict[Path, Html]) -> bool:
    """Whether a link within the site has no file, or no place in it."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return False
    path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if path.is_dir():
        path /= "index.html"
    if not path.is_file():
        return True
    place = unquote(parts.fragment)
    return bool(place) and path in pages and place not in pages[path].ids


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs", reason="needs saresnet[docs]")
    folder = tmp_path_factory.mktemp("site").resolve()
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Html]:
    return {path: Html(path) for path in site.rglob("*.html") if path.name != "404.html"}


def test_every_link_leads_somewhere(pages: dict[Path, Html]) -> None:
    links = [(page, link) for page, parsed in pages.items() for link in parsed.links]
    assert [f"{page.name}: {link}" for page, link in links if leads_nowhere(page, link, pages)] == []


def test_a_page_loads_only_what_is_in_the_site(site: Path, pages: dict[Path, Html]) -> None:
    for page, parsed in pages.items():
        assert parsed.loads
        for link in parsed.loads:
            assert not urlsplit(link).netloc, f"{page.name} loads {link}"
            assert not leads_nowhere(page, link, pages), f"{page.name} loads {link}"
    for style in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(https?:)?//|@import", style.read_text(encoding="utf-8")), style.name


def test_the_reference_has_every_command_and_option(site: Path) -> None:
    text = html.unescape(re.sub(r"<[^>]+>", "", (site / "reference/commands.html").read_text(encoding="utf-8")))

    def check(command: click.Command, name: str) -> None:
        assert re.search(rf"^\s*{name}\b", text, re.M), name
        context = click.Context(command)
        for option in (opt for param in command.params if isinstance(param, click.Option) for opt in param.opts):
            assert option in text, f"{name} {option}"
        if isinstance(command, click.Group):
            for child in command.list_commands(context):
                found = command.get_command(context, child)
                assert found is not None
                check(found, f"{name} {child}")

    check(cli, "saresnet")


def test_the_reference_has_every_name_that_python_gives(pages: dict[Path, Html], site: Path) -> None:
    ids = pages[site / "reference/python.html"].ids
    for name in saresnet_cli.__all__:
        value = getattr(saresnet_cli, name)
        assert f"{value.__module__}.{name}" in ids


def test_the_model_cards_page_has_every_field() -> None:
    text = (ROOT / "docs/reference/model-card.md").read_text()
    rows = re.findall(r"^\| (`.*?) \|", text, re.M)
    described = set(re.findall(r"`(\w+)`", " ".join(rows)))
    assert {field.name for field in dataclasses.fields(Card)} <= described


def test_a_dead_link_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<p id="here"><a href="b.html#there">x</a><img src="//x/y.png">')
    (tmp_path / "b.html").write_text('<p id="elsewhere">')
    found = {path: Html(path) for path in tmp_path.iterdir()}
    page = tmp_path / "a.html"
    assert found[page].links == ["b.html#there"]
    assert found[page].loads == ["//x/y.png"]
    for link in ("b.html#there", "c.html", "#nowhere"):
        assert leads_nowhere(page, link, found)
    for link in ("b.html#elsewhere", "b.html", "#here", "https://example.org/none"):
        assert not leads_nowhere(page, link, found)
