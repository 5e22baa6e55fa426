"""Whether a master is what its plan says: tempo, key, loudness, peaks, length, clipping, silence.

Tempo and key are heard by the caller: what judges is no part of what composes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.composition.plan import BEATS_A_BAR, Plan
from resonate_resources.composition.request import Genre
from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.loudness import measure_loudness
from resonate_resources.signal.song_similarity import Similarity
from resonate_resources.signal.spelling import pitch_class
from resonate_resources.signal.true_peak import measure_true_peak

TEMPO_BPM: Final = 2.0
LOUDNESS_LU: Final = 0.5
TRUE_PEAK_DBTP: Final = -1.0
SIMILAR: Final = 0.85
"""Row A9 of the requirements; the measure and what reaches it: docs/composing.md."""
_METER_DB: Final = 0.05  # by which meters of true peak differ (EBU Tech 3341: ±0.2 at most)

_EITHER_WAY: Final[Mapping[Genre, str]] = {
    "drum_and_bass": "written at 174, felt at 87", "dubstep": "written at 140, felt at 70",
    "trap": "written at 140, felt at 70", "hip_hop": "written at 90, or at 180", "metal": "with double-time drums",
    "punk": "with double-time drums", "reggae": "written at 75, or at 150",
    "reggaeton": "counted in two or in four",
    "rnb_soul": "written at 70, or at 140", "latin_salsa": "counted in two or in four",
    "bossa_nova": "counted in two or in four", "jazz_swing": "felt in two or in four",
    "ambient": "without a clear beat", "cinematic": "without a clear beat",
    "classical_baroque": "counted in eighths, quarters or halves",
}  # fmt: skip
"""Genres whose tempo musicians themselves tell in two ways."""
_BEATLESS: Final = frozenset({"ambient", "cinematic"})
"""Genres that are often meant to have no beat."""
_COUNTED: Final = {"6/8": 2 / 3, "9/8": 2 / 3, "12/8": 2 / 3, "7/8": 2.0}
"""Beats of the metre a quarter, where a beat is none."""

_MODES: Final = {"major": 0, "dorian": 2, "phrygian": 4, "lydian": 5, "mixolydian": 7, "minor": 9}
"""Semitones of the mode's tonic above that of the major key with the same notes."""
_MINOR_THIRD: Final = frozenset({"minor", "dorian", "phrygian"})

_FULL_SCALE: Final = 0.9999
_CLIPPED: Final = 3  # samples in a row at full scale
_SILENT_DBFS: Final = -60.0
_STEP_S: Final = 0.05
_SURELY_S: Final = 2.0  # a note sounds so long at most, whatever plays it
_BREAK_S: Final = 0.5  # what is shorter is a rest between two strokes


@dataclass(frozen=True)
class Verdict:
    """detail: what was found and what was wanted, as a person is told it."""

    passed: bool
    detail: str


def qa_of_music(
    plan: Plan, recording: Recording, heard_bpm: float | None, heard_key: str | None
) -> dict[str, Verdict]:
    """Verdicts on tempo, key, duration, clipping and silence.

    heard_bpm, heard_key ("Eb minor"): by an analysis of the recording; None where it heard none.
    """
    return {
        "tempo": _tempo(plan, heard_bpm),
        "key": _key(plan.key, heard_key),
        "duration": _duration(plan, recording),
        "clipping": _clipping(recording),
        "silence": _silence(plan, recording),
    }


def similarity_verdict(found: Similarity) -> Verdict:
    """To a reference's key sections."""
    parts = ", ".join(f"{name} {value:.2f}" for name, value in found.parts.items())
    said = f"{found.total:.2f}, at least {SIMILAR:.2f} wanted ({parts})"
    return Verdict(found.total >= SIMILAR, said)


def qa_of_master(master: Recording, target_lufs: float) -> dict[str, Verdict]:
    """Verdicts on loudness, true_peak and clipping."""
    return {
        "loudness": _loudness(master, target_lufs),
        "true_peak": _true_peak(master),
        "clipping": _clipping(master),
    }


