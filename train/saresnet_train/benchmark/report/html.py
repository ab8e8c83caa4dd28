"""Writes a report as one HTML page that needs no other file and no network."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from html import escape

from saresnet_train.benchmark.report.document import Block, Command, Heading, Items, Picture, Text

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #111; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #999; } h3 { margin-top: 1.8rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; margin: 0.8rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; margin-bottom: 0.3rem; font-weight: 600; }
th, td { padding: 0.15rem 0.6rem; border-bottom: 1px solid #ccc; text-align: right; white-space: nowrap; }
th { border-bottom: 2px solid #111; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; }
pre, code { font-family: ui-monospace, monospace; font-size: 0.92em; background: #f2f2f2; }
pre { padding: 0.5rem; white-space: pre-wrap; }
figure { margin: 1rem 0; } figure img { max-width: 100%; height: auto; } figcaption { font-size: 0.9rem; }
@page { size: A4 landscape; margin: 12mm; }
@media print {
  body { font-size: 9pt; max-width: none; margin: 0; } pre, code { background: none; }
  table { font-size: 6.5pt; } th, td { padding: 0.1rem 0.25rem; white-space: normal; } .wide { overflow: visible; }
  figure, tr { break-inside: avoid; } h2, h3, caption { break-after: avoid; }
}
"""


def html(blocks: Iterable[Block], title: str) -> str:
    """Return a report as one HTML page, which is well-formed XML too, its pictures inside."""
    body = "\n".join(_block(block) for block in blocks)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{_inline(block.text)}</h{block.level}>"
    if isinstance(block, Text):
        return f"<p>{_inline(block.text)}</p>"
    if isinstance(block, Items):
        return "<ul>\n" + "\n".join(f"<li>{_inline(item)}</li>" for item in block.items) + "\n</ul>"
    if isinstance(block, Command):
        return f"<pre><code>{escape(block.text)}</code></pre>"
    if isinstance(block, Picture):
        data = base64.b64encode(block.svg).decode()
        image = f'<img alt="{escape(block.alt)}" src="data:image/svg+xml;base64,{data}"/>'
        return f"<figure>\n{image}\n<figcaption>{_inline(block.caption)}</figcaption>\n</figure>"
    head = "".join(f'<th scope="col">{_inline(column)}</th>' for column in block.columns)
    rows = "\n".join("<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in row) + "</tr>" for row in block.rows)
    return (
        f'<div class="wide"><table>\n<caption>{_inline(block.caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>"
    )


def _inline(text: str) -> str:
    """Escape text, then give `code` and **bold** their elements."""
    parts = re.split(r"(`[^`]+`)", text)
    shown = [
        f"<code>{escape(part[1:-1])}</code>"
        if part.startswith("`") and part.endswith("`") and len(part) > 2
        else re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escape(part))
        for part in parts
    ]
    return "".join(shown)
