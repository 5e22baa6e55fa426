"""Filters that move no phase: what passes them still sums with what did not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.blocks import surrounded, with_context, within
from resonate_resources.signal.octaves import OCTAVES_HZ

Taps = npt.NDArray[np.float64]

SECONDS = 0.09
"""Length of a filter: an octave at 63 Hz is told from its neighbours."""
_LOOP_S = 0.01
_BLOCK = 8  # lengths of a filter that are convolved at a time: fewer and more take longer


def linear_phase(
    gains_db: Sequence[float], sample_rate: int, low_hz: float | None = None, low_gain: float = 1.0
) -> Taps:
    """Symmetric taps, an odd number, whose gain goes through gains_db at OCTAVES_HZ, straight in log frequency.

    Beyond the ends it stays. What lies under low_hz is multiplied by low_gain on top; the edge is 40 Hz wide, as
    the taps are 90 ms long. An even gain g gives one tap of g.
    """
    from scipy.signal import firwin2

    lowered = low_hz is not None and low_gain != 1
    if np.ptp(gains_db) == 0 and not lowered:
        return np.array([10 ** (gains_db[0] / 20)])
    half = round(SECONDS * sample_rate / 2)
    hertz = np.concatenate([[0.0], np.geomspace(20.0, sample_rate / 2, 400)])
    curve = 10 ** (np.interp(np.log(np.maximum(hertz, 1.0)), np.log(OCTAVES_HZ), gains_db) / 20)
    if low_hz is not None and lowered:
        curve[hertz < low_hz] *= low_gain
    return np.asarray(firwin2(2 * half + 1, hertz, curve, fs=sample_rate), np.float64)


def filtered(recording: Recording, taps: Taps) -> Iterator[Samples]:
    """The recording's blocks through the taps, without latency, of the same length.

    Before its start and behind its end there is silence; or, where its end goes on smoothly at its start, as in a
    loop, itself.
    """
    half = len(taps) // 2
    around = half if recording.frames >= half and is_loop(recording) else 0
    return within(
        convolved(looped(recording, around), [taps] * recording.channels), around, around + recording.frames
    )


def convolved(stream: Iterator[Samples], taps: Sequence[Taps]) -> Iterator[Samples]:
    """A stream through taps of odd numbers, one row a channel: without latency, of the same length. A channel with
    a single tap is only multiplied by it."""
    half = max(len(row) for row in taps) // 2
    for held in with_context(stream, half):
        yield np.stack([convolve(channel, row, half) for channel, row in zip(held, taps, strict=True)])


def convolve(held: npt.NDArray[np.float32], taps: Taps, half: int) -> npt.NDArray[np.float32]:
    """(frames,) with `half` frames of context on both sides → without it."""
    if len(taps) == 1:
        return held[half : len(held) - half] * np.float32(taps[0])
    return next(convolve_by_each(held, (taps,), half))


def convolve_by_each(
    held: npt.NDArray[np.float32], filters: Sequence[Taps], half: int
) -> Iterator[npt.NDArray[np.float32]]:
    """The same for filters of one length, one after the other.

    Overlap-save in single precision, which leaves −135 dB of rounding: half of what scipy's oaconvolve takes, an
    eighth of pedalboard's Convolution.
    """
    from scipy.fft import irfft, next_fast_len, rfft

    length = len(filters[0])
    spare = half - length // 2
    inner = held[spare : len(held) - spare]
    frames = len(inner) - length + 1
    size = next_fast_len(min(_BLOCK * length, len(inner)), real=True)
    step = size - length + 1
    count = -(-frames // step)
    padded = np.zeros((count - 1) * step + size, np.float32)
    padded[: len(inner)] = inner
    spectra = rfft(sliding_window_view(padded, size)[::step])
    for taps in filters:
        made = irfft(spectra * rfft(taps.astype(np.float32), size), size)[:, length - 1 :].reshape(-1)[
            :frames
        ]
        yield np.asarray(made, np.float32)


def looped(recording: Recording, frames: int) -> Iterator[Samples]:
    """The recording with so many frames of its end before it and of its start behind it, or all that it has."""
    return surrounded(
        recording.blocks(), recording.read(recording.frames - frames), recording.read(0, frames)
    )


def is_loop(recording: Recording) -> bool:
    """Whether it goes on at its start where it ends, as `goes_on` has it."""
    frames = seam_frames(recording.sample_rate)
    return goes_on(recording.read(recording.frames - frames), recording.read(0, frames))


def goes_on(end: Samples, start: Samples) -> bool:
    """Whether the step from the last frame to the first is no larger than steps in the 10 ms beside it, and there
    is sound. end, start: as many frames as `seam_frames` says."""
    if start.shape[1] < 2:
        return False
    inside = max(float(np.abs(np.diff(part, axis=1)).max()) for part in (start, end))
    return 0 < float(np.abs(start[:, 0] - end[:, -1]).max()) <= inside


def seam_frames(sample_rate: int) -> int:
    """Frames at the ends by which a loop is known."""
    return max(2, round(_LOOP_S * sample_rate))
