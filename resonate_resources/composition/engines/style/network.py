"""MusicGen-Style's networks out of the hub's folders: audiocraft's language model and style conditioner under their
published names, and T5, EnCodec and MERT beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from resonate_resources.composition.engines.style.conditioner import StyleConditioner
from resonate_resources.composition.engines.style.sampling import Step, continued_codes
from resonate_resources.models.audiocraft_files import codec_named, read_language_model
from resonate_resources.models.device import choose_device
from resonate_resources.models.hub_folder import whole
from resonate_resources.models.mert import read_mert
from resonate_resources.models.precision import lower_precision
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import Samples
from resonate_resources.signal.mono import Mono

FOLDER, TEXT, CODEC, HEARING = "musicgen-style", "t5-base", "encodec_32khz", "MERT-v1-95M"
"""As the hub calls them."""
_STYLE, _TEXT = "condition_provider.conditioners.self_wav.", "condition_provider.conditioners.description."
_HEADS: Final = {"xsmall": 8, "default": 8, "large": 16}
"""transformer_scale → heads of the conditioner's attention."""
_NAMES: Final = {
    "emb.": "model.decoder.embed_tokens.",
    "transformer.": "model.decoder.",
    "linear1.": "fc1.",
    "linear2.": "fc2.",
    "norm1.": "self_attn_layer_norm.",
    "norm2.": "final_layer_norm.",
    "out_norm.": "model.decoder.layer_norm.",
    "linears.": "lm_heads.",
}
"""In the names of the language model's weights: audiocraft's → transformers', as its own converter has them."""


@cache
def load(directory: Path) -> StyleNetwork:
    """Once a process. Raises ModelError where a folder is not whole."""
    try:
        return StyleNetwork(directory)
    except ModelError:
        raise
    except Exception as error:  # of torch, transformers, tokenizers or safetensors, which have their own
        raise ModelError(f"{directory / FOLDER}: can't be read ({str(error).splitlines()[0]})") from error


