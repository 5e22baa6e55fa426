"""Notes, and the Standard MIDI Files they are kept in, of any length.

A note's pitch may bend while it sounds: vibrato, glides, what lies between the keys. Bends are the channel's, not a
note's (MIDI 1.0), so only notes of a line that sounds one at a time can have them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from resonate_resources.recordings.recording import AudioError
from resonate_resources.recordings.tempo_map import RULER_BPM, TICKS_PER_BEAT, TempoMap

if TYPE_CHECKING:
    import mido

DRUM_CHANNEL = 9  # General MIDI's channel 10, counted from 0

# MIDI 1.0: a wheel has 14 bits, and its range in semitones is Registered Parameter 0, 2 where nothing is said.
_WHEEL_HALF = 1 << 13
_USUAL_RANGE = 2
WIDEST_BEND = 24
"""Semitones: as far as many instruments follow."""
_FIFTHS = (
    *("Fb", "Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G"),
    *("D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#", "E#", "B#"),
)
"""Tonics, each a fifth over the one before."""
_UNISON_S = 0.02
_PARAMETER_MSB, _PARAMETER_LSB, _DATA_MSB, _DATA_LSB, _NO_PARAMETER = 101, 100, 6, 38, 127


@dataclass(frozen=True, order=True)
class Note:
    """onset_s and offset_s in seconds from the start, pitch a MIDI note number, velocity 1…127.

    A drum's pitch is its General MIDI percussion key. bends: (seconds from the onset, semitones from the pitch),
    each held until the next, the first at the onset; none where the pitch stays what it is. confidence: how sure it
    is that the note was played, 0…1; a file does not hold it, and notes that are read have none.
    """

    onset_s: float
    offset_s: float
    pitch: int
    velocity: int
    bends: tuple[tuple[float, float], ...] = ()
    confidence: float | None = field(default=None, compare=False)

    @property
    def duration_s(self) -> float:
        return self.offset_s - self.onset_s


def read_notes(path: Path) -> list[Note]:
    """All notes of a file by onset, offset and pitch; tempo changes and bends are followed. Raises AudioError.

    A note that is struck again before it has ended ends with the next end of its key, as pretty_midi has it, which
    takes files of over ten million ticks (95 minutes at 110 BPM and 960 ticks a beat) for corrupt.
    """
    import mido

    notes: list[Note] = []
    sounding: defaultdict[tuple[int, int], list[tuple[float, int]]] = defaultdict(list)
    wheels: defaultdict[int, _Wheel] = defaultdict(_Wheel)
    now = 0.0
    try:
        for message in mido.MidiFile(path):
            now += message.time
            if message.type == "pitchwheel":
                wheels[message.channel].turn(now, message.pitch)
            elif message.type == "control_change":
                wheels[message.channel].control(message.control, message.value)
            if message.type not in ("note_on", "note_off"):
                continue
            key = message.channel, message.note
            if message.type == "note_on" and message.velocity:
                sounding[key].append((now, message.velocity))
                continue
            ended = [(onset, velocity) for onset, velocity in sounding[key] if onset < now]
            bent = wheels[message.channel]
            notes += (
                Note(onset, now, message.note, velocity, bent.between(onset, now))
                for onset, velocity in ended
            )
            # A note that begins where another one ends goes on; where none ends, it is over with its beginning.
            begun = [(onset, velocity) for onset, velocity in sounding[key] if onset >= now]
            sounding[key] = begun if ended else []
            if not any(begins for (channel, _), begins in sounding.items() if channel == message.channel):
                bent.forget()
    except (OSError, EOFError, ValueError, KeyError, IndexError, TypeError) as error:
        raise AudioError(f"{path.name}: cannot be read as MIDI ({error})") from error
    return sorted(notes)


class _Wheel:
    """A channel's pitch wheel: where it stood since notes began to sound, in semitones, and its range."""

    def __init__(self) -> None:
        self._turns: list[tuple[float, float]] = [(0.0, 0.0)]
        self._parameter = [_NO_PARAMETER, _NO_PARAMETER]
        self._range = [_USUAL_RANGE, 0]  # semitones, cents

    def control(self, number: int, value: int) -> None:
        if number in (_PARAMETER_MSB, _PARAMETER_LSB):
            self._parameter[number == _PARAMETER_LSB] = value
        elif number in (_DATA_MSB, _DATA_LSB) and self._parameter == [0, 0]:
            self._range[number == _DATA_LSB] = value

    def turn(self, now: float, wheel: int) -> None:
        self._turns.append((now, wheel / _WHEEL_HALF * (self._range[0] + self._range[1] / 100)))

    def forget(self) -> None:
        """All but where it stands: nothing sounds."""
        del self._turns[:-1]

    def between(self, onset: float, offset: float) -> tuple[tuple[float, float], ...]:
        """A note's bends; of what is turned at one time, the last."""
        before = [bend for at, bend in self._turns if at <= onset]
        during = {at - onset: bend for at, bend in self._turns if onset < at < offset}
        bends = ((0.0, before[-1] if before else 0.0), *during.items())
        return bends if any(bend for _, bend in bends) else ()


