"""How like a stem its exported sampler is, in another player: python -m resonate_tests.benchmarks.bench_sfz FOLDER

    --songs A-B       seeds of composed songs, rendered into FOLDER where they are not there yet
    --files PATHS     or recordings, comma-separated
    --true            from the songs' own stems and notes

A row a stem: log-mel L1 in dB of what smplr plays of Stem.sfz and Stem.mid, and of Resonate's own instruments with
no note played by its own recording, each once it is matched to the stem; keys' zones, those of them that were
recorded, samples and their MB. smplr knows no loops, bends nor amp_veltrack.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.instruments.playing import play_in_segments
from resonate_resources.recordings.midi import read_notes
from resonate_resources.recordings.music import Music
from resonate_resources.recordings.recording import Recording, Samples, silent
from resonate_resources.recordings.tempo_map import TempoMap
from resonate_resources.regeneration.candidate import Part
from resonate_resources.regeneration.choice import candidates_of
from resonate_resources.regeneration.instrument_export import export_instruments
from resonate_resources.regeneration.likeness import distance_db, mel_powers
from resonate_resources.regeneration.matching import bars, levels_of, match
from resonate_resources.regeneration.stem import part_of
from resonate_tests.benchmarks.bench_music import rendered
from resonate_tests.benchmarks.bench_rebuild import Prepared, separated, true
from resonate_tests.reader_environments import npm_with


def played(sfz: Path, midi: Path, drums: bool, part: Part) -> Samples:
    told, out = sfz.with_suffix(".json"), sfz.with_suffix(".f32")
    notes = [
        [note.onset_s, None if drums else note.offset_s, note.pitch, note.velocity]
        for note in read_notes(midi)
    ]
    told.write_text(json.dumps(notes))
    rate, seconds = part.sample_rate, part.recording.duration
    npm_with("sfz", "--silent", "run", "play", "--", *map(str, (sfz, told, out, rate, seconds)))
    sound = np.fromfile(out, "<f4").reshape(2, -1)[:, : part.recording.frames]
    return np.pad(sound, ((0, 0), (0, part.recording.frames - sound.shape[1])))


def measure(prepared: Prepared) -> None:
    with TemporaryDirectory() as folder:
        into = Path(folder)
        tempo = TempoMap.of(Music(120.0).grid, 120.0)
        began = time.process_time()
        export_instruments(prepared.midi, prepared.stems, tempo, {}, prepared.name, into, silent)
        print(f"{prepared.name}: {time.process_time() - began:.1f} processor seconds")
        for stem, midi in prepared.midi.items():
            sfz = into / f"{stem.capitalize()}.sfz"
            if sfz.exists():
                part = part_of(stem, read_notes(midi), prepared.stems[stem], into)
                print("  ", stem, *row(prepared, part, sfz), flush=True)


def row(prepared: Prepared, part: Part, sfz: Path) -> list[str]:
    rate, frames = part.sample_rate, part.recording.frames
    edges = bars(prepared.heard.profile.downbeats_s, rate, frames)
    original = mel_powers(part.recording.blocks(), rate)
    levels = levels_of(part.recording.blocks(), rate, edges)

    def distance(sound: Samples) -> float:
        matched = match(levels, levels_of(iter([sound]), rate, edges), edges, rate)
        return distance_db(original, mel_powers(matched.applied(iter([sound])), rate))

    text = sfz.read_text(encoding="utf-8")
    samples = [*(sfz.parent / "samples").glob(f"{sfz.stem}-*.wav")]
    zones = {sample.stem.rpartition("-")[0] for sample in samples}
    told = [
        f"sfz {distance(played(sfz, sfz.with_suffix('.mid'), part.stem == 'drums', part)):.2f}",
        f"zones {len(zones)}, recorded {len(zones) - text.count('learned from the stem')}",
        f"samples {len(samples)}, {sum(sample.stat().st_size for sample in samples) / 1e6:.1f} MB",
    ]
    found, _ = candidates_of(part, "own")
    for each in found:
        sound = np.concatenate([*play_in_segments(each.leaving_out, part.notes, frames)], axis=1)
        told.append(f"{each.label} {distance(sound):.2f}")
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--songs", default="")
    parser.add_argument("--files", default="")
    parser.add_argument("--true", action="store_true")
    arguments = parser.parse_args()
    if arguments.songs:
        first, _, last = arguments.songs.partition("-")
        for seed in range(int(first), int(last or first) + 1):
            song = rendered(seed, arguments.folder)
            original = Recording.open(song / "mix.wav")
            measure(true(song) if arguments.true else separated(original, song / "separated"))
    for file in filter(None, arguments.files.split(",")):
        path = Path(file)
        measure(separated(Recording.open(path), arguments.folder / path.stem / "separated"))


if __name__ == "__main__":
    main()
