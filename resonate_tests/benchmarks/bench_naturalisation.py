"""What naturalisation does to real voices, and to the same voices made machine-like in known ways.

`OMP_NUM_THREADS=1 python -m resonate_tests.benchmarks.bench_naturalisation FILE …` (needs the extra `singing`), all
amounts at 1. Each voice as it is; put together again by WORLD; so with its pitch flattened to the nearest
semitones; so with nothing aperiodic in what is voiced, too; and with bursts of 30 to 60 ms between 6 and 10 kHz
added to it, as often as told, by so many dB over what the voice has there. Held notes: how many, their steadiness
in cents (median), how many are changed, and their steadiness then. Clearness and index: of the windows, median.
Residual: energy of what differs from the voice without bursts, after against before, in dB.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfiltfilt

from resonate_resources.naturalisation.amounts import Amounts
from resonate_resources.naturalisation.breath import clearness
from resonate_resources.naturalisation.keeping import mono_of
from resonate_resources.naturalisation.naturalise import naturalise
from resonate_resources.naturalisation.stretches import (
    HIGHEST_HZ,
    LOWEST_HZ,
    cents,
    held_notes,
    steadiness,
    windows,
)
from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.signal.pitch_track import HOP, pitch_of
from resonate_resources.signal.shimmer import measure_shimmer, spectrum_size

Audio = npt.NDArray[np.float64]
Version = Callable[[Audio, int], Audio]


class Facts(NamedTuple):
    notes: dict[int, float]
    """First frame of each held note → its steadiness."""
    clear_db: list[float]
    index: list[float]


def put_together(voice: Audio, rate: int, *, flat: bool = False, periodic: bool = False) -> Audio:
    """(frames,) by WORLD (Morise et al. 2016), of a voice of one channel."""
    import pyworld

    pitch, times = pyworld.harvest(voice, rate, f0_floor=LOWEST_HZ, f0_ceil=800)
    envelope = pyworld.cheaptrick(voice, pitch, times, rate)
    aperiodicity = pyworld.d4c(voice, pitch, times, rate)
    sung = pitch > 0
    if flat:
        pitch[sung] = 440 * 2 ** (np.round(12 * np.log2(pitch[sung] / 440)) / 12)
    if periodic:
        aperiodicity[sung] = 1e-3
    made = pyworld.synthesize(pitch, envelope, aperiodicity, rate)[: len(voice)]
    return np.pad(made, (0, len(voice) - len(made)))


def with_bursts(voice: Audio, rate: int, a_second: float, over_db: float) -> Audio:
    rng = np.random.default_rng(1)
    band = sosfiltfilt(butter(4, [6000, 10_000], "band", fs=rate, output="sos"), voice)
    envelope = np.sqrt(np.convolve(band**2, np.full(2048, 1 / 2048), "same"))
    bursts = np.zeros_like(voice)
    for _ in range(int(a_second * len(voice) / rate)):
        size = int(rng.uniform(0.03, 0.06) * rate)
        at = rng.integers(len(voice) - size)
        wave = np.sin(2 * np.pi * rng.uniform(6200, 9800) * np.arange(size) / rate)
        bursts[at : at + size] += np.hanning(size) * wave * envelope[at + size // 2] * 10 ** (over_db / 20)
    return voice + bursts


VERSIONS: dict[str, Version] = {
    "as it is": lambda voice, _: voice,
    "by WORLD": put_together,
    "by WORLD, flattened": lambda voice, rate: put_together(voice, rate, flat=True),
    "by WORLD, flattened, periodic": lambda voice, rate: put_together(voice, rate, flat=True, periodic=True),
    **{
        f"{a_second} bursts a second, {over_db:+d} dB": (
            lambda voice, rate, a_second=a_second, over_db=over_db: with_bursts(
                voice, rate, a_second, over_db
            )
        )
        for a_second in (20, 50)
        for over_db in (0, 6, 12)
    },
}


def facts_of(samples: Samples, rate: int) -> Facts:
    mono = mono_of(samples, rate, None)
    pitch = cents(pitch_of(mono, LOWEST_HZ, HIGHEST_HZ).hertz)
    notes = {note.start: steadiness(pitch[note.start : note.stop]) for note in held_notes(pitch)}
    size = spectrum_size(rate)
    clear_db, index = [], []
    for window in windows(pitch):
        clear = clearness(mono[window.start * HOP : window.stop * HOP], pitch[window.start : window.stop])
        clear_db += [] if clear is None else [clear]
        first, last = window.samples(rate, samples.shape[1])
        if last - first < 2 * size or not samples[0, first:last].any():
            continue
        parts = np.lib.stride_tricks.sliding_window_view(samples[0, first:last], size)[:: size // 4]
        spectra = np.fft.rfft(parts * np.hanning(size + 1)[:-1])
        index.append(measure_shimmer(np.square(np.abs(spectra)), rate).index)
    return Facts(notes, clear_db, index)


def main(files: list[str]) -> None:
    rows: dict[str, list[dict[str, Any]]] = {}
    for file in files:
        recording = Recording.open(Path(file))
        voice = recording.read().mean(axis=0).astype(np.float64)
        for name, version in VERSIONS.items():
            made = version(np.ascontiguousarray(voice), recording.sample_rate)
            rows.setdefault(name, []).append(_judged(made, voice, recording.sample_rate))
    print(
        "| version | voices | held notes | cents | changed | cents | clear | breathed | clear | index | windows "
        "| changed | index | residual | same samples |"
    )
    print(f"|{'---|' * 15}")
    for name, voices in rows.items():
        print(f"| {name} | {len(voices)} | {_row(voices)} |")


def _judged(made: Audio, voice: Audio, rate: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        stem = write_samples(Path(folder) / "stem.wav", made[np.newaxis].astype(np.float32), rate)
        done = naturalise(stem, Amounts(1, 1, 1), Path(folder))
        before, after = stem.read(), done.recording.read()
    added = np.square(before - voice).sum()
    left = np.square(after - voice).sum()
    return {
        "before": facts_of(before, rate),
        "after": facts_of(after, rate),
        "told": done.measures,
        "residual_db": 10 * np.log10(left / added) if added > 0 else 0.0,
        "same": float((before == after).mean()),
    }


def _row(voices: list[dict[str, Any]]) -> str:
    def middle(which: str, what: str) -> float:
        return float(np.median([value for each in voices for value in getattr(each[which], what)]))

    def count(what: str) -> int:
        return int(sum(each["told"][what] for each in voices))

    was, now = (
        [value for each in voices for value in each[which].notes.values()] for which in ("before", "after")
    )
    cells = [
        f"{len(was)}",
        f"{np.median(was):.1f}" if was else "–",
        f"{count('vibrato_notes')}",
        f"{np.median(now):.1f}" if now else "–",
        f"{middle('before', 'clear_db'):.1f}",
        f"{count('breath_windows')} of {count('sung_windows')}",
        f"{middle('after', 'clear_db'):.1f}",
        f"{middle('before', 'index'):.3f}",
        f"{count('sounding_windows')}",
        f"{count('shimmer_windows')}",
        f"{middle('after', 'index'):.3f}",
        f"{np.mean([each['residual_db'] for each in voices]):+.1f} dB",
        f"{np.mean([each['same'] for each in voices]):.0%}",
    ]
    return " | ".join(cells)


if __name__ == "__main__":
    main(sys.argv[1:])
