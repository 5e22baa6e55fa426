"""DAWproject 1.0, the exchange format that Bitwig Studio, Studio One and Cubase open: project.xml, metadata.xml and
the sound in one ZIP, by the format's reference and Project.xsd (bitwig/dawproject).

Tempi hold from one change of the song's tempo map to the next, and clips of sound have warps on the tracked beats:
at the project's own tempi the sound plays as it is, at others beat by beat with the project.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resonate_resources.exporting.names import safe_name
from resonate_resources.exporting.song import Song
from resonate_resources.recipe import Product
from resonate_resources.recordings.midi import DRUM_CHANNEL, Note, read_notes
from resonate_resources.recordings.recording import AudioError, Progress, Recording
from resonate_resources.recordings.tempo_map import TICKS_PER_BEAT

_COLOURS = {"vocals": "#e5739f", "drums": "#5bb974", "bass": "#5b8def", "other": "#f2a65a"}
_GREY = "#9aa0a6"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2: Char
_CHUNK_BYTES = 1 << 20
_ZIP64_BYTES = 1 << 31  # more than this in one file needs what older programs can't read

_Element = Any  # lxml's, which has no types


@dataclass(frozen=True)
class _Sound:
    """A track of sound. path: in the ZIP."""

    name: str
    colour: str
    recording: Recording
    path: str


@dataclass(frozen=True)
class _Played:
    """A track of notes."""

    name: str
    colour: str
    notes: Sequence[Note]
    channel: int


class DawProject:
    """One file, `{Artist} - {Title}.dawproject`: the stems in a group, the master muted beside it, and their notes.

    Where no beats are known it counts in seconds, and nothing is warped."""

    def write(self, song: Song, into: Path, progress: Progress) -> Product:
        """Raises AudioError."""
        from lxml import etree

        stems = [_sound(number, name, stem) for number, (name, stem) in enumerate(song.stems.items(), 1)]
        master = _sound(len(stems) + 1, "master", song.master)
        played = [
            _Played(
                f"{_spoken(stem)} (MIDI)",
                _COLOURS.get(stem, _GREY),
                notes,
                DRUM_CHANNEL if stem == "drums" else 0,
            )
            for stem, path in song.notes.items()
            if (notes := read_notes(path))
        ]
        warps = _warps(song)
        documents = {
            "metadata.xml": _metadata(song, etree.Element("MetaData")),
            "project.xml": _project(
                song, stems, master, played, warps, etree.Element("Project", version="1.0")
            ),
        }
        texts = {
            name: etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
            for name, root in documents.items()
        }
        called = " - ".join(word for word in (song.tags.artist, song.tags.title or "Untitled") if word)
        path = into / f"{safe_name(called) or 'Untitled'}.dawproject"
        _zip(path, texts, [*stems, master], progress)
        return Product(
            {path.name: path},
            {
                "warp_markers": len(warps),
                "tempo_changes": len(song.tempo_map.anchors) - 1,
                "notes": sum(len(each.notes) for each in played),
            },
            tuple(_notes(song, played, warps, path)),
        )


def _sound(number: int, name: str, recording: Recording) -> _Sound:
    # Numbered, as names may be alike once they are safe, or differ in case alone.
    path = f"audio/{number} {safe_name(_spoken(name))}{recording.path.suffix}"
    return _Sound(_spoken(name), _COLOURS.get(name, _GREY), recording, path)


def _spoken(name: str) -> str:
    return name[:1].upper() + name[1:]


def _warps(song: Song) -> list[tuple[float, float]]:
    """(quarter notes, seconds), both rising: the start, every beat, the end; none without two beats."""
    beats = [beat.second for beat in song.beats()]
    if len(beats) < 2:
        return []
    ends = song.original.duration
    seconds = [0.0, *(second for second in beats if 0 < second < ends), ends]
    # Not `Beat.quarter`: it is rounded to ticks, and the sound would be stretched a little from beat to beat.
    return [(song.tempo_map.quarter(second), second) for second in seconds]


def _project(
    song: Song,
    stems: Sequence[_Sound],
    master: _Sound,
    played: Sequence[_Played],
    warps: Sequence[tuple[float, float]],
    project: _Element,
) -> _Element:
    """Elements stand in the order of the schema."""
    from importlib.metadata import version

    _add(project, "Application", name="Resonate", version=version("resonate-studio"))
    tempi, signatures = _transport(song, project)
    structure = _add(project, "Structure")
    unit = "beats" if warps else "seconds"
    arrangement = _add(project, "Arrangement", id="arrangement")
    lanes = _add(arrangement, "Lanes", timeUnit=unit, id="lanes")

    if stems:
        group = _track(structure, "group", "Stems", _GREY, "tracks", role="submix")
        for number, stem in enumerate(stems, 1):
            _track(group, f"stem{number}", stem.name, stem.colour, "audio", "group", stem.recording.channels)
            _clip_of_sound(_clip(lanes, f"stem{number}", stem.name, song, unit), stem, warps)
    _track(
        structure,
        "mastered",
        master.name,
        master.colour,
        "audio",
        channels=master.recording.channels,
        mute=True,
    )
    _clip_of_sound(_clip(lanes, "mastered", master.name, song, unit), master, warps)
    for number, each in enumerate(played, 1):
        _track(structure, f"notes{number}", each.name, each.colour, "notes")
        _clip_of_notes(_clip(lanes, f"notes{number}", each.name, song, unit), each, song, unit)
    _track(structure, "output", "Output", _GREY, "audio notes", None, role="master")

    if song.sections:
        markers = _add(arrangement, "Markers", timeUnit=unit, id="markers")
        for section in song.sections:
            _add(markers, "Marker", time=_place(song, section.start_s, unit), name=section.name)
    if len(tempi) > 1:
        points = _points(arrangement, "TempoAutomation", "tempo", unit="bpm")
        for at, tempo in tempi:
            _add(points, "RealPoint", time=at, value=tempo, interpolation="hold")
    if len(signatures) > 1:
        points = _points(arrangement, "TimeSignatureAutomation", "signature")
        for at, numerator, denominator in signatures:
            _add(points, "TimeSignaturePoint", time=at, numerator=numerator, denominator=denominator)
    return project


def _transport(
    song: Song, project: _Element
) -> tuple[list[tuple[float, float]], list[tuple[float, int, int]]]:
    """Tempo and time signature at the start, where they are known, and all that they become: (quarter notes, BPM),
    (quarter notes, numerator, denominator)."""
    known = song.tempo_map.anchors if song.tempo_map.known else ()
    tempi = [(anchor.tick / TICKS_PER_BEAT, 6e7 / anchor.tempo) for anchor in known]
    signatures = [(at / TICKS_PER_BEAT, upper, lower) for at, upper, lower in song.tempo_map.signatures]
    if tempi or signatures:
        transport = _add(project, "Transport")
        if tempi:
            _add(transport, "Tempo", unit="bpm", value=tempi[0][1], id="tempo", name="Tempo")
        if signatures:
            _, numerator, denominator = signatures[0]
            _add(transport, "TimeSignature", numerator=numerator, denominator=denominator, id="signature")
    return tempi, signatures


def _track(
    parent: _Element,
    track: str,
    name: str,
    colour: str,
    content: str,
    into: str | None = "output",
    channels: int = 2,
    role: str = "regular",
    mute: bool = False,
) -> _Element:
    """track, into: ids, of this track and of the one that its channel goes to."""
    made = _add(parent, "Track", contentType=content, loaded=True, id=track, name=name, color=colour)
    channel = _add(
        made,
        "Channel",
        audioChannels=channels,
        destination=into and f"{into}-channel",
        role=role,
        solo=False,
        id=f"{track}-channel",
    )
    # Units and ranges as Bitwig writes them: a factor of 1 is 0 dB, 0.5 the middle.
    _add(channel, "Mute", value=mute, id=f"{track}-mute", name="Mute")
    _add(channel, "Pan", unit="normalized", min=0.0, max=1.0, value=0.5, id=f"{track}-pan", name="Pan")
    _add(channel, "Volume", unit="linear", min=0.0, max=2.0, value=1.0, id=f"{track}-volume", name="Volume")
    return made


def _clip(lanes: _Element, track: str, name: str, song: Song, unit: str) -> _Element:
    """A clip as long as the song."""
    lane = _add(lanes, "Lanes", track=track, id=f"{track}-lanes")
    return _add(
        _add(lane, "Clips", id=f"{track}-clips"),
        "Clip",
        time=0.0,
        duration=_place(song, song.original.duration, unit),
        contentTimeUnit=unit,
        playStart=0.0,
        name=name,
    )


def _clip_of_sound(clip: _Element, sound: _Sound, warps: Sequence[tuple[float, float]]) -> None:
    within = _add(clip, "Warps", timeUnit="beats", contentTimeUnit="seconds") if warps else clip
    audio = _add(
        within,
        "Audio",
        timeUnit="seconds",
        channels=sound.recording.channels,
        duration=sound.recording.duration,
        sampleRate=sound.recording.sample_rate,
        algorithm="stretch" if warps else None,
    )
    _add(audio, "File", path=sound.path)
    for quarter, second in warps:
        _add(within, "Warp", time=quarter, contentTime=second)


def _clip_of_notes(clip: _Element, played: _Played, song: Song, unit: str) -> None:
    notes = _add(clip, "Notes")
    for note in played.notes:
        begins = _place(song, note.onset_s, unit)
        _add(
            notes,
            "Note",
            time=begins,
            duration=_place(song, note.offset_s, unit) - begins,
            channel=played.channel,
            key=note.pitch,
            vel=note.velocity / 127,
        )


def _points(arrangement: _Element, tag: str, parameter: str, unit: str | None = None) -> _Element:
    points = _add(arrangement, tag, timeUnit="beats", unit=unit, id=f"{parameter}-automation")
    _add(points, "Target", parameter=parameter)
    return points


def _place(song: Song, second: float, unit: str) -> float:
    return song.tempo_map.quarter(second) if unit == "beats" else second


def _metadata(song: Song, root: _Element) -> _Element:
    """Elements stand in the order of MetaData.xsd."""
    keys = ", then ".join(f"{known.key} from {known.start_s:.1f} s on" for known in song.keys)
    made = song.provenance and song.provenance.sentence()
    comment = ". ".join(word for word in (song.tags.comment, keys and f"Key: {keys}", made) if word)
    for tag, text in (
        ("Title", song.tags.title),
        ("Artist", song.tags.artist),
        ("Album", song.tags.album),
        ("Composer", song.tags.composer),
        ("Year", song.tags.date and song.tags.date[:4]),
        ("Genre", song.tags.genre),
        ("Copyright", song.tags.copyright),
        ("Comment", comment),
    ):
        if text:
            _add(root, tag).text = _text(text)
    return root


def _notes(
    song: Song, played: Sequence[_Played], warps: Sequence[tuple[float, float]], path: Path
) -> Iterator[str]:
    if not warps:
        yield "no beats are known: the project counts in seconds, and nothing is warped"
    if not song.tempo_map.known:
        yield "no tempo is known: the program's own is left as it is"
    if song.keys:
        yield "the format has no place for a key: it stands in the project's comment"
    if bent := sum(bool(note.bends) for each in played for note in each.notes):
        yield f"notes that bend in the MIDI files and are straight here: {bent}"
    if path.stat().st_size > _ZIP64_BYTES:
        yield "over 2 GB: a program that does not read ZIP64 cannot open it"


def _zip(path: Path, texts: dict[str, bytes], sounds: Sequence[_Sound], progress: Progress) -> None:
    """Sound is stored as it is: deflating float samples takes long and saves little. No entry has a time, so that
    the same song makes the same bytes."""
    try:
        sizes = {sound.path: sound.recording.path.stat().st_size for sound in sounds}
        done, whole = 0, sum(sizes.values())
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in texts.items():
                archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
            for sound in sounds:
                entry = zipfile.ZipInfo(sound.path)
                wide = sizes[sound.path] >= _ZIP64_BYTES
                with (
                    sound.recording.path.open("rb") as source,
                    archive.open(entry, "w", force_zip64=wide) as sink,
                ):
                    while chunk := source.read(_CHUNK_BYTES):
                        sink.write(chunk)
                        done += len(chunk)
                        progress(done / whole)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise AudioError(f"{path.name}: cannot be written ({error}); mend that and try again") from error


def _add(parent: _Element, tag: str, **told: str | float | bool | None) -> _Element:
    """A child with these attributes, those left out that are None."""
    child = parent.makeelement(tag, {name: _text(value) for name, value in told.items() if value is not None})
    parent.append(child)
    return child


def _text(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.9f}" if isinstance(value, float) else _NO_XML.sub("", str(value))
