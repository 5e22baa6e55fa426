"""Clicks, crackle and digital glitches: what no prediction from its surroundings foresees, and nothing follows.

Godsill and Rayner, Digital Audio Restoration (1998), ch. 5: an autoregressive model's residual is small where music goes
on, and large where something struck it. Drums, strings and consonants strike, too, but go on sounding; the pulses of
voices and reeds come again within 10 ms as strong.
"""

from __future__ import annotations

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
_EDGE_S = 0.005  # where a recording begins and ends nothing is foreseen
_WHITE = 1e-7  # keeps the model stable where a band holds nothing
_BLOCK_FRAMES = 64  # analysis frames
_SURE, _FEWEST = 10.0, 3
_SHAPE_S, _COMPARED, _PLAYED = 0.001, 64, 0.965


@dataclass(frozen=True)
class Clicks:
    """Of one channel: spans [start, stop) in frames of the recording, (n, 2), and by how many times each stands out of
    the residual's 95th percentile, (n,). shapes: the residual of 2 ms around its highest, at energy 1, (n, samples)."""

    spans: Marks
    heights: Floats
    shapes: Floats

    def some(self, which: npt.NDArray[np.bool_]) -> Clicks:
        return Clicks(self.spans[which], self.heights[which], self.shapes[which])


def clicks_per_second(recording: Recording) -> float:
    """Sure ones, of the channel that has most; 0 where they are alike, and so played: slaps, sticks, pulses of reeds.

    The recording is read once. Memory: the strongest clicks, 2 ms each.
    """
    counts = np.zeros(recording.channels, int)
    strongest: list[tuple[float, Floats]] = []
    size = _BLOCK_FRAMES * _frame(recording.sample_rate) // 2
    for start in range(0, recording.frames, size):
        for channel, clicks in enumerate(
            clicks_between(recording, start, min(start + size, recording.frames))
        ):
            sure = clicks.heights > _SURE
            counts[channel] += int(sure.sum())
            strongest += zip(clicks.heights[sure].tolist(), clicks.shapes[sure], strict=True)
        strongest = sorted(strongest, key=lambda each: -each[0])[:_COMPARED]
    most = int(counts.max(initial=0))
    if most < _FEWEST or _alike(np.array([shape for _, shape in strongest])) >= _PLAYED:
        return 0.0
    return most / recording.duration


def _alike(shapes: Floats) -> float:
    """Median of how each correlates with the one that is most like it, a few samples sooner or later."""
    from scipy.fft import irfft, rfft

    if len(shapes) < 2:
        return 0.0
    spectra = rfft(shapes, 2 * shapes.shape[1], axis=1)
    best = np.zeros(len(shapes))
    for number, spectrum in enumerate(spectra):
        like = np.abs(irfft(spectra * spectrum.conj(), axis=1)).max(axis=1)
        like[number] = 0
        best[number] = like.max()
    return float(np.median(best))


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
    return 1 << max(7, round(np.log2(_FRAME_S * sample_rate)))


def _clicks_of(wave: Floats, sample_rate: int) -> Clicks:
    from scipy.ndimage import maximum_filter1d, median_filter

    reach = round(_SHAPE_S * sample_rate)
    none = Clicks(np.zeros((0, 2), np.intp), np.zeros(0), np.zeros((0, 2 * reach)))
    if len(wave) < 2:
        return none
    error, usual = _residual(wave, _frame(sample_rate))
    strength = np.abs(error)
    usual = np.maximum(usual, _QUIETEST)
    cell = _frame(sample_rate) // 4  # on the grid of the frames, whatever block is read
    cells = np.pad(strength, (0, -len(strength) % cell)).reshape(-1, cell).max(axis=1)
    pulses = np.repeat(median_filter(cells, _CELLS, mode="nearest"), cell)[: len(strength)]
    stands = strength / usual
    hot = np.flatnonzero((stands > _STANDS) & (strength > _OVER_PULSES * pulses))
    if not len(hot):
        return none
    # A click is all around its hot samples that is not back to usual.
    loud = maximum_filter1d(stands, 2 * max(1, round(_JOIN_S * sample_rate / 4)) + 1) > _FALLS
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]])))
    islands = np.unique(np.searchsorted(edges[::2], hot, side="right") - 1)
    spans = np.stack([edges[::2][islands], edges[1::2][islands]], axis=1)
    heights = np.maximum.reduceat(stands, np.append(spans, len(stands) - 1).ravel()[: 2 * len(spans)])[::2]
    beside, apart = (max(1, round(seconds * sample_rate)) for seconds in (_BESIDE_S, _APART_S))
    kept = [
        stop - start <= _LONGEST_S * sample_rate
        and _median(strength, stop + apart, beside)
        <= _GOES_ON * _median(strength, start - apart - beside, beside)
        for start, stop in spans
    ]
    padded = np.pad(error, reach)
    shapes = np.array(
        [_around(padded, int(strength[slice(*span)].argmax() + span[0]), reach) for span in spans]
    )
    return Clicks(spans, heights, shapes).some(np.array(kept))


def _around(padded: Floats, at: int, reach: int) -> Floats:
    shape = padded[at : at + 2 * reach]
    return shape / np.linalg.norm(shape)


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
    """(n, order + 1) coefficients, the first 1, of (n, frames): Levinson's recursion on tapered autocorrelations."""
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
