"""Songs without a voice, and sounds that are alone: what the embedded engine makes of them, by level.

`python -m resonate_tests.benchmarks.bench_alone FOLDER [COUNT]` takes COUNT (20) mixtures of `bench_real_voices`
without their voice, and the parts of them alone; and instruments that play alone, by the soundfont that nothing
was fitted on. Prints every stem's level against the track in dB.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from resonate_resources.recordings.recording import Samples
from resonate_resources.separation.spectral.engine import lift_of, separate_samples
from resonate_tests.benchmarks.mask_fitting.mixtures import Mixture, make
from resonate_tests.benchmarks.mask_fitting.playing import JUDGED_SOUNDFONT, RATE, Harmony, general_midi
from resonate_tests.benchmarks.mask_fitting.songs import STEMS
from resonate_tests.benchmarks.mask_fitting.voices import melody, sings_for_real

SOLOISTS = {  # programs of General MIDI, counted from 0
    "church organ": (19,),
    "drawbar organ": (16,),
    "piano": (0,),
    "brass": (61, 56, 57),
    "saxophones": (65, 66),
    "strings": (48, 40),
    "flute": (73,),
    "lead synthesisers": (80, 81),
}
LOUD = 1e-3
"""Of the mix: a part that is under −30 dB is not looked at alone."""


def main(folder: Path, count: int) -> None:
    print("| what is heard | tracks |", " | ".join(f"{name}, dB" for name in STEMS), "| loudest vocals |")
    print("|---|---|---|---|---|---|---|")
    mixtures = []
    for seed in range(count):
        make(seed, folder, judged=True)
        mixtures.append(Mixture.load(folder / f"{seed}.npz"))
    report("a band without its voice", (one.mix - one.stems["vocals"] for one in mixtures))
    for name, real in (("a real voice", True), ("a synthesised voice", False)):
        sung = [one for seed, one in enumerate(mixtures) if sings_for_real(seed, judged=True) == real]
        report(name, parts(sung, "vocals"))
    for name in STEMS[1:]:
        report(f"the {name} of a band", parts(mixtures, name))
    for name, programs in SOLOISTS.items():
        report(name, played(programs))


def parts(mixtures: list[Mixture], name: str) -> Iterator[Samples]:
    for mixture in mixtures:
        part = mixture.stems[name]
        if np.square(part).mean() > LOUD * np.square(mixture.mix).mean():
            yield part


def played(programs: tuple[int, ...]) -> Iterator[Samples]:
    """Three melodies in chords of as many voices as there are programs, at least two."""
    for seed in range(3):
        rng = np.random.default_rng(seed)
        harmony = Harmony(int(rng.integers(12)), (0, 2, 4, 5, 7, 9, 11), (0, 3, 4, 0), 100.0, 33)
        notes = melody(harmony, rng)
        with tempfile.TemporaryDirectory() as scratch:
            sound = sum(
                general_midi(notes, [program], [0.0], harmony, Path(scratch), JUDGED_SOUNDFONT)
                for program in programs
            )
        yield (sound * 0.5 / np.abs(sound).max()).astype(np.float32)


def report(what: str, tracks: Iterator[Samples]) -> None:
    """Print the median of every stem's level against its track, and the highest of the vocals'."""
    levels = []
    for track in tracks:
        found = separate_samples(track, RATE, lift_of(np.array_split(track, 20, axis=1)))
        levels.append([decibels(found[name], track) for name in STEMS])
    if levels:
        medians = " | ".join(f"{value:.1f}" for value in np.median(levels, axis=0))
        print(f"| {what} | {len(levels)} | {medians} | {max(row[0] for row in levels):.1f} |", flush=True)


def decibels(samples: Samples, track: Samples) -> float:
    return float(10 * np.log10(np.square(samples).mean() / np.square(track).mean() + 1e-12))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20)
