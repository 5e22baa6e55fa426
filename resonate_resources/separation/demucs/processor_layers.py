"""HT Demucs's layers as a processor computes them sooner than by the package's own code, equal to −110 dB.

Nearly half of the package's time goes into moving memory: copies for every change of layout, tensors of 30 MB that
are written for one normalisation and read for the next, an attention that writes all of its weights. Here
everything stays (channels, rows × frames), rows being frequencies, or one in the temporal branch; what follows a
product is done on a block of it while that is in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from demucs.htdemucs import HTDemucs
    from torch import Tensor

_Layer = Any
"""One of the package's; it has no types."""

_BLOCK = 1024
"""Columns at once: three such blocks of 48 channels are 0.6 MB, and fit into a core's cache."""
_KERNEL, _STRIDE = 8, 4  # of the layers that change the resolution
_TRIM = (_KERNEL - _STRIDE) // 2


def speed_up_on_processor(model: HTDemucs) -> None:
    """Let a model's layers compute thus whenever they are given one segment in the processor's memory.

    A model that is built otherwise than the published ones is left as it is.
    """
    if not _is_built_as_published(model):
        return
    for encoder in (*model.encoder, *model.tencoder):
        _replace(encoder, "forward", _encode)
    for decoder in (*model.decoder, *model.tdecoder):
        _replace(decoder, "forward", _decode)
    transformer = model.crosstransformer
    for layer in (*transformer.layers, *transformer.layers_t):
        _replace(layer, "forward", _attend_and_feed_forward)
    _replace(transformer, "forward", _transform)
    _replace(model, "_ispec", _inverse_stft)


def _is_built_as_published(model: HTDemucs) -> bool:
    from demucs.hdemucs import HDecLayer, HEncLayer
    from demucs.transformer import LayerScale, MyGroupNorm

    convolutions = (*model.encoder, *model.tencoder, *model.decoder, *model.tdecoder)
    attentions = (*model.crosstransformer.layers, *model.crosstransformer.layers_t)
    return (
        model.cac
        and all(
            isinstance(layer, HEncLayer | HDecLayer)
            and (layer.kernel_size, layer.stride, layer.pad) == (_KERNEL, _STRIDE, _TRIM)
            and layer.rewrite
            and not (layer.norm or layer.empty)
            for layer in convolutions
        )
        and all(
            isinstance(layer.gamma_1, LayerScale)
            and isinstance(layer.norm_out, MyGroupNorm)
            and not layer.sparse
            for layer in attentions
        )
    )


def _replace(module: _Layer, name: str, compute: Callable[..., Any]) -> None:
    elsewhere = getattr(module, name)

    def method(first: Tensor, *rest: Any, **named: Any) -> Any:
        here = first.device.type == "cpu" and len(first) == 1
        return (partial(compute, module) if here else elsewhere)(first, *rest, **named)

    setattr(module, name, method)


def _encode(layer: _Layer, x: Tensor, *_: object) -> Tensor:
    """(1, channels, [frequencies,] frames) → a quarter of the frequencies, or of the frames."""
    import torch
    from torch.nn import functional

    if not layer.freq:
        x = functional.pad(x, (0, -x.shape[-1] % layer.stride))
    hidden = torch.ops.aten.gelu_(layer.conv(x))
    flat = hidden[0].flatten(1)
    if layer.dconv:
        _add_residuals(layer.dconv, flat, hidden.shape[-1])
    output = torch.empty_like(hidden)
    flat_output = output[0].flatten(1)
    weight, bias = layer.rewrite.weight.flatten(1), layer.rewrite.bias[:, None]
    for block in _blocks(flat.shape[1], _BLOCK):
        rewritten = torch.addmm(bias, weight, flat[:, block])
        torch.ops.aten.glu(rewritten, 0, out=flat_output[:, block])
    return output


