"""What a piece sounds like: its mix and its known stems, rendered once and kept in a folder.

Mixtures that lie in FOLDER/fitted or FOLDER/judged, as `mask_fitting.mixtures` writes them, are read there, others
are made.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from resonate_resources.recordings.recording import Samples
from resonate_tests.benchmarks.mask_fitting.mixtures import Mixture, mixed
from resonate_tests.benchmarks.quality_prediction.songs import band_song, demo_song
from resonate_tests.benchmarks.quality_prediction.split import Piece

_SOFTER = np.float32(10 ** (-45 / 20))


@dataclass(frozen=True)
class Played:
    """mix (channels, frames) at 44.1 kHz, and the stems in it, four or six; a mixture's noise is in no stem."""

    mix: Samples
    stems: dict[str, Samples]


def played(piece: Piece, folder: Path) -> Played:
    whole = _mixture(piece, folder) if piece.source == "mixture" else _rendered(piece, folder)
    if piece.form == "mono":
        return Played(_mono(whole.mix), {name: _mono(stem) for name, stem in whole.stems.items()})
    if piece.form == "quiet":
        return Played(_SOFTER * whole.mix, {name: _SOFTER * stem for name, stem in whole.stems.items()})
    if piece.form in ("no voice", "voice alone"):
        alone = piece.form == "voice alone"
        stems = {
            name: stem if (name == "vocals") == alone else np.zeros_like(stem)
            for name, stem in whole.stems.items()
        }
        return Played(np.sum(list(stems.values()), axis=0), stems)
    return whole


def _mono(samples: Samples) -> Samples:
    return samples.mean(0, keepdims=True)


def _mixture(piece: Piece, folder: Path) -> Played:
    ready = folder / ("judged" if piece.judged else "fitted") / f"{piece.seed}.npz"
    if ready.exists():
        mixture = Mixture.load(ready)
        return Played(mixture.mix, dict(mixture.stems))
    file = folder / f"mixture-{'judged' if piece.judged else 'fitted'}-{piece.seed}.npz"
    if not file.exists():
        stems, mix = mixed(piece.seed, piece.judged)
        _save(file, {"mix": mix, **stems})
    stems = _load(file)
    return Played(stems.pop("mix"), stems)


def _rendered(piece: Piece, folder: Path) -> Played:
    file = folder / f"song-{piece.name}.npz"
    if not file.exists():
        with tempfile.TemporaryDirectory() as scratch:
            stems = (
                band_song(piece.seed, Path(scratch), piece.judged)
                if piece.source == "band"
                else demo_song(piece.seed, Path(scratch))
            )
        _save(file, stems)
    stems = _load(file)
    return Played(np.sum(list(stems.values()), axis=0), stems)


def _save(file: Path, sounds: dict[str, Samples]) -> None:
    part = file.with_suffix(f".{os.getpid()}.npz")
    np.savez(part, **{name: sound.astype(np.float32) for name, sound in sounds.items()})
    part.rename(file)


def _load(file: Path) -> dict[str, Samples]:
    with np.load(file) as arrays:
        return dict(arrays)
