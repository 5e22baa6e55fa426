"""Fits the network of `transcription/sung_onsets.py`, and writes it beside the code.

`python -m resonate_tests.benchmarks.sung_notes.fit FOLDER` reads what `sung_notes.examples` wrote there.
Half a minute of one core.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.pitch_track import HOP, SAMPLE_RATE, PitchTrack, pitch_track
from resonate_resources.transcription import sung_onsets
from resonate_resources.transcription.resource import PARTS

Floats = npt.NDArray[np.float32]
Random = np.random.Generator

HIDDEN = 32
COPIES = 3  # of each stem, all but the first worked over
EPOCHS = 6
BATCH = 512
RATE = 3e-3
ONSET_WEIGHT = 3.0  # against the frames that sound
FRAMES_PER_S = SAMPLE_RATE / HOP


def examples(folder: Path) -> Iterator[tuple[Floats, PitchTrack, list[list[float]]]]:
    """Levels, pitch and notes of every stem in a folder: NUMBER.json has the notes of all NUMBER*.wav."""
    voice = PARTS["vocals"].voice
    for notes in sorted(folder.rglob("*.json")):
        for wav in sorted(notes.parent.glob(f"{notes.stem} *.wav")):
            stem = Recording.open(wav)
            kept = wav.with_suffix(".npz")
            if not kept.exists():
                track = pitch_track(stem, voice.lowest_hz, voice.highest_hz)
                np.savez(
                    kept,
                    bands=sung_onsets.levels(stem),
                    hertz=track.hertz,
                    strength=track.strength,
                )
            with np.load(kept) as arrays:
                frames = min(len(arrays["bands"]), len(arrays["hertz"]))
                track = PitchTrack(arrays["hertz"][:frames], arrays["strength"][:frames])
                yield arrays["bands"][:frames], track, json.loads(notes.read_text())


def wanted(frames: int, notes: list[list[float]]) -> Floats:
    """(frames, 4): whether a note begins, the weight of that; whether one sounds, the weight of that.

    Frames that could be said to be either weigh nothing.
    """
    begins, counts, sounds, tells = (np.full(frames, value, np.float32) for value in (0, 1, 0, 1))
    for onset, offset, *_ in notes:
        start, end = round(onset * FRAMES_PER_S), round(offset * FRAMES_PER_S)
        counts[max(start - 3, 0) : start + 4] = 0
        sounds[start:end] = 1
        tells[max(start - 2, 0) : start + 2] = 0
        tells[max(end - 3, 0) : end + 4] = 0
    for onset, *_ in notes:
        around = slice(max(round(onset * FRAMES_PER_S) - 1, 0), round(onset * FRAMES_PER_S) + 2)
        begins[around] = counts[around] = 1
    return np.column_stack([begins, counts, sounds, tells])


def worked_over(bands: Floats, rng: Random) -> Floats:
    """Levels as through another microphone, by telephone, or with noise."""
    count = bands.shape[1]
    tilt = rng.normal(0, 4) * np.linspace(-1, 1, count)
    heard = bands + rng.normal(0, 2, count) + tilt + rng.normal(0, 3)
    if rng.random() < 0.25:
        heard -= np.where(np.arange(count) >= 6, rng.uniform(15, 60), 0)
    if rng.random() < 0.5:
        noise_db = rng.uniform(-50, -25) + 10 * np.log10(rng.exponential(1, bands.shape) + 1e-9)
        heard = 10 * np.log10(10 ** (heard / 10) + 10 ** (noise_db / 10))
    return heard.astype(np.float32)


def rows(folder: Path, rng: Random) -> tuple[torch.Tensor, torch.Tensor]:
    seen, right = [], []
    for bands, track, notes in examples(folder):
        against, _, pitch = sung_onsets.levelled(bands, track)
        for copy in range(COPIES):
            levels = worked_over(against, rng) if copy else against
            seen.append(sung_onsets.inputs(levels, track.strength, pitch))
            right.append(wanted(len(bands), notes))
    return torch.tensor(np.concatenate(seen)), torch.tensor(np.concatenate(right))


def fitted(seen: torch.Tensor, right: torch.Tensor) -> list[torch.nn.Linear]:
    torch.manual_seed(0)
    layers = [
        torch.nn.Linear(seen.shape[1], HIDDEN),
        torch.nn.Linear(HIDDEN, HIDDEN),
        torch.nn.Linear(HIDDEN, 2),
    ]
    network = torch.nn.Sequential(
        torch.nn.Dropout(0.05),
        layers[0],
        torch.nn.ReLU(),
        torch.nn.Dropout(0.1),
        layers[1],
        torch.nn.ReLU(),
        torch.nn.Dropout(0.1),
        layers[2],
    )
    steps = EPOCHS * len(seen) // BATCH
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    surprise = torch.nn.BCEWithLogitsLoss(reduction="none")
    for _ in range(steps):
        chosen = torch.randint(0, len(seen), (BATCH,))
        told, is_right = network(seen[chosen]), right[chosen]
        begins = (surprise(told[:, 0], is_right[:, 0]) * is_right[:, 1]).mean()
        sounds = (surprise(told[:, 1], is_right[:, 2]) * is_right[:, 3]).mean()
        optimiser.zero_grad()
        (ONSET_WEIGHT * begins + sounds).backward()
        optimiser.step()
        schedule.step()
    return layers


def main(folder: Path, into: Path) -> None:
    torch.set_num_threads(1)
    arrays = {}
    for number, layer in enumerate(fitted(*rows(folder, np.random.default_rng(0)))):
        arrays[f"weights_{number}"] = layer.weight.detach().numpy().astype(np.float16)
        arrays[f"bias_{number}"] = layer.bias.detach().numpy()
    np.savez_compressed(into, **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(str(sung_onsets._FILE)) if len(sys.argv) < 3 else Path(sys.argv[2]))
