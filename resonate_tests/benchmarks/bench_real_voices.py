"""The embedded engine on voices over bands that nothing was fitted on, with Spleeter's weights and without.

`python -m resonate_tests.benchmarks.bench_real_voices FOLDER [COUNT]` makes COUNT mixtures (40) in FOLDER, of the
Debian packages that `mask_fitting/real_sounds.py` names and the singers in $RESONATE_RECORDINGS/judged, and prints
SI-SDR gains over the mixture.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from resonate_resources.separation.spectral.engine import separate_samples
from resonate_resources.signal.si_sdr import si_sdr
from resonate_tests.benchmarks.mask_fitting.mixtures import Mixture, make
from resonate_tests.benchmarks.mask_fitting.playing import RATE
from resonate_tests.benchmarks.mask_fitting.songs import STEMS, singer

KINDS = ("as recorded", "made to sing", "synthesised")


def kind(seed: int) -> str:
    """Of the voice of that judged mixture: one of KINDS."""
    found = singer(seed, judged=True)
    return KINDS[2] if found is None else KINDS[found[1]]


def gains(seed: int, folder: Path, with_weights: bool) -> list[float]:
    """Of every stem in dB; NaN where it is silent."""
    make(seed, folder, judged=True)
    mixture = Mixture.load(folder / f"{seed}.npz")
    found = separate_samples(mixture.mix, RATE, mixture.lift if with_weights else None)
    power = np.square(mixture.mix).mean()
    return [
        si_sdr(found[name], true) - si_sdr(mixture.mix, true)
        if np.square(true).mean() > 1e-4 * power
        else float("nan")
        for name, true in ((name, mixture.stems[name]) for name in STEMS)
    ]


def main(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kinds = np.array([kind(seed) for seed in range(count)])
    print(
        "| voices | weights | mixtures |",
        " | ".join(STEMS),
        "| worst vocals |\n|---|---|---|---|---|---|---|---|",
    )
    for with_weights in (True, False):
        with ProcessPoolExecutor(2) as pool:
            work = partial(gains, folder=folder, with_weights=with_weights)
            table = np.array(list(pool.map(work, range(count))))
        heard = ~np.isnan(table[:, 0])
        weights = "Spleeter" if with_weights else "none"
        for each in KINDS:
            chosen = heard & (kinds == each)
            means = " | ".join(f"{value:.1f}" for value in np.nanmean(table[chosen], axis=0))
            print(f"| {each} | {weights} | {chosen.sum()} | {means} | {table[chosen, 0].min():.1f} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40)
