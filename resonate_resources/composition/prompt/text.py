"""A prompt as it is searched: folded, with every place's place in what was written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from resonate_resources.models.language_model import one_line

CJK: Final = "\u3040-\u30ff\u3400-\u9fff々"
TAKEN: Final = "\ue000"
_ALSO: Final = {
    **{"ı": "i", "ł": "l", "ø": "o", "đ": "d", "♯": "#", "♭": "b", "×": "x", "½": " 1/2", "⁄": "/"},
    **{"’": "'", "‘": "'", "ʼ": "'", "′": "'", "`": "'", "″": '"', "“": '"', "”": '"', "„": '"'},
    **{"«": '"', "»": '"', "—": ",", "，": ",", "、": ",", "。": ".", "・": " "},
    **{"–": "-", "‑": "-", "−": "-", "〜": "~", "～": "~"},
    **{"゠": "-", "へ": "ヘ", "\ufe0f": "", TAKEN: " "},
}  # fmt: skip


@lru_cache(maxsize=4096)
def _folded(letter: str) -> str:
    if letter in _ALSO:
        return _ALSO[letter]
    if unicodedata.category(letter) in ("Cc", "Cf"):
        return letter if letter in "\n\t" else " " * (unicodedata.category(letter) == "Cc")
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", letter).casefold())
    kept = "".join(each for each in plain if not "\u0300" <= each <= "\u036f")
    return "".join(_ALSO.get(each, each) for each in unicodedata.normalize("NFC", kept))


def fold(text: str) -> tuple[str, list[int]]:
    """Without case, accents and typographers' forms; and for each letter the index of what it was made from."""
    letters, origin = [], []
    for index, letter in enumerate(text):
        for each in _folded(letter):
            letters.append(each)
            origin.append(index)
    return "".join(letters), origin


@dataclass(frozen=True)
class Said:
    """One statement. at, end: in the folded text."""

    field: str
    value: object
    at: int
    end: int
    how: Literal["stated", "implied"] = "stated"


@dataclass
class Text:
    """written: NFC, so that a letter and its accent are one. folded: what is left to be searched; what has been
    understood is blanked out there."""

    written: str
    folded: str
    origin: list[int]
    whole: str
    said: list[Said] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> Text:
        written = unicodedata.normalize("NFC", text)
        folded, origin = fold(written)
        return cls(written, folded, origin, folded)

    def find(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """As it stands at the beginning: what is taken meanwhile is still found."""
        return pattern.finditer(self.folded)

    def take(self, at: int, end: int) -> None:
        self.folded = self.folded[:at] + TAKEN * (end - at) + self.folded[end:]

    def replace(self, at: int, end: int, by: str) -> None:
        """Other letters for the same words, as digits for a number's name."""
        origin = self.origin[at : at + 1] * len(by)
        self.folded = self.folded[:at] + by + self.folded[end:]
        self.origin = self.origin[:at] + origin + self.origin[end:]
        self.whole = self.folded

    def words(self, at: int, end: int) -> str:
        """As they were written, in one line that is safe to print."""
        if at >= end:
            return ""
        return one_line(self.written[self.origin[at] : self.origin[end - 1] + 1]).strip()

    def state(self, field: str, value: object, at: int, end: int) -> None:
        self.said.append(Said(field, value, at, end))
        self.take(at, end)

    def refuse(self, field: str, at: int, end: int, why: str) -> None:
        """What can't be. why: follows its words."""
        self.invalid.append(field)
        self.remarks.append(f"{self.words(at, end)}: {why}")
        self.take(at, end)
