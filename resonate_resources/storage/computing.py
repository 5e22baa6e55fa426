"""A computation: found where it was done before, else done, hashed and kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from resonate_resources.recipe import Json, Product, Recipe
from resonate_resources.storage.artefacts import Artefact, Artefacts, Read, compute_key, inputs_of
from resonate_resources.storage.hashing import hashing_ahead
from resonate_resources.storage.pools import waits
from resonate_resources.storage.store import new_directory

Work = Callable[[Path], Product]
"""Makes a product in the directory it is given."""

Accepts = Callable[[Mapping[str, Json]], bool]
"""Whether what was made by this recipe, as a manifest keeps it, is as good as what is asked for."""


def nothing_else(_: Mapping[str, Json]) -> bool:
    """Only what was asked for will do."""
    return False


Finish = Callable[[Product, Path], Product]
"""Adds reports to a product, whose other files are hashed meanwhile."""


def computed(
    artefacts: Artefacts,
    work: Work,
    *,
    stage: str,
    track: str,
    recipes: Sequence[Recipe],
    reads: Sequence[Read],
    finish: Finish = lambda product, _: product,
    accepts: Accepts = nothing_else,
) -> tuple[Artefact, bool]:
    """The artefact, which is not yet the current one, and whether it was found in the cache.

    recipes: those whose results are what is wanted, the best first; the first one is what the work goes by.
    reads: everything that the work reads. accepts: asked about what counts now, if it was made from the same.
    Raises what the work raises, and OSError.
    """
    inputs = inputs_of(reads)
    current = artefacts.current(stage, track)
    if (
        current
        and stage not in artefacts.anew
        and current.manifest.inputs == inputs
        and accepts(current.manifest.recipe)
        and current.complete()
    ):
        return current, True
    for recipe in recipes:
        found = artefacts.computed(stage, track, compute_key(stage, recipe.keyed(), inputs))
        if found is not None:
            return found, True
    with new_directory(artefacts.store, stage) as into, hashing_ahead(into) as hashing, waits() as waited:
        start = time.perf_counter()
        product = work(into)
        hashing.begin([*product.files.values(), *product.reports.values()])
        product = finish(product, into)
        made = artefacts.keep(
            product,
            stage=stage,
            track=track,
            recipe=product.recipe or recipes[0],
            reads=reads,
            seconds=time.perf_counter() - start - sum(waited),  # what others computed meanwhile is theirs
            hashing=hashing,
        )
    return made, False
