"""How much of a player's wow and flutter `dewow` takes off, and whether it takes any off that is music's.

`python -m resonate_tests.benchmarks.bench_speed FOLDER --songs SONGS [--seeds A-B] [--recordings AUDIO] [-j N]`

SONGS: composed songs with their stems (`music_truth`); AUDIO: a folder of real recordings. Each mix at one of
SPEEDS and each real recording at each, 40 s at most, is mended (balanced) and put before the panel; each mix, stem
and recording is listened to whole and clean, for every preset. What is there in FOLDER is not made again.

Cents: root mean square, 0.1 to 12 Hz, of the pitch's deviation from the clean truth, before and after. It is told
from the two maps of time, the damage's and the step's, which are both known, with the panel's verdict; so no ear
for pitch comes into it. Samples of clean and restored can't be compared one by one (SI-SDR), as a wow of a tenth of
what it was still moves them by tenths of a millisecond; log-spectral distances can, at the one shift in time that
makes both most alike.
"""

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import numpy as np
from scipy.signal import butter, sosfiltfilt

from resonate_resources.preset import Preset
from resonate_resources.recordings.recording import Recording, Samples, silent, write_samples
from resonate_resources.restoration.dewow import Dewow, correction, sure_deviations
from resonate_resources.restoration.panel import WINDOW_S, judge, spliced
from resonate_resources.restoration.partials import CENT, Floats
from resonate_resources.restoration.speed_curve import find_deviations
from resonate_tests.benchmarks.damage import speed
from resonate_tests.benchmarks.damage.distance import log_spectral_distance
from resonate_tests.resources.restoration.test_denoise import FACTS

SPEEDS: dict[str, tuple[speed.Speed, tuple[float, ...]]] = {
    "33⅓ rpm": (speed.lp, (0.002, 0.004)),
    "45 rpm": (speed.single, (0.002, 0.004)),
    "78 rpm": (speed.shellac, (0.003, 0.006)),
    "flutter": (speed.capstan, (0.002, 0.004)),
    "walkman": (speed.walkman, (0.002, 0.004)),
    "taped record": (speed.taped_record, (0.003, 0.005)),
}
_PARTS = ("mix", "vocals", "drums", "bass", "other")
_SECONDS, _FROM_S = 40, 15
_STEP = 441  # frames from one place to the next at which speeds are compared


def damaged_case(source: Path, name: str, size: float, number: int) -> dict[str, object]:
    samples, rate = _excerpt(source)
    deviation = SPEEDS[name][0](samples.shape[1], rate, np.random.default_rng(number), size)
    with TemporaryDirectory() as scratch:
        given = write_samples(Path(scratch) / "given.wav", speed.played(samples, deviation), rate)
        began = time.process_time()
        made = Dewow().mend(given, FACTS, "balanced", Path(scratch) / "mended.wav", silent).recording
        seconds = time.process_time() - began
        was = _cents(deviation, None, rate)
        now, kept = was, 0.0
        if made != given:
            verdict = judge(given, made, "dewow")
            kept = verdict.kept_part
            sure = sure_deviations(find_deviations(given), "balanced")
            moved = _cents(deviation, correction(list(sure.values())), rate)
            window = np.minimum(
                np.arange(len(moved)) * _STEP // round(WINDOW_S * rate), len(verdict.failed) - 1
            )
            now = np.where([not verdict.failed[at] for at in window], moved, was)
            made = spliced(given, made, verdict, Path(scratch) / "kept.wav")
        distances = [_distance(each.read(), samples, rate) for each in (given, made)]
    return {
        "source": f"{source.parent.name}/{source.name}",
        "damage": name,
        "size": size,
        "cents": [_rms(was), _rms(now)],
        "lsd": distances,
        "acted": made != given,
        "kept": kept,
        "seconds_a_minute": seconds * 60 / given.duration,
    }


def _distance(sound: Samples, clean: Samples, rate: int) -> float:
    """Log-spectral, at the one shift in time, of 20 ms at most, that makes them most alike: where a wavering clock
    began to be right nobody can tell."""
    size, reach = 1 << (2 * clean.shape[1] - 1).bit_length(), round(0.02 * rate)
    one, other = (np.fft.rfft(each.mean(axis=0), size) for each in (sound, clean))
    alike = np.roll(np.fft.irfft(one * other.conj(), size), reach)[: 2 * reach + 1]
    return log_spectral_distance(np.roll(sound, reach - int(np.argmax(alike)), axis=1), clean, rate)


