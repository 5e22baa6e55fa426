"""One MIDI file of a song: all stems' notes, tempi, time signatures, keys, and markers where sections begin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from resonate_resources.exporting.names import file_name
from resonate_resources.exporting.song import Song
from resonate_resources.recipe import Product
from resonate_resources.recordings.midi import DRUM_CHANNEL, conducted, key_signature
from resonate_resources.recordings.recording import AudioError, Progress
from resonate_resources.recordings.tempo_map import TICKS_PER_BEAT

if TYPE_CHECKING:
    import mido

_CHANNELS = 16


@dataclass(frozen=True)
class MultitrackMidi:
    """Standard MIDI File of format 1: a track that conducts, and one a stem."""

    def write(self, song: Song, into: Path, progress: Progress) -> Product:
        """See `Target`. Notes, bends and instruments are those of the stems' own files, of the same ticks."""
        import mido

        free = iter([channel for channel in range(_CHANNELS) if channel != DRUM_CHANNEL])
        tracks = [mido.MidiTrack(_conductor(song)), *(_played(path, free) for path in song.notes.values())]
        name = file_name(song.tags.artist, song.tags.title, "MIDI", "mid")
        mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, tracks=tracks, charset="utf-8").save(into / name)
        progress(1.0)
        notes = [] if song.notes else ["no stem has notes: tempi and markers alone"]
        if not song.tempo_map.known:
            notes.append("no tempo is known: the file's is a mere ruler")
        return Product({name: into / name}, {"markers": len(song.sections)}, tuple(notes))


def _conductor(song: Song) -> Iterator[mido.MetaMessage]:
    import mido

    tick = song.tempo_map.tick
    told = [(0, 0, mido.MetaMessage("track_name", name=song.tags.title or "Untitled"))]
    if song.provenance:
        told.append((0, 1, mido.MetaMessage("text", text=song.provenance.text())))
    now = 0
    for message in conducted(song.tempo_map, None):
        now += message.time
        told.append((now, 2, message))
    told += [
        (tick(key.start_s), 3, mido.MetaMessage("key_signature", key=signature))
        for key in song.keys
        if (signature := key_signature(key.key))
    ]
    told += [
        (tick(section.start_s), 4, mido.MetaMessage("marker", text=section.name)) for section in song.sections
    ]
    now = 0
    for at, _, message in sorted(told, key=lambda event: event[:2]):
        yield message.copy(time=at - now)
        now = at


def _played(path: Path, free: Iterator[int]) -> mido.MidiTrack:
    """A stem's notes: drums on their own channel, every other stem on one of its own. Raises AudioError."""
    import mido

    try:
        _, played = mido.MidiFile(path).tracks
    except (OSError, EOFError, ValueError) as error:
        raise AudioError(f"{path.name}: cannot be read as MIDI ({error})") from error
    channels = {message.channel for message in played if not message.is_meta}
    if channels <= {DRUM_CHANNEL}:
        return played
    channel = next(free, None)
    if channel is None:
        raise AudioError(f"{path.name}: MIDI has {_CHANNELS} channels, and there are more stems with notes")
    return mido.MidiTrack(message if message.is_meta else message.copy(channel=channel) for message in played)
