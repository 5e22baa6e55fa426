"""How often a soundfont's program of the right family is found: python -m resonate_tests.benchmarks.bench_programs

    FOLDER --songs 300-303 --index FluidR3_GM    songs of `bench_music`: their true stems and notes
    --parts 300-303 --index … --query …          single parts, each with every melodic program of another soundfont
    --fit                                        weights for these parts, by conditional logit

Families are General MIDI's, eight programs each; the first of three is the nearest. Soundfonts: paths, or those of
`rendering`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from resonate_resources.instruments import fluidsynth_player
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording
from resonate_resources.regeneration.candidate import Part
from resonate_resources.regeneration.excerpts import EXCERPT_S, RATE, excerpts
from resonate_resources.regeneration.notes import playable
from resonate_resources.regeneration.program_retrieval import WEIGHTS, differences, sound_features
from resonate_resources.regeneration.soundfont import candidates
from resonate_tests.benchmarks.music_truth.composing import compose
from resonate_tests.benchmarks.music_truth.rendering import soundfont

PROGRAMS = np.array(
    [program for program in range(96) if program // 8 != 4]
)  # basses have a table of their own
FAMILIES = PROGRAMS // 8
Floats = npt.NDArray[np.float64]


def of_songs(folder: Path, seeds: Sequence[int], index: Path) -> None:
    hits: dict[str, list[tuple[bool, bool]]] = {"bass": [], "other": []}
    for seed in seeds:
        song = folder / f"{seed:03d}"
        truth = json.loads((song / "truth.json").read_text())
        for stem, found in hits.items():
            if not (song / f"{stem}.wav").exists():
                continue
            notes = playable([Note(on, off, int(p), int(v)) for on, off, p, v in truth["notes"][stem]])
            part = Part(stem, Recording.open(song / f"{stem}.wav"), tuple(notes), 44_100)
            offered = [int(str(one.settings["program"])) // 8 for one in candidates(part, [index])]
            names = ("bass",) if stem == "bass" else ("keys", "guitar", "pad", "lead")
            played = {truth["programs"].get(name) for name in names} - {None}
            families = {program // 8 for program in played}
            found.append((offered[0] in families, bool(families & set(offered))))
            print(seed, stem, "plays", sorted(families), "offered", offered)
    for stem, found in hits.items():
        print(stem, len(found), "first, in three:", np.mean(found, axis=0).round(2))


def parts(seeds: Sequence[int], query: Path, index: Path) -> Iterator[Floats]:
    """(programs of query, programs of index, weights): how far the excerpts of a part are apart."""
    for seed in seeds:
        for part in compose(seed).parts.values():
            if part.stem not in ("drums", "bass") and part.program is not None:
                windows = [notes for _, notes in excerpts(part.notes)]
                one, other = (
                    [_features(path, int(program), windows) for program in PROGRAMS]
                    for path in (query, index)
                )
                yield np.array([[differences(a, b) for b in other] for a in one], np.float64)


def _features(
    path: Path, program: int, windows: Sequence[Sequence[Note]]
) -> tuple[npt.NDArray[np.float32], ...]:
    frames = round(EXCERPT_S * RATE)
    played = [
        fluidsynth_player.play_notes(path, 0, program, RATE, notes, frames, 1.0).mean(axis=0)
        for notes in windows
    ]
    return sound_features(np.concatenate(played))


def in_three(apart: Floats, weights: Floats) -> tuple[float, float]:
    """Shares of programs whose family is the nearest, and among the nearest three."""
    far = apart @ weights
    nearest = np.stack([far[..., family == FAMILIES].min(axis=-1) for family in np.unique(FAMILIES)], axis=-1)
    own = far.shape[0] // len(PROGRAMS)
    right = np.searchsorted(np.unique(FAMILIES), np.tile(FAMILIES, own))
    before = (nearest < nearest[np.arange(len(right)), right][:, np.newaxis]).sum(axis=1)
    return float((before < 1).mean()), float((before < 3).mean())


def fitted(apart: Floats) -> Floats:
    """Not negative, most likely where a program's chance falls with e to the power of its distance."""
    scale = apart.std(axis=(0, 1))
    same = FAMILIES[np.newaxis] == np.tile(FAMILIES, len(apart) // len(PROGRAMS))[:, np.newaxis]

    def unlikelihood(weights: Floats) -> tuple[float, Floats]:
        score = -(apart / scale) @ weights
        chance = np.exp(score - score.max(axis=1, keepdims=True))
        of_family, of_all = (chance * same).sum(axis=1), chance.sum(axis=1)
        expected = [
            np.einsum("qp,qpw->qw", share, apart / scale) / total[:, np.newaxis]
            for share, total in ((chance * same, of_family), (chance, of_all))
        ]
        return float(-np.log(of_family / of_all).mean()), (expected[0] - expected[1]).mean(axis=0)

    start = np.ones(apart.shape[2])
    found = minimize(unlikelihood, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * start.size)
    return np.asarray(found.x / scale)


def _span(told: str) -> range:
    first, _, last = told.partition("-")
    return range(int(first), int(last or first) + 1)


def _path(told: str) -> Path:
    return Path(told) if Path(told).exists() else soundfont(told)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--songs", type=_span, default=range(0))
    parser.add_argument("--parts", type=_span, default=range(0))
    parser.add_argument("--index", type=_path, required=True)
    parser.add_argument("--query", type=_path)
    parser.add_argument("--fit", action="store_true")
    asked = parser.parse_args()
    if asked.songs:
        of_songs(asked.folder, asked.songs, asked.index)
    if asked.parts:
        apart = np.concatenate(list(parts(asked.parts, asked.query, asked.index)))
        print(len(apart), "first, in three:", in_three(apart, np.array(WEIGHTS)))
        if asked.fit:
            weights = fitted(apart)
            print("weights", weights.round(3).tolist(), in_three(apart, weights))


if __name__ == "__main__":
    main()
