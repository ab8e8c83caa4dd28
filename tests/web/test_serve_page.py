"""The page in a real browser, without a window."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="pip install 'saresnet[test]'")

expect = playwright.expect
SLOW = 30_000
expect.set_options(timeout=SLOW)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium: Debian's, or the one that playwright installs."""
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    with playwright.sync_playwright() as driver:
        if found is None and not Path(driver.chromium.executable_path).exists():
            pytest.skip("no Chromium: apt-get install chromium, or playwright install chromium")
        started = driver.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield started
        started.close()


@pytest.fixture
def page(browser: Any, server: Any) -> Iterator[Any]:
    """The page, open; anything that it complains about fails the test."""
    context = browser.new_context(accept_downloads=True, viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(SLOW)
    complaints: list[str] = []
    elsewhere: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on(
        "request",
        lambda request: elsewhere.append(request.url) if not request.url.startswith((server.url, "blob:")) else None,
    )
    opened.on("dialog", lambda dialog: complaints.append("a dialog"))
    opened.goto(server.url)
    opened.wait_for_selector("#models label")
    yield opened
    assert elsewhere == []
    assert [text for text in complaints if "status of 4" not in text] == []
    context.close()


def downloaded(page: Any, button: str) -> bytes:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).click()
    return Path(waiting.value.path()).read_bytes()


def test_paste_run_click_and_download(
    page: Any, server: Any, web: SimpleNamespace, saresnet: Callable[..., bytes], tmp_path: Path
) -> None:
    page.get_by_label("FASTA", exact=True).fill(web.fasta)
    page.get_by_label("Filter models").fill("ctcf gm128")
    page.get_by_label("CTCF GM12878").check()
    page.get_by_role("button", name="Find binding sites").click()
    page.wait_for_selector("#logo svg")
    assert "191 windows · 1 model · 1 site" in page.inner_text("#summary")
    assert page.locator("#track .curve").count() == 1
    assert page.locator("#track rect.site").count() == 1
    assert page.locator("#logo path").count() > 50

    box = page.locator("#track svg").bounding_box()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 80)
    shown = page.inner_text("#readout")
    page.mouse.down()
    page.mouse.up()
    start = shown.split("–")[0].replace(",", "")
    expect(page.locator("#explained-sub")).to_contain_text(re.compile(rf"^site: {int(start):,}–.* p \S+$"))
    query = {"model": web.model, "chrom": "site", "start": int(start)}
    letters = server.post("explain", web.fasta, **query).json()["bases"]
    page.locator("#bases summary").click()
    rows = page.locator("#bases tbody tr")
    assert (
        "".join(rows.nth(i).locator("td").nth(1).inner_text() for i in (0, 50, 100))
        == letters[0] + letters[50] + letters[100]
    )

    sequences = tmp_path / "sequences.fa"
    sequences.write_text(web.fasta)
    options = (sequences, "--model", web.model, "--stride", 10)
    assert downloaded(page, "Scores (BED)") == saresnet("scan", *options)
    sites = server.post("call", web.fasta, model=web.model, stride=10, format="narrowpeak").content
    assert downloaded(page, "Sites (narrowPeak)") == sites
    explained = server.post("explain", web.fasta, format="tsv", **query).content
    assert downloaded(page, "Explanation (TSV)") == explained
    drawing = ElementTree.fromstring(downloaded(page, "Logo (SVG)"))
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    paths = drawing.findall("{http://www.w3.org/2000/svg}path")
    assert len(paths) > 50
    assert all(path.get("fill", "").startswith("rgb(") for path in paths)


