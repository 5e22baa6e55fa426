"""What quality control reads off a recording: a few hundred numbers a second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import soxr

from resonate_resources.parallel import in_parallel
from resonate_resources.quality.peaks import spectral_peaks
from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.band_levels import mel_bands
from resonate_resources.signal.mono import moved
from resonate_resources.signal.onsets import onset_strength
from resonate_resources.signal.timbre import hear_timbre

Matrix = npt.NDArray[np.float32]

RATE = 32_000  # the one rate at which recordings of any rate are compared: up to 16 kHz, what adults hear
ONSETS_PER_S = 100
FRAMES_PER_S = 10
MEL_BANDS = 64
WIDTH_EDGES_HZ = (120.0, 500.0, 2_000.0, 8_000.0, 16_000.0)
OCTAVES_HZ = (63.0, 125.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 14_000.0)
BALANCE_HZ = (31.5, 63.0, 125.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 14_000.0)
"""Centres of octaves; the last reaches from 11.3 kHz, where 8 kHz ends, to 16."""
BASS_PITCHES = range(28, 60)  # MIDI: E1 (41 Hz), a bass guitar's lowest string, to B3 (247 Hz)

_HOP, _SIZE = RATE // ONSETS_PER_S, 2048
_LONG_HOP, _LONG_SIZE = RATE // FRAMES_PER_S, 16384  # 2 Hz a line: tells semitones apart down to E1
_MARGIN = _LONG_SIZE // 2
_CHUNK = 10 * RATE
_KICK_HZ = (30.0, 120.0)
_CHROMA_PITCHES = range(48, 96)  # C3 to B6: under it the bass, over it more overtones than notes


@dataclass(frozen=True)
class Readings:
    """Of one recording; frames are rows. Powers and peaks are linear, full scale 1.

    Ten rows a second: mel (frames, 64), power and peak (frames,), mid, side and lean (frames, 4; lean is mid times
    side, positive to the left), chroma (frames, 12), bass (frames, 32; one column per semitone), balance (frames,
    10; octaves), pitches and partials (frames, 16; of the strongest peaks of the spectrum, in cents from A4 and as
    amplitude, 0 where there is none). A hundred rows a second: onset and kick (frames × 10,), how much rose in the
    spectrum and in 30–120 Hz; click (frames × 10,), how sharply the wave of either channel bends at most: its
    second difference; gap (frames × 10,), the power of its softer half; octaves (frames × 10, 9). timbre is what
    the profile finds sections in (signal/timbre.py): levels in dB, two rows a second.
    """

    mel: Matrix
    power: Matrix
    peak: Matrix
    mid: Matrix
    side: Matrix
    lean: Matrix
    chroma: Matrix
    bass: Matrix
    balance: Matrix
    pitches: Matrix
    partials: Matrix
    onset: Matrix
    kick: Matrix
    click: Matrix
    gap: Matrix
    octaves: Matrix
    timbre: Matrix

    def __len__(self) -> int:
        return len(self.power)

    def louder(self, gain_db: float) -> Readings:
        """As if the recording had been louder by gain_db."""
        power = np.float32(10 ** (gain_db / 10))
        exponent = {"onset": _ONSET_EXPONENT, "pitches": 0.0}
        exponent |= dict.fromkeys(("peak", "kick", "click", "partials"), 0.5)
        louder = {
            name: part * power ** np.float32(exponent.get(name, 1.0)) for name, part in self._parts().items()
        }
        return Readings(**louder, timbre=self.timbre + np.float32(gain_db))

    def padded(self, frames: int) -> Readings:
        """With silence after it, up to that many frames at ten a second; timbre stays as it is."""
        parts = self._parts()
        missing = {name: frames * (len(part) // len(self)) - len(part) for name, part in parts.items()}
        return Readings(
            **{
                name: np.pad(part, ((0, missing[name]), *((0, 0),) * (part.ndim - 1)))
                for name, part in parts.items()
            },
            timbre=self.timbre,
        )

    def _parts(self) -> dict[str, Matrix]:
        """All that is linear, and ten or a hundred rows a second."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "timbre"}


