"""The dimensions of quality control: how like its reference a candidate is, in twelve ways, 0…100 each.

Every function takes the readings of reference and candidate, of one length, the candidate brought to the
reference's loudness and place. Equal readings give exactly 100. Where 0 lies is said in each function: at a
difference that nobody would call the same record.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from resonate_resources.quality.readings import FRAMES_PER_S, ONSETS_PER_S, Readings
from resonate_resources.quality.sections import match_sections
from resonate_resources.signal.sections import find_boundaries, seconds_of

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """score: 0…100. detail: the figures it came from, in words."""

    score: float
    detail: str

    @classmethod
    def of(cls, part: float, detail: str) -> Score:
        """From a part of 1, cut to 0…1; to two decimals, which hides rounding errors of equal readings."""
        return cls(round(100 * min(max(float(part), 0.0), 1.0), 2), detail)


def mel_spectrogram_correlation(reference: Readings, candidate: Readings) -> Score:
    """Pearson's correlation of the mel spectrograms in dB, down to 70 dB under the loudest."""
    floor = _floor(reference.mel, 70)
    correlation = _correlation(_db(reference.mel, floor), _db(candidate.mel, floor))
    return Score.of(correlation, f"correlation {correlation:.3f}")


def rms_per_section(reference: Readings, candidate: Readings) -> Score:
    """Level of each of the reference's sections against the whole; 0 at a mean difference of 10 dB."""
    starts = seconds_of(find_boundaries(reference.timbre))
    edges = [0, *(round(FRAMES_PER_S * second) for second in starts), len(reference)]
    floor = _floor(reference.power, 60)
    spans = list(pairwise(edges))
    differences = np.array(
        [_db(candidate.power[a:b].mean(), floor) - _db(reference.power[a:b].mean(), floor) for a, b in spans]
    )
    difference = float(np.average(np.abs(differences), weights=np.diff(edges)))
    levels = ", ".join(f"{value:+.1f}" for value in differences)
    return Score.of(1 - difference / 10, f"{len(spans)} sections: {levels} dB")


def stereo_width(reference: Readings, candidate: Readings) -> Score:
    """Side against mid per second in four bands, −30…10 dB, by the reference's energy; 0 at 20 dB."""
    widths = []
    for readings in (reference, candidate):
        mid, side = _seconds(readings.mid), _seconds(readings.side)
        widths.append(np.clip(_db(side, 1e-15) - _db(mid, 1e-15), -30, 10))
    weights = _seconds(reference.mid) + _seconds(reference.side)
    weights /= np.maximum(weights.sum(axis=0), 1e-15)
    difference = float((np.abs(widths[1] - widths[0]) * weights).sum(axis=0).mean())
    return Score.of(1 - difference / 20, f"{difference:.1f} dB of side against mid")


def bass_pattern(reference: Readings, candidate: Readings) -> Score:
    """Which pitches sound from E1 to B3, when and how loud: likeness of the pitch–time pictures.

    What sounds over half an octave to either side alike is a drum's, and taken off.
    """
    likeness = _likeness(_pitched(reference.bass), _pitched(candidate.bass))
    return Score.of(likeness, f"likeness {likeness:.3f}")


def kick_pattern(reference: Readings, candidate: Readings) -> Score:
    """When and how strongly something strikes in 30–120 Hz, to 20 ms: likeness of the onset curves."""
    likeness = _likeness(_smooth(reference.kick, 3), _smooth(candidate.kick, 3))
    return Score.of(likeness, f"likeness {likeness:.3f}")


def harmonic_progression(reference: Readings, candidate: Readings) -> Score:
    """Correlation of the chroma vectors twice a second, by the reference's energy."""
    step = FRAMES_PER_S // 2
    pooled = [_pool(readings.chroma, step) for readings in (reference, candidate)]
    weights = np.sqrt(pooled[0].sum(axis=1))
    centred = [np.sqrt(chroma) - np.sqrt(chroma).mean(axis=1, keepdims=True) for chroma in pooled]
    norms = [np.linalg.norm(chroma, axis=1) for chroma in centred]
    correlations = (centred[0] * centred[1]).sum(axis=1) / np.maximum(norms[0] * norms[1], 1e-12)
    correlation = float(np.average(correlations, weights=weights)) if weights.any() else 1.0
    return Score.of(correlation, f"correlation {correlation:.3f}")


