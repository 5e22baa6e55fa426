"""De-essing: sibilants of a voice that are louder than voices have them, brought down to what they have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine
from resonate_resources.recordings.recording import Progress, Recording, Samples, write_recording
from resonate_resources.restoration.step import Facts, Mended, StepName

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Bounds:
    """over_db: what a sibilant may be over the voice's loud vowels. deepest_db: it is brought down by, at most."""

    over_db: float
    deepest_db: float


BOUNDS: Mapping[Preset, _Bounds] = {
    "conservative": _Bounds(3.0, 8.0),
    "balanced": _Bounds(0.0, 12.0),
    "aggressive": _Bounds(-3.0, 15.0),
}
"""The loudest sibilants of five real voices lie 17 dB under their loud vowels to 1 over (docs/measurements.md)."""

_SPLIT_HZ = 4500.0  # of /s/ and /ʃ/ nearly all lies above, of vowels nearly nothing
_NYQUIST_HZ = 7000.0  # at lower rates sibilants are not there
_TAPS_S = 0.003
_HOP_S = 0.005
_LOUD = 0.9  # quantile of the vowels' level, where a voice sounds at all
_SILENT_DB = -70.0
_SHORTEST = 2  # hops: a click or a plosive is shorter
_SMOOTH = 3  # hops, over which the gain is the mean of the lowest: 15 ms to come and to go


class Deess:
    """One gain for all channels and all above 4.5 kHz, moving every 5 ms; where it is 1, nothing changes."""

    name: StepName = "deess"

    @property
    def engine(self) -> Engine:
        return Engine("resonate", "split-band de-esser")

    def unavailable(self) -> str | None:
        return None

    def mend(
        self, recording: Recording, facts: Facts, preset: Preset, path: Path, progress: Progress
    ) -> Mended:
        """See `Step`. Of any but vocals the very recording."""
        if facts.kind != "vocals" or recording.sample_rate / 2 < _NYQUIST_HZ or not recording.frames:
            return Mended(
                recording, "no voice alone" if facts.kind != "vocals" else "no sibilants at this rate"
            )
        gains_db = _gains_db(*_levels_db(recording), BOUNDS[preset])
        lowered = gains_db < 0
        measures = {
            "sibilant_s": float(lowered.sum() * _HOP_S),
            "deepest_db": float(-gains_db.min(initial=0.0)),
        }
        if not lowered.any():
            return Mended(recording, "no sibilant sticks out of the voice", measures)
        hop = round(_HOP_S * recording.sample_rate)
        at = (np.arange(len(gains_db)) + 0.5) * hop
        start = 0
        with write_recording(path, recording.sample_rate, recording.channels, recording.frames) as writer:
            for block, high in _split(recording):
                here = np.interp(start + np.arange(block.shape[1]), at, 1 - 10 ** (gains_db / 20))
                writer.write(block - here.astype(np.float32) * high)
                start += block.shape[1]
                progress(start / recording.frames)
        note = "sibilants of {sibilant_s:.2g} s were brought down, by {deepest_db:.1f} dB at most".format(
            **measures
        )
        return Mended(writer.recording, note, measures)


def _split(recording: Recording) -> Iterator[tuple[Samples, Samples]]:
    """Each block, and what of it lies above the split, in phase."""
    from scipy.signal import firwin, oaconvolve

    half = round(_TAPS_S * recording.sample_rate / 2)
    taps = firwin(2 * half + 1, _SPLIT_HZ, pass_zero=False, fs=recording.sample_rate).astype(np.float32)
    start = 0
    for block in recording.blocks():
        stop = start + block.shape[1]
        read = recording.read(start - half, stop + half)
        outside = (max(0, half - start), max(0, stop + half - recording.frames))
        high = oaconvolve(np.pad(read, ((0, 0), outside)), taps[None], mode="valid", axes=1)
        yield block, high.astype(np.float32)
        start = stop


def _levels_db(recording: Recording) -> tuple[Floats, Floats]:
    """Of each hop, all channels together, in dBFS: above the split, and below. Memory: 1.6 kB a second."""
    hop = round(_HOP_S * recording.sample_rate)
    high_power, low_power = [], []
    rest = np.zeros((2 * recording.channels, 0), np.float32)
    for block, high in _split(recording):
        both = np.concatenate([rest, np.concatenate([high, block - high])], axis=1)
        count = both.shape[1] // hop
        powers = np.square(both[:, : count * hop]).reshape(len(both), count, hop).mean(axis=2)
        high_power.append(powers[: recording.channels].mean(axis=0))
        low_power.append(powers[recording.channels :].mean(axis=0))
        rest = both[:, count * hop :]
    above, below = (np.concatenate(each).astype(np.float64) for each in (high_power, low_power))
    return 10 * np.log10(above + 1e-14), 10 * np.log10(below + 1e-14)


def _gains_db(high_db: Floats, low_db: Floats, bounds: _Bounds) -> Floats:
    """Of each hop, 0 or less: sibilants down to what the voice's loud vowels allow."""
    from scipy.ndimage import binary_opening, minimum_filter1d, uniform_filter1d

    sounding = low_db > max(_SILENT_DB, float(low_db.max(initial=-np.inf)) - 40)
    if not sounding.any():
        return np.zeros(len(high_db))
    allowed = float(np.quantile(low_db[sounding], _LOUD)) + bounds.over_db
    sticks_out = binary_opening((high_db > allowed) & (high_db > low_db), np.ones(_SHORTEST, np.bool_))
    gains = np.where(sticks_out, np.maximum(allowed - high_db, -bounds.deepest_db), 0.0)
    return np.asarray(uniform_filter1d(minimum_filter1d(gains, _SMOOTH), _SMOOTH, mode="nearest"))
