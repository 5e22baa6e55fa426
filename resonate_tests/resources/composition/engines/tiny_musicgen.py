"""MusicGen and MusicGen Melody of their real architecture, small and random, saved as their hub has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

_PIECES = ("<pad>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz0123456789,.#:-")


def codec_config() -> Any:
    """EnCodec of four codebooks at 50 Hz, its rate 32 kHz."""
    return transformers.EncodecConfig(
        sampling_rate=32000, audio_channels=1, target_bandwidths=[2.2], num_filters=4, hidden_size=16,
        upsampling_ratios=[8, 5, 4, 4], codebook_size=1024, codebook_dim=16, num_lstm_layers=1,
    )  # fmt: skip


def drawn(codec: Any) -> Any:
    """Its codebooks at random: they would be zeros, and every token silence."""
    for layer in codec.quantizer.layers:
        layer.codebook.embed.normal_()
    return codec


def save_tokenizer(folder: Path) -> None:
    """Of 64 pieces at most."""
    pieces = [(piece, -float(place)) for place, piece in enumerate(_PIECES)]
    transformers.T5Tokenizer(vocab=pieces, extra_ids=0).save_pretrained(folder)


def save(folder: Path, melody: bool = False, channels: int = 1, width: int = 16) -> Path:
    """One layer each of T5 and the decoder."""
    torch.manual_seed(11)
    text = transformers.T5Config(vocab_size=64, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    kind = "MusicgenMelody" if melody else "Musicgen"
    decoder = getattr(transformers, f"{kind}DecoderConfig")(
        vocab_size=1024, num_codebooks=4, pad_token_id=1024, bos_token_id=1024, hidden_size=width,
        num_hidden_layers=1, num_attention_heads=2, ffn_dim=32, audio_channels=channels, initializer_factor=1.0,
    )  # fmt: skip
    config = getattr(transformers, f"{kind}Config")(
        text_encoder=text.to_dict(), audio_encoder=codec_config().to_dict(), decoder=decoder.to_dict()
    )
    model: Any = getattr(transformers, f"{kind}ForConditionalGeneration")(config)
    drawn(model.audio_encoder)
    model.generation_config = transformers.GenerationConfig(  # as facebook/musicgen-small's
        bos_token_id=1024, pad_token_id=1024, decoder_start_token_id=1024, do_sample=True, guidance_scale=3.0,
        max_length=1500,
    )  # fmt: skip
    model.save_pretrained(folder)
    save_tokenizer(folder)
    return folder
