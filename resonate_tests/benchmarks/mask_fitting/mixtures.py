"""Mixtures of known stems, worked over, with what Spleeter hears in them: to fit networks to and to judge them.

`python -m resonate_tests.benchmarks.mask_fitting.mixtures FOLDER COUNT [judged]` writes so many, 16 MB each.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_resources.separation.spectral import spleeter
from resonate_resources.separation.spectral.engine import lift_of
from resonate_resources.separation.spectral.stft import Stft
from resonate_tests.benchmarks.mask_fitting.playing import RATE
from resonate_tests.benchmarks.mask_fitting.songs import STEMS, render_song
from resonate_tests.benchmarks.mask_fitting.working_over import worked_over

Samples = npt.NDArray[np.float32]
STFT = Stft.for_rate(RATE)


@dataclass(frozen=True)
class Mixture:
    """mix and stems (2, FRAMES); sung (time, bins), as `spleeter.sung_share` gives it; lift of the mix."""

    mix: Samples
    stems: Mapping[str, Samples]
    sung: npt.NDArray[np.float16]
    lift: float

    @classmethod
    def load(cls, file: Path) -> Mixture:
        with np.load(file) as arrays:
            sound = arrays["sound"].astype(np.float32) / 32767
            return cls(
                sound[0], dict(zip(STEMS, sound[1:], strict=True)), arrays["sung"], float(arrays["lift"])
            )


def mixed(seed: int, judged: bool) -> tuple[dict[str, Samples], Samples]:
    """Stems and mix (2, FRAMES) of this seed. Four in ten have one or two stems of another song."""
    rng = np.random.default_rng([seed, judged, 5])
    with tempfile.TemporaryDirectory() as scratch:
        song = render_song(seed, Path(scratch), judged)
        if rng.random() < 0.4:
            stranger = render_song(seed + 500_000, Path(scratch), judged)
            names = rng.choice(STEMS[1:], rng.integers(1, 3), replace=False)
            song = {name: stranger[name] if name in names else stem for name, stem in song.items()}
    return worked_over(song, rng)


def make(seed: int, folder: Path, judged: bool) -> None:
    """Write the mixture of this seed, if it is not there."""
    file = folder / f"{seed}.npz"
    if file.exists():
        return
    stems, mix = mixed(seed, judged)
    lift = lift_of(np.array_split(mix, 20, axis=1))
    assert lift is not None, spleeter.INSTALL
    sung = spleeter.sung_share(STFT.forward(mix - mix.mean(1, keepdims=True)), lift)
    sound = np.stack([mix, *(stems[name] for name in STEMS)])
    sound = np.round(32767 * np.clip(sound, -1, 1)).astype(np.int16)
    part = file.with_suffix(f".{os.getpid()}.npz")
    np.savez(part, sound=sound, sung=sung[:, :1500].astype(np.float16), lift=lift)
    part.rename(file)


if __name__ == "__main__":
    folder, count, judged = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] == ["judged"]
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(int(os.environ.get("AT_ONCE", "2"))) as pool:
        for done, _ in enumerate(pool.map(partial(make, folder=folder, judged=judged), range(count)), 1):
            print(f"\r{done} of {count}", end="", flush=True)
