"""LiveSynth and CLAP, small, with random weights, in files as their hubs have them, and what the package makes of a
few notes by them: `python tiny_network.py DIRECTORY`. Run by the worker's Python.
"""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

REPOSITORY = Path(__file__).parents[5]
for name in ("resonate_resources", "resonate_tests"):
    package = types.ModuleType(name)
    package.__path__ = [str(REPOSITORY / name)]
    sys.modules[name] = package

import numpy as np  # noqa: E402
import soundfile as sf  # noqa: E402
import torch  # noqa: E402
from livesynth import LiveSynth  # noqa: E402
from livesynth.nn.backbone import BackboneConfig, LiveSynthBackbone  # noqa: E402
from livesynth.nn.decoder import LatentDecoder  # noqa: E402
from livesynth.timbre import _crop  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from resonate_tests.resources.regeneration.cloning.tiny_clap import heard, make_clap  # noqa: E402

RATE = 48_000
NOTES = [[0.1, 0.6, 60, 100], [0.1, 1.2, 67, 40], [0.9, 2.0, 55, 127]]
BACKBONE = {
    "d_model": 64, "n_layers": 3, "n_heads": 4, "noise_dim": 16, "latent_dim": 8, "attn_window": 60,
}  # fmt: skip
DECODER = {
    "latent_dim": 8, "d_latent": 16, "dim": 32, "depth": 2, "intermediate_mult": 3, "kernel_size": 7, "n_fft": 1920,
}  # fmt: skip


def main(directory: Path) -> None:
    clap = make_clap(directory)
    torch.manual_seed(0)
    backbone = LiveSynthBackbone(BackboneConfig(**BACKBONE))
    decoder = LatentDecoder(**DECODER, hop=480)
    with torch.no_grad():  # adaLN-Zero is zero at first: timbre would change nothing
        for parameter in [*backbone.parameters(), *decoder.parameters()]:
            parameter.add_(0.05 * torch.randn_like(parameter))
        backbone.cond_proj.weight.mul_(
            50
        )  # else a timbre, of length one, would be lost among so few parameters
    save_file(backbone.state_dict(), directory / "generator.safetensors")
    published = {
        name.replace("out_proj.", "vae.out_proj.", 1) if name.startswith("out_proj.") else name: one
        for name, one in decoder.state_dict().items()
    }
    published = {
        name.replace("vocos.", "decoder.", 1) if name.startswith("vocos.") else name: one
        for name, one in published.items()
    }
    save_file(published, directory / "decoder.safetensors")
    save_file({"rotation": torch.eye(512)}, directory / "text_align.safetensors")
    save_file({"embeddings": torch.zeros(1, 512)}, directory / "presets.safetensors")
    config = {
        "sample_rate": RATE, "frame_rate": 100, "hop_length": 480, "presets": ["none"],
        "backbone": BACKBONE | {"timbre_dim": 512}, "decoder": DECODER,
    }  # fmt: skip
    (directory / "config.json").write_text(json.dumps(config))

    rng = np.random.default_rng(1)
    reference = (rng.normal(0, 0.02, 13 * RATE) * np.linspace(0.1, 1, 13 * RATE)).astype(np.float32)
    sf.write(directory / "reference.wav", reference, RATE, subtype="FLOAT")
    synth = LiveSynth.from_pretrained(local_dir=directory, device="cpu")
    timbre = heard(clap, _crop(reference, "loudest"))
    played = synth.render(np.array(NOTES), timbre[0], duration=3.0, seed=0)
    np.savez(directory / "expected.npz", played=played, timbre=timbre[0].numpy())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
