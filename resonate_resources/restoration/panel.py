"""Whether a step has helped, judged without the truth, every five seconds; what has not is taken back there.

A step has an aim, a measure that must fall, and bounds: measures that may not rise by more than so much. What is
measured is told in `evidence`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from resonate_resources.recordings.recording import Recording, Samples, write_recording
from resonate_resources.restoration.evidence import Measure, changes
from resonate_resources.restoration.step import StepName

WINDOW_S = 5.0
_FADE_S = 0.05
_MOST = 0.5  # of the windows that a step changed may fail; beyond that, it is taken back as a whole
_SILENT = 1e-7  # mean square


@dataclass(frozen=True)
class Aim:
    measure: Measure
    falls_by: float


AIMS: Mapping[StepName, Aim] = {
    "declip": Aim("flat_tops", 1.0),
    "declick": Aim("clicks_db", 0.5),
    "dehum": Aim("hum_db", 2.0),
    "denoise": Aim("floor_db", 0.5),
    "derumble": Aim("rumble_db", 2.0),
    "dereverb": Aim("reverb_db", 0.02),
    "decomb": Aim("spikes_db", 0.05),
    "deshimmer": Aim("shimmer", 0.02),
    "deess": Aim("sibilance_db", 0.3),
    "fill": Aim("holes", 0.001),
    "extend": Aim("dull_octaves", 0.1),
}
"""Steps that have none are held to their bounds alone: tone is told by a whole song, wow by its notes."""

BOUNDS: Mapping[Measure, float] = {
    "floor_db": 1.0,
    "spikes_db": 0.5,
    "shimmer": 0.05,
    "holes": 0.02,
    "flat_tops": 4.0,
    "lost_onsets_db": 1.0,
    "lost_quiet_db": 3.0,
    "moved_loud_db": 1.0,
    "outside_db": -40.0,
}

LOOSER: Mapping[StepName, Mapping[Measure, float | None]] = {
    "tone": {"floor_db": 6.0, "moved_loud_db": 6.0, "lost_quiet_db": 9.0, "lost_onsets_db": 3.0},
    "extend": {"floor_db": None, "spikes_db": None},
    "fill": {"floor_db": None},
    "declip": {"moved_loud_db": 3.0, "lost_onsets_db": 3.0, "lost_quiet_db": None},
    "declick": {"lost_onsets_db": None, "lost_quiet_db": None},
    "dereverb": {"lost_quiet_db": 9.0, "moved_loud_db": 2.0},
    "dehum": {"lost_quiet_db": None},
    "denoise": {"lost_quiet_db": 12.0},
}
"""Bounds of single steps that differ, None for none: of what they are there to change."""

BUSINESS_HZ: Mapping[StepName, tuple[float, float]] = {
    "dehum": (0.0, 2000.0),
    "derumble": (0.0, 60.0),
    "deshimmer": (5800.0, 10_200.0),
    "deess": (2000.0, 24_000.0),
    "fill": (1500.0, 24_000.0),
}
"""Beyond these bands such a step has none."""


@dataclass(frozen=True)
class Verdict:
    """failed: by window of WINDOW_S, why a step is taken back there; empty where it is kept. changed: whether it did
    anything there."""

    failed: tuple[str, ...]
    changed: tuple[bool, ...]

    @property
    def taken_back(self) -> bool:
        """As a whole."""
        return all(self.failed) or not any(self.changed)

    @property
    def note(self) -> str:
        """In one line."""
        failed = [why for why, changed in zip(self.failed, self.changed, strict=True) if why and changed]
        if not any(self.changed):
            return "it changed nothing"
        if not failed:
            return "kept"
        why = max(set(failed), key=failed.count)
        if self.taken_back:
            return f"taken back: {why}"
        return f"taken back in {len(failed)} of {sum(self.changed)} stretches of {WINDOW_S:g} s: {why}"


def judge(before: Recording, after: Recording, step: StepName) -> Verdict:
    """Of a step's input and output, of one rate, channels and length. Both are read once, window by window."""
    frames = round(WINDOW_S * before.sample_rate)
    failed, changed = [], []
    for was, now in zip(before.blocks(frames), after.blocks(frames), strict=True):
        changed.append(not np.array_equal(was, now))
        failed.append(why_not(was, now, before.sample_rate, step) if changed[-1] else "")
    if sum(1 for why in failed if why) > _MOST * sum(changed):
        why = max((why for why in failed if why), key=failed.count)
        failed = [each or why for each in failed]
    return Verdict(tuple(failed), tuple(changed))


def why_not(before: Samples, after: Samples, sample_rate: int, step: StepName) -> str:
    """Why a step is taken back in a window, (channels, frames) before and after; empty where it is kept."""
    if not np.isfinite(after).all():
        return "it is no sound"
    if np.mean(np.square(before, dtype=np.float64)) < _SILENT:
        return "nothing sounds here"
    found = changes(before, after, sample_rate, BUSINESS_HZ.get(step))
    aim = AIMS.get(step)
    if aim is not None and aim.measure in found:
        was, now = found[aim.measure]
        if now > was - aim.falls_by:
            return f"{aim.measure} {was:.3g} → {now:.3g}, which is no aim reached"
    bounds: dict[Measure, float | None] = {**BOUNDS, **LOOSER.get(step, {})}
    for measure, bound in bounds.items():
        if bound is None or measure not in found or (aim is not None and measure == aim.measure):
            continue
        was, now = found[measure]
        if now - was > bound:
            return f"{measure} {was:.3g} → {now:.3g}, which is worse"
    return ""


def spliced(before: Recording, after: Recording, verdict: Verdict, path: Path) -> Recording:
    """After where it is kept, before where it is not, to the bit, written to path; faded over 50 ms within what is
    kept. The very recording given where all is kept, or nothing."""
    if verdict.taken_back:
        return before
    if not any(verdict.failed):
        return after
    frames = round(WINDOW_S * before.sample_rate)
    fade = np.linspace(0.0, 1.0, round(_FADE_S * before.sample_rate) + 2, dtype=np.float32)[1:-1]
    kept = [not why for why in verdict.failed]
    neighbours = zip([True, *kept[:-1]], kept, [*kept[1:], True], strict=True)
    with write_recording(path, before.sample_rate, before.channels, before.frames) as writer:
        for was, now, (earlier, here, later) in zip(
            before.blocks(frames), after.blocks(frames), neighbours, strict=True
        ):
            if not here:
                writer.write(was)
                continue
            wet = np.ones(was.shape[1], np.float32)
            reach = min(len(fade), was.shape[1])
            if not earlier:
                wet[:reach] = fade[:reach]
            if not later:
                wet[was.shape[1] - reach :] *= fade[::-1][len(fade) - reach :]
            writer.write(np.where(wet == 1, now, was + wet * (now - was)))
    return writer.recording
