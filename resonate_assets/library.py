"""library: what is known about all tracks, one Parquet row each. Not partitioned."""

import hashlib
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from resonate_assets.acceptance import CRITERIA, Acceptance, judge
from resonate_assets.exports import exports
from resonate_assets.jobs import STAGES
from resonate_assets.markdown import table
from resonate_assets.partitions import GROUP
from resonate_assets.sentences import clock
from resonate_resources.storage.catalogue import CATALOGUE, build_catalogue
from resonate_resources.storage.resource import StorageResource

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 50


@dg.asset(
    deps=[dg.AssetDep(exports, partition_mapping=dg.AllPartitionMapping())],
    group_name=GROUP,
    code_version="2",
    automation_condition=(
        dg.AutomationCondition.any_deps_updated().since_last_handled()
        & ~dg.AutomationCondition.any_deps_in_progress()
        & ~dg.AutomationCondition.in_progress()
    ).with_label("tracks came or changed, and none is being worked on"),
    kinds={"parquet"},
)
def library(storage: StorageResource) -> dg.MaterializeResult[None]:
    """Every track with its verdict, the worst first, and the catalogue as a Parquet file for other programs."""
    import pandas as pd

    frame = build_catalogue(storage.store, storage.database, STAGES, judge, CRITERIA)
    content = hashlib.sha256(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes()).hexdigest()
    hours = float(frame["duration_s"].fillna(0).sum()) / 3600
    return dg.MaterializeResult(
        metadata={
            "worst_first": dg.MetadataValue.md(_table(frame)),
            "tracks": dg.MetadataValue.int(len(frame)),
            "not_accepted": dg.MetadataValue.int(int((frame["accepted"] == False).sum())),  # noqa: E712 — None is neither
            "hours": dg.MetadataValue.float(round(hours, 2)),
            "catalogue": dg.MetadataValue.path(storage.store.location(CATALOGUE)),
        },
        data_version=dg.DataVersion(content),
    )


def _table(frame: "pd.DataFrame") -> str:
    """Three columns: so many fit beside the web UI's own on a small screen."""
    if frame.empty:
        return "no tracks yet"
    # Those that were refused, by score, then those without a verdict, then the rest.
    order = frame["accepted"].map(lambda accepted: {False: 0, True: 2}.get(accepted, 1))
    ranked = frame.assign(order=order).sort_values(["order", "master_total"], kind="stable")
    rows = [_row(row) for row in ranked.head(_SHOWN).to_dict("records")]
    more = f"\n\nand {len(frame) - _SHOWN} more in the catalogue" if len(frame) > _SHOWN else ""
    return table(["track", "length", "verdict"], rows) + more


def _row(row: Mapping[Hashable, Any]) -> tuple[str, str, str]:
    import pandas as pd

    names = [str(row[name]) for name in ("artist", "title") if not pd.isna(row[name])]
    length, score = row["duration_s"], row["master_total"]
    verdict = Acceptance(
        None if pd.isna(row["accepted"]) else bool(row["accepted"]),
        () if pd.isna(row["why_not"]) else (str(row["why_not"]),),
    )
    return (
        " – ".join(names) or str(row["track"]),
        "" if pd.isna(length) else clock(float(length)),
        str(verdict)
        if verdict.accepted is False or pd.isna(score)
        else f"{verdict}, {float(score):.1f} of 100",
    )
