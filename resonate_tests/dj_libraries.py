"""Crates and collections as DJ programs have them, written by the peers serato-tools and pyrekordbox."""

from __future__ import annotations

from pathlib import Path

from pyrekordbox.rbxml import RekordboxXml
from serato_tools.crate import Crate


def put_crate(folder: Path, name: str, *files: Path) -> Path:
    """A crate in a `_Serato_` folder there, whose paths count from the root."""
    path = folder / "_Serato_" / "Subcrates" / f"{name}.crate"
    path.parent.mkdir(parents=True, exist_ok=True)
    crate = Crate(str(path))
    crate.data = [("vrsn", "1.0/Serato ScratchLive Crate")]
    for file in files:
        crate.add_track(str(file).lstrip("/"))
    crate.save()
    return path


def put_collection(path: Path, playlist: str, *files: Path) -> Path:
    """A collection of rekordbox, with a playlist of all its tracks."""
    xml = RekordboxXml(name="rekordbox", version="6.7.4", company="AlphaTheta")
    listed = xml.add_playlist(playlist)
    for number, file in enumerate(files, 1):
        xml.add_track(str(file), TrackID=number)
        listed.add_track(number)
    xml.save(str(path))
    return path
