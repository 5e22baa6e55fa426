"""Mains hum, followed exactly: its frequency, and of each harmonic amplitude and phase, which change slowly.

What is found is subtracted. A notch would take the bass notes that lie there, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples

Complex = npt.NDArray[np.complex128]
Floats = npt.NDArray[np.float64]

RATE = 4000
"""Hz at which hum is followed: what is heard of transformers and dimmers lies under 1.5 kHz."""
_HIGHEST_HZ = 1500.0
_STEP = 500
_STEPS_PER_S = RATE / _STEP
_SEEN = 48
"""Steps, 6 s, over which a harmonic is one steady tone. Notes there are shorter."""
_LOW = 8
"""Harmonics by which the frequency is first looked for: higher ones turn too fast between steps."""
_OFF = 0.005
"""Grids keep within 0.4 % of their frequency (ENTSO-E's and NERC's limits)."""
_FINELY_OFF = 0.0004
_TRIED = 81
_QUIET, _RESTS, _NEAR = 20, 40, 60
"""Per cent of the steps: those in which no note sounds at a harmonic."""


def follow(blocks: Callable[[], Iterable[Samples]], mains_hz: int) -> tuple[Floats, Complex]:
    """(steps,): the fundamental's phase in cycles; and (steps, channels, harmonics): each harmonic's amplitude and
    phase against it, as complex numbers, full scale 1; 0 where it does not hold still. Steps are 1/8 s apart.

    blocks: reads (channels, frames) at RATE from the start; called twice. Memory: 8 kB a second of stereo.
    """
    harmonics = np.arange(1, int(_HIGHEST_HZ / mains_hz) + 1)
    low = harmonics[:_LOW]
    seen = demodulated(blocks(), lambda at: mains_hz * at / RATE, low)
    steps = np.arange(len(seen))
    drift = _drift(seen, low, mains_hz, _OFF)
    turns = mains_hz * steps / _STEPS_PER_S + drift
    found = demodulated(blocks(), lambda at: np.interp(at, steps * _STEP, turns), harmonics)
    finely = _drift(found, harmonics, mains_hz, _FINELY_OFF)
    found *= np.exp(-2j * np.pi * finely[:, None, None] * harmonics)
    return turns + finely, _steady(found)


def demodulated(
    blocks: Iterable[Samples], turns: Callable[[Floats], Floats], harmonics: npt.NDArray[np.int64]
) -> Complex:
    """(steps, channels, harmonics): of Hann windows of two steps about each step. turns: the fundamental's phase
    in cycles, at frames of RATE."""
    window = np.hanning(2 * _STEP + 1)[:-1]
    window *= 2 / window.sum()
    held: Samples | None = None
    found: list[Complex] = []

    def taken(part: Samples) -> None:
        at = np.arange((len(found) - 1) * _STEP, (len(found) + 1) * _STEP, dtype=np.float64)
        tones = _powers(np.exp(-2j * np.pi * turns(np.maximum(at, 0))), len(harmonics))
        found.append((part * window) @ tones.T)

    for block in blocks:
        before = np.zeros((block.shape[0], _STEP), np.float32)
        held = np.concatenate([before if held is None else held, block], axis=1)
        while held.shape[1] >= 2 * _STEP:
            taken(held[:, : 2 * _STEP])
            held = held[:, _STEP:]
    if held is None:
        return np.zeros((0, 1, len(harmonics)), np.complex128)
    taken(np.pad(held, ((0, 0), (0, 2 * _STEP - held.shape[1]))))
    return np.array(found)


def hum_blocks(turns: Floats, amplitudes: Complex, frames: int) -> Iterator[Samples]:
    """What was followed, (channels, frames) at RATE, second by second."""
    at_steps = np.arange(len(turns)) * _STEP
    channels, harmonics = amplitudes.shape[1:]
    for start in range(0, frames, RATE):
        at = np.arange(start, min(start + RATE, frames), dtype=np.float64)
        tones = _powers(np.exp(2j * np.pi * np.interp(at, at_steps, turns)), harmonics)
        before = np.minimum((at / _STEP).astype(int), len(turns) - 1)
        after = np.minimum(before + 1, len(turns) - 1)
        share = (at / _STEP - before)[:, None]
        block = np.empty((channels, len(at)), np.float32)
        for channel in range(channels):
            levels = amplitudes[before, channel] * (1 - share) + amplitudes[after, channel] * share
            block[channel] = np.einsum("hf,fh->f", tones, levels).real
        yield block


def _powers(base: Complex, count: int) -> Complex:
    """(count, frames): base to the power of 1, 2, …"""
    return np.asarray(np.cumprod(np.broadcast_to(base, (count, len(base))), axis=0), np.complex128)


def _drift(found: Complex, harmonics: npt.NDArray[np.int64], mains_hz: int, off: float) -> Floats:
    """(steps,): cycles by which the fundamental is ahead of the phase it was demodulated with.

    In each window of 6 s the frequency is that, within a part `off` of the mains', at which the harmonics add up
    highest when turned back by it; phase is its integral.
    """
    steps = len(found)
    seen = min(_SEEN, steps)
    # A step counts by its phase and the root of its amplitude: notes are louder than hum, and do not last.
    flat = found / np.sqrt(np.abs(found) + 1e-9)
    tried = np.linspace(-off, off, _TRIED) * mains_hz
    when = np.arange(seen) / _STEPS_PER_S
    back = np.exp(-2j * np.pi * tried[:, None, None] * when[:, None] * harmonics)
    back *= np.hanning(seen + 2)[1:-1, None]
    starts = np.arange(0, max(1, steps - seen + 1), max(1, seen // 6))
    best = np.empty(len(starts))
    for number, start in enumerate(starts):
        turned = np.einsum("tsh,sch->tch", back, flat[start : start + seen])
        height = np.square(np.abs(turned)).sum(axis=(1, 2))
        at = int(np.clip(height.argmax(), 1, _TRIED - 2))
        left, middle, right = height[at - 1 : at + 2]
        bent = left - 2 * middle + right
        between = 0.5 * (left - right) / bent if bent < 0 else 0.0
        best[number] = tried[at] + np.clip(between, -0.5, 0.5) * (tried[1] - tried[0])
    hertz = np.interp(np.arange(steps), starts + seen / 2, _running(50, best, 5))
    cycles = np.cumsum(hertz) / _STEPS_PER_S
    return np.asarray(cycles - cycles[0], np.float64)


def _steady(found: Complex) -> Complex:
    """The mean of each harmonic over the quieter steps of 6 s, then, twice, over those nearest to it; less, to
    nothing, where without it the quietest are not much quieter: hum is what sounds when no note does."""
    from scipy.ndimage import uniform_filter1d

    seen = min(_SEEN, len(found)) | 1
    levels = np.abs(found)
    middle, off = found * 0, levels
    for percent in (_RESTS, _NEAR, _NEAR):
        taken = (off <= _running(percent, off, seen)).astype(np.float64)
        counts = np.maximum(uniform_filter1d(taken, seen, axis=0, mode="nearest"), 1e-9)
        middle = uniform_filter1d(taken * found, seen, axis=0, mode="nearest") / counts
        off = np.abs(found - middle)
    quiet, without = _running(_QUIET, levels, seen), _running(_QUIET, off, seen)
    return np.asarray(middle * np.clip(2 - 2 * without / (quiet + 1e-12), 0, 1), np.complex128)


def _running(percent: int, values: Floats, steps: int) -> Floats:
    """Percentile along the first axis, about each step."""
    from scipy.ndimage import percentile_filter

    size = (steps, *(1 for _ in values.shape[1:]))
    return np.asarray(percentile_filter(values, percent, size, mode="nearest"), np.float64)
