"""Text for Dagster's web UI, which renders Markdown in the browser of whoever looks: a title that holds a picture's
address would be fetched by it. All that comes from tags, names and files goes through here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
"""All of ASCII's: CommonMark 0.31, "Backslash escapes" makes any of them literal."""
_MOST_LINES = 50


def literal(text: str) -> str:
    """Text that is shown as these characters: no link, picture, HTML or table comes of it, and it stays one line.

    >>> print(literal("![x](https://example.com/a.png)"))
    \\!\\[x\\]\\(https\\:\\/\\/example\\.com\\/a\\.png\\)
    """
    one_line = " ".join("".join(letter if letter.isprintable() else " " for letter in readable(text)).split())
    return _PUNCTUATION.sub(r"\\\1", one_line)


def readable(text: str) -> str:
    """Text that can be stored and sent as UTF-8: bytes of a name that were no letters become U+FFFD.

    >>> readable("caf\\udce9.wav")
    'caf\ufffd.wav'
    """
    return text.encode("utf-8", "surrogateescape").decode(errors="replace")


def lines(texts: Sequence[str]) -> str:
    """A list, of which the first fifty are shown."""
    shown = [f"- {literal(text)}" for text in texts[:_MOST_LINES]]
    if len(texts) > _MOST_LINES:
        shown.append(f"- and {len(texts) - _MOST_LINES} more")
    return "\n".join(shown) or "none"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are taken literally."""
    cells = [[literal(cell) for cell in row] for row in [head, *rows]]
    marked = [cells[0], ["---"] * len(head), *cells[1:]]
    return "\n".join(f"| {' | '.join(row)} |" for row in marked)
