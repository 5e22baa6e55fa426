"""ACE-Step 1.5 of its real architecture, small and random, saved as its hub has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
diffusers = pytest.importorskip("diffusers")
tokenizers = pytest.importorskip("tokenizers")

_LAYER = {
    "intermediate_size": 32, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8,
    "sliding_window": 16,
}  # fmt: skip


def save(folder: Path, width: int = 16, version: str | None = "base") -> Path:
    """Latents of 25 Hz, four wide, of stereo at 48 kHz; one layer of each network."""
    torch.manual_seed(11)
    text = transformers.Qwen3Config(
        vocab_size=300, hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, head_dim=8,
    )  # fmt: skip
    pieces = tokenizers.Tokenizer(
        tokenizers.models.BPE(
            vocab={
                letter: number for number, letter in enumerate(tokenizers.pre_tokenizers.ByteLevel.alphabet())
            },
            merges=[],
        )
    )
    pieces.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    pipeline = diffusers.AceStepPipeline(
        vae=diffusers.AutoencoderOobleck(
            encoder_hidden_size=8, downsampling_ratios=[2, 4, 4, 6, 10], channel_multiples=[1, 1, 1, 1, 1],
            decoder_channels=4, decoder_input_channels=4, sampling_rate=48_000,
        ),
        text_encoder=transformers.Qwen3Model(text),
        tokenizer=transformers.PreTrainedTokenizerFast(
            tokenizer_object=pieces, eos_token="<|endoftext|>", pad_token="<|endoftext|>"
        ),
        transformer=diffusers.AceStepTransformer1DModel(
            hidden_size=width, num_hidden_layers=2, in_channels=12, audio_acoustic_hidden_dim=4,
            encoder_hidden_size=16, is_turbo=version == "turbo", model_version=version, **_LAYER,
        ),
        condition_encoder=diffusers.AceStepConditionEncoder(
            hidden_size=16, text_hidden_dim=16, timbre_hidden_dim=4, num_lyric_encoder_hidden_layers=1,
            num_timbre_encoder_hidden_layers=1, **_LAYER,
        ),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, shift=1.0),
    )  # fmt: skip
    pipeline.save_pretrained(folder)
    assert json.loads((folder / "model_index.json").read_text())["_class_name"] == "AceStepPipeline"
    return folder
