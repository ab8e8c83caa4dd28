"""Writes a report as Markdown, its pictures as files beside it."""

from __future__ import annotations

from collections.abc import Iterable

from saresnet_train.benchmark.report.document import Block, Command, Heading, Items, Picture, Table, Text


def markdown(blocks: Iterable[Block], pictures: str) -> str:
    """Return a report as Markdown; pictures: the folder, relative to the page, where its pictures are."""
    return "\n\n".join(_block(block, pictures) for block in blocks) + "\n"


def _block(block: Block, pictures: str) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {block.text}"
    if isinstance(block, Text):
        return block.text
    if isinstance(block, Items):
        return "\n".join(f"- {item}" for item in block.items)
    if isinstance(block, Command):
        return f"```text\n{block.text}\n```"
    if isinstance(block, Picture):
        return f"![{block.alt}]({pictures}/{block.name}.svg)\n\n{block.caption}"
    return f"{block.caption}\n\n{_table(block)}"


def _table(table: Table) -> str:
    rule = ["---", *["---:"] * (len(table.columns) - 1)]
    lines = [list(table.columns), rule, *table.rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
