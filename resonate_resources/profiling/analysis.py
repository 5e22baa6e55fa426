"""The music of a recording: tempo, beats, key and sections, drawn from what is heard in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from resonate_resources.profiling.beat_network import hear_beats
from resonate_resources.profiling.beats import Beats, find_beats
from resonate_resources.profiling.key import Keys, estimate_keys
from resonate_resources.profiling.pitch_classes import pitch_class_energy
from resonate_resources.profiling.profile import Section
from resonate_resources.profiling.sections import find_sections
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.timbre import hear_timbre


@dataclass(frozen=True)
class Music:
    """keys is None where there are none to be heard."""

    beats: Beats
    keys: Keys | None
    sections: tuple[Section, ...]


def analyse_music(
    recording: Recording, progress: Progress = silent, *, tempo_bpm: float | None = None
) -> Music:
    """Three passes over the recording; what is kept between them is small. tempo_bpm: where it is known.

    Raises ModelError where the weights that hear beats are not installed.
    """
    heard = hear_beats(recording, lambda done: progress(done / 2))
    beats = find_beats(heard, recording.duration, tempo_bpm=tempo_bpm)
    timbre = hear_timbre(recording, lambda done: progress(0.5 + done / 4))
    pitch_classes = pitch_class_energy(recording, lambda done: progress(0.75 + done / 4))
    return Music(
        beats,
        estimate_keys(pitch_classes, recording.duration),
        tuple(find_sections(timbre, np.array(beats.downbeats_s or beats.beats_s), recording.duration)),
    )
