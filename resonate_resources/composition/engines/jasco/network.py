"""JASCO's transformer: where noise is to flow, given what has become of it and what it is to become.

Weights go by the names of audiocraft's `FlowMatchingModel`; what they do is described in arXiv 2406.10970 and, for
layers and embeddings, 2306.05284. Chords, drums and melody are put beside each frame's latent; words, and how far
the flow has come, are attended to.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from resonate_resources.composition.engines.jasco.settings import Settings
from resonate_resources.models.weights import ModelError

_LONGEST_PERIOD: Final = 10_000.0  # of both embeddings
_TIMES: Final = 128  # numbers of how far the flow has come, before it is brought to the transformer's width
_PLACE: Final = "condition_provider.conditioners"
_CODEC: Final = f"{_PLACE}.self_wav.compression_model."
"""EnCodec, which drums were heard by when it was trained, is saved with it."""


def shapes(settings: Settings, text_width: int) -> dict[str, tuple[int, ...]]:
    """Name → shape of all weights of such a network."""
    width, inner, latent = settings.width, settings.inner, settings.latent
    attention, feeding, output = settings.biases
    found: dict[str, tuple[int, ...]] = {}

    def linear(name: str, into: int, out: int, bias: bool = True) -> None:
        found[f"{name}.weight"] = (out, into)
        if bias:
            found[f"{name}.bias"] = (out,)

    def norm(name: str) -> None:
        found[f"{name}.weight"] = found[f"{name}.bias"] = (width,)

    linear("emb", latent + settings.chords + settings.drums + settings.melody, width, False)
    for layer in range(settings.layers):
        place = f"transformer.layers.{layer}"
        for part in ("self_attn", "cross_attention"):
            found[f"{place}.{part}.in_proj_weight"] = (3 * width, width)
            if attention:
                found[f"{place}.{part}.in_proj_bias"] = (3 * width,)
            linear(f"{place}.{part}.out_proj", width, width, attention)
        linear(f"{place}.linear1", width, inner, feeding)
        linear(f"{place}.linear2", inner, width, feeding)
        for part in ("norm1", "norm_cross", "norm2"):
            norm(f"{place}.{part}")
    if settings.skips:
        for number in range(settings.layers // 2):
            linear(f"transformer.skip_projections.{number}", 2 * width, width)
    norm("out_norm")
    linear("linear", width, latent, output)
    linear("temb.dense.0", _TIMES, 4 * _TIMES)
    linear("temb.dense.1", 4 * _TIMES, 4 * _TIMES)
    linear("temb_proj", 4 * _TIMES, width)
    linear(f"{_PLACE}.description.output_proj", text_width, width)
    found[f"{_PLACE}.chords.emb.weight"] = (settings.null_chord + 1, settings.chords)
    linear(f"{_PLACE}.self_wav.output_proj", latent, settings.drums)
    if settings.melody:
        linear(f"{_PLACE}.melody.output_proj", settings.pitches, settings.melody)
    return found


class Network:
    """Its weights, where they are to be used."""

    def __init__(self, weights: Mapping[str, Any], settings: Settings, text_width: int, device: str) -> None:
        """weights: name → tensor. Raises ModelError where they are not those of such a network, all of them."""
        own = {name: tensor for name, tensor in weights.items() if not name.startswith(_CODEC)}
        wanted = shapes(settings, text_width)
        for name in sorted(own.keys() ^ wanted.keys()):
            raise ModelError(f"has {'not ' if name in wanted else ''}the weights {name}")
        for name, shape in wanted.items():
            if tuple(own[name].shape) != shape:
                raise ModelError(f"{name} is {tuple(own[name].shape)}, not {shape}")
        self._settings = settings
        self._weights = {name: tensor.float().to(device) for name, tensor in own.items()}
        self.device = device

    def words(self, heard: Any, mask: Any) -> Any:
        """(rows, tokens, width) of T5's hidden states. mask: (rows, tokens), 0 where there is no word."""
        return self._linear(f"{_PLACE}.description.output_proj", heard) * mask[..., None]

    def beside(self, chords: Any, drums: Any, melody: Any) -> Any:
        """(rows, frames, …) that stand beside latents. chords: (rows, frames) numbers. drums: (rows, frames,
        latent). melody: (rows, frames, pitches), which a network without melody has no use for."""
        import torch

        parts = [self._weights[f"{_PLACE}.chords.emb.weight"][chords]]
        parts.append(self._linear(f"{_PLACE}.self_wav.output_proj", drums))
        if self._settings.melody:
            parts.append(self._linear(f"{_PLACE}.melody.output_proj", melody))
        return torch.cat(parts, -1)

    def flow(self, latents: Any, time: float, beside: Any, words: Any) -> Any:
        """(rows, frames, latent): where each row flows at that time, 0 (noise) to 1 (music)."""
        import torch

        x = self._linear("emb", torch.cat([latents, beside], -1))
        x = x + self._places(x.shape[1])
        heard = words + self._linear("temb_proj", self._time(time))
        half, earlier = self._settings.layers // 2, list[Any]()
        for layer in range(self._settings.layers):
            if self._settings.skips and layer >= half:
                both = torch.cat([x, earlier.pop()], -1)
                x = self._linear(f"transformer.skip_projections.{layer % half}", both)
            x = self._layer(f"transformer.layers.{layer}", x, heard)
            if self._settings.skips and layer < half:
                earlier.append(x)
        return self._linear("linear", self._norm("out_norm", x))

    def _layer(self, place: str, x: Any, heard: Any) -> Any:
        from torch.nn.functional import gelu

        own = self._norm(f"{place}.norm1", x)
        x = x + self._attention(f"{place}.self_attn", own, own)
        x = x + self._attention(f"{place}.cross_attention", self._norm(f"{place}.norm_cross", x), heard)
        inner = gelu(self._linear(f"{place}.linear1", self._norm(f"{place}.norm2", x)))
        return x + self._linear(f"{place}.linear2", inner)

    def _attention(self, place: str, asking: Any, heard: Any) -> Any:
        from torch.nn.functional import linear, scaled_dot_product_attention

        (rows, frames, width), heads = asking.shape, self._settings.heads
        weights, biases = self._weights[f"{place}.in_proj_weight"], self._weights.get(f"{place}.in_proj_bias")
        asked, keys, values = (
            linear(each, weight, bias).view(rows, -1, heads, width // heads).transpose(1, 2)
            for each, weight, bias in zip(
                (asking, heard, heard),
                weights.chunk(3),
                (None,) * 3 if biases is None else biases.chunk(3),
                strict=True,
            )
        )
        found = scaled_dot_product_attention(asked, keys, values)
        return self._linear(f"{place}.out_proj", found.transpose(1, 2).reshape(rows, frames, width))

    def _places(self, frames: int) -> Any:
        """(frames, width): which frame it is, as cosines and sines."""
        import torch

        half = self._settings.width // 2
        periods = _LONGEST_PERIOD ** (torch.arange(half, device=self.device) / (half - 1))
        phases = torch.arange(frames, device=self.device)[:, None] / periods
        return torch.cat([phases.cos(), phases.sin()], -1)

    def _time(self, time: float) -> Any:
        import torch
        from torch.nn.functional import silu

        half = _TIMES // 2
        steps = torch.arange(half, device=self.device) * (-math.log(_LONGEST_PERIOD) / (half - 1))
        phases = time * steps.exp()
        inner = silu(self._linear("temb.dense.0", torch.cat([phases.sin(), phases.cos()])))
        return self._linear("temb.dense.1", inner)

    def _linear(self, name: str, x: Any) -> Any:
        from torch.nn.functional import linear

        return linear(x, self._weights[f"{name}.weight"], self._weights.get(f"{name}.bias"))

    def _norm(self, name: str, x: Any) -> Any:
        from torch.nn.functional import layer_norm

        weight = self._weights[f"{name}.weight"]
        return layer_norm(x, weight.shape, weight, self._weights[f"{name}.bias"])


def guided(flows: Any, shares: Sequence[float]) -> Any:
    """(frames, latent): rows of flows by their shares, which sum to 1 (classifier-free guidance of several)."""
    import torch

    # Not a product of matrices, which autocast would round.
    return (flows * torch.tensor(shares, device=flows.device)[:, None, None]).sum(0)
