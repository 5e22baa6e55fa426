"""Melody: how strongly each pitch sounds at each time, and the line that runs through it.

Salience by harmonic summation over peaks of the constant-Q spectrum, as Salamon and Gómez, "Melody extraction from
polyphonic music signals using pitch contour characteristics", IEEE TASLP 20 (2012); the line is the likeliest path
through it, as a voice moves by small steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_resources.harmony.constant_q import (
    BINS,
    HOP,
    PER_OCTAVE,
    SAMPLE_RATE,
    Spectrum,
    constant_q,
    stretches,
)
from resonate_resources.parallel import in_parallel
from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.mono import mono_blocks

METHOD = "harmonic summation over the constant-Q spectrum; Viterbi"
HOP_S = 2 * HOP / SAMPLE_RATE  # 46 ms
LOWEST_HZ = 55.0  # A1, as in the paper, and so the five octaves
_FIRST = 27  # of the spectrum's bins from C1, three a semitone
_PITCHES = 5 * PER_OCTAVE
HERTZ = LOWEST_HZ * 2.0 ** (np.arange(_PITCHES) / PER_OCTAVE)

STEP_DB = 1.0
_FLOOR_DB = -120.0  # about, against a full-scale tone of 440 Hz
_STRETCH = 1024  # frames of the spectrum at once

_HARMONICS, _DECAY = 10, 0.8
_PEAK_DB = -40.0  # under the strongest of its frame; with the decay as in the paper
_EMPHASIS = 1.5
"""Of magnitude, in powers of frequency: one half undoes the spectrum's own scaling, one is 6 dB an octave in place
of the paper's equal-loudness filter. Fitted, as are harmonics and steps."""
_SPREAD = np.cos(np.arange(-2, 3) / 3 * np.pi / 2) ** 2  # the paper's, over a semitone on either side
_SEMITONE = 0.15  # nats that a step of one costs
_FAR = 12  # semitones: further steps cost no more
_RANGE_DB = 60.0  # what is further under the strongest tells nothing
_HEARD_DB = 18.0
_STANDS_OUT_DB = 9.0
"""Of the strongest pitch of a frame over the mean of all: 5 and 8 in brown and white noise, 8 to 11 in drums, 11
and more in songs, 14 and more in voices (training songs)."""
_LOOKED_AT = 4096  # frames, spread over the recording

Levels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Melody:
    """salience: (frames, 180), 0 for nothing, else levels in steps of 1 dB, pitches of HERTZ, a frame each
    HOP_S. hertz: (frames,), of the line; 0 where nothing is heard."""

    salience: Levels
    hertz: npt.NDArray[np.float32]

    def write(self, path: Path) -> None:
        """As .npz: salience, its axes bins_hz and times_s, and hertz."""
        times = (np.arange(len(self.salience)) * HOP_S).astype(np.float32)
        np.savez_compressed(
            path, salience=self.salience, bins_hz=HERTZ.astype(np.float32), times_s=times, hertz=self.hertz
        )


