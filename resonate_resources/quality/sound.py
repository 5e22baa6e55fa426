"""How the sound of two recordings differs: spectrum, levels, width, room, dynamics, noise.

Every function takes the readings of reference and candidate, of one length, the candidate brought to the
reference's loudness and place. Equal readings differ by 0.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from resonate_resources.quality.difference import (
    Array,
    Difference,
    decibels,
    pooled,
    power_floor,
    smoothed,
    uneven,
)
from resonate_resources.quality.readings import (
    BALANCE_HZ,
    FRAMES_PER_S,
    MEL_BANDS,
    OCTAVES_HZ,
    ONSETS_PER_S,
    RATE,
    WIDTH_EDGES_HZ,
    Readings,
)

_UNHEARD = 1e-7
"""Of the mean power: an octave that is 70 dB under the music is not heard at 75 dB SPL; 16 bits' dither is such."""
_DECAY_HZ = (250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0)
_EQUAL_LOUDNESS = 60.0
"""dB under the strongest octave, as equally loud ones go, that an octave can be heard at."""


def mel_spectrogram_correlation(reference: Readings, candidate: Readings) -> Difference:
    """1 − Pearson's correlation of the mel spectrograms in dB, down to 70 dB under the loudest."""
    floor = power_floor(reference.mel, 70)
    before, after = decibels(reference.mel, floor), decibels(candidate.mel, floor)
    correlation = _correlation(before, after)
    apart = np.abs(after - before)
    band = int(smoothed(apart.mean(axis=0), 5).argmax())
    return Difference(
        1 - correlation,
        f"correlation {correlation:.3f}, {apart.mean():.1f} dB apart",
        pooled(apart.mean(axis=1), FRAMES_PER_S),
        (_mel_hz(band - 2), _mel_hz(band + 3)),
    )


def rms_per_section(reference: Readings, candidate: Readings, starts_s: Array) -> Difference:
    """Level of each section against the whole, in dB: half the mean over time, half the farthest. starts_s: where
    sections begin, in s."""
    inner = np.unique(np.round(np.asarray(starts_s) * FRAMES_PER_S).astype(int))
    edges = [0, *(int(edge) for edge in inner if 0 < edge < len(reference)), len(reference)]
    floor = power_floor(reference.power, 60)
    spans = list(pairwise(edges))
    changes = np.array(
        [
            decibels(candidate.power[a:b].mean(), floor) - decibels(reference.power[a:b].mean(), floor)
            for a, b in spans
        ]
    )
    apart, lengths = np.abs(changes), np.diff(edges)
    levels = ", ".join(f"{value:+.1f}" for value in changes[:12]) + (" …" if len(changes) > 12 else "")
    return Difference(
        (float(np.average(apart, weights=lengths)) + float(apart.max())) / 2,
        f"{len(spans)} sections: {levels} dB",
        pooled(np.repeat(apart, lengths), FRAMES_PER_S),
    )


def stereo_width(reference: Readings, candidate: Readings) -> Difference:
    """Side against mid, −30…10 dB, and left against right, ±15 dB, of each second in four bands, in dB.

    change: of side against mid; wider is positive.
    """
    pictures, powers = [], []
    for readings in (reference, candidate):
        mid, side, lean = (
            pooled(part, FRAMES_PER_S) for part in (readings.mid, readings.side, readings.lean)
        )
        power = mid + side
        left, right = (np.maximum(power + 2 * sign * lean, 0) for sign in (1, -1))
        width = np.clip(decibels(side, 1e-15) - decibels(mid, 1e-15), -30, 10)
        place = np.clip(decibels(left, 1e-15) - decibels(right, 1e-15), -15, 15)
        pictures.append((width, place))
        powers.append(power)
    sounding = powers[0] > power_floor(powers[0], 50)
    wider, moved = (after - before for before, after in zip(*pictures, strict=True))
    apart = np.hypot(wider, moved) * sounding
    weights = np.sqrt(powers[0]) * sounding
    by_band = (apart * weights).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-15)
    course = (apart * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-15)
    amount = uneven(course, weights.sum(axis=1))
    band = int(by_band.argmax())
    return Difference(
        amount,
        f"{amount:.1f} dB of side against mid, left against right",
        course,
        (WIDTH_EDGES_HZ[band], WIDTH_EDGES_HZ[band + 1]),
        float((wider * weights).sum() / max(weights.sum(), 1e-15)),
    )


