"""The music of a recording: tempo, beats, key and sections, drawn from what is heard in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from resonate_resources.profiling.beats import estimate_tempo, tempo_of_beats, track_beats
from resonate_resources.profiling.key import Keys, estimate_keys
from resonate_resources.profiling.pitch_classes import pitch_class_energy
from resonate_resources.profiling.profile import Section
from resonate_resources.profiling.sections import find_sections
from resonate_resources.recordings.recording import Progress, Recording, silent
from resonate_resources.signal.rhythm import hear_rhythm


@dataclass(frozen=True)
class Music:
    """tempo_bpm and keys are None, and beats_s empty, where there are none to be heard."""

    tempo_bpm: float | None
    beats_s: tuple[float, ...]
    keys: Keys | None
    sections: tuple[Section, ...]


def analyse_music(
    recording: Recording, progress: Progress = silent, *, tempo_bpm: float | None = None
) -> Music:
    """Two passes over the recording; what is kept between them is small. tempo_bpm: where it is known."""
    rhythm = hear_rhythm(recording, lambda done: progress(done / 2))
    pitch_classes = pitch_class_energy(recording, lambda done: progress(0.5 + done / 2))
    tempo = tempo_bpm or estimate_tempo(rhythm.onset)
    beats = np.zeros(0) if tempo is None else track_beats(rhythm.onset, tempo)
    beats = beats[beats < recording.duration]
    return Music(
        tempo_bpm or tempo_of_beats(beats) or tempo,
        tuple(beats.tolist()),
        estimate_keys(pitch_classes, recording.duration),
        tuple(find_sections(rhythm.timbre, beats, recording.duration)),
    )
