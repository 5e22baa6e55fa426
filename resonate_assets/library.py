"""library: what is known about all tracks, one Parquet row each. Not partitioned."""

import hashlib
from collections.abc import Hashable
from typing import Any

import dagster as dg

from resonate_assets.exports import exports
from resonate_assets.jobs import STAGES
from resonate_resources.storage.catalogue import CATALOGUE, build_catalogue
from resonate_resources.storage.resource import StorageResource


@dg.asset(
    deps=[dg.AssetDep(exports, partition_mapping=dg.AllPartitionMapping())],
    group_name="library",
    code_version="1",
    automation_condition=(
        dg.AutomationCondition.any_deps_updated().since_last_handled()
        & ~dg.AutomationCondition.any_deps_in_progress()
        & ~dg.AutomationCondition.in_progress()
    ).with_label("tracks came or changed, and none is being worked on"),
    kinds={"parquet"},
)
def library(storage: StorageResource) -> dg.MaterializeResult[None]:
    """The catalogue of the library."""
    frame = build_catalogue(storage.store, storage.database, STAGES)
    shown = frame.drop(columns=["made", "sha256"]).tail(50)
    import pandas as pd

    content = hashlib.sha256(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes()).hexdigest()
    return dg.MaterializeResult(
        metadata={
            "tracks": dg.MetadataValue.int(len(frame)),
            "hours": dg.MetadataValue.float(float(frame["duration_s"].fillna(0).sum()) / 3600),
            "rejected": dg.MetadataValue.int(len(storage.sources.rejections())),
            "catalogue": dg.MetadataValue.path(storage.store.location(CATALOGUE)),
            "latest": dg.MetadataValue.md(_table(shown.to_dict("records"))),
        },
        data_version=dg.DataVersion(content),
    )


def _table(rows: list[dict[Hashable, Any]]) -> str:
    if not rows:
        return "no tracks yet"
    head = [str(name) for name in rows[0]]
    cells = [[str(value).replace("|", "¦") for value in row.values()] for row in rows]
    lines = ["| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *cells]]
    return "\n".join(lines)