def energy_curve(reference: Readings, candidate: Readings) -> Difference:
    """1 − Lin's concordance of the short-term levels (3 s, every second), down to 40 dB under the loudest.

    Lin, Biometrics 45 (1989). 1 dB² is added to the variances: in a level that never moves, less is no change.
    """
    floor = power_floor(reference.power, 40)
    levels = [
        decibels(smoothed(pooled(readings.power, FRAMES_PER_S), 3), floor)
        for readings in (reference, candidate)
    ]
    variances, covariance = np.var(levels, axis=1), np.mean(np.prod([a - a.mean() for a in levels], axis=0))
    offset = (levels[0].mean() - levels[1].mean()) ** 2
    concordance = float((2 * covariance + 1) / (variances.sum() + offset + 1))
    return Difference(1 - concordance, f"concordance {concordance:.3f}", np.abs(levels[1] - levels[0]))


def reverb(reference: Readings, candidate: Readings) -> Difference:
    """Decay times in six octaves, in octaves: 1 where they are twice as long or short.

    A band's decay time is 60 dB over the slope that its level falls with in the steepest tenth of all 100 ms:
    no sound can fall faster than its room lets it. change: their mean; longer is positive.
    """
    times = np.array([_decay_times(readings) for readings in (reference, candidate)])
    octaves = np.log2(times[1] / times[0])
    before, after = np.exp(np.log(times).mean(axis=1))
    worst = _DECAY_HZ[int(np.abs(octaves).argmax())]
    return Difference(
        float(np.abs(octaves).mean()),
        f"decay {before:.2f} s, now {after:.2f} s",
        None,
        (worst / 2**0.5, worst * 2**0.5),
        float(octaves.mean()),
    )


