"""Whether masters are worse than what came in, by what can be measured: `… bench_never_worse FILE|FOLDER …`.

Takes each file through the graph as it is without a brief, in a temporary home, and compares the master with the
original, level-matched: octaves from 63 Hz to 8 kHz (those within 50 dB of the strongest), crest, the distance from
quiet (5 %) to loud (98 %) of 400 ms, and what of the low end under 250 Hz is still in phase.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from resonate_resources.mastering.facts import facts_of
from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.octaves import OCTAVES_HZ
from resonate_resources.signal.resampling import at_rate

MEAN_DB, MOST_DB, CREST_DB, DISTANCE_DB, CORRELATION = 1.0, 2.0, 3.0, 3.0, 0.98
"""What may be lost: of octaves in the mean and at most, of crest, of the distance from quiet to loud; in phase."""

_HEARD = slice(OCTAVES_HZ.index(63.0), OCTAVES_HZ.index(8000.0) + 1)


def main(files: list[str]) -> None:
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "resonate_studio.cli", "process", "--json", "--home", home, *files]
        ran = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        print("| file | limited | octaves: mean, most | crest | quiet to loud | low end | moved | |")
        print("|---|---|---|---|---|---|---|---|")
        for track in json.loads(ran.stdout)["tracks"]:
            print(_row(track) if track["status"] == "ok" else f"| {track['source']} | {track['error']} |")


def _row(track: dict[str, Any]) -> str:
    made = track["assets"]
    original, master = (
        _recording(made[stage]["files"], name)
        for stage, name in (("raw_track", "track.wav"), ("master", "master.wav"))
    )
    before, after = facts_of(original), facts_of(master)
    gain_db = after.integrated_lufs - before.integrated_lufs
    octaves = np.array([before.octaves_db, after.octaves_db])[:, _HEARD]
    told = octaves[0] > max(before.octaves_db) - 50
    off = np.abs(octaves[1] - octaves[0] - gain_db)[told]
    one, two = _at(original, master.sample_rate, master.frames), master.read()
    distance = _distance(two, master.sample_rate) - _distance(one, master.sample_rate)
    in_phase = _correlation(_low(one, master.sample_rate), _low(two, master.sample_rate))
    crest = after.crest_db - before.crest_db
    limited = made["master"]["metadata"]["limiting_db"]
    moved = ", ".join(
        f"{name.removesuffix('_gain_db')} {value:+.1f}"
        for name, value in made["mix_plan"]["metadata"].items()
        if name.endswith("_gain_db") and value
    )
    good = (
        off.mean() <= MEAN_DB
        and off.max() <= MOST_DB
        and crest >= -CREST_DB
        and distance >= -DISTANCE_DB
        and in_phase >= CORRELATION
    )
    name = Path(track["source"]).name
    return (
        f"| {name} | {limited:.1f} dB | {off.mean():.2f}, {off.max():.2f} dB | {crest:+.1f} dB "
        f"| {distance:+.1f} dB | {in_phase:.4f} | {moved or 'nothing'} | {'kept' if good else 'worse'} |"
    )


def _recording(files: list[str], name: str) -> Recording:
    return Recording.open(next(Path(file) for file in files if file.endswith(name)))


def _at(recording: Recording, rate: int, frames: int) -> Samples:
    blocks = at_rate(recording.blocks(), recording.sample_rate, rate, recording.channels, frames)
    return np.concatenate(list(blocks), axis=1)


def _distance(samples: Samples, rate: int) -> float:
    size = round(0.4 * rate)
    count = max(1, samples.shape[1] // size)
    powers = np.array([np.square(part).mean() for part in np.array_split(samples, count, axis=1)])
    sounding = powers[powers > 1e-9 * powers.max()]
    low, high = np.percentile(10 * np.log10(sounding), [5, 98]) if sounding.size else (0.0, 0.0)
    return float(high - low)


def _low(samples: Samples, rate: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    from scipy.signal import butter, sosfiltfilt

    around_zero = samples - samples.mean(axis=1, keepdims=True)  # an offset is no sound
    return np.asarray(sosfiltfilt(butter(4, 250, fs=rate, output="sos"), around_zero), np.float64)


def _correlation(one: np.ndarray[Any, Any], two: np.ndarray[Any, Any]) -> float:
    return float((one * two).sum() / np.sqrt((one**2).sum() * (two**2).sum() + 1e-30))


if __name__ == "__main__":
    main(sys.argv[1:])
