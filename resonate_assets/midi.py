"""midi: one MIDI file per stem, in the track's tempo."""

import dagster as dg

from resonate_assets.stage import code_of, produce, track_asset
from resonate_resources.capabilities import Transcription
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource
from resonate_resources.transcription import resource


@track_asset(code_version=code_of(resource.__name__, resource.CODE_VERSION), kinds={"midi"})
def midi(
    context: dg.AssetExecutionContext,
    stems: Artefact,
    profile: Artefact,
    storage: StorageResource,
    transcription: dg.ResourceParam[Transcription],
) -> dg.MaterializeResult[Artefact]:
    """One MIDI file a stem: notes of the pitched ones, and General MIDI drums."""
    tempo_bpm: float | None = profile.read_json("profile.json")["tempo_bpm"]
    return produce(
        context,
        storage,
        transcription.recipe(),
        [stems.files(*stems.stem_files), profile.reading({"tempo_bpm": tempo_bpm})],
        lambda into, progress: transcription.transcribe(stems.stems(), tempo_bpm, into, progress),
    )
