"""Texts of which nobody says in what charset they are: UTF-8 where they can be, else what their file says, else the
one that its bytes look like. Western where nothing speaks against it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

_WESTERN = "cp1252"
_LEAST = 4
"""Letters of another script that a file's texts must have: `ÄÖÜ` is no Russian."""
_COMMON_SHARE = 2 / 3
"""Of Chinese characters, those of the first level of their set: the ones in daily use."""

_CYRILLIC = re.compile("[А-ЯЁ]?[а-яё]+|[А-ЯЁ]+")
_GREEK = re.compile("[Ͱ-Ͽ]+")
_JAPANESE = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uff01-\uff5e]+")
_HANGUL = re.compile("[가-힣]+")


def legible(raw: bytes, charset: str) -> str:
    """A text as UTF-8 if it is, else in a charset, else as Western: never with a replacement character."""
    for candidate in ("utf-8", charset, _WESTERN):
        try:
            return raw.decode(candidate)
        except (UnicodeDecodeError, LookupError):
            continue
    return raw.decode("latin-1")


def likely_charset(texts: Iterable[bytes]) -> str:
    """The charset of texts that belong together: by which of them all are words of its script."""
    joined = b" ".join(text for text in texts if not _is_utf8(text))
    return next((charset for charset, is_script in _SCRIPTS if _reads(joined, charset, is_script)), _WESTERN)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _reads(joined: bytes, charset: str, is_script: Callable[[str], bool]) -> bool:
    try:
        text = joined.decode(charset)
    except UnicodeDecodeError:
        return False
    letters = [letter for letter in text if not letter.isascii()]
    english = sum(letter.isascii() and letter.isalpha() for letter in text)
    bytes_needed = len("".join(letters).encode(charset))
    return bytes_needed >= _LEAST and 2 * len(letters) >= english and is_script(text)


def _words_are(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: all(pattern.fullmatch(word) for word in re.findall(r"[^\x00-\x7f]+", text))


def _is_japanese(text: str) -> bool:
    """In Shift JIS. What is Chinese or Korean has no first byte under A0."""
    leads = [letter.encode("cp932")[0] for letter in text if not letter.isascii()]
    return _words_are(_JAPANESE)(text) and any(lead < 0xA0 for lead in leads)


def _is_daily(charset: str, first: int, last: int) -> Callable[[str], bool]:
    def is_daily(text: str) -> bool:
        leads = [letter.encode(charset)[0] for letter in text if not letter.isascii()]
        return sum(first <= lead <= last for lead in leads) >= _COMMON_SHARE * len(leads)

    return is_daily


_SCRIPTS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("cp1251", _words_are(_CYRILLIC)),
    ("koi8_r", _words_are(_CYRILLIC)),
    ("cp1253", _words_are(_GREEK)),
    ("cp932", _is_japanese),
    ("euc_kr", _words_are(_HANGUL)),
    ("gbk", _is_daily("gbk", 0xB0, 0xD7)),  # GB 2312, level 1
    ("big5", _is_daily("big5", 0xA4, 0xC6)),  # level 1
)
