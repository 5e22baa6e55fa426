"""What is known of the music of a reference: what a person is shown of it is what candidates are judged by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resonate_resources.harmony.chords import Chord, KeyFrom, chords_of
from resonate_resources.recordings.recording import Recording

READ = ("beats_s", "keys", "tuning_cents"), ("chords", "sections")
"""What is read of a profile, and of an analysis."""


@dataclass(frozen=True)
class Music:
    """beats_s, rising; chords, one after the other; starts_s: where sections begin, from 0; keys and tuning_cents
    (of A4 from 440 Hz): what chords are heard and spelt in. All empty where nothing is known."""

    beats_s: Sequence[float] = ()
    chords: Sequence[Chord] = ()
    starts_s: Sequence[float] = ()
    keys: Sequence[KeyFrom] = ()
    tuning_cents: float = 0.0

    @classmethod
    def of(cls, profile: Mapping[str, Any], analysis: Mapping[str, Any]) -> Music:
        """From a track's profile and analysis, or what is READ of them."""
        return cls(
            beats_s=profile["beats_s"],
            chords=[Chord(**chord) for chord in analysis["chords"]],
            starts_s=[section["start_s"] for section in analysis["sections"]],
            keys=[KeyFrom(each["start_s"], each["key"]) for each in profile["keys"]],
            tuning_cents=profile["tuning_cents"] or 0.0,
        )


def chords_like(music: Music, recording: Recording, late_s: float = 0.0) -> tuple[Chord, ...]:
    """The chords of a recording on the beats of that music, which it plays late by so many seconds; in the music's
    time."""
    beats = [beat + late_s for beat in music.beats_s]
    found = chords_of(recording, beats, music.keys, music.tuning_cents)
    return tuple(
        chord.model_copy(update={"start_s": chord.start_s - late_s, "end_s": chord.end_s - late_s})
        for chord in found
    )
