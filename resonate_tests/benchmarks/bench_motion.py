"""What falls at kicks, filters and rooms bring: python -m resonate_tests.benchmarks.bench_motion FOLDER [options]

    --songs A-B       seeds of composed songs, rendered into FOLDER where they are not there yet
    --stems STEMS     bass and other, comma-separated, where nothing is said
    --kinds KINDS     sampler, additive and soundfont
    --swept           a filter moves in each stem for 6 to 12 s, as in `bench_space`

From the songs' own stems and notes, with what the analysis hears in them. A row for each stem and kind: log-mel L1
to the stem in dB without and with it, no note played by its own recording. Stems in which nothing is heard are left
out.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.analysis.filters import find_sweeps
from resonate_resources.recordings.midi import read_notes
from resonate_resources.recordings.recording import AudioError, Recording, write_samples
from resonate_resources.regeneration.decisions import StemDecision
from resonate_resources.regeneration.facts import Heard
from resonate_resources.regeneration.likeness import distance_of
from resonate_resources.regeneration.motion import STILL, Motion
from resonate_resources.regeneration.stem import part_of, prepare_stem
from resonate_resources.signal.kicks import kicks
from resonate_tests.benchmarks.bench_music import rendered
from resonate_tests.benchmarks.bench_rebuild import Prepared, true
from resonate_tests.benchmarks.bench_space import swept


def swept_stem(stem: Recording, path: Path, rng: np.random.Generator) -> Recording:
    low_pass, opens = (bool(rng.integers(2)) for _ in range(2))
    hertz = (300.0, 8000.0) if low_pass else (60.0, 2500.0)
    from_s = rng.uniform(15, 30)
    span = from_s, from_s + rng.uniform(6, 12), hertz if opens else hertz[::-1]
    made = swept(stem.read(), stem.sample_rate, *span, "lowpass" if low_pass else "highpass")
    return write_samples(path, made, stem.sample_rate)


def row(
    song: Prepared, name: str, kind: str, sweep: np.random.Generator | None
) -> tuple[float, float] | None:
    """L1 in dB without and with what moves; None where nothing does."""
    with TemporaryDirectory() as folder:
        scratch = Path(folder)
        stem, heard = song.stems[name], song.heard
        if sweep:
            stem = swept_stem(stem, scratch / "swept.wav", sweep)
            found = {name: [vars(each) for each in find_sweeps(stem)]}
            heard = Heard.model_validate({"profile": heard.profile, "analysis": {"sweeps": found}})
        part = part_of(name, read_notes(song.midi[name]), stem, scratch)
        motion = Motion.of(name, heard, kicks(song.stems["drums"]))
        if not (motion.pumping or motion.sweeps_s or any(motion.rt60_s.values())):
            return None
        known = heard.profile
        distances = []
        prepared = prepare_stem(part, stem, known.downbeats_s, known.beats_s, kind)
        for number, moving in enumerate((STILL, motion)):
            made = replace(prepared, motion=moving).play(
                StemDecision(), scratch / f"{number}.wav", leaving_out=True
            )
            distances.append(distance_of(part.recording, made))
    return distances[0], distances[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--songs", default="300-311")
    parser.add_argument("--stems", default="bass,other")
    parser.add_argument("--kinds", default="sampler,additive,soundfont")
    parser.add_argument("--swept", action="store_true")
    arguments = parser.parse_args()
    first, _, last = arguments.songs.partition("-")
    rng = np.random.default_rng(11) if arguments.swept else None
    changed: list[float] = []
    for seed in range(int(first), int(last or first) + 1):
        song = true(rendered(seed, arguments.folder))
        for name in (
            name for name in arguments.stems.split(",") if "drums" in song.stems and name in song.stems
        ):
            for kind in arguments.kinds.split(","):
                try:
                    found = row(song, name, kind, rng)
                except AudioError as error:
                    print(seed, name, error)
                    continue
                if found is None:
                    continue
                still, moving = found
                print(f"{seed} {name} {kind}: {still:.2f} dB, {moving:.2f}", flush=True)
                changed += [moving - still] if moving != still else []
    if changed:
        nearer = sum(each < 0 for each in changed)
        print(f"changed {len(changed)}, of them nearer {nearer}, by {-np.mean(changed):.2f} dB in the mean")


if __name__ == "__main__":
    main()
