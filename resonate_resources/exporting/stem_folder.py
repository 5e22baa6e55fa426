"""A folder of stems from elsewhere, made a song: what its files are by their names, and the music by a profile."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice, takewhile
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf

from resonate_resources.exporting.song import Marker, Song
from resonate_resources.recordings.music import Music
from resonate_resources.recordings.recording import (
    BLOCK_FRAMES,
    AudioError,
    Recording,
    Samples,
    Stems,
    write_blocks,
)
from resonate_resources.recordings.tags import Tags
from resonate_resources.recordings.tempo_map import TempoMap

_WORDS = {
    "vocals": ("vocals", "vocal", "vox", "voice", "voices", "acapella", "acappella"),
    "drums": ("drums", "drum", "percussion", "perc"),
    "bass": ("bass", "bass guitar"),
    "other": ("other", "others", "rest", "residual", "music"),
    "piano": ("piano", "keys", "keyboard", "keyboards"),
    "guitar": ("guitar", "guitars", "gtr"),
    "mix": ("mix", "mixdown", "mixture", "master", "original", "full", "fullmix"),
    "instrumental": ("instrumental", "inst", "karaoke", "backing track", "no vocals"),
}
"""What separators, studios and data sets (MUSDB18, MoisesDB, Logic, UVR, Demucs) call what we have a name for."""
_NAMED = {word: part for part, words in _WORDS.items() for word in words}
_WHOLE = ("mix", "instrumental")
"""Of which one will do."""
_ORDER = ("vocals", "drums", "bass", "other", "piano", "guitar")
_AUDIO = {".wav", ".flac", ".aif", ".aiff", ".mp3", ".ogg"}
"""Read here, and by the programs that stems go to."""
_SURE = 0.5
"""A key that is less so is not told, as elsewhere."""
_PADDING_S = 0.1
"""What lossy encoders add to a mix at most: MP3's delay and padding are 50 ms."""

Profiled = Callable[[Recording], Mapping[str, Any]]
"""Gives the profile of a recording, as `profile.json` has it."""


@dataclass(frozen=True)
class StemFolder:
    """title: what all files' names begin with, or the folder's. stems: vocals, drums, bass, other, piano and guitar
    first, then what else there is by its own words. mix: of them all, where it is among the files. notes: what was
    left out, one line each."""

    title: str
    stems: Stems
    mix: Recording | None
    notes: tuple[str, ...]

    @classmethod
    def read(cls, folder: Path) -> StemFolder:
        """Raises AudioError where there are no stems in it, or they are of different rates."""
        try:
            paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _AUDIO)
        except OSError as error:
            raise AudioError(f"{folder}: can't be read ({(error.strerror or str(error)).lower()})") from error
        paths = [path for path in paths if not path.name.startswith(".")]  # macOS puts such beside files
        title, parts = _parts([path.stem for path in paths])
        found: dict[str, list[Recording]] = {}
        for part, path in zip(parts, paths, strict=True):
            found.setdefault(part, []).append(_opened(path))
        mixes, instrumentals = (found.pop(part, []) for part in ("mix", "instrumental"))
        left_out = mixes[1:]
        if found.keys() - {"vocals"}:
            left_out += instrumentals
        elif instrumentals:
            found["instrumental"], left_out = instrumentals[:1], [*left_out, *instrumentals[1:]]
        notes = [f"{each.path.name}: left out, as its parts are there by themselves" for each in left_out]
        stems = _told_apart(sorted(found.items(), key=lambda each: _place(each[0])))
        if not stems:
            raise AudioError(f"{folder.name}: there are no stems in it ({', '.join(sorted(_AUDIO))})")
        rates = {recording.sample_rate for recording in stems.values()}
        if len(rates) > 1:
            told = ", ".join(f"{rate} Hz" for rate in sorted(rates))
            raise AudioError(f"{folder.name}: its stems are of different rates ({told}); make them one")
        lengths = {recording.frames for recording in stems.values()}
        if len(lengths) > 1:
            seconds = (max(lengths) - min(lengths)) / max(rates)
            notes.append(f"stems differ in length by up to {seconds:.2f} s; all begin at the start")
        if mixes:
            notes += _unlike(mixes[0], max(rates), max(lengths))
        return cls(title or folder.name, stems, mixes[0] if mixes else None, tuple(notes))

    def song(self, into: Path, profiled: Profiled, tempo_bpm: float | None = None) -> Song:
        """Their song; into: an existing directory, for the sum of the stems where there is no mix among them.

        profiled: of the mix; where tempo_bpm is told, it is to be told what it hears by, too, and counts. Raises
        AudioError for sound that is damaged or no numbers.
        """
        for recording in (*self.stems.values(), *((self.mix,) if self.mix else ())):
            _require_numbers(recording)
        mix = self.mix or _summed(self.stems, into / "mix.wav")
        profile = profiled(mix)
        music = Music.of(profile)
        bpm = tempo_bpm or profile["tempo_bpm"]
        artist, dash, title = self.title.partition(" - ")
        sure = profile.get("key_confidence")
        key = profile["key"] if sure is None or sure >= _SURE else None
        return Song(
            track=self.title,
            tags=Tags(
                artist=artist if dash else None,
                title=title if dash else self.title,
                key=key,
                bpm=None if bpm is None else round(bpm, 2),
            ),
            grid=music.grid,
            tempo_map=TempoMap.of(music.grid, bpm),
            keys=music.keys,
            sections=[
                Marker(section["label"], section["start_s"], section["end_s"])
                for section in profile.get("sections") or ()
            ],
            original=mix,
            stems=self.stems,
            master=mix,
            notes={},
        )


