"""A Block Kit message as text for a terminal, much as Slack shows it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

from rich.text import Text

from trainbell.plain_text import one_line

COLUMNS_IN_SHORT = 51
_QUOTE = "> "
_LINK = re.compile(r"<([^|>]+)\|([^>]*)>")
_BOLD = re.compile(r"\*([^*\n]+)\*")

Block = Mapping[str, Any]


def message_text(message: Mapping[str, Any]) -> Text:
    """Title, sentences, fields on one line, quoted reasons, and where it was."""
    lines = [line for block in message["blocks"] for line in _lines(block)]
    return Text("\n").join(lines)


def is_bad_news(message: Mapping[str, Any]) -> bool:
    """Whether it quotes a reason, which is to be read in full."""
    texts = (block["text"]["text"] for block in message["blocks"] if "text" in block)
    return any(text.startswith(_QUOTE) for text in texts)


def message_in_short(message: Mapping[str, Any]) -> tuple[Text, Text]:
    """Title, and as many fields as have room; the first ones matter most."""
    blocks = message["blocks"]
    title = next(block["text"]["text"] for block in blocks if block["type"] == "header")
    shown = Text()
    for field in (field["text"] for block in blocks for field in block.get("fields", ())):
        longer = Text("   ").join(each for each in (shown, _field(field)) if each)
        if longer.cell_len > COLUMNS_IN_SHORT:
            break
        shown = longer
    return Text(one_line(title)), shown


def _lines(block: Block) -> Iterable[Text]:
    match block["type"]:
        case "header":
            yield Text(one_line(block["text"]["text"]), style="bold")
        case "context":
            for element in block["elements"]:
                yield _mrkdwn(element["text"], style="dim")
        case "section" if "fields" in block:
            yield Text("   ").join(_field(field["text"]) for field in block["fields"])
        case "section":
            for line in block["text"]["text"].split("\n"):
                yield _quoted(line) if line.startswith(_QUOTE) else _mrkdwn(line)


def _field(text: str) -> Text:
    name, _, value = text.partition("\n")
    return Text.assemble(_mrkdwn(name, style="dim"), " ", _mrkdwn(value))


def _quoted(line: str) -> Text:
    return Text.assemble(("│ ", "dim"), _mrkdwn(line.removeprefix(_QUOTE), style="italic"))


def _mrkdwn(text: str, style: str = "") -> Text:
    """`*bold*` is bold, a link is its words, entities are what they stand for."""
    said = Text(style=style)
    for number, part in enumerate(_BOLD.split(_LINK.sub(r"\2", text))):
        # Every second part is what stood between two asterisks.
        said.append(_printable(html.unescape(part)), style="bold" if number % 2 else "")
    return said


def _printable(text: str) -> str:
    # What a training says must not move a terminal.
    return "".join(each if each.isprintable() else " " for each in text)
