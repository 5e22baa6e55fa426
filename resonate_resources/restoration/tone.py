"""The smooth colour of a small microphone taken off, by the filter of least delay that has the opposite gains.

Microphones and their amplifiers are such filters themselves: what they delayed is put in time again. A filter
of linear phase with the same gains takes the demo song's phone recording from −12.4 to −15.2 dB of SI-SDR to
the truth, this one to −11.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine
from resonate_resources.recordings.recording import Progress, Recording, write_recording
from resonate_resources.restoration.step import Facts, Mended, StepName
from resonate_resources.signal.linear_phase import SECONDS, Taps, convolved

_HEARD_DB = 0.5
_FINER = 8  # times as many lines as taps: what wraps round in the cepstrum is 60 dB down


@dataclass(frozen=True)
class Correction:
    """part: of the colour that is taken off, 0 to 1. most_db: either way."""

    part: float
    most_db: float


CORRECTIONS: Mapping[Preset, Correction] = {
    "conservative": Correction(0.7, 6.0),
    "balanced": Correction(1.0, 9.0),
    "aggressive": Correction(1.0, 9.0),
}


class Tone:
    """Turns each frequency by as much as `Facts.colour_db` says, all channels alike."""

    name: StepName = "tone"

    @property
    def engine(self) -> Engine:
        return Engine("minimum-phase equaliser")

    def unavailable(self) -> str | None:
        return None

    def mend(
        self, recording: Recording, facts: Facts, preset: Preset, path: Path, progress: Progress
    ) -> Mended:
        """Read once."""
        correction = CORRECTIONS[preset]
        gains = {
            hertz: float(np.clip(-correction.part * colour, -correction.most_db, correction.most_db))
            for hertz, colour in facts.colour_db.items()
        }
        most = max(gains, key=lambda hertz: abs(gains[hertz]), default=None)
        if most is None or abs(gains[most]) < _HEARD_DB:
            return Mended(recording, "no colour that such music does not have")
        taps = minimum_phase(gains, recording.sample_rate)
        with write_recording(path, recording.sample_rate, recording.channels, recording.frames) as writer:
            for block in convolved(recording.blocks(), [taps] * recording.channels):
                writer.write(block)
        progress(1.0)
        told = f"{gains[most]:+.1f} dB at {most:.0f} Hz and less at the other ends of its colour"
        return Mended(writer.recording, told, {"tone_most_db": gains[most]})


def minimum_phase(gains_db: Mapping[float, float], sample_rate: int) -> Taps:
    """An odd number of taps, 90 ms long, of which all before the middle one are 0, whose gain goes through gains_db
    (Hz → dB), straight in log frequency; beyond their ends it stays.

    By the folded cepstrum (Oppenheim and Schafer, Discrete-Time Signal Processing, §13.5).
    """
    half = round(SECONDS * sample_rate / 2)
    size = 1 << int(np.ceil(np.log2(_FINER * half)))
    hertz = np.maximum(np.fft.rfftfreq(size, 1 / sample_rate), 1.0)
    ends = sorted(gains_db)
    curve_db = np.interp(np.log(hertz), np.log(ends), [gains_db[each] for each in ends])
    cepstrum = np.fft.irfft(curve_db * (np.log(10) / 20), size)
    cepstrum[1 : size // 2] *= 2
    cepstrum[size // 2 + 1 :] = 0
    response = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)), size)[: half + 1]
    response[half // 2 :] *= np.hanning(2 * (half + 1 - half // 2))[half + 1 - half // 2 :]
    return np.concatenate([np.zeros(half), response])
