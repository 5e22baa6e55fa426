"""regenerated_stems: the MIDI, played by instruments made from the track itself, or synthesised."""

from pathlib import Path

import dagster as dg

from resonate_assets.brief import asked_of
from resonate_assets.stage import code_of, one_line_errors, produce, track_asset
from resonate_resources.analysis.analysis import ANALYSIS
from resonate_resources.capabilities import Quality, Regeneration
from resonate_resources.ingestion.ingest import TRACK
from resonate_resources.quality.music import READ, Music
from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import Progress
from resonate_resources.regeneration import resource
from resonate_resources.regeneration.facts import Heard
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=code_of(resource.__name__, resource.CODE_VERSION), kinds={"faust"})
def regenerated_stems(
    context: dg.AssetExecutionContext,
    brief: Artefact,
    restored_track: Artefact,
    profile: Artefact,
    analysis: Artefact,
    midi: Artefact,
    stems: Artefact,
    storage: StorageResource,
    regeneration: dg.ResourceParam[Regeneration],
    quality: dg.ResourceParam[Quality],
) -> dg.MaterializeResult[Artefact]:
    """Stems played anew, of the originals' length, tone, level and width, bettered by rounds of quality control;
    those that the brief keeps are the originals."""
    wanted = asked_of(brief).regeneration
    known = profile.read_json("profile.json"), analysis.read_json(ANALYSIS)
    heard = Heard.model_validate({"profile": known[0], "analysis": known[1]})
    facts, chords = ({name: told[name] for name in names} for told, names in zip(known, READ, strict=True))
    notes = {name.removesuffix(".mid"): name for name in midi.note_files}
    reads = [
        brief.reading({}),
        profile.reading(facts | heard.profile.model_dump(mode="json")),
        analysis.reading(chords | heard.analysis.model_dump(mode="json")),
        midi.files(*notes.values()),
        stems.files(*stems.stem_files),
    ]
    with one_line_errors():
        recipes = [regeneration.recipe(wanted)]
    if wanted.rounds:
        recipes.append(quality.recipe())
        reads.append(restored_track.files(TRACK))

    def work(into: Path, progress: Progress) -> Product:
        judge = None
        if wanted.rounds:
            track, music = restored_track.recording(TRACK), Music.of(facts, chords)
            judge = quality.judge_of(track, music, stems.stems())
        played = {stem: midi.path(name) for stem, name in notes.items()}
        return regeneration.regenerate(played, stems.stems(), heard, wanted, into, judge, progress)

    return produce(context, storage, recipes, reads, work)
