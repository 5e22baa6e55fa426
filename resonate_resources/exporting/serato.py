"""Serato: a copy of the file with a beat grid, cues at sections and levels in it, and a crate that names it.

What a DJ has set in Serato stays: cues, loops, a locked grid, a gain, and the crate's other tracks.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from resonate_resources.exporting.decks import as_flac, owners_file, what_to_check
from resonate_resources.exporting.serato_tags import (
    AUTOTAGS,
    BEAT_GRID,
    EMPTY,
    KINDS,
    MARKERS,
    MARKERS_2,
    Cue,
    Entry,
    autotags,
    beat_grid,
    cue_entry,
    cue_of,
    entries_of,
    has_first_cues,
    levels_in,
    markers_2,
    read_blobs,
    write_blobs,
)
from resonate_resources.exporting.song import Marker, Song
from resonate_resources.exporting.steady_runs import Run, steady_runs
from resonate_resources.recipe import Product
from resonate_resources.recordings.decoding import printable_name
from resonate_resources.recordings.playback_gain import REPLAY_GAIN_LUFS
from resonate_resources.recordings.recording import Progress
from resonate_resources.recordings.serato_crate import (
    FOLDER,
    SUBCRATES,
    SUFFIX,
    drive_of,
    path_on,
    with_tracks,
)
from resonate_resources.signal.loudness import measure_loudness

CRATE = f"{FOLDER}/{SUBCRATES}/Resonate{SUFFIX}"
_WITHIN_S = 0.0005
_BEATS_A_BAR = 4  # Serato's grid knows no other bar, and begins one with each marker
_CUES = 8
_IN_MARKERS = 5  # the first ones, see MARKERS
_SAME_MS = 30  # a cue so near to one that is there is that one
# Holzhaus, "Serato Tags", docs/colors.md: of the first eight cues, in that order
_COLOURS = (0xCC0000, 0xCC8800, 0x0000CC, 0xCCCC00, 0x00CC00, 0xCC00CC, 0x00CCCC, 0x8800CC)


@dataclass(frozen=True)
class Serato:
    """Writes a copy of the file that came in, or FLAC where it is gone or of a kind that holds no tags of Serato's,
    and `_Serato_/Subcrates/Resonate.crate`.

    at: the folder that Serato will find both in; None: where they are written. A crate that is there is added to.
    """

    at: Path | None = None

    def write(self, song: Song, into: Path, progress: Progress) -> Product:
        """Raises AudioError."""
        source = owners_file(song, KINDS)
        if source is None:
            copy = as_flac(song, into)
        else:
            copy = into / source.name
            shutil.copyfile(source, copy)
        progress(0.5)
        notes = [*what_to_check(song, copy), *tag_for_serato(copy, song)]
        progress(0.9)
        files = {copy.name: copy}
        at = self.at or into.resolve()
        crate = into / CRATE
        try:
            known = (at / CRATE).read_bytes() if (at / CRATE).exists() else None
            content = with_tracks(known, [path_on(drive_of(at / copy.name), at / copy.name)])
        except ValueError as error:
            notes.append(f"{CRATE} stays as it is ({error}): add {printable_name(copy.name)} to it in Serato")
        else:
            crate.parent.mkdir(parents=True, exist_ok=True)
            crate.write_bytes(content)
            files[CRATE] = crate
        progress(1.0)
        return Product(files, notes=tuple(notes))


def tag_for_serato(path: Path, song: Song) -> list[str]:
    """Write a song's grid, cues and levels into a file that plays it; gives notes of what was there, one line each.

    A grid follows every tracked beat within 1 ms. Raises AudioError.
    """
    there = read_blobs(path)
    runs = steady_runs(song, _WITHIN_S, bars_of=_BEATS_A_BAR)
    notes: list[str] = []
    blobs: dict[str, bytes] = {}
    gone: list[str] = []
    try:
        entries = entries_of(there[MARKERS_2]) if MARKERS_2 in there else list(EMPTY)
        free = _free(entries, there.get(MARKERS), path)
    except ValueError as error:
        notes.append(f"cues that Serato left in the file can't be read ({error}): they stay as they are")
        entries, free = [], []
    else:
        if MARKERS in there and 0 in free:
            gone.append(MARKERS)
        found, told = _with_cues(entries, song.sections, free)
        notes.extend(told)
        blobs[MARKERS_2] = markers_2(found)
    if runs and ("BPMLOCK", b"\x01") in entries:
        notes.append("its beat grid is locked in Serato, and stays")
    elif runs:
        if BEAT_GRID in there:
            notes.append("the beat grid that Serato had made gives way to the one tracked here")
        blobs[BEAT_GRID] = beat_grid(runs)
        blobs[AUTOTAGS] = _autotags(song, runs, there.get(AUTOTAGS))
    write_blobs(path, blobs, gone)
    return notes


def _free(entries: Sequence[Entry], markers: bytes | None, path: Path) -> list[int]:
    """The places that no cue is on; raises ValueError."""
    taken = {cue.index for cue in map(cue_of, entries) if cue}
    in_id3 = path.suffix.lower() not in (".m4a", ".mp4")
    if markers is not None and (taken & set(range(_IN_MARKERS)) or not in_id3 or has_first_cues(markers)):
        taken |= set(range(_IN_MARKERS))
    return [index for index in range(_CUES) if index not in taken]


def _with_cues(
    entries: Sequence[Entry], sections: Sequence[Marker], free: Sequence[int]
) -> tuple[list[Entry], list[str]]:
    """(entries with a cue at every section that there is room for, notes)."""
    cues = {cue.index: entry for entry in entries if (cue := cue_of(entry))}
    set_at = [cue.milliseconds for cue in map(cue_of, entries) if cue]
    colours = {
        name: _COLOURS[number % len(_COLOURS)]
        for number, name in enumerate(dict.fromkeys(section.name for section in sections))
    }
    wanted = [
        (milliseconds, section.name)
        for section in sections
        for milliseconds in [round(section.start_s * 1000)]
        if all(abs(milliseconds - there) > _SAME_MS for there in set_at)
    ]
    notes = [f"{len(cues)} of its cues were set in Serato, and stay"] if cues else []
    if len(wanted) > len(free):
        notes.append(f"of {len(wanted)} sections the first {len(free)} have a cue: Serato holds {_CUES}")
    for index, (milliseconds, name) in zip(free, wanted, strict=False):
        cues[index] = cue_entry(Cue(index, milliseconds, colours[name], name))
    others = [entry for entry in entries if not cue_of(entry)]
    first = [entry for entry in others if entry[0] == "COLOR"]
    return [*first, *(cues[index] for index in sorted(cues)), *(e for e in others if e[0] != "COLOR")], notes


def _autotags(song: Song, runs: Sequence[Run], there: bytes | None) -> bytes:
    """Levels that Serato has measured and a person has set stay. Ours is the gain to ReplayGain's loudness: Serato
    does not tell what its own counts from."""
    beats = sum(run.beats for run in runs)
    bpm = song.tags.bpm or sum(run.bpm * run.beats for run in runs) / beats
    if there is not None:
        try:
            return autotags(bpm, *levels_in(there))
        except ValueError:
            pass  # broken: measured anew
    loudness = measure_loudness(song.original).integrated_lufs
    return autotags(bpm, REPLAY_GAIN_LUFS - loudness if math.isfinite(loudness) else 0.0, 0.0)
