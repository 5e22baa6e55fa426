"""rekordbox: a collection in its XML, with a beat grid, cues at sections and the key of every song, and playlists.

By Pioneer's "rekordbox XML format list" (2020). rekordbox reads the file where its preferences name it, and its
players get what it then exports to a USB stick.
"""

# mypy: disable-error-code="no-untyped-call"
# pyrekordbox is typed in part only.

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any

from resonate_resources.exporting.decks import as_flac, owners_file, what_to_check
from resonate_resources.exporting.song import Song
from resonate_resources.exporting.steady_runs import steady_runs
from resonate_resources.recipe import Product
from resonate_resources.recordings.decoding import printable_name
from resonate_resources.recordings.recording import AudioError, Progress

_WITHIN_S = 0.0009
"""Of a beat: with rounding, which this counts in, under 1 ms. rekordbox writes seconds with three decimals and BPM
with two; more may not be read."""
_KINDS = {
    ".mp3": "MP3 File", ".m4a": "M4A File", ".mp4": "M4A File", ".aac": "AAC File", ".wav": "WAV File",
    ".aif": "AIFF File", ".aiff": "AIFF File", ".flac": "FLAC File",
}  # fmt: skip
COLLECTION = "rekordbox.xml"
_HOT_CUES = 8  # A to H
_MEMORY_CUES = 10  # as many as players hold of a track
_SHARP = {
    "C#": "Db",
    "G#": "Ab",
    "D#": "Eb",
    "A#": "Bb",
    "Gb": "F#",
    "Cb": "B",
    "Fb": "E",
    "E#": "F",
    "B#": "C",
}
_KEY = re.compile(r"([A-G][#b]?)(m?)")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Rekordbox:
    """Writes `rekordbox.xml`, and FLAC where the file that came in is gone or of a kind that it does not read.

    at: the folder that rekordbox will find that FLAC in; None: where it is written.
    """

    at: Path | None = None

    def write(self, song: Song, into: Path, progress: Progress) -> Product:
        """A collection of this song. Raises AudioError."""
        return self.write_all([song], into, progress)

    def write_all(self, songs: Sequence[Song], into: Path, progress: Progress) -> Product:
        """One collection and playlist of several; each note after the names of its songs. Raises AudioError."""
        files: dict[str, Path] = {}
        played: dict[PurePath, Song] = {}
        notes: dict[str, list[str]] = {}
        for number, song in enumerate(songs, 1):
            told = owners_file(song, _KINDS)
            if told is None:
                own = into / song.track
                own.mkdir(exist_ok=True)
                made = as_flac(song, own)
                name = made.name
                if name in files:  # of another song of that name
                    name = f"{made.stem} {song.track.rpartition('-')[2]}{made.suffix}"
                files[name] = made.rename(into / name)
                told = (self.at or into.resolve()) / name
            played[told.absolute()] = song
            for note in (*what_to_check(song, told), *_left_out(song)):
                notes.setdefault(note, []).append(_named(song, told))
            progress(number / (len(songs) + 1))
        path = into / COLLECTION
        path.write_bytes(collection(played, {"Resonate": [*played]}))
        progress(1.0)
        told_of = (f"{', '.join(names)}: {note}" if len(songs) > 1 else note for note, names in notes.items())
        return Product({path.name: path, **files}, notes=tuple(told_of))


def collection(songs: Mapping[PurePath, Song], playlists: Mapping[str, Sequence[PurePath]]) -> bytes:
    """rekordbox XML 1.0.0. songs: absolute path of what is played → its song; playlists: name → of those paths.

    A grid follows every tracked beat within 1 ms. Sections are memory cues, the first eight hot cues, too. Raises
    AudioError for a path that the format can't hold.
    """
    with warnings.catch_warnings():  # at its import it has every DeprecationWarning of the process shown
        from pyrekordbox.rbxml import RekordboxXml

    xml = RekordboxXml(name="Resonate", version=version("resonate-studio"), company="")
    ids = {path: _add(xml, path, song) for path, song in songs.items()}
    for name, paths in playlists.items():
        playlist = xml.add_playlist(_text(name))
        for path in paths:
            playlist.add_track(ids[path])
    return str(xml.tostring()).encode()


def _add(xml: Any, path: PurePath, song: Song) -> int:
    track = xml.add_track(_location(path), **_told(path, song))
    for run in steady_runs(song, _WITHIN_S, rounded=True):
        track.add_tempo(run.second, run.bpm, f"{run.beats_a_bar}/{run.beat_note}", run.place)
    for number, section in enumerate(song.sections):
        mark = {"Name": _text(section.name), "Type": "cue", "Start": round(section.start_s, 3)}
        if number < _MEMORY_CUES:
            track.add_mark(**mark, Num=-1)
        if number < _HOT_CUES:
            track.add_mark(**mark, Num=number)
    return int(track.TrackID)


def _told(path: PurePath, song: Song) -> dict[str, str | int]:
    tags = song.tags
    runs = steady_runs(song, _WITHIN_S, rounded=True)
    bpm = tags.bpm or (
        sum(run.bpm * run.beats for run in runs) / sum(run.beats for run in runs) if runs else None
    )
    told: dict[str, str | int | None] = {
        "Name": tags.title, "Artist": tags.artist, "Composer": tags.composer, "Album": tags.album,
        "Genre": tags.genre, "Comments": tags.comment, "Kind": _KINDS.get(path.suffix.lower()),
        "TrackNumber": tags.track_number, "Year": tags.date[:4] if tags.date else None,
        "TotalTime": round(song.original.duration), "SampleRate": song.original.sample_rate,
        "AverageBpm": f"{bpm:.2f}" if bpm else None, "Tonality": tonality(tags.key),
    }  # fmt: skip
    return {
        key: _text(value) if isinstance(value, str) else value
        for key, value in told.items()
        if value is not None
    }


def tonality(key: str | None) -> str | None:
    """A key as ID3 has it (`C#m`) in rekordbox's spelling (`Dbm`); None for what is none."""
    known = _KEY.fullmatch(key or "")
    return _SHARP.get(known[1], known[1]) + known[2] if known else None


def _named(song: Song, path: PurePath) -> str:
    name = " – ".join(part for part in (song.tags.artist, song.tags.title) if part)
    return printable_name(name or path.name)


def _location(path: PurePath) -> str:
    """pyrekordbox puts `file://localhost/` before it, and takes every backslash for Windows'."""
    text = path.as_posix()
    if "\\" in text or _NOT_IN_XML.search(text):
        raise AudioError(f"{printable_name(path.name)}: its path can't stand in rekordbox's XML; rename it")
    return text.removeprefix("/")


def _text(text: str) -> str:
    return _NOT_IN_XML.sub("", text)


def _left_out(song: Song) -> list[str]:
    notes = []
    if song.tags.key and not tonality(song.tags.key):
        notes.append(f"{song.tags.key!r} is no key that rekordbox has: it goes out without one")
    if len(song.sections) > _HOT_CUES:
        notes.append(
            f"of {len(song.sections)} sections the first {_HOT_CUES} have hot cues, the first {_MEMORY_CUES} "
            "memory cues: a track holds no more"
        )
    return notes
