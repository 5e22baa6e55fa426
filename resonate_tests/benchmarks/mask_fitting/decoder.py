"""A decoder for four stems on what Spleeter's second encoder hears, and its fitting.

`python -m resonate_tests.benchmarks.mask_fitting.decoder FITTED JUDGED OUT.pt MINUTES` fits it to the mixtures in
FITTED (of `mixtures.py`), goes on where OUT.pt ends, and prints a learning curve on those in JUDGED. The encoder,
trained by Deezer on real songs to tell accompaniment from voices, stays as it is.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from resonate_resources.separation.spectral import spleeter
from resonate_tests.benchmarks import spleeter_graph
from resonate_tests.benchmarks.mask_fitting.mixtures import STFT, Mixture
from resonate_tests.benchmarks.mask_fitting.songs import STEMS

BINS = 1024
TIMES = 128
MARGIN = 32
"""Times on either side of a crop that are heard, not judged."""
BATCH = 8
LEARNING_RATE, WEIGHT_DECAY = 2e-3, 1e-2
WIDTHS = (16, 16, 24, 32, 48, 64)
"""Channels at full resolution, at a half, … at a 32nd."""
NEAR = 12
"""Channels of what is seen of a bin's nearest neighbours at full resolution: strokes begin within a time."""
FLOOR = 1e-3
"""Of the mix: what is 30 dB under it is right enough."""
WEIGHTS = (0.7, 1.0, 1.0, 1.0)
JUDGED_EVERY = 100


