"""Packages in a worker without what they import and is not needed: for training, words, pictures, downloads."""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from resonate_resources.models.weights import ModelError


class StandIn(types.ModuleType):
    """Whatever is imported from it is a class that does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"__init__": lambda *_, **__: None})


def stand_in(names: Iterable[str], holding: Mapping[str, Any] | None = None) -> None:
    """Have these modules imported as stand-ins, which hold what is in `holding`, and classes that do nothing."""
    for name in names:
        module = StandIn(name)
        module.__path__ = []  # a package: what is below it is looked for
        module.__dict__.update(holding or {})
        sys.modules.setdefault(name, module)


def bare(package: str, *below: str) -> None:
    """Have the modules of an installed package importable without its `__init__`, and those of the folders `below`.

    Raises ModelError where it is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise ModelError(f"{package} is not in the worker's environment: remove it and install it again")
    place = Path(next(iter(spec.submodule_search_locations or ())))
    for folder in ("", *below):
        module = types.ModuleType(".".join([package, *Path(folder).parts]))
        module.__path__ = [str(place / folder)]
        sys.modules[module.__name__] = module
