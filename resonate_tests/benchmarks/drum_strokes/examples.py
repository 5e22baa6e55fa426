"""Writes levels of drum stems with their strokes, to fit the network of drum strokes on.

`python -m resonate_tests.benchmarks.drum_strokes.examples FOLDER SONGS`: drum tracks of ours, some with a band that
leaks into them; of SONGS (`bench_music SONGS --songs train --render-only`) the drums, and the other stems as what
no drum is struck in; of some of them what the embedded engine leaves of the drums. A quarter of an hour. Needs
Debian's fluid-soundfont-gm, musescore-general-soundfont and hydrogen-drumkits.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soxr
from scipy import fft

from resonate_resources.recordings.recording import Recording, silent, write_samples
from resonate_resources.separation.spectral.engine import SpectralSeparator
from resonate_resources.signal import drum_network
from resonate_resources.signal.band_levels import Floats
from resonate_tests.benchmarks.drum_strokes.kits import CLASSES, Kit, any_kit, unseen_kit
from resonate_tests.benchmarks.mask_fitting.playing import RATE, Audio, Random, in_room

Stroke = tuple[float, int]
"""Second, key of General MIDI."""

SECONDS = 20
TRACKS = 300
UNSEEN = 40
"""Of so many more tracks kits are those that the network is not fitted on: they tell how well it does."""
SEPARATED = 10
"""So many songs are separated, too: the first."""
TRAIN_BELOW = 100
_KEYS = {36: (36,), 38: (38,), 45: (43, 45, 47, 50), 42: (42,), 46: (46,), 49: (49,), 51: (51,)}
_DENSITY = {
    36: 0.22,
    38: 0.2,
    45: 0.07,
    42: 0.5,
    46: 0.08,
    49: 0.02,
    51: 0.4,
}  # of sixteenths, where it plays
_PLAYS = {36: 0.95, 38: 0.92, 45: 0.55, 42: 0.8, 46: 0.55, 49: 0.6, 51: 0.35}


def pattern(rng: Random) -> list[tuple[float, int, float]]:
    """Strokes (second, key, gain) of one to four bars again and again, a few of them left out or added."""
    step = 15 / rng.uniform(60, 190)
    length = int(rng.choice((12, 16, 32, 64)))
    grids = {}
    for kind, keys in _KEYS.items():
        if rng.random() > _PLAYS[kind]:
            continue
        places = np.zeros(length, bool)
        if kind in (42, 51) and rng.random() < 0.8:
            places[:: int(rng.choice((1, 2, 2, 4)))] = True
        elif kind in (36, 38) and rng.random() < 0.7:
            places[(4 if kind == 38 else 0) :: int(rng.choice((4, 8, 8)))] = True
            places |= rng.random(length) < 0.08
        else:
            places |= rng.random(length) < _DENSITY[kind]
        if kind == 45:
            places[: length // 2] &= rng.random() < 0.3  # fills come at the end
        grids[kind] = (
            places,
            [int(rng.choice(keys)) for _ in range(length)],
            0.35 + 0.65 * rng.random(length) ** 0.5,
        )
    swing = rng.choice((0.0, 0.0, 0.15, 0.33)) * step
    strokes = []
    for at in range(int(SECONDS / step) - 4):
        for kind, (places, keys_at, gains) in grids.items():
            here = at % length
            if places[here] != (rng.random() < 0.03 * (kind != 49)):
                second = at * step + swing * (at % 2) + abs(rng.normal(0, 0.004))
                strokes.append((second, keys_at[here], float(gains[here] * rng.uniform(0.8, 1.1))))
    return strokes


def struck(strokes: Sequence[tuple[float, int, float]], kit: Kit, rng: Random) -> tuple[Audio, list[Stroke]]:
    """The track, (frames,), and its strokes, without those whose piece the kit does not have."""
    out, hat = np.zeros((2, SECONDS * RATE))
    wanted = {CLASSES[key] for _, key, _ in strokes}
    pieces = {key: _piece(kit[key], rng) for key in kit if CLASSES.get(key) in wanted}
    kinds = {kind: 10 ** (rng.normal(0, 3.5) / 20) for kind in _KEYS}
    told: list[Stroke] = []
    choked = rng.random() < 0.8
    for second, key, gain in sorted(strokes):
        near = [known for known in pieces if CLASSES.get(known) == CLASSES[key]]
        if not near:
            continue
        take = pieces[min(near, key=lambda known: abs(known - key))]
        start = int(second * RATE)
        part = take[rng.integers(len(take))][: len(out) - start] * gain * kinds[CLASSES[key]]
        if choked and CLASSES[key] in (42, 46):  # a hat that still rings is closed, or struck anew
            hat[start:] *= np.exp(-np.arange(len(hat) - start) / (0.008 * RATE))
        into = hat if CLASSES[key] == 46 else out
        into[start : start + len(part)] += part
        told.append((second, key))
    return out + hat, told


def _piece(takes: Sequence[Audio], rng: Random) -> list[Audio]:
    """Some takes as of another drum: all a little higher or lower, brighter or darker, damped or not."""
    speed = 2 ** rng.normal(0, 0.25)
    octaves, gains = np.linspace(4.8, 14.4, 7), rng.normal(0, 4, 7)
    decay_s = rng.uniform(0.1, 1.0) if rng.random() < 0.3 else np.inf
    pieces = []
    for number in rng.permutation(len(takes))[:3]:
        take = soxr.resample(takes[number], RATE * speed, RATE)
        size = fft.next_fast_len(len(take), real=True)
        hertz = np.log2(np.maximum(fft.rfftfreq(size, 1 / RATE), 1))
        spectrum = fft.rfft(take, size) * 10 ** (np.interp(hertz, octaves, gains) / 20)
        heard = fft.irfft(spectrum, size)[: len(take)]
        pieces.append(heard * np.exp(-np.arange(len(heard)) / (decay_s * RATE)))
    return pieces


def worked_over(dry: Audio, rng: Random) -> Audio:
    """In a room, through an equaliser, a compressor, a low-pass: (frames,)."""
    from scipy.signal import butter, sosfilt

    heard = dry
    if rng.random() < 0.6:
        heard = in_room(np.stack([dry, dry]), rng, rng.uniform(0.15, 1.2), rng.uniform(0.03, 0.5))[0]
    if rng.random() < 0.4:
        envelope = np.sqrt(np.convolve(heard**2, np.ones(400) / 400, "same")) + 1e-4
        heard = heard * (envelope.max() / envelope) ** rng.uniform(0.1, 0.5)
    if rng.random() < 0.25:
        heard = sosfilt(butter(4, rng.uniform(6000, 16000), fs=RATE, output="sos"), heard)
    if rng.random() < 0.15:
        heard = sosfilt(butter(2, rng.uniform(60, 200), "high", fs=RATE, output="sos"), heard)
    return np.asarray(heard)


def leak(songs: Sequence[Path], rng: Random) -> Audio:
    """What a band plays beside the drums, (frames,), of level 1."""
    stems = [
        path
        for path in songs[rng.integers(len(songs))].glob("*.wav")
        if path.stem in ("bass", "other", "vocals")
    ]
    out = np.zeros(SECONDS * RATE)
    for path in stems:
        stem = Recording.open(path)
        start = int(rng.integers(max(stem.frames - len(out), 1)))
        part = stem.read(start, min(start + len(out), stem.frames)).mean(axis=0)
        out[: len(part)] += part * 10 ** (rng.normal(0, 5) / 20)
    return out / (np.sqrt(np.mean(out**2)) + 1e-9)


def kept(levels: Floats, strokes: Sequence[Stroke], into: Path) -> None:
    np.savez(
        into,
        bands=levels.astype(np.float16),
        strokes=np.array([(at, key) for at, key in strokes], np.float32).reshape(-1, 2),
    )


def track(seed: int, songs: Sequence[Path], into: Path, unseen: bool = False) -> None:
    rng = np.random.default_rng([seed, 14, unseen])
    dry, strokes = struck(pattern(rng), unseen_kit(rng) if unseen else any_kit(rng), rng)
    heard = worked_over(dry, rng)
    heard = heard / (np.sqrt(np.mean(heard**2)) + 1e-9)
    if rng.random() < 0.55:
        heard = heard + leak(songs, rng) * 10 ** (rng.uniform(-32, -6) / 20)
    with tempfile.TemporaryDirectory() as scratch:
        samples = (0.1 * heard)[np.newaxis].astype(np.float32)
        kept(drum_network.levels(write_samples(Path(scratch) / "t.wav", samples, RATE)), strokes, into)


def song(folder: Path, into: Path, separated: bool) -> None:
    strokes = [
        (note[0], note[2])
        for note in json.loads((folder / "truth.json").read_text())["notes"].get("drums", [])
    ]
    for name, told in (("drums", strokes), ("other", []), ("bass", []), ("vocals", [])):
        if (folder / f"{name}.wav").exists():
            kept(
                drum_network.levels(Recording.open(folder / f"{name}.wav")),
                told,
                into / f"{folder.name} {name}.npz",
            )
    if separated:
        with tempfile.TemporaryDirectory() as scratch:
            stems = SpectralSeparator().separate(Recording.open(folder / "mix.wav"), Path(scratch), silent)
            kept(drum_network.levels(stems["drums"]), strokes, into / f"{folder.name} separated.npz")


def main(into: Path, songs: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    known = sorted(path.parent for path in songs.glob("*/truth.json") if int(path.parent.name) < TRAIN_BELOW)
    for number, folder in enumerate(known):
        song(folder, into, separated=number < SEPARATED)
    for seed in range(TRACKS):
        track(seed, known, into / f"track {seed}.npz")
    (into / "unseen").mkdir(exist_ok=True)
    for seed in range(UNSEEN):
        track(seed, known, into / "unseen" / f"{seed}.npz", unseen=True)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:3]))
