"""Rows of features beside the SI-SDR that they are to predict: many separations of many songs.

What costs time is kept in a folder, each with a digest of what it hangs on in its name: rows of separations that
were made without an engine, and, apart, those of the embedded engine. A new engine leaves the first as they are.
"""

from __future__ import annotations

import ast
import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from functools import cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from resonate_resources.ingredients import ingredients_of
from resonate_resources.recordings.recording import Samples
from resonate_resources.separation.prediction import predictor
from resonate_resources.separation.prediction.passage import BLOCK, assembled, frame_size
from resonate_resources.separation.prediction.telltales import measure_telltales
from resonate_resources.separation.quality import has_sound, window_bounds
from resonate_resources.separation.spectral import spleeter
from resonate_resources.separation.spectral.engine import lift_of, separate_samples
from resonate_tests.benchmarks.quality_prediction import degradation
from resonate_tests.benchmarks.quality_prediction.degradation import (
    ENGINE_KINDS,
    MADE_KINDS,
    RATE,
    Random,
    Song,
    Stack,
    degraded,
)
from resonate_tests.benchmarks.quality_prediction.pieces import Played, played
from resonate_tests.benchmarks.quality_prediction.split import Piece

MADE = 4
"""Separations of every piece that no engine made."""
LAYOUTS = (
    ("vocals", "drums", "bass", "other"),
    ("vocals", "other"),
    ("vocals", "drums", "bass", "other", "piano", "guitar"),
)
Layout = tuple[str, ...]
Row = tuple[object, ...]


