"""Fits the mask networks of the spectral separator to rendered songs; see this package's docstring."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_resources.separation.spectral.context import add_context
from resonate_resources.separation.spectral.cues import Cues, measure_cues
from resonate_resources.separation.spectral.masks import PASSES, STEMS
from resonate_resources.separation.spectral.network import POSITIONS, MaskNetwork, frequency_position
from resonate_resources.separation.spectral.stft import Spectra, Stft
from resonate_tests.benchmarks.mask_fitting.playing import RATE
from resonate_tests.benchmarks.mask_fitting.songs import render_song
from resonate_tests.benchmarks.mask_fitting.working_over import Song, worked_over

SONGS = range(1000, 1250)
BINS_PER_SONG = 36_000
UNITS = 32
EPOCHS = 5
BATCH = 8192
LEARNING_RATE = 3e-3

Arrays = dict[str, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Examples:
    """Some bins: cues of their own and of their time, position, true shares of the stems, weight per stem."""

    planes: npt.NDArray[np.float16]
    frames: npt.NDArray[np.float16]
    bins: npt.NDArray[np.int32]
    shares: npt.NDArray[np.float16]
    weights: npt.NDArray[np.float32]


def examples(seed: int, folder: Path, networks: list[MaskNetwork]) -> Examples:
    """Bins of one song, rendered once, worked over, and seen through the passes fitted so far."""
    stft = Stft.for_rate(RATE)
    bin_hz = RATE / stft.size
    rng = np.random.default_rng([seed, 1])
    song, mix = worked_over(_rendered(seed, folder), rng)
    mix = mix - mix.mean(1, keepdims=True)
    spectra = stft.forward(mix)
    cues = measure_cues(mix, spectra, stft, bin_hz)
    for network in networks:
        cues = add_context(cues, network.masks(cues, bin_hz), bin_hz)
    return _drawn(cues, *_true_shares(stft, spectra, song, cues.magnitude.shape[1]), rng)


def _rendered(seed: int, folder: Path) -> Song:
    file = folder / f"{seed}.npz"
    if not file.exists():
        part = folder / str(seed)
        part.mkdir(exist_ok=True)
        np.savez(file, **render_song(seed, part))
    with np.load(file) as stems:
        return dict(stems)


def _true_shares(
    stft: Stft, spectra: Spectra, song: Song, bins: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The real masks 0…1 that come nearest to every stem, made to sum to one; and the power of the mix."""
    mix = spectra[:, :, :bins]
    power = (np.square(mix.real) + np.square(mix.imag)).sum(0)
    shares = []
    for name in STEMS:
        stem = stft.forward(song[name])[:, :, :bins]
        shares.append((mix.real * stem.real + mix.imag * stem.imag).sum(0) / (power + 1e-12))
    masks = np.clip(np.stack(shares), 0, 1)
    masks[-1] += np.maximum(1 - masks.sum(0), 0)  # noise is nobody's: it stays in the rest
    return masks / masks.sum(0), power


def _drawn(
    cues: Cues, shares: npt.NDArray[np.float32], power: npt.NDArray[np.float32], rng: np.random.Generator
) -> Examples:
    """Bins drawn by magnitude, weighed so that the loss is half each stem's SDR, half even over magnitude."""
    magnitude = np.sqrt(power).ravel()
    chance = 0.9 * magnitude / (magnitude.sum() + 1e-9) + 0.1 / magnitude.size
    drawn = rng.choice(magnitude.size, BINS_PER_SONG, p=chance / chance.sum())
    times, bins = np.divmod(drawn, power.shape[1])
    stem_part = (shares * power).sum((1, 2)) / (power.sum() + 1e-9)
    by_power = power.ravel()[drawn] / (power.sum() + 1e-9) / chance[drawn]
    by_magnitude = magnitude[drawn] / (magnitude.sum() + 1e-9) / chance[drawn]
    weights = by_power[:, None] / np.maximum(stem_part, 0.04) + 2 * by_magnitude[:, None]
    return Examples(
        np.stack([plane[times, bins] for plane in cues.planes], axis=1).astype(np.float16),
        cues.frames[times].astype(np.float16),
        bins.astype(np.int32),
        shares[:, times, bins].T.astype(np.float16),
        np.minimum(weights, 60).astype(np.float32),
    )


def fitted(data: Examples) -> Arrays:
    """Arrays of the network with the least weighted squared error of its masks (Adam, cosine schedule)."""
    import torch

    torch.manual_seed(0)
    plane_mean, plane_scale = _mean_and_scale(data.planes)
    frame_mean, frame_scale = _mean_and_scale(data.frames)
    position = torch.from_numpy(frequency_position(int(data.bins.max()) + 1, RATE / Stft.for_rate(RATE).size))
    layers = {
        "planes": torch.nn.Linear(data.planes.shape[1], UNITS),
        "frames": torch.nn.Linear(data.frames.shape[1], UNITS, bias=False),
        "position": torch.nn.Linear(POSITIONS, UNITS, bias=False),
        "hidden": torch.nn.Linear(UNITS, UNITS),
        "out": torch.nn.Linear(UNITS, len(STEMS)),
        "out_position": torch.nn.Linear(POSITIONS, len(STEMS), bias=False),
    }
    optimiser = torch.optim.Adam(torch.nn.ModuleDict(layers).parameters(), LEARNING_RATE)
    steps = EPOCHS * (len(data.bins) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for epoch in range(EPOCHS):
        order = np.random.default_rng(epoch).permutation(len(data.bins))
        for batch in order[: len(order) // BATCH * BATCH].reshape(-1, BATCH):
            planes = torch.from_numpy((data.planes[batch] - plane_mean) / plane_scale)
            frames = torch.from_numpy((data.frames[batch] - frame_mean) / frame_scale)
            where = position[torch.from_numpy(data.bins[batch])]
            units = torch.relu(
                layers["planes"](planes) + layers["frames"](frames) + layers["position"](where)
            )
            units = torch.relu(layers["hidden"](units))
            masks = torch.softmax(layers["out"](units) + layers["out_position"](where), 1)
            error = torch.square(masks - torch.from_numpy(data.shares[batch].astype(np.float32)))
            loss = (torch.from_numpy(data.weights[batch]) * error).sum(1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        print(f"epoch {epoch}: loss {loss.item():.4f}", flush=True)
    arrays = {name: layer.weight.detach().numpy() for name, layer in layers.items()}
    arrays["planes"] = arrays["planes"] / plane_scale
    arrays["frames"] = arrays["frames"] / frame_scale
    offset = arrays["planes"] @ plane_mean + arrays["frames"] @ frame_mean
    arrays["bias"] = layers["planes"].bias.detach().numpy() - offset
    arrays["hidden_bias"] = layers["hidden"].bias.detach().numpy()
    arrays["out_bias"] = layers["out"].bias.detach().numpy()
    return {name: values.astype(np.float32) for name, values in arrays.items()}


def _mean_and_scale(
    values: npt.NDArray[np.float16],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    some = values[::50].astype(np.float32)
    return some.mean(0), some.std(0) + np.float32(0.1)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    networks: list[MaskNetwork] = []
    arrays: Arrays = {}
    for number in range(PASSES):
        with ProcessPoolExecutor(2) as pool:
            songs = list(pool.map(partial(examples, folder=folder, networks=networks), SONGS))
        fields = Examples.__dataclass_fields__
        network = fitted(
            Examples(**{name: np.concatenate([getattr(s, name) for s in songs]) for name in fields})
        )
        networks.append(MaskNetwork(**network))
        arrays |= {f"{number}.{name}": values for name, values in network.items()}
    np.savez(folder / "masks.npz", **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
