"""What it costs to scan a music library: the first time, again with nothing new, and again with one crate changed.

`python -m resonate_tests.benchmarks.bench_scan 1000 10000`

Tagged files of a second (MP3, FLAC, AIFF, WAV in turn), hard links of four of them, 20 to a folder, half of them in
Serato crates; tags are read and planned of each link. Seconds, and those of this process's own processor.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile as sf

from resonate_resources.ingestion.scanning import is_of_a_library, scan
from resonate_resources.recordings.serato_crate import with_tracks
from resonate_resources.recordings.tags import Tags, write_tags
from resonate_resources.storage.inbox import FolderInbox
from resonate_resources.storage.scanned import ScannedLibrary

KINDS = ("mp3", "flac", "aiff", "wav")


def make_library(folder: Path, count: int) -> Path:
    """Gives one of its crates."""
    sound = 0.1 * np.random.default_rng(1).normal(size=(44100, 2))
    originals = []
    for kind in KINDS:
        original = folder.parent / f"original.{kind}"
        sf.write(original, sound, 44100)
        write_tags(original, Tags("Band", "Song", "Album", genre="Deep House", bpm=124.0, key="Am", isrc="X"))
        originals.append(original)
    names = []
    for number in range(count):
        name = folder / f"{number // 20:04}" / f"song {number:06}.{KINDS[number % len(KINDS)]}"
        name.parent.mkdir(parents=True, exist_ok=True)
        os.link(originals[number % len(KINDS)], name)
        names.append(str(name).lstrip("/"))
    crates = folder / "_Serato_" / "Subcrates"
    crates.mkdir(parents=True)
    for number in range(0, count // 2, 500):
        (crates / f"Crate {number}.crate").write_bytes(with_tracks(None, names[number : number + 500]))
    return crates / "Crate 0.crate"


def main() -> None:
    print("| files | what | s | own processor, s |\n|---|---|---|---|")
    for count in map(int, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "music"
            crate = make_library(folder, count)
            place = FolderInbox(folder, is_of_a_library)
            library = ScannedLibrary(f"sqlite:///{scratch}/resonate.sqlite", place.uri)
            for what in ("the first scan", "nothing new", "another crate"):
                if what == "another crate":
                    crate.write_bytes(with_tracks(None, [f"{folder}/0000/song 000001.flac".lstrip("/")]))
                start, own = time.perf_counter(), time.process_time()
                found = scan(place, library)
                assert (found.files, found.read) == (count, count if what == "the first scan" else 0)
                seconds = time.perf_counter() - start
                print(f"| {count} | {what} | {seconds:.2f} | {time.process_time() - own:.2f} |", flush=True)


if __name__ == "__main__":
    main()