@dataclass(frozen=True)
class Examples:
    """A row per song, separation of it, stem and window.

    voice, company: as a `Piece` has them; the voice is "none" also where the song's own is silent. kind: one of
    KINDS. window: −1 stands for the whole track, whose features are empty (NaN). si_sdr_db: NaN where the truth is
    silent. energy: of the stem in the window.
    """

    song: npt.NDArray[np.str_]
    voice: npt.NDArray[np.str_]
    company: npt.NDArray[np.str_]
    separation: npt.NDArray[np.int64]
    kind: npt.NDArray[np.str_]
    stem: npt.NDArray[np.str_]
    stems: npt.NDArray[np.int64]
    window: npt.NDArray[np.int64]
    features: npt.NDArray[np.float32]
    energy: npt.NDArray[np.float64]
    si_sdr_db: npt.NDArray[np.float64]

    def __getitem__(self, rows: npt.NDArray[np.bool_]) -> Examples:
        return Examples(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @classmethod
    def joined(cls, parts: Iterable[Examples]) -> Examples:
        parts = list(parts)
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def all_examples(pieces: Iterable[Piece], folder: Path) -> Examples:
    """Of these pieces, by $AT_ONCE processes (two)."""
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(int(os.environ.get("AT_ONCE", "2"))) as pool:
        return Examples.joined(pool.map(partial(examples_of, folder=folder), pieces))


def examples_of(piece: Piece, folder: Path) -> Examples:
    """Rendered and separated once; kept in the folder."""
    weights = "none" if spleeter.why_missing() else spleeter.SHA256[:8]
    engine = ingredients_of("resonate_resources.separation.spectral.engine").constants[:12]
    files = {}
    if piece.ways in ("all", "made"):
        files[_without_an_engine] = folder / f"made-{piece.name}-{_code_digest()}.npz"
    if piece.ways != "made":
        kind = "given" if piece.ways == "as it is" else "engine"
        files[_of_the_engine] = folder / f"{kind}-{piece.name}-{_code_digest()}-{engine}-{weights}.npz"
    if missing := {make: file for make, file in files.items() if not file.exists()}:
        heard = played(piece, folder)
        for make, file in missing.items():
            columns = [np.array(column) for column in zip(*make(piece, heard), strict=True)]
            part = file.with_suffix(f".{os.getpid()}.npz")
            np.savez(part, **{field.name: c for field, c in zip(fields(Examples), columns, strict=True)})
            part.rename(file)
    return Examples.joined(_read(file) for file in files.values())


def _read(file: Path) -> Examples:
    with np.load(file) as arrays:
        return Examples(**arrays)


@cache
def _code_digest() -> str:
    """Of the code that separations and features are made by, without its comments and docstrings."""
    features = Path(predictor.__file__).parent
    files = [file for file in sorted(features.glob("*.py")) if file.stem not in ("predictor", "trees")]
    digest = hashlib.sha256()
    for file in (*files, Path(degradation.__file__), Path(__file__)):
        tree = ast.parse(file.read_bytes())
        for node in ast.walk(tree):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                node.value.value = ""
        digest.update(ast.dump(tree).encode())
    return digest.hexdigest()[:12]


def _without_an_engine(piece: Piece, heard: Played) -> Iterator[Row]:
    rng = np.random.default_rng([piece.seed, piece.judged, 5])
    songs: dict[Layout, Song] = {}
    for separation, kind in enumerate(rng.permutation(MADE_KINDS)[:MADE]):
        layout = _layout(heard, rng)
        if layout not in songs:
            songs[layout] = Song(heard.mix, np.stack(list(_laid_out(heard.stems, layout).values())), {})
        yield from _rows(piece, separation, kind, layout, songs[layout], degraded(songs[layout], kind, rng))


def _of_the_engine(piece: Piece, heard: Played) -> Iterator[Row]:
    """What a user gets, into four stems; and blends of it, into any, and of every second piece what is found
    without the weights, if there is to be more."""
    rng = np.random.default_rng([piece.seed, piece.judged, 6])
    lift = lift_of(np.array_split(heard.mix, max(1, heard.mix.shape[1] // RATE), axis=1))
    found = {True: separate_samples(heard.mix, RATE, lift)}
    if piece.ways != "as it is" and piece.seed % 2 and lift is not None:
        found[False] = separate_samples(heard.mix, RATE, None)
    as_it_is, without_weights, *blends = ENGINE_KINDS
    plan = [(as_it_is, LAYOUTS[0])]
    if piece.ways != "as it is":
        plan += [(kind, _layout(heard, rng)) for kind in (*blends, blends[0])]
    if False in found:
        plan.append((without_weights, LAYOUTS[0]))
    for separation, (kind, layout) in enumerate(plan, MADE):
        truth = _laid_out(heard.stems, layout)
        stems = {weights: _engine_stems(each, truth) for weights, each in found.items()}
        song = Song(heard.mix, np.stack(list(truth.values())), stems)
        yield from _rows(piece, separation, kind, layout, song, degraded(song, kind, rng))


def _layout(heard: Played, rng: Random) -> Layout:
    if "piano" in heard.stems:
        return LAYOUTS[rng.choice(3, p=(0.7, 0.15, 0.15))]
    return LAYOUTS[rng.choice(2, p=(0.8, 0.2))]


def _laid_out(parts: dict[str, Samples], layout: Layout) -> dict[str, Samples]:
    """The parts as the stems of a layout: what it has no name for is in `other`."""
    stems = {name: parts[name].copy() for name in layout}
    for name, part in parts.items():
        if name not in layout:
            stems["other"] += part
    return stems


def _engine_stems(found: dict[str, Samples], truth: dict[str, Samples]) -> Stack:
    """The engine's four stems in the truth's layout; piano and guitar get the error of `other` by their energy."""
    stems = _laid_out(found, tuple(name for name in truth if name in found))
    keyed = [name for name in truth if name not in found]
    if keyed:
        share = {name: float(np.square(truth[name]).sum()) + 1e-9 for name in ("other", *keyed)}
        rest = stems["other"] - sum(truth[name] for name in ("other", *keyed))
        for name in ("other", *keyed):
            stems[name] = truth[name] + rest * np.float32(share[name] / sum(share.values()))
    return np.stack([stems[name] for name in truth])


def _rows(piece: Piece, separation: int, kind: str, names: Layout, song: Song, stems: Stack) -> Iterator[Row]:
    """Of all windows of all stems that have sound, and of the stems as a whole."""
    voice = piece.voice if _sounds(song.truth[names.index("vocals")]) else "none"
    head = piece.name, voice, piece.company, separation, kind
    everything = np.concatenate([song.mix[None], stems])
    sums = []  # ⟨estimate, truth⟩, ‖estimate‖², ‖truth‖² by window
    for number, (start, stop) in enumerate(window_bounds(song.mix.shape[1], RATE)):
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
                yield (*head, name, len(names), number, row, own[1], value)
    empty = np.full_like(features[0], np.nan)
    for name, own in zip(names, np.sum(sums, axis=0), strict=True):
        value = _si_sdr(*own) if has_sound(own[2], song.mix.size) else np.nan
        yield (*head, name, len(names), -1, empty, own[1], value)


def _sounds(samples: Samples) -> bool:
    return has_sound(float(np.square(samples, dtype=np.float64).sum()), samples.size)


def _products(estimate: Samples, truth: Samples) -> tuple[float, float, float]:
    one, other = estimate.astype(np.float64).ravel(), truth.astype(np.float64).ravel()
    return float(one @ other), float(one @ one), float(other @ other)


def _si_sdr(inner: float, estimate: float, truth: float) -> float:
    """As `signal/si_sdr.py` has it, for sounds without an offset."""
    explained = inner**2 / (truth * (estimate + 1e-20))
    return float(10 * np.log10(explained / max(1 - explained, 1e-6) + 1e-6))
