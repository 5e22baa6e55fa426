"""How right the music of known songs is heard: python -m resonate_tests.benchmarks.bench_music FOLDER [options]

    --songs test|train   100–169 (the default) or 0–59; or a range as 100-109
    --analyses NAMES     comma-separated, of `ANALYSES`; profile is the default
    --render-only        what is not there yet is rendered, and nothing is heard

Songs are composed and rendered into FOLDER, one folder each, where they are not there yet (a song takes 8–20 s and
100 MB). Prints the table of `scoring`, and every song on which an analysis is wrong about tempo, metre or key.
What is fitted on train seeds is judged on test seeds.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.analysis.analysis import ANALYSIS, Analysis
from resonate_resources.analysis.resource import MELODY, AnalysisResource, Grid
from resonate_resources.profiling.brief import ProfileBrief
from resonate_resources.profiling.profile import Profile
from resonate_resources.profiling.resource import ProfilingResource
from resonate_resources.recordings.recording import Recording, Stems, silent
from resonate_resources.separation.spectral.engine import SpectralSeparator
from resonate_resources.signal.remains import remains_of_others
from resonate_resources.transcription.drum_strokes import DrumStrokes
from resonate_resources.transcription.resource import PARTS, transcriber_of
from resonate_tests.benchmarks.music_truth.composing import compose
from resonate_tests.benchmarks.music_truth.peers import by_librosa, by_madmom
from resonate_tests.benchmarks.music_truth.rendering import render
from resonate_tests.benchmarks.music_truth.scoring import (
    Estimate,
    Judged,
    Truth,
    calibration,
    judged,
    judged_parts,
    scores,
    table,
)
from resonate_tests.benchmarks.music_truth.song import STEMS

SEEDS = {"train": range(60), "test": range(100, 170)}


def rendered(seed: int, folder: Path) -> Path:
    """The folder of a song, complete once its truth is there."""
    song = folder / f"{seed:03d}"
    if not (song / "truth.json").exists():
        song.mkdir(parents=True, exist_ok=True)
        render(compose(seed), song)
    return song


def profile_of(song: Path) -> Profile:
    """As every track gets it."""
    with TemporaryDirectory() as scratch:
        ProfilingResource().profile(Recording.open(song / "mix.wav"), ProfileBrief(), Path(scratch))
        return Profile.read(Path(scratch) / "profile.json")


def by_profile(song: Path) -> Estimate:
    """What is heard in the mixture alone."""
    profile = profile_of(song)
    return {
        "tempo_bpm": profile.tempo_bpm,
        "beats_s": profile.beats_s,
        "downbeats_s": profile.downbeats_s,
        "time_signature": _longest_signature(profile),
        "key": profile.key,
        "sections": [{"start_s": s.start_s, "end_s": s.end_s, "value": s.label} for s in profile.sections],
        "bandwidth_hz": profile.bandwidth_hz,
        "confidence": {
            "tempo": profile.tempo_confidence,
            "beats": profile.beats_confidence,
            "downbeats": profile.downbeats_confidence,
            "metre": profile.metre_confidence,
            "key": profile.key_confidence or 0.0,
        },
    }


def by_analysis(song: Path) -> Estimate:
    """What is heard in the mixture and the true stems, on the profile's own grid."""
    profile = profile_of(song)
    names = [name for name in STEMS if (song / f"{name}.wav").exists()]
    stems = {name: Recording.open(song / f"{name}.wav") for name in names}
    with TemporaryDirectory() as scratch:
        grid = Grid.of(profile.model_dump())
        AnalysisResource().analyse(Recording.open(song / "mix.wav"), stems, grid, Path(scratch))
        analysis = Analysis.read(Path(scratch) / ANALYSIS)
        melody = np.load(Path(scratch) / MELODY)
        line = melody["times_s"], melody["hertz"]
    depths = [found.depth_db for found in analysis.pumping.values() if found.confidence > 0.5]
    return {
        "chords": [{**chord.model_dump(), "value": chord.label} for chord in analysis.chords],
        "sections": [{**section.model_dump(), "value": section.label} for section in analysis.sections],
        "melody": line,
        "rt60_s": {str(octave): told for octave, told in analysis.space.rt60_s.items() if told},
        "pump_db": max(depths, default=None),
    }


