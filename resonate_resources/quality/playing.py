"""How what two recordings play differs: bass, kick, chords, beats, form, tuning.

Readings are of one length, the candidate brought to the reference's loudness and place. What the analysis told of
the reference (its beats, chords and sections) is what the candidate is held against. Equals differ by 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from resonate_resources.harmony.chords import Chord
from resonate_resources.quality.difference import (
    Array,
    Difference,
    decibels,
    likeness,
    pooled,
    power_floor,
    smoothed,
    uneven,
)
from resonate_resources.quality.readings import FRAMES_PER_S, ONSETS_PER_S, Readings
from resonate_resources.signal.sections import audible
from resonate_resources.signal.timbre import TIMBRE_SECONDS

_BASS_HZ, _KICK_HZ = (41.0, 247.0), (30.0, 120.0)
_WITHIN_CENTS = 60.0
_STEADY_CENTS = 15.0
_STEP_S = 0.5
_SAME_PITCHES = 0.005
"""1 − correlation of the chroma of a second; chords a semitone off have 0.01 to 0.05 in the midst of a band."""
_FARTHEST_S = 0.15
"""How far from a beat its onset is looked for: over half of what lies between sixteenths at 100 BPM."""
_SIDE_S = 8.0
_LEAST_CHANGE = 0.2
_STRONG = 0.98
"""Quantile of the onset curve: what one of two to four strokes a second has."""
_FARTHEST = 2.0
_UNHEARD_DB, _PER_DB, _SHARPEST = 4.0, 0.06, 0.45
"""What a copy that lies between samples, or an MP3 of one, may stand out by for nothing. Of a strong onset:
what a dB more is worth, and the most: strokes in other places are not to be counted as clicks."""
_EDGE = slice(15, -15)
"""Where music is cut within a sound, a sample decides how sharp the cut is: nothing is said of 0.15 s there."""
_OF_A_LAG = 0.25
"""Of all of it coming late, which is heard only beside the original: 50 ms weigh as 12 of single beats."""


def bass_pattern(reference: Readings, candidate: Readings) -> Difference:
    """Which pitches sound from E1 to B3, when and how loud: 1 − the likeness of the pitch–time pictures.

    What sounds over half an octave to either side alike is a drum's, and taken off.
    """
    before, after = _pitched(reference.bass), _pitched(candidate.bass)
    alike = likeness(before, after)
    return Difference(
        1 - alike, f"likeness {alike:.3f}", _unlike_by_second(before, after, FRAMES_PER_S), _BASS_HZ
    )


def kick_pattern(reference: Readings, candidate: Readings) -> Difference:
    """When and how strongly something strikes in 30–120 Hz, to 20 ms: 1 − the likeness of the onset curves."""
    before, after = smoothed(reference.kick, 3), smoothed(candidate.kick, 3)
    alike = likeness(before, after)
    return Difference(
        1 - alike, f"likeness {alike:.3f}", _unlike_by_second(before, after, ONSETS_PER_S), _KICK_HZ
    )


def onset_pattern(reference: Readings, candidate: Readings) -> Difference:
    """What begins where nothing did, or the other way round, to 30 ms: in each second the farthest that the onset
    curves lie apart, in parts of the reference's strong onsets. A click, a gap and a stutter are each heard by
    themselves, so the worst seconds count as much as all; and one click for as much as many."""
    before, after = smoothed(reference.onset, 3), smoothed(candidate.onset, 3)
    strong = float(np.quantile(before, _STRONG))
    if strong <= 0:
        return Difference(0.0 if not after.any() else 1.0, "nothing begins")
    apart, clicks_db, gaps_db = np.zeros((3, len(before)))
    apart[_EDGE] = np.abs(after - before)[_EDGE] / strong
    clicks_db[_EDGE] = _stands_out(reference.click**2, candidate.click**2)[_EDGE]
    gaps_db[_EDGE] = _stands_out(reference.gap, candidate.gap, below=True)[_EDGE]
    starts = np.arange(0, len(apart), ONSETS_PER_S)
    course = np.minimum(np.maximum.reduceat(apart, starts), _FARTHEST)
    sharp_db = np.maximum.reduceat(np.maximum(clicks_db, gaps_db), starts)
    sharp = np.clip(_PER_DB * (sharp_db - _UNHEARD_DB), 0, _SHARPEST)
    amount = max(uneven(course, np.ones(len(course))), float(sharp.max()))
    detail = f"{amount:.2f} of a strong onset apart"
    for what, found_db in (("click", clicks_db.max()), ("gap", gaps_db.max())):
        if found_db > _UNHEARD_DB:
            detail += f", a {what} of {found_db:.0f} dB"
    return Difference(amount, detail, np.maximum(course, sharp))


def harmonic_progression(
    reference: Readings, candidate: Readings, told: Sequence[Chord], heard: Sequence[Chord]
) -> Difference:
    """Pitch classes of the chords that are told of the reference against those heard in the candidate, and the
    chroma twice a second: how little they have in common, 0…1, the mean of the two."""
    seconds = -(-len(reference) // FRAMES_PER_S)
    chords, sure = _chords_apart(told, heard, len(reference))
    chroma, weights = _chroma_apart(reference, candidate)
    apart = pooled(chords, FRAMES_PER_S)
    amounts = uneven(chords, sure), uneven(chroma, weights)
    course = (apart + np.repeat(chroma, 1)[:seconds]) / 2
    return Difference(
        float(np.mean(amounts)), f"chords {amounts[0]:.2f} apart, pitch classes {amounts[1]:.2f}", course
    )


def same_pitch_classes(reference: Readings, candidate: Readings) -> bool:
    """Whether in no second the pitch classes differ by more than tone and level make them: then chords that are
    heard to be others are a network's chance."""
    apart, weights = _chroma_apart(reference, candidate)
    return float((apart * weights).max(initial=0)) <= _SAME_PITCHES * float(weights.max(initial=0))