def write_notes(
    path: Path,
    notes: Sequence[Note],
    *,
    tempo: TempoMap,
    name: str,
    program: int,
    channel: int = 0,
    key: str | None = None,
) -> None:
    """Write a format-1 file: a track with tempi, time signatures and key, and one of that name with the notes.

    Where the tempo is not known, a text event says so. program is General MIDI's, counted from 0. key: as "Eb
    major"; one that no key signature stands for is not written. Bends are written with their range, the usual 2
    semitones where that is enough, and the wheel stands in the middle where nothing sounds. Raises ValueError for
    bends of notes that sound together, and for those over WIDEST_BEND.
    """
    import mido

    ticks = tempo.tick
    # At equal ticks a note ends, the wheel turns back, then to the next one's bend, and that begins.
    events: list[tuple[int, int, mido.Message]] = []
    sounding: list[tuple[int, int]] = []
    for note in notes:
        onset = ticks(note.onset_s)
        offset = max(onset + 1, ticks(note.offset_s))
        sounding.append((onset, offset))
        events.append(
            (onset, 3, mido.Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity))
        )
        events.append((offset, 0, mido.Message("note_off", channel=channel, note=note.pitch, velocity=0)))
    reach = _range_of(notes)
    if reach and any(next_on < off for (_, off), (next_on, _) in pairwise(sorted(sounding))):
        raise ValueError("notes that sound together cannot bend: a MIDI channel has one pitch wheel")
    for note in notes if reach else ():
        turned = [(ticks(note.onset_s + at), _wheel(bend, reach)) for at, bend in note.bends]
        end = max(ticks(note.onset_s) + 1, ticks(note.offset_s))
        for order, (at, wheel) in ((2, turn) for turn in _thinned(turned, end)):
            events.append((at, order, mido.Message("pitchwheel", channel=channel, pitch=wheel)))
        if note.bends:
            events.append((end, 1, mido.Message("pitchwheel", channel=channel, pitch=0)))
    events.sort(key=lambda event: event[:2])

    played = mido.MidiTrack(
        [
            mido.MetaMessage("track_name", name=name),
            mido.Message("program_change", channel=channel, program=program),
        ]
    )
    if reach:
        said = (
            (_PARAMETER_MSB, 0),
            (_PARAMETER_LSB, 0),
            (_DATA_MSB, reach),
            (_DATA_LSB, 0),
            (_PARAMETER_MSB, _NO_PARAMETER),
            (_PARAMETER_LSB, _NO_PARAMETER),
        )
        played += [
            mido.Message("control_change", channel=channel, control=control, value=value)
            for control, value in said
        ]
    now = 0
    for at, _, message in events:
        played.append(message.copy(time=at - now))
        now = at
    conductor = mido.MidiTrack(conducted(tempo, key))
    mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, tracks=[conductor, played]).save(path)


def one_key_at_a_time(notes: Sequence[Note]) -> list[Note]:
    """By onset, as a MIDI channel can hold them: a note ends where its key is struck again. Strokes of one key
    within 20 ms, of parts in unison, are one: from the first on, as loud as the loudest, as long as the longest."""
    last: dict[int, Note] = {}
    held = []
    for note in sorted(notes):
        before = last.get(note.pitch)
        if before is None:
            last[note.pitch] = note
        elif note.onset_s - before.onset_s < _UNISON_S:
            last[note.pitch] = replace(
                before,
                offset_s=max(before.offset_s, note.offset_s),
                velocity=max(before.velocity, note.velocity),
            )
        else:
            held.append(replace(before, offset_s=min(before.offset_s, note.onset_s)))
            last[note.pitch] = note
    return sorted([*held, *last.values()])


def conducted(tempo: TempoMap, key: str | None) -> Iterator[mido.MetaMessage]:
    """What holds for all tracks: tempi, time signatures, key."""
    import mido

    if not tempo.known:
        yield mido.MetaMessage("text", text=f"No tempo was found: {RULER_BPM:g} BPM is only a ruler")
    signature = None if key is None else key_signature(key)
    if signature is not None:
        yield mido.MetaMessage("key_signature", key=signature)
    told = [
        (at, 0, mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator))
        for at, numerator, denominator in tempo.signatures
    ]
    told += [(anchor.tick, 1, mido.MetaMessage("set_tempo", tempo=anchor.tempo)) for anchor in tempo.anchors]
    now = 0
    for at, _, message in sorted(told, key=lambda event: event[:2]):
        yield message.copy(time=at - now)
        now = at


def key_signature(key: str) -> str | None:
    """As MIDI files spell it: "Eb major" is Eb, "G# minor" G#m; by its enharmonic where that has fewer accidentals,
    so "A# minor" is Bbm. None of what is neither major nor minor."""
    tonic, _, mode = key.partition(" ")
    if mode not in ("major", "minor") or tonic not in _FIFTHS:
        return None
    place = _FIFTHS.index(tonic)
    sharps = place - _FIFTHS.index("A" if mode == "minor" else "C")
    if abs(sharps) > 6:
        place -= 12 if sharps > 0 else -12
    return f"{_FIFTHS[place]}{'m' if mode == 'minor' else ''}"


def _range_of(notes: Sequence[Note]) -> int:
    """The wheel's range in semitones that notes need; 0 where none bends. Raises ValueError, see write_notes."""
    furthest = max((abs(bend) for note in notes for _, bend in note.bends), default=0.0)
    if not any(note.bends for note in notes):
        return 0
    if furthest > WIDEST_BEND:
        raise ValueError(f"a bend of {furthest:g} semitones is over {WIDEST_BEND}")
    return max(_USUAL_RANGE, math.ceil(furthest))


def _wheel(bend: float, reach: int) -> int:
    return max(-_WHEEL_HALF, min(_WHEEL_HALF - 1, round(bend / reach * _WHEEL_HALF)))


def _thinned(turned: Sequence[tuple[int, int]], end: int) -> Iterator[tuple[int, int]]:
    """One turn a tick, the last, of those before the note's end."""
    for turn, following in pairwise([*turned, (end, 0)]):
        if turn[0] < min(following[0], end):
            yield turn
