"""JASCO of its real architecture, small and random, saved as its hub and audiocraft's repository have it."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from resonate_resources.composition.engines.jasco.network import shapes
from resonate_resources.composition.engines.jasco.settings import Settings

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

_PIECES = ("<pad>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz0123456789,.#:-")
_NAMES = ("A", "Bb", "B", "C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab")
_KINDS = ("", "m", "m7b5", "6", "7", "maj7", "m7", "m6", "dim", "aug", "dim7")
TEXT_WIDTH = 24

XP_CFG = """\
solver: jasco
lm_model: flow_matching
autocast: true
autocast_dtype: float16
compression_model_checkpoint: //pretrained/facebook/encodec_32khz
compression_model_latent_std: 4.0102
compression_model_latent_mean: -0.0074
compression_model_framerate: 50
compression_model_latent_dim: {latent}
efficient_attention_backend: xformers
channels: 1
sample_rate: 32000
dataset:
  segment_duration: 10
  compression_model_framerate: ${{compression_model_framerate}}
optim:
  lr: 0.0001
transformer_lm:
  dim: {width}
  num_heads: 2
  num_layers: 2
  hidden_scale: 4
  n_q: 4
  card: 2048
  dropout: 0.0
  activation: gelu
  norm_first: true
  bias_ff: false
  bias_attn: false
  bias_proj: false
  past_context: null
  causal: false
  custom: false
  memory_efficient: true
  attention_as_float32: false
  layer_scale: null
  positional_embedding: sin
  xpos: false
  checkpointing: none
  norm: layer_norm
  cross_attention: false
  qk_layer_norm: false
  qk_layer_norm_cross: false
  attention_dropout: null
  kv_repeat: 1
  skip_connections: {skips}
  flow_dim: ${{compression_model_latent_dim}}
  chords_dim: ${{conditioners.chords.chords_emb.out_dim}}
  drums_dim: ${{conditioners.self_wav.drum_latents.out_dim}}
classifier_free_guidance:
  training_dropout: 0.2
  inference_coef: 3.0
fuser:
  cross_attention_pos_emb: false
  cross_attention_pos_emb_scale: 1
  sum: []
  prepend: []
  cross:
  - description
  ignore:
  - chords
  - self_wav
  input_interpolate: []
conditioners:
  self_wav:
    model: drum_latents
    drum_latents:
      sample_rate: ${{sample_rate}}
      out_dim: 2
      blurring_factor: 3
      cache_path: null
      compression_model_latent_dim: ${{compression_model_latent_dim}}
      compression_model_framerate: ${{compression_model_framerate}}
      segment_duration: ${{dataset.segment_duration}}
  description:
    model: t5
    t5:
      name: t5-base
      finetune: false
      word_dropout: 0.3
      normalize_text: false
  chords:
    model: chords_emb
    chords_emb:
      card: 194
      out_dim: 16
"""
_MELODY = """\
  melody:
    model: melody
    melody:
      card: 53
      out_dim: 16
"""


def configuration(melody: bool = False, skips: bool = False, width: int = 32) -> str:
    """As audiocraft's config/solver/jasco makes it, resolved no further than it is when it is saved."""
    return XP_CFG.format(latent=16, width=width, skips=str(skips).lower()) + (_MELODY if melody else "")


def chord_numbers() -> dict[str, int]:
    """132 chords of Chordino's spelling, some with another bass, and none."""
    names = [f"{name}{kind}" for kind in _KINDS for name in _NAMES]
    return {name: number for number, name in enumerate([*names, "C/E", "C/G", "Am/C", "N", "UNK"])}


def save(
    models: Path, name: str = "jasco-chords-drums-400M", melody: bool = False, skips: bool = False
) -> Path:
    """The folder, and beside it those of EnCodec (32 kHz, 50 frames a second) and T5, and the list of chords."""
    torch.manual_seed(11)
    codec = transformers.EncodecModel(
        transformers.EncodecConfig(
            sampling_rate=32000, audio_channels=1, target_bandwidths=[2.2], num_filters=4, hidden_size=16,
            upsampling_ratios=[8, 5, 4, 4], codebook_size=1024, codebook_dim=16, num_lstm_layers=1,
        )
    )  # fmt: skip
    for layer in codec.quantizer.layers:
        layer.codebook.embed.normal_()  # they would be zeros, and all drums alike
    for weight_name, weight in codec.named_parameters():
        if weight_name.endswith(
            "original0"
        ):  # lengths of weights: of as many layers hardly anything would be left
            weight.data *= 1.8
    codec.save_pretrained(models / "encodec_32khz")
    text = transformers.T5Config(
        vocab_size=64, d_model=TEXT_WIDTH, d_kv=8, d_ff=16, num_layers=1, num_heads=2
    )
    transformers.T5ForConditionalGeneration(text).save_pretrained(models / "t5-base")
    pieces = [(piece, -float(place)) for place, piece in enumerate(_PIECES)]
    transformers.T5Tokenizer(vocab=pieces, extra_ids=0).save_pretrained(models / "t5-base")
    (models / "chord_to_index_mapping.pkl").write_bytes(pickle.dumps(chord_numbers()))

    folder = models / name
    folder.mkdir()
    told = configuration(melody, skips)
    state = {}
    for weight_name, shape in shapes(Settings.read(told), TEXT_WIDTH).items():
        random = torch.randn(shape) * (1.0 if "conditioners" in weight_name else 0.3)
        state[weight_name] = torch.ones(shape) if "norm" in weight_name and len(shape) == 1 else random
    state["emb.weight"][:, 16:] *= 4  # of what leads it, of which there is little beside noise
    place = "condition_provider.conditioners.self_wav.compression_model.model."
    state |= {place + name: tensor for name, tensor in codec.state_dict().items()}
    saved = {"best_state": state, "xp.cfg": told, "version": "1.4.0a1", "exported": True}
    torch.save(saved, folder / "state_dict.bin")
    pretrained = {"pretrained": "facebook/encodec_32khz", "exported": True, "version": "1.4.0a1"}
    torch.save(pretrained, folder / "compression_state_dict.bin")
    return folder
