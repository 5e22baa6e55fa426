"""Wow and flutter of record players and tape machines, played back at the speed that takes them off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine
from resonate_resources.recordings.recording import Progress, Recording, write_recording
from resonate_resources.restoration.partials import CENT, Floats
from resonate_resources.restoration.speed_curve import Deviation, find_deviations
from resonate_resources.restoration.step import Facts, Mended, StepName
from resonate_resources.restoration.varispeed import played_at


@dataclass(frozen=True)
class _Bounds:
    """At least so much of each; see `Deviation`."""

    agreement: float
    depth_cents: float
    independent: float = 0.15
    together: float = 0.4


BOUNDS: Mapping[Preset, _Bounds] = {
    "conservative": _Bounds(0.55, 1.5),
    "balanced": _Bounds(0.45, 1.2),
    "aggressive": _Bounds(0.4, 1.0),
}
"""Of songs 000 to 059, their stems and fifteen real recordings, clean, what passes the last two agrees by 0.28 at
most; of 380 excerpts of 10 s by 0.39. A lone bass or voice agrees with itself by up to 0.8, but there little else
sounds beside its harmonics. 1.7 cents, a thousandth of the speed, are heard by nobody."""


class Dewow:
    """The whole recording is resampled, or none of it."""

    name: StepName = "dewow"

    @property
    def engine(self) -> Engine:
        return Engine("resonate", "deviation shared by all partials, windowed sinc")

    def unavailable(self) -> str | None:
        return None

    def mend(
        self,
        recording: Recording,
        facts: Facts,  # noqa: ARG002 — traces tell nothing of speed
        preset: Preset,
        path: Path,
        progress: Progress,
    ) -> Mended:
        """See `Step`."""
        deviations = find_deviations(recording)
        progress(0.4)
        measures = {f"{name}_agreement": each.agreement for name, each in deviations.items()}
        sure = sure_deviations(deviations, preset)
        if not sure:
            return Mended(recording, "its partials share no deviation of pitch that is sure", measures)
        times, offsets = correction(list(sure.values()))
        done = 0
        with write_recording(path, recording.sample_rate, recording.channels, recording.frames) as writer:
            for block in played_at(recording, times, offsets):
                writer.write(block)
                done += block.shape[1]
                progress(0.4 + 0.6 * done / recording.frames)
        depths = {name: each.depth_cents for name, each in sure.items()}
        told = " and ".join(f"{name} of {depth:.1f} cents" for name, depth in depths.items())
        depths_cents = {f"{name}_depth_cents": depth for name, depth in depths.items()}
        return Mended(writer.recording, f"{told} (root mean square) taken off", measures | depths_cents)


def sure_deviations(deviations: Mapping[str, Deviation], preset: Preset) -> dict[str, Deviation]:
    """Those that are a player's."""
    bounds = BOUNDS[preset]
    return {
        name: each
        for name, each in deviations.items()
        if each.agreement >= bounds.agreement
        and each.depth_cents >= bounds.depth_cents
        and each.independent >= bounds.independent
        and each.together >= bounds.together
    }


def correction(deviations: list[Deviation]) -> tuple[Floats, Floats]:
    """Times of the corrected recording, and how much later the wavering one is to be heard then, in seconds; 0 at
    both ends.

    A pitch that is s cents high was played at 2^(s/1200) of its speed, so what lasted a second on the record lasts
    less: the record's time is the integral of that.
    """
    hop_s = min(each.hop_s for each in deviations)
    times = np.arange(max(len(each.cents) * each.hop_s for each in deviations) // hop_s) * hop_s
    cents = sum(np.interp(times, np.arange(len(each.cents)) * each.hop_s, each.cents) for each in deviations)
    speed = np.exp(cents / CENT)
    speed /= speed.mean()
    record_s = np.concatenate([[0], np.cumsum((speed[1:] + speed[:-1]) / 2)]) * hop_s
    record_s *= times[-1] / record_s[-1]
    return record_s, times - record_s
