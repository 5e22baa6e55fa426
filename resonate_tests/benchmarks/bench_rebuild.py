"""How like its original a rebuilt track is: python -m resonate_tests.benchmarks.bench_rebuild FOLDER [options]

    --songs A-B       seeds of composed songs, rendered into FOLDER where they are not there yet
    --files PATHS     or recordings, comma-separated
    --true            from the songs' own stems, notes and bars: what the sound alone costs
    --instruments K   auto (the default), own, soundfont or faust
    --still           without the falls, sweeps and rooms that are heard in the stems
    --rounds N        so many rounds of the loop, none where nothing is said
    --stems STEMS     only these are rebuilt, comma-separated; the others stay as they are
    --keep FOLDER     where what is rebuilt is kept, to be looked at and heard

A row a song: quality control of the sum of the stems, also with no note played by its own recording, log-mel L1 of
both in dB, how much is copied, the kinds that were chosen, and the seconds that rebuilding took. What is separated
and transcribed is kept beside the song, as it takes longer than what is measured.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from resonate_resources.analysis.filters import find_sweeps
from resonate_resources.analysis.sound import pumping_of, space_of
from resonate_resources.profiling.brief import ProfileBrief
from resonate_resources.profiling.resource import ProfilingResource
from resonate_resources.quality.comparison import compare, listen
from resonate_resources.quality.music import Music as Known
from resonate_resources.quality.resource import QualityResource
from resonate_resources.recordings.midi import DRUM_CHANNEL, Note, write_notes
from resonate_resources.recordings.music import Music
from resonate_resources.recordings.recording import Recording, Stems, silent
from resonate_resources.recordings.tempo_map import TempoMap
from resonate_resources.regeneration.brief import RegenerationBrief
from resonate_resources.regeneration.facts import Heard
from resonate_resources.regeneration.likeness import distance_of
from resonate_resources.regeneration.resource import LEFT_OUT, REPORT, RegenerationResource
from resonate_resources.separation.spectral.engine import SpectralSeparator
from resonate_resources.signal.summing import sum_recordings
from resonate_resources.transcription.brief import TranscriptionBrief
from resonate_resources.transcription.resource import TranscriptionResource
from resonate_tests.benchmarks.bench_music import rendered
from resonate_tests.benchmarks.music_truth.song import STEMS


@dataclass(frozen=True)
class Prepared:
    """What rebuilding starts from. midi: stem → file."""

    name: str
    original: Recording
    stems: Stems
    midi: dict[str, Path]
    heard: Heard


def true(song: Path) -> Prepared:
    """A composed song's own stems, notes and bars."""
    truth = json.loads((song / "truth.json").read_text(encoding="utf-8"))
    folder = song / "true_midi"
    folder.mkdir(exist_ok=True)
    stems = {name: Recording.open(song / f"{name}.wav") for name in STEMS if (song / f"{name}.wav").exists()}
    midi = {name: folder / f"{name}.mid" for name in stems}
    for name, path in midi.items():
        write_notes(
            path,
            sorted(Note(*told) for told in truth["notes"][name]),
            tempo=TempoMap.of(Music(120.0).grid, 120.0),
            name=name,
            program=0,
            channel=DRUM_CHANNEL if name == "drums" else 0,
        )
    return Prepared(song.name, Recording.open(song / "mix.wav"), stems, midi, _heard(truth, stems, folder))