def dynamic_range(reference: Readings, candidate: Readings) -> Difference:
    """Peak over RMS in stretches of 3 s, where the reference sounds, in dB.

    The peak is the mean of the three highest tenths of a second: one hangs on phases and on where samples lie.
    """
    crests, levels = [], []
    for readings in (reference, candidate):
        power = pooled(readings.power, 3 * FRAMES_PER_S)
        peak = _highest(readings.peak, 3 * FRAMES_PER_S)
        crests.append(np.clip(decibels(peak**2, 1e-15) - decibels(power, 1e-15), 0, 40))
        levels.append(power)
    sounding = levels[0] >= power_floor(levels[0], 40)
    difference = (crests[1] - crests[0]) * sounding
    mean = float(difference.sum() / max(sounding.sum(), 1))
    return Difference(
        uneven(np.abs(difference), sounding.astype(np.float64)),
        f"peak over RMS {mean:+.1f} dB",
        np.repeat(np.abs(difference), 3)[: -(-len(reference) // FRAMES_PER_S)],
    )


def octave_balance(reference: Readings, candidate: Readings) -> Difference:
    """Levels of ten octaves of what sounds, at equal loudness: half the mean, half the farthest, in dB."""
    changes = _balance_change(reference, candidate)
    worst = int(np.abs(changes).argmax())
    return Difference(
        float(np.abs(changes).mean() + np.abs(changes).max()) / 2,
        f"{changes[worst]:+.1f} dB at {BALANCE_HZ[worst]:.0f} Hz, {np.abs(changes).mean():.1f} in the mean",
        None,
        (BALANCE_HZ[worst] / 2**0.5, BALANCE_HZ[worst] * 2**0.5),
    )


def noise_floor(reference: Readings, candidate: Readings) -> Difference:
    """How much louder the quietest tenth of all moments is, in dB, in nine octaves, less the change of balance."""
    unheard = _unheard(reference)
    floors = [
        decibels(np.quantile(readings.octaves, 0.1, axis=0), unheard) for readings in (reference, candidate)
    ]
    balance = np.interp(np.log(OCTAVES_HZ), np.log(BALANCE_HZ), _balance_change(reference, candidate))
    rise = np.maximum(floors[1] - floors[0] - balance, 0)
    rise[floors[1] <= 10 * np.log10(unheard)] = 0
    worst = int(rise.argmax())
    return Difference(
        float(rise.mean() + rise.max()) / 2,
        f"{rise[worst]:+.1f} dB at {OCTAVES_HZ[worst]:.0f} Hz, {rise.mean():+.1f} in the mean",
        None,
        (OCTAVES_HZ[worst] / 2**0.5, OCTAVES_HZ[worst] * 2**0.5),
    )


def _balance_change(reference: Readings, candidate: Readings) -> Array:
    """dB by which each octave became louder, (10,); 0 where it is heard in neither.

    Music falls by about 4.5 dB an octave; that much is added, so that octaves count as they are heard.
    """
    tilt = 4.5 * np.log2(np.array(BALANCE_HZ) / 1_000)
    sounding = reference.power >= power_floor(reference.power, 40)
    if sounding[1:-1].any():
        sounding[[0, -1]] = False  # where music is cut within a sound, the cut is in all octaves
    levels = [
        decibels(readings.balance[sounding].mean(axis=0), _unheard(reference)) + tilt
        for readings in (reference, candidate)
    ]
    audible = max(level.max() for level in levels) - _EQUAL_LOUDNESS
    before, after = (np.maximum(level, audible) for level in levels)
    return np.asarray(after - before)


def _unheard(readings: Readings) -> float:
    return max(_UNHEARD * float(readings.power.mean()), 1e-15)


def _highest(peak: npt.NDArray[np.floating], count: int) -> Array:
    """Of each `count` rows the mean of the highest three."""
    rows = np.pad(peak.astype(np.float64), (0, -len(peak) % count)).reshape(-1, count)
    return np.asarray(np.sort(rows, axis=1)[:, -3:].mean(axis=1))


def _decay_times(readings: Readings) -> Array:
    """Seconds for 60 dB, (6,); of _DECAY_HZ."""
    bands = readings.octaves[:, [OCTAVES_HZ.index(hz) for hz in _DECAY_HZ]]
    floors = [max(power_floor(band, 60), _unheard(readings)) for band in bands.T]
    levels = np.stack(
        [decibels(smoothed(band, 5), floor) for band, floor in zip(bands.T, floors, strict=True)], axis=1
    )
    if len(levels) <= 10:
        return np.ones(levels.shape[1])
    slopes = (levels[10:] - levels[:-10]) * (ONSETS_PER_S / 10)
    steepest = np.minimum(np.quantile(slopes, 0.1, axis=0), -1.0)
    return np.asarray(60 / -steepest)


def _correlation(a: Array, b: Array) -> float:
    """Pearson's; 1 where neither varies, 0 where one does."""
    a, b = a - a.mean(), b - b.mean()
    energies = float(np.sum(a**2)), float(np.sum(b**2))
    if min(energies) < 1e-9:
        return float(max(energies) < 1e-9)
    return float(np.sum(a * b) / np.sqrt(energies[0] * energies[1]))


def _mel_hz(band: int) -> float:
    """The lower edge of a mel band, of those of `readings`."""
    place = min(max(band, 0), MEL_BANDS + 1) / (MEL_BANDS + 1)
    return float(700 * ((1 + RATE / 2 / 700) ** place - 1))