def _tempo(plan: Plan, heard: float | None) -> Verdict:
    beat = plan.bpm * _COUNTED.get(plan.metre, 1.0)
    if heard is None and plan.genre in _BEATLESS and not any(part.role == "drums" for part in plan.parts):
        return Verdict(
            True, f"no beat was heard, as in {plan.genre} without drums; {beat:.1f} BPM was planned"
        )
    if heard is None:
        return Verdict(False, f"no tempo was heard; {beat:.1f} BPM was planned")
    if abs(heard - beat) <= TEMPO_BPM:
        return Verdict(True, f"{heard:.1f} BPM, {beat:.1f} planned")
    ratio = next((each for each in (0.5, 2.0) if abs(heard / each - beat) <= TEMPO_BPM), None)
    said = f"{heard:.1f} BPM heard, {beat:.1f} planned"
    if ratio is None:
        return Verdict(False, said)
    way = "half" if ratio < 1 else "double"
    if plan.genre in _EITHER_WAY:
        return Verdict(True, f"{said}: {way} the tempo, {_EITHER_WAY[plan.genre]}")
    return Verdict(False, f"{said}: {way} the tempo, which {plan.genre} is not told in")


def _key(planned: str, heard: str | None) -> Verdict:
    if heard is None:
        return Verdict(False, f"no key was heard; {planned} was planned")
    said = f"{heard} heard, {planned} planned"
    (tonic, mode), (heard_tonic, heard_mode) = planned.split(" "), heard.split(" ")
    same_tonic = pitch_class(tonic) == pitch_class(heard_tonic)
    if same_tonic and mode == heard_mode:
        return Verdict(True, said)
    if same_tonic and (mode in _MINOR_THIRD) == (heard_mode in _MINOR_THIRD):
        return Verdict(True, f"{said}: the same tonic and third")
    notes = (pitch_class(tonic) - _MODES[mode]) % 12
    if notes == (pitch_class(heard_tonic) - _MODES[heard_mode]) % 12:
        return Verdict(True, f"{said}: the relative key, of the same notes")
    return Verdict(False, said)


def _loudness(master: Recording, target_lufs: float) -> Verdict:
    found = measure_loudness(master).integrated_lufs
    return Verdict(abs(found - target_lufs) <= LOUDNESS_LU, f"{found:.1f} LUFS, {target_lufs:.1f} wanted")


def _true_peak(master: Recording) -> Verdict:
    found = measure_true_peak(master)
    return Verdict(found <= TRUE_PEAK_DBTP + _METER_DB, f"{found:.1f} dBTP, at most {TRUE_PEAK_DBTP:.1f}")


def _duration(plan: Plan, master: Recording) -> Verdict:
    bar_s = BEATS_A_BAR[plan.metre] * 60 / plan.bpm
    said = f"{master.duration:.1f} s, {plan.duration_s:.1f} planned, a bar is {bar_s:.1f}"
    return Verdict(abs(master.duration - plan.duration_s) <= bar_s, said)


def _clipping(master: Recording) -> Verdict:
    clipped = 0
    before = np.zeros((master.channels, _CLIPPED - 1), bool)
    for block in master.blocks():
        full = np.concatenate([before, np.abs(block) >= _FULL_SCALE], axis=1)
        runs = np.lib.stride_tricks.sliding_window_view(full, _CLIPPED, axis=1).all(axis=2)
        clipped += int(runs.sum())
        before = full[:, full.shape[1] - _CLIPPED + 1 :]
    return Verdict(not clipped, f"{clipped} times {_CLIPPED} samples in a row at full scale")


def _silence(plan: Plan, master: Recording) -> Verdict:
    """Silence while notes surely sound."""
    levels = np.concatenate([np.zeros(0), *_peaks(master)])
    silent = levels < 10 ** (_SILENT_DBFS / 20)
    planned = np.zeros(levels.size, bool)
    for part in plan.parts:
        for onset, length, _, _ in part.notes:
            begins = onset * 60 / plan.bpm
            ends = begins + min(length * 60 / plan.bpm, _SURELY_S)
            planned[math.floor(begins / _STEP_S) : math.ceil(ends / _STEP_S)] = True
    at = longest = where = 0
    for missing, run in groupby(silent & planned):
        steps = len(list(run))
        if missing and steps > longest:
            longest, where = steps, at
        at += steps
    seconds = longest * _STEP_S
    if seconds > _BREAK_S:
        return Verdict(
            False, f"{seconds:.1f} s of silence at {where * _STEP_S:.1f} s, where notes are planned"
        )
    return Verdict(True, "no silence longer than planned")


def _peaks(master: Recording) -> Iterator[npt.NDArray[np.float32]]:
    """Of each step, over the channels."""
    step = round(_STEP_S * master.sample_rate)
    for block in master.blocks(step * 200):
        steps = np.pad(np.abs(block).max(axis=0), (0, -block.shape[1] % step))
        yield steps.reshape(-1, step).max(axis=1)
