"""Notes, and the Standard MIDI Files they are kept in, of any length."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from resonate_resources.recordings.recording import AudioError

if TYPE_CHECKING:
    import mido

TICKS_PER_BEAT = 960  # 0.5 ms at 120 BPM
DRUM_CHANNEL = 9  # General MIDI's channel 10, counted from 0
RULER_BPM = 120.0
"""What a MIDI file without a tempo means (Standard MIDI Files 1.0)."""
_SLOWEST_BPM = 4.0  # set_tempo has 24 bits for the microseconds of a beat


@dataclass(frozen=True, order=True)
class Note:
    """onset_s and offset_s in seconds from the start, pitch a MIDI note number, velocity 1…127.

    A drum's pitch is its General MIDI percussion key.
    """

    onset_s: float
    offset_s: float
    pitch: int
    velocity: int

    @property
    def duration_s(self) -> float:
        return self.offset_s - self.onset_s


def read_notes(path: Path) -> list[Note]:
    """All notes of a file by onset, then offset, then pitch; tempo changes are followed. Raises AudioError.

    A note that is struck again before it has ended ends with the next end of its key, as pretty_midi has it, which
    takes files of over ten million ticks (95 minutes at 110 BPM and 960 ticks a beat) for corrupt.
    """
    import mido

    notes: list[Note] = []
    sounding: defaultdict[tuple[int, int], list[tuple[float, int]]] = defaultdict(list)
    now = 0.0
    try:
        for message in mido.MidiFile(path):
            now += message.time
            if message.type not in ("note_on", "note_off"):
                continue
            key = message.channel, message.note
            if message.type == "note_on" and message.velocity:
                sounding[key].append((now, message.velocity))
                continue
            ended = [(onset, velocity) for onset, velocity in sounding[key] if onset < now]
            notes += (Note(onset, now, message.note, velocity) for onset, velocity in ended)
            # A note that begins where another one ends goes on; where none ends, it is over with its beginning.
            begun = [(onset, velocity) for onset, velocity in sounding[key] if onset >= now]
            sounding[key] = begun if ended else []
    except (OSError, EOFError, ValueError, KeyError, IndexError, TypeError) as error:
        raise AudioError(f"{path.name}: cannot be read as MIDI ({error})") from error
    return sorted(notes)


def write_notes(
    path: Path, notes: Sequence[Note], *, tempo_bpm: float | None, name: str, program: int, channel: int = 0
) -> None:
    """Write a format-1 file: a track with the tempo, and one of that name with the notes.

    tempo_bpm: None where it is not known; ticks are then laid out by RULER_BPM, and a text event says so.
    program is General MIDI's, counted from 0. Raises ValueError for a tempo that MIDI cannot hold.
    """
    import mido

    ruler_bpm = RULER_BPM if tempo_bpm is None else tempo_bpm
    if not ruler_bpm >= _SLOWEST_BPM:
        raise ValueError(f"a MIDI file cannot hold a tempo of {tempo_bpm} BPM")
    tempo: int = mido.bpm2tempo(ruler_bpm)  # rounded to µs a beat; times are laid out by what the file says

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
    if tempo_bpm is None:
        told = f"No tempo was found: {ruler_bpm:g} BPM is only a ruler"
        conductor.insert(0, mido.MetaMessage("text", text=told))
    mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, tracks=[conductor, played]).save(path)
