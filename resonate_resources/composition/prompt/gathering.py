"""One value a field, from all that was found; what excludes each other is in none."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from resonate_resources.composition.prompt.lexicon import Token, any_of, common, lexicon
from resonate_resources.composition.prompt.negation import refused
from resonate_resources.composition.prompt.structure import sections
from resonate_resources.composition.prompt.tempo_words import Range, common_range, excludes, range_of
from resonate_resources.composition.prompt.text import TAKEN, Said, Text
from resonate_resources.composition.prompt.typos import nearest

_HEAD_FIRST: Final = ("fr", "es", "it", "pt")
"""Languages whose nouns come before what describes them: rock latino."""
_GUITARS: Final = ("acoustic_guitar", "electric_guitar", "distorted_guitar")
_ELECTRIC: Final = (
    *("rock", "indie_rock", "blues", "funk", "disco", "reggae", "rnb_soul", "gospel", "jazz_swing"),
    *("pop", "synthwave", "afrobeat", "house", "edm_festival", "trap"),
)
_DISTORTED: Final = ("metal", "punk")
_WALTZ: Final = "3/4"
_DRAWN_OUT: Final = re.compile(r"([^\W\d_])\1{2,}")
_NEVER_MUSIC: Final = re.compile(r"[\d_]+\w?|\W")


@dataclass
class Found:
    asked: dict[str, Any] = field(default_factory=dict)
    how: dict[str, Literal["stated", "implied"]] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    contradictory: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    nearest_genre: str | None = None


class _Gathering:
    def __init__(self, text: Text, language: str) -> None:
        self.text, self.language = text, language
        self.found = Found()
        self.tokens = [self._corrected(token) for token in lexicon().tokens(text.folded, language)]
        self.refused = refused(text.folded, self.tokens)

    def _corrected(self, token: Token) -> Token:
        if token.words or not token.text.isalpha() or token.text in common()[self.language]:
            return token
        for drawn_out in (r"\1", r"\1\1") if _DRAWN_OUT.search(token.text) else ():
            (known, *_) = lexicon().tokens(_DRAWN_OUT.sub(drawn_out, token.text), self.language)
            if known.words:
                return Token(token.text, token.at, token.end, known.words)
        if not (near := nearest(token.text)):
            return token
        phrase, word = near
        self.text.remarks.append(f"{self.text.words(token.at, token.end)}: read as {phrase}")
        return Token(token.text, token.at, token.end, (word,))

    def all_of(self, kind: str, refused: bool = False) -> list[tuple[str, Token]]:
        """Values of a kind, in their order, that are asked for; or that are refused."""
        return [
            (word.value, token)
            for index, token in enumerate(self.tokens)
            if (index in self.refused) == refused
            for word in token.words
            if word.kind == kind
        ]

    def ask(
        self,
        name: str,
        value: object,
        tokens: Iterable[Token | Said],
        how: Literal["stated", "implied"] = "stated",
    ) -> None:
        self.found.asked[name] = value
        self.found.how[name] = how
        told = (self.text.words(token.at, token.end) for token in tokens)
        self.found.words[name] = ", ".join(dict.fromkeys(told))[:200]

    def contradict(self, name: str, tokens: Sequence[Token | Said]) -> None:
        self.found.contradictory.append(name)
        told = " against ".join(dict.fromkeys(self.text.words(token.at, token.end) for token in tokens))
        self.text.remarks.append(f"{name}: {told}; none of them was taken")

    def one_of(self, name: str, statements: Sequence[tuple[object, Token | Said]]) -> None:
        """Asks for what all say; after a correction, for the last."""
        if not statements:
            return
        by_place = sorted(statements, key=lambda each: each[1].at)
        value, last = by_place[-1]
        if len({each for each, _ in by_place}) == 1 or self._corrects(by_place[0][1].end, last.at):
            self.ask(name, value, [last])
        else:
            self.contradict(name, [each for _, each in by_place])

    def _corrects(self, at: int, end: int) -> bool:
        return bool(re.search(rf"(?<![^\W_]){any_of('control', 'correction')}", self.text.whole[at:end]))

    def said(self, name: str) -> list[tuple[object, Said]]:
        return [(said.value, said) for said in self.text.said if said.field == name]


def gather(text: Text, language: str) -> Found:
    gathering = _Gathering(text, language)
    _genre(gathering)
    _tempo(gathering)
    for name in ("key", "duration_s", "bars"):
        gathering.one_of(name, gathering.said(name))
    _metre(gathering)
    _instruments(gathering)
    _structure(gathering)
    _mood_and_energy(gathering)
    _swing(gathering)
    for value, said in gathering.said("reference_name"):
        gathering.ask("reference_name", value, [said])
    _unknown(gathering)
    return gathering.found


def _genre(of: _Gathering) -> None:
    genres = of.all_of("genre")
    names = list(dict.fromkeys(name for name, _ in genres))
    swing = [token for value, token in of.all_of("swing") if value == "yes" and _is_swing(token)]
    if not names:
        for near, token in of.all_of("foreign_genre")[:1]:
            told = of.text.words(token.at, token.end)
            of.found.nearest_genre = near
            of.text.remarks.append(f"{told} is no genre of ours; the nearest is {near.replace('_', ' ')}")
            return
        if swing:
            of.ask("genre", "jazz_swing", swing, "implied")
        return
    chosen, token = genres[0]
    if len(names) > 1:
        for (_, one), (name, other) in itertools.pairwise(genres):
            adjacent = not of.text.folded[one.end : other.at].strip(" -")
            if adjacent and one is token and of.language not in _HEAD_FIRST:
                chosen, token = name, other
        of.text.remarks.append(
            f"Of the genres {', '.join(names).replace('_', ' ')}, {chosen.replace('_', ' ')} was taken"
        )
    of.ask("genre", chosen, [token])


def _is_swing(token: Token) -> bool:
    return token.text in ("swing", "свинг", "スウィング", "スイング", "摇摆")


def _tempo(of: _Gathering) -> None:
    genre = of.found.asked.get("genre")
    words = of.all_of("tempo")
    numbers = of.said("bpm")
    ranges: dict[Range, Said] = {cast("Range", value): said for value, said in numbers}
    if ranges:
        meant = common_range(list(ranges))
        if meant is None:
            of.one_of("bpm", numbers)
            return
        if against := [token for word, token in words if excludes(word, meant)]:
            of.contradict("bpm", [*ranges.values(), *against])
        else:
            of.ask("bpm", meant, ranges.values())
    elif words:
        meant = common_range([range_of(word, genre) for word, _ in words])
        if meant is None:
            of.contradict("bpm", [token for _, token in words])
        else:
            of.ask("bpm", meant, [token for _, token in words], "implied")


def _metre(of: _Gathering) -> None:
    """A waltz is in three."""
    statements: list[tuple[object, Token | Said]] = [*of.said("metre"), *of.all_of("metre")]
    waltzes = [token for name, token in of.all_of("genre") if name == "waltz"]
    if waltzes and any(metre != _WALTZ for metre, _ in statements):
        of.contradict("metre", [*waltzes, *(token for _, token in statements)])
        if of.found.asked.get("genre") == "waltz":
            of.found.asked.pop("genre")
            of.found.contradictory.append("genre")
    elif waltzes and not statements:
        of.ask("metre", _WALTZ, waltzes, "implied")
    else:
        of.one_of("metre", statements)


def _instruments(of: _Gathering) -> None:
    genre = of.found.asked.get("genre")
    wanted = [
        (name, token) for value, token in of.all_of("instrument") for name in _named(value, genre, False)
    ]
    unwanted = [
        (name, token) for value, token in of.all_of("instrument", True) for name in _named(value, genre, True)
    ]
    unwanted += [
        (name, token) for value, token in of.all_of("without") for name in _named(value, genre, True)
    ]
    unwanted += _voices(of, [token for name, token in unwanted if name == "vocals"])
    both = {name for name, _ in wanted} & {name for name, _ in unwanted}
    if both:
        of.contradict("instruments", [token for name, token in (*unwanted, *wanted) if name in both])
        of.found.contradictory.append("without")
    for near, token in of.all_of("foreign_instrument"):
        told = of.text.words(token.at, token.end)
        of.text.remarks.append(f"{told} is no instrument of ours; the nearest is {near.replace('_', ' ')}")
    for name, chosen in (("instruments", wanted), ("without", unwanted)):
        kept = {each: token for each, token in reversed(chosen) if each not in both}
        if kept:
            of.ask(name, tuple(reversed(kept)), reversed(kept.values()))
    if wanted and any(token.value("control") == "only" for token in of.tokens):
        of.text.remarks.append(
            "Only what is named was asked for; a genre's own parts are not kept out by that"
        )


def _voices(of: _Gathering, refused: list[Token]) -> list[tuple[str, Token]]:
    """Whether somebody is to sing. Returns what is refused by that."""
    yes = [token for value, token in of.all_of("vocals") if value == "yes"]
    no = refused + [token for value, token in of.all_of("vocals") if value == "no"]
    no += [token for value, token in of.all_of("vocals", True) if value == "yes"]
    if yes and no:
        of.contradict("vocals_wanted", [*no, *yes])
        of.found.contradictory.append("without")
    elif yes or no:
        of.ask("vocals_wanted", bool(yes), yes or no)
    return [("vocals", token) for token in no if not yes]


def _named(value: str, genre: str | None, refused: bool) -> tuple[str, ...]:
    """A guitar is the genre's; none at all, where it is refused."""
    if value != "guitar":
        return (value,)
    if refused:
        return _GUITARS
    return (_GUITARS[2] if genre in _DISTORTED else _GUITARS[1] if genre in _ELECTRIC else _GUITARS[0],)


