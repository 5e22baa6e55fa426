"""Predicted quality of stems: a small fitted model from telltales to decibels, with a calibrated error bar.

How it was fitted, on what, and what it is worth on songs that it has not met: `docs/separation-quality.md`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from resonate_resources.recordings.recording import AudioError, Recording, Stems
from resonate_resources.separation.prediction.passage import Floats, read_passage
from resonate_resources.separation.prediction.telltales import measure_telltales
from resonate_resources.separation.prediction.trees import Trees
from resonate_resources.separation.quality import StemQuality, WindowQuality, has_sound, window_bounds

LOWEST_DB, HIGHEST_DB = -10.0, 25.0
"""Predictions lie between these: the range that was fitted. What is better or worse is not told apart."""
FILE = Path(__file__).parent / "predictor.npz"


@dataclass(frozen=True)
class Predictor:
    """value: SI-SDR in dB from telltales. spread: logarithm of how far off that usually is, in dB.

    window_factor, track_factor: by which spreads are multiplied to be one standard deviation on songs that fitting
    has not met.
    """

    value: Trees
    spread: Trees
    window_factor: float
    track_factor: float

    def windows(self, telltales: Floats) -> tuple[Floats, Floats]:
        """Predicted SI-SDR and its standard deviation in dB, (rows,) each, from (rows, telltales)."""
        value: Floats = np.clip(self.value(telltales), LOWEST_DB, HIGHEST_DB)
        error: Floats = self.window_factor * np.exp(self.spread(telltales))
        return value, error

    def track(self, values: Floats, errors: Floats, energies: Floats) -> tuple[float, float]:
        """Of the whole stem, from its windows: their energies of sound and of distortion summed.

        That is how the SI-SDR of a whole follows from that of its parts. Errors count by how far the whole moves
        with each window, and as if all were wrong in the same direction: windows of one track mostly are.
        """
        ratio = 10 ** (values / 10)
        sound, distortion = energies * ratio / (1 + ratio), energies / (1 + ratio)
        moves = sound / sound.sum() / (1 + ratio) + distortion / distortion.sum() * ratio / (1 + ratio)
        whole = 10 * math.log10(sound.sum() / distortion.sum())
        return whole, self.track_factor * float((moves * errors).sum())


def predict_quality(track: Recording, stems: Stems) -> dict[str, StemQuality]:
    """What the SI-SDR of each stem probably is, as a whole and by window, from the track and its stems alone.

    Read once, a window at a time. Windows in which a stem is silent are left out. Raises AudioError where rate,
    channels or length differ.
    """
    for stem in stems.values():
        if (stem.sample_rate, stem.channels, stem.frames) != (
            track.sample_rate,
            track.channels,
            track.frames,
        ):
            raise AudioError(f"{stem.path.name}: rate, channels or length differ from {track.path.name}")
    model = predictor()
    windows: dict[str, list[WindowQuality]] = {name: [] for name in stems}
    energies: dict[str, list[float]] = {name: [] for name in stems}
    for start, stop in window_bounds(track.frames, track.sample_rate):
        passage = read_passage(track, list(stems.values()), start, stop)
        values, errors = model.windows(measure_telltales(passage, list(stems)))
        energy = np.diagonal(passage.products.sum(0))[1:]
        for name, own, value, error in zip(stems, energy, values, errors, strict=True):
            if has_sound(own, passage.values):
                span = start / track.sample_rate, stop / track.sample_rate
                windows[name].append(WindowQuality(*span, float(value), float(error)))
                energies[name].append(float(own))
    return {name: _whole(model, windows[name], energies[name]) for name in stems}


def _whole(model: Predictor, windows: list[WindowQuality], energies: list[float]) -> StemQuality:
    if not windows:
        return StemQuality("predicted", math.nan, math.nan, ())
    values = np.array([window.si_sdr_db for window in windows])
    errors = np.array([window.error_db for window in windows])
    return StemQuality("predicted", *model.track(values, errors, np.array(energies)), tuple(windows))


@cache
def predictor() -> Predictor:
    """The fitted model."""
    with FILE.open("rb") as stream, np.load(stream) as arrays:
        return Predictor(
            Trees.from_arrays(arrays, "value."),
            Trees.from_arrays(arrays, "spread."),
            float(arrays["window_factor"]),
            float(arrays["track_factor"]),
        )
