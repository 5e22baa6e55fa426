"""Predicates over mixes and masters, for the checks."""

import math
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np

from resonate_assets.acceptance import limits_gently, most_limiting_db
from resonate_assets.brief import asked_of
from resonate_assets.verdict import Verdict
from resonate_resources.ingestion.ingest import TRACK
from resonate_resources.mastering.levelling import TOLERANCE_LU
from resonate_resources.mastering.targets import label_and_form, measure_name
from resonate_resources.mixing.plan import MixPlan
from resonate_resources.mixing.resource import PLAN
from resonate_resources.recordings.decoding import decoded
from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.levels import Levels, measure_levels
from resonate_resources.signal.octaves import OCTAVES_HZ, octave_levels
from resonate_resources.signal.phase import Phase
from resonate_resources.signal.true_peak import measure_sample_peak
from resonate_resources.storage.artefacts import Artefact

DRIFT_DB = 2.0
"""So far an octave may be off where nothing was meant to move it: what is heard as another tone."""

CORRELATION_LOST, FOLD_DOWN_LOST_DB = 0.1, 1.0
"""Left and right may correlate by so much less than the track's do, and their sum be so much softer."""
LOW_END_CORRELATION, LOW_END_DB = 0.98, -30.0
"""How far a low end that nothing was meant to move is to be in phase with the track's; where that is so far under
the rest, it is no low end."""


def mix_does_not_clip(mix: Artefact) -> Verdict:
    """No sample of the mix is over full scale, or over the stems' plain sum where that is: an MP3 may decode to
    more."""
    peak = measure_sample_peak(mix.recording("mix.wav"))
    plain = float(mix.manifest.measures["plain_peak_dbtp"])
    return Verdict(peak <= max(0.0, plain + 0.01), {"sample_peak_dbfs": peak, "plain_peak_dbtp": plain})


def mix_keeps_its_balance(mix: Artefact, mix_plan: Artefact, restored_track: Artefact) -> Verdict:
    """Where the plan moves nothing, no octave from 63 Hz to 8 kHz is more than 2 dB off the track's."""
    drift = _drift(mix.recording("mix.wav"), restored_track.recording(TRACK))
    moved = not _plan(mix_plan).moves_nothing
    return Verdict(moved or drift <= DRIFT_DB, {"drift_db": drift, "moved_by_plan": str(moved)})


def mix_stays_in_phase(mix: Artefact, mix_plan: Artefact) -> Verdict:
    """Left and right correlate by at most 0.1 less than the track's, the mix folded down to mono loses at most 1 dB
    more; where the plan moves nothing, what lies under 250 Hz is in phase with the track (correlation 0.98)."""
    return _in_phase(mix, moved=not _plan(mix_plan).moves_nothing)


def master_stays_in_phase(master: Artefact, mix_plan: Artefact) -> Verdict:
    """Left and right correlate by at most 0.1 less than the track's, folded down to mono the master loses at most
    1 dB more, and where nothing was to be moved it is in phase with the track under 250 Hz (correlation 0.98)."""
    towards_reference = bool(master.manifest.measures.get("reference_moved_db", 0.0))
    return _in_phase(master, moved=towards_reference or not _plan(mix_plan).moves_nothing)


def master_keeps_its_balance(master: Artefact, mix: Artefact) -> Verdict:
    """No octave of the master from 63 Hz to 8 kHz is more than 2 dB off the mix's, at equal loudness, besides what
    was moved towards a reference."""
    drift = _drift(master.recording("master.wav"), mix.recording("mix.wav"))
    moved = float(master.manifest.measures.get("reference_moved_db", 0.0))
    return Verdict(drift <= DRIFT_DB + moved, {"drift_db": drift, "reference_moved_db": moved})


def master_is_under_ceiling(master: Artefact, brief: Artefact) -> Verdict:
    """No master passes the brief's ceiling, measured in the files as written; what is lossy as decoded again."""
    ceiling = asked_of(brief).mastering.ceiling_dbtp
    peaks = {
        measure_name(label, form, "true_peak_dbtp"): found.levels.true_peak_dbtp
        for (label, form), found in _masters(master).items()
    }
    return Verdict(all(peak <= ceiling for peak in peaks.values()), {**peaks, "ceiling_dbtp": ceiling})


