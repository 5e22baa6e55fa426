"""Fits the network of `signal/drum_network.py`, and writes it beside the code.

`python -m resonate_tests.benchmarks.drum_strokes.fit FOLDER [FILE]` reads what `drum_strokes.examples` wrote there.
Five minutes of one core. With the network are kept the odds from which on a drum is struck, by the best mean F of
true and separated songs, and how loud each drum usually is. Kits that the network was not fitted on only tell how
well it does: there are two, and what their makers call open hats and crashes is not what others do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import mir_eval
import numpy as np
import numpy.typing as npt
import torch

from resonate_resources.signal import drum_network
from resonate_resources.signal.network import Network
from resonate_resources.transcription.drum_strokes import piece_levels
from resonate_tests.benchmarks.drum_strokes.kits import CLASSES
from resonate_tests.benchmarks.model_table import record

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
_CHOOSING = ("* drums.npz", "* separated.npz")
_GROUPS = (*_CHOOSING, "unseen/*.npz")
_LEAST = np.arange(-2.5, 3.01, 0.5)
_TOLERANCE_S = 0.05  # as in MIREX drum transcription


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


class Known(NamedTuple):
    """bands (frames, 43); strokes (strokes, 2): second and General MIDI key."""

    bands: Floats
    loud_db: float
    strokes: Floats

    def of(self, drum: str) -> npt.NDArray[np.float64]:
        """When that drum is struck, in s, rising."""
        key = KEYS[drum_network.DRUMS.index(drum)]
        return np.array(sorted(second for second, each in self.strokes if CLASSES.get(int(each)) == key))


def read(paths: Iterable[Path]) -> list[Known]:
    """What was written there, without what is silent."""
    found = []
    for path in sorted(paths):
        with np.load(path) as arrays:
            bands, strokes = arrays["bands"].astype(np.float32), arrays["strokes"]
        loud_db = drum_network.loud_level(bands)
        if loud_db is not None:
            found.append(Known(bands, loud_db, strokes))
    return found


def examples(folder: Path) -> list[Example]:
    return [
        Example(known.bands, known.loud_db, *wanted(len(known.bands), known.strokes))
        for known in read(folder.glob("*.npz"))
    ]


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


def least_odds(network: Network, folder: Path) -> dict[str, float]:
    """Drum → from which log odds on it is struck; tells the F of each group of files there."""
    scores = np.zeros((len(_GROUPS), len(_LEAST), len(drum_network.DRUMS)))
    for group, pattern in enumerate(_GROUPS):
        counts = np.zeros((2, *scores.shape[1:]))
        for known in read(folder.glob(pattern)):
            odds = drum_network.log_odds(network, known.bands, known.loud_db)
            for step, least in enumerate(_LEAST.tolist()):
                frames = drum_network.struck(odds, dict.fromkeys(drum_network.DRUMS, least))
                for column, drum in enumerate(drum_network.DRUMS):
                    struck, heard = known.of(drum), frames[drum] / drum_network.FRAMES_PER_S
                    matched = (
                        mir_eval.util.match_events(struck, heard, _TOLERANCE_S)
                        if len(struck) and len(heard)
                        else ()
                    )
                    counts[:, step, column] += 2 * len(matched), len(struck) + len(heard)
        scores[group] = counts[0] / np.maximum(counts[1], 1)
    best = scores[: len(_CHOOSING)].mean(axis=0).argmax(axis=0)
    for column, drum in enumerate(drum_network.DRUMS):
        told = ", ".join(f"{score:.3f}" for score in scores[:, best[column], column])
        print(f"{drum}: struck from {_LEAST[best[column]]:g}, F {told}")
    return dict(zip(drum_network.DRUMS, _LEAST[best].tolist(), strict=True))


def usual_levels(folder: Path) -> list[float]:
    """In the order of DRUMS: the median, over true songs with more than three strokes, of the 90th percentile of
    their levels, in dB against the recording where it is loud."""
    levels: dict[str, list[float]] = {drum: [] for drum in drum_network.DRUMS}
    for known in read(folder.glob(_GROUPS[0])):
        for drum in drum_network.DRUMS:
            frames = np.round(known.of(drum) * drum_network.FRAMES_PER_S).astype(int)
            if len(frames) > 3:
                at = piece_levels(known.bands, drum)[np.minimum(frames, len(known.bands) - 1)]
                levels[drum].append(float(np.percentile(at, 90)) - known.loud_db)
    return [float(np.median(each)) for each in levels.values()]


def main(folder: Path, into: Path | None) -> None:
    torch.set_num_threads(1)
    layers = [
        (layer.weight.detach().numpy().astype(np.float16), layer.bias.detach().numpy())
        for layer in fitted(examples(folder), np.random.default_rng(0))
    ]
    arrays = {f"weights_{number}": weights for number, (weights, _) in enumerate(layers)}
    arrays |= {f"bias_{number}": bias for number, (_, bias) in enumerate(layers)}
    least = least_odds(Network(*layers), folder)
    arrays["least"] = np.array([least[drum] for drum in drum_network.DRUMS])
    arrays["usual_db"] = np.round(usual_levels(folder), 1)
    file = into or Path(str(drum_network._FILE))
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    if into is None:
        record("resonate/drum-strokes", file)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