def hear_melody(recording: Recording) -> Melody:
    """Of a voice, or of a whole track. Keeps 15 MB an hour, and as much again for the line."""
    frames = -(-round(recording.duration * SAMPLE_RATE) // HOP)
    if not frames:
        return Melody(np.zeros((0, _PITCHES), np.uint8), np.zeros(0, np.float32))
    parts = stretches(mono_blocks(recording, SAMPLE_RATE), frames, _STRETCH)
    spectra: Iterator[tuple[int, Spectrum]] = in_parallel(
        lambda part: (part.first, constant_q(part.samples)), parts
    )
    # Of a stretch that begins with an odd frame, the frames after the first are the even ones.
    found = np.concatenate([salience_of(spectrum[first % 2 :: 2]) for first, spectrum in spectra])
    return Melody(found, _line(found))


def salience_of(spectrum: Spectrum) -> Levels:
    """(frames, 180) levels of HERTZ, from magnitudes (frames, 252) of `constant_q`."""
    magnitudes = spectrum * (2.0 ** (_EMPHASIS * np.arange(1 - BINS, 1) / PER_OCTAVE)).astype(np.float32)
    around = np.pad(magnitudes, ((0, 0), (1, 1)))
    peaks = (magnitudes >= around[:, :-2]) & (magnitudes >= around[:, 2:])
    peaks &= magnitudes > 10 ** (_PEAK_DB / 20) * magnitudes.max(axis=1, keepdims=True)
    wide = np.pad(np.where(peaks, magnitudes, 0), ((0, 0), (2, 2)))
    spread = np.sum([weight * wide[:, at : at + BINS] for at, weight in enumerate(_SPREAD)], axis=0)
    summed = np.zeros((len(spectrum), _PITCHES))
    for harmonic in range(1, _HARMONICS + 1):
        first = _FIRST + round(PER_OCTAVE * np.log2(harmonic))
        part = spread[:, first : first + _PITCHES]
        summed[:, : part.shape[1]] += _DECAY ** (harmonic - 1) * part
    least = np.maximum(10 ** (_PEAK_DB / 20) * summed.max(axis=1, keepdims=True), 10 ** (_FLOOR_DB / 20))
    levels = np.where(summed > least, 20 * np.log10(np.maximum(summed, least)), _FLOOR_DB)
    return np.round((levels - _FLOOR_DB) / STEP_DB).clip(0, 255).astype(np.uint8)


def _has_pitch(salience: Levels) -> bool:
    """Whether pitches stand out at all, in half of the frames and more in which something sounds."""
    some = salience[:: max(1, len(salience) // _LOOKED_AT)]
    powers = 10 ** (some[some.any(axis=1)] * np.float32(STEP_DB / 20))
    standing = 20 * np.log10(powers.max(axis=1) / powers.mean(axis=1)) if len(powers) else np.zeros(1)
    return bool(np.median(standing) >= _STANDS_OUT_DB)


def _line(salience: Levels) -> npt.NDArray[np.float32]:
    """(frames,): Hz of the likeliest path; 0 where it is far under the melody's usual level."""
    strongest = int(salience.max(initial=0))
    if not _has_pitch(salience):
        return np.zeros(len(salience), np.float32)
    nats = STEP_DB * np.log(10) / 20
    floor = max(0.0, strongest - _RANGE_DB / STEP_DB)
    pitches = np.arange(_PITCHES)
    apart = np.abs(pitches[:, np.newaxis] - pitches) * (12 / PER_OCTAVE)
    cost = (_SEMITONE * np.minimum(apart, _FAR)).astype(np.float32)
    came = np.zeros(salience.shape, np.uint8)
    value = np.zeros(_PITCHES, np.float32)
    for frame, levels in enumerate(salience):
        if frame:
            ways = value - cost
            came[frame] = ways.argmax(axis=1)
            value = ways.max(axis=1)
        value = value + np.maximum(levels, floor).astype(np.float32) * np.float32(nats)
        value -= value.max()
    path = np.zeros(len(salience), np.intp)
    path[-1] = value.argmax()
    for frame in range(len(path) - 1, 0, -1):
        path[frame - 1] = came[frame, path[frame]]
    return _interpolated(salience, path)


def _interpolated(salience: Levels, path: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    """Between bins, by a parabola through levels."""
    rows, inside = np.arange(len(path)), path.clip(1, _PITCHES - 2)
    below, at, above = (salience[rows, inside + step].astype(float) for step in (-1, 0, 1))
    bend = np.minimum(below - 2 * at + above, -1e-6)
    between = np.clip(0.5 * (below - above) / bend, -0.5, 0.5)
    hertz = LOWEST_HZ * 2 ** ((inside + between) / PER_OCTAVE)
    levels = salience[rows, path].astype(float)
    usual = np.percentile(levels[levels > 0], 90) if levels.any() else 0.0
    heard = levels > max(0.0, usual - _HEARD_DB / STEP_DB)
    return np.where(heard, hertz, 0).astype(np.float32)
