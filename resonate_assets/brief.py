"""brief: what is wanted of the track. Root of the graph, beside raw_track; every stage reads its own section."""

from pathlib import Path
from typing import Any

import dagster as dg

from resonate_assets.automation import brief_again
from resonate_assets.brief_change import BriefChange
from resonate_assets.markdown import table
from resonate_assets.stage import code_of, one_line_errors, produce, refuse_changed_resources, track_asset
from resonate_resources.brief.brief import Brief
from resonate_resources.brief.layers import BUILT_IN, Resolved
from resonate_resources.brief.resource import BriefResource
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.recording import Progress
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource

FILE = "brief.json"
_CODE_VERSION = "1"


@track_asset(
    code_version=code_of(Brief.__module__, _CODE_VERSION), automation_condition=brief_again, kinds={"json"}
)
def brief(
    context: dg.AssetExecutionContext,
    config: BriefChange,
    storage: StorageResource,
    briefs: dg.ResourceParam[BriefResource],
) -> dg.MaterializeResult[Artefact]:
    """What is wanted of the track, one typed document. What is given in the launchpad stays set.

    Later places win: built in, brief.toml of the home, brief.toml of the inbox's folders, `song.brief.toml` beside
    `song.mp3`, what was set.
    """
    refuse_changed_resources(context)  # before anything of it is kept
    track = context.partition_key
    source = storage.sources.find(track)
    with one_line_errors():
        changed = config.settings()
        if changed or config.unset:
            resolved = briefs.change(track, source, changed, config.unset)
        else:
            resolved = briefs.resolve(track, source)

    def work(into: Path, _: Progress) -> Product:
        (into / FILE).write_bytes(resolved.brief.to_json())
        return Product({FILE: into / FILE})

    document: dict[str, Any] = resolved.brief.model_dump(mode="json")
    recipe = Recipe.of(Brief.__module__, Engine("layers"), document, _CODE_VERSION)
    result = produce(context, storage, recipe, [], work)
    shown = {"brief": dg.MetadataValue.md(_table(resolved)), **(result.metadata or {})}
    return result._replace(metadata=shown)


def asked_of(brief: Artefact) -> Brief:
    """The brief that an artefact holds."""
    with one_line_errors():
        return Brief.read(brief.path(FILE))


def _table(resolved: Resolved) -> str:
    """What somebody has said comes before what is built in."""
    told = sorted(resolved.rows(), key=lambda row: row[2] == BUILT_IN)
    return table(["setting", "value", "from"], told)
