"""What the profile's score of sound tells of music that was damaged by known amounts, and how right bandwidths are:
python -m resonate_tests.benchmarks.bench_sound_quality FILE [FILE …]

Of each file 12 s are read. Prints for each damage, from slight to severe, the median and the least score, and how
many scores rise where the damage grows (by more than half a point, over all files and steps); then, of low-passes
and codecs whose cut is known, how many bandwidths are within 5 %, and what kind of cut is told.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.lossy import LossyFormat, encode_lossy
from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.signal.levels import meter
from resonate_resources.signal.loudness import LoudnessMeter
from resonate_resources.signal.octaves import OctaveMeter
from resonate_resources.signal.sound_quality import Score, quality_of
from resonate_resources.signal.traces import Traces, find_traces
from resonate_resources.signal.true_peak import TruePeakMeter

SECONDS = 12.0
RISES = 0.5  # what is less is the measures' own scatter
Damage = Callable[[Samples, int, float], Samples]


def score_of(recording: Recording) -> tuple[Score, Traces]:
    loudness = LoudnessMeter(recording.sample_rate, recording.channels)
    peak = TruePeakMeter(recording.sample_rate, recording.channels)
    octaves = OctaveMeter(recording.sample_rate, recording.channels)
    meter(recording.blocks(), loudness.update, peak.update, octaves.update)
    traces = find_traces(recording)
    score = quality_of(traces, recording.duration, loudness.integrated(), peak.peak(), octaves.centroid_hz())
    return score, traces


def with_noise(samples: Samples, rate: int, snr_db: float) -> Samples:
    noise = np.random.default_rng(1).standard_normal(samples.shape)
    return samples + noise * np.sqrt(np.square(samples).mean() / 10 ** (snr_db / 10))


def low_passed(samples: Samples, rate: int, hertz: float) -> Samples:
    """As steep as a converter's: 90 dB within a twentieth of its frequency."""
    from scipy.signal import firwin, kaiserord, oaconvolve

    if hertz >= 0.95 * rate / 2:
        return samples
    taps, beta = kaiserord(90, 0.05 * hertz / (rate / 2))
    return np.asarray(
        oaconvolve(samples, firwin(taps | 1, hertz, window=("kaiser", beta), fs=rate)[None], "same")
    )


def clipped(samples: Samples, rate: int, over_db: float) -> Samples:
    """Driven so many dB over full scale, from peaks at full scale, and turned back."""
    gain = 10 ** (over_db / 20) / max(float(np.abs(samples).max()), 1e-9)
    return (gain * samples).clip(-1, 1) * 0.9


def with_hum(samples: Samples, rate: int, under_db: float) -> Samples:
    """50 Hz and its harmonics, each 6 dB under the one before, so many dB under the music."""
    seconds = np.arange(samples.shape[1]) / rate
    hum = sum(0.5**n * np.sin(2 * np.pi * 50 * (n + 1) * seconds) for n in range(6))
    hum *= np.sqrt(np.square(samples).mean() / np.square(hum).mean() / 10 ** (under_db / 10))
    return samples + hum


def coded(samples: Samples, rate: int, kbps: float, form: LossyFormat = "mp3") -> Samples:
    with TemporaryDirectory() as folder:
        plain = write_samples(Path(folder) / "plain.wav", samples.astype(np.float32), rate)
        encode_lossy(plain, Path(folder) / f"coded.{form}", form, int(kbps))
        return decode(Path(folder) / f"coded.{form}", Path(folder)).recording.read(0, samples.shape[1])


def by_phone(samples: Samples, rate: int, snr_db: float) -> Samples:
    """A telephone's band (ITU-T G.712) with noise of its own."""
    from scipy.signal import butter, sosfilt

    band = sosfilt(butter(8, (300, 3400), "bandpass", fs=rate, output="sos"), samples, axis=1)
    return with_noise(band, rate, snr_db)


