"""Of a track that was planned: what its profile tells by the plan, surely, where another's is heard."""

from __future__ import annotations

from itertools import pairwise

from resonate_resources.profiling.beats import Beats
from resonate_resources.profiling.key import Keys
from resonate_resources.profiling.profile import KeySpan, Section, TempoPoint, TimeSignature
from resonate_resources.recordings.planned_music import PlannedMusic


def planned_beats(planned: PlannedMusic) -> Beats:
    signature = planned.signature
    return Beats(
        tempo_bpm=planned.tempo_bpm,
        beats_s=tuple(planned.beats_s),
        downbeats_s=tuple(planned.downbeats_s),
        time_signatures=(
            TimeSignature(
                start_s=signature.start_s, numerator=signature.numerator, denominator=signature.denominator
            ),
        ),
        tempo_curve=tuple(TempoPoint(start_s=at, bpm=planned.tempo_bpm) for at in planned.downbeats_s),
        swing=planned.swing,
        tempo_confidence=1.0,
        beats_confidence=1.0,
        downbeats_confidence=1.0,
        metre_confidence=1.0,
    )


def planned_keys(planned: PlannedMusic, tuning_cents: float | None, duration_s: float) -> Keys:
    """tuning_cents: as heard; no plan tells it."""
    span = KeySpan(start_s=0.0, end_s=duration_s, key=planned.key, mode=planned.mode, confidence=1.0)
    return Keys(planned.key, 1.0, tuning_cents, (span,))


def planned_sections(planned: PlannedMusic, duration_s: float) -> tuple[Section, ...]:
    """What rings on after the plan belongs to the last; those of one name have one letter."""
    names = list(dict.fromkeys(section.name for section in planned.sections))
    edges = [*(section.start_s for section in planned.sections), duration_s]
    return tuple(
        Section(start_s=start, end_s=end, label=chr(ord("A") + names.index(section.name)), name=section.name)
        for section, (start, end) in zip(planned.sections, pairwise(edges), strict=True)
    )
