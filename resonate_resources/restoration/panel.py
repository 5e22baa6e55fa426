"""Whether a step has helped, judged without the truth, every five seconds; what has not is taken back there.

A step has an aim, a measure that must fall, and bounds: measures that may not rise by more than so much. What is
measured is told in `evidence`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from resonate_resources.recordings.recording import Recording, Samples, write_recording
from resonate_resources.restoration.evidence import SPOKEN, Measure, changes, taken_lines_db, wow_cents
from resonate_resources.restoration.step import StepName

WINDOW_S = 5.0
_FADE_S = 0.05
_MOST = 0.5  # of what a step changed may fail, by time or by energy; beyond that, it is taken back as a whole
_SILENCE = "nothing sounds there"
_ABSTAINS = "nothing stands out of the noise there"
_SILENT = 1e-7  # mean square


@dataclass(frozen=True)
class Aim:
    measure: Measure
    falls_by: float


AIMS: Mapping[StepName, Aim] = {
    "declip": Aim("clipped_permille", 0.02),
    "declick": Aim("rough_db", 3.0),
    "dehum": Aim("hum_db", 2.0),
    "dewow": Aim("wow_cents", 0.15),
    "denoise": Aim("floor_db", 1.0),
    "derumble": Aim("rumble_db", 2.0),
    "dereverb": Aim("reverb_db", 0.02),
    "decomb": Aim("spikes_db", 0.01),
    "deshimmer": Aim("shimmer", 0.02),
    "deess": Aim("sibilance_db", 0.3),
    "fill": Aim("holes", 0.001),
    "extend": Aim("dull_octaves", 0.1),
}
"""Steps that have none are held to their bounds alone: tone is told by a whole song."""

BOUNDS: Mapping[Measure, float] = {
    "floor_db": 1.0,
    "spikes_db": 0.5,
    "shimmer": 0.05,
    "holes": 0.02,
    "dull_octaves": 0.3,
    "clipped_permille": 2.0,
    "lost_onsets_db": 1.0,
    "lost_quiet_db": 3.0,
    "moved_loud_db": 1.0,
    "moved_floor_db": 1.0,
    "taken_lines_db": 4.0,
    "outside_db": -40.0,
}
"""Set on what steps did to songs 000 to 059 and 200 to 239 in `bench_restored`, damaged and whole."""

LOOSER: Mapping[StepName, Mapping[Measure, float | None]] = {
    "tone": {
        "floor_db": 6.0,
        "moved_loud_db": 6.0,
        "moved_floor_db": 6.0,
        "lost_quiet_db": 9.0,
        "lost_onsets_db": 3.0,
    },
    "extend": {"floor_db": None, "spikes_db": None, "shimmer": 0.15},
    "fill": {"floor_db": 4.0},
    "declip": {
        "moved_loud_db": 3.0,
        "moved_floor_db": 3.0,
        "lost_onsets_db": 3.0,
        "lost_quiet_db": None,
        "dull_octaves": None,
        "shimmer": None,
    },
    "declick": {"lost_onsets_db": None, "lost_quiet_db": None, "dull_octaves": None, "shimmer": None},
    "deshimmer": {"dull_octaves": None},
    "dereverb": {"lost_quiet_db": 5.0},
    "dehum": {"lost_quiet_db": None},
    "dewow": {"lost_quiet_db": 6.0, "shimmer": None},
    "decomb": {"shimmer": None, "holes": None, "lost_quiet_db": None, "dull_octaves": None},
    "denoise": {
        "shimmer": None,
        "lost_quiet_db": 6.0,
        "lost_onsets_db": 2.0,
        "dull_octaves": None,
        "clipped_permille": None,
    },
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


UNDIVIDED = frozenset({"dewow", "dereverb", "tone", "extend"})
"""Kept for all of the time or none: what was moved in time can't be faded into what was not, and a room, a tone and
a band that come and go every five seconds are heard."""


@dataclass(frozen=True)
class Verdict:
    """failed: by window of WINDOW_S, why a step is taken back there; empty where it is kept. changed: whether
    it did anything there. before, after: what was measured, mean over the windows that it changed; see
    `evidence`."""

    failed: tuple[str, ...]
    changed: tuple[bool, ...]
    before: Mapping[str, float] = field(default_factory=dict)
    after: Mapping[str, float] = field(default_factory=dict)

    @property
    def kept_part(self) -> float:
        """Of what the step changed, 0 to 1."""
        kept = [not why for why, changed in zip(self.failed, self.changed, strict=True) if changed]
        return sum(kept) / len(kept) if kept else 0.0

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is taken back, the commonest first."""
        why = [why for why, changed in zip(self.failed, self.changed, strict=True) if why and changed]
        return tuple(each for each, _ in Counter(why).most_common())


