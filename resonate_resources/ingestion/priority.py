"""Which files of a music library come first."""

from __future__ import annotations

import re
from collections.abc import Mapping

from resonate_resources.recordings.believed import believed_bpm, is_key
from resonate_resources.recordings.tags import Tags

_CHOSEN, _HOUSE, _FAST, _VOCALS = 8, 4, 2, 1
_KINDS = {_CHOSEN: "in a crate", _HOUSE: "House", _FAST: "over 120 BPM", _VOCALS: "vocals"}
_LAST = -16
"""So that all are below 0, which is what Dagster gives a file that somebody drops into the inbox: it goes first."""
FAST_BPM = 120.0

_WORD = re.compile(r"[^\W_]+")
_SUNG = re.compile(r"\b(vocals?|vox|a ?cap+el+as?|feat|ft|featuring)\b")
_UNSUNG = re.compile(r"\b(instrumentals?|karaoke|no vocals?)\b")


def priority(tags: Tags, crates: tuple[str, ...] = ()) -> int:
    """Dagster's run priority, −16…−1: the higher, the sooner.

    What a DJ has put into a crate or playlist comes before House, that before what is faster than 120 BPM, that
    before vocals (`says_vocals`). Weights are powers of two: each outweighs all of those after it. What is not
    known counts as not so.
    """
    return _LAST + sum(
        weight
        for weight, holds in (
            (_CHOSEN, bool(crates)),
            (_HOUSE, "house" in _words(tags.genre).split()),
            (_FAST, (believed_bpm(tags) or 0.0) > FAST_BPM),
            (_VOCALS, says_vocals(tags) is True),
        )
        if holds
    )


def kind_of(first: int) -> str:
    """What is known of files of that priority: "in a crate, House"; empty where nothing is that counts."""
    return ", ".join(words for weight, words in _KINDS.items() if (first - _LAST) & weight)


def reasons(tags: Tags, crates: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What makes a file's priority what it is, the weightiest first: "in Mine", "House", "128 BPM", "vocals"."""
    own = {_CHOSEN: f"in {', '.join(crates)}", _FAST: f"{tags.bpm:g} BPM" if tags.bpm else ""}
    first = priority(tags, crates) - _LAST
    return tuple(own.get(weight, words) for weight, words in _KINDS.items() if first & weight)


def says_vocals(tags: Tags) -> bool | None:
    """Whether title or genre say that somebody sings ("Vocal Mix", "feat.", "Acapella") or nobody does
    ("Instrumental"); None where they say neither."""
    words = " ".join(_words(text) for text in (tags.title, tags.genre))
    if _UNSUNG.search(words):
        return False
    return True if _SUNG.search(words) or _SUNG.search(_words(tags.artist)) else None


def doubts(texts: Mapping[str, str], tags: Tags) -> tuple[str, ...]:
    """What of BPM and key in a file's tags can't be meant, one line each. texts: field → as it stands there."""
    bpm, key = (texts.get(name, "").strip("\0 ") for name in ("bpm", "key"))
    told = []
    if bpm and believed_bpm(tags) is None:
        told.append(f"BPM {bpm[:40]!a}: is no tempo")
    if key and not is_key(key):
        told.append(f"key {key[:40]!a}: is no key")
    return tuple(told)


def _words(text: str | None) -> str:
    """In lower case, with one space between them."""
    return " ".join(_WORD.findall((text or "").casefold()))