def _decode(layer: _Layer, x: Tensor, skip: Tensor, length: int) -> tuple[Tensor, None]:
    """The inverse of `_encode`. Its transposed convolution (kernel 8, stride 4) is two matrix products: of four
    successive outputs each is made of two successive inputs."""
    import torch
    from torch.nn import functional

    x = x.view_as(skip) + skip
    step = x.shape[-1] if layer.freq else 1  # columns from one input of the convolution to the next
    inputs = x[0, 0].numel() // step
    rewritten = layer.rewrite(x)[0].flatten(1)
    # An input of zeros before the first and after the last.
    padded = x.new_zeros(len(rewritten) // 2, (inputs + 2) * step)
    flat = padded[:, step:-step]
    torch.ops.aten.glu(rewritten, 0, out=flat)
    del rewritten
    if layer.dconv:
        _add_residuals(layer.dconv, flat, x.shape[-1])
    channels, outputs = layer.conv_tr.weight.shape[:2]
    weight = layer.conv_tr.weight.view(channels, outputs, 2, _STRIDE).permute(2, 1, 3, 0)
    early, late = weight.reshape(2, outputs * _STRIDE, channels)
    bias = layer.conv_tr.bias.repeat_interleave(_STRIDE)[:, None]
    upsampled = x.new_empty(outputs, inputs + 1, _STRIDE, step)
    for block in _blocks(inputs + 1, max(1, _BLOCK // step)):
        this = padded[:, (block.start + 1) * step : (block.stop + 1) * step]
        previous = padded[:, block.start * step : block.stop * step]
        product = torch.addmm(bias, early, this).addmm_(late, previous)
        upsampled[:, block] = product.view(outputs, _STRIDE, -1, step).transpose(1, 2)
    start = _TRIM * step
    stop = start + (_STRIDE * inputs * step if layer.freq else length)
    output = upsampled.flatten(1)[:, start:stop]
    if not layer.last:
        output = functional.gelu(output)
    return output.view(1, outputs, -1, step) if layer.freq else output[None], None


def _add_residuals(dconv: _Layer, flat: Tensor, frames: int) -> None:
    """To (channels, rows × frames), in place, what `DConv` gives for every row by itself.

    A layer of it widens few channels to many and normalises these. Their mean and variance follow from the means
    and covariances of the few, so that the many come out of the product normalised: r (Wh + b − μ) γ + β.
    """
    import torch
    from torch.nn import functional

    channels = len(flat)
    for convolution, few_norm, _, widening, many_norm, _, scale in dconv.layers:
        few, dilation = convolution.out_channels, convolution.dilation[0]
        taps = convolution.weight.permute(2, 0, 1).reshape(3 * few, channels)
        before, hidden, after = (taps @ flat).view(3, few, -1, frames)
        hidden += convolution.bias[:, None, None]
        hidden[..., dilation:] += before[..., :-dilation]
        hidden[..., :-dilation] += after[..., dilation:]
        hidden = functional.group_norm(
            hidden.transpose(0, 1), 1, few_norm.weight, few_norm.bias, few_norm.eps
        )
        hidden = torch.ops.aten.gelu_(hidden)  # (rows, few, frames)

        weight = widening.weight[:, :, 0]
        means = hidden.mean(-1)
        centred = hidden - means[..., None]
        covariances = centred @ centred.transpose(1, 2) / frames
        many_means = functional.linear(means, weight, widening.bias)  # (rows, many)
        mean = many_means.mean(1)
        within = torch.einsum("mi,rij,mj->r", weight, covariances, weight) / len(weight)
        variance = within + (many_means - mean[:, None]).square().mean(1)
        factor = (variance + many_norm.eps).rsqrt()

        inputs = flat.new_ones(few + 3, *hidden.shape[::2])  # the last is for β
        torch.mul(hidden.transpose(0, 1), factor[:, None], out=inputs[:few])
        inputs[few] = factor[:, None]
        inputs[few + 1] = (-mean * factor)[:, None]
        gain = many_norm.weight[:, None]
        factors = torch.cat(
            [gain * weight, gain * widening.bias[:, None], gain, many_norm.bias[:, None]], dim=1
        )
        factors[:channels] *= scale.scale[:, None]
        inputs = inputs.flatten(1)
        for block in _blocks(flat.shape[1], _BLOCK):
            value, gate = (factors @ inputs[:, block]).chunk(2)
            flat[:, block].addcmul_(value, gate.sigmoid_())


def _blocks(columns: int, width: int) -> list[slice]:
    return [slice(start, min(start + width, columns)) for start in range(0, columns, width)]


def _transform(transformer: _Layer, x: Tensor, xt: Tensor) -> tuple[Tensor, Tensor]:
    """Of (1, channels, frequencies, frames) and (1, channels, frames), by its layers in turn."""
    _, channels, frequencies, frames = x.shape
    weight = transformer.weight_pos_embed
    x = transformer.norm_in(x.permute(0, 3, 2, 1).reshape(1, -1, channels))
    x = x + weight * _positions(channels, frequencies, frames, transformer.max_period)
    temporal = transformer._get_pos_embedding(xt.shape[-1], 1, channels, "cpu").transpose(0, 1)
    xt = transformer.norm_in_t(xt.transpose(1, 2).contiguous()) + weight * temporal
    for index, (layer, layer_t) in enumerate(zip(transformer.layers, transformer.layers_t, strict=True)):
        if index % 2 == transformer.classic_parity:
            x, xt = layer(x), layer_t(xt)
        else:
            x, xt = layer(x, xt), layer_t(xt, x)
    x = x.view(1, frames, frequencies, channels).permute(0, 3, 2, 1)
    return x.contiguous(), xt.transpose(1, 2).contiguous()


@lru_cache(maxsize=2)
def _positions(channels: int, frequencies: int, frames: int, max_period: float) -> Tensor:
    """(1, frames × frequencies, channels)"""
    from demucs.transformer import create_2d_sin_embedding

    create: Callable[..., Tensor] = create_2d_sin_embedding
    embedding = create(channels, frequencies, frames, max_period=max_period)
    return embedding.permute(0, 3, 2, 1).reshape(1, -1, channels)


def _attend_and_feed_forward(layer: _Layer, x: Tensor, other: Tensor | None = None) -> Tensor:
    """(1, positions, channels); other: what to attend to instead of x itself."""
    import torch
    from torch.nn import functional

    if other is None:
        normed = layer.norm1(x)
        attended = _attention(layer.self_attn, normed, normed)
        feed_forward_norm = layer.norm2
    else:
        attended = _attention(layer.cross_attn, layer.norm1(x), layer.norm2(other))
        feed_forward_norm = layer.norm3
    x = torch.addcmul(x, layer.gamma_1.scale, attended)
    hidden = torch.ops.aten.gelu_(layer.linear1(feed_forward_norm(x)))
    x = torch.addcmul(x, layer.gamma_2.scale, layer.linear2(hidden))
    x = functional.layer_norm(x, x.shape[1:], eps=layer.norm_out.eps)  # its one group: all positions together
    return torch.addcmul(layer.norm_out.bias, x, layer.norm_out.weight)


def _attention(attention: _Layer, x: Tensor, other: Tensor) -> Tensor:
    from torch.nn import functional

    width = attention.embed_dim
    weight, bias = attention.in_proj_weight, attention.in_proj_bias
    queries = functional.linear(x, weight[:width], bias[:width])
    keys, values = functional.linear(other, weight[width:], bias[width:]).chunk(2, -1)
    # Each head's together: strides of a power of two, which would be theirs, take half as long again.
    queries, keys, values = (
        part.reshape(*part.shape[:2], attention.num_heads, -1).transpose(1, 2).contiguous()
        for part in (queries, keys, values)
    )
    attended = functional.scaled_dot_product_attention(queries, keys, values)
    output: Tensor = attention.out_proj(attended.transpose(1, 2).flatten(2))
    return output


def _inverse_stft(model: HTDemucs, spectra: Tensor, length: int) -> Tensor:
    """(…, frequencies, frames) without the highest frequency → (…, length).

    By Hann windows a quarter apart, whose squares sum to 1.5 everywhere. The package's frames begin a hop and a
    half before the segment does.
    """
    import torch

    *shape, frequencies, frames = spectra.shape
    full = spectra.new_zeros(math.prod(shape), frames, frequencies + 1)
    full[..., :-1] = spectra.reshape(-1, frequencies, frames).transpose(1, 2)
    hop: int = model.hop_length
    pieces = torch.fft.irfft(full, norm="ortho")
    pieces *= torch.hann_window(4 * hop) / 1.5
    pieces = pieces.view(-1, frames, 4, hop)
    samples = pieces.new_zeros(len(pieces), frames + 3, hop)
    for quarter in range(4):
        samples[:, quarter : quarter + frames] += pieces[:, :, quarter]
    start = hop * 3 // 2
    whole: Tensor = samples.view(*shape, -1)
    return whole[..., start : start + length]
