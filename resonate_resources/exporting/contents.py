"""Which files of a track go out, what they are called, and what is written into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from resonate_resources.brief.brief import Brief
from resonate_resources.exporting.conversion import Conversion
from resonate_resources.exporting.folder import Outgoing
from resonate_resources.exporting.label import Label, Level, part_of
from resonate_resources.exporting.names import file_name
from resonate_resources.exporting.targets import FOLDERS, MIRRORED
from resonate_resources.mastering.targets import label_and_form, measure_name
from resonate_resources.recordings.believed import believed_bpm, believed_key
from resonate_resources.recordings.recording import REBUILT
from resonate_resources.recordings.tags import Tags
from resonate_resources.storage.artefacts import Artefact

REMIX = "Remix/"
"""Folder of what is made for remixes, where anything is."""
_FOLDERS = {"unrestored_stems": "unrestored/", "regenerated_stems": "regenerated/"}
"""Part → folder of stems that are not those to go on with."""
SPOKEN = {"restored_stems": "", "stems": ", unrestored", "regenerated_stems": ", played anew"}
"""Stage of stems → what is added to a stem's name in that of its file."""
Told = Callable[[Artefact], Mapping[str, str]]
"""What tags of a file of an artefact are told beyond what is known of the music."""


def contents(wanted: Brief, tags: Tags, made: Mapping[str, Artefact], told: Told) -> dict[str, Outgoing]:
    """Name in the folder → file of an artefact. tags: what is known of the track, artist and title included.

    made: stage → artefact, of raw_track, restored_track, stems, restored_stems, master and midi; generated_track
    where that is asked for; remix and targets, where anything was made.
    """
    whole = Level(
        _measure(made["raw_track"], "loudness_lufs"), _measure(made["raw_track"], "sample_peak_dbfs")
    )
    files: dict[str, Outgoing] = {}

    def add(
        folder: str,
        artefact: Artefact,
        name: str,
        part: str,
        label: Label | None,
        conversion: Conversion | None = None,
    ) -> None:
        form = conversion.sound.form if conversion else PurePosixPath(name).suffix.lstrip(".")
        called = file_name(tags.artist, tags.title, part, form)
        label = label and replace(label, more=told(artefact))
        files[f"{folder}{called}"] = Outgoing(artefact, name, label, conversion)

    stems = {"stems": "restored_stems", "unrestored_stems": "stems", "regenerated_stems": "regenerated_stems"}
    for asked, stage in stems.items():
        if asked in wanted.exports.parts:
            artefact, exports = made[stage], wanted.exports
            names = [*artefact.stem_files, *({REBUILT} & artefact.manifest.files.keys())]
            conversion = None if exports.stems_as_they_are else Conversion(artefact, names, exports.sound)
            for name in names:
                part = stem_in_words(artefact, name)
                tagged = Label(part_of(tags, part), None, whole)
                add(_FOLDERS.get(asked, ""), artefact, name, part, tagged, conversion)
    if "master" in wanted.exports.parts:
        for name in made["master"].manifest.files:
            label, form = label_and_form(name)
            if form in wanted.mastering.formats:
                level = _level_of_master(made["master"], label, form)
                add(
                    "",
                    made["master"],
                    name,
                    f"Master, {label}" if label else "Master",
                    Label(tags, level, None),
                )
    mended = made["restored_track"]
    if "restored_track" in wanted.exports.parts and mended.manifest.measures["steps_kept"]:
        add("", mended, "track.wav", "Restored", Label(tags, None, whole))
    for name in made["generated_track"].stem_files if "generated_track" in wanted.exports.parts else ():
        part = f"{_spoken(name)}, {made['generated_track'].manifest.measures['label']}"
        add("generated/", made["generated_track"], name, part, Label(part_of(tags, part), None, whole))
    for name, part in _notes(made["midi"]) if "midi" in wanted.exports.parts else ():
        add("midi/", made["midi"], name, part, None)
    folders: dict[str, str] = {
        "remix": REMIX,
        **{str(target): FOLDERS.get(target, "") for target in wanted.exports.targets},
    }
    for stage, folder in folders.items():
        if stage in made and stage != MIRRORED:
            files |= {f"{folder}{name}": outgoing for name, outgoing in _written(made[stage]).items()}
    return files


def _notes(midi: Artefact) -> Iterator[tuple[str, str]]:
    """MIDI files in which there are notes, and what they are called."""
    for name in midi.manifest.files:
        if name.endswith(".mid") and midi.manifest.measures[f"{PurePosixPath(name).stem}_notes"]:
            yield name, f"{_spoken(name)}{', quantised' if '/' in name else ''}"


def mirrored_files(made: Mapping[str, Artefact]) -> dict[str, Outgoing]:
    """Name in the mirrored library → file of an artefact; none where none was made."""
    return _written(made[MIRRORED]) if MIRRORED in made else {}


def _written(target: Artefact) -> dict[str, Outgoing]:
    """Files of a target, which bring their own tags."""
    names = [name for name, stored in target.manifest.files.items() if not stored.report]
    return {name: Outgoing(target, name) for name in names}


def known_tags(
    kept: Tags, wanted: Brief, profile: Mapping[str, Any], artist: str | None, title: str | None
) -> Tags:
    """A track's tags with what was found out of it. What a person says of tempo and key counts most, then what the
    file says, where that can be meant, then the profile.

    artist, title: of the source, which has them from its name where tags are missing.
    """
    tempo = wanted.profile.tempo_bpm or believed_bpm(kept) or profile["tempo_bpm"]
    return replace(
        kept,
        artist=kept.artist or artist,
        title=kept.title or title,
        bpm=None if tempo is None else round(tempo, 2),
        key=wanted.profile.key or believed_key(kept) or _sure_key(profile),
    )


def stem_in_words(artefact: Artefact, name: str) -> str:
    """A stem's file, or that of the sum of rebuilt ones, as people call it: `Vocals, played anew`."""
    manifest = artefact.manifest
    if manifest.measures.get(f"{PurePosixPath(name).stem}_kept") is True:
        return f"{_spoken(name)}, kept"
    return f"{'Mix' if name == REBUILT else _spoken(name)}{SPOKEN[manifest.stage]}"


def _spoken(name: str) -> str:
    return PurePosixPath(name).stem.capitalize()


def _level_of_master(master: Artefact, label: str, form: str) -> Level:
    return Level(
        _measure(master, measure_name(label, form, "loudness_lufs")),
        _measure(master, measure_name(label, form, "true_peak_dbtp")),
    )


def _measure(artefact: Artefact, name: str) -> float:
    """A level; `-inf`, which JSON has no number for, is kept as text."""
    return float(artefact.manifest.measures[name])


_SURE = 0.5


def _sure_key(profile: Mapping[str, Any]) -> str | None:
    """What is guessed stays in the profile: in a tag nobody sees how sure it was."""
    sure = profile.get("key_confidence")
    key: str | None = profile["key"]
    return key if sure is None or sure >= _SURE else None
