"""Real voices made to sing: syllables that people spoke, their pitch replaced by a composed melody (WORLD).

Morise, Yokomori and Ozawa, "WORLD: a vocoder-based high-quality speech synthesis system", IEICE 2016. What is
voiced in a syllable is taken from WORLD's own analysis of the spoken one. Needs the extra `singing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_tests.benchmarks.mask_fitting.real_sounds import RATE, read, speakers

Audio = npt.NDArray[np.float64]
Random = np.random.Generator

_FRAME_S = 0.005  # WORLD's own
_LEAST_VOICED_S = 0.12
_LONGEST_CONSONANT_S = 0.12
_MURMUR = 10**-1.5  # of the power: a voiced plosive hums before it opens, 15 dB and more under its vowel


@dataclass(frozen=True)
class SungNote:
    """Seconds from the start between which the note is voiced; pitch as in MIDI, to a fraction."""

    onset_s: float
    offset_s: float
    pitch: float


@dataclass(frozen=True)
class _Syllable:
    """WORLD's spectral envelope and aperiodicity (frames, bins) of the consonant and of all that is voiced."""

    envelope: Audio
    aperiodicity: Audio
    consonant: int
    pitch_hz: float


def singer(rng: Random, judged: bool) -> tuple[str, list[Path]]:
    """A speaker of that part, with those recordings of theirs that are one syllable."""
    everybody = speakers(judged)
    while True:
        name, files = everybody[rng.integers(len(everybody))]
        chosen = [files[i] for i in rng.permutation(len(files))[:60]]
        found = [file for file in chosen if _syllable(file) is not None]
        if len(found) >= 5:
            return name, found


def register(files: Sequence[Path]) -> float:
    """The pitch, as in MIDI, at which the speaker's syllables lie in the median."""
    hertz = [syllable.pitch_hz for file in files if (syllable := _syllable(file)) is not None]
    return float(69 + 12 * np.log2(np.median(hertz) / 440))