def _structure(of: _Gathering) -> None:
    named = of.all_of("section")
    listed = sections(of.text, of.tokens, of.refused)
    if forms := of.said("structure"):
        of.one_of("structure", forms)
    elif listed:
        of.ask("structure", tuple(listed[:64]), [token for _, token in named])


def _mood_and_energy(of: _Gathering) -> None:
    moods = of.all_of("mood")
    hints = of.all_of("mood_emoji")
    unwanted = {mood for mood, _ in of.all_of("mood", True)}
    kept = {mood: token for mood, token in reversed([*moods, *hints]) if mood not in unwanted}
    if kept:
        of.ask("mood", tuple(reversed(kept)), reversed(kept.values()), "stated" if moods else "implied")
    energies = of.all_of("energy")
    values = {value for value, _ in energies}
    if values == {"rising", "falling"} or "wave" in values:
        of.ask("energy", "wave", [token for _, token in energies])
    elif values & {"rising", "falling"}:
        course = next(each for each in energies if each[0] in ("rising", "falling"))
        of.ask("energy", course[0], [course[1]])
    else:
        of.one_of("energy", energies)


def _swing(of: _Gathering) -> None:
    statements: list[tuple[object, Token | Said]] = [
        (value == "yes", token) for value, token in of.all_of("swing")
    ]
    statements += [(False, token) for value, token in of.all_of("swing", True) if value == "yes"]
    of.one_of("swing", statements)


def _unknown(of: _Gathering) -> None:
    """Runs of words, and of letters where words are not parted, that nothing was made of."""
    end = -1
    for token in of.tokens:
        known = token.words or _NEVER_MUSIC.fullmatch(token.text) or token.text in common()[of.language]
        known = known or (token.text.isascii() and len(token.text) == 1) or TAKEN in token.text
        if known:
            continue
        words = of.text.words(token.at, token.end)
        if token.at == end and of.found.unknown and not token.text.isascii():
            of.found.unknown[-1] += words
        else:
            of.found.unknown.append(words)
        end = token.end