def bpm_phase(reference: Readings, candidate: Readings, beats_s: Sequence[float], lag_s: float) -> Difference:
    """How far what begins around the reference's beats lies from there in the candidate, in ms; 150 where nothing
    like it is near.

    beats_s: rising; half seconds where none are known. lag_s: by how many seconds the candidate came late before it
    was aligned. change: the median, in ms; later is positive.
    """
    length = len(reference.onset)
    beats = np.asarray(beats_s, np.float64) if len(beats_s) else np.arange(0, length / ONSETS_PER_S, _STEP_S)
    centres = np.round(beats * ONSETS_PER_S).astype(int)
    centres = centres[(centres >= 0) & (centres < length)]
    if not len(centres):
        return Difference(_OF_A_LAG * 1000 * abs(lag_s), f"{1000 * lag_s:+.0f} ms", change=1000 * lag_s)
    lags, found, weights = _lags_at(smoothed(reference.onset, 3), smoothed(candidate.onset, 3), centres)
    late = lags * 1000 / ONSETS_PER_S
    seconds = centres // ONSETS_PER_S
    count = length // ONSETS_PER_S + 1
    course = np.asarray(np.bincount(seconds, np.abs(late) * weights, count), np.float64)
    course /= np.maximum(np.bincount(seconds, weights, count), 1e-12)
    change = float(np.median(late[found])) + 1000 * lag_s if found.any() else None
    told = "nothing like it" if change is None else f"{change:+.0f} ms in the median"
    return Difference(
        uneven(np.abs(late), weights) + _OF_A_LAG * 1000 * abs(lag_s),
        f"{told}, {np.abs(late).mean():.0f} apart at {len(centres)} beats",
        course,
        change=change,
    )


