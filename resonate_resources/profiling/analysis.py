"""The music of a recording: tempo, beats, key and sections, drawn from what is heard in it, or from its plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from resonate_resources.profiling.beat_network import hear_beats
from resonate_resources.profiling.beats import Beats, find_beats
from resonate_resources.profiling.key import Keys, estimate_keys
from resonate_resources.profiling.pitch_classes import pitch_class_energy
from resonate_resources.profiling.planned import planned_beats, planned_keys, planned_sections
from resonate_resources.profiling.profile import Section
from resonate_resources.profiling.sections import find_sections
from resonate_resources.recordings.planned_music import PlannedMusic
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.timbre import hear_timbre


@dataclass(frozen=True)
class Music:
    """keys is None where there are none to be heard."""

    beats: Beats
    keys: Keys | None
    sections: tuple[Section, ...]


def analyse_music(
    recording: Recording,
    progress: Progress = silent,
    *,
    tempo_bpm: float | None = None,
    planned: PlannedMusic | None = None,
) -> Music:
    """Three passes over the recording; what is kept between them is small. tempo_bpm: where it is known, beats are
    heard at it. planned: what else is known, and not heard.

    Raises ModelError where the weights that hear beats are not installed.
    """
    if planned and not tempo_bpm:
        beats = planned_beats(planned)
    else:
        heard = hear_beats(recording, lambda done: progress(done / 2))
        beats = find_beats(heard, recording.duration, tempo_bpm=tempo_bpm)
    pitch_classes = pitch_class_energy(recording, lambda done: progress(0.5 + done / 4))
    keys = estimate_keys(pitch_classes, recording.duration)
    if planned:
        tuning = keys.tuning_cents if keys else None
        sections = planned_sections(planned, recording.duration)
        return Music(beats, planned_keys(planned, tuning, recording.duration), sections)
    timbre = hear_timbre(recording, lambda done: progress(0.75 + done / 4))
    grid = np.array(beats.downbeats_s or beats.beats_s)
    return Music(beats, keys, tuple(find_sections(timbre, grid, recording.duration)))