def energy_curve(reference: Readings, candidate: Readings) -> Score:
    """Lin's concordance of the short-term levels (3 s, every second), down to 40 dB under the loudest.

    Lin, Biometrics 45 (1989). 1 dB² is added to the variances: in a level that never moves, less is no change.
    """
    floor = _floor(reference.power, 40)
    levels = [_db(_smooth(_seconds(readings.power), 3), floor) for readings in (reference, candidate)]
    variances, covariance = np.var(levels, axis=1), np.mean(np.prod([a - a.mean() for a in levels], axis=0))
    offset = (levels[0].mean() - levels[1].mean()) ** 2
    concordance = float((2 * covariance + 1) / (variances.sum() + offset + 1))
    return Score.of(concordance, f"concordance {concordance:.3f}")


def reverb(reference: Readings, candidate: Readings) -> Score:
    """Decay times in six octaves; 0 where they are twice as long or short.

    A band's decay time is 60 dB over the slope that its level falls with in the steepest tenth of all 100 ms:
    no sound can fall faster than its room lets it.
    """
    times = np.array([_decay_times(readings) for readings in (reference, candidate)])
    octaves = np.abs(np.log2(times[1] / times[0]))
    before, after = np.exp(np.log(times).mean(axis=1))
    return Score.of(1 - octaves.mean(), f"decay {before:.2f} s, now {after:.2f} s")


def dynamic_range(reference: Readings, candidate: Readings) -> Score:
    """Peak over RMS in stretches of 3 s, where the reference sounds; 0 at a mean difference of 10 dB."""
    crests, levels = [], []
    for readings in (reference, candidate):
        power = _pool(readings.power, 3 * FRAMES_PER_S)
        starts = np.arange(0, len(readings), 3 * FRAMES_PER_S)
        peak = np.maximum.reduceat(readings.peak.astype(np.float64), starts)
        crests.append(np.clip(_db(peak**2, 1e-15) - _db(power, 1e-15), 0, 40))
        levels.append(power)
    sounding = levels[0] >= _floor(levels[0], 40)
    difference = crests[1][sounding] - crests[0][sounding]
    return Score.of(1 - np.abs(difference).mean() / 10, f"peak over RMS {difference.mean():+.1f} dB")


