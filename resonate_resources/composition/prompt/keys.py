"""Keys, in the spellings of twelve languages, of DJs' wheels and of sheet music."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from resonate_resources.composition.prompt.lexicon import any_of, lexicon
from resonate_resources.composition.prompt.text import Text
from resonate_resources.composition.request import MODES

_CAMELOT_MINOR: Final = ("Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "Db")
_CAMELOT_MAJOR: Final = ("B", "F#", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E")
"""Of 1 to 12 on Camelot's wheel; Open Key's 1 is Camelot's 8."""
_KANA: Final = dict(zip("ハニホヘトイロ", "CDEFGAB", strict=True))
_SIGNS: Final = {
    **dict.fromkeys([*"嬰升#", "シャープ"], "#"),
    **dict.fromkeys([*"変降b", "フラット"], "b"),
}
_WHEEL: Final = re.compile(r"(?:(?:camelot|open key|key)\W{1,3})?(?<![^\W_])(\d{1,2})([abmd])(?![^\W_])")
_CJK_KEY: Final = r"([嬰変升降#]|b(?=[a-g]))?\s*([a-gハニホヘトイロ])\s*([#b]|シャープ|フラット)?\s*"
_GERMAN_B: Final = ("de", "pl")
"""Where B is B flat, and H is B."""
_GERMAN_MODES: Final = ("dur", "moll", "mol")
"""Of those languages and of Scandinavian ones, which count alike; Danes write mol."""
_LESSER_OR_GREATER: Final = ("menor", "minore", "maior", "mayor", "maggiore")
_ENDS: Final = r"(?=\s*(?:$|[,.;:!?()/&+\ue000]|\d|-\s|bpm|(?:at|with|and|for|mit|und|avec|con|com|met|z)\b))"


def read_key(text: Text, language: str) -> None:
    for pattern in (_cjk(), _cjk_plain()):
        for match in text.find(pattern):
            sign, letter, after = match.group(1), match.group(2), match.group(3)
            tonic = _KANA.get(letter, letter.upper()) + _SIGNS.get(sign or after or "", "")
            mode = _mode(match.group("mode")) if "mode" in match.groupdict() else "major"
            text.state("key", f"{tonic} {mode}", *match.span())
    for match in text.find(_with_mode()):
        _state(text, match, language)
    for match in text.find(_impossible()):
        text.refuse("key", *match.span(), "no key; say it as C minor, F# major or D dorian")
    for match in text.find(_tonic_alone()):
        _state(text, match, language)
    for match in text.find(_WHEEL):
        _state_wheel(text, match)


@cache
def _notes() -> dict[str, str]:
    """Names of more than one letter, and what they are; longest first in `_note`."""
    return {phrase: word.value for phrase, word in lexicon().phrases if word.kind == "note"}


@cache
def _note() -> str:
    names = "|".join(sorted(map(re.escape, _notes()), key=len, reverse=True))
    sharp, flat = any_of("accidental", "sharp"), any_of("accidental", "flat")
    sign = rf"(?P<sharp>\s?#|[\s-]*{sharp})|(?P<flat>b|[\s-]*{flat})"
    return rf"(?<![^\W_'])(?:(?P<letter>[a-h])|(?P<name>{names}))(?:{sign})?"


@cache
def _mode_words() -> str:
    return any_of("mode", *MODES, "locrian")


@cache
def _with_mode() -> re.Pattern[str]:
    after = r"(?!\d|\s*(?:key|keys|mode|tonality|chords?|tonart|parte|scale|moods?|feel|way|one)\b)"
    return re.compile(rf"{_note()}[\s-]*(?P<mode>{_mode_words()}|groot(?!\w)|klein(?!\w)){after}")


@cache
def _impossible() -> re.Pattern[str]:
    sharp, flat = any_of("accidental", "sharp"), any_of("accidental", "flat")
    key = any_of("mode", *MODES)
    h_sharp, key_of_j = rf"h[\s-]?(?:#|{sharp}|{flat})", r"(?:key of|key:|key)\s+[h-z](?![^\W_'])"
    j_minor = rf"[j-rt-z]\s?(?:#|{sharp}|{flat})?[\s-](?!m(?:in)?\b){key}"
    return re.compile(rf"(?<![^\W_'])(?:{h_sharp}|{key_of_j}|{j_minor})")