def _opened(path: Path) -> Recording:
    if not path.is_file():  # a pipe would be waited on for ever
        raise AudioError(f"{path.name}: is not a regular file; give an audio file")
    recording = Recording.open(path)
    if not recording.frames:
        raise AudioError(f"{path.name}: holds no audio (0 frames); export it again")
    return recording


def _require_numbers(recording: Recording) -> None:
    """Raises AudioError."""
    try:
        whole = all(np.isfinite(block).all() for block in recording.blocks())
    except sf.LibsndfileError as error:
        raise AudioError(f"{recording.path.name}: is damaged or cut off; copy it again") from error
    if not whole:
        raise AudioError(f"{recording.path.name}: holds samples that are NaN or infinite; export it again")


def _told_apart(found: Sequence[tuple[str, Sequence[Recording]]]) -> Stems:
    """Those of one name by numbers from 2 on that no other has."""
    taken = {part for part, _ in found}
    stems: Stems = {}
    for part, recordings in found:
        free = (name for number in count(2) if (name := f"{part} {number}") not in taken)
        stems |= zip((part, *islice(free, len(recordings) - 1)), recordings, strict=True)
        taken |= stems.keys()
    return stems


def _unlike(mix: Recording, rate: int, frames: int) -> Iterator[str]:
    """What of a mix is not as it is of its stems, the longest of which has so many frames."""
    if mix.sample_rate != rate:
        yield f"{mix.path.name}: has {mix.sample_rate} Hz, the stems {rate} Hz"
    if abs(mix.duration - frames / rate) > _PADDING_S:
        lasts = f"lasts {mix.duration:.2f} s, the stems {frames / rate:.2f} s"
        yield f"{mix.path.name}: {lasts}; beats and key are heard in it, and it may be of another version"


def _place(part: str) -> int:
    return _ORDER.index(part) if part in _ORDER else len(_ORDER)


def _parts(names: Sequence[str]) -> tuple[str, list[str]]:
    """What all names begin with, as it is written; and what each is: by our word where it is the only one of its
    kind, else by its own."""
    words = [[*re.finditer(r"[^\W_]+", name)] for name in names]
    if len({each[0][0] for each in words if each}) > 1:  # numbered, as tracks are
        words = [each[1:] if len(each) > 1 and each[0][0].isdigit() else each for each in words]
    told = [[word[0] for word in each] for each in words]
    alike = zip(*told, strict=False) if len(told) > 1 else ()
    common = len([*takewhile(lambda each: len(set(each)) == 1, alike)])
    title = names[0][words[0][0].start() : words[0][common - 1].end()] if common else ""
    rests = [
        " ".join(each[common:]).lower() if each else name for name, each in zip(names, told, strict=True)
    ]
    kinds = [_kind(rest) if rest else "mix" for rest in rests]  # what is called as the song is the song
    times = Counter(kinds)
    return title, [
        kind if kind in _WHOLE or (kind and times[kind] == 1) else rest
        for kind, rest in zip(kinds, rests, strict=True)
    ]


def _kind(rest: str) -> str | None:
    """By its last words that are known: in "lead vocals" and "no vocals" these say what it is."""
    words = rest.split()
    ends = range(len(words), 0, -1)
    told = (_NAMED.get(" ".join(words[max(0, end - length) : end])) for end in ends for length in (2, 1))
    return next((kind for kind in told if kind), None)


def _summed(stems: Stems, path: Path) -> Recording:
    """All together; those that end early are silent from there on. Mono is on the left and the right, all else on
    the first channels there are: of 5.1 these are the left and the right one, too."""
    longest = max(stems.values(), key=lambda stem: stem.frames)
    widest = max(stem.channels for stem in stems.values())

    def blocks() -> Iterator[Samples]:
        for start in range(0, longest.frames, BLOCK_FRAMES):
            total = np.zeros((widest, min(BLOCK_FRAMES, longest.frames - start)), np.float32)
            for stem in stems.values():
                block = stem.read(start, start + BLOCK_FRAMES)
                total[: max(2, len(block)), : block.shape[1]] += block
            yield total

    return write_blocks(path, blocks(), like=replace(longest, channels=widest))
