"""HT Demucs's layers as a GPU computes them sooner, and as a processor hears them, than by the package's own code.

Measured on an H100, batches of 16 in float16: a quarter of the time went into the statistics of group norms, a
quarter into one transposed convolution (docs/measurements.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from demucs.htdemucs import HTDemucs
    from torch import Tensor

_Layer = Any
"""One of the package's; it has no types."""

_FEW_GROUPS = 128
"""torch's kernel gives each group to one of the GPU's multiprocessors, of which large ones have about as many."""


def suit_to_gpu(model: HTDemucs) -> None:
    """Let a model's layers compute thus whatever they are given in a GPU's memory."""
    from torch.nn import GroupNorm

    for module in model.modules():
        if isinstance(module, GroupNorm) and module.num_groups == 1:
            _share_statistics(module)
    for decoder in (model.decoder, model.tdecoder):
        _keep_float_32(decoder[-1].conv_tr)
    _drop_what_is_no_sound(model)


def _on_gpu(x: Tensor) -> bool:
    return bool(x.is_cuda)


def _share_statistics(norm: _Layer) -> None:
    from demucs.transformer import MyGroupNorm

    channels_last = isinstance(norm, MyGroupNorm)
    elsewhere = norm.forward

    def forward(x: Tensor) -> Tensor:
        if not (_on_gpu(x) and len(x) <= _FEW_GROUPS):
            return elsewhere(x)  # type: ignore[no-any-return]
        return _normalised(x, norm, channels_last)

    norm.forward = forward


def _normalised(x: Tensor, norm: _Layer, channels_last: bool) -> Tensor:
    """Group norm of one group, of (batch, channels, …), or (batch, …, channels), in float32."""
    import torch

    exact = x.float()
    variance, mean = torch.var_mean(exact, dim=tuple(range(1, x.ndim)), correction=0, keepdim=True)
    shape = [1] * x.ndim
    shape[-1 if channels_last else 1] = -1
    scale = (variance + norm.eps).rsqrt() * norm.weight.view(shape)
    return torch.addcmul(norm.bias.view(shape) - mean * scale, exact, scale)


def _keep_float_32(convolution: _Layer) -> None:
    """cuDNN has for float16 and so few channels only a kernel that takes eight times as long."""
    import torch

    compute = convolution.forward

    def forward(x: Tensor) -> Tensor:
        if not _on_gpu(x):
            return compute(x)  # type: ignore[no-any-return]
        with torch.autocast("cuda", enabled=False):
            return compute(x.float())  # type: ignore[no-any-return]

    convolution.forward = forward


def _drop_what_is_no_sound(model: _Layer) -> None:
    """The imaginary part at 0 Hz: a processor's inverse transform leaves it out, cuFFT's adds it at half the rate
    (pytorch issue 154496; −40 dB with random weights). At half the rate the model itself has nothing."""
    import torch

    inverse = model._ispec

    def real_at_zero(spectra: Tensor, *length: Any, **named: Any) -> Tensor:
        torch.view_as_real(spectra)[..., 0, :, 1] = 0
        return inverse(spectra, *length, **named)  # type: ignore[no-any-return]

    model._ispec = real_at_zero
