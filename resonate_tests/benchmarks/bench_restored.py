"""How much nearer to the clean truth restoration brings what was damaged in known ways, and how often its panel
is right.

`python -m resonate_tests.benchmarks.bench_restored FOLDER --songs SONGS --recordings AUDIO [--cases N] [-j N]`

SONGS: composed songs with their stems (`music_truth`), 100 to 169 unless --seeds says others; AUDIO: a folder of
real recordings as WAV, each to its band's end. A case is an excerpt of 10 s with one damage, or several, through
the plan of a single file with embedded engines, each step before the panel. Its row is FOLDER/case-NNN.json: those
that are there are not made again, and the tables are of all that are there. Every sixth case is clean and must
come out identical. What a microphone heard (of a phone, in a room), and a record that wavers, has its noise, 45 dB
under the music.

Per damage: cases; in how many the log-spectral distance and the band balance (`damage.distance`) are better
than those of the damaged one, in how many the same; the median of how much better; the worst change of SI-SDR.
Per step: windows of 5 s that the panel kept and that came nearer, kept and did not, took back and should not
have, took back rightly.
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

from resonate_resources.preset import Preset
from resonate_resources.recipe import Engine
from resonate_resources.recordings.recording import Progress, Recording, Samples, silent, write_samples
from resonate_resources.restoration.brief import RestorationBrief
from resonate_resources.restoration.engines import engines_of
from resonate_resources.restoration.panel import WINDOW_S, judge, judged
from resonate_resources.restoration.resource import TRACK, restored
from resonate_resources.restoration.step import Facts, Mended, Step, StepName
from resonate_resources.signal.traces import find_traces
from resonate_tests.benchmarks.damage import bandwidth, clipping, generated, noise, rooms, speed
from resonate_tests.benchmarks.damage.distance import band_balance_db, log_spectral_distance, si_sdr_db

Damage = Callable[[Samples, int, np.random.Generator, float], Samples]

_DB = (0.0, 6.0, 12.0, 20.0)
_MICROPHONE_DB = 45.0


def _by_microphone(damage: Damage) -> Damage:
    def heard(clean: Samples, sample_rate: int, rng: np.random.Generator, size: float) -> Samples:
        return noise.pink(damage(clean, sample_rate, rng, size), sample_rate, rng, _MICROPHONE_DB)

    return heard


def _among_talkers(clean: Samples, sample_rate: int, rng: np.random.Generator, size: float) -> Samples:
    """Of the sentence that Debian's asterisk-core-sounds-en-g722 has."""
    import av

    from resonate_tests.programs import required

    sentence = required("asterisk-core-sounds-en-g722") / "demo-congrats.g722"
    with av.open(str(sentence), format="g722") as container:
        voice = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1) / 32_768
    return noise.crowd(clean, sample_rate, rng, size, voice, 16_000)


SINGLE: dict[str, tuple[Damage, tuple[float, ...]]] = {
    "white noise": (noise.white, _DB),
    "pink noise": (noise.pink, _DB),
    "tape hiss": (noise.tape_hiss, _DB),
    "vinyl surface": (noise.vinyl_surface, _DB),
    "hum": (noise.hum, _DB),
    "clipped": (clipping.hard_clipped, (0.01, 0.03, 0.1)),
    "clipped, then lowered": (clipping.clipped_then_lowered, (0.01, 0.03, 0.1)),
    "clipped, then MP3": (clipping.clipped_then_mp3, (0.01, 0.03, 0.1)),
    "clicks": (clipping.scratched, (0.5, 2.0, 8.0)),
    "crackle": (clipping.crackling, (5.0, 20.0, 50.0)),
    "faulty line": (clipping.glitching, (0.5, 2.0, 8.0)),
    "wow": (_by_microphone(speed.wowing), (0.001, 0.003, 0.005)),
    "low-pass, wall": (bandwidth.walled, (4000.0, 8000.0, 12_000.0, 16_000.0)),
    "low-pass, steep": (bandwidth.steeply_low_passed, (4000.0, 8000.0, 12_000.0)),
    "MP3": (bandwidth.mp3, (64.0, 96.0, 128.0)),
    "AAC": (bandwidth.aac, (64.0, 96.0, 128.0)),
    "phone microphone": (_by_microphone(bandwidth.phone_microphone), (3.0, 5.0, 8.0)),
    "small room": (_by_microphone(rooms.in_small_room), (0.3, 0.5, 0.8)),
    "hall": (_by_microphone(rooms.in_hall), (0.8, 1.1, 1.5)),
    "crowd": (_among_talkers, _DB),
    "comb": (generated.comb, generated.COMB_DB),
    "checkerboard": (generated.checkerboard, generated.CHECKERBOARD_DB),
    "shimmer": (generated.shimmer, generated.SHIMMER_DB),
}
"""Name → what does it, and of what sizes."""

TOGETHER: dict[str, tuple[str, ...]] = {
    "generated": ("comb", "shimmer"),
    "phone": ("phone microphone", "pink noise"),
    "concert on a phone": ("hall", "phone microphone", "crowd"),
    "old record": ("low-pass, steep", "vinyl surface", "crackle"),
    "loud cassette": ("clipped", "tape hiss"),
}

_SECONDS = 10
_CLEAN_EVERY = 6
_PARTS = ("mix", "vocals", "mix", "drums", "mix", "other", "mix", "bass")
_SOUNDS = 1e-7  # mean square
_HEARD_DB = (
    0.05  # of log-spectral distance: of a window that moved by less, there is nothing to be right about
)