@cache
def _tonic_alone() -> re.Pattern[str]:
    """A tonic without a mode: after a word that says it is a key, or with an accidental."""
    said = any_of("control", "key")
    sharp, flat = any_of("accidental", "sharp"), any_of("accidental", "flat")
    return re.compile(
        rf"(?<![^\W_])(?:(?:{said})[\s:=]*(?P<letter>[a-h])(?:(?P<sharp>\s?#|[\s-]*{sharp})|(?P<flat>b(?![^\W_])|[\s-]*{flat}))?(?![^\W_]|'|-[^\W\d_])"
        rf"|(?:{said})[\s:=]*(?P<name>cis|dis|fis|gis|ais|bes|es|as|ges|des)(?![^\W_])"
        rf"|(?P<letter2>[b-g])(?:(?P<sharp2>#|[\s-]*{sharp})|(?P<flat2>[\s-]{flat}|(?<=[,;|/(]\s[bdega])b(?=\s*(?:[,;|/)]|$))))(?![^\W_]))"
    )


@cache
def _cjk() -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z]){_CJK_KEY}(?P<mode>{any_of('mode', *MODES, languages=('ja', 'zh'))})")


@cache
def _cjk_plain() -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z]){_CJK_KEY}(?:调(?!式)|調(?!式)|のキー)")


def _mode(written: str) -> str:
    if written in ("groot", "klein"):
        return "major" if written == "groot" else "minor"
    written = re.sub(r"[\s-]+", " ", written)
    for mode in (*MODES, "locrian"):
        if re.fullmatch(any_of("mode", mode), written):
            return mode
    raise AssertionError(written)


def _state(text: Text, match: re.Match[str], language: str) -> None:
    found = match.groupdict()
    letter, name = found.get("letter") or found.get("letter2"), found.get("name")
    sharp, flat = found.get("sharp") or found.get("sharp2"), found.get("flat") or found.get("flat2")
    written = found.get("mode")
    signed = bool(sharp or flat)
    if written and not _is_meant(text, match, letter, name, written, signed):
        return
    if not written and not _is_tonic(text, match, letter, signed):
        return
    mode = _mode(written) if written else "major"
    if mode == "locrian":
        text.refuse("key", *match.span(), f"a mode that can't be composed in; there are {', '.join(MODES)}")
        return
    german = language in _GERMAN_B or written in _GERMAN_MODES
    tonic = _notes()[name] if name else (letter or "").upper()
    if len(tonic) == 2:
        sharp = flat = ""  # it has its sign in its name
    if tonic == "B" and letter == "b" and german and not (sharp or flat):
        tonic = "Bb"
    elif letter == "h":
        if (sharp or flat) or not (written or german):
            text.refuse("key", *match.span(), "no key; say it as C minor, F# major or D dorian")
            return
        tonic = "B"
    text.state("key", f"{tonic}{'#' if sharp else 'b' if flat else ''} {mode}", *match.span())
    if not written:
        text.remarks.append(f"{text.words(*match.span())}: major, as no mode is said")


def _is_meant(
    text: Text, match: re.Match[str], letter: str | None, name: str | None, written: str, signed: bool
) -> bool:
    """Whether a note and a mode's name are a key: not `I am`, `em` (Portuguese), `a menor`."""
    if written in ("m", "min", "maj") and (name or match.group().endswith(" m")):
        return False  # only after a letter
    if name and name.endswith("ss") and written not in _GERMAN_MODES:
        return False  # as Swedes spell them; another language's words
    if letter not in ("a", "e") or signed:
        return True
    # `e minore` is "and minor", `a menor` "the least", in languages that call the notes la and mi.
    return written not in _LESSER_OR_GREATER and (written != "m" or _is_written_large(text, match))


def _is_tonic(text: Text, match: re.Match[str], letter: str | None, signed: bool) -> bool:
    """Not an article, nor a conjunction: in a dark room."""
    if signed or letter != "a":
        return True
    return bool(re.match(_ENDS, text.folded[match.end() : match.end() + 12]))


def _is_written_large(text: Text, match: re.Match[str]) -> bool:
    words = text.words(*match.span())
    after = text.folded[match.end() : match.end() + 12]
    return words[0].isupper() and words[-1].islower() and (words[0] == "A" or bool(re.match(_ENDS, after)))


def _state_wheel(text: Text, match: re.Match[str]) -> None:
    place, letter = int(match.group(1)), match.group(2)
    named = re.search(r"camelot|open key|\bkey\b", text.whole)
    if not 1 <= place <= 12:
        if named:
            text.refuse("key", *match.span(), "keys on the wheel are 1 to 12")
        return
    if letter in "md":
        long = re.search(r"\b(?:for|about|around|of)\s*$", text.whole[: match.start()])
        if (letter == "d" and place == 3 and not named) or (letter == "m" and long):
            return
        place = (place + 6) % 12 + 1
    tonic = (_CAMELOT_MINOR if letter in "am" else _CAMELOT_MAJOR)[place - 1]
    text.state("key", f"{tonic} {'minor' if letter in 'am' else 'major'}", *match.span())
