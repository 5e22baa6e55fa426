"""Whether masters keep their word, by another meter: `python -m resonate_tests.benchmarks.bench_masters FILE…`.

Masters 210 generated files, and those given, in every format, and measures what other decoders make of them with
libebur128: within 0.1 LU of −14 LUFS unless a note says why not, and under −1 dBTP.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyebur128  # type: ignore[import-untyped]
import soundfile as sf

from resonate_resources.mastering.brief import FORMATS, MasteringBrief
from resonate_resources.mastering.resource import MasteringResource
from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.recording import AudioError, Recording, write_samples
from resonate_resources.recordings.tags import Tags

TARGET_LUFS, CEILING_DBTP, TOLERANCE_LU = -14.0, -1.0, 0.1

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Shape:
    """level_dbfs: of the highest sample."""

    sample_rate: int
    channels: int
    seconds: float
    level_dbfs: float


SHAPES = (
    Shape(48_000, 2, 3.0, 0.0), Shape(44_100, 2, 3.0, -6.0), Shape(44_100, 1, 3.0, -12.0),
    Shape(48_000, 6, 3.0, -6.0), Shape(96_000, 2, 2.0, -6.0), Shape(192_000, 1, 1.0, -20.0),
    Shape(8_000, 1, 3.0, -3.0), Shape(22_050, 2, 3.0, -30.0), Shape(44_100, 2, 0.1, -6.0),
    Shape(48_000, 3, 2.0, -6.0), Shape(48_000, 4, 2.0, -6.0), Shape(48_000, 5, 2.0, -10.0),
    Shape(44_100, 6, 2.0, -40.0), Shape(88_200, 2, 2.0, -55.0), Shape(44_100, 2, 10.0, 0.0),
)  # fmt: skip


def _impulses(time: Floats, rng: np.random.Generator) -> Floats:
    wave = 1e-4 * rng.standard_normal(time.size)
    wave[:: max(1, round(0.25 / (time[1] - time[0])))] = 1.0
    return wave


def _single_impulse(time: Floats, _: np.random.Generator) -> Floats:
    wave = np.zeros(time.size)
    wave[time.size // 2] = 1.0
    return wave


def _pink(time: Floats, rng: np.random.Generator) -> Floats:
    spectrum = np.fft.rfft(rng.standard_normal(time.size))
    return np.asarray(np.fft.irfft(spectrum / np.sqrt(np.arange(spectrum.size) + 1), time.size), np.float64)


def _drums(time: Floats, rng: np.random.Generator) -> Floats:
    beat = time % 0.5
    return np.asarray(
        np.exp(-beat / 0.05) * rng.standard_normal(time.size) + np.exp(-beat / 0.2) * np.sin(345 * beat)
    )


SIGNALS: Mapping[str, Callable[[Floats, np.random.Generator], Floats]] = {
    "silence": lambda time, _: np.zeros(time.size),
    "constant": lambda time, _: np.ones(time.size),
    "impulses": _impulses,
    "one impulse": _single_impulse,
    "square at clip": lambda time, _: np.sign(np.sin(2 * np.pi * 100 * time + 0.1)),
    "high square": lambda time, _: np.sign(np.sin(2 * np.pi * 1730 * time + 0.1)),
    "low sine": lambda time, _: np.sin(2 * np.pi * 50 * time),
    "sine": lambda time, _: np.sin(2 * np.pi * 997 * time),
    "quarter of the rate": lambda time, _: np.sin(np.pi / 2 * np.arange(time.size) + np.pi / 4),
    "sweep": lambda time, _: np.sin(2 * np.pi * 40 * time * 4**time),
    "white noise": lambda time, rng: rng.standard_normal(time.size),
    "pink noise": _pink,
    "drums": _drums,
    "at −70 LUFS": lambda time, rng: 2e-4 * rng.standard_normal(time.size),
}


def generated(signal: str, shape: Shape) -> npt.NDArray[np.float32]:
    """(channels, frames): channels differ a little, the LFE of 5.1 holds what is low of them."""
    time = np.arange(round(shape.seconds * shape.sample_rate)) / shape.sample_rate
    rng = np.random.default_rng(12)
    waves = np.stack([SIGNALS[signal](time, rng) * (1 - 0.1 * channel) for channel in range(shape.channels)])
    if signal != "at −70 LUFS":
        waves *= 10 ** (shape.level_dbfs / 20) / max(1e-9, np.abs(waves).max())
    return waves.astype(np.float32)


@dataclass(frozen=True)
class Found:
    """Of one file of a master, by libebur128. bounded: it says that it is not at its target."""

    form: str
    loudness_lufs: float
    true_peak_dbtp: float
    bounded: bool

    @property
    def kept(self) -> bool:
        off = self.loudness_lufs - TARGET_LUFS
        loud = not math.isfinite(self.loudness_lufs) or abs(off) <= TOLERANCE_LU or self.bounded
        return loud and self.true_peak_dbtp <= CEILING_DBTP


def masters_of(recording: Recording, into: Path) -> Iterator[Found]:
    """What libebur128 finds in the files of a recording's master, each format."""
    brief = MasteringBrief(formats=FORMATS)
    product = MasteringResource().master(recording, recording, brief, 0.0, Tags(title="Prüfung"), into)
    for form in FORMATS:
        loudness, peak = _by_libebur128(product.files[f"master.{form}"])
        short = product.measures["loudness_lufs"] == -math.inf  # in another rate it may just have 400 ms
        bounded = bool(product.measures["bounded"]) or bool(product.measures.get(f"{form}_bounded")) or short
        assert not bounded or product.notes, f"{form}: is not at its target, and nobody says so"
        yield Found(form, loudness, peak, bounded)


