"""restored_track: the track, mended as a whole before it is parted."""

import dagster as dg

from resonate_assets.origin import restoration_asked
from resonate_assets.stage import code_of, produce, track_asset
from resonate_resources.capabilities import Restoration
from resonate_resources.ingestion.ingest import TRACK
from resonate_resources.restoration import resource
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=code_of(resource.__name__, resource.CODE_VERSION), kinds={"audio"})
def restored_track(
    context: dg.AssetExecutionContext,
    brief: Artefact,
    raw_track: Artefact,
    profile: Artefact,
    storage: StorageResource,
    restoration: dg.ResourceParam[Restoration],
) -> dg.MaterializeResult[Artefact]:
    """The track without what damaged all of it: clipping, clicks, hum, hiss, a phone's colour. Where there is
    nothing to mend, it is the very track."""
    wanted = restoration_asked(brief, storage)
    heard = profile.read_json("profile.json")
    facts = {name: heard[name] for name in resource.FACTS}
    return produce(
        context,
        storage,
        restoration.recipe(wanted, "track"),
        [brief.reading({}), profile.reading(facts), raw_track.files(TRACK)],
        lambda into, progress: restoration.restore_track(
            raw_track.recording(TRACK), facts, wanted, into, progress
        ),
        lambda made: restoration.accepts(made, wanted, "track"),
    )
