"""A reference's own instruments, cut out of its stems to play a piece in its style."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from resonate_assets.midi import midi
from resonate_assets.named_reference import NamedReference, current, versions_of
from resonate_assets.stems import stems
from resonate_resources.capabilities import Regeneration, Separation, Transcription
from resonate_resources.composition.sound.recorded_sounds import STEMS
from resonate_resources.recipe import Engine, Json, Product, Recipe
from resonate_resources.recordings.music import READ, Music
from resonate_resources.recordings.recording import Recording, Stems, silent
from resonate_resources.regeneration import instrument_export
from resonate_resources.separation.brief import SeparationBrief
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource
from resonate_resources.transcription.brief import TranscriptionBrief

InCores = Callable[[], AbstractContextManager[None]]
"""A place in the pool of what computes here."""
_STEMS, _MIDI = versions_of(stems), versions_of(midi)


@dataclass(frozen=True)
class StemsAndNotes:
    """What of a track of the library its instruments are cut by; None of what is to be made first."""

    stems: Artefact | None = None
    midi: Artefact | None = None

    @classmethod
    def of(cls, storage: StorageResource, reference: NamedReference) -> StemsAndNotes:
        """As far as they are current."""
        if isinstance(reference.at, Path):
            return cls()
        track = reference.at[0].manifest.track
        separated, written = (current(storage, track, stages) for stages in (_STEMS, _STEMS | _MIDI))
        return cls(separated[0] if separated else None, written[1] if written else None)

    def names(self) -> list[str]:
        """Of stems that are read: all, where their notes are to be heard."""
        found = [name.removesuffix(".wav") for name in self.stems.stem_files] if self.stems else []
        return found if self.midi is None else [name for name in found if name in STEMS]

    def notes(self) -> dict[str, Path] | None:
        """Stem → its MIDI."""
        if self.midi is None:
            return None
        return {name: self.midi.path(f"{name}.mid") for name in self.names() if self._written(name)}

    def values(self) -> dict[str, Json]:
        """File → SHA-256 of what is read of them."""
        read: dict[str, Json] = {}
        for name in self.names():
            assert self.stems is not None
            read[f"stems/{name}.wav"] = self.stems.manifest.files[f"{name}.wav"].sha256
            if self.midi and self._written(name):
                read[f"midi/{name}.mid"] = self.midi.manifest.files[f"{name}.mid"].sha256
        return read

    def _written(self, stem: str) -> bool:
        return self.midi is not None and f"{stem}.mid" in self.midi.note_files


@dataclass(frozen=True)
class SoundCutting:
    """Cuts a reference's instruments, by those who are chosen to."""

    separation: Separation
    transcription: Transcription
    regeneration: Regeneration

    def cut(
        self,
        recording: Recording,
        profile: Mapping[str, Any],
        name: str,
        made: StemsAndNotes,
        in_cores: InCores,
        into: Path,
    ) -> Product:
        """See `cut_sounds`. What is not made yet is separated, in places of its own, and transcribed; the recipe
        tells by what."""
        settings: dict[str, Json] = {}
        with TemporaryDirectory(dir=into.parent) as folder:
            if made.stems:
                found = {each: made.stems.recording(f"{each}.wav") for each in made.names()}
                by = "its stems"
            else:
                separated = self._separated(recording, Path(folder))
                found = _stems_in(separated)
                by = separated.engine.model or separated.engine.name if separated.engine else "separation"
                by = f"stems by {by}"
                settings["separation"] = separated.recipe.keyed() if separated.recipe else None
            with in_cores():
                notes = made.notes()
                if notes is None:
                    settings["transcription"] = self.transcription.recipe(TranscriptionBrief()).keyed()
                cut = cut_sounds(found, notes, profile, name, self.transcription, self.regeneration, into)
        told = f"sounds of {name}, cut out of {by}; whoever holds the rights in it holds them in these"
        recipe = Recipe.of(instrument_export.__name__, Engine("sampler"), settings)
        return Product(cut.files, notes=(*([told] if cut.files else []), *cut.notes), recipe=recipe)

    def _separated(self, recording: Recording, folder: Path) -> Product:
        megabytes = recording.path.stat().st_size / 1e6
        planned = self.separation.plan(recording, SeparationBrief(), megabytes=megabytes)
        return self.separation.separate(planned, folder, silent)


def _stems_in(separated: Product) -> Stems:
    return {
        name.removesuffix(".wav"): Recording.open(path)
        for name, path in separated.files.items()
        if name.endswith(".wav") and "/" not in name
    }


def cut_sounds(
    stems: Stems,
    notes: Mapping[str, Path] | None,
    profile: Mapping[str, Any],
    name: str,
    transcription: Transcription,
    regeneration: Regeneration,
    into: Path,
) -> Product:
    """Samplers in the empty folder `into`, as `RecordedSounds` reads them.

    notes: MIDI by stem; None: they are heard now. profile: as profile.json tells it. name: of the recording. Raises
    AudioError.
    """
    music = Music.of({field: profile.get(field) for field in READ})
    with TemporaryDirectory(dir=into.parent) as folder:
        if notes is None:
            heard = transcription.transcribe(stems, music, TranscriptionBrief(), Path(folder), silent).files
            notes = {stem: heard[f"{stem}.mid"] for stem in stems if f"{stem}.mid" in heard}
        playing: dict[str, Path] = {stem: path for stem, path in notes.items() if stem in STEMS}
        made = regeneration.instruments(playing, stems, music.tempo_map(), {}, name, into, silent)
    files = {file: path for file, path in made.files.items() if not file.endswith(".mid")}
    return Product(files, notes=made.notes)