def section_boundaries(reference: Readings, candidate: Readings, starts_s: Sequence[float]) -> Difference:
    """Whether the sound changes at the starts of sections as it does in the reference, and is most like the same
    section all along: 1 − the mean of both, 0…1."""
    length = max(len(reference.timbre), len(candidate.timbre))
    inner = np.unique([round(start / TIMBRE_SECONDS) for start in starts_s])
    edges = [int(edge) for edge in inner if 0 < edge < length]
    if not length or not edges:
        return Difference(0.0, "one section")
    rows, others = (_directions(readings.timbre, length) for readings in (reference, candidate))
    centres = np.stack([span.mean(axis=0) for span in np.split(rows, edges)])
    labels, found = ((part @ centres.T).argmax(axis=1) for part in (rows, others))
    elsewhere = (labels != found).astype(np.float64)
    side = round(_SIDE_S / TIMBRE_SECONDS)
    changes = np.array([_change_apart(rows, others, edge, side) for edge in edges])
    in_place = 1 - float(elsewhere.mean())
    return Difference(
        1 - (in_place + 1 - float(changes.mean())) / 2,
        f"{len(edges)} changes {changes.mean():.2f} apart, {100 * in_place:.0f} % of the time in its section",
        np.interp(
            np.arange(-(-len(reference) // FRAMES_PER_S)), np.arange(length) * TIMBRE_SECONDS, elsewhere
        ),
    )


def tuning(reference: Readings, candidate: Readings) -> Difference:
    """How many cents the partials that hold still in the reference lie from the nearest in the candidate, in the
    mean of each half second: what beats against another moves single ones to either side."""
    steady = _steady(reference)
    nearest, offsets = _nearest(reference.pitches, candidate)
    found = steady * (np.abs(offsets) < _WITHIN_CENTS) * (nearest > 0) * np.sqrt(reference.partials)
    if not found.any():
        return Difference(0.0, "no steady tones")
    halves = pooled(found.sum(axis=1), FRAMES_PER_S // 2)
    apart = np.abs(pooled((offsets * found).sum(axis=1), FRAMES_PER_S // 2))
    weights = pooled(halves, 2)
    course = pooled(apart, 2) / np.maximum(weights, 1e-12)
    mean = float((offsets * found).sum() / found.sum())
    amount = uneven(course, weights)
    return Difference(amount, f"{mean:+.1f} cents in the mean, {amount:.1f} apart", course)


def _stands_out(
    before: npt.NDArray[np.float32], after: npt.NDArray[np.float32], below: bool = False
) -> Array:
    """By how many dB a power stands out from the reference's highest (below: lowest) within 30 ms, and from the
    candidate's own median within 0.2 s, less by how much more it is in the median over 4 s."""
    from scipy.ndimage import maximum_filter1d, median_filter

    floor = power_floor(before, 50 if below else 60)
    reference, candidate = ((-1 if below else 1) * decibels(power, floor) for power in (before, after))
    usual = np.maximum(median_filter(candidate - reference, 4 * ONSETS_PER_S + 1), 0)
    there = maximum_filter1d(reference, 7) + usual
    return np.asarray(np.minimum(candidate - there, candidate - median_filter(candidate, 41)))


def _pitched(bass: npt.NDArray[np.floating]) -> Array:
    """Amplitudes over their median within half an octave to either side."""
    from scipy.ndimage import median_filter

    amplitudes = np.sqrt(bass.astype(np.float64))
    return np.asarray(np.maximum(amplitudes - median_filter(amplitudes, (1, 13)), 0))


def _unlike_by_second(before: Array, after: Array, rows_per_s: int) -> Array:
    """Squared differences of each second, against what a second of both has in the mean."""
    apart, both = (
        (part**2).reshape(len(part), -1).sum(axis=1) for part in (after - before, np.hypot(before, after))
    )
    return pooled(apart, rows_per_s) / max(float(both.mean()), 1e-15)


def _chords_apart(told: Sequence[Chord], heard: Sequence[Chord], frames: int) -> tuple[Array, Array]:
    """Of every frame, how little the two chords have in common, and how sure the one that is told is."""
    classes = []
    sure = np.zeros(frames)
    for chords in (told, heard):
        rows = np.zeros((frames, 13))
        for chord in chords:
            span = slice(*(max(0, round(at * FRAMES_PER_S)) for at in (chord.start_s, chord.end_s)))
            rows[span] = pitch_classes(chord.label)
            if chords is told:
                sure[span] = chord.confidence
        classes.append(rows)
    common = 2 * (classes[0] * classes[1]).sum(axis=1)
    return 1 - common / np.maximum(sum(rows.sum(axis=1) for rows in classes), 1.0), sure


def pitch_classes(label: str) -> Array:
    """Which sound in a chord in the syntax of Harte et al., from C, and thirteenth whether none does; (13,)."""
    from mir_eval.chord import encode

    root, bitmap, _ = encode(label)
    if root < 0:
        return np.asarray(np.eye(13)[12])
    return np.append(np.roll(np.asarray(bitmap, np.float64), root), 0.0)


def _chroma_apart(reference: Readings, candidate: Readings) -> tuple[Array, Array]:
    """1 − correlation of the chroma of each second, 0…1, and its weight: the reference's amplitude."""
    chroma = [pooled(readings.chroma, FRAMES_PER_S) for readings in (reference, candidate)]
    weights = np.sqrt(chroma[0].sum(axis=1))
    centred = [np.sqrt(rows) - np.sqrt(rows).mean(axis=1, keepdims=True) for rows in chroma]
    norms = [np.linalg.norm(rows, axis=1) for rows in centred]
    correlations = (centred[0] * centred[1]).sum(axis=1) / np.maximum(norms[0] * norms[1], 1e-12)
    return np.clip(1 - correlations, 0, 1), weights


def _lags_at(
    before: Array, after: Array, centres: npt.NDArray[np.intp]
) -> tuple[Array, npt.NDArray[np.bool_], Array]:
    """By how many frames what is around each centre comes late, whether anything like it is near, and how strongly
    it begins there."""
    farthest = round(_FARTHEST_S * ONSETS_PER_S)
    wide = np.pad(after, 2 * farthest)
    own = np.lib.stride_tricks.sliding_window_view(np.pad(before, farthest), 2 * farthest + 1)[centres]
    around = np.lib.stride_tricks.sliding_window_view(wide, 4 * farthest + 1)[centres]
    lags = np.arange(-farthest, farthest + 1)
    windows = np.lib.stride_tricks.sliding_window_view(around, 2 * farthest + 1, axis=1)
    agreement = np.einsum("bw,blw->bl", own, windows)
    agreement /= np.maximum(np.linalg.norm(own, axis=1)[:, None] * np.linalg.norm(windows, axis=2), 1e-12)
    usual = agreement[:, farthest].copy()
    best = agreement.argmax(axis=1)
    rows = np.arange(len(best))
    peak = agreement[rows, best]
    left, right = (agreement[rows, np.clip(best + step, 0, 2 * farthest)] for step in (-1, 1))
    curvature = left - 2 * peak + right
    aside = np.where(curvature < -1e-9, (left - right) / (2 * np.minimum(curvature, -1e-9)), 0)
    late = lags[best] + np.clip(aside, -0.5, 0.5)
    late = np.where(usual >= 0.98 * peak, 0.0, late)
    found = peak >= 0.3
    return np.where(found, late, float(farthest)), found, own.sum(axis=1)


def _directions(timbre: npt.NDArray[np.float32], length: int) -> Array:
    """One row of length 1 per vector: how the shape of its spectrum differs from the recording's mean; silence
    where it lacks. Shorter where that is under a decibel: there is nothing to tell sections by."""
    whole = np.pad(timbre, ((0, length - len(timbre)), (0, 0)), constant_values=-120.0)
    heard = audible(whole).astype(np.float64)
    shape = heard - heard.mean(axis=1, keepdims=True)  # levels are those of rms_per_section
    rows = shape - shape.mean(axis=0)
    decibel = rows.shape[1] ** 0.5
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), decibel))


def _change_apart(rows: Array, others: Array, edge: int, side: int) -> float:
    """How the changes over an edge differ, 0…1: half the distance of the two over the reference's own."""
    changes = [
        part[edge : edge + side].mean(axis=0) - part[max(0, edge - side) : edge].mean(axis=0)
        for part in (rows, others)
    ]
    own = float(np.linalg.norm(changes[0]))
    return min(1.0, float(np.linalg.norm(changes[1] - changes[0])) / max(2 * own, _LEAST_CHANGE))


def _nearest(pitches: npt.NDArray[np.float32], other: Readings) -> tuple[Array, Array]:
    """Of each peak, amplitude and offset in cents of the nearest in the same frame of another, (frames, peaks)."""
    amplitude, offset = np.zeros(pitches.shape), np.full(pitches.shape, np.inf)
    for column in range(other.pitches.shape[1]):
        away = other.pitches[:, column, None] - pitches
        nearer = (np.abs(away) < np.abs(offset)) & (other.partials[:, column, None] > 0)
        offset = np.where(nearer, away, offset)
        amplitude = np.where(nearer, other.partials[:, column, None], amplitude)
    return amplitude, np.where(np.isfinite(offset), offset, 1e6)


def _steady(readings: Readings) -> Array:
    """Of each peak, whether the frame before has one within 15 cents."""
    from dataclasses import replace

    before = replace(
        readings, pitches=np.roll(readings.pitches, 1, axis=0), partials=np.roll(readings.partials, 1, axis=0)
    )
    amplitude, offset = _nearest(readings.pitches, before)
    steady = (np.abs(offset) < _STEADY_CENTS) & (amplitude > 0) & (readings.partials > 0)
    steady[0] = False
    return steady.astype(np.float64)
