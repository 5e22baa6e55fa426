"""A song's instruments as SFZ, for samplers, with the notes that they play."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from resonate_resources.exporting.names import safe_name
from resonate_resources.exporting.song import Song
from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import Progress, Stems
from resonate_resources.recordings.tempo_map import TempoMap


class InstrumentMaker(Protocol):
    """Cuts instruments out of stems."""

    def instruments(
        self,
        midi: Mapping[str, Path],
        stems: Stems,
        tempo: TempoMap,
        rebuilt: Mapping[str, Any],
        about: str,
        into: Path,
        progress: Progress,
    ) -> Product: ...


@dataclass(frozen=True)
class SfzInstruments:
    """maker: by whom instruments are made, which exporting does not do. rebuilt: see `Song.rebuilt`."""

    maker: InstrumentMaker

    def write(self, song: Song, into: Path, progress: Progress) -> Product:
        """See `Target`. All in a folder of the song's name."""
        tags = song.tags
        named = " - ".join(word for word in (tags.artist, tags.title or "Untitled") if word)
        about = f"{named}: {song.provenance.sentence() if song.provenance else 'made by Resonate'}"
        made = self.maker.instruments(
            song.notes,
            {stem: song.stems[stem] for stem in song.notes},
            song.tempo_map,
            song.rebuilt,
            " ".join(about.split()),
            into,
            progress,
        )
        folder = f"{safe_name(named)} (Instruments)"
        return Product(
            {f"{folder}/{name}": path for name, path in made.files.items()}, made.measures, made.notes
        )
