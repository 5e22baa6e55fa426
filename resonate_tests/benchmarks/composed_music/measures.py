"""What composed and real music are compared by, heard in the recording alone, by the same ears."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.composition.plan import Plan
from resonate_resources.harmony.chords import KeyFrom, chords_of
from resonate_resources.profiling.beat_network import FRAME_RATE, hear_beats
from resonate_resources.profiling.brief import ProfileBrief
from resonate_resources.profiling.profile import Profile
from resonate_resources.profiling.resource import ProfilingResource
from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.octaves import OCTAVES_HZ
from resonate_resources.signal.onsets import find_onsets

_ONSET = 0.3  # of the strength that a twentieth of the frames exceed
_APART = 3  # frames, 60 ms
_SLOTS = 16  # a bar
_BAR = 4  # beats, where no bars are heard


def measures(recording: Recording) -> tuple[dict[str, float], Profile]:
    """By name, what isn't heard left out: key clarity (the profile's confidence, 0…1), chord changes a minute,
    onsets a second, repetition (mean over bars of the correlation of what begins in it with the most alike other
    bar), PLR in dB, loudness range in LU, octaves in dB against all of it, side against middle in dB."""
    with TemporaryDirectory() as scratch:
        ProfilingResource().profile(recording, ProfileBrief(), Path(scratch))
        profile = Profile.read(Path(scratch) / "profile.json")
    found = {"key clarity": profile.key_confidence or 0.0}
    if len(profile.beats_s) > 1:
        keys = [KeyFrom(span.start_s, span.key) for span in profile.keys]
        chords = chords_of(recording, profile.beats_s, keys, profile.tuning_cents or 0.0)
        changes = sum(one.label != other.label for one, other in pairwise(chords))
        found["chord changes a minute"] = 60 * changes / recording.duration
    rises = hear_beats(recording).rises
    strength = rises.mean(axis=1)
    onsets = find_onsets(strength, _ONSET * float(np.quantile(strength, 0.95)), _APART)
    found["onsets a second"] = len(onsets) / recording.duration
    starts = profile.downbeats_s if len(profile.downbeats_s) > 3 else profile.beats_s[::_BAR]
    if len(starts) > 3:
        found["repetition"] = _repetition(rises, np.array(starts))
    told = {
        "PLR": profile.loudness.plr_db,
        "loudness range": profile.loudness.range_lu,
        "side": profile.width_db,
    }
    found |= {name: value for name, value in told.items() if value is not None}
    whole = 10 * np.log10(np.sum(10 ** (np.array(profile.octaves_db) / 10)))
    for centre, level in zip(OCTAVES_HZ, profile.octaves_db, strict=True):
        found[f"{centre:g} Hz"] = float(level - whole)
    return found, profile


def _repetition(rises: np.ndarray, starts_s: np.ndarray) -> float:
    places = (
        starts_s[:-1, np.newaxis] + np.outer(np.diff(starts_s), np.arange(_SLOTS) / _SLOTS)
    ) * FRAME_RATE
    frames = np.clip(np.round(places).astype(int), 1, len(rises) - 2)
    bars = np.maximum(np.maximum(rises[frames - 1], rises[frames]), rises[frames + 1])
    bars = bars.reshape(len(bars), -1)
    bars = bars - bars.mean(axis=1, keepdims=True)
    bars /= np.maximum(np.linalg.norm(bars, axis=1, keepdims=True), 1e-9)
    alike = bars @ bars.T - 2 * np.eye(len(bars))
    return float(alike.max(axis=1).mean())


def share_of_same_notes(one: Plan, other: Plan) -> float:
    """Of the notes with a pitch of the plan that has fewer, those that the other has, too: the same pitch within a
    sixteenth (0…1)."""
    notes = [
        {
            (round(onset * 4), pitch)
            for part in plan.parts
            if part.stem != "drums"
            for onset, _, pitch, _ in part.notes
        }
        for plan in (one, other)
    ]
    fewest = min(len(each) for each in notes)
    return len(notes[0] & notes[1]) / fewest if fewest else 0.0


def written(plan: Plan) -> dict[str, float]:
    """Of the plan: chords a bar, and notes a second of pitched parts and of drums."""
    pitched = sum(len(part.notes) for part in plan.parts if part.stem != "drums")
    drums = sum(len(part.notes) for part in plan.parts if part.stem == "drums")
    return {
        "chords a bar": len(plan.chords) / plan.bars,
        "pitched notes a second": pitched / plan.duration_s,
        "drum notes a second": drums / plan.duration_s,
    }
