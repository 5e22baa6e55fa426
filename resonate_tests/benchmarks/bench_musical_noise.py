"""Spectral holes of recordings as they are, and gated or coded until they ring with musical noise.

`python -m resonate_tests.benchmarks.bench_musical_noise FILE…`: of the first 8 s of each. Gated: white noise is
added, 10, 20 and 30 dB under the recording, and each line of 23 ms under 1.5 times its level taken out. Coded: of
each spectrum only the strongest 8 % of the lines stay.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from scipy import signal

from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.recording import Recording, write_samples
from resonate_resources.signal.spectral_holes import holes_of
from resonate_resources.signal.traces import shimmer_of

_SECONDS, _KEPT = 8, 0.08

Wave = npt.NDArray[np.float64]


def gated(wave: Wave, rate: int, snr_db: float) -> Wave:
    noise = np.random.default_rng(0).standard_normal(len(wave)) * wave.std() * 10 ** (-snr_db / 20)
    size = {"fs": rate, "nperseg": 1024, "noverlap": 768}
    level = np.sqrt(np.square(np.abs(signal.stft(noise, **size)[2])).mean(axis=1, keepdims=True))
    spectra = signal.stft(wave + noise, **size)[2]
    return np.asarray(signal.istft(spectra * (np.abs(spectra) > 1.5 * level), **size)[1][: len(wave)])


def coded(wave: Wave, rate: int) -> Wave:
    size = {"fs": rate, "nperseg": 1024, "noverlap": 768}
    spectra = signal.stft(wave, **size)[2]
    least = np.quantile(np.abs(spectra), 1 - _KEPT, axis=0)
    return np.asarray(signal.istft(spectra * (np.abs(spectra) >= least), **size)[1][: len(wave)])


def main(paths: list[str]) -> None:
    print("shimmer, then holes: as it is, gated at 10, 20 and 30 dB, coded")
    with TemporaryDirectory() as scratch:
        for path in paths:
            recording = decode(Path(path), Path(scratch)).recording
            rate = recording.sample_rate
            wave = recording.read(0, _SECONDS * rate).mean(axis=0).astype(np.float64)
            told = []
            for made in (wave, *(gated(wave, rate, snr_db) for snr_db in (10, 20, 30)), coded(wave, rate)):
                written: Recording = write_samples(
                    Path(scratch) / "made.wav", made[None].astype(np.float32), rate
                )
                told.append((shimmer_of(written), holes_of(written)))
            shown = (
                "–" if value is None else f"{value:.4f}" for each in zip(*told, strict=True) for value in each
            )
            print(Path(path).name, *shown)


if __name__ == "__main__":
    main(sys.argv[1:])