def with_shimmer(samples: Samples, rate: int, part: float) -> Samples:
    """Tones of 45 ms between 6 and 10 kHz, by chance, with so many times the music's energy there."""
    from scipy.signal import butter, sosfilt

    rng = np.random.default_rng(2)
    tones = np.zeros(samples.shape[1])
    length = round(0.045 * rate)
    window = np.hanning(length)
    for at in rng.integers(0, len(tones) - length, round(60 * len(tones) / rate)).tolist():
        tones[at : at + length] += window * np.sin(
            2 * np.pi * rng.uniform(6000, 10_000) * np.arange(length) / rate
        )
    band = sosfilt(butter(4, (6000, 10_000), "bandpass", fs=rate, output="sos"), samples, axis=1)
    return samples + tones * np.sqrt(
        part * np.square(band).mean() / max(float(np.square(tones).mean()), 1e-12)
    )


DAMAGES: Mapping[str, tuple[Damage, tuple[float, ...]]] = {
    "white noise, SNR in dB": (with_noise, (60, 40, 30, 20, 10, 0)),
    "low-pass at Hz": (low_passed, (16_000, 11_000, 8000, 5500, 3400)),
    "clipped, driven by dB": (clipped, (3, 6, 9, 12)),
    "hum, dB under the music": (with_hum, (60, 40, 30, 20, 10)),
    "MP3 at kbit/s": (coded, (320, 128, 96, 64)),
    "telephone, SNR in dB": (by_phone, (40, 20, 10)),
    "shimmer, energy over the band's": (with_shimmer, (0.1, 0.5, 2, 8)),
}
"""Name → what is done, and how much, from slight to severe."""

CUTS: Mapping[str, tuple[Damage, float, float]] = {
    **{
        f"low-pass {hertz}": (low_passed, hertz, hertz)
        for hertz in (3400, 5500, 8000, 11_000, 13_500, 16_000)
    },
    # LAME's low-pass at these rates, by its own table: what is left of its slope ends there.
    **{f"MP3 {kbps}": (coded, kbps, hertz) for kbps, hertz in ((64, 11_000), (96, 15_100), (128, 17_000))},
}
"""Name → what is done, how much, and where the spectrum ends then, in Hz."""


def excerpt(file: Path) -> tuple[Samples, int]:
    """The middle of a file."""
    with TemporaryDirectory() as folder:
        recording = decode(file, Path(folder)).recording
        frames = min(recording.frames, round(SECONDS * recording.sample_rate))
        start = (recording.frames - frames) // 2
        return recording.read(start, start + frames).astype(np.float64), recording.sample_rate


def heard(samples: Samples, rate: int) -> tuple[Score, Traces]:
    with TemporaryDirectory() as folder:
        return score_of(write_samples(Path(folder) / "heard.wav", samples.astype(np.float32), rate))


def rows(excerpts: Mapping[str, tuple[Samples, int]]) -> Iterator[str]:
    whole = {name: heard(*each)[0] for name, each in excerpts.items()}
    for name, score in whole.items():
        yield f"{name[:40]:42}{score.total:6.1f}  " + ", ".join(
            f"{part} {value:.0f}" for part, value in score.parts.items() if value < 99.5
        )
    for damage, (do, steps) in DAMAGES.items():
        told = {name: [whole[name].total or 0.0] for name in excerpts}
        for step in steps:
            for name, (samples, rate) in excerpts.items():
                told[name].append(heard(do(samples, rate, step), rate)[0].total or 0.0)
        table = np.array(list(told.values()))
        rises = int((np.diff(table, axis=1) > RISES).sum())
        yield (
            f"| {damage} | none, {', '.join(f'{step:g}' for step in steps)} | "
            + " ".join(f"{value:.0f}" for value in np.median(table, axis=0))
            + f" | {' '.join(f'{value:.0f}' for value in table.min(axis=0))} | {rises} of {table[:, 1:].size} |"
        )
    for cut, (do, step, hertz) in CUTS.items():
        kinds, right, known = [], 0, 0
        for samples, rate in excerpts.values():
            if heard(samples, rate)[1].bandwidth_hz < 1.05 * hertz:
                continue  # it ends below by itself
            traces = heard(do(samples, rate, step), rate)[1]
            known += 1
            right += abs(traces.bandwidth_hz / hertz - 1) <= 0.05
            kinds.append(traces.cut)
        told_kinds = ", ".join(f"{kind} {kinds.count(kind)}" for kind in dict.fromkeys(kinds))
        yield f"| {cut} | {right} of {known} | {told_kinds} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    files = parser.parse_args().files
    for row in rows({f"{file.parent.name}/{file.name}": excerpt(file) for file in files}):
        print(row, flush=True)


if __name__ == "__main__":
    main()
