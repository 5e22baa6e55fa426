"""How well sections are found: python -m resonate_tests.benchmarks.bench_sections [FOLDER]

F-measure of boundaries within 3 s and 0.5 s, as in MIREX, of songs by the demo's composer, of phone recordings of
them and, if FOLDER holds recordings of ten seconds and more, of medleys of those, each of eight at equal loudness.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import mir_eval
import numpy as np

from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.recording import Recording, write_samples
from resonate_resources.signal.loudness import measure_loudness
from resonate_resources.signal.mono import mono_blocks
from resonate_resources.signal.sections import find_boundaries, seconds_of
from resonate_resources.signal.timbre import hear_timbre
from resonate_studio.demo_song import compose, record_on_phone, render

RATE = 44_100
SHORTEST_S, LONGEST_S = 9.9, 20.0


def main() -> None:
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        scores: dict[str, list[tuple[float, float]]] = {}
        for kind, recording, truth in (*demo_songs(folder), *medleys(sys.argv[1:], folder)):
            found = seconds_of(find_boundaries(hear_timbre(recording))).tolist()
            scores.setdefault(kind, []).append(
                (f_measure(truth, found, recording, 3.0), f_measure(truth, found, recording, 0.5))
            )
    for kind, of_kind in scores.items():
        coarse, fine = np.mean(of_kind, axis=0)
        print(f"{kind:8} {len(of_kind):3} recordings: F {coarse:.2f} within 3 s, {fine:.2f} within 0.5 s")


def demo_songs(folder: Path) -> Iterator[tuple[str, Recording, list[float]]]:
    for seed in range(1, 9):
        into = folder / str(seed)
        (into / "phone").mkdir(parents=True)
        song = render(compose(seed), into)
        truth = [section.start * song.composition.bar_seconds for section in song.composition.sections[1:]]
        yield "demo", song.mix, truth
        if seed <= 4:
            yield "phone", record_on_phone(song, into / "phone").mix, truth


def medleys(folders: Sequence[str], scratch: Path) -> Iterator[tuple[str, Recording, list[float]]]:
    files = [path for folder in folders for path in sorted(Path(folder).iterdir()) if path.suffix != ".md"]
    pieces = [piece for path in files if len(piece := levelled(path, scratch)) >= SHORTEST_S * RATE]
    rng = np.random.default_rng(0)
    for number in range(24 if len(pieces) > 1 else 0):
        parts: list[np.ndarray] = []
        last = -1
        for _ in range(8):
            last = int(rng.choice([index for index in range(len(pieces)) if index != last]))
            length = int(min(rng.uniform(SHORTEST_S, LONGEST_S) * RATE, len(pieces[last])))
            start = int(rng.integers(len(pieces[last]) - length + 1))
            parts.append(pieces[last][start : start + length])
        path = scratch / f"medley {number}.wav"
        edges = np.cumsum([len(part) for part in parts])[:-1] / RATE
        yield "medley", write_samples(path, np.concatenate(parts)[np.newaxis], RATE), edges.tolist()


def levelled(path: Path, scratch: Path) -> np.ndarray:
    """A file as one channel at −20 LUFS, (frames,)."""
    into = scratch / path.name
    into.mkdir()
    recording = decode(path, into).recording
    gain = 10 ** ((-20 - measure_loudness(recording).integrated_lufs) / 20)
    return np.float32(gain) * np.concatenate(list(mono_blocks(recording, RATE)))


def f_measure(truth: Sequence[float], found: Sequence[float], recording: Recording, window_s: float) -> float:
    if not truth or not found:
        return float(not truth and not found)
    true, ours = (
        np.array([*zip([0.0, *edges], [*edges, recording.duration], strict=True)]) for edges in (truth, found)
    )
    return float(mir_eval.segment.detection(true, ours, window=window_s, trim=True)[2])


if __name__ == "__main__":
    main()
