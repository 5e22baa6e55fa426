"""Tracks with and without vocals: which of them a policy takes for instrumentals, for which nothing is paid.

    python -m resonate_tests.benchmarks.bench_instrumentals FOLDER [COUNT]

Of the first COUNT judged mixtures of `mask_fitting.mixtures` (40), made in FOLDER, those with a real voice; it is
turned to a level against the band, and all is separated by the embedded engine.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.separation.prediction.predictor import predict_quality
from resonate_resources.separation.quality import decibels, levels_in_windows
from resonate_resources.separation.router import read_policy
from resonate_resources.separation.spectral.engine import lift_of, separate_samples
from resonate_tests.benchmarks.mask_fitting.mixtures import Mixture, make
from resonate_tests.benchmarks.mask_fitting.songs import singer

RATE = 44100
LEVELS_DB = (None, -18.0, -12.0, -6.0, 0.0)
"""Of the voice against the band; None: no voice."""


@dataclass(frozen=True)
class Found:
    """Of one song at one level: the vocals stem's level in its loudest window, its best prediction, the verdict."""

    loudest_db: float
    best_db: float
    tried_again: bool
    instrumental: bool


def main(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[float | None, list[Found]] = {level: [] for level in LEVELS_DB}
    for seed in range(count):
        if singer(seed, judged=True) is not None:
            make(seed, folder, judged=True)
            for level, one in heard(Mixture.load(folder / f"{seed}.npz")):
                found[level].append(one)
    print(
        "| voice against the band | songs | loudest window, dB | best prediction, dB | under 7 dB | instrumental |"
    )
    print("|---|---|---|---|---|---|")
    for level, all_of_it in found.items():
        loudest, best = (
            np.median([getattr(one, what) for one in all_of_it]) if all_of_it else np.nan
            for what in ("loudest_db", "best_db")
        )
        print(
            f"| {'none' if level is None else f'{level:g} dB'} | {len(all_of_it)} | {loudest:.1f} | {best:.1f} "
            f"| {sum(one.tried_again for one in all_of_it)} | {sum(one.instrumental for one in all_of_it)} |"
        )


def heard(mixture: Mixture) -> Iterator[tuple[float | None, Found]]:
    """The mixture with its voice at every level."""
    voice = mixture.stems["vocals"]
    band = mixture.mix - voice
    if not voice.any() or not band.any():
        return
    with TemporaryDirectory() as directory:
        for level in LEVELS_DB:
            if level is None:
                yield level, judged(band, Path(directory))
            else:
                gain = 10 ** ((level - decibels(_energy(voice) / _energy(band))) / 20)
                yield level, judged(band + voice * np.float32(gain), Path(directory))


def judged(mix: Samples, folder: Path) -> Found:
    policy = read_policy()
    mix = (mix * np.float32(0.7 / np.abs(mix).max())).astype(np.float32)
    track = write_samples(folder / "track.wav", mix, RATE)
    separated = separate_samples(mix, RATE, lift_of([mix]))
    stems = {
        name: write_samples(folder / f"{name}.wav", samples, RATE) for name, samples in separated.items()
    }
    vocals = predict_quality(track, stems)["vocals"]
    levels = levels_in_windows(stems["vocals"], track, vocals.windows)
    return Found(
        max(levels, default=-np.inf),
        max((window.si_sdr_db for window in vocals.windows), default=-np.inf),
        vocals.si_sdr_db < policy.retry_below_db,
        policy.instrumental.holds(vocals, levels),
    )


def _energy(samples: Samples) -> float:
    return float(np.square(samples, dtype=np.float64).sum())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40)
