"""AudioSR's network out of its package, without what is not needed to run it. Only its own environment has that."""

from __future__ import annotations

import importlib
import importlib.util
import json
import pickle
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from resonate_resources.models.weights import ModelError
from resonate_resources.models.workers.stand_in import StandIn

_NOT_NEEDED = (
    *("torchaudio", "torchvision", "torchvision.utils", "transformers", "huggingface_hub"),
    *("matplotlib", "matplotlib.pyplot", "pandas", "PIL", "requests", "progressbar"),
    *(f"audiosr.clap{part}" for part in ("", ".open_clip", ".training", ".training.data")),
    *(f"audiosr.latent_diffusion.modules.audiomae{part}" for part in ("", ".AudioMAE")),
    *(f"audiosr.latent_diffusion.modules.phoneme_encoder{part}" for part in ("", ".encoder")),
    "audiosr.utilities.data",
)
"""For training, text, pictures, downloads. torchaudio and torchvision are builds that do not go with every torch;
CLAP fetches roberta-base from its hub at import, to choose among candidates, of which there is one here."""

_SAMPLER = "audiosr.latent_diffusion.models.ddim"

Told = Callable[[], None]


def load_network(weights: Path) -> Any:
    """The package's `LatentDiffusion` with the weights of that file, on a GPU if there is one.

    `config.json` beside the weights goes to `build_network`. Raises ModelError.
    """
    beside = weights.with_name("config.json")
    network = build_network(json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {})
    _fill(network, weights)
    network.conditional_dry_run_finished = (
        True  # else its first call draws one random number less than the others
    )
    return network.eval().to(network.device)


def at_each_step(told: Told) -> None:
    """Have `told` called at each step of the sampler, from now on, in place of who was called before."""
    sys.modules[_SAMPLER].tqdm = lambda steps, **_: _telling(steps, told)  # type: ignore[attr-defined]


def build_network(given: dict[str, Any]) -> Any:
    """With random weights. given: laid over the package's configuration, for another size; its "vocoder" over that
    of the vocoder, which stands in the package's code."""
    import torch

    package = _package()
    config = package.get_basic_config()["model"]["params"] | {"use_ema": False}  # it samples without
    config = _laid_over(config, {name: value for name, value in given.items() if name != "vocoder"})
    config["device"] = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    plain = package.vocoder.get_vocoder_config_48k
    package.vocoder.get_vocoder_config_48k = lambda: plain() | given.get("vocoder", {})
    try:
        return package.LatentDiffusion(**config)
    finally:
        package.vocoder.get_vocoder_config_48k = plain


@cache
def _package() -> Any:
    """What is used of it; its own `__init__` would import all."""
    import torch

    spec = importlib.util.find_spec("audiosr")
    if spec is None:
        raise ModelError("audiosr is not in the worker's environment: remove it and install it again")
    bare = types.ModuleType("audiosr")
    bare.__path__ = list(spec.submodule_search_locations or ())
    sys.modules["audiosr"] = bare
    for name in _NOT_NEEDED:
        sys.modules.setdefault(name, stand_in := StandIn(name))
        stand_in.__path__ = []  # a package: what is below it is looked for
    ddpm: Any = importlib.import_module("audiosr.latent_diffusion.models.ddpm")
    ddpm.CLAPAudioEmbeddingClassifierFreev2 = lambda **_: torch.nn.Identity()
    ddpm.count_params = lambda *_, **__: None
    return types.SimpleNamespace(
        LatentDiffusion=ddpm.LatentDiffusion,
        vocoder=importlib.import_module("audiosr.utilities.model"),
        get_basic_config=importlib.import_module("audiosr.utils").get_basic_config,
    )


def _telling(steps: Iterable[Any], told: Told) -> Iterator[Any]:
    for step in steps:
        told()
        yield step


def _laid_over(config: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    merged = dict(config)
    for name, value in given.items():
        deeper = isinstance(value, dict) and isinstance(config.get(name), dict)
        merged[name] = _laid_over(config[name], value) if deeper else value
    return merged


def _fill(network: Any, weights: Path) -> None:
    """Every parameter has to be in the file; what else is in there (averages, CLAP) is left out."""
    import torch

    try:
        saved = torch.load(weights, map_location="cpu", weights_only=True, mmap=True)["state_dict"]
        wanted = dict(network.named_parameters())
        if missing := sorted(wanted.keys() - saved.keys()):
            raise ModelError(
                f"{weights}: lacks {len(missing)} of {len(wanted)} parameters, {missing[0]} first"
            )
        network.load_state_dict({name: saved[name] for name in wanted}, strict=False)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{weights}: refused, as reading it would run code of its own, or it is no model; delete it"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"{weights}: is no model, or cut short ({reason}); delete it, and it is fetched again"
        ) from error
