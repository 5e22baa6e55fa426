"""The room that a stem rings on in, where what plays it is drier than the original.

The room's response is Polack's model, noise that falls by 60 dB in each octave's own time (La transmission de
l'énergie sonore dans les salles, 1988). How strong it is in an octave is fitted on how the original dies away: the
course of power that a stem takes in such a room is its own, and an exponential that follows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.decays import OCTAVES_HZ, find_decays, in_octaves, stereo_levels

Floats = npt.NDArray[np.float64]

_HOP_S: Final = 0.01  # of stereo_levels
_E_FOLDS: Final = 6 * np.log(10)  # of power in 60 dB
_LEVELS_DB: Final = np.arange(-30.0, 6.5, 1.0)
"""Power of the room against the direct sound's that are tried; composed songs and mixers' sends lie within."""
_LEAST_S: Final = 1.0  # of decays in an octave: fewer tell nothing
_FEWEST: Final = 2  # octaves: one alone is an instrument
_RANGE_DB: Final = 60.0
_NEARER_DB: Final = 0.5  # by less it is not worth a room


@dataclass(frozen=True)
class RoomTail:
    """response: (2, frames), of the room without the direct sound. level_db: octave in Hz → the room's power
    against the direct sound's; of octaves that lack none there is nothing."""

    response: Samples
    level_db: Mapping[int, float]

    @classmethod
    def lacking(
        cls, rt60_s: Mapping[str, float | None], original: Recording, played: Recording
    ) -> RoomTail | None:
        """rt60_s: of `space` in the analysis, by octave in Hz; octaves that it does not tell are as their
        neighbours. Both recordings are of one rate and length. None where no room is known, and where what is
        played rings on as long as the original, or longer.

        Memory: 120 bytes a 10 ms of each recording.
        """
        times = _times(rt60_s)
        if times is None:
            return None
        wanted, had = (stereo_levels(each)[:, :, :2].mean(axis=2) for each in (original, played))
        levels = {
            hertz: level
            for hertz, time, *powers in zip(OCTAVES_HZ, times, wanted, had, strict=False)
            if (level := _level(powers[0], powers[1], time)) is not None
        }
        if len(levels) < _FEWEST:
            return None
        return cls(
            response_of(dict(zip(OCTAVES_HZ, times, strict=True)), levels, original.sample_rate), levels
        )

    def applied(self, blocks: Iterator[Samples]) -> Iterator[Samples]:
        """The stream of two channels with the room under it; of the same length, and what is dry stays as it is."""
        from scipy.signal import oaconvolve

        ringing = np.zeros((2, 0), np.float32)
        for block in blocks:
            frames = block.shape[1]
            room = oaconvolve(block, self.response, axes=1)
            room[:, : ringing.shape[1]] += ringing
            ringing = room[:, frames:]
            yield np.asarray(block + room[:, :frames], np.float32)


def response_of(times: Mapping[int, float], levels_db: Mapping[int, float], sample_rate: int) -> Samples:
    """(2, frames): noise of its own in each channel, in octaves that cross over between their centres; the first
    and the last reach to the ends of the spectrum. An octave without a level is silent."""
    frames = round(max(times[hertz] for hertz in levels_db) * sample_rate)
    seconds = np.arange(frames) / sample_rate
    noise = np.fft.rfft(np.random.default_rng(0).standard_normal((2, frames)))
    response = np.zeros((2, frames))
    for hertz, band in zip(OCTAVES_HZ, in_octaves(noise, frames, sample_rate), strict=True):
        level_db = levels_db.get(hertz, -np.inf)
        power = 10 ** (level_db / 10) * _E_FOLDS / (times[hertz] * sample_rate)
        response += band * np.sqrt(power) * 10 ** (-3 * seconds / times[hertz])
    return response.astype(np.float32)


def _times(rt60_s: Mapping[str, float | None]) -> list[float] | None:
    known = sorted((np.log2(int(hertz)), seconds) for hertz, seconds in rt60_s.items() if seconds is not None)
    if not known:
        return None
    octaves, seconds = np.array(known).T
    return [float(each) for each in np.exp(np.interp(np.log2(OCTAVES_HZ), octaves, np.log(seconds)))]


def _level(wanted: Floats, had: Floats, rt60_s: float) -> float | None:
    """Of the room in dB, that brings what is played nearest to the original, where that dies away and altogether;
    None where one of the two does not come nearer. Matching makes both as loud as each other, whatever is added."""
    from scipy.signal import lfilter

    decays = find_decays(10 * np.log10(wanted + 1e-12))
    if not had.any() or sum(decay.end - decay.start for decay in decays) * _HOP_S < _LEAST_S:
        return None
    dying = np.concatenate([np.arange(decay.start, decay.end) for decay in decays])
    kept = np.exp(-_HOP_S * _E_FOLDS / rt60_s)
    room = lfilter([1 - kept], [1, -kept], had)
    floor = wanted.max() * 10 ** (-_RANGE_DB / 10)

    def off_db(strength: float) -> Floats:
        played = had + strength * room
        played *= wanted.sum() / played.sum()
        apart = np.abs(10 * np.log10(np.maximum(played, floor) / np.maximum(wanted, floor)))
        return np.array([apart[dying].mean(), apart.mean()])

    off = [off_db(10 ** (level / 10)) for level in _LEVELS_DB]
    best = int(np.argmin(np.sum(off, axis=1)))
    return float(_LEVELS_DB[best]) if (off[best] < off_db(0.0) - _NEARER_DB).all() else None
