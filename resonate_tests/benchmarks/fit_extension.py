"""What lies above a cut, told from below: resonate_resources/restoration/upper_envelope.npz.

`python -m resonate_tests.benchmarks.fit_extension FOLDER` reads songs with known truth (see `music_truth`), 000-059 of
FOLDER: their stems, mixed anew at chance levels, across songs too, and of chance tone, so that no song is learnt by
heart; seen through filters of all slopes between 3 and 16.5 kHz. Songs 50-59 say when to stop. `… judge FOLDER` tells
the error of the whole on songs 100 and on, in dB, by stem, cut and third.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

import resonate_resources.restoration
from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.restoration.short_time import root_hann, short_time_spectra, window_frames
from resonate_resources.restoration.upper_envelope import (
    ABOVE,
    BELOW,
    RANGE_DB,
    SCALE_DB,
    SECONDS,
    Past,
    Thirds,
    above_db,
    inputs,
)

Floats = npt.NDArray[np.float32]

STEMS = ("vocals", "drums", "bass", "other")
RATE = 44_100
_EXCERPT_S, _PLACES, _AUDIBLE = 8, (0.3, 0.6), 1e-7
_FITTED, _HELD, _CUTS, _MOMENTS = 2500, 400, 2, 120  # mixtures; of each
_LEVELS_DB, _TONE_DB = 6.0, 3.0
_EPOCHS = 24
_CUT_HZ = 3000.0, 16_500.0
_HEARD_HZ = 20_200.0
_ORDERS = (4, 5, 6, 8, 10, 12, 60, 60, 60)  # Butterworth's; 60 is a wall
_BROUGHT_DOWN_DB = 0.5, 12.0  # at the place which counts as the cut, by filters that are none


def main() -> None:
    from sklearn.neural_network import MLPRegressor

    folder, rng = Path(sys.argv[1]), np.random.default_rng(1)
    fitted, held = (
        recombined(list(excerpts(folder, seeds)), count, rng)
        for seeds, count in ((range(50), _FITTED), (range(50, 60), _HELD))
    )
    print(len(fitted[0]), "moments")
    network = MLPRegressor(
        hidden_layer_sizes=(48, 48), batch_size=1024, alpha=1e-3, learning_rate_init=5e-4, random_state=1
    )
    best, arrays = np.inf, {}
    for epoch in range(_EPOCHS):
        order = rng.permutation(len(fitted[0]))
        for part in np.array_split(order, len(order) // 1024):
            network.partial_fit(fitted[0][part], fitted[1][part] / SCALE_DB)
        off = [SCALE_DB * network.predict(rows) - truth for rows, truth in (fitted, held)]
        rms = [np.sqrt(np.mean(np.square(each), axis=0)) for each in off]
        print(epoch, *(each.round(1) for each in rms), flush=True)
        if rms[1].mean() < best:
            best = float(rms[1].mean())
            arrays = {
                f"{what}_{layer}": np.asarray(each.T if what == "weights" else each, np.float16)
                for what, layers in (("weights", network.coefs_), ("bias", network.intercepts_))
                for layer, each in enumerate(layers)
            }
    np.savez_compressed(
        Path(resonate_resources.restoration.__file__).parent / "upper_envelope.npz",
        allow_pickle=False,
        **arrays,
    )


def recombined(songs: list[dict[str, Floats]], count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """What the network hears, and the truth, of so many mixtures: of a song's stems, of several songs', of one alone,
    at chance levels and of chance tone. Powers are added: stems have no phase in common."""
    parts = []
    for _ in range(count):
        kind = rng.choice(["song", "songs", "stem"], p=(0.5, 0.3, 0.2))
        song = songs[rng.integers(len(songs))]
        if kind == "stem":
            power = song[rng.choice(list(song))].copy()
        else:
            power = np.zeros_like(next(iter(song.values())))
            for name in STEMS:
                if kind == "songs":
                    song = songs[rng.integers(len(songs))]
                if name in song:
                    power += song[name] * np.float32(10 ** (rng.normal(0, _LEVELS_DB) / 10))
        octaves = np.log2(np.maximum(np.arange(power.shape[1]), 1) / power.shape[1])
        tone_db = np.interp(octaves, np.linspace(-9, 0, 7), rng.normal(0, _TONE_DB, 7).cumsum() / 2)
        power *= np.float32(10) ** (tone_db / 10).astype(np.float32)
        if power.mean() > _AUDIBLE:
            parts += cut(power, RATE, rng, _CUTS, _MOMENTS)
    rows, truth = (np.concatenate([part[which] for part in parts]) for which in (0, 1))
    return rows, truth


def judge() -> None:
    """Of songs as they are mixed, and of each stem."""
    rng = np.random.default_rng(2)
    off: dict[tuple[str, int], list[Floats]] = {}
    for song in excerpts(Path(sys.argv[2]), range(100, 170)):
        for name, power in {"mix": np.sum(list(song.values()), axis=0), **song}.items():
            for rows, truth in cut(power, RATE, rng, 4, 1000):
                ratio = 10 * np.log10(
                    np.mean(10 ** (above_db(rows, 0.0) / 10), axis=0) / np.mean(10 ** (truth / 10), axis=0)
                )
                off.setdefault((name, int(8000 * 2 ** float(rows[0, -1]) // 4000)), []).append(ratio)
    for (name, bin_), each in sorted(off.items()):
        long = np.array(each)
        print(
            name,
            4 * bin_,
            "kHz: |off|",
            np.median(np.abs(long), axis=0).round(1),
            "median",
            np.median(long, axis=0).round(1),
            "within 4 dB:",
            (np.abs(long) <= 4).mean(axis=0).round(2),
        )


def excerpts(folder: Path, seeds: range) -> Iterator[dict[str, Floats]]:
    """Power of the moments of each stem that sounds, (moments, lines), from songs that no filter has cut."""
    for seed in seeds:
        song = folder / f"{seed:03}"
        if (
            not song.exists()
            or json.loads((song / "truth.json").read_text())["sound"]["lowpass_hz"] is not None
        ):
            continue
        for place in _PLACES:
            found = {}
            for name in STEMS:
                if (path := song / f"{name}.wav").exists():
                    recording = Recording.open(path)
                    start = int(place * recording.frames)
                    sound = recording.read(start, start + _EXCERPT_S * RATE)
                    if np.mean(sound**2) > _AUDIBLE and sound.shape[1] == _EXCERPT_S * RATE:
                        found[name] = power_of(sound, recording.sample_rate)
            if found:
                yield found


def power_of(sound: Samples, sample_rate: int) -> Floats:
    size = window_frames(sample_rate, SECONDS)
    return np.concatenate(
        [np.square(np.abs(each)).mean(axis=0) for each in short_time_spectra([sound], size, root_hann)]
    )


def cut(
    power: Floats, sample_rate: int, rng: np.random.Generator, cuts: int, moments: int
) -> Iterator[tuple[Floats, Floats]]:
    """What the network hears of moments through filters, and the levels above over its reference, in dB."""
    hertz = np.arange(power.shape[1]) * sample_rate / 2 / (power.shape[1] - 1)
    for cut_hz in np.exp(rng.uniform(*np.log(_CUT_HZ), cuts)):
        order = int(rng.choice(_ORDERS))
        down_db = rng.uniform(*_BROUGHT_DOWN_DB) if order < 60 else 0.1
        filter_hz = cut_hz / (10 ** (down_db / 10) - 1) ** (1 / (2 * order))
        response = 1 / (1 + (hertz / filter_hz) ** (2 * order))
        thirds = Thirds(cut_hz, sample_rate, power.shape[1])
        heard = thirds.levels_db(power * response)[:, :BELOW]
        mean = thirds.levels_db((power * response).mean(axis=0))[:BELOW]
        rows, reference = inputs(heard, Past(BELOW).levels_db(heard), mean, float(cut_hz))
        above = np.maximum(thirds.levels_db(power)[:, BELOW:] - reference, -RANGE_DB)
        for k in range(1, ABOVE):  # what is over all hearing goes on as below it
            if thirds.edges_hz[BELOW + k + 1] > _HEARD_HZ * 2 ** (1 / 6):
                above[:, k] = above[:, k - 1]
        at = rng.choice(len(rows), min(moments, len(rows)), replace=False)
        yield rows[at], above[at].astype(np.float32)


if __name__ == "__main__":
    judge() if sys.argv[1] == "judge" else main()