def judge(before: Recording, after: Recording, step: StepName) -> Verdict:
    """Of a step's input and output, of one rate, channels and length. Both are read once, window by window."""
    frames = round(WINDOW_S * before.sample_rate)
    failed: list[str] = []
    changed: list[bool] = []
    moved: list[float] = []
    found: dict[str, list[tuple[float, float]]] = {}
    for was, now in zip(_windows(before, frames), _windows(after, frames), strict=True):
        changed.append(not np.array_equal(was, now))
        why = ""
        if changed[-1]:
            why, measures = judged(was, now, before.sample_rate, step)
            for measure, values in measures.items():
                found.setdefault(measure, []).append(values)
        if why == _SILENCE:
            changed[-1] = False  # nobody hears what it did there, and it is not done
        failed.append(why)
        moved.append(float(np.square(now - was, dtype=np.float64).sum()) if changed[-1] else 0.0)
    if _ABSTAINS in failed:
        # Where nothing stands out, what there is may be noise or music: it is kept with the rest, or not.
        elsewhere = any(not why for why, here in zip(failed, changed, strict=True) if here)
        failed = ["" if elsewhere and why == _ABSTAINS else why for why in failed]
    whys = Counter(why for why in failed if why and why != _SILENCE)
    against = sum(much for much, why in zip(moved, failed, strict=True) if why)
    if whys.total() > _MOST * sum(changed) and against > _MOST * sum(moved):
        failed = [why or whys.most_common(1)[0][0] for why in failed]
    elif step in UNDIVIDED:
        failed = [""] * len(failed)
    first, second = (
        {name: float(np.mean(pairs, axis=0)[side]) for name, pairs in found.items()} for side in (0, 1)
    )
    return Verdict(tuple(failed), tuple(changed), first, second)


def _windows(recording: Recording, frames: int) -> Iterator[Samples]:
    """Blocks of so many frames; a rest that is shorter than half of one is heard with the one before it."""
    held: list[Samples] = []
    for block in recording.blocks(frames):
        if held and block.shape[1] >= frames / 2:
            yield held.pop()
        held.append(block)
    if held:
        yield np.concatenate(held, axis=1)


def judged(
    before: Samples, after: Samples, sample_rate: int, step: StepName
) -> tuple[str, Mapping[Measure, tuple[float, float]]]:
    """Why a step is taken back in a window, (channels, frames) before and after, empty where it is kept; and
    what was measured of both."""
    if not np.isfinite(after).all():
        return "it is no sound", {}
    if np.mean(np.square(before, dtype=np.float64)) < _SILENT:
        return _SILENCE, {}
    found = dict(changes(before, after, sample_rate, BUSINESS_HZ.get(step)))
    if step == "denoise" and (lines_db := taken_lines_db(before, after, sample_rate)) is not None:
        found["taken_lines_db"] = 0.0, lines_db
    if step in AIMS and AIMS[step].measure == "wow_cents":
        was, now = (wow_cents(each, sample_rate) for each in (before, after))
        if was is not None and now is not None:
            found["wow_cents"] = was, now
    return why_not(found, step), found


def why_not(found: Mapping[Measure, tuple[float, float]], step: StepName) -> str:
    """Why a step that changed this (before, after) is taken back; empty where it is kept."""
    aim = AIMS.get(step)
    if aim is not None and aim.measure in found:
        was, now = found[aim.measure]
        if now > was - aim.falls_by:
            return f"{SPOKEN[aim.measure]} did not get less"
    bounds: dict[Measure, float | None] = {**BOUNDS, **LOOSER.get(step, {})}
    for measure, bound in bounds.items():
        if bound is None or measure not in found or (aim is not None and measure == aim.measure):
            continue
        was, now = found[measure]
        if now - was > bound:
            if measure == "taken_lines_db":
                return "what was taken has tones"
            return _ABSTAINS if measure == "moved_floor_db" else f"{SPOKEN[measure]} got more"
    return ""


def spliced(before: Recording, after: Recording, verdict: Verdict, path: Path) -> Recording:
    """After where it is kept, before where it is not, to the bit, written to path; faded over 50 ms within what is
    kept. The very recording given where all is kept, or nothing."""
    if not verdict.kept_part:
        return before
    if not verdict.reasons:
        return after
    frames = round(WINDOW_S * before.sample_rate)
    fade = np.linspace(0.0, 1.0, round(_FADE_S * before.sample_rate) + 2, dtype=np.float32)[1:-1]
    kept = [not why for why in verdict.failed]
    neighbours = zip([True, *kept[:-1]], kept, [*kept[1:], True], strict=True)
    with write_recording(path, before.sample_rate, before.channels, before.frames) as writer:
        for was, now, (earlier, here, later) in zip(
            _windows(before, frames), _windows(after, frames), neighbours, strict=True
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
