"""Fits what tells a downbeat from a beat and the right tempo from its half: python -m
resonate_tests.benchmarks.fit_beats

    python -m resonate_tests.benchmarks.fit_beats SONGS [OUT.npz]

SONGS holds folders `mix.wav` and `truth.json` (beats_s, downbeats_s, metres), as bench_music renders them;
seeds 0–59 are fitted to, and of each four one is left out in turn to tell how well it goes. Seeds from 100 on
are not looked at. The metrical level is fitted to plain clicks and drum loops, too.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import mir_eval
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from resonate_resources.profiling import bars, metrical_level
from resonate_resources.profiling.beat_features import at_beats
from resonate_resources.profiling.beat_network import Heard, hear_beats
from resonate_resources.profiling.beat_path import beat_path, evidence
from resonate_resources.recordings.recording import Recording, Samples, write_samples

SEEDS = range(60)
RATE = 22050
CLICKS_BPM = (31, 36, 42, 55, 66, 77, 91, 104, 118, 136, 155, 179, 203, 230, 262, 294)
LOOPS_BPM = (46, 52, 58, 65, 72, 79, 86, 94, 103, 112, 124, 137, 150, 163, 176)
BEATS = {"6/8": 2, "2/4": 2, "3/4": 3, "4/4": 4}
FOLDS = 4
_PLACES_RIDGE, _LEVELS_RIDGE = 1e-3, 0.03
_SHARPNESS = 20.0  # of how much more a candidate is wanted than one whose F is less
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """places: of each true beat, a row of `bars.PLACES`. right: F of each pulse against the true beats."""

    heard: Heard
    nats: Doubles
    beats: Doubles
    places: npt.NDArray[np.int64]
    pulses: list[metrical_level.Pulse]
    right: Doubles


def example(heard: Heard, truth: dict[str, object]) -> Example:
    beats, downbeats = (np.array(truth[name]) for name in ("beats_s", "downbeats_s"))
    starts, counts = zip(*((span["start_s"], BEATS[span["value"]]) for span in truth["metres"]), strict=True)  # type: ignore[attr-defined]
    places = []
    for number, beat in enumerate(beats):
        count = counts[max(0, int(np.searchsorted(starts, beat + 0.01)) - 1)]
        first = np.searchsorted(
            beats, downbeats[max(0, int(np.searchsorted(downbeats, beat + 0.01)) - 1)] - 0.01
        )
        place = min(number - int(first), count - 1)
        places.append(int(np.flatnonzero(((count, place) == bars.PLACES).all(axis=1))[0]))
    nats = evidence(heard.activations[:, :2].sum(axis=1))
    first_found, _ = beat_path(nats)
    pulses = metrical_level.candidates(nats, metrical_level.tempi_of(first_found))
    right = np.array([mir_eval.beat.f_measure(beats, pulse.beats) for pulse in pulses])
    return Example(heard, nats, beats, np.array(places), pulses, right)


def fit_places(examples: list[Example]) -> Doubles:
    """Softmax regression, (columns, 9); places that are rare count as much as others."""
    rows = np.concatenate([bars.described(at_beats(one.heard, one.beats)) for one in examples])
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
    tables = [
        np.array([metrical_level.described(one.heard, one.nats, pulse, classifier) for pulse in one.pulses])
        for one in examples
    ]
    deviation = np.concatenate(tables).std(axis=0) + 1e-6
    wanted = [np.exp(_SHARPNESS * (one.right - one.right.max())) for one in examples]
    wanted = [one / one.sum() for one in wanted]

    def loss(weights: Doubles) -> tuple[float, Doubles]:
        value, gradient = _LEVELS_RIDGE * float(weights @ weights), 2 * _LEVELS_RIDGE * weights
        for table, target in zip(tables, wanted, strict=True):
            scores = table / deviation @ weights
            log = scores - np.logaddexp.reduce(scores)
            value -= float(target @ log) / len(tables)
            gradient = gradient + (table / deviation).T @ (np.exp(log) - target) / len(tables)
        return value, gradient

    return np.asarray(minimize(loss, np.zeros(len(deviation)), jac=True, method="L-BFGS-B").x / deviation)


def songs(folder: Path) -> Iterator[tuple[int, Heard, dict[str, object]]]:
    for seed in SEEDS:
        song = folder / f"{seed:03d}"
        if (song / "truth.json").exists():
            yield (
                seed,
                hear_beats(Recording.open(song / "mix.wav")),
                json.loads((song / "truth.json").read_text()),
            )


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


def plain(scratch: Path) -> Iterator[tuple[Heard, dict[str, object]]]:
    """Clicks from 31 to 294 BPM and drum loops from 46 to 176, 30 s of each, and their truth."""
    clicks = [
        (tempo, [(at, "click") for at in np.arange(0.3, 29.9, 60 / tempo).tolist()]) for tempo in CLICKS_BPM
    ]
    loops = [(tempo, drum_loop(tempo, 30.0)) for tempo in LOOPS_BPM]
    for number, (tempo, strokes) in enumerate([*clicks, *loops]):
        first = strokes[0][0]
        beats = np.arange(first, 29.9, 60 / tempo).tolist()
        heard = hear_beats(write_samples(scratch / f"{number}.wav", played(strokes, 30.0), RATE))
        yield (
            heard,
            {"beats_s": beats, "downbeats_s": beats[::4], "metres": [{"start_s": 0.0, "value": "4/4"}]},
        )


def fit(examples: list[Example], loops: list[Example]) -> dict[str, Doubles]:
    places = fit_places(examples)
    return {"places": places, "levels": fit_levels([*examples, *loops], places)}


def cross_validated(examples: list[Example], loops: list[Example]) -> tuple[float, float]:
    """Mean F of the beats chosen, and of the downbeats on true beats, each song by what the others taught."""
    chosen, downbeats = [], []
    for fold in range(FOLDS):
        others = [one for number, one in enumerate(examples) if number % FOLDS != fold]
        fitted = fit(others, loops)
        for one in examples[fold::FOLDS]:
            table = [metrical_level.described(one.heard, one.nats, p, fitted["places"]) for p in one.pulses]
            chosen.append(one.right[int(np.argmax(np.array(table) @ fitted["levels"]))])
            found = bars.find_bars(at_beats(one.heard, one.beats), fitted["places"])
            true, told = (one.beats[place == 0] for place in (bars.PLACES[one.places, 1], found.place))
            downbeats.append(mir_eval.beat.f_measure(true, told))
    return float(np.mean(chosen)), float(np.mean(downbeats))


if __name__ == "__main__":
    known = [example(heard, truth) for _, heard, truth in songs(Path(sys.argv[1]))]
    with TemporaryDirectory() as made:
        loops = [example(heard, truth) for heard, truth in plain(Path(made))]
    beats_f, downbeats_f = cross_validated(known, loops)
    print(f"{len(known)} songs: beats F {beats_f:.3f}, downbeats F {downbeats_f:.3f}")
    if len(sys.argv) > 2:
        np.savez(sys.argv[2], **{name: one.astype(np.float32) for name, one in fit(known, loops).items()})
