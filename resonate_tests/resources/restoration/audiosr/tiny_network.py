"""AudioSR's network, small, with random weights, in files as its hub has them: `python tiny_network.py DIRECTORY`.

Run by the worker's Python.
"""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import soundfile as sf
import torch

RATE, FRAMES, STEPS = 48_000, 245_760, 4
AUTOENCODER: dict[str, Any] = {"ddconfig": {"ch": 32, "ch_mult": [1, 1, 1, 1], "num_res_blocks": 1}}
CONFIG: dict[str, Any] = {
    "first_stage_config": {"params": AUTOENCODER},
    "unet_config": {
        "params": {
            "model_channels": 32,
            "channel_mult": [1, 1],
            "attention_resolutions": [2],
            "num_res_blocks": 1,
            "num_head_channels": 8,
        }
    },
    "cond_stage_config": {
        "concat_lowpass_cond": {"params": {"first_stage_config": {"params": AUTOENCODER}}},
    },
    "vocoder": {"upsample_initial_channel": 32},
}


def main(directory: Path) -> None:
    package = types.ModuleType("resonate_resources")
    package.__path__ = [str(Path(__file__).parents[4] / "resonate_resources")]
    sys.modules["resonate_resources"] = package
    from resonate_resources.restoration.audiosr.loading import build_network, load_network

    torch.manual_seed(0)
    network = build_network(CONFIG)
    # As trained ones do, and random ones do not: the vocoder of a spectrum gives a sound that is heard.
    for parameter in network.first_stage_model.vocoder.parameters():
        parameter.data.mul_(4)
    # The published file has more than the network that samples: averages of it among others.
    more = {"model_ema.decay": torch.tensor(0.9999)}
    torch.save({"state_dict": {**network.state_dict(), **more}}, directory / "pytorch_model.bin")
    (directory / "config.json").write_text(json.dumps(CONFIG))
    expect(load_network(directory / "pytorch_model.bin"), directory)


def expect(network: Any, directory: Path) -> None:
    """`noise.wav`, a chunk that ends at 5.6 kHz, and in `made.npz` what the package's own `generate_batch` makes of
    it, but for its guess of the cut-off: it is told which bands of its spectrum are heard."""
    from audiosr.utils import wav_feature_extraction

    spectrum = np.fft.rfft(np.random.default_rng(0).normal(0, 0.1, FRAMES))
    spectrum[np.fft.rfftfreq(FRAMES, 1 / RATE) > 5600] = 0
    samples = np.fft.irfft(spectrum, FRAMES).astype(np.float32)
    sf.write(directory / "noise.wav", samples, RATE, subtype="FLOAT")

    wave = torch.from_numpy(0.5 * samples / np.abs(samples).max())[None]
    mel, stft = wav_feature_extraction(wave, 512)
    batch = {
        "waveform": wave,
        "waveform_lowpass": wave,
        "stft": stft,
        "log_mel_spec": mel,
        "lowpass_mel": mel,
    }
    centres = librosa.mel_frequencies(258, fmin=20, fmax=24_000)[1:-1]
    network._locate_cutoff_freq = lambda *_, **__: int((centres < 6000).sum())
    torch.manual_seed(42)
    with torch.no_grad():
        made = network.generate_batch(
            {name: tensor[None] for name, tensor in batch.items()},
            ddim_steps=STEPS,
            unconditional_guidance_scale=3.5,
            duration=5.12,
        )
    np.savez(directory / "made.npz", made=made.reshape(-1)[:FRAMES])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
