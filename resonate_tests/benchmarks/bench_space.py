"""Rooms, pumping, delays, filters of known songs: python -m resonate_tests.benchmarks.bench_space FOLDER [options]

    --songs 100-149     a range of those that `bench_music` rendered into FOLDER
    --stems OTHER       hear the stems in OTHER, separated from the mixtures, a folder each; nothing is added

Prints what is told with a confidence over a half and, behind it, what is true, and how much of it is right.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy import signal

from resonate_resources.analysis.delay import hear_delay
from resonate_resources.analysis.filters import find_sweeps
from resonate_resources.analysis.space import hear_space
from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.signal.kicks import kicks
from resonate_resources.signal.pumping import hear_pumping

PUMPED = ("bass", "other")  # what `music_truth.rendering` pumps
_LINEAR_REST = 1 - np.exp(-1)  # its falls go back linearly: of their length, when 1/e is left


def count_rooms(
    name: str, stems: dict[str, Recording], true_s: dict[str, float] | None, counts: Counter[str]
) -> None:
    told = hear_space({stem: each for stem, each in stems.items() if stem != "bass"})
    times = {octave: seconds for octave, seconds in told.rt60_s.items() if seconds}
    if true_s is None:
        counts["dry songs"] += 1
        counts["dry songs told to be in rooms"] += bool(times)
    else:
        counts["octaves in rooms"] += len(told.rt60_s)
        counts["octaves told"] += len(times)
        counts["within 20 %"] += sum(abs(s / true_s[str(octave)] - 1) <= 0.2 for octave, s in times.items())
    if times:
        print(name, "RT60", {octave: round(s, 2) for octave, s in times.items()}, "true", true_s)


def count_pumping(
    name: str, stems: dict[str, Recording], sound: dict[str, float], counts: Counter[str]
) -> None:
    strokes = kicks(stems["drums"]) if "drums" in stems else np.zeros(0)
    for stem in (stem for stem in stems if stem != "drums" and len(strokes)):
        true_db = sound["pump_db"] if stem in PUMPED else None
        found = hear_pumping(stems[stem], strokes)
        sure = found.confidence > 0.5
        if true_db is None:
            counts["still stems"] += 1
            counts["still stems told to pump"] += sure
            continue
        counts["pumped stems"] += 1
        counts["pumping told"] += sure
        counts["within 2 dB"] += sure and abs(found.depth_db - true_db) <= 2
        counts["release within 30 %"] += (
            sure and abs(found.release_s / (sound["pump_recovery_s"] * _LINEAR_REST) - 1) <= 0.3
        )
        print(
            name,
            stem,
            "falls by",
            round(found.depth_db, 1),
            "dB, confidence",
            round(found.confidence, 2),
            "true",
            true_db,
        )


def count_delays(
    stems: dict[str, Recording], rng: np.random.Generator, added: bool, counts: Counter[str]
) -> None:
    for stem in (stem for stem in ("other", "vocals") if stem in stems):
        plain = hear_delay(stems[stem])
        counts["without a delay"] += 1
        counts["told to have one"] += plain is not None and plain.confidence > 0.5
        if not added:
            continue
        rate, samples = stems[stem].sample_rate, stems[stem].read()
        by, gain = round(rng.uniform(0.08, 0.8) * rate), 10 ** (rng.uniform(-14, -4) / 20)
        echo = samples.copy()
        echo[:, by:] += gain * samples[:, :-by]
        with TemporaryDirectory() as scratch:
            found = hear_delay(write_samples(Path(scratch) / "echo.wav", echo.astype(np.float32), rate))
        sure = found is not None and found.confidence > 0.5
        counts["delays"] += 1
        counts["delays told"] += sure
        counts["to the millisecond"] += found is not None and sure and abs(found.time_s - by / rate) < 1e-3


def swept(
    samples: Samples, rate: int, from_s: float, to_s: float, hertz: tuple[float, float], kind: str
) -> Samples:
    """Of the fourth order (Butterworth), its cut-off moved every 10 ms."""
    made, block = samples.copy(), rate // 100
    state = np.zeros((2, samples.shape[0], 2))
    for start in range(round(from_s * rate), round(to_s * rate), block):
        done = (start / rate - from_s) / (to_s - from_s)
        sections = signal.butter(4, hertz[0] * (hertz[1] / hertz[0]) ** done, kind, fs=rate, output="sos")
        part = samples[:, start : start + block]
        made[:, start : start + block], state = signal.sosfilt(sections, part, axis=1, zi=state)
    return made


def count_sweeps(
    stems: dict[str, Recording], rng: np.random.Generator, added: bool, counts: Counter[str]
) -> None:
    """Of 6 to 12 s, low-pass between 300 and 8000 Hz or high-pass between 60 and 2500, opening or closing."""
    for stem in (stem for stem in ("drums", "other") if stem in stems):
        counts["without a sweep"] += 1
        counts["told to have a sweep"] += bool(find_sweeps(stems[stem]))
        if not added:
            continue
        low_pass = bool(rng.integers(2))
        hertz = (300.0, 8000.0) if low_pass else (60.0, 2500.0)
        hertz = hertz if rng.integers(2) else (hertz[1], hertz[0])
        from_s = rng.uniform(15, 30)
        to_s = from_s + rng.uniform(6, 12)
        rate = stems[stem].sample_rate
        made = swept(stems[stem].read(), rate, from_s, to_s, hertz, "lowpass" if low_pass else "highpass")
        with TemporaryDirectory() as scratch:
            found = find_sweeps(write_samples(Path(scratch) / "swept.wav", made, rate))
        counts["sweeps"] += 1
        counts["sweeps told, half of their time and their way"] += any(
            (each.kind == "low-pass") == low_pass
            and min(each.end_s, to_s) - max(each.start_s, from_s) > (to_s - from_s) / 2
            and (each.to_hz > each.from_hz) == (hertz[1] > hertz[0])
            for each in found
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--songs", default="100-149")
    parser.add_argument("--stems", type=Path)
    options = parser.parse_args()
    first, last = map(int, options.songs.split("-"))
    counts: Counter[str] = Counter()
    rng = np.random.default_rng(11)
    for seed in range(first, last + 1):
        name = f"{seed:03d}"
        heard = (options.stems or options.folder) / name
        if not heard.exists():
            continue
        sound = json.loads((options.folder / name / "truth.json").read_text())["sound"]
        stems = {
            stem: Recording.open(heard / f"{stem}.wav")
            for stem in ("drums", "bass", "other", "vocals")
            if (heard / f"{stem}.wav").exists()
        }
        count_rooms(name, stems, sound["rt60_s"], counts)
        count_pumping(name, stems, sound, counts)
        count_delays(stems, rng, options.stems is None, counts)
        count_sweeps(stems, rng, options.stems is None, counts)
    for what, count in counts.items():
        print(f"{what}: {count}")


if __name__ == "__main__":
    main()