@dataclass(frozen=True)
class Case:
    """sizes: of each damage of the case; none of a clean one."""

    number: int
    source: Path
    damage: str
    sizes: tuple[float, ...]


@dataclass
class Row:
    """distances before and after, in dB; windows: [step, why not kept, log-spectral distance before, after,
    what the panel measured]."""

    number: int
    source: str
    damage: str
    sizes: tuple[float, ...]
    lsd: tuple[float, float] = (0.0, 0.0)
    balance: tuple[float, float] = (0.0, 0.0)
    si_sdr: tuple[float, float] = (0.0, 0.0)
    identical: bool = False
    steps: list[str] = field(default_factory=list)
    windows: list[tuple[str, str, float, float, dict[str, tuple[float, float]]]] = field(default_factory=list)
    seconds: float = 0.0


def cases(count: int, songs: Path, seeds: Sequence[int], recordings: Path | None) -> list[Case]:
    """Always the same for the same arguments: the first ones of any count are those of a smaller one."""
    chance = np.random.default_rng(0)
    sources = [
        path
        for at, seed in enumerate(seeds)
        if (path := songs / f"{seed:03d}" / f"{_PARTS[at % len(_PARTS)]}.wav").exists() and _full_band(path)
    ]
    if recordings is not None:
        sources += sorted(recordings.glob("*.wav"))
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


def _full_band(path: Path) -> bool:
    """A song that was made dull is no truth of its highs."""
    return json.loads((path.parent / "truth.json").read_text())["bandwidth_hz"] is None


def excerpt(source: Path) -> tuple[Samples, int]:
    """10 s from where it sounds: a third into it, or its loudest ten."""
    song = Recording.open(source)
    frames = min(song.frames, _SECONDS * song.sample_rate)
    starts = np.linspace(0, song.frames - frames, 12).astype(int)[2:-2] if song.frames > frames else [0]
    samples = [song.read(int(start), int(start) + frames) for start in starts]
    return max(samples, key=lambda each: float(np.square(each).mean())), song.sample_rate


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
        given = write_samples(Path(scratch) / "given.wav", damaged, rate)
        began = time.process_time()
        facts = Facts(TRACK, find_traces(given))
        mended, _, taken = restored(
            given,
            facts,
            facts,
            "file",
            RestorationBrief(),
            lambda step: [_Against(each, clean, row) for each in engines_of(step, embedded=True)],
            Path(scratch),
            silent,
        )
        row.seconds = time.process_time() - began
        after = mended.read()
    row.steps = [
        f"{each.step}: {each.note}; kept {each.kept:.2f} {'; '.join(each.taken_back)}" for each in taken
    ]
    row.identical = np.array_equal(after, damaged)
    row.lsd, row.balance = (
        (measure(damaged, clean, rate), measure(after, clean, rate))
        for measure in (log_spectral_distance, band_balance_db)
    )
    row.si_sdr = si_sdr_db(damaged, clean), si_sdr_db(after, clean)
    path = folder / f"case-{case.number:03d}.json"
    path.with_suffix(".part").write_text(json.dumps(asdict(row)))
    path.with_suffix(".part").rename(path)


@dataclass(frozen=True)
class _Against:
    """A step whose windows are held against the truth when it has been taken, into row."""

    step: Step
    clean: Samples
    row: Row

    @property
    def name(self) -> StepName:
        return self.step.name

    @property
    def engine(self) -> Engine:
        return self.step.engine

    def unavailable(self) -> str | None:
        return self.step.unavailable()

    def mend(
        self, recording: Recording, facts: Facts, preset: Preset, path: Path, progress: Progress
    ) -> Mended:
        made = self.step.mend(recording, facts, preset, path, progress)
        if made.recording == recording:
            return made
        rate = recording.sample_rate
        verdict = judge(recording, made.recording, self.name)
        frames = round(WINDOW_S * rate)
        for window, why in enumerate(verdict.failed):
            span = slice(window * frames, (window + 1) * frames)
            truth, was, now = (
                each[:, span] for each in (self.clean, recording.read(), made.recording.read())
            )
            if verdict.changed[window] and np.square(truth).mean() > _SOUNDS:
                found = judged(was, now, rate, self.name)[1]
                before, after = (log_spectral_distance(each, truth, rate) for each in (was, now))
                measures = {str(name): pair for name, pair in found.items()}
                self.row.windows.append((self.name, why, before, after, measures))
        return made


def report(folder: Path) -> None:
    rows = [json.loads(path.read_text()) for path in sorted(folder.glob("case-*.json"))]
    heads = ("nearer (LSD)", "further", "median", "nearer (balance)", "further", "median", "worst SI-SDR")
    print("|", " | ".join(("damage", "cases", "acted on", *heads)), "|")
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
        "\n| step | kept, nearer | kept, not nearer | taken back, nearer | taken back, not nearer | right |"
    )
    print("|---|---|---|---|---|---|")
    windows = [window for row in rows for window in row["windows"]]
    for step in dict.fromkeys(window[0] for window in windows):
        table = np.zeros((2, 2), int)
        for name, why, before, after, _ in windows:
            if name == step and abs(after - before) > _HEARD_DB:
                table[int(not why), int(after < before)] += 1
        if not table.any():
            continue
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
