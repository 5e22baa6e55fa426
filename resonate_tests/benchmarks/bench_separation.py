"""Quality, speed and memory of the embedded separation engine.

`OMP_NUM_THREADS=1 python -m resonate_tests.benchmarks.bench_separation`

Demo songs of several seeds: SI-SDR gain over the mix per stem, beside that of ideal ratio masks; CPU seconds
per second of audio; then peak memory over a long track.
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from resonate_resources.audio import Samples, silent, write_recording
from resonate_resources.separation.spectral.engine import SpectralSeparator, separate_samples
from resonate_resources.separation.spectral.masks import STEMS
from resonate_resources.separation.spectral.stft import Stft
from resonate_resources.signal.si_sdr import si_sdr
from resonate_studio.demo_song import compose, record_on_phone, render

SEEDS = range(1, 7)
LONG_HOURS = 1.0


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
    cpu = audio = 0.0
    for seed in SEEDS:
        into = folder / str(seed)
        (into / "phone").mkdir(parents=True)
        song = render(compose(seed=seed), into)
        phone = record_on_phone(song, into / "phone")
        for label, recording in ((f"seed {seed}", song), (f"seed {seed} by phone", phone)):
            mix = recording.mix.read()
            truth = {name: stem.read() for name, stem in recording.stems.items()}
            began = time.process_time()
            estimates = separate_samples(mix, recording.mix.sample_rate)
            cpu += time.process_time() - began
            audio += recording.mix.duration
            values = gains(estimates, mix, truth)
            row(label, values)
            row("ideal masks", gains(ideal(mix, truth, recording.mix.sample_rate), mix, truth))
            everything.append(values)
    row("mean", [float(value) for value in np.mean(everything, axis=0)])
    print(f"\nreal-time factor on one core: {cpu / audio:.3f}")


def memory(folder: Path) -> None:
    rate = 44100
    frames = int(LONG_HOURS * 3600 * rate)
    rng = np.random.default_rng(0)
    path = folder / "long.wav"
    with write_recording(path, rate, 2, frames) as writer:
        for _ in range(int(LONG_HOURS * 360)):
            writer.write((0.1 * rng.standard_normal((2, 10 * rate))).astype(np.float32))
    into = folder / "long"
    into.mkdir()
    began = time.process_time()
    SpectralSeparator().separate(writer.recording, into, silent)
    took = (time.process_time() - began) / (LONG_HOURS * 3600)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{LONG_HOURS:g} h of stereo: peak {peak:.0f} MiB in the whole process, real-time factor {took:.3f}"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        memory(Path(scratch))
    with tempfile.TemporaryDirectory() as scratch:
        quality(Path(scratch))
