"""What stems hold, by window and octave: how much sound, and how much of it is not their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Progress, Stems, silent
from resonate_resources.signal.octaves import OCTAVES_HZ, OctaveSpectra

Floats = npt.NDArray[np.float64]

_FRAMES_AT_ONCE = 64


@dataclass(frozen=True)
class Worth:
    """Of one stem in one window: how good it is as SI-SDR, in dB; error_db: standard deviation, 0 if measured."""

    start_s: float
    stop_s: float
    si_sdr_db: float
    error_db: float

    @classmethod
    def of(cls, window: Mapping[str, float | None]) -> Worth:
        """From JSON, which has no infinity: null is the quality of a stem that is its truth."""
        quality = window["si_sdr_db"]
        return cls(
            float(window["start_s"] or 0),
            float(window["stop_s"] or 0),
            np.inf if quality is None else quality,
            float(window["error_db"] or 0),
        )


@dataclass(frozen=True)
class Holdings:
    """Sums of squares of samples. mix (windows, octaves); stems and astray (windows, octaves) by stem.

    astray: the part that is expected to be the other stems', or nothing's. hertz, mix_lines (lines,) and lines by
    stem: squared magnitudes over the whole track. samples: of each stem, all channels together.
    """

    mix: Floats
    stems: Mapping[str, Floats]
    astray: Mapping[str, Floats]
    hertz: npt.NDArray[np.floating[Any]]
    mix_lines: Floats
    lines: Mapping[str, Floats]
    samples: int

    def own_db(self, stem: str) -> float:
        """Level of what is its own against the mix, over the whole track."""
        whole = float(self.mix.sum())
        own = float((self.stems[stem] - self.astray[stem]).sum())
        return float(10 * np.log10(max(own, 1e-12 * whole) / whole)) if whole else -120.0


def hold(stems: Stems, worth: Mapping[str, Sequence[Worth]], progress: Progress = silent) -> Holdings:
    """Listen to the stems once. Windows are those of worth; a stem that has none there has nothing of its own.

    A stem's error lies where it and the others sound at once: as the variance that a Wiener filter leaves,
    |s|²·|r|² / (|s|² + |r|²), of stem and rest at each time and frequency; its sum is what SI-SDR says of the
    window, less its error bar.
    """
    first = next(iter(stems.values()))
    spectra = OctaveSpectra(first.sample_rate)
    starts = sorted({window.start_s for windows in worth.values() for window in windows}) or [0.0]
    shape = len(starts), len(OCTAVES_HZ)
    mix, power, shared = (
        np.zeros(shape),
        {name: np.zeros(shape) for name in stems},
        {name: np.zeros(shape) for name in stems},
    )
    mix_lines, lines = np.zeros(len(spectra.hertz)), {name: np.zeros(len(spectra.hertz)) for name in stems}
    frame = 0
    for blocks in zip(*(stem.blocks(_FRAMES_AT_ONCE * spectra.size) for stem in stems.values()), strict=True):
        heard = {name: spectra.frames(block) for name, block in zip(stems, blocks, strict=True)}
        total = np.sum(list(heard.values()), axis=0)
        count = total.shape[1]
        at_s = (np.arange(frame, frame + count) + 0.5) * spectra.size / first.sample_rate
        window = np.searchsorted(starts, at_s, side="right") - 1
        whole = np.square(np.abs(total)).sum(axis=0)
        np.add.at(mix, window, spectra.by_octave(whole))
        mix_lines += whole.sum(axis=0)
        for name, own in heard.items():
            of_stem = np.square(np.abs(own)).sum(axis=0)
            of_rest = np.square(np.abs(total - own)).sum(axis=0)
            np.add.at(power[name], window, spectra.by_octave(of_stem))
            lines[name] += of_stem.sum(axis=0)
            between = of_stem * of_rest / (of_stem + of_rest + 1e-30)
            np.add.at(shared[name], window, spectra.by_octave(between))
        frame += count
        progress(frame * spectra.size / max(1, first.frames))
    astray = {
        name: _astray(power[name], shared[name], _parts_astray(starts, worth.get(name, ()))) for name in stems
    }
    heard_lines = np.asarray(mix_lines, np.float64)
    samples = first.frames * first.channels
    return Holdings(mix, power, astray, spectra.hertz, heard_lines, lines, samples)


def _parts_astray(starts: Sequence[float], worth: Sequence[Worth]) -> Floats:
    """(windows,): which part of a stem's energy is not its own."""
    quality = {window.start_s: window.si_sdr_db - window.error_db for window in worth}
    decibels = np.array([quality.get(start, -np.inf) for start in starts])
    return np.asarray(1 / (1 + 10 ** (decibels / 10)), np.float64)


def _astray(power: Floats, shared: Floats, part: Floats) -> Floats:
    """The windows' error, shared out over octaves; no octave holds more of it than there is."""
    wanted = part * power.sum(axis=1)
    share = shared / np.maximum(shared.sum(axis=1, keepdims=True), 1e-30)
    return np.asarray(np.minimum(wanted[:, None] * share, power), np.float64)
