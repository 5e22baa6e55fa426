"""Targets by their names in the brief."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from resonate_resources.exporting import (
    archive,
    dawproject,
    mirrored,
    multitrack_midi,
    ni_stems,
    rekordbox,
    serato,
    sfz,
)
from resonate_resources.exporting.ableton import target as ableton
from resonate_resources.exporting.brief import ExportsBrief, TargetName
from resonate_resources.exporting.sfz import InstrumentMaker
from resonate_resources.exporting.song import Target
from resonate_resources.recipe import Json

CODE_VERSION = "2"
"""Raised when what a target writes changes in a way that no constant shows."""
MODULES: Mapping[TargetName, ModuleType] = {
    "ableton": ableton,
    "dawproject": dawproject,
    "ni_stems": ni_stems,
    "rekordbox": rekordbox,
    "serato": serato,
    "multitrack_midi": multitrack_midi,
    "archive": archive,
    "mirrored": mirrored,
    "sfz": sfz,
}
"""Target → the code that writes it."""
FOLDERS: Mapping[TargetName, str] = {
    "ableton": "Ableton Live/",
    "rekordbox": "rekordbox/",
    "serato": "Serato/",
    "multitrack_midi": "midi/",
}
"""Target → where its files stand in a track's folder; others stand at its top."""
MIRRORED = "mirrored"
"""Where the mirrored library is in the store: a tree for all tracks, beside their folders."""
IN_PLACE: frozenset[TargetName] = frozenset({"rekordbox", "serato"})
"""Targets that tell a program where sound lies: of no use in a bucket."""
OF_REBUILT: frozenset[TargetName] = frozenset({"sfz"})
"""Targets that want to know what rebuilt stems are played by."""


def target_of(
    name: TargetName, wanted: ExportsBrief, at: Path, library: Path, maker: InstrumentMaker
) -> Target:
    """at: the folder in which programs will find what is written. library: the folder whose structure is
    mirrored. maker: of instruments."""
    targets: dict[TargetName, Target] = {
        "ableton": ableton.AbletonLive(),
        "dawproject": dawproject.DawProject(),
        "ni_stems": ni_stems.NiStems(wanted.ni_stems_codec),
        "rekordbox": rekordbox.Rekordbox(at),
        "serato": serato.Serato(at),
        "multitrack_midi": multitrack_midi.MultitrackMidi(),
        "archive": archive.Archive(wanted.sound),
        "mirrored": mirrored.Mirrored(library, wanted.sound),
        "sfz": sfz.SfzInstruments(maker),
    }
    return targets[name]


def settings_of(name: TargetName, wanted: ExportsBrief, at: Path, library: Path) -> dict[str, Json]:
    """What of the above its files depend on, for a recipe."""
    if name in IN_PLACE:
        return {"at": str(at)}
    if name == "ni_stems":
        return {"codec": wanted.ni_stems_codec}
    if name in ("archive", "mirrored"):
        sound: dict[str, Json] = {"format": wanted.sound.form, "bits": wanted.sound.bits}
        sound["sample_rate"] = wanted.sound.sample_rate
        return {**sound, "library": str(library)} if name == "mirrored" else sound
    return {}
