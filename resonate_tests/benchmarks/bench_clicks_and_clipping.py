"""Declipping, declicking and de-essing against the clean truth.

`python -m resonate_tests.benchmarks.bench_clicks_and_clipping SONGS RECORDINGS`: SONGS holds songs as
`music_truth` writes them, of which 100 and on are judged (each ninth: 10 s of its mix, and of its vocals where it
has any); RECORDINGS files of finished music and voices, which must come out as they are.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import numpy as np

from resonate_resources.preset import Preset
from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.recording import Recording, Samples, silent, write_samples
from resonate_resources.restoration.declick import Declick
from resonate_resources.restoration.declip import Declip
from resonate_resources.restoration.deess import Deess
from resonate_resources.restoration.step import Facts, Step
from resonate_resources.signal.traces import find_traces
from resonate_tests.benchmarks.damage import clipping
from resonate_tests.benchmarks.damage.distance import band_balance_db, log_spectral_distance, si_sdr_db
from resonate_tests.benchmarks.damage.sibilance import sibilant

_SECONDS, _FROM_S = 10, 25
Damage = Callable[[Samples, int, np.random.Generator, float], Samples]

CASES: tuple[tuple[Step, str, Damage, float], ...] = (
    *((Declip(), "mix vocals", clipping.hard_clipped, size) for size in (0.01, 0.03, 0.1)),
    (Declip(), "mix vocals", clipping.clipped_then_lowered, 0.03),
    (Declip(), "mix vocals", clipping.softly_clipped, 0.03),
    (Declip(), "mix vocals", clipping.clipped_then_mp3, 0.03),
    *((Declick(), "mix vocals", clipping.scratched, size) for size in (1, 5)),
    *((Declick(), "mix vocals", clipping.crackling, size) for size in (10, 50)),
    (Declick(), "mix vocals", clipping.glitching, 2),
    *((Deess(), "vocals", sibilant, size) for size in (12, 18)),
)


def excerpts(songs: Path, stems: str) -> Iterator[tuple[Samples, int]]:
    """(channels, frames) and rate of each ninth song; of silence none."""
    for folder in sorted(songs.glob("1[0-6][0-9]"))[::9]:
        for stem in stems.split():
            if (folder / f"{stem}.wav").exists():
                recording = Recording.open(folder / f"{stem}.wav")
                first = _FROM_S * recording.sample_rate
                samples = recording.read(first, first + _SECONDS * recording.sample_rate)
                if np.abs(samples).max(initial=0.0) > 0.01:
                    yield samples, recording.sample_rate


def report(songs: Path, facts: Facts, step: Step, stems: str, damage: Damage, size: float) -> None:
    """A row: medians of the cases, how many got nearer, the worst SI-SDR, and CPU seconds a minute."""
    chance = np.random.default_rng(1)
    rows, cost, length = [], 0.0, 0.0
    with TemporaryDirectory() as scratch:
        for clean, rate in excerpts(songs, stems):
            damaged = damage(clean, rate, chance, size)
            recording = write_samples(Path(scratch) / "damaged.wav", damaged, rate)
            began = time.process_time()
            mended = step.mend(recording, facts, "balanced", Path(scratch) / "mended.wav", silent)
            cost, length = cost + time.process_time() - began, length + recording.duration / 60
            rows.append([_apart(damaged, clean, rate), _apart(mended.recording.read(), clean, rate)])
    before, after = np.moveaxis(np.array(rows), 1, 0)
    better = np.mean((after[:, 0] < before[:, 0]) & (after[:, 1] <= before[:, 1] + 0.01))
    middle, then, gain = np.median(before, axis=0), np.median(after, axis=0), after[:, 2] - before[:, 2]
    print(
        f"| {damage.__name__} {size} | {len(rows)} | {middle[0]:.2f} → {then[0]:.2f} | "
        f"{middle[1]:.2f} → {then[1]:.2f} | {better:.0%} | {middle[2]:.1f} | {np.median(gain):+.1f} | "
        f"{gain.min():+.1f} | {cost / length:.1f} |",
        flush=True,
    )


def _apart(sound: Samples, clean: Samples, rate: int) -> tuple[float, float, float]:
    return (
        log_spectral_distance(sound, clean, rate),
        band_balance_db(sound, clean, rate),
        float(np.mean([si_sdr_db(one[None], true[None]) for one, true in zip(sound, clean, strict=True)])),
    )


def _decoded(path: Path, scratch: Path) -> Recording:
    folder = scratch / path.stem
    folder.mkdir()
    return decode(path, folder).recording


def report_finished(files: Path, songs: Path, facts: Facts) -> None:
    """What of undamaged material each step changes, by preset."""
    with TemporaryDirectory() as scratch:
        finished = [_decoded(path, Path(scratch)) for path in sorted(files.iterdir()) if path.suffix != ".md"]
        finished += [
            write_samples(Path(scratch) / f"{number}.wav", *excerpt)
            for number, excerpt in enumerate(excerpts(songs, "mix drums bass other vocals"))
        ]
        for step in (Declip(), Declick(), Deess()):
            for preset in get_args(Preset):
                changed = []
                for recording in finished:
                    mended = step.mend(
                        recording, facts, preset, Path(scratch) / "mended.wav", silent
                    ).recording
                    if mended != recording:
                        under_db = si_sdr_db(mended.read(), recording.read())
                        changed.append(
                            f"{recording.path.parent.name}/{recording.path.stem} {under_db:.0f} dB"
                        )
                print(
                    f"{step.name}, {preset}: {len(changed)} of {len(finished)} changed", *changed, flush=True
                )


if __name__ == "__main__":
    with TemporaryDirectory() as scratch:
        silence = write_samples(Path(scratch) / "silence.wav", np.zeros((1, 44_100), np.float32), 44_100)
        known = Facts("vocals", find_traces(silence))  # none of these steps acts on traces
    print("| damage | cases | LSD, dB | balance, dB | nearer | SI-SDR | gain | worst | s a minute |")
    print("|---|---|---|---|---|---|---|---|---|")
    for case in CASES:
        report(Path(sys.argv[1]), known, *case)
    report_finished(Path(sys.argv[2]), Path(sys.argv[1]), known)
