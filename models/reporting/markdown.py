"""Plain text as Markdown."""

from __future__ import annotations

import re


def escaped(text: str) -> str:
    """Escape Markdown's markup, and join lines."""
    line = " ".join(text.split())
    return re.sub(r"[\\`*<|]|(?<!\w)_|_(?!\w)|\](?=[(\[:])", r"\\\g<0>", line)


def paragraph(text: str) -> str:
    """Escape a paragraph, including a heading, list or quotation mark at its start."""
    return re.sub(r"^([#>+=~-]|\d+(?=[.)]))", _escape_start, escaped(text))


def _escape_start(match: re.Match[str]) -> str:
    start = match.group(0)
    return f"&#{ord(start[0])};{start[1:]}" if start[0].isdigit() else f"\\{start}"


def link_text(text: str) -> str:
    """Escape the text of a link."""
    return re.sub(r"(?<!\\)[\[\]]", r"\\\g<0>", escaped(text))
