"""Quality, speed and memory of the embedded separation engine.

`OMP_NUM_THREADS=1 taskset -c 0 python -m resonate_tests.benchmarks.bench_separation`, on one core.

Three minutes and an hour of noise, file to file: CPU seconds per second of audio, and peak memory. Then demo
songs of several seeds: SI-SDR gain over the mix per stem, beside that of ideal ratio masks.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from resonate_resources.recordings.recording import Samples, silent, write_recording
from resonate_resources.separation.spectral.engine import SpectralSeparator
from resonate_resources.separation.spectral.masks import STEMS
from resonate_resources.separation.spectral.stft import Stft
from resonate_resources.signal.si_sdr import si_sdr
from resonate_studio.demo_song import compose, record_on_phone, render

SEEDS = range(1, 7)


def ideal(mix: Samples, stems: dict[str, Samples], rate: int) -> dict[str, Samples]:
    """What the best masks on the engine's own grid would give: the ceiling of every mask."""
    stft = Stft.for_rate(rate)
    powers = {name: np.square(np.abs(stft.forward(stem))).sum(0) for name, stem in stems.items()}
    total = sum(powers.values()) + 1e-12
    spectra = stft.forward(mix)
    return {name: stft.inverse(spectra * (power / total), mix.shape[1]) for name, power in powers.items()}


def gains(estimates: dict[str, Samples], mix: Samples, stems: dict[str, Samples]) -> list[float]:
    return [si_sdr(estimates[name], stems[name]) - si_sdr(mix, stems[name]) for name in STEMS]


def row(label: str, values: list[float]) -> None:
    print(f"| {label} |", " | ".join(f"{value:.1f}" for value in [*values, float(np.mean(values))]), "|")


def quality(folder: Path) -> None:
    print("| song |", " | ".join(STEMS), "| mean |\n|---|---|---|---|---|---|")
    everything: list[list[float]] = []
    for seed in SEEDS:
        into = folder / str(seed)
        (into / "phone").mkdir(parents=True)
        song = render(compose(seed=seed), into)
        phone = record_on_phone(song, into / "phone")
        for label, recording in ((f"seed {seed}", song), (f"seed {seed} by phone", phone)):
            mix = recording.mix.read()
            truth = {name: stem.read() for name, stem in recording.stems.items()}
            parted = SpectralSeparator().separate(recording.mix, Path(tempfile.mkdtemp(dir=folder)), silent)
            estimates = {name: stem.read() for name, stem in parted.items()}
            values = gains(estimates, mix, truth)
            row(label, values)
            row("ideal masks", gains(ideal(mix, truth, recording.mix.sample_rate), mix, truth))
            everything.append(values)
    row("mean", [float(value) for value in np.mean(everything, axis=0)])


def cost(folder: Path, seconds: int) -> None:
    """Real-time factor and peak memory so far, over noise: what is heard changes neither."""
    rate = 44100
    rng = np.random.default_rng(0)
    into = folder / str(seconds)
    into.mkdir()
    with write_recording(into / "noise.wav", rate, 2, seconds * rate) as writer:
        for _ in range(seconds):
            writer.write((0.1 * rng.standard_normal((2, rate))).astype(np.float32))
    began = time.process_time()
    SpectralSeparator().separate(writer.recording, into, silent)
    factor = (time.process_time() - began) / seconds
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cores = len(os.sched_getaffinity(0))
    print(
        f"{seconds} s of stereo: real-time factor {factor:.3f} on {cores} core(s), peak {peak:.0f} MiB",
        flush=True,
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        cost(Path(scratch), 180)
        cost(Path(scratch), 3600)
    with tempfile.TemporaryDirectory() as scratch:
        quality(Path(scratch))
