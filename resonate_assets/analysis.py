"""analysis: the music as its stems tell it: chords, form, arrangement, pumping, envelopes."""

import dagster as dg

from resonate_assets.stage import code_of, one_line_errors, produce, track_asset
from resonate_resources.analysis import resource
from resonate_resources.analysis.resource import Grid
from resonate_resources.capabilities import Analysing
from resonate_resources.ingestion.ingest import TRACK
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=code_of(resource.__name__, resource.CODE_VERSION), kinds={"json", "parquet"})
def analysis(
    context: dg.AssetExecutionContext,
    restored_track: Artefact,
    profile: Artefact,
    stems: Artefact,
    storage: StorageResource,
    analysing: dg.ResourceParam[Analysing],
) -> dg.MaterializeResult[Artefact]:
    """Chords on beats, sections, and bar by bar who plays; how stems pump, begin and end."""
    heard = profile.read_json("profile.json")
    facts = {name: heard[name] for name in ("beats_s", "downbeats_s", "keys", "tuning_cents")}
    if any(section.get("name") for section in heard["sections"]):  # by the plan of the track
        facts["sections"] = heard["sections"]
    with one_line_errors():
        recipe = analysing.recipe()
    return produce(
        context,
        storage,
        recipe,
        [restored_track.files(TRACK), profile.reading(facts), stems.files(*stems.stem_files)],
        lambda into, progress: analysing.analyse(
            restored_track.recording(TRACK), stems.stems(), Grid.of(facts), into, progress
        ),
    )
