"""Clicks, crackle and digital glitches: what no prediction from its surroundings foresees, and nothing follows.

Godsill and Rayner, Digital Audio Restoration (1998), ch. 5: an autoregressive model's residual is small where music
goes on, and large where something struck it. Drums, strings and consonants strike, too, but go on sounding; the
pulses of voices and reeds come again within 12 ms as strong; what is played twice sounds twice alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording

Floats = npt.NDArray[np.float64]
Marks = npt.NDArray[np.intp]

ORDER = 32
_FRAME_S = 0.046
_USUAL = 0.95  # quantile of a frame's residual: pulses of voices are under it, clicks above
_CELLS = 7  # quarters of a frame: the strongest of each 12 ms, and their median over 80 ms
_STANDS, _OVER_PULSES = 5.0, 2.5  # times those two
_FALLS = 1.5  # times the usual: a click's tail ends there
_QUIETEST = 2e-5  # a step of 16 bits is 3e-5
_LONGEST_S = 0.003
_JOIN_S = 0.0006
_BESIDE_S, _APART_S = 0.004, 0.0005
_GOES_ON = 1.6  # times the residual's median before: something was struck that sounds on
_CLEAR_S, _SPECTRUM_S, _BANDS, _RISES_DB, _FALLS_DB = 0.001, 0.0116, 9, 3.5, 9.0
_EDGE_S = 0.005  # where a recording begins and ends nothing is foreseen
_WHITE = 1e-7  # keeps the model stable where a band holds nothing
_BLOCK_FRAMES = 64  # analysis frames
_SURE, _FEWEST, _MOSTLY = 10.0, 3, 0.8
_AROUND_S, _COMPARED, _PLAYED = (0.004, 0.016), 64, 0.85
_JITTER = 16  # frames
_FEWEST_IN_RHYTHM, _GRID_S, _ON_GRID_S = 10, 0.05, 0.003


@dataclass(frozen=True)
class Clicks:
    """Of one channel. spans: [start, stop) in frames of the recording, (n, 2). heights: by how many times each
    stands out of the 95th percentile of the residual around it, (n,). around: the residual from 4 ms before it to
    16 ms behind it, without the click itself, at energy 1, (n, samples)."""

    spans: Marks
    heights: Floats
    around: Floats

    def some(self, which: npt.NDArray[np.bool_] | Marks) -> Clicks:
        return Clicks(self.spans[which], self.heights[which], self.around[which])

    def joined(self, others: Clicks) -> Clicks:
        ours, theirs = (vars(each).values() for each in (self, others))
        return Clicks(*(np.concatenate(pair) for pair in zip(ours, theirs, strict=True)))


def clicks_per_second(recording: Recording) -> float:
    """Sure ones, of the channel that has most; without those around which it sounds alike, which were played.

    0 where more than a fifth was: one that is played may look like no other; and where they keep to a grid of 50 ms
    and more, as a machine's do.

    The recording is read once. Memory: 20 ms of each of the 64 strongest clicks, 8 bytes of each.
    """
    counts = [0] * recording.channels
    times: list[list[float]] = [[] for _ in counts]
    strongest = [_none(recording.sample_rate)] * recording.channels
    size = _BLOCK_FRAMES * _frame(recording.sample_rate) // 2
    for start in range(0, recording.frames, size):
        found = clicks_between(recording, start, min(start + size, recording.frames))
        for channel, clicks in enumerate(found):
            sure = clicks.some(clicks.heights > _SURE)
            counts[channel] += len(sure.spans)
            times[channel] += (sure.spans[:, 0] / recording.sample_rate).tolist()
            known = strongest[channel].joined(sure)
            strongest[channel] = known.some(np.argsort(-known.heights)[:_COMPARED])
    most = counts.index(max(counts))
    single = ~played(strongest[most])
    if single.sum() < max(_FEWEST, _MOSTLY * len(single)) or _in_rhythm(times[most]):
        return 0.0
    return counts[most] / recording.duration * float(single.mean())


def played(clicks: Clicks) -> npt.NDArray[np.bool_]:
    """(n,): which of them have another one with the same residual around it, to within 16 frames."""
    from scipy.fft import irfft, rfft

    if len(clicks.spans) < 2:
        return np.zeros(len(clicks.spans), bool)
    spectra = rfft(clicks.around, 2 * clicks.around.shape[1], axis=1)
    alike = np.zeros(len(spectra), bool)
    for number, spectrum in enumerate(spectra):
        like = irfft(spectra * spectrum.conj(), axis=1)
        nearest = np.concatenate([like[:, :_JITTER], like[:, -_JITTER:]], axis=1).max(axis=1)
        nearest[number] = 0
        alike[number] = nearest.max() >= _PLAYED
    return alike


def _in_rhythm(times: list[float]) -> bool:
    """Whether eight intervals of ten are multiples of the middle one, to 3 ms; by chance one in ten is."""
    if len(times) < _FEWEST_IN_RHYTHM:
        return False
    apart = np.diff(times)
    grid = float(np.median(apart))
    if grid < _GRID_S:
        return False
    off = np.abs(apart - grid * np.maximum(1, np.round(apart / grid)))
    return bool(np.mean(off < _ON_GRID_S) >= _MOSTLY)


def clicks_between(recording: Recording, start: int, stop: int) -> tuple[Clicks, ...]:
    """The clicks of each channel that begin in frames start…stop; start is a multiple of half an analysis frame."""
    context = 4 * (_frame(recording.sample_rate) // 2)
    read = recording.read(start - context, stop + context)
    first = max(0, start - context)
    edge = round(_EDGE_S * recording.sample_rate)
    found = []
    for channel in read:
        clicks = _clicks_of(channel.astype(np.float64), recording.sample_rate)
        clicks.spans[:] += first
        begin, end = clicks.spans.T
        found.append(
            clicks.some((begin >= max(start, edge)) & (begin < stop) & (end < recording.frames - edge))
        )
    return tuple(found)


def _frame(sample_rate: int) -> int:
    return int(1 << max(7, round(math.log2(_FRAME_S * sample_rate))))


def _around_frames(sample_rate: int) -> tuple[int, int]:
    return round(_AROUND_S[0] * sample_rate), round(_AROUND_S[1] * sample_rate)


def _none(sample_rate: int) -> Clicks:
    return Clicks(np.zeros((0, 2), np.intp), np.zeros(0), np.zeros((0, sum(_around_frames(sample_rate)))))


def _clicks_of(wave: Floats, sample_rate: int) -> Clicks:
    from scipy.ndimage import maximum_filter1d, median_filter

    if len(wave) < 2:
        return _none(sample_rate)
    error, usual = _residual(wave, _frame(sample_rate))
    strength = np.abs(error)
    usual = np.maximum(usual, _QUIETEST)
    cell = _frame(sample_rate) // 4  # on the grid of the frames, whatever block is read
    cells = np.pad(strength, (0, -len(strength) % cell)).reshape(-1, cell).max(axis=1)
    pulses = np.repeat(median_filter(cells, _CELLS, mode="nearest"), cell)[: len(strength)]
    stands = strength / usual
    hot = np.flatnonzero((stands > _STANDS) & (strength > _OVER_PULSES * pulses))
    if not len(hot):
        return _none(sample_rate)
    # A click is all around its hot samples that is not back to usual.
    loud = maximum_filter1d(stands, 2 * max(1, round(_JOIN_S * sample_rate / 4)) + 1) > _FALLS
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]])))
    islands = np.unique(np.searchsorted(edges[::2], hot, side="right") - 1)
    spans = np.stack([edges[::2][islands], edges[1::2][islands]], axis=1)
    heights = np.maximum.reduceat(stands, np.append(spans, len(stands) - 1).ravel()[: 2 * len(spans)])[::2]
    beside, apart = (max(1, round(seconds * sample_rate)) for seconds in (_BESIDE_S, _APART_S))
    clear, both = round(_CLEAR_S * sample_rate), round(_SPECTRUM_S * sample_rate)
    kept = [
        stop - start <= _LONGEST_S * sample_rate
        and _median(strength, stop + apart, beside)
        <= _GOES_ON * _median(strength, start - apart - beside, beside)
        and _goes_on(wave[max(0, start - clear - both) : max(0, start - clear)], wave[stop + clear :][:both])
        for start, stop in spans
    ]
    before, after = _around_frames(sample_rate)
    padded = np.pad(error, (before, after))
    around = np.array([_around(padded, start, before, after) for start in spans[:, 0]])
    return Clicks(spans, heights, around).some(np.array(kept))


def _around(padded: Floats, start: int, before: int, after: int) -> Floats:
    """Without its mean and the click itself, at energy 1."""
    around = padded[start : start + before + after].copy()
    sounds = np.r_[: before * 3 // 4, before + after // 8 : before + after]
    around[sounds] -= around[sounds].mean()
    around[before * 3 // 4 : before + after // 8] = 0
    return around / max(float(np.linalg.norm(around)), 1e-12)


def _goes_on(before: Floats, after: Floats) -> bool:
    """Whether octaves are about as loud after as before; where a note begins or is cut off they aren't."""
    if min(len(before), len(after)) < _BANDS or len(before) != len(after):
        return True
    edges = np.unique(np.geomspace(1, len(before) // 2, _BANDS).round().astype(int))
    powers = np.square(np.abs(np.fft.rfft(np.stack([before, after]) * np.hanning(len(before)))))
    bands = np.add.reduceat(powers, edges, axis=1)[:, :-1]
    levels = 10 * np.log10(bands + 1e-9 * powers.sum() + _QUIETEST**2)
    rises = np.diff(levels, axis=0)
    return float(rises.clip(min=0).mean()) <= _RISES_DB and float(-rises.clip(max=0).mean()) <= _FALLS_DB


def _median(strength: Floats, start: int, length: int) -> float:
    part = strength[max(0, start) : max(0, start + length)]
    return max(float(np.median(part)) if len(part) else 0.0, _QUIETEST / 4)


def _residual(wave: Floats, size: int) -> tuple[Floats, Floats]:
    """What the model does not foresee of each sample, and the quantile of its amount in the frame around it."""
    from scipy.fft import irfft, rfft

    half = size // 2
    count = -(-len(wave) // half)
    padded = np.pad(wave, (half // 2, count * half + half - len(wave)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::half][:count]
    predictor = rfft(prediction_error_filters(frames, ORDER), 2 * size)
    error = irfft(rfft(frames, 2 * size) * predictor, 2 * size)[:, ORDER:size]
    at = int(_USUAL * error.shape[1])
    usual = np.partition(np.abs(error), at, axis=1)[:, at]
    middle = error[:, half // 2 - ORDER : half // 2 - ORDER + half]
    return middle.ravel()[: len(wave)], np.repeat(usual, half)[: len(wave)]


def prediction_error_filters(frames: Floats, order: int) -> Floats:
    """(n, order + 1) coefficients, the first 1, of (n, frames): Levinson's recursion, tapered autocorrelations."""
    from scipy.fft import irfft, next_fast_len, rfft

    size = frames.shape[1]
    length = next_fast_len(size + order, real=True)
    power = np.square(np.abs(rfft(frames * np.hanning(size + 1)[:-1], length)))
    lags = irfft(power, length)[:, : order + 1]
    lags[:, 0] = lags[:, 0] * (1 + _WHITE) + 1e-12
    filters = np.zeros_like(lags)
    filters[:, 0] = 1
    error = lags[:, 0].copy()
    for step in range(1, order + 1):
        reflection = -np.einsum("ij,ij->i", filters[:, :step], lags[:, step:0:-1]) / error
        filters[:, 1 : step + 1] += reflection[:, None] * filters[:, step - 1 :: -1][:, :step]
        error *= 1 - reflection**2
    return filters