class Encoder(nn.Module):
    """One of Spleeter's encoders, six layers, as activated (the last: raw)."""

    def __init__(self, checkpoint: Path, number: int = 1) -> None:
        super().__init__()
        places = spleeter_graph.variables((checkpoint.parent / "model.index").read_bytes())

        def variable(name: str) -> Tensor:
            place = places[name]
            values = np.fromfile(checkpoint, "<f4", place.size // 4, offset=place.offset)
            return torch.from_numpy(values.reshape(place.shape))

        self.kernels, self.biases, self.scales, self.shifts = [], [], [], []
        for layer in range(6):
            k = 7 * number + layer
            name = f"conv2d_{k}" if k else "conv2d"
            self.kernels.append(variable(f"{name}/kernel").permute(3, 2, 0, 1).contiguous())
            self.biases.append(variable(f"{name}/bias"))
            if layer < 5:
                k = 12 * number + layer
                name = f"batch_normalization_{k}" if k else "batch_normalization"
                scale = variable(f"{name}/gamma") / torch.sqrt(variable(f"{name}/moving_variance") + 1e-3)
                self.scales.append(scale[:, None, None])
                shift = variable(f"{name}/beta") - variable(f"{name}/moving_mean") * scale
                self.shifts.append(shift[:, None, None])

    @torch.no_grad()
    def forward(self, values: Tensor) -> list[Tensor]:
        heard = []
        for layer in range(6):
            padded = functional.pad(values, (1, 2, 1, 2))
            raw = functional.conv2d(padded, self.kernels[layer], self.biases[layer], stride=2)
            if layer == 5:
                return [*heard, raw]
            values = functional.leaky_relu(raw * self.scales[layer] + self.shifts[layer], 0.2)
            heard.append(values)
        raise AssertionError


class Decoder(nn.Module):
    """Shares (n, 4, times, 1024) that sum to one, of magnitudes (n, 2, …), sung (n, 1, …), the masks of our
    own networks (n, 4, …) and what was heard.

    Of the voice it says how far `sung` is to be believed, and what else is one.
    """

    def __init__(self) -> None:
        super().__init__()
        heard = (2, 16, 32, 64, 128, 256, 512)
        self.reduced = nn.ModuleList(nn.Conv2d(heard[k], WIDTHS[k], 1) for k in range(1, 6))
        self.deepest = nn.Conv2d(heard[6], WIDTHS[5], 1)
        self.joined = nn.ModuleList(
            layer(WIDTHS[min(k + 1, 5)] + WIDTHS[k] + 1, WIDTHS[k]) for k in range(5, 0, -1)
        )
        self.near = layer(8, NEAR, 3)
        self.first = layer(WIDTHS[1] + 8 + NEAR, WIDTHS[0], 1)
        self.last = nn.Conv2d(WIDTHS[0], 5, 1)

    def forward(
        self, magnitudes: Tensor, sung: Tensor, own: Tensor, heard: list[Tensor], margin: int = 0
    ) -> Tensor:
        """margin: times on either side that are heard only, a multiple of four; magnitudes and masks lack them."""
        values = self.deepest(heard[5])
        for k, joined in zip(range(5, 0, -1), self.joined, strict=True):
            values = functional.interpolate(values, scale_factor=2.0, mode="nearest")
            reduced = self.reduced[k - 1](heard[k - 1])
            if k == 1 and margin:
                values, reduced = (one[:, :, margin // 2 : -margin // 2] for one in (values, reduced))
            values = joined(torch.cat([values, reduced, height(values)], 1))
        values = functional.interpolate(values, scale_factor=2.0, mode="nearest")
        told = torch.cat([torch.log(magnitudes + 1e-3) / 4, sung, height(values), own], 1)
        scores = self.last(self.first(torch.cat([values, told, self.near(told)], 1)))
        vocals = sung * torch.sigmoid(scores[:, :1] + 3) + (1 - sung) * torch.sigmoid(scores[:, 1:2] - 3)
        others = torch.softmax(scores[:, 2:] + torch.log(own[:, 1:] + 0.01), 1)
        return torch.cat([vocals, (1 - vocals) * others], 1)


def layer(channels: int, out: int, size: int = 3) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, out, size, padding=size // 2), nn.BatchNorm2d(out), nn.ReLU())


def height(values: Tensor) -> Tensor:
    """How high every bin is, 0…1, on a logarithmic axis: (n, 1, times, bins)."""
    bins = values.shape[3]
    axis = torch.log2(1 + torch.arange(bins) * (BINS / bins)) / 10
    return axis.expand(values.shape[0], 1, values.shape[2], bins)


@dataclass(frozen=True)
class Heard:
    """A mixture as networks see it, in half precision: magnitudes (2, times, BINS); sung (times, BINS); own and
    shares (4, …): our own networks' masks, and the real part of stem / mix; energies (4, times) of them."""

    magnitudes: Tensor
    sung: Tensor
    own: Tensor
    shares: Tensor
    energies: Tensor

    @classmethod
    def of(cls, file: Path) -> Heard:
        mixture = Mixture.load(file)
        mix = STFT.forward(mixture.mix)[:, :, :BINS] * np.float32(mixture.lift)
        power = np.square(np.abs(mix)).sum(0) + 1e-9
        shares, energies = [], []
        for name in STEMS:
            stem = STFT.forward(mixture.stems[name])[:, :, :BINS] * np.float32(mixture.lift)
            shares.append((mix.real * stem.real + mix.imag * stem.imag).sum(0) / power)
            energies.append(np.square(np.abs(stem)).sum((0, 2)))
        times = len(power) - len(power) % 64
        return cls(
            torch.from_numpy(np.abs(mix)[:, :times]).half(),
            torch.from_numpy(mixture.sung[:times]),
            torch.from_numpy(mixture.own[:, :times]),
            torch.from_numpy(np.clip(np.stack(shares), -60, 60)[:, :times]).half(),
            torch.from_numpy(np.stack(energies)[:, :times]).float(),
        )

    def crop(self, start: int, times: int) -> list[Tensor]:
        now = slice(start, start + times)
        within = slice(now.start + MARGIN, now.stop - MARGIN)
        return [
            self.magnitudes[:, now].float(),
            self.sung[within].float(),
            self.own[:, within].float(),
            self.shares[:, within].float(),
            self.energies[:, within].sum(1),
        ]


def batches(folder: Path, rng: np.random.Generator) -> Iterator[list[Tensor]]:
    """Endless: `varied` crops of mixtures, those that come into the folder meanwhile, too."""
    kept: dict[Path, Heard] = {}

    def one(seed: int) -> list[Tensor]:
        own = np.random.default_rng(seed)
        while True:
            files = [file for file in folder.glob("*.npz") if file.stem.isdigit()]
            file = files[own.integers(len(files))]
            if file not in kept:
                kept[file] = Heard.of(file)
            heard = kept[file]
            start = int(own.integers(0, heard.sung.shape[0] - TIMES))
            values = heard.crop(start, TIMES)
            if values[-1].sum() > 1:
                return varied(values, own)

    with ThreadPoolExecutor(1) as pool:
        ahead = [pool.submit(one, int(seed)) for seed in rng.integers(1 << 60, size=3 * BATCH)]
        while True:
            crops = []
            for _ in range(BATCH):
                crops.append(ahead.pop(0).result())
                ahead.append(pool.submit(one, int(rng.integers(1 << 60))))
            yield [torch.stack(values) for values in zip(*crops, strict=True)]


def varied(values: list[Tensor], rng: np.random.Generator) -> list[Tensor]:
    """A crop as it might have been: left and right changed over, higher or lower by up to 10 %, with other tone
    controls, a little louder or softer than it was lifted to. A stem's share of a bin stays what it is."""
    magnitudes, sung, own, shares, energies = values
    magnitudes = magnitudes.flip(0) if rng.random() < 0.5 else magnitudes
    if rng.random() < 0.6:
        from_bins = torch.round(torch.arange(BINS) / rng.uniform(0.9, 1.1)).long()
        known = from_bins < BINS
        from_bins = from_bins.clamp(max=BINS - 1)
        magnitudes = magnitudes[..., from_bins] * known
        sung, own, shares = (values[..., from_bins] for values in (sung, own, shares))
    octaves = np.log2(1 + np.arange(BINS))
    tone_db = np.interp(octaves, np.arange(11), rng.normal(0, 2.5, 11)) + rng.normal(0, 2)
    within = slice(MARGIN, -MARGIN)
    before = (shares.square() * magnitudes[:, within].square().sum(0)).sum((1, 2))
    magnitudes = magnitudes * torch.from_numpy(10 ** (tone_db / 20)).float()
    after = (shares.square() * magnitudes[:, within].square().sum(0)).sum((1, 2))
    return [magnitudes, sung, own, shares, energies - before + after]


def losses(found: Tensor, magnitudes: Tensor, shares: Tensor, energies: Tensor) -> Tensor:
    """(n, 4): of every stem the energy of what is wrong, against the mix, in dB over FLOOR."""
    power = magnitudes.square().sum(1, keepdim=True)
    wrong = ((found.square() - 2 * found * shares) * power).sum((2, 3)) + energies
    mix = power.sum((1, 2, 3))[:, None] + 1e-6
    return 10 * torch.log10((wrong.clamp(min=0) + FLOOR * mix) / mix)


def main(fitted: Path, judged: Path, out: Path, minutes: float) -> None:
    torch.manual_seed(0)
    checkpoint = spleeter._checkpoint()
    assert checkpoint is not None
    encoder, decoder = Encoder(checkpoint), Decoder()
    if out.exists():
        decoder.load_state_dict(torch.load(out, weights_only=True))
    print(sum(values.numel() for values in decoder.parameters()), "parameters", flush=True)
    optimiser = torch.optim.AdamW(decoder.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    held = [Heard.of(file) for file in sorted(judged.glob("*.npz"))[:24]]
    held_crops = [heard.crop(start, TIMES) for heard in held for start in (100, 300, 500)]
    held_crops = [one for one in held_crops if one[-1].sum() > 1]
    began, seen = time.monotonic(), []
    for step, batch in enumerate(batches(fitted, np.random.default_rng(0)), 1):
        magnitudes, sung, own, shares, energies = batch
        part = (time.monotonic() - began) / (60 * minutes)
        if part >= 1:
            break
        rate = LEARNING_RATE * min(1, step / 50) * 0.5 * (1 + math.cos(math.pi * part))
        for group in optimiser.param_groups:
            group["lr"] = rate
        decoder.train()
        within = magnitudes[:, :, MARGIN:-MARGIN]
        found = decoder(within, sung[:, None], own, encoder(magnitudes), MARGIN)
        loss = losses(found, within, shares, energies)
        optimiser.zero_grad()
        (loss * torch.tensor(WEIGHTS)).mean().backward()
        nn.utils.clip_grad_norm_(decoder.parameters(), 5.0)
        optimiser.step()
        seen.append(loss.detach().mean(0))
        if step % 50 == 0:
            now = torch.stack(seen[-50:]).mean(0)
            line = f"{(time.monotonic() - began) / 60:.1f} min, step {step}: fitted {now.numpy().round(2)}"
            if step % JUDGED_EVERY == 0:
                line += f", judged {judgement(decoder, encoder, held_crops).numpy().round(2)}"
                torch.save(decoder.state_dict(), out)
            print(line, flush=True)
    print("at last:", judgement(decoder, encoder, held_crops).numpy().round(2))
    torch.save(decoder.state_dict(), out)


@torch.inference_mode()
def judgement(decoder: Decoder, encoder: Encoder, crops: list[list[Tensor]]) -> Tensor:
    decoder.eval()
    told = []
    for magnitudes, sung, own, shares, energies in crops:
        within = magnitudes[None, :, MARGIN:-MARGIN]
        found = decoder(within, sung[None, None], own[None], encoder(magnitudes[None]), MARGIN)
        told.append(losses(found, within, shares[None], energies[None]))
    return torch.cat(told).mean(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]))
