"""How near the decay of each drum comes to that of the drum alone, in composed songs without a room.

`OMP_NUM_THREADS=1 python -m resonate_tests.benchmarks.bench_drum_envelopes 100 101 …` (seeds of `music_truth`). The
truth is measured otherwise than by us: the drum's strokes played alone, all of their sound, and from the highest of
peaks of 5 ms on until they stay under −20 dB.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from resonate_resources.analysis.drum_envelopes import hear_drum_envelopes
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import write_samples
from resonate_tests.benchmarks.music_truth.composing import compose
from resonate_tests.benchmarks.music_truth.rendering import RATE, Audio, play
from resonate_tests.benchmarks.music_truth.song import Song

KEYS = {
    "kick": (36,),
    "snare": (38,),
    "tom": (43, 45, 47, 50),
    "closed hat": (42,),
    "open hat": (46,),
    "crash": (49,),
    "ride": (51,),
}
_BLOCK = RATE // 200
_FEWEST = 6


def drums_of(song: Song, keys: Sequence[int] | None = None) -> Audio:
    """The drums alone, dry, (2, frames), of those keys or of all."""
    parts = {
        name: replace(part, notes=tuple(n for n in part.notes if keys is None or n.pitch in keys))
        for name, part in song.parts.items()
        if part.stem == "drums"
    }
    with tempfile.TemporaryDirectory() as scratch:
        return play(replace(song, parts=parts), Path(scratch))["drums"]


def true_decay_s(alone: Audio, strokes: Sequence[Note]) -> float | None:
    """The median over strokes that are down by 20 dB before the drum's next; None of under six."""
    mono = np.abs(alone).max(axis=0)
    peaks = mono[: len(mono) // _BLOCK * _BLOCK].reshape(-1, _BLOCK).max(axis=1)
    onsets = [round(note.onset_s * RATE / _BLOCK) for note in strokes]
    decays = []
    for onset, end in zip(onsets, [*onsets[1:], len(peaks)], strict=True):
        course = peaks[onset : end - 2]
        if len(course) < 4:
            continue
        highest = int(course[:20].argmax())
        over = np.flatnonzero(course[highest:] > course[highest] / 10)
        if over[-1] + 1 < len(course) - highest:
            decays.append((over[-1] + 1) * _BLOCK / RATE)
    return float(np.median(decays)) if len(decays) >= _FEWEST else None


def main(seeds: Sequence[int]) -> None:
    errors: dict[str, list[float]] = {}
    for seed in seeds:
        song = compose(seed)
        if song.sound.rt60_s is not None or not song.notes("drums"):
            continue
        with tempfile.TemporaryDirectory() as scratch:
            found = hear_drum_envelopes(write_samples(Path(scratch) / "drums.wav", drums_of(song), RATE))
        for drum, envelope in found.items():
            strokes = [note for note in song.notes("drums") if note.pitch in KEYS[drum]]
            true_s = true_decay_s(drums_of(song, KEYS[drum]), strokes) if len(strokes) >= _FEWEST else None
            told = f"{seed} {drum}: {envelope.decay_s:.3f} s, attack {1000 * envelope.attack_s:.0f} ms"
            print(
                f"{told}, alone {true_s}, {envelope.notes} strokes, {envelope.confidence:.2f} sure",
                flush=True,
            )
            if true_s is not None:
                errors.setdefault(drum, []).append(float(np.log2(envelope.decay_s / true_s)))
    for drum, each in errors.items():
        within = np.mean(np.abs(each) <= np.log2(1.25))
        print(
            f"{drum}: {len(each)} songs, {2 ** np.median(each):.2f} of the truth, {within:.2f} within a quarter"
        )


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]])