def _longest_signature(profile: Profile) -> str | None:
    """The one that holds for the most seconds."""
    held: dict[str, float] = {}
    ends = [*(one.start_s for one in profile.time_signatures[1:]), profile.duration_s]
    for one, end in zip(profile.time_signatures, ends, strict=True) if profile.time_signatures else ():
        name = f"{one.numerator}/{one.denominator}"
        held[name] = held.get(name, 0.0) + end - one.start_s
    return max(held, key=held.__getitem__) if held else None


def by_transcription(song: Path) -> Estimate:
    """Notes of the true stems."""
    return _notes_of(
        {stem: Recording.open(song / f"{stem}.wav") for stem in STEMS if (song / f"{stem}.wav").exists()}
    )


def by_separation(song: Path) -> Estimate:
    """Notes of the stems that the embedded engine parts the mixture into."""
    with TemporaryDirectory() as scratch:
        stems = SpectralSeparator().separate(Recording.open(song / "mix.wav"), Path(scratch), silent)
        remains = remains_of_others(stems)
        return _notes_of({name: stem for name, stem in stems.items() if name not in remains})


def _notes_of(stems: Stems) -> Estimate:
    notes = {}
    for stem, recording in stems.items():
        if stem == "drums":
            heard = DrumStrokes().strokes(recording, silent)
        else:
            voice = PARTS[stem].voice
            heard = transcriber_of(voice).notes(recording, voice, silent)
        notes[stem] = [(n.onset_s, n.offset_s, n.pitch, n.velocity) for n in heard]
    return {"notes": notes}


ANALYSES: Mapping[str, Callable[[Path], Estimate]] = {
    "profile": by_profile,
    "analysis": by_analysis,
    "transcription": by_transcription,
    "separated": by_separation,
    "librosa": by_librosa,
    "madmom": by_madmom,
}


def _lead(seed: int) -> list[tuple[float, float, int, int]]:
    """Notes of what plays the melody where it is not sung."""
    lead = compose(seed).parts.get("lead")
    return [(n.onset_s, n.offset_s, n.pitch, n.velocity) for n in lead.notes] if lead else []


def failures(truth: Truth, told: Estimate, found: Mapping[str, float]) -> str:
    """What is wrong in one line; empty where nothing is."""
    asked = {"tempo": ("tempo_bpm", "tempo_bpm"), "metre": ("metre", "time_signature"), "key": ("key", "key")}
    wrong = [
        f"{name} {told.get(ours)} for {truth[true]}"
        for name, (true, ours) in asked.items()
        if found.get(name) == 0.0
    ]
    return f"{truth['seed']:03d} {truth['style']}: {', '.join(wrong)}" if wrong else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--songs", default="test")
    parser.add_argument("--analyses", default="profile")
    parser.add_argument("--render-only", action="store_true")
    arguments = parser.parse_args()
    seeds = SEEDS.get(arguments.songs)
    if seeds is None:
        first, _, last = arguments.songs.partition("-")
        seeds = range(int(first), int(last or first) + 1)
    songs = [rendered(seed, arguments.folder) for seed in seeds]
    if arguments.render_only:
        return
    rows: dict[str, dict[str, list[float]]] = {}
    said: dict[str, list[Judged]] = {}
    for name in arguments.analyses.split(","):
        began, heard_s = time.process_time(), 0.0
        for song in songs:
            truth = json.loads((song / "truth.json").read_text(encoding="utf-8"))
            truth["lead"] = truth["notes"]["vocals"] or _lead(truth["seed"])
            told = ANALYSES[name](song)
            found = scores(truth, told)
            for measure, score in found.items():
                rows.setdefault(name, {}).setdefault(measure, []).append(score)
            said.setdefault(name, []).extend(judged(told, found))
            if name == "analysis":
                for one in judged_parts(truth, told["chords"], told["sections"]):
                    said.setdefault(one.measure, []).append(one)
            heard_s += truth["duration_s"]
            if line := failures(truth, told, found):
                print(f"{name}, {line}", flush=True)
        cost = 60 * (time.process_time() - began) / heard_s
        print(f"{name}: {len(songs)} songs, {cost:.1f} s of processor a minute of music", flush=True)
    table(rows)
    for name, estimates in said.items():
        for low, high, count, mean, right in calibration(estimates):
            print(f"{name}, {low:.2f}–{high:.2f} sure: {count} estimates, {mean:.2f} said, {right:.2f} right")


if __name__ == "__main__":
    main()