def separated(original: Recording, folder: Path) -> Prepared:
    """What the embedded engines hear in a recording, kept in the folder."""
    if not (folder / "profile.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        stems = SpectralSeparator().separate(original, folder, silent)
        with TemporaryDirectory(dir=folder) as scratch:
            ProfilingResource().profile(original, ProfileBrief(), Path(scratch))
            profile = (Path(scratch) / "profile.json").read_text(encoding="utf-8")
        TranscriptionResource().transcribe(stems, Music.of(json.loads(profile)), TranscriptionBrief(), folder)
        (folder / "profile.json").write_text(profile, encoding="utf-8")
    known = json.loads((folder / "profile.json").read_text(encoding="utf-8"))
    stems = {name: Recording.open(folder / f"{name}.wav") for name in ("vocals", "drums", "bass", "other")}
    midi = {name: folder / f"{name}.mid" for name in stems}
    return Prepared(folder.parent.name, original, stems, midi, _heard(known, stems, folder))


def _heard(profile: Mapping[str, Any], stems: Stems, folder: Path) -> Heard:
    """Of the analysis what moves beside the notes, kept in the folder."""
    kept = folder / "motion.json"
    if not kept.exists():
        told = {
            "pumping": pumping_of(stems, list(stems)),
            "space": space_of(stems, list(stems)),
            "sweeps": {name: find_sweeps(stem) for name, stem in stems.items()},
        }
        kept.write_text(json.dumps(told, default=vars), encoding="utf-8")
    return Heard.model_validate(
        {"profile": profile, "analysis": json.loads(kept.read_text(encoding="utf-8"))}
    )


@contextmanager
def _kept(folder: Path | None, name: str) -> Iterator[Path]:
    if folder is None:
        with TemporaryDirectory() as scratch:
            yield Path(scratch)
    else:
        (folder / name).mkdir(parents=True, exist_ok=True)
        yield folder / name


def rebuild(
    prepared: Prepared, instruments: str, only: frozenset[str], rounds: int, keep: Path | None
) -> dict[str, float]:
    """The song's row, printed."""
    with _kept(keep, prepared.name) as folder:
        chosen = {name: path for name, path in prepared.midi.items() if name in only}
        began, processor = time.perf_counter(), time.process_time()
        brief = RegenerationBrief.model_validate({"instruments": instruments, "rounds": rounds})
        judge = QualityResource().judge_of(prepared.original, Known(), prepared.stems) if rounds else None
        product = RegenerationResource().regenerate(
            chosen, prepared.stems, prepared.heard, brief, folder, judge
        )
        seconds, processor = time.perf_counter() - began, time.process_time() - processor
        report = json.loads(product.reports[REPORT].read_text(encoding="utf-8"))
        heard = listen(prepared.original)
        row: dict[str, float] = {}
        details = {}
        others = [stem for name, stem in prepared.stems.items() if name not in chosen]
        rebuilt = {
            "qc": [Recording.open(folder / f"{name}.wav") for name in chosen],
            "left_out": [Recording.open(folder / LEFT_OUT)],
        }
        for column, parts in rebuilt.items():
            made = sum_recordings([*parts, *others], folder / f"{column}.wav")
            comparison = compare(heard, made)
            row[column], row[f"{column}_l1_db"] = comparison.total, distance_of(prepared.original, made)
            details[column] = comparison
        row["copied"] = report["copied"]
        row["seconds"], row["processor_s"] = seconds, processor
    print(
        prepared.name,
        "accepted" if details["qc"].accepted else "not accepted",
        *(f"{name} {value:.2f}" for name, value in row.items()),
        end="  ",
    )
    kinds = {
        name: [f"{told['kind']} {told['distance_db']:.2f}" for told in stem["candidates"]]
        for name, stem in report["stems"].items()
    }
    print(kinds)
    low = sorted(details["left_out"].scores.items(), key=lambda item: item[1])[:5]
    for note in product.notes:
        print(f"   {note}")
    print("   lowest:", ", ".join(f"{name} {score:.0f}" for name, score in low), flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--songs", default="")
    parser.add_argument("--files", default="")
    parser.add_argument("--true", action="store_true")
    parser.add_argument("--prepare-only", action="store_true")
    parser.add_argument("--instruments", default="auto")
    parser.add_argument("--still", action="store_true")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--stems", default="vocals,drums,bass,other")
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    prepared: list[Prepared] = []
    if arguments.songs:
        first, _, last = arguments.songs.partition("-")
        for seed in range(int(first), int(last or first) + 1):
            song = rendered(seed, arguments.folder)
            prepared.append(
                true(song)
                if arguments.true
                else separated(Recording.open(song / "mix.wav"), song / "separated")
            )
    for file in filter(None, arguments.files.split(",")):
        path = Path(file)
        prepared.append(separated(Recording.open(path), arguments.folder / path.stem / "separated"))
    if arguments.prepare_only:
        return
    if arguments.still:
        prepared = [replace(one, heard=Heard(profile=one.heard.profile)) for one in prepared]
    only = frozenset(arguments.stems.split(","))
    rows = [rebuild(one, arguments.instruments, only, arguments.rounds, arguments.keep) for one in prepared]
    for name in rows[0]:
        values = [row[name] for row in rows]
        print(f"{name}: mean {np.mean(values):.2f}, least {min(values):.2f}, most {max(values):.2f}")


if __name__ == "__main__":
    main()
