"""Songs and artists that a prompt names: in the style of X. Of a name alone nothing is known here."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from resonate_resources.composition.prompt.lexicon import any_of, common, lexicon
from resonate_resources.composition.prompt.text import CJK, Text

_MOST_WORDS: Final = 7
_QUOTED: Final = re.compile(r"\s*[\"'«「『]([^\"'»」』\n]{2,80})[\"'»」』](?![^\W_])")
_WORD: Final = re.compile(r"[\s-]*((?:[^\W_]|['.&!/+-](?=[^\W_]))+)")
_ENDS: Final = re.compile(r"\s*(?:[,.;:!?\n()\ue000]|-\s|$)")
_KANJI_NAME: Final = re.compile(r"[\u3400-\u9fff]{2,4}$")
_KANA_NAME: Final = re.compile("[ァ-ヺー]{3,}$|[\u3400-\u9fff々]{2,5}$")
_LATIN_NAME: Final = re.compile(r"(?:[A-Z0-9][\w'&.-]*\s+){0,3}[A-Z0-9][\w'&.-]*\s*$")
_KINDS: Final = (
    "genre",
    "foreign_genre",
    "instrument",
    "mood",
    "tempo",
    "section",
    "energy",
    "vocals",
    "swing",
)


def read_name(text: Text, language: str) -> None:
    """The first that is named; its words are not searched for anything else."""
    for match in text.find(_before()):
        if end := _name_after(text, match.end(), language, sure=bool(match.group("style"))):
            _state(text, match.start(), match.end(), end)
            return
    for match in text.find(_after()):
        if (at := _name_before(text, match.start(), language)) is not None:
            _state(text, at, at, match.start())
            return


@cache
def _before() -> re.Pattern[str]:
    style, like = any_of("control", "style"), any_of("control", "like")
    return re.compile(
        rf"(?<![^\W_])(?:(?P<style>{style})|(?:{like}|comme|como|wie|come|zoals|jak|как)(?![^\W_]))"
    )


@cache
def _after() -> re.Pattern[str]:
    return re.compile(rf"(?:(?<=[{CJK}a-z0-9])|(?<=\s)|(?<=-)){any_of('control', 'style_after')}(?![a-z])")


def _name_after(text: Text, at: int, language: str, sure: bool) -> int | None:
    """Where the name ends. sure: it is said to be a style; otherwise only what is written large, or quoted."""
    folded = text.folded
    if quoted := _QUOTED.match(folded, at):
        return quoted.end()
    if han := re.match(rf"\s*[{CJK}]{{2,8}}?(?=风格|風格|的|那样|一样|[,.]|$)", folded[at:]):
        return None if _is_music(han.group(), language) else at + han.end()
    end = at
    words: list[re.Match[str]] = []
    while len(words) < _MOST_WORDS and not _ENDS.match(folded, end):
        match = _WORD.match(folded, end)
        if not match or (words and _is_stop(match.group(1), folded[match.end(1) :], language)):
            break
        words.append(match)
        end = match.end(1)
    while words and words[-1].group(1) in _joints():
        words.pop()
        end = words[-1].end(1) if words else at
    if not words:
        return None
    large = any(_is_large(text, word) for word in words)
    if (
        not sure
        and not _is_large(text, words[0])
        and not (len(words) > 1 and words[0].group(1) in ("the", "a"))
    ):
        return None
    musical = [_is_music(word.group(1), language) for word in words]
    if not large and (not sure or any(musical)):
        return None
    all_known = all(
        is_music or word.group(1) in _joints() for is_music, word in zip(musical, words, strict=True)
    )
    return None if all_known else end


def _is_large(text: Text, word: re.Match[str]) -> bool:
    return text.written[text.origin[word.start(1)]].isupper()


@cache
def _joints() -> frozenset[str]:
    return frozenset(each for words in common().values() for each in words)


def _is_stop(word: str, rest: str, language: str) -> bool:
    """What goes on about the music: with, at 90, and drums."""
    if re.fullmatch(any_of("control", "but", "not", "only"), word) or word in (
        "in",
        "at",
        "for",
        "about",
        "around",
    ):
        return True
    if re.match(r"\d{2,3}$", word) and re.match(rf"\s*{any_of('unit')}", rest):
        return True
    after = re.match(r"\s*([^\W_]+)", rest)
    return word in ("and", "und", "et", "y", "e", "&", "i", "en") and bool(
        after and _is_music(after[1], language)
    )


def _is_music(words: str, language: str) -> bool:
    return any(word.kind in _KINDS for token in lexicon().tokens(words, language) for word in token.words)


def _name_before(text: Text, end: int, language: str) -> int | None:
    if end == 0 or text.folded[end - 1] == "\ue000":
        return None
    start = text.origin[end - 1] + 1
    written = text.written[:start]
    if re.match(f"[{CJK}]", written.rstrip()[-1:]):
        found = _KANA_NAME.search(written) if language == "ja" else _KANJI_NAME.search(written)
    else:
        found = _LATIN_NAME.search(written.rstrip("- "))
    if not found or _is_music(text.folded[text.origin.index(found.start()) : end], language):
        return None
    at = text.origin.index(found.start())
    words = re.findall(r"[^\W\d_]+", text.folded[at:end])
    if not words or all(word in _joints() for word in words) or words[0] in _joints():
        return None
    return at


def _state(text: Text, at: int, name_at: int, end: int) -> None:
    name = text.words(name_at, end).strip("\"'«»「」『』“”„ ")[:200]
    text.state("reference_name", name, at, end)
    text.remarks.append(_told(name))


def _told(name: str) -> str:
    return f"{name}: a name alone tells nothing without a model that knows it; nothing was made of it"