def bpm_phase(reference: Readings, candidate: Readings, lag_s: float) -> Score:
    """How far the candidate's beats lie from the reference's, in stretches of 8 s; 0 at a quarter beat.

    lag_s: by how many seconds the candidate came late before it was aligned. A quarter beat is also the mean
    distance of beats that have nothing to do with each other.
    """
    beat = _beat_frames(reference.onset)
    phases, weights = [], []
    for start in range(0, len(reference.onset), 8 * ONSETS_PER_S):
        before = _smooth(reference.onset[start : start + 8 * ONSETS_PER_S], 3)
        after = _smooth(candidate.onset[start : start + 8 * ONSETS_PER_S], 3)
        frames = _local_lag(before, after, beat // 2 + 1) + lag_s * ONSETS_PER_S
        phases.append(min(abs(frames) / beat, 0.5) if after.any() else 0.25)
        weights.append(float(before.sum()))
    phase = float(np.average(phases, weights=weights)) if any(weights) else 0.0
    return Score.of(1 - 4 * phase, f"{phase:.3f} beats apart at {60 * ONSETS_PER_S / beat:.0f} BPM")


def section_boundaries(reference: Readings, candidate: Readings) -> Score:
    """Whether the sections change at the same times (F-measure, ±3 s as in MIREX), and are the same ones."""
    match = match_sections(reference.timbre, candidate.timbre)
    part = (match.f_measure + match.agreement) / 2
    return Score.of(
        part, f"boundaries F {match.f_measure:.2f}, {100 * match.agreement:.0f} % in their section"
    )


def timbre_mfcc(reference: Readings, candidate: Readings) -> Score:
    """Mel-cepstral distance of the mean sounds, coefficients 1–12; 0 at 15 dB.

    Kubichek, "Mel-cepstral distance measure", IEEE PACRIM 1993. MFCC stand in for MERT embeddings.
    """
    from scipy.fft import dct

    means = []
    floor = _floor(reference.mel, 70)
    sounding = reference.power >= _floor(reference.power, 40)
    for readings in (reference, candidate):
        cepstra = dct(_db(readings.mel, floor), axis=1, norm="ortho")[:, 1:13]
        means.append(cepstra[sounding].mean(axis=0))
    # Cepstra of levels in dB: 10/ln 10 is in them already. √(2/64): of an orthonormal transform of 64 bands.
    distance = float(np.sqrt(2 / reference.mel.shape[1] * np.sum((means[1] - means[0]) ** 2)))
    return Score.of(1 - distance / 15, f"mel-cepstral distance {distance:.2f} dB")


def _floor(power: npt.NDArray[np.floating], depth_db: float) -> float:
    """depth_db under the loudest; never 0."""
    return float(max(power.max() * 10 ** (-depth_db / 10), 1e-15))


def _db(power: npt.ArrayLike, floor: float) -> Array:
    return np.asarray(10 * np.log10(np.maximum(np.asarray(power, np.float64), floor)))


def _pool(rows: npt.NDArray[np.floating], count: int) -> Array:
    """Means of `count` rows each, the last of what is left."""
    starts = np.arange(0, len(rows), count)
    sums = np.add.reduceat(rows.astype(np.float64), starts, axis=0)
    sizes = np.diff(np.append(starts, len(rows)))
    return np.asarray(sums / sizes.reshape(-1, *(1,) * (rows.ndim - 1)))


def _seconds(rows: npt.NDArray[np.floating]) -> Array:
    return _pool(rows, FRAMES_PER_S)


def _smooth(curve: npt.NDArray[np.floating], width: int) -> Array:
    from scipy.ndimage import uniform_filter1d

    return np.asarray(uniform_filter1d(curve.astype(np.float64), width, axis=0, mode="nearest"))


def _correlation(a: Array, b: Array) -> float:
    """Pearson's; 1 where neither varies, 0 where one does."""
    a, b = a - a.mean(), b - b.mean()
    energies = float(np.sum(a**2)), float(np.sum(b**2))
    if min(energies) < 1e-9:
        return float(max(energies) < 1e-9)
    return float(np.sum(a * b) / np.sqrt(energies[0] * energies[1]))


def _likeness(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> float:
    """2⟨a, b⟩ / (‖a‖² + ‖b‖²) of what is not negative: 1 for equals, 0 for what has nothing in common."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    energy = float(np.sum(a**2) + np.sum(b**2))
    return float(2 * np.sum(a * b) / energy) if energy > 0 else 1.0


def _pitched(bass: npt.NDArray[np.floating]) -> Array:
    """Amplitudes over their median within half an octave to either side."""
    from scipy.ndimage import median_filter

    amplitudes = np.sqrt(bass.astype(np.float64))
    return np.asarray(np.maximum(amplitudes - median_filter(amplitudes, (1, 13)), 0))


def _decay_times(readings: Readings) -> Array:
    """Seconds for 60 dB, (6,)."""
    levels = np.stack([_db(_smooth(band, 5), _floor(band, 60)) for band in readings.octaves.T], axis=1)
    if len(levels) <= 10:
        return np.ones(levels.shape[1])
    slopes = (levels[10:] - levels[:-10]) * (ONSETS_PER_S / 10)
    steepest = np.minimum(np.quantile(slopes, 0.1, axis=0), -1.0)
    return np.asarray(60 / -steepest)


def _beat_frames(onset: npt.NDArray[np.floating]) -> int:
    """The beat's length in onset frames: the strongest repetition at 60–180 BPM; half a second if none."""
    stretch = onset[: 120 * ONSETS_PER_S].astype(np.float64)
    stretch = stretch - stretch.mean()
    lags = range(ONSETS_PER_S // 3, ONSETS_PER_S + 1)
    if len(stretch) <= 2 * lags[-1]:
        return ONSETS_PER_S // 2
    return max(lags, key=lambda lag: float(sum(stretch[n * lag :] @ stretch[: -n * lag] for n in (1, 2))))


def _local_lag(before: Array, after: Array, farthest: int) -> int:
    """By how many frames `after` comes late where the two agree best; the least of equals."""
    lags = sorted(range(1 - min(farthest, len(before)), min(farthest, len(before))), key=abs)
    length = len(before)
    agreement = [
        after[max(lag, 0) : length + min(lag, 0)] @ before[max(-lag, 0) : length - max(lag, 0)]
        for lag in lags
    ]
    return lags[int(np.argmax(agreement))]
