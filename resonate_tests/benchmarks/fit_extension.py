"""What lies above a cut, told from below: resonate_resources/restoration/upper_envelope.npz.

`python -m resonate_tests.benchmarks.fit_extension FOLDER` reads songs with known truth (see `music_truth`), 000-059 of
FOLDER: of the mix and each stem that no filter has cut, excerpts of ten seconds, seen through filters of all slopes
between 3 and 16.5 kHz. `… judge FOLDER` tells the error on songs 100 and on, in dB, by cut and third.
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
from resonate_resources.restoration.short_time import spectra, window_frames
from resonate_resources.restoration.upper_envelope import (
    ABOVE,
    BELOW,
    RANGE_DB,
    SECONDS,
    Past,
    Thirds,
    above_db,
    inputs,
)

Floats = npt.NDArray[np.float32]

_EXCERPT_S, _AUDIBLE = 10, 1e-7
_CUTS, _MOMENTS = 10, 160  # of each excerpt
_CUT_HZ = 3000.0, 16_500.0
_HEARD_HZ = 20_200.0
_ORDERS = (4, 5, 6, 8, 10, 12, 60, 60, 60)  # Butterworth's; 60 is a wall
_BROUGHT_DOWN_DB = 0.5, 12.0  # at the place which counts as the cut, by filters that are none


def main() -> None:
    from sklearn.neural_network import MLPRegressor

    rng = np.random.default_rng(1)
    parts = [part for power, rate in excerpts(Path(sys.argv[1]), range(60)) for part in cut(power, rate, rng)]
    rows, truth = (np.concatenate([part[which] for part in parts]) for which in (0, 1))
    print(len(rows), "moments")
    network = MLPRegressor(hidden_layer_sizes=(48, 48), batch_size=1024, early_stopping=True, n_iter_no_change=4, random_state=1, verbose=True)
    network.fit(rows, truth / 20)
    told = 20 * network.predict(rows)
    power_db = [float(10 * np.log10(np.mean(10 ** (truth[:, k] / 10)) / np.mean(10 ** (told[:, k] / 10)))) for k in range(ABOVE)]
    print("power", np.round(power_db, 1), "rms", np.sqrt(np.mean((told - truth) ** 2, axis=0)).round(1))
    arrays: dict[str, npt.NDArray[np.floating]] = {"power_db": np.array(power_db, np.float16)}
    for layer, (weights, bias) in enumerate(zip(network.coefs_, network.intercepts_, strict=True)):
        arrays[f"weights_{layer}"], arrays[f"bias_{layer}"] = weights.T.astype(np.float16), bias.astype(np.float16)
    np.savez_compressed(Path(resonate_resources.restoration.__file__).parent / "upper_envelope.npz", allow_pickle=False, **arrays)


def judge() -> None:
    rng = np.random.default_rng(2)
    off: dict[int, list[tuple[Floats, Floats]]] = {}
    for power, rate in excerpts(Path(sys.argv[2]), range(100, 170)):
        for rows, truth in cut(power, rate, rng):
            told = above_db(rows, 0.0)
            long = 10 * np.log10(np.mean(10 ** (told / 10), axis=0) / np.mean(10 ** (truth / 10), axis=0))
            off.setdefault(int(8000 * 2 ** float(rows[0, -1]) // 2000), []).append(
                (np.sqrt(np.mean((told - truth) ** 2, axis=0)), long)
            )
    for bin_, each in sorted(off.items()):
        moments, long = (np.array([one[which] for one in each]) for which in (0, 1))
        print(bin_ * 2, "kHz: of a moment", np.median(moments, axis=0).round(1), "of the whole, |.|", np.median(np.abs(long), axis=0).round(1),
              "mean", long.mean(axis=0).round(1), "within 4:", (np.abs(long) <= 4).mean(axis=0).round(2))


def excerpts(folder: Path, seeds: range) -> Iterator[tuple[Floats, int]]:
    """Power of the moments of each, (moments, lines), and their rate in Hz."""
    for seed in seeds:
        song = folder / f"{seed:03}"
        if not song.exists() or json.loads((song / "truth.json").read_text())["sound"]["lowpass_hz"] is not None:
            continue
        for name, places in (("mix", (0.3, 0.6)), ("vocals", (0.5,)), ("drums", (0.4,)), ("other", (0.6,)), ("bass", (0.5,))):
            path = song / f"{name}.wav"
            for place in places if path.exists() else ():
                recording = Recording.open(path)
                start = int(place * recording.frames)
                sound = recording.read(start, start + _EXCERPT_S * recording.sample_rate)
                if np.mean(sound**2) > _AUDIBLE:
                    yield power_of(sound, recording.sample_rate), recording.sample_rate


def power_of(sound: Samples, sample_rate: int) -> Floats:
    size = window_frames(sample_rate, SECONDS)
    return np.concatenate([np.square(np.abs(each)).mean(axis=0) for each in spectra(iter([sound]), size)])


def cut(power: Floats, sample_rate: int, rng: np.random.Generator) -> Iterator[tuple[Floats, Floats]]:
    """What the network hears of moments through filters, and the levels above over its reference, in dB."""
    hertz = np.arange(power.shape[1]) * sample_rate / 2 / (power.shape[1] - 1)
    for cut_hz in np.exp(rng.uniform(*np.log(_CUT_HZ), _CUTS)):
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
        at = rng.choice(len(rows), min(_MOMENTS, len(rows)), replace=False)
        yield rows[at], above[at].astype(np.float32)


if __name__ == "__main__":
    judge() if sys.argv[1] == "judge" else main()
