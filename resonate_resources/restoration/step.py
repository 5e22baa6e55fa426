"""What is known of a recording before it is mended, and what every step of a restoration does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine, Json
from resonate_resources.recordings.recording import Progress, Recording
from resonate_resources.signal.traces import Traces

StepName = Literal[
    "declip",
    "declick",
    "dehum",
    "denoise",
    "dewow",
    "derumble",
    "dereverb",
    "decomb",
    "deshimmer",
    "deess",
    "fill",
    "tone",
    "extend",
    "polish",
]
"""In the order in which they are taken: what is added comes after what is taken off, so that no noise is extended.

dewow: wow and flutter, after the hum, which came to them; fill: the holes that a codec left in the spectrum;
extend: octaves above and below the band; polish: by a codec's decoder."""


@dataclass(frozen=True)
class Facts:
    """Of one recording: a whole track (kind "track"), or a stem of one (kind is its name).

    traces: measured on this very recording. was_noisy: a microphone's noise was taken off it. rt60_s:
    reverberation time by octave (Hz → s), of those octaves that show one, of a whole recording. clicks_per_s: see
    `signal.clicks`; None where nobody counted. colour_db: how far its long-term spectrum lies over that of music
    of its kind, by third of an octave (Hz → dB), where it lies so far off that no such music does; empty where it
    does not.
    """

    kind: str
    traces: Traces
    was_noisy: bool = False
    rt60_s: Mapping[float, float] = field(default_factory=dict)
    clicks_per_s: float | None = None
    colour_db: Mapping[float, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Mended:
    """A recording, mended; the very recording given where there was nothing to do.

    measures: flat names that end in their unit. note: what was done, or why nothing was, in one line.
    """

    recording: Recording
    note: str
    measures: Mapping[str, float] = field(default_factory=dict)


class Step(Protocol):
    """One way of doing one step."""

    @property
    def name(self) -> StepName: ...

    @property
    def engine(self) -> Engine: ...

    def unavailable(self) -> str | None:
        """Why it can't run here, in one line; None if it can."""
        ...

    def mend(
        self, recording: Recording, facts: Facts, preset: Preset, path: Path, progress: Progress
    ) -> Mended:
        """Write the mended recording to path: of the same rate, channels and length, in time with it to the sample.

        Streams: memory does not grow with the length. Raises AudioError.
        """
        ...


@runtime_checkable
class Weighted(Protocol):
    """A step whose result depends on files that come at first use, or go."""

    @property
    def settings(self) -> dict[str, Json]:
        """What a result depends on besides code, kind and preset; `weights_sha256`: file name → SHA-256 in hex, of
        those that are here."""
        ...
