"""What a published JASCO checkpoint says of itself: `xp.cfg`, OmegaConf's YAML with references in it.

The names are audiocraft's (MIT): config/solver/jasco, config/conditioner and config/model/lm there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from resonate_resources.models.weights import ModelError

_REFERENCE: Final = re.compile(r"\$\{([\w.]+)\}")
_BUILT_AS: Final[Mapping[str, Any]] = {
    "lm_model": "flow_matching",
    "transformer_lm.activation": "gelu",
    "transformer_lm.causal": False,
    "transformer_lm.norm": "layer_norm",
    "transformer_lm.norm_first": True,
    "transformer_lm.memory_efficient": True,
    "transformer_lm.positional_embedding": "sin",
    "transformer_lm.layer_scale": None,
    "transformer_lm.qk_layer_norm": False,
    "transformer_lm.kv_repeat": 1,
}
"""How all that are published are built; what is built otherwise is refused."""


@dataclass(frozen=True)
class Settings:
    """width: of the transformer. latent: numbers a frame of EnCodec. skips: the later half of the layers hears the
    earlier. biases: of attention, feed-forward and the output. null_chord: what stands for no word on chords; those
    below it are chords. chords, drums, melody: numbers a frame that each is brought to; melody 0: it takes none.
    pitches: of the melody. blur: frames that drums are the mean of. text, codec: which T5 and EnCodec, as their hub
    calls them."""

    width: int
    heads: int
    layers: int
    inner: int
    skips: bool
    biases: tuple[bool, bool, bool]
    latent: int
    latent_mean: float
    latent_std: float
    frame_rate: int
    seconds: int
    rate: int
    null_chord: int
    chords: int
    drums: int
    melody: int
    pitches: int
    blur: int
    text: str
    codec: str

    @property
    def frames(self) -> int:
        """Of what it was trained on."""
        return self.frame_rate * self.seconds

    @classmethod
    def read(cls, text: str) -> Settings:
        """Raises ModelError for what is no configuration of JASCO's, or of one that is built otherwise."""
        try:
            tree = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ModelError(f"xp.cfg: is no YAML ({str(error).splitlines()[0]})") from error
        for name, value in _BUILT_AS.items():
            if _at(tree, name) != value:
                raise ModelError(f"xp.cfg: {name} is {_at(tree, name)!r}; only {value!r} can be used")

        def number(name: str) -> float:
            found = _at(tree, name)
            if not isinstance(found, int | float):
                raise ModelError(f"xp.cfg: {name} is {found!r}, which is no number")
            return found

        melodic = "melody" in _at(tree, "conditioners")
        width = int(number("transformer_lm.dim"))
        return cls(
            width=width,
            heads=int(number("transformer_lm.num_heads")),
            layers=int(number("transformer_lm.num_layers")),
            inner=int(number("transformer_lm.hidden_scale") * width),
            skips=bool(_at(tree, "transformer_lm.skip_connections")),
            biases=tuple(bool(_at(tree, f"transformer_lm.bias_{part}")) for part in ("attn", "ff", "proj")),  # type: ignore[arg-type]
            latent=int(number("transformer_lm.flow_dim")),
            latent_mean=number("compression_model_latent_mean"),
            latent_std=number("compression_model_latent_std"),
            frame_rate=int(number("compression_model_framerate")),
            seconds=int(number("dataset.segment_duration")),
            rate=int(number("sample_rate")),
            null_chord=int(number("conditioners.chords.chords_emb.card")),
            chords=int(number("conditioners.chords.chords_emb.out_dim")),
            drums=int(number("conditioners.self_wav.drum_latents.out_dim")),
            melody=int(number("conditioners.melody.melody.out_dim")) if melodic else 0,
            pitches=int(number("conditioners.melody.melody.card")) if melodic else 0,
            blur=int(number("conditioners.self_wav.drum_latents.blurring_factor")),
            text=str(_at(tree, "conditioners.description.t5.name")),
            codec=str(_at(tree, "compression_model_checkpoint")).removeprefix("//pretrained/"),
        )


def _at(tree: Any, name: str, referred: int = 0) -> Any:
    """The value of a dotted name; what `${another.name}` refers to. Raises ModelError where there is none."""
    found = tree
    for part in name.split("."):
        if not isinstance(found, dict) or part not in found:
            raise ModelError(f"xp.cfg: has no {name}")
        found = found[part]
    reference = _REFERENCE.fullmatch(found) if isinstance(found, str) else None
    if reference is None:
        return found
    if referred > len(_BUILT_AS):
        raise ModelError(f"xp.cfg: {name} refers to itself")
    return _at(tree, reference[1], referred + 1)
