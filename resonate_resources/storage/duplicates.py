"""Tracks that sound the same: decoded to the same samples, or alike by their acoustic fingerprints.

Not every pair is compared. Of a fingerprint's words, an eighth of a second each, those with the lowest hashes are
its sketch (bottom-k sketches: Broder, On the resemblance and containment of documents, 1997): which words these are
depends on what sounds, not on where in the track it does, so that other encodings of a recording, and one that
begins later, share some. Only tracks that do are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from resonate_resources.storage.database import transaction
from resonate_resources.storage.tracks import fingerprints, tracks

Words = npt.NDArray[np.uint32]

ALIKE = 0.7
"""0…1, from which on two are the same. Encodings of one song, begun up to 3 s later, have 0.88 to 1, different
songs 0.36 at most (docs/library.md)."""
_SKETCH = 64  # words: of songs of 7 s and more, the same recordings shared 5 at least, different ones none
_WORD_BYTES = 4
_SHARED = 2
_FEWEST_WORDS = 16
"""Different ones, of two seconds or more: silence and held tones have one or two, and say nothing."""
_PAIRED = 50
"""Where more tracks than this share a word, each is compared with the next of them only."""
_PAGE = 500
_SKETCH_BYTES = sa.cast(fingerprints.c.sketch, sa.LargeBinary)
"""SQLite keeps a text in a column of bytes, where somebody writes one."""
_LENGTH = sa.func.length(_SKETCH_BYTES)


@dataclass(frozen=True)
class Duplicates:
    """Tracks, in the order of their keys, that are the same. likeness: of the least alike of them that were
    compared, 1.0 where all were decoded to the same samples."""

    tracks: tuple[str, ...]
    likeness: float


def find_duplicates(
    url: str, words_of: Callable[[str], Words], alike: Callable[[str, str], float]
) -> list[Duplicates]:
    """Groups of tracks that are the same, the largest first. words_of, alike: what fingerprints consist of, and how
    much two have in common, 0…1. Whoever is like one of a group is in it."""
    _sketch_missing(url, words_of)
    edges = dict.fromkeys(_same_sound(url), 1.0)
    pairs = [pair for pair in _candidates(url) if pair not in edges]
    for start in range(0, len(pairs), _PAGE):
        some = pairs[start : start + _PAGE]
        texts = _texts(url, some)
        for one, other in some:
            if {one, other} <= texts.keys() and (likeness := alike(texts[one], texts[other])) >= ALIKE:
                edges[one, other] = likeness
    return _groups(edges)


def same_sound(url: str) -> list[Duplicates]:
    """Only those that were decoded to the same samples: a WAV and its FLAC, copies with other tags."""
    return _groups(dict.fromkeys(_same_sound(url), 1.0))


def without_fingerprint(url: str) -> int:
    """How many tracks have none that tells anything: too short, silence, or profiled where Chromaprint was
    missing."""
    joined = tracks.outerjoin(fingerprints, fingerprints.c.track == tracks.c.track)
    query = sa.select(sa.func.count()).select_from(joined)
    lacking = fingerprints.c.fingerprint.is_(None) | (_LENGTH == 0)
    with transaction(url) as db:
        return db.execute(query.where(lacking)).scalar_one()


def sketch_of(words: Words) -> bytes | None:
    """What is compared first of a fingerprint; None of one that has too little in it to be told from others."""
    different = np.unique(words)
    if len(different) < _FEWEST_WORDS:
        return None
    # Multiplicative hashing by the golden ratio (Knuth, The Art of Computer Programming 3, 6.4).
    order = np.argsort(different * np.uint32(2_654_435_769), kind="stable")
    return different[order[:_SKETCH]].astype("<u4").tobytes()


def _sketch_missing(url: str, words_of: Callable[[str], Words]) -> None:
    query = sa.select(fingerprints.c.track, fingerprints.c.fingerprint)
    missing = fingerprints.c.sketch.is_(None) | (_LENGTH % _WORD_BYTES != 0)
    query = query.where(fingerprints.c.fingerprint.is_not(None), missing).limit(_PAGE)
    update = sa.update(fingerprints).where(fingerprints.c.track == sa.bindparam("of"))
    update = update.where(fingerprints.c.fingerprint == sa.bindparam("made_of"))
    while True:
        with transaction(url) as db:
            rows = db.execute(query).all()
        if not rows:
            return
        values = [
            {"of": track, "made_of": text, "sketch": sketch_of(words_of(text)) or b""} for track, text in rows
        ]
        with transaction(url) as db:
            db.execute(update, values)


def _same_sound(url: str) -> Iterator[tuple[str, str]]:
    """Each of those whose sound is the same, with the next of them."""
    several = sa.select(tracks.c.sound_sha256).group_by(tracks.c.sound_sha256).having(sa.func.count() > 1)
    query = sa.select(tracks.c.sound_sha256, tracks.c.track).where(tracks.c.sound_sha256.in_(several))
    with transaction(url) as db:
        rows = db.execute(query.order_by(tracks.c.sound_sha256, tracks.c.track)).all()
    for (sound, track), (next_sound, next_track) in pairwise(rows):
        if sound == next_sound:
            yield track, next_track


def _candidates(url: str) -> list[tuple[str, str]]:
    """Pairs of tracks whose sketches share words, in order."""
    query = sa.select(fingerprints.c.track, _SKETCH_BYTES).order_by(fingerprints.c.track)
    query = query.where(_LENGTH > 0, _LENGTH % _WORD_BYTES == 0)
    with transaction(url) as db:
        rows = db.execute(query).all()
    if len(rows) < 2:
        return []
    sketches = [np.frombuffer(sketch, "<u4") for _, sketch in rows]
    words = np.concatenate(sketches)
    owners = np.repeat(np.arange(len(rows)), [len(sketch) for sketch in sketches])
    order = np.argsort(words, kind="stable")  # owners rise among equal words
    words, owners = words[order], owners[order]
    starts = np.flatnonzero(np.r_[True, words[1:] != words[:-1]])
    lengths = np.diff(np.r_[starts, len(words)])
    runs = np.repeat(lengths, lengths)
    pairs = []
    for step in range(1, _PAIRED):
        here = np.flatnonzero(words[step:] == words[:-step])
        if not len(here):
            break
        if step > 1:
            here = here[runs[here] <= _PAIRED]
        pairs.append(owners[here] * len(rows) + owners[here + step])
    if not pairs:
        return []
    codes, shared = np.unique(np.concatenate(pairs), return_counts=True)
    found = codes[shared >= _SHARED]
    return [(rows[code // len(rows)][0], rows[code % len(rows)][0]) for code in found.tolist()]


def _texts(url: str, pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Track → fingerprint, of the tracks of some pairs."""
    query = sa.select(fingerprints.c.track, fingerprints.c.fingerprint)
    query = query.where(fingerprints.c.track.in_(sorted({track for pair in pairs for track in pair})))
    with transaction(url) as db:
        return {track: text for track, text in db.execute(query)}  # noqa: C416 — a row is no tuple of str


def _groups(edges: dict[tuple[str, str], float]) -> list[Duplicates]:
    """Tracks that hang together by pairs."""
    leader: dict[str, str] = {}

    def leader_of(track: str) -> str:
        while (above := leader.setdefault(track, track)) != track:
            leader[track] = track = leader.setdefault(above, above)
        return track

    for one, other in edges:
        leader[leader_of(one)] = leader_of(other)
    members: dict[str, list[str]] = {}
    for track in leader:
        members.setdefault(leader_of(track), []).append(track)
    likeness = dict.fromkeys(members, 1.0)
    for (one, _), alike in edges.items():
        likeness[leader_of(one)] = min(likeness[leader_of(one)], alike)
    groups = [Duplicates(tuple(sorted(each)), likeness[first]) for first, each in members.items()]
    return sorted(groups, key=lambda group: (-len(group.tracks), group.tracks))
