"""The folder of a track: what goes into it, and what its metadata.json tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from resonate_resources.brief.brief import Brief
from resonate_resources.exporting.contents import contents, known_tags
from resonate_resources.exporting.folder import METADATA, Outgoing, metadata_json
from resonate_resources.exporting.metadata import facts_of
from resonate_resources.exporting.names import folder_name
from resonate_resources.exporting.provenance import provenance_of
from resonate_resources.ingestion.ingest import kept_tags
from resonate_resources.recipe import Json
from resonate_resources.recordings.recording import file_sha256
from resonate_resources.recordings.tags import Tags
from resonate_resources.storage.artefacts import Artefact, Artefacts
from resonate_resources.storage.sources import Source


@dataclass(frozen=True)
class TrackFolder:
    """name: of the folder. files: name in it → what goes there. facts: of metadata.json, but for its files."""

    name: str
    files: Mapping[str, Outgoing]
    facts: Mapping[str, Json]

    def copied(self, into: Path) -> dict[str, Path]:
        """Name in the folder → file in `into`, an existing directory. Raises AudioError and OSError."""
        made = {}
        for number, (name, outgoing) in enumerate(self.files.items()):
            made[name] = into / f"{number}{Path(name).suffix}"
            outgoing.copy(made[name])
        digests = {name: file_sha256(path) for name, path in made.items()}
        made[METADATA] = into / METADATA
        made[METADATA].write_bytes(metadata_json(self.facts, self.files, digests))
        return made

    def notes(self) -> tuple[str, ...]:
        """What a form of sound could not hold, of what was copied."""
        conversions = dict.fromkeys(each.conversion for each in self.files.values() if each.conversion)
        return tuple(note for conversion in conversions for note in conversion.notes())


def folder_of_track(
    source: Source, wanted: Brief, made: Mapping[str, Artefact], artefacts: Artefacts
) -> TrackFolder:
    """made: stage → artefact, of all stages before; those without files are not told of."""
    anything = {
        stage: artefact for stage, artefact in made.items() if stage != "brief" and artefact.manifest.files
    }
    own, profile = kept_tags(made["raw_track"]), made["profile"].read_json("profile.json")
    tags = known_tags(own, wanted, profile, source.artist, source.title)
    files = contents(wanted, tags, anything, partial(_told, source, own, artefacts))
    going = {out.artefact.manifest.stage: out.artefact for out in files.values()}
    whole = provenance_of(source, own, [*going.values()], artefacts)
    return TrackFolder(
        folder_name(source.artist, source.title, source.sha256),
        files,
        facts_of(source, tags, wanted, anything, whole),
    )


def _told(source: Source, tags: Tags, artefacts: Artefacts, artefact: Artefact) -> Mapping[str, str]:
    return provenance_of(source, tags, [artefact], artefacts).tags()
