"""Writes sung stems with their notes, true ones and separated ones, to fit the network of sung onsets on.

`python -m resonate_tests.benchmarks.sung_notes.examples FOLDER`: demo songs of the seeds 1 to 6 with their phone
recordings, 14 songs of real voices (needs the extra `singing`) and 8 of
synthesised ones. About ten minutes of one core.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import soundfile as sf

from resonate_resources.recordings.recording import Recording, write_samples
from resonate_studio.demo_song import compose
from resonate_tests.benchmarks.bench_transcription import separated, sources
from resonate_tests.benchmarks.mask_fitting.playing import RATE
from resonate_tests.benchmarks.sung_notes.songs import sung_song

DEMO_SEEDS = range(1, 7)
REAL_SEEDS, SYNTHESISED_SEEDS = range(14), range(8)


def kept(stem: Recording, file: Path) -> None:
    sf.write(file, stem.read(0, stem.frames).T, stem.sample_rate, subtype="FLOAT")


def demo(seed: int, into: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        for source, stems in sources(seed, Path(scratch)).items():
            kept(stems()["vocals"], into / f"{seed} {source}.wav")
    notes = [(note.onset_s, note.offset_s, note.pitch) for note in compose(seed=seed).notes["vocals"]]
    (into / f"{seed}.json").write_text(json.dumps(notes))


def song(seed: int, into: Path, real: bool) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        made = sung_song(seed, Path(scratch), judged=False, real=real)
        mix = write_samples(Path(scratch) / "mix.wav", sum(made.stems.values()), RATE)
        kept(separated(mix, Path(scratch) / "separated")["vocals"], into / f"{seed} separated.wav")
        kept(write_samples(Path(scratch) / "true.wav", made.stems["vocals"], RATE), into / f"{seed} true.wav")
    (into / f"{seed}.json").write_text(
        json.dumps([(note.onset_s, note.offset_s, note.pitch) for note in made.notes])
    )


def main(folder: Path) -> None:
    for name in ("demo", "real", "synthesised"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for seed in DEMO_SEEDS:
        demo(seed, folder / "demo")
    for seed in REAL_SEEDS:
        song(seed, folder / "real", real=True)
    for seed in SYNTHESISED_SEEDS:
        song(seed, folder / "synthesised", real=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
