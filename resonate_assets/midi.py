"""midi: one MIDI file per stem, in the track's tempo."""

import dagster as dg

from resonate_assets.stage import produce, track_asset, versions
from resonate_resources.profiling.profile import Profile
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource
from resonate_resources.transcription.resource import CODE_VERSION, TranscriptionResource

MIDI_TEMPO_BPM = 120.0
"""What a MIDI file without a tempo means (Standard MIDI Files 1.0): for tracks whose tempo is unknown."""


@track_asset(code_version=CODE_VERSION, kinds={"midi"})
def midi(
    context: dg.AssetExecutionContext,
    stems: Artefact,
    profile: Artefact,
    storage: StorageResource,
    transcription: TranscriptionResource,
) -> dg.MaterializeResult[Artefact]:
    """Notes of the pitched stems, and General MIDI drums."""
    tempo_bpm = Profile.read(profile.path("profile.json")).tempo_bpm or MIDI_TEMPO_BPM
    return produce(
        context,
        storage,
        transcription.engine(),
        versions(stems=stems, profile=profile),
        lambda into, progress: transcription.transcribe(stems.stems(), tempo_bpm, into, progress),
    )
