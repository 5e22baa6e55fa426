"""How much nearer to the clean truth restoration brings what was damaged in known ways, and how often its panel is right.

`python -m resonate_tests.benchmarks.bench_restored FOLDER --songs SONGS --recordings AUDIO [--cases N] [-j N]`

SONGS: composed songs with their stems (`music_truth`), 100 to 169 unless --seeds says others; AUDIO: a folder with
speech-clean.wav and solo-voice.wav. A case is an excerpt of 10 s with one damage, or several, through all steps in
their order, each before the panel. Its row is FOLDER/case-NNN.json: those that are there are not made again, and the
tables are of all that are there. Every sixth case is clean and must come out identical.

Per damage: cases; in how many the log-spectral distance and the band balance (`damage.distance`) are better than those
of the damaged one, in how many the same; the median of how much better; the worst change of SI-SDR. Per step: windows of
5 s that the panel kept and that came nearer, kept and did not, took back and should not have, took back rightly.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.recordings.recording import Recording, Samples, silent, write_samples
from resonate_resources.restoration.colour import find_colour
from resonate_resources.restoration.comb import Decomb
from resonate_resources.restoration.glitter import Deshimmer
from resonate_resources.restoration.panel import WINDOW_S, judge, spliced
from resonate_resources.restoration.step import Facts, Step
from resonate_resources.restoration.tone import Tone
from resonate_resources.signal.bandwidth import find_upper_edge, measure_line_levels
from resonate_resources.signal.traces import find_traces
from resonate_tests.benchmarks.damage import generated
from resonate_tests.benchmarks.damage.distance import band_balance_db, log_spectral_distance, si_sdr_db

Damage = Callable[[Samples, int, np.random.Generator, float], Samples]

STEPS: tuple[Step, ...] = (Decomb(), Deshimmer(), Tone())
SINGLE: dict[str, tuple[Damage, tuple[float, ...]]] = {
    "comb": (generated.comb, generated.COMB_DB),
    "checkerboard": (generated.checkerboard, generated.CHECKERBOARD_DB),
    "shimmer": (generated.shimmer, generated.SHIMMER_DB),
}
TOGETHER: dict[str, tuple[str, ...]] = {"generated": ("comb", "shimmer")}

_SECONDS = 10
_CLEAN_EVERY = 6
_PARTS = ("mix", "vocals", "mix", "drums", "mix", "other", "mix", "bass")
_NEARER_DB = 0.0


@dataclass(frozen=True)
class Case:
    """sizes: of each damage of the case; none of a clean one."""

    number: int
    source: Path
    damage: str
    sizes: tuple[float, ...]


@dataclass
class Row:
    """distances before and after, in dB; windows: [step, kept, log-spectral distance before, after]."""

    number: int
    source: str
    damage: str
    sizes: tuple[float, ...]
    lsd: tuple[float, float] = (0.0, 0.0)
    balance: tuple[float, float] = (0.0, 0.0)
    si_sdr: tuple[float, float] = (0.0, 0.0)
    identical: bool = False
    steps: list[str] = field(default_factory=list)
    windows: list[tuple[str, bool, float, float]] = field(default_factory=list)
    seconds: float = 0.0


def cases(count: int, songs: Path, seeds: Sequence[int], recordings: Path | None) -> list[Case]:
    """Always the same for the same arguments: the first ones of any count are those of a smaller one."""
    chance = np.random.default_rng(0)
    sources = [
        path
        for at, seed in enumerate(seeds)
        if (path := songs / f"{seed:03d}" / f"{_PARTS[at % len(_PARTS)]}.wav").exists()
    ]
    if recordings is not None:
        voices = (recordings / "speech-clean.wav", recordings / "solo-voice.wav")
        sources = [
            source
            for at, song in enumerate(sources)
            for source in ((song, voices[at // 6 % 2]) if at % 6 == 5 else (song,))
        ]
    names = [*SINGLE, *TOGETHER]
    made = []
    for number in range(count):
        source = sources[int(chance.integers(len(sources)))]
        damage = (
            "clean"
            if number % _CLEAN_EVERY == 0
            else names[(number - 1 - number // _CLEAN_EVERY) % len(names)]
        )
        parts = () if damage == "clean" else TOGETHER.get(damage, (damage,))
        sizes = tuple(float(chance.choice(SINGLE[part][1])) for part in parts)
        made.append(Case(number, source, damage, sizes))
    return made


def excerpt(source: Path) -> tuple[Samples, int]:
    """10 s from where it sounds: a third into it, or its loudest ten."""
    song = Recording.open(source)
    frames = min(song.frames, _SECONDS * song.sample_rate)
    starts = np.linspace(0, song.frames - frames, 12).astype(int)[2:-2] if song.frames > frames else [0]
    samples = [song.read(int(start), int(start) + frames) for start in starts]
    return max(samples, key=lambda each: float(np.square(each).mean())), song.sample_rate


def facts_of(recording: Recording) -> Facts:
    levels = measure_line_levels(recording.blocks(), recording.sample_rate)
    colour = find_colour(levels, recording.sample_rate, find_upper_edge(levels, recording.sample_rate))
    return Facts("track", find_traces(recording), colour_db=colour)


def run(case: Case, folder: Path) -> None:
    """Write the case's row."""
    clean, rate = excerpt(case.source)
    damaged = clean
    for at, (part, size) in enumerate(
        zip(TOGETHER.get(case.damage, (case.damage,)), case.sizes, strict=False)
    ):
        damaged = SINGLE[part][0](damaged, rate, np.random.default_rng([case.number, at]), size)
    row = Row(case.number, f"{case.source.parent.name}/{case.source.name}", case.damage, case.sizes)
    with TemporaryDirectory() as scratch:
        current = given = write_samples(Path(scratch) / "given.wav", damaged, rate)
        began = time.process_time()
        facts = facts_of(given)
        for step in STEPS:
            made = step.mend(current, facts, "balanced", Path(scratch) / f"{step.name}.wav", silent)
            if made.recording == current:
                continue
            verdict = judge(current, made.recording, step.name)
            row.steps.append(
                f"{step.name}: {made.note}; kept {verdict.kept_part:.2f} {'; '.join(verdict.reasons)}"
            )
            frames = round(WINDOW_S * rate)
            for window, why in enumerate(verdict.failed):
                span = slice(window * frames, (window + 1) * frames)
                truth, was, now = (each[:, span] for each in (clean, current.read(), made.recording.read()))
                distances = (log_spectral_distance(each, truth, rate) for each in (was, now))
                if verdict.changed[window] and np.square(truth).mean() > 1e-7:
                    row.windows.append((step.name, not why, *distances))
            current = spliced(current, made.recording, verdict, Path(scratch) / f"{step.name}-kept.wav")
        row.seconds = time.process_time() - began
        restored = current.read()
    row.identical = np.array_equal(restored, damaged)
    row.lsd, row.balance = (
        (measure(damaged, clean, rate), measure(restored, clean, rate))
        for measure in (log_spectral_distance, band_balance_db)
    )
    row.si_sdr = si_sdr_db(damaged, clean), si_sdr_db(restored, clean)
    path = folder / f"case-{case.number:03d}.json"
    path.with_suffix(".part").write_text(json.dumps(asdict(row)))
    path.with_suffix(".part").rename(path)


