"""Fits the network of `transcription/drum_network.py`, and writes it beside the code.

`python -m resonate_tests.benchmarks.drum_strokes.fit FOLDER [FILE]` reads what `drum_strokes.examples` wrote there.
Five minutes of one core.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from resonate_resources.transcription import drum_network
from resonate_tests.benchmarks.drum_strokes.kits import CLASSES

Floats = npt.NDArray[np.float32]
Random = np.random.Generator

KEYS = (36, 38, 45, 42, 46, 49, 51)
"""In the order of drum_network.DRUMS."""
HIDDEN = 48
EPOCHS = 14
BATCH = 512
RATE = 2e-3
STRUCK = 0.4  # of a batch are frames within reach of a stroke
_REACH = 4  # frames on either side of a stroke's weigh nothing


class Example(NamedTuple):
    """bands (frames, 36); right, weights (frames, 7): whether each drum is struck, and how much that counts."""

    bands: Floats
    loud_db: float
    right: Floats
    weights: Floats


def wanted(frames: int, strokes: Floats) -> tuple[Floats, Floats]:
    right, weights = np.zeros((frames, len(KEYS)), np.float32), np.ones((frames, len(KEYS)), np.float32)
    told = [(round(second * drum_network.FRAMES_PER_S), CLASSES.get(int(key))) for second, key in strokes]
    for frame, key in told:
        if key is not None:
            weights[max(frame - _REACH, 0) : frame + _REACH + 1, KEYS.index(key)] = 0
    for frame, key in told:
        if key is not None and frame < frames:
            around = slice(max(frame - 1, 0), frame + 2)
            right[around, KEYS.index(key)] = weights[around, KEYS.index(key)] = 1
    return right, weights


def examples(folder: Path) -> list[Example]:
    found = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as arrays:
            bands, strokes = arrays["bands"].astype(np.float32), arrays["strokes"]
        loud_db = drum_network.loud_level(bands)
        if loud_db is not None:
            found.append(Example(bands, loud_db, *wanted(len(bands), strokes)))
    return found


def worked_over(bands: Floats, rng: Random) -> Floats:
    """Levels as by another kit: louder, tilted, with bands of their own, a floor of noise."""
    count = bands.shape[1]
    knots = np.interp(np.arange(count), np.linspace(0, count - 1, 7), rng.normal(0, 3, 7))
    heard = bands + rng.normal(0, 2.5) + knots + rng.normal(0, 4) * np.linspace(-1, 1, count)
    if rng.random() < 0.5:
        noise_db = rng.uniform(-75, -40) + rng.normal(0, 6) * np.linspace(-1, 1, count)
        heard = 10 * np.log10(10 ** (heard / 10) + 10 ** (noise_db / 10))
    return heard.astype(np.float32)


def rows(every: list[Example], rng: Random) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What the network is given of some frames of each, what is right of it, and the weights of that."""
    seen, right, weights = [], [], []
    for example in every:
        near = np.flatnonzero((example.right.max(axis=1) > 0) | (example.weights.min(axis=1) == 0))
        count = min(len(example.bands), 2500)
        some = rng.choice(near, min(round(STRUCK * count), len(near)), replace=False) if len(near) else near
        frames = np.concatenate([some, rng.integers(len(example.bands), size=count - len(some))])
        bands = worked_over(example.bands - example.loud_db, rng) + example.loud_db
        seen.append(drum_network.inputs(bands, example.loud_db, frames))
        right.append(example.right[frames])
        weights.append(example.weights[frames])
    return tuple(torch.tensor(np.concatenate(part)) for part in (seen, right, weights))  # type: ignore[return-value]


def fitted(every: list[Example], rng: Random) -> list[torch.nn.Linear]:
    torch.manual_seed(0)
    inputs = len(drum_network.OFFSETS) * every[0].bands.shape[1]
    layers = [
        torch.nn.Linear(inputs, HIDDEN),
        torch.nn.Linear(HIDDEN, HIDDEN),
        torch.nn.Linear(HIDDEN, len(KEYS)),
    ]
    network = torch.nn.Sequential(
        torch.nn.Dropout(0.05),
        layers[0],
        torch.nn.ReLU(),
        torch.nn.Dropout(0.1),
        layers[1],
        torch.nn.ReLU(),
        layers[2],
    )
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-3)
    steps = EPOCHS * len(rows(every, np.random.default_rng(0))[0]) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps + EPOCHS)
    surprise = torch.nn.BCEWithLogitsLoss(reduction="none")
    for epoch in range(EPOCHS):
        seen, right, weights = rows(every, rng)
        total = 0.0
        for chosen in torch.randperm(len(seen)).split(BATCH):
            if len(chosen) < BATCH:
                break
            loss = (surprise(network(seen[chosen]), right[chosen]) * weights[chosen]).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * BATCH
        print(f"epoch {epoch + 1}: {total / len(seen):.4f}", flush=True)
    return layers


def main(folder: Path, into: Path) -> None:
    torch.set_num_threads(1)
    arrays = {}
    for number, layer in enumerate(fitted(examples(folder), np.random.default_rng(0))):
        arrays[f"weights_{number}"] = layer.weight.detach().numpy().astype(np.float16)
        arrays[f"bias_{number}"] = layer.bias.detach().numpy()
    np.savez_compressed(into, **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(str(drum_network._FILE)) if len(sys.argv) < 3 else Path(sys.argv[2]))
