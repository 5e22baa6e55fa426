"""TokenSynth's transformer and its codec out of their packages, which only the worker has."""

from __future__ import annotations

import importlib
import types
from functools import cache
from pathlib import Path
from typing import Any

from resonate_resources.models.torch_file import read_torch_file
from resonate_resources.models.weights import ModelError
from resonate_resources.models.workers.stand_in import bare, stand_in
from resonate_resources.regeneration.cloning.checkpoint import fill

_HEADS = 16  # of the published model; its files may leave the cache out, whose shape tells
_NO_WEIGHTS = (".mask", ".k_cache", ".v_cache")


def load_transformer(file: Path) -> Any:
    """The package's `TokenSynth` of the size that the weights have, on a GPU if there is one. Raises ModelError."""
    package = _tokensynth()
    weights = read_torch_file(file)
    try:
        blocks = {int(name.split(".")[1]) for name in weights if name.startswith("blocks.")}
        _, longest, width = weights["pos_embed"].shape
        cache_of = weights.get("blocks.0.attn.k_cache")
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise ModelError(f"{file}: is no file of TokenSynth's (it lacks {error})") from error

    class OfThatSize(package.TokenSynth):  # type: ignore[misc, name-defined]
        def get_hparams(self) -> Any:
            sizes = super().get_hparams()
            sizes.num_blocks, sizes.embed_dim, sizes.max_len = len(blocks), width, longest
            sizes.num_heads = _HEADS if cache_of is None else cache_of.shape[1]
            return sizes

    network = fill(OfThatSize(), weights, file, but=_NO_WEIGHTS)
    network.device = next(network.parameters()).device
    return network


def load_codec(file: Path) -> Any:
    """The package's `DAC` of a file of descript-audio-codec's, on a GPU if there is one. Raises ModelError."""
    saved = read_torch_file(file)
    try:
        codec = _dac().DAC(**saved["metadata"]["kwargs"])
        weights = saved["state_dict"]
    except (KeyError, TypeError) as error:
        raise ModelError(f"{file}: is no file of descript-audio-codec's ({error})") from error
    return fill(codec, weights, file)


@cache
def _tokensynth() -> Any:
    """Its own `__init__` would import CLAP and the codec, each with all that they train with."""
    stand_in(("huggingface_hub", "appdirs", "pretty_midi"))
    bare("tokensynth")
    utils: Any = importlib.import_module("tokensynth.utils")
    model: Any = importlib.import_module("tokensynth.model")
    utils.get_tokens_from_midi = lambda tokens: tokens  # which come from notes, not from a file
    model.utils = utils
    model.tqdm = lambda steps, **_: steps
    return model


@cache
def _dac() -> Any:
    import torch

    stand_in(("audiotools",))
    stand_in(("audiotools.ml",), {"BaseModel": torch.nn.Module})
    bare("dac", "model", "nn")
    return types.SimpleNamespace(DAC=importlib.import_module("dac.model.dac").DAC)
