"""Fits what tells a downbeat from a beat, the right pulse from others, and how sure that is: python -m
resonate_tests.benchmarks.fit_beats

    python -m resonate_tests.benchmarks.fit_beats SONGS [OUT.npz]

SONGS holds folders `mix.wav` and `truth.json` (beats_s, downbeats_s, metres), as bench_music renders them;
seeds 0–59 are fitted to. Of each four one is left out in turn to tell how well it goes, and certainty is fitted to
what is decided on those. Seeds from 100 on are not looked at. Pulses are fitted to excerpts, plain clicks and drum
loops, too; that there is none, to songs cut into pieces.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mir_eval
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from resonate_resources.profiling import bars, metrical_level
from resonate_resources.profiling.beat_features import Frames, at_beats, framed
from resonate_resources.profiling.beat_network import FRAME_RATE, Heard, hear_beats
from resonate_resources.profiling.beat_path import beat_path, evidence
from resonate_resources.profiling.beats import Stretch, decide, tempo_of_beats
from resonate_resources.profiling.certainty import certainty
from resonate_resources.recordings.recording import Recording, Samples, write_samples

SEEDS = range(60)
RATE = 22050
CLICKS_BPM = (31, 36, 42, 55, 66, 77, 91, 104, 118, 136, 155, 179, 203, 230, 262, 294)
LOOPS_BPM = (46, 52, 58, 65, 72, 79, 86, 94, 103, 112, 124, 137, 150, 163, 176)
BEATS = {"6/8": 2, "2/4": 2, "3/4": 3, "4/4": 4}
FOLDS = 4
CERTAIN = ("tempo", "beats", "downbeats", "metre")
SURE = (0.0, 0.5, 0.7, 0.85, 0.95, 1.01)
EXCERPTS, SHORTEST_S, LONGEST_S = 2, 6.0, 45.0
PIECES = 5, 46  # frames: 0.1–0.9 s
_PLACES_RIDGE, _LEVELS_RIDGE, _CERTAINTY_RIDGE = 1e-3, 0.01, 0.01
_SHARPNESS = 20.0  # of how much more a candidate is wanted than one whose F is less
_RIGHT = 0.9  # F from which on beats count as right, as in bench_music
Doubles = npt.NDArray[np.float64]
Fitted = dict[str, Doubles]


@dataclass(frozen=True)
class Example:
    """places: of each true beat, a row of `bars.PLACES`. right: F of each pulse against the true beats. described:
    (pulses, columns)."""

    heard: Heard
    frames: Frames
    beats: Doubles
    places: npt.NDArray[np.int64]
    pulses: list[metrical_level.Pulse]
    right: Doubles
    described: Doubles


def places_of(truth: dict[str, Any]) -> npt.NDArray[np.int64]:
    """(beats,): rows of `bars.PLACES`."""
    beats, downbeats = (np.array(truth[name]) for name in ("beats_s", "downbeats_s"))
    starts, counts = zip(*((span["start_s"], BEATS[span["value"]]) for span in truth["metres"]), strict=True)
    places = []
    for number, beat in enumerate(beats):
        count = counts[max(0, int(np.searchsorted(starts, beat + 0.01)) - 1)]
        first = np.searchsorted(
            beats, downbeats[max(0, int(np.searchsorted(downbeats, beat + 0.01)) - 1)] - 0.01
        )
        place = min(number - int(first), count - 1)
        places.append(int(np.flatnonzero((np.array([count, place]) == bars.PLACES).all(axis=1))[0]))
    return np.array(places)


def example(heard: Heard, beats: Doubles, places: npt.NDArray[np.int64]) -> Example:
    nats, frames = evidence(heard.activations[:, :2].sum(axis=1)), framed(heard)
    first, _ = beat_path(nats)
    pulses = metrical_level.candidates(nats, metrical_level.tempi_of(first), first) if len(first) > 2 else []
    right = np.array([mir_eval.beat.f_measure(beats, pulse.beats) for pulse in pulses])
    described = np.array([metrical_level.described(frames, nats, pulse) for pulse in pulses])
    return Example(heard, frames, beats, places, pulses, right, described)


def excerpts(one: Example, rng: np.random.Generator) -> Iterator[Example]:
    """Of chance lengths and places."""
    for _ in range(EXCERPTS):
        seconds = len(one.frames.sure) / FRAME_RATE
        length = min(float(rng.uniform(SHORTEST_S, LONGEST_S)), seconds)
        start = float(rng.uniform(0, seconds - length))
        rows = slice(round(start * FRAME_RATE), round((start + length) * FRAME_RATE))
        within = (one.beats >= start) & (one.beats < start + length)
        part = example(_rows(one.heard, rows), one.beats[within] - start, one.places[within])
        if part.pulses and within.sum() > metrical_level.FEWEST:
            yield part


def cut_up(one: Example, rng: np.random.Generator) -> Heard:
    """The same song in pieces of chance lengths, in any order."""
    frames = len(one.frames.sure)
    edges = np.cumsum(rng.integers(*PIECES, size=frames // PIECES[0]))
    pieces = np.split(np.arange(frames), edges[edges < frames])
    rng.shuffle(pieces)
    order = np.concatenate(pieces)[: round(rng.uniform(SHORTEST_S, LONGEST_S) * FRAME_RATE)]
    return _rows(one.heard, order)


def _rows(heard: Heard, rows: slice | npt.NDArray[np.int64]) -> Heard:
    return Heard(heard.activations[rows], heard.rises[rows], heard.pitch_classes[rows])


def fit_places(examples: list[Example]) -> Doubles:
    """Softmax regression, (columns, 9); places that are rare count as much as others."""
    rows = np.concatenate([bars.described(at_beats(one.frames, one.beats)) for one in examples])
    wanted = np.concatenate([one.places for one in examples])
    target = np.eye(len(bars.PLACES))[wanted]
    shape = rows.shape[1], len(bars.PLACES)

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        weights = flat.reshape(shape)
        scores = rows @ weights
        log = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        inner = np.vstack([weights[:-1], np.zeros(shape[1])])  # the last column is constant
        gradient = rows.T @ (np.exp(log) - target) / len(rows) + 2 * _PLACES_RIDGE * inner
        return -float((log * target).sum()) / len(rows) + _PLACES_RIDGE * float(
            (inner**2).sum()
        ), gradient.ravel()

    found = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B").x.reshape(shape)
    share = (target.sum(axis=0) + len(rows) / 50) / len(rows)
    found[-1] -= np.log(share / share.sum())
    return np.asarray(found)


def fit_levels(examples: list[Example], classifier: Doubles) -> Doubles:
    """Conditional logit over the candidates of each song."""
    tables = []
    for one in examples:
        fits = bars.bar_fits([at_beats(one.frames, pulse.beats) for pulse in one.pulses], classifier)
        tables.append(np.column_stack([one.described, fits]))
    deviation = np.concatenate(tables).std(axis=0) + 1e-6
    wanted = [np.exp(_SHARPNESS * (one.right - one.right.max())) for one in examples]
    wanted = [one / one.sum() for one in wanted]

    rows, target = np.concatenate(tables) / deviation, np.concatenate(wanted)
    counts = np.array([len(table) for table in tables])
    starts, songs = np.concatenate([[0], np.cumsum(counts)[:-1]]), np.repeat(np.arange(len(tables)), counts)

    def loss(weights: Doubles) -> tuple[float, Doubles]:
        scores = rows @ weights
        scores -= np.maximum.reduceat(scores, starts)[songs]
        log = scores - np.log(np.add.reduceat(np.exp(scores), starts))[songs]
        value = _LEVELS_RIDGE * float(weights @ weights) - float(target @ log) / len(tables)
        return value, 2 * _LEVELS_RIDGE * weights + rows.T @ (np.exp(log) - target) / len(tables)

    return np.asarray(minimize(loss, np.zeros(len(deviation)), jac=True, method="L-BFGS-B").x / deviation)


def fit_certainty(signs: list[Doubles], right: list[bool]) -> Doubles:
    """Logistic regression: a weight for each sign, and a constant."""
    rows = np.array(signs)
    mean, deviation = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    rows = np.column_stack([(rows - mean) / deviation, np.ones(len(rows))])
    target = np.array(right, np.float64)

    def loss(weights: Doubles) -> tuple[float, Doubles]:
        scores, inner = rows @ weights, np.append(weights[:-1], 0)
        value = float(np.mean(np.logaddexp(0, scores) - target * scores)) + _CERTAINTY_RIDGE * float(
            inner @ inner
        )
        return value, rows.T @ (1 / (1 + np.exp(-scores)) - target) / len(rows) + 2 * _CERTAINTY_RIDGE * inner

    found = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B").x
    weights = found[:-1] / deviation
    return np.append(weights, found[-1] - weights @ mean)


def songs(folder: Path) -> Iterator[tuple[Heard, dict[str, Any]]]:
    for seed in SEEDS:
        song = folder / f"{seed:03d}"
        yield hear_beats(Recording.open(song / "mix.wav")), json.loads((song / "truth.json").read_text())


def played(strokes: Sequence[tuple[float, str]], seconds: float) -> Samples:
    """Strokes (second, kind) as mono samples at 22050 Hz. kind: click, kick, snare or hat."""
    samples = np.zeros(round(seconds * RATE))
    time = np.arange(RATE // 4) / RATE
    noise = np.random.default_rng(0).normal(size=len(time))
    sounds = {
        "click": 0.8 * np.exp(-time / 0.004) * np.sin(2 * np.pi * 1500 * time),
        "kick": 0.8
        * np.exp(-time / 0.08)
        * np.sin(2 * np.pi * (50 * time + 4 * (1 - np.exp(-time / 0.027)))),
        "snare": np.exp(-time / 0.04) * (0.25 * noise + 0.3 * np.sin(2 * np.pi * 190 * time)),
        "hat": 0.15 * np.exp(-time / 0.011) * np.diff(noise, prepend=0),
    }
    for second, kind in strokes:
        start = round(second * RATE)
        sound = sounds[kind][: max(0, len(samples) - start)]
        samples[start : start + len(sound)] += sound
    return samples[np.newaxis].astype(np.float32)


def drum_loop(tempo_bpm: float, seconds: float) -> list[tuple[float, str]]:
    """Kick on one and three, snare on two and four, hats on eighths."""
    eighths = np.arange(0, seconds - 0.1, 30 / tempo_bpm).tolist()
    drums = [(at, ("kick", "snare")[number // 2 % 2]) for number, at in enumerate(eighths) if number % 2 == 0]
    return [*drums, *((at, "hat") for at in eighths)]


def plain(scratch: Path) -> Iterator[Example]:
    """Clicks from 31 to 294 BPM and drum loops from 46 to 176, 30 s of each."""
    clicks = [
        (tempo, [(at, "click") for at in np.arange(0.3, 29.9, 60 / tempo).tolist()]) for tempo in CLICKS_BPM
    ]
    loops = [(tempo, drum_loop(tempo, 30.0)) for tempo in LOOPS_BPM]
    for number, (tempo, strokes) in enumerate([*clicks, *loops]):
        beats = np.arange(strokes[0][0], 29.9, 60 / tempo)
        heard = hear_beats(write_samples(scratch / f"{number}.wav", played(strokes, 30.0), RATE))
        yield example(heard, beats, np.zeros(len(beats), np.int64))


def fit(whole: list[Example], others: list[Example]) -> Fitted:
    places = fit_places(whole)
    return {"places": places, "levels": fit_levels([*whole, *others], places)}


def judged(one: Example, fitted: Fitted) -> tuple[Stretch, dict[str, float]] | None:
    """What is decided of it, and how right it is. None where there is nothing."""
    found = decide(one.heard, fitted=fitted)
    if found is None:
        return None
    tempo, true = tempo_of_beats(found.beats), tempo_of_beats(one.beats)
    metre, told = (int(np.bincount(beats).argmax()) for beats in (bars.PLACES[one.places, 0], found.bars))
    downbeats = one.beats[bars.PLACES[one.places, 1] == 0]
    return found, {
        "tempo": float(tempo is not None and true is not None and abs(tempo / true - 1) < 0.02),
        "beats": mir_eval.beat.f_measure(one.beats, found.beats),
        "downbeats": mir_eval.beat.f_measure(downbeats, found.beats[found.places == 0]),
        "metre": float(metre == told),
    }


def cross_validated(whole: list[Example], parts: list[list[Example]], loops: list[Example]) -> Fitted:
    """Certainty by what is decided of songs, each by what the others taught. Prints how right that is."""
    rng = np.random.default_rng(14)
    signs: dict[str, list[Doubles]] = {name: [] for name in (*CERTAIN, "pulse")}
    right: dict[str, list[bool]] = {name: [] for name in (*CERTAIN, "pulse")}
    scores: dict[str, list[float]] = {name: [] for name in CERTAIN}
    for fold in range(FOLDS):
        inner = [number for number in range(len(whole)) if number % FOLDS != fold]
        fitted = fit([whole[i] for i in inner], [*(part for i in inner for part in parts[i]), *loops])
        for number in range(fold, len(whole), FOLDS):
            for one in (whole[number], *parts[number]):
                found = judged(one, fitted)
                if found is None:
                    continue
                stretch, score = found
                for name, doubts in stretch.doubts().items():
                    signs[name].append(doubts)
                    right[name].append(score[name] >= _RIGHT)
                    if one is whole[number]:
                        scores[name].append(score[name])
                if score["beats"] >= _RIGHT:
                    signs["pulse"].append(stretch.signs)
                    right["pulse"].append(True)
            for _ in range(EXCERPTS):
                none = decide(cut_up(whole[number], rng), fitted=fitted)
                if none is not None:
                    signs["pulse"].append(none.signs)
                    right["pulse"].append(False)
        for click in loops[: len(CLICKS_BPM)]:  # they have no bars
            bare = decide(click.heard, fitted=fitted)
            if bare is not None:
                for name in ("downbeats", "metre"):
                    signs[name].append(bare.doubts()[name])
                    right[name].append(False)
    for name, of_songs in scores.items():
        print(f"{len(of_songs)} songs left out: {name} {np.mean(of_songs):.3f}")
    certain = {name: fit_certainty(signs[name], right[name]) for name in signs}
    for name, weights in certain.items():
        sure = np.array([certainty(row, weights) for row in signs[name]])
        told = "; ".join(
            f"{low:.2f}–{high:.2f} {np.mean(np.array(right[name])[within]):.2f} of {within.sum()}"
            for low, high in pairwise(SURE)
            if (within := (sure >= low) & (sure < high)).any()
        )
        print(f"right by how sure it is, {name}: {told}")
    return certain


def main() -> None:
    whole = [
        example(heard, np.array(truth["beats_s"]), places_of(truth))
        for heard, truth in songs(Path(sys.argv[1]))
    ]
    rng = np.random.default_rng(14)
    parts = [list(excerpts(one, rng)) for one in whole]
    with TemporaryDirectory() as made:
        loops = [one for one in plain(Path(made)) if one.pulses]
    certain = cross_validated(whole, parts, loops)
    if len(sys.argv) > 2:
        fitted = fit(whole, [*(one for of_song in parts for one in of_song), *loops]) | certain
        np.savez(sys.argv[2], **{name: one.astype(np.float32) for name, one in fitted.items()})  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
