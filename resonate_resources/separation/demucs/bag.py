"""HT Demucs from its published checkpoints: read without executing anything, and run as a bag of models."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from resonate_resources.models.weights import ModelError
from resonate_resources.separation.demucs.gpu_layers import suit_to_gpu
from resonate_resources.separation.demucs.processor_layers import speed_up_on_processor

if TYPE_CHECKING:
    from demucs.htdemucs import HTDemucs
    from torch import Tensor


def load_checkpoint(path: Path) -> HTDemucs:
    """The model in a file as `demucs.states` saves them. Raises ModelError where it holds anything else."""
    import torch
    from demucs.htdemucs import HTDemucs
    from demucs.states import load_model

    try:
        with torch.serialization.safe_globals(_checkpoint_types(HTDemucs)):
            package = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{path}: refused, as reading it would run code of its own, or it is no model; delete it"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path}: is no model, or cut short; delete it, and it is fetched again") from error
    if not _is_package(package) or package["klass"] is not HTDemucs:
        raise ModelError(f"{path}: holds no HT Demucs model; delete it, and it is fetched again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of settings for training that the class no longer knows
            model: HTDemucs = load_model(package)  # type: ignore[no-untyped-call]
    except (TypeError, RuntimeError, AssertionError, ValueError) as error:
        raise ModelError(
            f"{path}: its weights do not fit its model; delete it, and it is fetched again"
        ) from error
    model.eval()
    return model


def _checkpoint_types(model_class: type) -> list[Any]:
    """All that the published files hold beside tensors and plain Python values.

    The class, its segment's length as a fraction, and NumPy scalars among the settings of its training, which
    NumPy 1 pickled under a module name of its own.
    """
    from numpy._core.multiarray import scalar

    return [
        model_class,
        Fraction,
        np.dtype,
        np.dtypes.Float64DType,
        scalar,
        (scalar, "numpy.core.multiarray.scalar"),
    ]


def _is_package(package: object) -> bool:
    return (
        isinstance(package, dict)
        and {"klass", "args", "kwargs", "state"} <= package.keys()
        and isinstance(package["state"], dict)
        and "__quantized"
        not in package["state"]  # none of those in use are; the loader would end the process
    )


class Bag:
    """One model for all sources, or one for each of them: its n-th for its n-th source, as htdemucs_ft.

    sources: their names in the order of the output. segment: frames that the models take at once. grid: frames
    by which a track can be moved so that its sources move along, as far as a convolutional network goes.
    """

    def __init__(self, models: Sequence[HTDemucs]) -> None:
        if len(models) > 1:
            for index, model in enumerate(models):
                _keep_source(model, index)
        self._models = models
        self._kind = "cpu"
        self._fast_attention = False
        for model in models:
            suit_to_gpu(model)
            speed_up_on_processor(model)
            self._lower_attention_on_demand(model)
        self.sources: tuple[str, ...] = tuple(source for model in models for source in model.sources)
        self.sample_rate: int = models[0].samplerate
        self.segment = int(models[0].segment * models[0].samplerate)
        self.grid: int = models[0].hop_length

    def to(self, kind: str) -> None:
        """Move to "cpu" or "cuda"."""
        self._kind = kind
        for model in self._models:
            model.to(kind)

    def __call__(self, segments: Tensor, fast: bool) -> Tensor:
        """(batch, 2, segment) → (batch, sources, 2, segment); fast: in the lower precision of where it is."""
        import torch

        self._fast_attention = fast and self._kind == "cpu"
        here = segments.to(self._kind)
        with torch.inference_mode(), torch.autocast("cuda", torch.float16, enabled=fast and here.is_cuda):
            return torch.cat([model(here) for model in self._models], dim=1).float()

    def _lower_attention_on_demand(self, model: HTDemucs) -> None:
        """Let the processor do a model's transformer in bfloat16 when fast.

        With the convolutions the error would be −43 dB instead of −66 (random weights), for a fifth less time.
        """
        import torch

        transformer: Any = model.crosstransformer
        exact = transformer.forward

        def forward(spectral: Tensor, temporal: Tensor) -> tuple[Tensor, Tensor]:
            if not self._fast_attention:
                return exact(spectral, temporal)  # type: ignore[no-any-return]
            with torch.autocast("cpu", torch.bfloat16):
                spectral, temporal = exact(spectral, temporal)
            return spectral.float(), temporal.float()

        transformer.forward = forward


def _keep_source(model: HTDemucs, index: int) -> None:
    """Leave of the last layers only what gives the source `index`: the others' output would be thrown away."""
    import torch

    for decoder, parts in ((model.decoder, 2), (model.tdecoder, 1)):  # real and imaginary; samples
        width = model.audio_channels * parts
        kept = slice(index * width, (index + 1) * width)
        layer: Any = decoder[-1].conv_tr
        layer.weight = torch.nn.Parameter(layer.weight[:, kept].detach().clone())
        layer.bias = torch.nn.Parameter(layer.bias[kept].detach().clone())
        layer.out_channels = width
    model.sources = [model.sources[index]]