def report(folder: Path) -> None:
    rows = [json.loads(path.read_text()) for path in sorted(folder.glob("case-*.json"))]
    print(
        "| damage | cases | acted on | nearer (LSD), of all | further | median better | balance nearer | further | median | worst SI-SDR |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in [*SINGLE, *TOGETHER]:
        some = [row for row in rows if row["damage"] == name]
        if not some:
            continue
        told = [name, len(some), sum(not row["identical"] for row in some)]
        for measure in ("lsd", "balance"):
            before, after = np.array([row[measure] for row in some]).T
            better = 1 - after / np.maximum(before, 1e-9)
            told += [
                f"{np.mean(after < before):.0%}",
                f"{np.mean(after > before):.0%}",
                f"{np.median(better):.0%}",
            ]
        told.append(f"{min(row['si_sdr'][1] - row['si_sdr'][0] for row in some):+.2f}")
        print("|", " | ".join(map(str, told)), "|")
    clean = [row for row in rows if row["damage"] == "clean"]
    print(f"\nclean: {sum(row['identical'] for row in clean)} of {len(clean)} identical")
    for row in clean:
        if not row["identical"]:
            print("  ", row["source"], row["steps"])
    print(
        "\n| step | kept, nearer | kept, not nearer | taken back, would have been nearer | taken back rightly | right |"
    )
    print("|---|---|---|---|---|---|")
    windows = [window for row in rows for window in row["windows"]]
    for step in dict.fromkeys(window[0] for window in windows):
        table = np.zeros((2, 2), int)
        for name, kept, before, after in windows:
            if name == step:
                table[int(kept), int(after < before - _NEARER_DB)] += 1
        right = (table[1, 1] + table[0, 0]) / table.sum()
        print(f"| {step} | {table[1, 1]} | {table[1, 0]} | {table[0, 1]} | {table[0, 0]} | {right:.0%} |")
    print(f"\n{np.mean([row['seconds'] for row in rows]):.1f} s of processor a case of {_SECONDS} s")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--songs", type=Path, required=True)
    asked.add_argument("--seeds", default="100-169")
    asked.add_argument("--recordings", type=Path)
    asked.add_argument("--cases", type=int, default=240)
    asked.add_argument("-j", "--jobs", type=int, default=1)
    given = asked.parse_args()
    given.folder.mkdir(exist_ok=True)
    first, last = map(int, given.seeds.split("-"))
    missing = [
        case
        for case in cases(given.cases, given.songs, range(first, last + 1), given.recordings)
        if not (given.folder / f"case-{case.number:03d}.json").exists()
    ]
    with ProcessPoolExecutor(given.jobs) as pool:
        list(pool.map(partial(run, folder=given.folder), missing))
    report(given.folder)


if __name__ == "__main__":
    main()