def test_a_region_by_the_keyboard_alone(page: Any, web: SimpleNamespace) -> None:
    page.locator("input[value=paste]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "chrom"
    page.keyboard.press("Tab")
    page.keyboard.type("14000")
    page.keyboard.press("Tab")
    page.keyboard.type("16,000")
    page.locator("input[value=CTCF_GM12878]").focus()
    page.keyboard.press("Space")
    page.locator("input[value=YY1_H1-hESC]").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_selector("#logo svg")
    track = page.get_by_role("slider", name="Score track")
    track.focus()
    page.keyboard.press("Home")
    first = track.get_attribute("aria-valuetext")
    assert first.startswith("CTCF_GM12878 · 14,000–14,101 · logit ")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert track.get_attribute("aria-valuetext").startswith("YY1_H1-hESC · 14,010–14,111 · logit ")
    page.keyboard.press("Enter")
    expect(page.locator("#explained-sub")).to_contain_text("14,010–14,111, YY1_H1-hESC")
    page.keyboard.press("+")
    assert (page.input_value("#from"), page.input_value("#to")) == ("14,030", "15,030")

    left = page.get_by_role("slider", name="Left end of the track")
    left.focus()
    page.keyboard.press("ArrowRight")
    assert page.input_value("#from") == "14,070"
    right = page.get_by_role("slider", name="Right end of the track")
    right.focus()
    page.keyboard.press("ArrowLeft")
    assert page.input_value("#to") == "14,990"
    page.locator("#windows summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#windows tbody tr")).to_have_count(2 * 82)


def test_both_ends_are_dragged(page: Any) -> None:
    page.get_by_role("button", name="Try the example").click()
    page.wait_for_selector("#logo svg")
    for end, by in (("from", 200), ("to", -300)):
        grip = page.locator(f"rect.grip[data-end={end}]").bounding_box()
        page.mouse.move(grip["x"] + 4, grip["y"] + 10)
        page.mouse.down()
        page.mouse.move(grip["x"] + 4 + by, grip["y"] + 12, steps=4)
        page.mouse.up()
    low, high = (int(page.input_value(f"#{id}").replace(",", "")) for id in ("from", "to"))
    assert 0 < low < high < 2000
    page.get_by_role("button", name="Whole").click()
    assert page.input_value("#from") == "0"


def test_hostile_names_stay_text(page: Any, web: SimpleNamespace) -> None:
    name = "<img/src=x/onerror=alert(1)>"
    page.get_by_label("FASTA", exact=True).fill(
        f'>{name}\n{web.bases}\n>"><script>alert(2)</script>\n{web.bases[:300]}\n'
    )
    page.get_by_label("CTCF GM12878").check()
    page.get_by_role("button", name="Find binding sites").click()
    page.wait_for_selector("#logo svg")
    assert page.inner_text("#title") == name
    assert page.locator("#sites td").nth(1).inner_text() == name
    page.select_option("#sequence", "1")
    assert page.inner_text("#title") == '"><script>alert(2)</script>'
    assert page.locator("main img").count() == 0


def test_errors_say_what_to_do(page: Any) -> None:
    run = page.get_by_role("button", name="Find binding sites")
    run.click()
    alert = page.get_by_role("alert")
    assert "no model is chosen" in alert.inner_text().lower()
    page.get_by_label("CTCF GM12878").check()
    run.click()
    assert "No sequence is pasted" in alert.inner_text()
    page.get_by_label("FASTA", exact=True).fill(">x\nACGTE\n")
    run.click()
    expect(alert).to_contain_text("is not DNA")
    assert "Give nucleotides (IUPAC codes)." in alert.inner_text()


def test_a_file_is_uploaded(page: Any, web: SimpleNamespace, tmp_path: Path) -> None:
    path = tmp_path / "x.fa.gz"
    path.write_bytes(gzip.compress(web.fasta.encode()))
    page.locator("input[value=file]").check()
    page.get_by_label("FASTA file, plain or gzip").set_input_files(path)
    page.get_by_label("CTCF GM12878").check()
    page.get_by_role("button", name="Find binding sites").click()
    page.wait_for_selector("#logo svg")
    assert page.inner_text("#title") == "site"


def test_everything_has_a_name_and_fits_a_telephone(page: Any) -> None:
    page.get_by_role("button", name="Try the example").click()
    page.wait_for_selector("#logo svg")
    unnamed = page.evaluate(
        """[...document.querySelectorAll("input, select, textarea, button, [tabindex='0']")].filter(e =>
        e.checkVisibility() && !(e.labels && e.labels.length) && !e.textContent.trim() && !e.getAttribute("aria-label")
        && !e.getAttribute("aria-labelledby")).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert unnamed == []
    page.set_viewport_size({"width": 360, "height": 780})
    page.wait_for_timeout(200)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