_ONSET_EXPONENT = 0.25  # loudness grows with about the fourth root of power (Stevens)


def read_off(recording: Recording, skip: int = 0) -> Readings:
    """The readings of a recording from its `skip`th frame at RATE on; negative: with so much silence before it.

    Memory grows by 5 kB a second of audio. At least one frame.
    """
    chunks = list(in_parallel(_of_chunk, _chunks(recording, skip)))
    parts = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
    return Readings(**parts, timbre=hear_timbre(recording, skip_s=skip / RATE))


def _chunks(recording: Recording, skip: int) -> Iterator[Samples]:
    """Mid and side at RATE, (2, _MARGIN + n + _MARGIN) with n up to _CHUNK, overlapping by the margins."""
    pending = np.zeros((2, _MARGIN), np.float32)
    for block in moved(_without_offset(_mid_side(recording)), skip):
        pending = np.concatenate((pending, block), axis=1)
        while pending.shape[1] >= _CHUNK + 2 * _MARGIN:
            yield pending[:, : _CHUNK + 2 * _MARGIN]
            pending = pending[:, _CHUNK:]
    rest = max(1, pending.shape[1] - _MARGIN)
    whole = -(-rest // _LONG_HOP) * _LONG_HOP
    yield np.pad(pending, ((0, 0), (0, whole + 2 * _MARGIN - pending.shape[1])))


def _mid_side(recording: Recording) -> Iterator[Samples]:
    stream = soxr.ResampleStream(recording.sample_rate, RATE, 2, dtype="float32", quality="HQ")
    for block in recording.blocks():
        mid = block.mean(axis=0)
        side = (block[0] - block[1]) / 2 if recording.channels > 1 else np.zeros_like(mid)
        yield stream.resample_chunk(np.stack((mid, side), axis=1)).T
    yield stream.resample_chunk(np.zeros((0, 2), np.float32), last=True).T


def _without_offset(blocks: Iterator[Samples]) -> Iterator[Samples]:
    """From 10 Hz on, as if the first sample had always been there."""
    from scipy.signal import lfilter

    pole = 1 - 2 * np.pi * 10 / RATE
    state: npt.NDArray[np.floating] | None = None
    for block in blocks:
        if state is None and block.shape[1]:
            state = -block[:, :1]
        if state is not None:
            moving, state = lfilter((1.0, -1.0), (1.0, -pole), block, zi=state)
            yield moving.astype(np.float32)


def _of_chunk(chunk: Samples) -> dict[str, Matrix]:
    from scipy.fft import rfft

    frames = (chunk.shape[1] - 2 * _MARGIN) // _LONG_HOP
    # One spectrum more, before the first: what the first onset rose from.
    spectra = rfft(_frames(chunk, _SIZE, _HOP, 10 * frames + 1, -1) * _hann(_SIZE), axis=-1)
    spectra /= np.float32(_SIZE / 4)  # a full-scale sine has 1
    mid, side = np.abs(spectra) ** 2
    lean = (spectra[0] * spectra[1].conj()).real
    long = np.abs(rfft(_frames(chunk[:1], _LONG_SIZE, _LONG_HOP, frames, 0)[0] * _hann(_LONG_SIZE), axis=-1))
    long = np.asarray((long / np.float32(_LONG_SIZE / 4)) ** 2, np.float32)

    mel = mid @ _mel_bands()
    rise = onset_strength(mel**_ONSET_EXPONENT, 0.0)[1:]
    kick = onset_strength(np.sqrt(mid[:, _lines(_SIZE, *_KICK_HZ)]), 0.0)[1:]
    bands = list(pairwise(WIDTH_EDGES_HZ))
    octaves = [mid[1:, _octave(_SIZE, hz)].sum(axis=1) for hz in OCTAVES_HZ]
    pitches, partials = spectral_peaks(long, RATE / _LONG_SIZE)
    sides = chunk[0] + np.stack((chunk[1], -chunk[1]))
    bend = np.abs(np.diff(sides[:, _MARGIN - 1 : _MARGIN + frames * _LONG_HOP + 1], 2)).max(axis=0)
    audio = chunk[:, _MARGIN : _MARGIN + frames * _LONG_HOP].reshape(2, frames, _LONG_HOP)
    return {
        "mel": _tenths(mel[1:]),
        "power": (audio**2).sum(axis=0).mean(axis=1),
        "peak": np.maximum(np.abs(audio[0] + audio[1]), np.abs(audio[0] - audio[1])).max(axis=1),
        "mid": _tenths(np.stack([mid[1:, _lines(_SIZE, *band)].sum(axis=1) for band in bands], axis=1)),
        "side": _tenths(np.stack([side[1:, _lines(_SIZE, *band)].sum(axis=1) for band in bands], axis=1)),
        "lean": _tenths(np.stack([lean[1:, _lines(_SIZE, *band)].sum(axis=1) for band in bands], axis=1)),
        "balance": _balance(long, mid[1:] + side[1:]),
        "pitches": pitches,
        "partials": partials,
        "chroma": (long @ _pitch_filters(_CHROMA_PITCHES)).reshape(frames, -1, 12).sum(axis=1),
        "bass": np.asarray(long @ _pitch_filters(BASS_PITCHES), np.float32),
        "onset": rise,
        "kick": kick,
        "click": bend.reshape(-1, _HOP).max(axis=1),
        "gap": (audio**2).sum(axis=0).reshape(-1, 2, _HOP // 2).mean(axis=2).min(axis=1),
        "octaves": np.stack(octaves, axis=1),
    }


def _frames(chunk: Samples, size: int, hop: int, count: int, first: int) -> Samples:
    """Frames first…first + count, (channels, count, size), frame k centred on the k-th hop after the margin."""
    start = _MARGIN + first * hop - size // 2
    windows = np.lib.stride_tricks.sliding_window_view(chunk[:, start:], size, axis=1)
    return np.asarray(windows[:, : (count - 1) * hop + 1 : hop])


def _tenths(rows: Matrix) -> Matrix:
    """Means of ten rows each."""
    return np.asarray(rows.reshape(-1, ONSETS_PER_S // FRAMES_PER_S, rows.shape[1]).mean(axis=1))


def _lines(size: int, lower_hz: float, upper_hz: float) -> slice:
    return slice(round(lower_hz * size / RATE), round(upper_hz * size / RATE))


def _balance(long: Matrix, both: Matrix) -> Matrix:
    """Octaves ten times a second: the lowest two of the mid by long spectra, the others of mid and side by short
    ones, in which channels that cancel each other do not."""
    low = [long[:, _octave(_LONG_SIZE, hz)].sum(axis=1) for hz in BALANCE_HZ[:2]]
    high = [both[:, _octave(_SIZE, hz)].sum(axis=1) for hz in BALANCE_HZ[2:]]
    return np.concatenate([np.stack(low, axis=1), _tenths(np.stack(high, axis=1))], axis=1)


def _octave(size: int, centre_hz: float) -> slice:
    lower = 8_000 * 2**0.5 if centre_hz == OCTAVES_HZ[-1] else centre_hz / 2**0.5
    return _lines(size, lower, min(centre_hz * 2**0.5, RATE / 2))


@cache
def _hann(size: int) -> Matrix:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)).astype(np.float32)


@cache
def _mel_bands() -> Matrix:
    return mel_bands(MEL_BANDS, 0.0, RATE / 2, RATE, _SIZE)


@cache
def _pitch_filters(pitches: range) -> Matrix:
    """Triangles over the lines of _LONG_SIZE, a semitone to either side of MIDI pitches, (lines, pitches)."""
    hz = np.maximum(np.arange(_LONG_SIZE // 2 + 1), 0.5) * RATE / _LONG_SIZE
    pitch = 69 + 12 * np.log2(hz / 440)
    return np.asarray(np.maximum(0, 1 - np.abs(pitch[:, None] - np.array(pitches))), np.float32)
