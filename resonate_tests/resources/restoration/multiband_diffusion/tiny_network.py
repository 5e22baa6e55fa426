"""EnCodec and the diffusions of its bands, small, with random weights, in files as their hubs have them, and what
the package makes of a noise by them: `python tiny_network.py DIRECTORY`. Run by the worker's Python.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import julius
import numpy as np
import soundfile as sf
import torch
from omegaconf import OmegaConf
from transformers import EncodecConfig, EncodecModel

RATE, FRAMES, STRICTNESS = 24_000, 48_000, 0.8
CONFIG = {
    "channels": 1,
    "schedule": {
        "beta_t0": 1e-5, "beta_t1": 2.9e-2, "num_steps": 1000, "variance": "beta", "clip": 5.0, "beta_exp": 7.5,
    },
    "diffusion_unet": {
        "hidden": 8, "depth": 3, "growth": 2, "bilstm": True, "codec_dim": 16, "emb_all_layers": True,
        "res_blocks": 1, "norm_groups": 4,
    },
    "processor": {"use": True, "name": "multi_band_processor", "n_bands": 4, "num_samples": 10, "power_std": 1.0},
}  # fmt: skip


def main(directory: Path) -> None:
    package = types.ModuleType("resonate_resources")
    package.__path__ = [str(Path(__file__).parents[4] / "resonate_resources")]
    sys.modules["resonate_resources"] = package
    from resonate_resources.restoration.multiband_diffusion import loading

    torch.manual_seed(0)
    codec = EncodecModel(
        EncodecConfig(sampling_rate=RATE, audio_channels=1, num_filters=4, hidden_size=16, codebook_dim=16)
    )
    codec.save_pretrained(directory)
    unets, schedules = loading._package()
    saved: dict[Any, Any] = {"sample_rate": RATE, "n_bands": 2}
    for number in range(2):
        unet = unets.DiffusionUnet(chin=1, num_steps=1000, **CONFIG["diffusion_unet"])
        processor = schedules.MultiBandProcessor(n_bands=4, sample_rate=RATE, num_samples=10, power_std=1.0)
        processor.project_sample(0.1 * torch.randn(10, 1, 4000))
        saved[number] = {
            "cfg": OmegaConf.create(CONFIG),
            "model_state": unet.state_dict(),
            "processor_state": processor.state_dict(),
        }
    torch.save(saved, directory / "mbd_comp_8.pt")
    expect(directory, codec, unets, schedules)


def expect(directory: Path, codec: Any, unets: Any, schedules: Any) -> None:
    """`noise.wav` and `polished.npz`, by the steps of `MultiBandDiffusion.regenerate` and `re_eq`."""
    samples = np.random.default_rng(0).normal(0, 0.1, FRAMES).astype(np.float32)
    sf.write(directory / "noise.wav", samples, RATE, subtype="FLOAT")
    saved = torch.load(directory / "mbd_comp_8.pt", weights_only=False)
    wave = torch.from_numpy(samples)[None, None]
    torch.manual_seed(42)
    made = torch.zeros_like(wave)
    with torch.no_grad():
        codes = codec.eval().encode(wave, None, 6.0).audio_codes[0]
        condition = codec.quantizer.decode(codes.transpose(0, 1))
        for number in range(2):
            band = saved[number]
            unet = unets.DiffusionUnet(chin=1, num_steps=1000, **CONFIG["diffusion_unet"]).eval()
            unet.load_state_dict(band["model_state"])
            processor = schedules.MultiBandProcessor(
                n_bands=4, sample_rate=RATE, num_samples=10, power_std=1.0
            )
            processor.load_state_dict(band["processor_state"])
            schedule = schedules.NoiseSchedule(**CONFIG["schedule"], sample_processor=processor, device="cpu")
            made += schedule.generate_subsampled(
                model=unet, initial=torch.randn_like(wave), condition=condition
            )
    split = julius.SplitBands(n_bands=32, sample_rate=RATE)
    bands, wanted = split(made), split(wave)
    polished = sum(
        bands[i] * (wanted[i].square().mean().sqrt() / bands[i].square().mean().sqrt()) ** STRICTNESS
        for i in range(32)
    )
    np.savez(directory / "polished.npz", polished=polished[0, 0].numpy())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