def resung(
    notes: Sequence[SungNote], files: Sequence[Path], frames: int, rng: Random
) -> tuple[Audio, list[SungNote]]:
    """(frames,) of one voice, and what it sings of those notes: one that is begun where the one before ends goes on
    with that one's syllable (melisma) or is another syllable; shorter than 50 ms none is.

    Pitch glides into notes, from the one before or from below, drifts, and has vibrato on those of over 0.4 s.
    """
    import pyworld

    count = round(frames / RATE / _FRAME_S) + 1
    bins = pyworld.get_cheaptrick_fft_size(RATE) // 2 + 1
    pitch_hz, envelope = np.zeros(count), np.full((count, bins), 1e-16)
    aperiodicity = np.ones((count, bins))
    rate_hz, depth, scoop = rng.uniform(4.8, 6.8), rng.uniform(0.2, 0.9), rng.uniform(0, 1.5)
    sung: list[SungNote] = []
    before: SungNote | None = None
    free = 0  # the frame from which on nobody sings
    rest: tuple[Audio, Audio] | None = None
    for note in notes:
        start, stop = round(note.onset_s / _FRAME_S), min(round(note.offset_s / _FRAME_S), count)
        if stop - start < 10:
            continue
        legato = before is not None and start - free <= 1
        drawn = _syllable(files[rng.integers(len(files))])
        assert drawn is not None
        if (
            legato
            and rest is not None
            and before is not None
            and round(before.pitch) != round(note.pitch)
            and rng.random() < 0.35
        ):
            start = free
            voiced, noisy = rest
        else:
            lead = min(drawn.consonant, start)
            if legato:  # the consonant takes its time from the note before
                lead = min(lead, max(0, (free - round(sung[-1].onset_s / _FRAME_S)) // 2))
                pitch_hz[start - lead : start] = 0
                if lead:
                    sung[-1] = SungNote(sung[-1].onset_s, (start - lead) * _FRAME_S, sung[-1].pitch)
            envelope[start - lead : start] = drawn.envelope[drawn.consonant - lead : drawn.consonant]
            aperiodicity[start - lead : start] = drawn.aperiodicity[drawn.consonant - lead : drawn.consonant]
            voiced, noisy = drawn.envelope[drawn.consonant :], drawn.aperiodicity[drawn.consonant :]
        held = _stretched(len(voiced), stop - start)
        gain = 10 ** (rng.normal(0, 1.5) / 10)
        envelope[start:stop] = gain * voiced[held]
        aperiodicity[start:stop] = noisy[held]
        rest = voiced[len(voiced) // 2 :], noisy[len(noisy) // 2 :]
        t = np.arange(stop - start) * _FRAME_S
        origin = before.pitch if legato and before is not None else note.pitch - scoop * rng.random()
        curve = note.pitch + (origin - note.pitch) * np.exp(-t / rng.uniform(0.015, 0.05))
        if t[-1] > 0.4:
            curve += (
                depth * np.clip((t - 0.2) / 0.3, 0, 1) * np.sin(2 * np.pi * rate_hz * t) * rng.uniform(0.3, 1)
            )
        curve += (
            0.1 * np.convolve(rng.standard_normal(len(t) + 40), np.hanning(42)[1:-1] / 4.5, "valid")[: len(t)]
        )
        pitch_hz[start:stop] = 440 * 2 ** ((curve - 69) / 12)
        before, free = note, stop
        sung.append(SungNote(start * _FRAME_S, stop * _FRAME_S, note.pitch))
    voice = pyworld.synthesize(pitch_hz, envelope, aperiodicity, RATE, 1000 * _FRAME_S)
    return np.pad(voice[:frames], (0, max(0, frames - len(voice)))), sung


def _stretched(frames: int, wanted: int) -> npt.NDArray[np.intp]:
    """Which of a syllable's voiced frames stand at each of so many: its ends as spoken, its middle held."""
    edge = min(frames // 3, wanted // 3, 16)
    middle = np.linspace(edge, frames - edge - 1, wanted - 2 * edge)
    return np.round(np.concatenate([np.arange(edge), middle, np.arange(frames - edge, frames)])).astype(
        np.intp
    )


@lru_cache(maxsize=2000)
def _syllable(file: Path) -> _Syllable | None:
    """None of a recording that is not one voiced stretch of at least 0.12 s, with at most a fifth beside it."""
    import pyworld

    spoken = np.ascontiguousarray(read(file))
    if len(spoken) > 1.6 * RATE:
        return None
    spoken = spoken / (np.sqrt(np.mean(np.square(spoken))) + 1e-12) * 0.1
    coarse, times = pyworld.dio(spoken, RATE, f0_floor=70, f0_ceil=500, frame_period=1000 * _FRAME_S)
    hertz = pyworld.stonemask(spoken, coarse, times, RATE)
    edges = np.flatnonzero(np.diff(np.pad(hertz > 0, 1).astype(int)))
    runs = sorted(
        zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True), key=lambda run: run[0] - run[1]
    )
    if not runs:
        return None
    start, stop = runs[0]
    centres = (np.arange(start, stop) * _FRAME_S * RATE).astype(int)
    power = np.array([np.square(spoken[max(at - 220, 0) : at + 220]).mean() for at in centres])
    start += int(np.argmax(power > _MURMUR * np.quantile(power, 0.9)))
    if (stop - start) * _FRAME_S < _LEAST_VOICED_S or (hertz > 0).sum() > 1.2 * (stop - start):
        return None
    lead = min(start, round(_LONGEST_CONSONANT_S / _FRAME_S))
    part = slice(start - lead, stop)
    pitched = np.where(hertz > 0, hertz, np.median(hertz[start:stop]))  # an envelope wants a pitch everywhere
    envelope = pyworld.cheaptrick(spoken, pitched, times, RATE)[part]
    aperiodicity = pyworld.d4c(spoken, hertz, times, RATE)[part]
    return _Syllable(envelope, aperiodicity, lead, float(np.median(hertz[start:stop])))