def master_is_at_target_loudness(master: Artefact, brief: Artefact) -> Verdict:
    """The masters are at their target's loudness ± 0.1 LU; or softer, as loud as gain and limiting are allowed to
    make them; or have no loudness (silence, or shorter than 400 ms)."""
    targets, measures = asked_of(brief).mastering.targets, master.manifest.measures
    masters = _masters(master)
    passed, told = True, {}
    for (label, form), found in masters.items():
        loudness = found.levels.loudness.integrated_lufs
        told[measure_name(label, form, "loudness_lufs")] = loudness
        off = loudness - targets.get(label, loudness)
        bounded = measures[measure_name(label, "", "bounded")] or measures.get(
            measure_name(label, form, "bounded")
        )
        passed &= not math.isfinite(loudness) or abs(off) <= TOLERANCE_LU or (bool(bounded) and off < 0)
    told |= {measure_name(label, "", "target_lufs"): lufs for label, lufs in targets.items()}
    return Verdict(passed, {**told, "bounded": str(bool(measures["bounded"]))})


def limiting_is_gentle(master: Artefact) -> Verdict:
    """No more was taken off the peaks than the brief allows, or than 6 dB where it says nothing. A lower
    mastering.target_lufs in the brief needs less."""
    measures = master.manifest.measures
    allowed = (
        {"limiting_allowed_db": measures["limiting_allowed_db"]} if "limiting_allowed_db" in measures else {}
    )
    limiting = {name: value for name, value in measures.items() if name.endswith("limiting_db")}
    gentle = [limits_gently({**allowed, "limiting_db": value}) for value in limiting.values()]
    return Verdict(all(gentle), {**limiting, "limiting_allowed_db": most_limiting_db(measures)})


def _plan(mix_plan: Artefact) -> MixPlan:
    return MixPlan.read(mix_plan.path(PLAN))


def _in_phase(made: Artefact, moved: bool) -> Verdict:
    """Judged by what the stage measured."""
    found = {field.name: float(made.manifest.measures[field.name]) for field in fields(Phase)}
    phase = Phase(**found)
    no_low_end = moved or phase.low_end_db < LOW_END_DB
    passed = (
        phase.correlation >= phase.track_correlation - CORRELATION_LOST
        and phase.fold_down_db >= phase.track_fold_down_db - FOLD_DOWN_LOST_DB
        and (no_low_end or phase.low_end_correlation >= LOW_END_CORRELATION)
    )
    return Verdict(passed, {**found, "moved": str(moved)})


def _drift(recording: Recording, original: Recording) -> float:
    """The most that an octave from 63 Hz to 8 kHz is off, in dB, once both are as strong in these together.

    Octaves 50 dB under the strongest of the original are left out.
    """
    heard = slice(OCTAVES_HZ.index(63.0), OCTAVES_HZ.index(8000.0) + 1)
    now, before = (octave_levels(each)[heard] for each in (recording, original))
    if not now.sum() or not before.sum():
        return 0.0
    told = before > 1e-5 * before.max()
    ratio = (now[told] / now.sum() + 1e-12) / (before[told] / before.sum())
    return float(np.abs(10 * np.log10(ratio)).max())


@dataclass(frozen=True)
class _Found:
    channels: int
    levels: Levels


def _masters(master: Artefact) -> dict[tuple[str, str], _Found]:
    """(label of the target, format) → what is found in each of the files."""
    files = {name: file for name, file in master.manifest.files.items() if name.startswith("master")}
    return {label_and_form(name): _found(master.path(name), file.sha256) for name, file in files.items()}


@lru_cache(maxsize=64)
def _found(path: Path, _sha256: str) -> _Found:
    """Of a file of these bytes, for the checks that look at it one after the other."""
    with decoded(path) as (rate, channels, blocks):
        return _Found(channels, measure_levels(blocks, rate, channels))
