"""Jobs: a track through all its stages in one run, and the library."""

from __future__ import annotations

import dagster as dg

from resonate_assets.partitions import tracks
from resonate_assets.runs import BEATS

ORIGIN = ("composition", "generated_stems")
"""What comes before the first stage of a track that begins with words; of one that begins with a file, nothing."""
STAGES = (
    "brief",
    "raw_track",
    "profile",
    "restored_track",
    "stems",
    "restored_stems",
    "analysis",
    "midi",
    "mix_plan",
    "mix",
    "master",
    "regenerated_stems",
    "qc_scores",
    "generated_track",
    "remix",
    "ableton",
    "dawproject",
    "ni_stems",
    "rekordbox",
    "serato",
    "multitrack_midi",
    "archive",
    "mirrored",
    "sfz",
    "exports",
)
"""The stages of a track, in an order in which they can be made."""

# One in-process run a track: a step in a process of its own costs 1.5 s and loads its models anew.
process_track = dg.define_asset_job(
    "process_track",
    selection=dg.AssetSelection.assets(*ORIGIN, *STAGES),
    partitions_def=tracks,
    executor_def=dg.in_process_executor,
    tags=BEATS,
    description="Makes everything of one track: stems, MIDI, master, exports. What is made already is found again.",
)

set_brief = dg.define_asset_job(
    "set_brief",
    selection=dg.AssetSelection.assets("brief"),
    partitions_def=tracks,
    executor_def=dg.in_process_executor,
    description="Sets what is wanted of one track: in the launchpad, under `ops: brief: config:`, for instance "
    "`mastering: {target_lufs: -9}`. "
    "It stays set, and what depends on it is made anew.",
)

update_library = dg.define_asset_job(
    "update_library",
    selection=dg.AssetSelection.assets("library", "rejections"),
    executor_def=dg.in_process_executor,
    tags=BEATS,
    description="Lists all tracks, the worst first, and the files that could not be used.",
)
