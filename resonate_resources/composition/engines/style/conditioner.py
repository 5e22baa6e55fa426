"""What MusicGen-Style hears of an excerpt (Rouard et al. 2024, arXiv 2407.12563, section 3).

MERT's last layer, a transformer, its output whitened and rounded to a few codebooks, so that little but the style
is left, and every fifteenth frame of that: five tokens a second, which the language model reads before its text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

HEARD_RATE: Final = 24_000
"""Of what MERT hears, in Hz."""
_NORM_EPS = 1e-5  # torch's own, which its authors left as they are
_LONGEST_PERIOD = 10_000.0


@dataclass(frozen=True)
class StyleConditioner:
    """weights: tensors by their published names, below `condition_provider.conditioners.self_wav.`, on one device.
    mert: (1, frames) → its outputs. heads: of each layer's attention. quantisers: how many codebooks are kept, of
    those there are; fewer of them leave more freedom. every: which frame of these is kept."""

    weights: Mapping[str, Any]
    mert: Any
    heads: int
    quantisers: int
    every: int

    def __call__(self, sound: Any) -> Any:
        """(1, frames) at HEARD_RATE → (1, tokens, width of the language model)."""
        return self.tokens(self.mert(sound).last_hidden_state)

    def tokens(self, features: Any) -> Any:
        """(1, frames, features) at 75 Hz → (1, tokens, width of the language model)."""
        from torch.nn import functional

        heard = self.encoded(features)
        mean, variance = self.weights["batch_norm.running_mean"], self.weights["batch_norm.running_var"]
        rounded = self.rounded((heard - mean) / (variance + _NORM_EPS).sqrt())
        return functional.linear(rounded[:, :: self.every], *self._linear("output_proj"))

    def encoded(self, features: Any) -> Any:
        """By the transformer: its norms come before attention and feed-forward, and none after the last."""
        from torch.nn import functional

        state = functional.linear(features, *self._linear("embed"))
        state = state + positions(state)
        layers = 1 + max(int(name.split(".")[2]) for name in self.weights if name.startswith("transformer."))
        for number in range(layers):
            state = self._layer(state, f"transformer.layers.{number}.")
        return state

    def rounded(self, heard: Any) -> Any:
        """To the sum of each codebook's nearest vector to what those before it leave over."""
        import torch

        left = heard
        for number in range(self.quantisers):
            codebook = self.weights[f"rvq.vq.layers.{number}._codebook.embed"]
            left = left - codebook[torch.cdist(left[0], codebook).argmin(dim=-1)]
        return heard - left

    def _layer(self, state: Any, at: str) -> Any:
        from torch.nn import functional

        def normed(name: str) -> Any:
            weight, bias = self._linear(at + name)
            return functional.layer_norm(state, weight.shape, weight, bias, _NORM_EPS)

        projected = functional.linear(normed("norm1"), self.weights[f"{at}self_attn.in_proj_weight"])
        parts = projected.view(*state.shape[:2], 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
        state = state + functional.linear(attended, self.weights[f"{at}self_attn.out_proj.weight"])
        wide = functional.gelu(functional.linear(normed("norm2"), self.weights[f"{at}linear1.weight"]))
        return state + functional.linear(wide, self.weights[f"{at}linear2.weight"])

    def _linear(self, name: str) -> tuple[Any, Any]:
        return self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]


def positions(state: Any) -> Any:
    """(frames, width): cosines, then sines, of frames over periods from 2π to 2π·10,000, both of them there."""
    import torch

    _, frames, width = state.shape
    place = torch.arange(frames, device=state.device, dtype=torch.float32)[:, None]
    share = torch.arange(width // 2, device=state.device, dtype=torch.float32) / (width // 2 - 1)
    phase = place / _LONGEST_PERIOD**share
    return torch.cat([phase.cos(), phase.sin()], dim=-1)