class StyleNetwork:
    """rate: of its sound in Hz. lower: the precision of the language model, which takes the time; None: float32."""

    def __init__(self, directory: Path) -> None:
        import torch
        import transformers

        folder = directory / FOLDER
        if codec_named(folder).rpartition("/")[2] != CODEC:
            raise ModelError(f"{folder}: was made for {codec_named(folder)}; only {CODEC} can be used")
        weights, settings = read_language_model(folder)
        if settings.get("channels", 1) != 1:
            raise ModelError(f"{folder}: is a stereo model; only mono ones can be used")
        self._device = torch.device(choose_device().kind)
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(directory / TEXT, local_files_only=True)
        self._text = whole(transformers.T5EncoderModel, directory / TEXT)
        self._text_proj = [
            weights[f"{_TEXT}output_proj.{each}"].to(self._device) for each in ("weight", "bias")
        ]
        self._codec = whole(transformers.EncodecModel, directory / CODEC)
        self._decoder = _decoder(folder, weights, settings["transformer_lm"]).to(self._device)
        self.rate, self._hop = int(self._codec.config.sampling_rate), int(self._codec.config.hop_length)
        self.lower: Any = torch.float16 if lower_precision("best") else None
        style = settings["conditioners"]["self_wav"]["style"]
        if (
            style["model_name"] != "mert"
            or not style["batch_norm"]
            or style["transformer_scale"] not in _HEADS
        ):
            raise ModelError(f"{folder}: hears style otherwise than the published model does")
        heard_by = {
            name.removeprefix(_STYLE): value.to(self._device)
            for name, value in weights.items()
            if name.startswith(_STYLE)
        }
        self.conditioner = StyleConditioner(
            heard_by,
            read_mert(directory / HEARING),
            _HEADS[style["transformer_scale"]],
            int(style["eval_q"]),
            int(style["ds_factor"]),
        )  # fmt: skip

    def hear(self, excerpt: Mono) -> Any:
        """The style of a few seconds at HEARD_RATE: (1, tokens, width)."""
        import torch

        with torch.inference_mode():
            return self.conditioner(torch.from_numpy(excerpt)[None].to(self._device))

    def generate(self, texts: Sequence[str], style: Any, prompts: Samples | None, frames: int) -> Samples:
        """(texts, frames) at its rate, all in that style; what is continued comes first.

        prompts: (texts, frames).
        """
        import torch

        books = self._decoder.config.num_codebooks
        known = torch.zeros((len(texts), books, 0), dtype=torch.long, device=self._device)
        with torch.inference_mode():
            if prompts is not None:
                heard = torch.from_numpy(np.ascontiguousarray(prompts))[:, np.newaxis].to(self._device)
                known = self._codec.encode(heard).audio_codes[0]
            step = self._steps(style, self._said(texts))
            with torch.autocast(self._device.type, self.lower, enabled=self.lower is not None):
                codes = continued_codes(step, known, -(-frames // self._hop), self._decoder.config.vocab_size)
            sound = self._codec.decode(codes[None], [None]).audio_values
        made: Samples = sound[:, 0].float().cpu().numpy()
        if not np.isfinite(made).all():
            raise ModelError("the model made no numbers: is it whole?")
        return made[:, :frames]

    def _steps(self, style: Any, said: Any) -> Step:
        return _Steps(self._decoder, _led(style, said))

    def _said(self, texts: Sequence[str]) -> Any:
        """(texts, tokens, width), 0 where a text is shorter than another."""
        from torch.nn import functional

        inputs = self._tokenizer([*texts], padding=True, return_tensors="pt").to(self._device)
        inner = self._text(**inputs).last_hidden_state
        return functional.linear(inner, *self._text_proj) * inputs["attention_mask"][..., None]


class _Steps:
    """The language model, whose state goes on from step to step. led: (3 · batch, tokens, width), before all."""

    def __init__(self, decoder: Any, led: Any) -> None:
        self._decoder, self._led, self._past = decoder, led, None

    def __call__(self, sequence: Any) -> Any:
        batch, books, _ = sequence.shape
        told = self._decoder(
            input_ids=sequence.repeat(3, 1, 1).flatten(0, 1),
            encoder_hidden_states=self._led if self._past is None else None,
            past_key_values=self._past,
            use_cache=True,
        )
        self._past = told.past_key_values
        return told.logits[:, -1].view(3, batch, books, -1)


def _led(style: Any, said: Any) -> Any:
    """By style and text, by style, by neither: what does not lead is zeros of the same length, as in training."""
    import torch

    styles = style.expand(len(said), -1, -1)
    rows = [(styles, said), (styles, 0 * said), (0 * styles, 0 * said)]
    return torch.cat([torch.cat(row, dim=1) for row in rows])


def _decoder(folder: Path, weights: Mapping[str, Any], settings: Mapping[str, Any]) -> Any:
    """Raises ModelError where weights are missing, or there are others."""
    from transformers import MusicgenMelodyDecoderConfig, MusicgenMelodyForCausalLM

    card, width = int(settings["card"]), int(settings["dim"])
    config = MusicgenMelodyDecoderConfig(
        vocab_size=card, pad_token_id=card, bos_token_id=card, hidden_size=width, audio_channels=1,
        num_hidden_layers=int(settings["num_layers"]), num_attention_heads=int(settings["num_heads"]),
        ffn_dim=int(settings["hidden_scale"]) * width, num_codebooks=int(settings["n_q"]),
    )  # fmt: skip
    named = {}
    for name, value in weights.items():
        if name.startswith("condition_provider."):
            continue
        new = name
        for theirs, ours in _NAMES.items():
            new = new.replace(theirs, ours)
        if new.endswith("in_proj_weight"):
            for part, each in zip("qkv", value.chunk(3), strict=True):
                named[new.replace("in_proj_weight", f"{part}_proj.weight")] = each
        else:
            named[new] = value
    # Straight into the network: one that was made first would double the memory, and draw a billion numbers.
    decoder, told = MusicgenMelodyForCausalLM.from_pretrained(
        None, config=config, state_dict=named, output_loading_info=True
    )
    wrong = sorted({*told["missing_keys"], *told["unexpected_keys"], *map(str, told["mismatched_keys"])})
    if wrong:
        raise ModelError(f"{folder}: has not the weights it should have ({wrong[0]}, {len(wrong)} in all)")
    return decoder.eval()
