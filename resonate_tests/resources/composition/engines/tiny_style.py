"""MusicGen-Style of its real architecture, small and random, saved as the hubs have it and what belongs to it.

Names and shapes of the weights are audiocraft's: of its LMModel, T5Conditioner and StyleConditioner.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
from resonate_tests.resources.composition.engines.tiny_musicgen import (  # noqa: E402
    codec_config,
    drawn,
    save_tokenizer,
)

WIDTH, CARD, STYLE_WIDTH, MERT_WIDTH, TEXT_WIDTH = 16, 1024, 32, 32, 16
_STYLE, _TEXT = "condition_provider.conditioners.self_wav.", "condition_provider.conditioners.description."

XP_CFG = f"""\
solver: musicgen
lm_model: transformer_lm
channels: 1
sample_rate: 32000
compression_model_checkpoint: //pretrained/facebook/encodec_32khz
dataset:
  segment_duration: 30
transformer_lm:
  dim: {WIDTH}
  num_heads: 2
  num_layers: 2
  hidden_scale: 4
  n_q: 4
  card: {CARD}
  activation: gelu
  norm_first: true
  bias_ff: false
  bias_attn: false
  bias_proj: false
  memory_efficient: true
  positional_embedding: sin
classifier_free_guidance:
  training_dropout: 0.1
  inference_coef: 3.0
fuser:
  sum: []
  prepend: [self_wav, description]
  cross: []
  input_interpolate: []
conditioners:
  self_wav:
    model: style
    style:
      model_name: mert
      transformer_scale: default
      sample_rate: ${{sample_rate}}
      encodec_checkpoint: //pretrained/facebook/encodec_32khz
      encodec_n_q: 3
      length: 3.0
      ds_factor: 15
      n_q_out: 6
      eval_q: 3
      q_dropout: true
      bins: 64
      varying_lengths: [1.5, 4.5]
      batch_norm: true
      compute_mask: true
      num_codebooks_lm: ${{transformer_lm.n_q}}
      ds_rate_compression: 640
      use_middle_of_segment: false
      rvq_threshold_ema_dead_code: 0.1
  description:
    model: t5
    t5: {{name: t5-base, finetune: false, word_dropout: 0.2, normalize_text: false}}
"""


def _transformer(width: int, layers: int) -> dict[str, object]:
    made: dict[str, object] = {}
    for layer in range(layers):
        at = f"transformer.layers.{layer}."
        made[f"{at}self_attn.in_proj_weight"] = torch.randn(3 * width, width) / width**0.5
        made[f"{at}self_attn.out_proj.weight"] = torch.randn(width, width) / width**0.5
        made[f"{at}linear1.weight"] = torch.randn(4 * width, width) / width**0.5
        made[f"{at}linear2.weight"] = torch.randn(width, 4 * width) / width**0.5
        for norm in ("norm1", "norm2"):
            made[f"{at}{norm}.weight"] = 1 + 0.1 * torch.randn(width)
            made[f"{at}{norm}.bias"] = 0.1 * torch.randn(width)
    return made


def _linear(name: str, inner: int, outer: int) -> dict[str, object]:
    return {
        f"{name}.weight": torch.randn(outer, inner) / inner**0.5,
        f"{name}.bias": 0.1 * torch.randn(outer),
    }


def style_weights() -> dict[str, object]:
    """Of the style conditioner, below its own name."""
    made = _transformer(STYLE_WIDTH, 2)
    made |= _linear("embed", MERT_WIDTH, STYLE_WIDTH) | _linear("output_proj", STYLE_WIDTH, WIDTH)
    made["batch_norm.running_mean"] = torch.randn(STYLE_WIDTH)
    made["batch_norm.running_var"] = 0.5 + torch.rand(STYLE_WIDTH)
    made["batch_norm.num_batches_tracked"] = torch.tensor(5)
    for number in range(6):
        at = f"rvq.vq.layers.{number}._codebook."
        made[f"{at}inited"] = torch.ones(1)
        made[f"{at}cluster_size"] = torch.ones(64)
        made[f"{at}embed"] = torch.randn(64, STYLE_WIDTH) / 2**number
        made[f"{at}embed_avg"] = torch.zeros(64, STYLE_WIDTH)
    return made


def language_model_weights() -> dict[str, object]:
    made = _transformer(WIDTH, 2)
    made |= {f"emb.{book}.weight": torch.randn(CARD + 1, WIDTH) for book in range(4)}
    made |= {f"linears.{book}.weight": torch.randn(CARD, WIDTH) for book in range(4)}
    made |= {"out_norm.weight": 1 + 0.1 * torch.randn(WIDTH), "out_norm.bias": 0.1 * torch.randn(WIDTH)}
    return made


def save(models: Path) -> Path:
    """The four folders, in `models`."""
    torch.manual_seed(11)
    folder = models / "musicgen-style"
    folder.mkdir(parents=True)
    weights = language_model_weights()
    weights |= {f"{_STYLE}{name}": value for name, value in style_weights().items()}
    weights |= {f"{_TEXT}{name}": value for name, value in _linear("output_proj", TEXT_WIDTH, WIDTH).items()}
    exported = {"version": "1.4.0a1", "exported": True}
    torch.save({"best_state": weights, "xp.cfg": XP_CFG, **exported}, folder / "state_dict.bin")
    torch.save({"pretrained": "facebook/encodec_32khz", **exported}, folder / "compression_state_dict.bin")

    text = transformers.T5Config(
        vocab_size=64,
        d_model=TEXT_WIDTH,
        d_kv=8,
        d_ff=16,
        num_layers=1,
        num_heads=2,
        decoder_start_token_id=0,
    )
    transformers.T5ForConditionalGeneration(text).save_pretrained(models / "t5-base")
    save_tokenizer(models / "t5-base")
    drawn(transformers.EncodecModel(codec_config())).save_pretrained(models / "encodec_32khz")

    hearing = transformers.HubertConfig(
        hidden_size=MERT_WIDTH, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        conv_dim=(16,) * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4,
    )  # fmt: skip
    mert = models / "MERT-v1-95M"
    transformers.HubertModel(hearing).save_pretrained(mert)
    theirs = {"model_type": "mert_model", "architectures": ["MERTModel"], "feature_extractor_cqt": False}
    (mert / "config.json").write_text(json.dumps(hearing.to_dict() | theirs))
    return models