def _by_libebur128(path: Path) -> tuple[float, float]:
    samples, rate = _samples(path)
    modes = pyebur128.MeasurementMode.MODE_I | pyebur128.MeasurementMode.MODE_TRUE_PEAK
    state = pyebur128.R128State(samples.shape[1], rate, modes)
    # What follows the file is silence: a peak may lie behind its last sample.
    padded = np.pad(samples, ((0, 64), (0, 0)))
    state.add_frames(np.ascontiguousarray(padded).ravel(), len(padded))
    peak = max(pyebur128.get_true_peak(state, channel) for channel in range(samples.shape[1]))
    return float(pyebur128.get_loudness_global(state)), 20 * math.log10(peak) if peak > 0 else -math.inf


def _samples(path: Path) -> tuple[npt.NDArray[np.float32], int]:
    """(frames, channels) and the rate, by libsndfile; AAC, which it lacks, and MP3, of which it refuses some that
    are mostly silence, by FFmpeg, delays included."""
    if path.suffix not in (".m4a", ".mp3"):
        samples, rate = sf.read(path, dtype="float32", always_2d=True)
        return samples, int(rate)
    import av

    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        return np.concatenate(frames, axis=1).T, int(container.streams.audio[0].rate)


def main(files: list[str]) -> None:
    tally = {form: [0, 0, 0, -math.inf, 0.0] for form in FORMATS}
    refused: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, recording) in enumerate(_recordings(files, Path(folder), refused)):
            into = Path(folder) / str(number)
            into.mkdir()
            for found in _told(name, masters_of(recording, into)):
                count = tally[found.form]
                count[0] += 1
                count[1] += found.kept
                count[2] += found.bounded
                count[3] = max(count[3], found.true_peak_dbtp)
                if not found.bounded and math.isfinite(found.loudness_lufs):
                    count[4] = max(count[4], abs(found.loudness_lufs - TARGET_LUFS))
                if not found.kept:
                    print(
                        f"{name}, {found.form}: {found.loudness_lufs:.2f} LUFS, {found.true_peak_dbtp:.2f} dBTP",
                        flush=True,
                    )
            for path in into.iterdir():
                path.unlink()
    print("| format | files | kept | said to be softer | highest peak | farthest from −14 LUFS else |")
    print("|---|---|---|---|---|---|")
    for form, (count, kept, bounded, peak, off) in tally.items():
        print(f"| {form} | {count} | {kept} | {bounded} | {peak:.2f} dBTP | {off:.2f} LU |")
    print(f"refused: {'; '.join(refused) or 'none'}")


def _told(name: str, masters: Iterator[Found]) -> Iterator[Found]:
    """The same; a master that can't be made is told, and not counted."""
    try:
        yield from masters
    except AudioError as error:
        print(f"{name}: {error}", flush=True)


def _recordings(files: list[str], folder: Path, refused: list[str]) -> Iterator[tuple[str, Recording]]:
    for signal in SIGNALS:
        for shape in SHAPES:
            name = f"{signal}, {shape}"
            yield name, write_samples(folder / "generated.wav", generated(signal, shape), shape.sample_rate)
    for number in (math.nan, math.inf):
        broken = np.full((2, 48_000), 0.1, np.float32)
        broken[0, 1000] = number
        write_samples(folder / "broken.wav", broken, 48_000)
        try:
            decode(folder / "broken.wav", folder)
        except AudioError as error:
            refused.append(str(error))
    for file in files:
        yield Path(file).name, decode(Path(file), folder).recording


if __name__ == "__main__":
    main(sys.argv[1:])
