"""What every stage does around its one call: look in the cache, make, keep, and show."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._config import process_config

from resonate_assets.automation import rebuild
from resonate_assets.partitions import GROUP, tracks
from resonate_assets.shown import metadata
from resonate_resources.recipe import Engine, Json, Product, Recipe
from resonate_resources.recordings.recording import AudioError, Progress, Recording
from resonate_resources.signal.picture import draw
from resonate_resources.signal.thumbnail import thumbnail_of
from resonate_resources.storage.artefacts import PICTURE, THUMBNAIL, Artefact, Read
from resonate_resources.storage.computing import Accepts, computed, nothing_else
from resonate_resources.storage.manifest import Manifest
from resonate_resources.storage.pools import Pool, in_pool
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.stage_counts import count_failure, count_result
from resonate_resources.watching import tracing

track_asset = partial(dg.asset, partitions_def=tracks, group_name=GROUP, automation_condition=rebuild)
"""The decorator of a stage: an asset with one partition a track, rebuilt when what it is made from changes."""

Work = Callable[[Path, Progress], Product]
"""Makes a product in the directory it is given."""


_SECONDS_BETWEEN_LINES = 10.0


def code_of(module: str | Sequence[str], version: str) -> str:
    """Code version of a stage that is made by modules of ours: other constants or libraries, another version."""
    return Recipe.of(module, Engine(""), version=version).code_version


def produce(
    context: dg.AssetExecutionContext,
    storage: StorageResource,
    recipe: Recipe | Sequence[Recipe],
    reads: Sequence[Read],
    work: Work,
    accepts: Accepts = nothing_else,
    pool: Pool | None = "cores",
) -> dg.MaterializeResult[Artefact]:
    """Make a stage's artefact of the run's track, or find the one that was made from the same before.

    recipe: what is asked; where results of several are what is wanted, all of them. reads: all that the work reads.
    accepts: whether the artefact that counts now, if it was made from the same, may stay. pool: where it waits for
    its place, if there is anything to do; None: the work sees to that itself. Settings of resources that were
    changed for one run are refused: the next one would silently be without them. A file that can't be used fails
    the step with one line and no retry.
    """
    refuse_changed_resources(context)

    def in_its_pool(into: Path) -> Product:
        with (
            in_pool(storage.database, pool, context.partition_key, context.log.info)
            if pool
            else nullcontext()
        ):
            return work(into, sparse_progress(context))

    stage, track = context.asset_key.path[-1], context.partition_key
    with (
        one_line_errors(),
        tracing.stage(context.run.run_id, stage, {"resonate.track": track, "resonate.stage": stage}) as span,
        _failures_counted(storage.database, stage, track),
    ):
        artefact, found = computed(
            storage.artefacts,
            in_its_pool,
            stage=stage,
            track=track,
            recipes=[recipe] if isinstance(recipe, Recipe) else recipe,
            reads=reads,
            finish=_with_picture,
            accepts=accepts,
        )
        span.update(_of_result(artefact.manifest, found))
    count_result(storage.database, artefact.manifest, found=found)
    code_version = context.assets_def.code_versions_by_key[context.asset_key] or ""
    artefact = artefact.standing_on(reads, code_version)
    return dg.MaterializeResult(
        value=artefact,
        metadata=metadata(artefact) | {"from_cache": found},
        data_version=dg.DataVersion(artefact.data_version),
    )


def _of_result(manifest: Manifest, found: bool) -> tracing.Told:
    """Attributes of a stage's span. seconds: that computing took, then or now."""
    told: tracing.Told = {
        "resonate.engine": manifest.engine.name,
        "resonate.cache_hit": found,
        "resonate.seconds": manifest.seconds,
    }
    return told | ({"resonate.model": manifest.engine.model} if manifest.engine.model else {})


@contextmanager
def _failures_counted(database: str, stage: str, track: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        count_failure(database, stage, track, refused=isinstance(error, AudioError))
        raise


def produce_nothing(
    context: dg.AssetExecutionContext,
    storage: StorageResource,
    brief: Artefact,
    settings: Mapping[str, Json],
    *notes: str,
) -> dg.MaterializeResult[Artefact]:
    """An artefact without files, of a stage that the brief does not ask for."""
    recipe = Recipe(Engine("none"), settings)
    return produce(
        context, storage, recipe, [brief.reading({})], lambda *_: Product({}, notes=notes), pool=None
    )


def nothing(why: str) -> dg.MaterializeResult[Any]:
    """No artefact at all, of a stage that the track has no use for, whatever is asked of it."""
    return dg.MaterializeResult(
        value=None,
        metadata={"verdict": dg.MetadataValue.text(why)},
        data_version=dg.DataVersion("none"),
    )


def refuse_changed_resources(context: dg.AssetExecutionContext) -> None:
    """Raise Failure where the run changes settings of resources. The launchpad writes all of them into its form, as
    they are: those may stay."""
    changed = []
    all_given: Any = context.run.run_config.get("resources", {})
    for name, given in all_given.items():
        field = context.job_def.resource_defs[name].config_schema.as_field()
        told, usual = (
            process_config(field.config_type, values).value
            for values in (given.get("config", {}), field.default_value)
        )
        if told != usual:
            changed.append(name)
    if changed:
        raise dg.Failure(
            f"{', '.join(changed)}: settings of resources would hold for this run only, and are not taken; "
            "what is wanted of a track is set by the job set_brief, or by `resonate brief set`",
            allow_retries=False,
        )


class one_line_errors:  # noqa: N801 — reads as the statement it is
    """Turns errors that are the user's to mend into a failure of one line, without retry."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, AudioError):
            raise dg.Failure(str(error), allow_retries=False) from error
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise dg.Failure(
                f"disk full: {error}; free some space and run again", allow_retries=False
            ) from error


def sparse_progress(context: dg.AssetExecutionContext) -> Progress:
    """Progress for Dagster's log: a line every ten seconds at most, as every line is a row in a database."""
    told = time.monotonic()

    def tell(part: float) -> None:
        nonlocal told
        if time.monotonic() - told >= _SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            context.log.info(f"{context.asset_key.path[-1]}: {part:.0%}")

    return tell


def _with_picture(product: Product, into: Path) -> Product:
    """Add a picture of the product's recordings, unless it brings one, and its thumbnail."""
    recordings = {
        name.removesuffix(".wav"): Recording.open(path)
        for name, path in product.files.items()
        if name.endswith(".wav") and "/" not in name
    }
    if PICTURE not in product.reports:
        if not recordings:
            return product
        (into / PICTURE).write_bytes(draw(recordings))
    (into / THUMBNAIL).write_bytes(thumbnail_of((into / PICTURE).read_bytes()))
    pictures = {name: into / name for name in (PICTURE, THUMBNAIL)}
    return replace(product, reports={**product.reports, **pictures})
