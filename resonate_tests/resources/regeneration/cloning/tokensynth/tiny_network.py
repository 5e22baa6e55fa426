"""TokenSynth, DAC and CLAP, small, with random weights, in files as their hubs have them, and what the packages
make of a few notes by them: `python tiny_network.py DIRECTORY`. Run by the worker's Python.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path

REPOSITORY = Path(__file__).parents[5]
for name in ("resonate_resources", "resonate_tests"):
    package = types.ModuleType(name)
    package.__path__ = [str(REPOSITORY / name)]
    sys.modules[name] = package

import librosa  # noqa: E402
import numpy as np  # noqa: E402
import soundfile as sf  # noqa: E402
import torch  # noqa: E402

from resonate_resources.regeneration.cloning.tokensynth import loading  # noqa: E402
from resonate_tests.resources.regeneration.cloning.tiny_clap import heard, make_clap  # noqa: E402

RATE = 48_000
CODEC = {
    "encoder_dim": 4, "encoder_rates": [2, 4, 8, 8], "decoder_dim": 32, "decoder_rates": [8, 8, 4, 2],
    "n_codebooks": 9, "codebook_size": 1024, "codebook_dim": 4, "sample_rate": 44_100,
}  # fmt: skip
TOKENS = [
    *(1, 501 + 50, 1001 + 60, 1129 + 2),  # from the first onset for 0.5 s, C4, velocity 100
    *(1, 501 + 110, 1001 + 67, 1129 + 1),  # for 1.1 s, G4, velocity 40, to which 50 is nearest
    *(1 + 80, 501 + 190, 1001 + 55, 1129 + 3),
]


def main(directory: Path) -> None:
    clap = make_clap(directory)
    transformers = loading._tokensynth()

    class Small(transformers.TokenSynth):
        def get_hparams(self):
            sizes = super().get_hparams()
            sizes.num_blocks, sizes.embed_dim, sizes.num_heads, sizes.max_len = 2, 32, 4, 90
            return sizes

    torch.manual_seed(1)
    transformer = Small(device="cpu").eval()
    with torch.no_grad():
        for parameter in transformer.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
        transformer.clap_projection[2].weight.mul_(5)
    torch.save(transformer.state_dict(), directory / "token_synth_aug.pt")
    codec = loading._dac().DAC(**CODEC).eval()
    torch.save(
        {"state_dict": codec.state_dict(), "metadata": {"kwargs": CODEC}},
        directory / "dac_weights_44khz_8kbps_0.0.1.pt",
    )

    tone = 0.3 * np.sin(np.arange(10 * RATE) / 30) * np.linspace(0, 1, 10 * RATE)
    sf.write(directory / "reference.wav", tone.astype(np.float32), RATE, subtype="FLOAT")
    at_16k = librosa.resample(tone.astype(np.float32), orig_sr=RATE, target_sr=16_000)
    timbre = heard(clap, librosa.resample(at_16k, orig_sr=16_000, target_sr=RATE)[: 10 * RATE])
    torch.manual_seed(0)
    with torch.no_grad():
        tokens = transformer.synthesize(timbre, torch.tensor([TOKENS]), top_k=10)
        sound = codec.decode(codec.quantizer.from_codes(tokens.permute(0, 2, 1))[0])[0, 0].numpy()
    np.savez(directory / "expected.npz", sound=librosa.resample(sound, orig_sr=44_100, target_sr=16_000))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
