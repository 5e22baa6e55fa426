"""How near the notes that are heard come to those composed, on demo songs of the seeds given.

`OMP_NUM_THREADS=1 python -m resonate_tests.benchmarks.bench_transcription 1 2 3 4 5 6`

Onset F within 50 ms, of the song and its phone recording, from the true stems and from those of the embedded
separation engine; for bass and vocals also counting only notes of the right pitch.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import mir_eval
import numpy as np

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording, Stems, silent
from resonate_resources.separation.spectral.engine import SpectralSeparator
from resonate_resources.transcription.drum_strokes import DrumStrokes
from resonate_resources.transcription.resource import PARTS, transcriber_of
from resonate_studio.demo_song import Composition, compose, record_on_phone, render

TOLERANCE_S = 0.05  # as in MIREX note tracking
DRUMS = {"kick": (36,), "snare": (38,), "hi-hat": (42, 46)}  # General MIDI; open hats count as hats


def onset_f(composed: Sequence[tuple[float, int]], heard: Sequence[Note], *, pitched: bool = False) -> float:
    """composed: (onset in s, pitch). pitched: a match of another pitch counts as none."""
    if not composed or not heard:
        return float(not composed and not heard)
    onsets, played = np.array([onset for onset, _ in composed]), np.array([note.onset_s for note in heard])
    matches = mir_eval.util.match_events(onsets, played, TOLERANCE_S)
    right = sum(not pitched or composed[ours][1] == heard[theirs].pitch for ours, theirs in matches)
    return 2 * right / (len(composed) + len(heard))


def measured(stems: Stems, composition: Composition) -> dict[str, float]:
    """What → onset F of stems against the composition that they are of."""
    scores = {}
    for name in ("bass", "vocals"):
        composed = [(note.onset_s, note.pitch) for note in composition.notes[name]]
        voice = PARTS[name].voice
        heard = transcriber_of(voice).notes(stems[name], voice, silent)
        scores[name] = onset_f(composed, heard)
        scores[f"{name}, of the right pitch"] = onset_f(composed, heard, pitched=True)
    strokes = DrumStrokes().strokes(stems["drums"])
    for drum, keys in DRUMS.items():
        struck = [(note.onset_s, note.pitch) for note in composition.notes["drums"] if note.pitch in keys]
        scores[drum] = onset_f(struck, [note for note in strokes if note.pitch in keys])
    return scores


def separated(mix: Recording, into: Path) -> Stems:
    into.mkdir()
    return SpectralSeparator().separate(mix, into, silent)


def sources(seed: int, folder: Path) -> dict[str, Callable[[], Stems]]:
    """Where stems are from → how to get them."""
    for part in ("song", "phone"):
        (folder / part).mkdir(parents=True)
    song = render(compose(seed=seed), folder / "song")
    phone = record_on_phone(song, folder / "phone")
    return {
        "true stem": lambda: song.stems,
        "separated": lambda: separated(song.mix, folder / "from the song"),
        "true stem by phone": lambda: phone.stems,
        "separated from the phone recording": lambda: separated(phone.mix, folder / "from the phone"),
    }


def print_table(scores: dict[tuple[str, str], list[float]], seeds: Sequence[int]) -> None:
    print("| what | of |", " | ".join(f"seed {seed}" for seed in seeds), "| mean |")
    print("|---|---|" + "---|" * (len(seeds) + 1))
    for (what, source), row in sorted(scores.items()):
        values = " | ".join(f"{value:.2f}" for value in [*row, float(np.mean(row))])
        print(f"| {what} | {source} | {values} |")


if __name__ == "__main__":
    chosen = [int(argument) for argument in sys.argv[1:]] or [1]
    table: dict[tuple[str, str], list[float]] = {}
    for chosen_seed in chosen:
        with tempfile.TemporaryDirectory() as scratch:
            for source, stems_of in sources(chosen_seed, Path(scratch)).items():
                for what, score in measured(stems_of(), compose(seed=chosen_seed)).items():
                    table.setdefault((what, source), []).append(score)
    print_table(table, chosen)
