"""Standard MIDI Files of one stem, at the track's tempo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import mido

from resonate_resources.transcription.notes import Note

TICKS_PER_BEAT = 960  # 0.5 ms at 120 BPM
DRUM_CHANNEL = 9  # General MIDI's channel 10, counted from 0
_SLOWEST_BPM = 4.0  # set_tempo has 24 bits for the microseconds of a beat


def write_midi(
    path: Path, notes: Sequence[Note], *, tempo_bpm: float, name: str, program: int, channel: int = 0
) -> None:
    """Write a format-1 file: a track with the tempo, and one with the notes.

    program is General MIDI's, counted from 0. Raises ValueError for a tempo that MIDI cannot hold.
    """
    if not tempo_bpm >= _SLOWEST_BPM:
        raise ValueError(f"a MIDI file cannot hold a tempo of {tempo_bpm} BPM")
    tempo: int = mido.bpm2tempo(tempo_bpm)  # rounded to µs a beat; times are laid out by what the file says

    def ticks(seconds: float) -> int:
        return round(seconds * 1e6 / tempo * TICKS_PER_BEAT)

    events: list[tuple[int, int, mido.Message]] = []  # at equal ticks a note ends before the next one begins
    for note in notes:
        onset = ticks(note.onset_s)
        offset = max(onset + 1, ticks(note.offset_s))
        events.append(
            (onset, 1, mido.Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity))
        )
        events.append((offset, 0, mido.Message("note_off", channel=channel, note=note.pitch, velocity=0)))
    events.sort(key=lambda event: event[:2])

    played = mido.MidiTrack(
        [
            mido.MetaMessage("track_name", name=name),
            mido.Message("program_change", channel=channel, program=program),
        ]
    )
    now = 0
    for at, _, message in events:
        played.append(message.copy(time=at - now))
        now = at
    conductor = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=tempo)])
    mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, tracks=[conductor, played]).save(path)