def clean_case(source: Path) -> dict[str, object]:
    heard = find_deviations(Recording.open(source))
    changed = [preset for preset in get_args(Preset) if sure_deviations(heard, preset)]
    return {"source": f"{source.parent.name}/{source.name}", "damage": "clean", "changed": changed}


def _excerpt(source: Path) -> tuple[Samples, int]:
    song = Recording.open(source)
    rate = song.sample_rate
    first = max(0, min(_FROM_S * rate, song.frames - _SECONDS * rate))
    return song.read(first, first + _SECONDS * rate), rate


def _cents(deviation: Floats, correction_s: tuple[Floats, Floats] | None, rate: int) -> Floats:
    """How high the pitch is at every _STEP frames of what is heard, of 0.1 to 12 Hz."""
    frames = np.arange(0, len(deviation), _STEP)
    heard = frames.astype(float)
    if correction_s is not None:
        heard += rate * np.interp(frames / rate, *correction_s)
    played = np.interp(heard, np.arange(len(deviation)), np.arange(len(deviation)) + np.cumsum(deviation))
    cents = CENT * np.log(np.gradient(played, _STEP))
    sections = butter(2, (0.1, 12), "bandpass", fs=rate / _STEP, output="sos")
    return np.asarray(sosfiltfilt(sections, cents))


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.square(values).mean()))


def _written(case: tuple[str, Path, str, float, int], folder: Path) -> None:
    name, source, damage, size, number = case
    row = clean_case(source) if damage == "clean" else damaged_case(source, damage, size, number)
    (folder / name).write_text(json.dumps(row))


def report(folder: Path) -> None:
    rows = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    print(
        "| damage | size | cases | acted on | cents before | after, of those | nearer | further | LSD nearer |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name, (_, sizes) in SPEEDS.items():
        for size in sizes:
            some = [row for row in rows if row["damage"] == name and row["size"] == size]
            if not some:
                continue
            acted = [row for row in some if row["acted"]]
            was, now = np.array([row["cents"] for row in some]).T
            after = np.median([row["cents"][1] for row in acted]) if acted else np.nan
            lsd = np.mean([row["lsd"][1] < row["lsd"][0] for row in acted]) if acted else np.nan
            print(
                f"| {name} | {size:.1%} | {len(some)} | {len(acted)} | {np.median(was):.1f} | {after:.1f} | "
                f"{np.mean(now < was):.0%} | {np.mean(now > was):.0%} | {lsd:.0%} |"
            )
    clean = [row for row in rows if row["damage"] == "clean"]
    print(f"\nclean: {sum(not row['changed'] for row in clean)} of {len(clean)} left alone at every preset")
    for row in clean:
        if row["changed"]:
            print("  ", row["source"], ", ".join(row["changed"]))
    times = [row["seconds_a_minute"] for row in rows if row["damage"] != "clean" and not row["acted"]]
    if times:
        print(f"\n{np.mean(times):.2f} s of a processor a minute where nothing is done")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--songs", type=Path, required=True)
    asked.add_argument("--seeds", default="100-169")
    asked.add_argument("--recordings", type=Path)
    asked.add_argument("-j", "--jobs", type=int, default=1)
    given = asked.parse_args()
    given.folder.mkdir(exist_ok=True)
    first, last = map(int, given.seeds.split("-"))
    songs = [given.songs / f"{seed:03d}" for seed in range(first, last + 1)]
    real = [] if given.recordings is None else sorted(given.recordings.glob("*.[mw][pa][3v]"))
    cases = [
        (f"{source.parent.name}-{source.stem}-clean.json", source, "clean", 0.0, 0)
        for source in [*real, *(song / f"{part}.wav" for song in songs for part in _PARTS)]
    ]
    for number, source in enumerate([*real, *(song / "mix.wav" for song in songs)]):
        for at, (name, (_, sizes)) in enumerate(SPEEDS.items()):
            size = sizes[number // len(SPEEDS) % len(sizes)]
            if number % len(SPEEDS) == at or source in real:
                cases.append((f"{source.parent.name}-{source.stem}-{at}.json", source, name, size, number))
    missing = [case for case in cases if case[1].exists() and not (given.folder / case[0]).exists()]
    with ProcessPoolExecutor(given.jobs) as pool:
        list(pool.map(partial(_written, folder=given.folder), missing))
    report(given.folder)


if __name__ == "__main__":
    main()
