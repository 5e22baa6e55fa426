"""Notes of real and synthesised singing against those composed: by Basic Pitch, and as they are heard now.

`OMP_NUM_THREADS=1 python -m resonate_tests.benchmarks.bench_sung_notes [COUNT]`: COUNT songs (14) of real voices
that no fitting has met, made to sing by WORLD (needs the extra `singing`), 8 of synthesised ones,
each from the true stem and from the separated one. `… bench_sung_notes RECORDING.wav` judges by what was read off
the spectrogram of `../shared/audio/solo-voice.wav` instead.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import mir_eval
import numpy as np

from resonate_resources.recordings.recording import Recording, silent, write_samples
from resonate_resources.transcription.basic_pitch import BasicPitch
from resonate_resources.transcription.resource import PARTS
from resonate_resources.transcription.sung_notes import SungNotes
from resonate_resources.transcription.transcriber import PitchTranscriber
from resonate_tests.benchmarks.bench_transcription import TOLERANCE_S, separated
from resonate_tests.benchmarks.mask_fitting.playing import RATE

VOICE = PARTS["vocals"].voice
CENTS = 50
TRANSCRIBERS: Mapping[str, PitchTranscriber] = {"Basic Pitch": BasicPitch(), "sung notes": SungNotes()}
SYNTHESISED = 8

# Onset and end in seconds, pitch: read off a spectrogram before any of this heard the recording. Onsets
# are the vowels'; a glide's pitch is the one it comes to.
SOLO_VOICE = (
    *((0.81, 1.04, 54.4), (1.11, 1.19, 53.7), (1.28, 1.61, 55.6), (1.71, 2.09, 54.0), (2.18, 3.31, 59.0)),
    *((3.71, 3.93, 53.8), (4.03, 4.11, 53.5), (4.18, 4.51, 56.4), (4.64, 5.07, 54.0), (5.17, 5.66, 61.0)),
    *((5.68, 6.28, 59.2), (6.67, 6.89, 54.8), (7.0, 7.1, 53.5), (7.18, 7.55, 65.5), (7.67, 8.08, 62.6)),
    *((8.15, 8.47, 58.8), (8.56, 8.73, 58.2), (8.87, 9.36, 56.0), (9.79, 10.07, 63.3), (10.14, 10.22, 64.0)),
    *((10.31, 10.6, 62.6), (10.73, 11.05, 58.4), (11.19, 11.52, 60.8), (11.55, 12.15, 59.1)),
)


def scores(true: Sequence[tuple[float, float, float]], stem: Recording, by: PitchTranscriber) -> list[float]:
    """F of onsets within 50 ms, F of those whose pitch is within 50 cents, too; seconds of processor a second."""
    began = time.process_time()
    heard = by.notes(stem, VOICE, silent)
    cost = (time.process_time() - began) / stem.duration
    if not heard:
        return [0.0, 0.0, cost]
    spans = np.array([note[:2] for note in true]), np.array([(note.onset_s, note.offset_s) for note in heard])
    hertz = [
        440 * 2 ** ((np.array(pitches, float) - 69) / 12)
        for pitches in ([note[2] for note in true], [note.pitch for note in heard])
    ]
    onsets = mir_eval.transcription.onset_precision_recall_f1(*spans, onset_tolerance=TOLERANCE_S)[2]
    pitched = mir_eval.transcription.precision_recall_f1_overlap(
        spans[0],
        hertz[0],
        spans[1],
        hertz[1],
        onset_tolerance=TOLERANCE_S,
        pitch_tolerance=CENTS,
        offset_ratio=None,
    )[2]
    return [float(onsets), float(pitched), cost]


def print_row(what: str, rows: Mapping[str, list[list[float]]]) -> None:
    cells = [f"{value:.2f}" for by in TRANSCRIBERS for value in np.mean(rows[by], axis=0)]
    print(f"| {what} | {len(next(iter(rows.values())))} | {' | '.join(cells)} |", flush=True)


def judge_songs(count: int, real: bool) -> None:
    from resonate_tests.benchmarks.sung_notes.songs import sung_song

    rows: dict[str, dict[str, list[list[float]]]] = {}
    for seed in range(count):
        with tempfile.TemporaryDirectory() as scratch:
            song = sung_song(seed, Path(scratch), judged=True, real=real)
            mix = write_samples(Path(scratch) / "mix.wav", sum(song.stems.values()), RATE)
            stems = {
                "true stem": write_samples(Path(scratch) / "true.wav", song.stems["vocals"], RATE),
                "separated": separated(mix, Path(scratch) / "separated")["vocals"],
            }
            true = [(note.onset_s, note.offset_s, note.pitch) for note in song.notes]
            for source, stem in stems.items():
                for name, by in TRANSCRIBERS.items():
                    of = rows.setdefault(source, {}).setdefault(name, [])
                    of.append(scores(true, stem, by))
    for source, by_name in rows.items():
        print_row(f"{'real' if real else 'synthesised'} voices, {source}", by_name)


if __name__ == "__main__":
    heads = [f"{name}: {what}" for name in TRANSCRIBERS for what in ("onset F", "with pitch", "cost")]
    print(f"| what | songs | {' | '.join(heads)} |\n|{'---|' * (2 + len(heads))}")
    argument = sys.argv[1] if len(sys.argv) > 1 else "14"
    if argument.isdecimal():
        judge_songs(int(argument), real=True)
        judge_songs(SYNTHESISED, real=False)
    else:
        recording = Recording.open(Path(argument))
        print_row(
            "solo voice", {name: [scores(SOLO_VOICE, recording, by)] for name, by in TRANSCRIBERS.items()}
        )
