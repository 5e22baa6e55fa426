"""The words that are known, of twelve languages: files in words/, one a language, and one of what they share.

A file's table is a kind of word, its keys are what is meant, its values are phrases with commas between them. `*`
stands for any ending. `?` after a phrase: only where the prompt is in that language, as it is another's word too.
Accents, case, and hyphens or spaces between the words of a phrase don't matter.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from resonate_resources.composition.prompt.text import CJK, fold

LANGUAGES: Final = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "ja", "zh", "tr")
_SHARED: Final = "world"
_TOKEN: Final = re.compile(rf"[{CJK}]|(?:(?![{CJK}])[^\W_])+|[&+~♩]|[\u2600-\u27bf\U0001f300-\U0001faff]")
_PART: Final = re.compile(rf"(?:{_TOKEN.pattern})\*?")
_JOINS: Final = frozenset(" \t\n-'._/")
_SHORT: Final = 4  # letters of a stem that may begin another language's word
_STEM: Final = 3  # letters by which stems are looked up


@dataclass(frozen=True)
class Word:
    kind: str
    value: str
    language: str
    weak: bool = False


@dataclass(frozen=True)
class Token:
    """at, end: in the folded text. words: what it may mean; empty: not known."""

    text: str
    at: int
    end: int
    words: tuple[Word, ...] = ()

    def value(self, kind: str) -> str | None:
        return next((word.value for word in self.words if word.kind == kind), None)

    def means(self, kind: str, value: str) -> bool:
        return any((word.kind, word.value) == (kind, value) for word in self.words)


@dataclass(frozen=True)
class _Phrase:
    parts: tuple[str, ...]
    word: Word


class Lexicon:
    def __init__(self) -> None:
        self.phrases: list[tuple[str, Word]] = []
        self._exact: defaultdict[tuple[str, str], list[_Phrase]] = defaultdict(list)
        self._stems: defaultdict[str, list[_Phrase]] = defaultdict(list)
        self._unspaced: defaultdict[str, list[tuple[str, Word]]] = defaultdict(list)
        for language in (_SHARED, *LANGUAGES):
            path = Path(__file__).parent / "words" / f"{language}.toml"
            for kind, meanings in tomllib.loads(path.read_text(encoding="utf-8")).items():
                for value, phrases in meanings.items():
                    for phrase in phrases.split(","):
                        self._add(fold(phrase.strip())[0], kind, value, language)

    def _add(self, phrase: str, kind: str, value: str, language: str) -> None:
        stem = re.fullmatch(rf"[a-z]{{1,{_SHORT}}}\*", phrase) is not None
        word = Word(kind, value, language, phrase.endswith("?") or stem)
        phrase = phrase.rstrip("?")
        self.phrases.append((phrase, word))
        if re.search(f"[{CJK}]", phrase):
            self._unspaced[phrase[0]].append((phrase, word))
            return
        parts = tuple(_PART.findall(phrase))
        for joined in _joined(parts) if kind != "control" else [parts]:
            self._index(_Phrase(joined, word))

    def _index(self, phrase: _Phrase) -> None:
        first = phrase.parts[0]
        if first.endswith("*"):
            self._stems[first[:_STEM].rstrip("*")].append(phrase)
        else:
            second = phrase.parts[1] if len(phrase.parts) > 1 and not phrase.parts[1].endswith("*") else ""
            self._exact[first, second].append(phrase)

    def tokens(self, folded: str, language: str | None) -> list[Token]:
        """From left to right, the longest that is known. language: of the prompt; None: any."""
        found = [(each.group(), each.start(), each.end()) for each in _TOKEN.finditer(folded)]
        tokens: list[Token] = []
        index = 0
        while index < len(found):
            text, at, end = found[index]
            matches = [each for each in self._matches(folded, found, index) if _allowed(each[1], language)]
            longest, most = max((each[0] for each in matches), default=(end, 0))
            words = _of_one_language([word for reach, word in matches if reach == (longest, most)], language)
            tokens.append(Token(folded[at:longest] if words else text, at, longest if words else end, words))
            index += 1
            while words and index < len(found) and found[index][1] < longest:
                index += 1
        return tokens

    def _matches(
        self, folded: str, found: list[tuple[str, int, int]], index: int
    ) -> Iterator[tuple[tuple[int, int], Word]]:
        """Where each ends, and how many of its letters are given and no stem's ending."""
        text, at, _ = found[index]
        for phrase, word in self._unspaced.get(folded[at], ()):
            if folded.startswith(phrase, at):
                yield (at + len(phrase), len(phrase)), word
        lists: list[Iterable[_Phrase]] = [self._exact.get((text, ""), ())]
        if index + 1 < len(found):
            lists.append(self._exact.get((text, found[index + 1][0]), ()))
        lists += [self._stems.get(text[:size], ()) for size in range(1, _STEM + 1)]
        for known in (each for some in lists for each in some):
            last = index + len(known.parts) - 1
            if last >= len(found) or not _fits(known.parts[-1], found[last][0]):
                continue
            if not all(_fits(part, found[index + offset][0]) for offset, part in enumerate(known.parts)):
                continue
            gaps = (folded[found[each][2] : found[each + 1][1]] for each in range(index, last))
            if all(set(gap) <= _JOINS and len(gap) < 4 for gap in gaps):
                yield (found[last][2], sum(len(part.rstrip("*")) for part in known.parts)), known.word


