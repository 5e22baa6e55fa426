"""An Ableton Live set of a song, in a project folder that holds all it plays.

    NAME Project/
      NAME.als
      Samples/Imported/Vocals.wav …
      Ableton Project Info/            by which Live knows the project

Sound is warped to the song's tempo map, with a marker at every beat, and the set's tempo follows the same map: as
it is opened nothing is stretched, and all of it follows where the tempo is changed. The master is beside the stems,
muted.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from resonate_resources.exporting.ableton.clips import (
    PlayedNote,
    Sound,
    WarpMarker,
    audio_clip,
    midi_clip,
)
from resonate_resources.exporting.ableton.document import LiveSet
from resonate_resources.exporting.ableton.tracks import Track
from resonate_resources.exporting.names import safe_name
from resonate_resources.exporting.song import Song
from resonate_resources.recipe import Product
from resonate_resources.recordings.midi import read_notes
from resonate_resources.recordings.recording import DestinationError, Progress, Recording
from resonate_resources.recordings.tags import Tags
from resonate_resources.recordings.tempo_map import TICKS_PER_BEAT

_COLOURS = {"vocals": 12, "drums": 19, "bass": 23, "other": 15}  # pink, green, blue, orange
_GREY = 41
_BEATS, _TONES, _COMPLEX = 0, 1, 4
_WARP = {"drums": _BEATS, "bass": _TONES, "vocals": _TONES}
"""By Ableton's manual ("Audio Fact Sheet") these modes leave sound as it is where nothing is stretched. What has
chords is in Complex all the same, which never does: where it is stretched, nothing else is bearable."""
_SLOWEST_BPM, _FASTEST_BPM = 20.0, 999.0  # Live's own
_APART_S = 1e-3  # markers that are nearer are one
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_KEY = re.compile(r"([A-G])([#b]?)(m?)")  # as `Tags` have it
_MARK = "Ableton Project Info/Resonate.txt"


@dataclass(frozen=True)
class AbletonLive:
    """Live 11 and later.

    Notes tell what a set cannot hold: tempi out of 20…999 BPM, bends of notes; and that there were no beats.
    """

    def write(self, song: Song, into: Path, progress: Progress) -> Product:
        """See `Target`. Sound is copied as it is."""
        called = _named(song.tags)
        project = f"{called} Project"
        heard = [*song.stems.items(), ("master", song.master)]
        files: dict[str, Path] = {}
        sounds: list[Sound] = []
        for number, (part, recording) in enumerate(heard):
            sounds.append(_copied(recording, part, into, project))
            files[f"{project}/{sounds[-1].path}"] = into / project / sounds[-1].path
            progress((number + 1) / (len(heard) + 1))
        notes: list[str] = []
        said = _said(song, sounds, notes)
        document = into / project / f"{called}.als"
        mark = into / project / _MARK
        try:
            document.write_bytes(said.als())
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.write_text("Made by Resonate. Live knows a project by this folder.\n", encoding="utf-8")
        except OSError as error:
            raise DestinationError(into / document.name) from error
        progress(1.0)
        return Product(
            {f"{project}/{document.name}": document, f"{project}/{_MARK}": mark, **files},
            {"warp_markers": len(_markers(song)), "locators": len(said.locators)},
            tuple(notes),
        )


def _named(tags: Tags) -> str:
    return safe_name(" - ".join(word for word in (tags.artist, tags.title) if word)) or "Untitled"


def _copied(recording: Recording, part: str, into: Path, project: str) -> Sound:
    path = f"Samples/Imported/{safe_name(part.capitalize())}{recording.path.suffix.lower()}"
    copy = into / project / path
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(recording.path, copy)
    except OSError as error:
        raise DestinationError(into / copy.name) from error
    size = copy.stat().st_size
    return Sound(recording, path, size, _WARP.get(_kind(part), _COMPLEX))


def _said(song: Song, sounds: Sequence[Sound], notes: list[str]) -> LiveSet:
    """The set; notes: what it cannot hold is told there."""
    markers = _markers(song)
    if not markers:
        notes.append("no beats were tracked: clips are not warped")
    if not song.tempo_map.known:
        notes.append("no tempo is known: the set's is a mere ruler")
    signatures = [
        (tick / TICKS_PER_BEAT, numerator, denominator)
        for tick, numerator, denominator in song.tempo_map.signatures
    ]
    if not signatures or signatures[0][0] > 0:
        signatures.insert(0, (0.0, 4, 4))
    ruler = signatures[-1][1:]  # of the clips' own editors only: the song's, without a pickup's

    def heard(sound: Sound, part: str, *, muted: bool = False) -> Track:
        name, length = part.capitalize(), song.tempo_map.quarter(sound.recording.duration)
        colour = _colour(part)
        return Track(name, colour, (audio_clip(sound, name, colour, length, markers, ruler),), muted=muted)

    scale = _scale(song.tags.key)
    *stems, master = sounds
    return LiveSet(
        tempi=_tempi(song, notes),
        signatures=signatures,
        locators=[(song.tempo_map.quarter(each.start_s), each.name) for each in song.sections],
        scale=scale,
        group=Track("Stems", _GREY, ()),
        grouped=[heard(sound, part) for sound, part in zip(stems, song.stems, strict=True)],
        tracks=[heard(master, "master", muted=True), *_played(song, scale, ruler, notes)],
        annotation=song.provenance.sentence() if song.provenance else "",
    )


def _markers(song: Song) -> list[WarpMarker]:
    """At both ends and at each beat; none where there are fewer than two."""
    beats = [beat.second for beat in song.beats()]
    if len(beats) < 2:
        return []
    seconds = [0.0]
    for second in (*beats, song.original.duration):
        if second > seconds[-1] + _APART_S:
            seconds.append(second)
    return [WarpMarker(second, song.tempo_map.quarter(second)) for second in seconds]


def _tempi(song: Song, notes: list[str]) -> list[tuple[float, float]]:
    """(quarter, quarter notes a minute) of each, held to what Live can play."""
    anchors = song.tempo_map.anchors
    ends = [*(anchor.second for anchor in anchors[1:]), song.original.duration]
    tempi, held_s = [], 0.0
    for anchor, end in zip(anchors, ends, strict=True):
        tempo = 6e7 / anchor.tempo
        held = min(max(tempo, _SLOWEST_BPM), _FASTEST_BPM)
        if held != tempo:
            held_s += end - anchor.second
        tempi.append((anchor.tick / TICKS_PER_BEAT, held))
    if held_s:
        notes.append(
            f"Live plays {_SLOWEST_BPM:.0f} to {_FASTEST_BPM:.0f} quarter notes a minute: {held_s:.1f} s are of "
            "another tempo, and are stretched"
        )
    return tempi


def _played(
    song: Song, scale: tuple[int, bool] | None, ruler: tuple[int, int], notes: list[str]
) -> Iterator[Track]:
    """A track of notes for each stem that has some; an instrument is for who opens the set to choose."""
    bent = 0
    for part, path in song.notes.items():
        keys: dict[int, list[PlayedNote]] = {}
        for note in read_notes(path):
            bent += any(semitones for _, semitones in note.bends)
            start, end = (song.tempo_map.quarter(second) for second in (note.onset_s, note.offset_s))
            struck = keys.setdefault(note.pitch, [])
            if struck and struck[-1].start + struck[-1].length > start:  # in Live a key sounds once at a time
                last = struck.pop()
                if start > last.start:
                    struck.append(replace(last, length=start - last.start))
            struck.append(PlayedNote(start, end - start, note.pitch, note.velocity))
        played = [note for struck in keys.values() for note in struck]
        if not played:
            continue
        length = max(
            song.tempo_map.quarter(song.original.duration), *(note.start + note.length for note in played)
        )
        name, colour = f"{part.capitalize()} MIDI", _colour(part)
        clip = midi_clip(played, name, colour, length, scale, ruler)
        yield Track(name, colour, (clip,), midi=True)
    if bent:
        notes.append(f"notes that bend keep their pitch in the set: {bent}")


def _colour(part: str) -> int:
    return _COLOURS.get(_kind(part), _GREY)


def _kind(part: str) -> str:
    """Its last word: backing vocals are vocals."""
    return part.rsplit(" ", maxsplit=1)[-1]


def _scale(key: str | None) -> tuple[int, bool] | None:
    found = _KEY.fullmatch(key or "")
    if found is None:
        return None
    letter, accidental, minor = found.groups()
    return (_LETTERS[letter] + {"": 0, "#": 1, "b": -1}[accidental]) % 12, not minor
