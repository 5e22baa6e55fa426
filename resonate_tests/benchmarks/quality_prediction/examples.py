"""Rows of features beside the SI-SDR that they are to predict: many separations of many songs."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples
from resonate_resources.separation.prediction.passage import BLOCK, assembled, frame_size
from resonate_resources.separation.prediction.telltales import measure_telltales
from resonate_resources.separation.quality import has_sound, window_bounds
from resonate_resources.separation.spectral.engine import lift_of, separate_samples
from resonate_tests.benchmarks.quality_prediction.degradation import KINDS, RATE, Song, Stack, degraded
from resonate_tests.benchmarks.quality_prediction.songs import band_song, demo_song

SEPARATIONS = 9
"""Of every song."""
DEMO = 10_000
"""Songs from this number on are demo songs, played by Faust instruments; before, General MIDI bands."""
LAYOUTS = (
    ("vocals", "drums", "bass", "other"),
    ("vocals", "other"),
    ("vocals", "drums", "bass", "other", "piano", "guitar"),
)


@dataclass(frozen=True)
class Examples:
    """A row per song, separation of it, stem and window.

    kind: index into KINDS. window: −1 stands for the whole track, whose features are empty (NaN). si_sdr_db: NaN
    where the truth is silent. energy: of the stem in the window.
    """

    song: npt.NDArray[np.int64]
    separation: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int64]
    stem: npt.NDArray[np.str_]
    stems: npt.NDArray[np.int64]
    window: npt.NDArray[np.int64]
    features: npt.NDArray[np.float32]
    energy: npt.NDArray[np.float64]
    si_sdr_db: npt.NDArray[np.float64]

    def __getitem__(self, rows: npt.NDArray[np.bool_]) -> Examples:
        return Examples(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @classmethod
    def joined(cls, parts: list[Examples]) -> Examples:
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def examples_of(song: int, folder: Path) -> Examples:
    """Rendered and separated once; kept in the folder."""
    file = folder / f"examples-{song}.npz"
    if not file.exists():
        examples = _made(song, _rendered(song, folder))
        np.savez(file, **{field.name: getattr(examples, field.name) for field in fields(examples)})
    with np.load(file) as arrays:
        return Examples(**arrays)


def _rendered(song: int, folder: Path) -> dict[str, Samples]:
    file = folder / f"song-{song}.npz"
    if not file.exists():
        with tempfile.TemporaryDirectory() as scratch:
            stems = band_song(song, Path(scratch)) if song < DEMO else demo_song(song - DEMO, Path(scratch))
        np.savez(file, **stems)
    with np.load(file) as stems:
        return dict(stems)


def _made(song: int, parts: dict[str, Samples]) -> Examples:
    rng = np.random.default_rng([song, 5])
    mix = np.sum(list(parts.values()), axis=0)
    found = separate_samples(mix, RATE, lift_of([mix]))
    songs: dict[tuple[str, ...], Song] = {}
    rows: list[tuple[object, ...]] = []
    for separation, kind in enumerate(rng.permutation(len(KINDS))[:SEPARATIONS]):
        layout = LAYOUTS[
            rng.choice(3, p=(0.7, 0.15, 0.15)) if "piano" in parts else rng.choice(2, p=(0.8, 0.2))
        ]
        if layout not in songs:
            truth = _laid_out(parts, layout)
            songs[layout] = Song(np.stack(list(truth.values())), _engine_stems(found, truth))
        known = songs[layout]
        stems = degraded(known, KINDS[kind], rng)
        rows += [(song, separation, int(kind), *row) for row in _rows(mix, stems, known, layout)]
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return Examples(*columns)


def _laid_out(parts: dict[str, Samples], layout: tuple[str, ...]) -> dict[str, Samples]:
    """The parts as the stems of a layout: what it has no name for is in `other`."""
    stems = {name: parts[name].copy() for name in layout}
    for name, part in parts.items():
        if name not in layout:
            stems["other"] += part
    return stems


def _engine_stems(found: dict[str, Samples], truth: dict[str, Samples]) -> npt.NDArray[np.float32]:
    """The engine's four stems in the truth's layout; piano and guitar get the error of `other` by their energy."""
    stems = _laid_out(found, tuple(name for name in truth if name in found))
    keyed = [name for name in truth if name not in found]
    if keyed:
        share = {name: float(np.square(truth[name]).sum()) + 1e-9 for name in ("other", *keyed)}
        rest = stems["other"] - sum(truth[name] for name in ("other", *keyed))
        for name in ("other", *keyed):
            stems[name] = truth[name] + rest * np.float32(share[name] / sum(share.values()))
    return np.stack([stems[name] for name in truth])


def _rows(mix: Samples, stems: Stack, song: Song, names: tuple[str, ...]) -> list[tuple[object, ...]]:
    """(stem, stems, window, features, energy, SI-SDR) of all windows of all stems that have sound."""
    rows: list[tuple[object, ...]] = []
    everything = np.concatenate([mix[None], stems])
    sums = []  # ⟨estimate, truth⟩, ‖estimate‖², ‖truth‖² by window
    for number, (start, stop) in enumerate(window_bounds(mix.shape[1], RATE)):
        part = everything[:, :, start:stop]
        size = frame_size(RATE)
        step = BLOCK * size
        passage = assembled((part[:, :, at : at + step] for at in range(0, stop - start, step)), size)
        features = measure_telltales(passage, names).astype(np.float32)
        sums.append(
            [_products(stem, true) for stem, true in zip(part[1:], song.truth[:, :, start:stop], strict=True)]
        )
        for name, row, own in zip(names, features, sums[-1], strict=True):
            if has_sound(own[1], passage.values):
                value = _si_sdr(*own) if has_sound(own[2], passage.values) else np.nan
                rows.append((name, len(names), number, row, own[1], value))
    empty = np.full_like(features[0], np.nan)
    for name, own in zip(names, np.sum(sums, axis=0), strict=True):
        value = _si_sdr(*own) if has_sound(own[2], mix.size) else np.nan
        rows.append((name, len(names), -1, empty, own[1], value))
    return rows


def _products(estimate: Samples, truth: Samples) -> tuple[float, float, float]:
    one, other = estimate.astype(np.float64).ravel(), truth.astype(np.float64).ravel()
    return float(one @ other), float(one @ one), float(other @ other)


def _si_sdr(inner: float, estimate: float, truth: float) -> float:
    """As `signal/si_sdr.py` has it, for sounds without an offset."""
    explained = inner**2 / (truth * (estimate + 1e-20))
    return float(10 * np.log10(explained / max(1 - explained, 1e-6) + 1e-6))
