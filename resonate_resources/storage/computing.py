"""A computation: found where it was done before, else done, hashed and kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from resonate_resources.engine import Engine, Product
from resonate_resources.storage.artefacts import Artefact, Artefacts, compute_key
from resonate_resources.storage.hashing import hashing_ahead
from resonate_resources.storage.store import new_directory

Work = Callable[[Path], Product]
"""Makes a product in the directory it is given."""

Finish = Callable[[Product, Path], Product]
"""Adds to a product, whose other files are hashed meanwhile."""


def computed(
    artefacts: Artefacts,
    work: Work,
    *,
    stage: str,
    track: str,
    code_version: str,
    engine: Engine,
    inputs: Mapping[str, str],
    finish: Finish = lambda product, _: product,
) -> tuple[Artefact, bool]:
    """The artefact, which is not yet the current one, and whether it was found in the cache.

    inputs: name → data version of everything the work reads. Raises what the work raises, and OSError.
    """
    key = compute_key(stage, code_version, engine, inputs)
    found = artefacts.computed(stage, track, key)
    if found is not None:
        return found, True
    with new_directory(artefacts.store, stage) as into, hashing_ahead(into) as hashing:
        start = time.perf_counter()
        product = work(into)
        hashing.begin(product.files.values())
        product = finish(product, into)
        made = artefacts.keep(
            product,
            stage=stage,
            track=track,
            key=key,
            code_version=code_version,
            engine=product.engine or engine,
            inputs=inputs,
            seconds=time.perf_counter() - start,
            hashing=hashing,
        )
    return made, False
