"""mix_plan: what is done to each stem in the mix, and why not more."""

import dagster as dg

from resonate_assets.brief import asked_of
from resonate_assets.stage import code_of, one_line_errors, produce, track_asset
from resonate_resources.capabilities import Mixing
from resonate_resources.ingestion.ingest import TRACK
from resonate_resources.mixing import resource
from resonate_resources.mixing.holdings import Worth
from resonate_resources.mixing.material import TrackFacts
from resonate_resources.separation.resource import QUALITY
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource


@track_asset(code_version=code_of(resource.__name__, resource.CODE_VERSION), kinds={"json"})
def mix_plan(
    context: dg.AssetExecutionContext,
    brief: Artefact,
    restored_track: Artefact,
    profile: Artefact,
    stems: Artefact,
    restored_stems: Artefact,
    storage: StorageResource,
    mixing: dg.ResourceParam[Mixing],
) -> dg.MaterializeResult[Artefact]:
    """Gains of the stems: what was wished, and how much of it they are worth."""
    wanted = asked_of(brief).mixing
    if wanted.balance == "reference":
        with one_line_errors():
            wanted = wanted.model_copy(update={"reference": storage.at_hand(wanted.reference)})
    heard = profile.read_json("profile.json")
    facts = {name: heard[name] for name in ("bandwidth_hz", "octaves_db", "snr_db", "correlation")}
    facts["plr_db"] = heard["loudness"]["plr_db"]
    if wanted.balance == "reference":  # nothing else asks for them
        facts["sections"] = [(section["start_s"], section["end_s"]) for section in heard["sections"]]
    if wanted.balance == "master-only":
        parts, worth, read = {"track": restored_track.recording(TRACK)}, {}, restored_track.files(TRACK)
    else:
        parts, read = restored_stems.stems(), restored_stems.files(*restored_stems.stem_files)
        worth = {
            name: [Worth.of(window) for window in each["windows"]]
            for name, each in stems.read_json(QUALITY)["quality"].items()
        }
    with one_line_errors():
        recipe = mixing.plan_recipe(wanted)
    return produce(
        context,
        storage,
        recipe,
        [brief.reading({}), profile.reading(facts), stems.files(QUALITY), read],
        lambda into, progress: mixing.plan(parts, worth, TrackFacts(**facts), wanted, into, progress),
    )