def _joined(parts: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """As they are, and with neighbours written as one: hip hop, hiphop."""
    yield parts
    if len(parts) > 4:
        return
    for place in range(len(parts) - 1):
        first, second = parts[place : place + 2]
        if not first.endswith("*"):
            yield from _joined((*parts[:place], first + second, *parts[place + 2 :]))


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text)


def _fits(part: str, text: str) -> bool:
    return text.startswith(part[:-1]) if part.endswith("*") else text == part


def _allowed(word: Word, language: str | None) -> bool:
    return not word.weak or language is None or word.language == language


def _of_one_language(words: list[Word], language: str | None) -> tuple[Word, ...]:
    """What is spelt alike in several is meant in the prompt's; otherwise in the first of them."""
    if language is None:
        return tuple(dict.fromkeys(words))
    languages = {word.language for word in words}
    for each in (language, _SHARED, *LANGUAGES):
        if each in languages:
            shared = [word for word in words if word.language in (each, _SHARED)]
            return tuple(dict.fromkeys(shared))
    return ()


@cache
def lexicon() -> Lexicon:
    return Lexicon()


@cache
def any_of(kind: str, *values: str, languages: tuple[str, ...] = ()) -> str:
    """A regular expression of everything that is called so, the longest first; without values, of the kind."""
    patterns = {
        _pattern(phrase)
        for phrase, word in lexicon().phrases
        if word.kind == kind
        and (not values or word.value in values)
        and not word.weak
        and (not languages or word.language in languages)
    }
    return f"(?:{'|'.join(sorted(patterns, key=lambda each: (-len(each), each)))})"


def _pattern(phrase: str) -> str:
    escaped = r"[\s-]*".join(re.escape(part) for part in phrase.split())
    if re.fullmatch(f"[{CJK}]", phrase[-1:]):
        return escaped
    return escaped.replace(r"\*", r"[^\W\d_]*") + r"(?![^\W\d_])" * phrase[-1].isalpha()


@cache
def common() -> dict[str, frozenset[str]]:
    """Per language the words that carry no music, by which it is told."""
    words: defaultdict[str, set[str]] = defaultdict(set)
    for phrase, word in lexicon().phrases:
        if word.kind == "common":
            words[word.language].update(phrase.split())
    return {language: frozenset(each) for language, each in words.items()}


def language_of(folded: str) -> str:
    """Which of LANGUAGES most of it is in."""
    if re.search("[\u3040-\u30ff]", folded):
        return "ja"
    if re.search("[\u3400-\u9fff]", folded):
        return "zh"
    if re.search("[\u0400-\u04ff]", folded):
        return "ru"
    points = dict.fromkeys(LANGUAGES, 0.0)
    points["en"] = 0.5  # where nothing tells
    for text in _tokens(folded):
        for language, words in common().items():
            points[language] += 2.0 * (text in words)
    for token in lexicon().tokens(folded, None):
        for language in {word.language for word in token.words if not word.weak} - {_SHARED}:
            points[language] += 1.0
    return max(LANGUAGES, key=lambda language: points[language])
