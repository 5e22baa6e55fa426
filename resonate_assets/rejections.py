"""rejections: files that could not be used, one table. Not partitioned: such a file is no track.

Whether a file can be used is not decided here: intake and raw_track do, and record it by `Sources.reject`.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from zoneinfo import ZoneInfo

import dagster as dg

from resonate_assets.markdown import table
from resonate_assets.partitions import GROUP, tracks
from resonate_assets.time_zone import TIME_ZONE
from resonate_resources.storage.current import current_of, forget
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Rejection

_SHOWN = 100
_RIGHT_FILE = "put the right file in its place, or take it away"
_LOOKED_AT_AGAIN = "it is looked at again when its content changes, or by `resonate process`"


@dg.asset(group_name=GROUP, code_version="1", kinds={"table"})
def rejections(storage: StorageResource) -> dg.MaterializeResult[None]:
    """Files that could not be used: which, when, why, and what to do. They stay where they are, and nothing else
    waits for them."""
    found = storage.sources.rejections()
    shown = [_row(rejection) for rejection in found[:_SHOWN]]
    left_out = f"\n\nand {len(found) - _SHOWN} more: `resonate status`" if len(found) > _SHOWN else ""
    told = f"{table(['file', 'when', 'why', 'what to do'], shown)}{left_out}" if found else "none"
    return dg.MaterializeResult(
        metadata={
            "files": dg.MetadataValue.md(told),
            "count": dg.MetadataValue.int(len(found)),
            "then": dg.MetadataValue.text(_LOOKED_AT_AGAIN),
        },
        data_version=dg.DataVersion(hashlib.sha256(repr(found).encode(errors="replace")).hexdigest()),
    )


@dg.asset_check(asset="rejections", blocking=False)
def every_file_could_be_used(storage: StorageResource) -> dg.AssetCheckResult:
    """No file is rejected. A warning and no failure: the tracks are not touched by it."""
    count = len(storage.sources.rejections())
    return dg.AssetCheckResult(
        passed=not count, severity=dg.AssetCheckSeverity.WARN, metadata={"rejected": count}
    )


def why_and_what_to_do(rejection: Rejection) -> tuple[str, str]:
    """The reason, and the advice that stands behind its last `; `, where there is one."""
    why, _, advice = rejection.reason.rpartition("; ")
    return (why, advice) if why else (rejection.reason, _RIGHT_FILE)


def _row(rejection: Rejection) -> tuple[str, str, str, str]:
    """The file by its name and its folder's: a whole path takes the room from what is to be done."""
    why, advice = why_and_what_to_do(rejection)
    name = rejection.uri.rstrip("/").rpartition("/")[2]
    when = datetime.fromisoformat(rejection.rejected_at).astimezone(ZoneInfo(TIME_ZONE))
    place = "/".join(rejection.uri.rstrip("/").split("/")[-2:])
    return place, f"{when:%Y-%m-%d %H:%M}", why.removeprefix(f"{name}: "), advice


def let_go(instance: dg.DagsterInstance, storage: StorageResource, track: str) -> None:
    """Take away a track whose file was rejected or replaced: else every stage would have a red partition for ever.

    Its brief, the rows of the index and its source go with the partition: what is left of it would be listed, and
    nobody could remove it; so does the copy that the page made of its file. What a person has set for it stays. A
    track of which an earlier decoder made something stays.
    """
    if storage.artefacts.current("raw_track", track) is not None:
        return
    stages = {"brief", *current_of(storage.database, [track]).get(track, {})}
    for stage in stages:
        # Without its manifest it counts no longer, whatever else is still there.
        storage.store.delete(f"artefacts/{stage}/{track}/manifest.json")
        storage.store.delete(f"artefacts/{stage}/{track}")
    forget(storage.database, [(stage, track) for stage in stages])
    source = storage.sources.find(track)
    if source is not None:
        storage.forget_upload(source.uri)
    storage.store.delete(f"tracks/{track}.json")
    instance.delete_dynamic_partition(str(tracks.name), track)
