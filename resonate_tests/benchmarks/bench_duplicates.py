"""How alike fingerprints of the same recording are, whatever became of it, and those of different ones.

`python -m resonate_tests.benchmarks.bench_duplicates FILE…`: each is made into MP3, AAC and Opus, cut by 3 s and
made 1 % louder. Prints, of each, the least that a version has in common with it, and at last the most that two
different files have.
"""

from __future__ import annotations

import sys
import tempfile
from itertools import combinations
from pathlib import Path

import numpy as np

from resonate_resources.profiling.fingerprint import alike, words_of
from resonate_resources.recordings.decoding import decode
from resonate_resources.storage.duplicates import sketch_of
from resonate_tests.resources.storage.test_duplicates import made_of


def shared(one: str, other: str) -> int:
    """Words that the sketches of two fingerprints have in common."""
    sketches = [np.frombuffer(sketch_of(words_of(each)) or b"", "<u4") for each in (one, other)]
    return len(np.intersect1d(*sketches))


def main() -> None:
    originals: dict[str, str] = {}
    print("| file | least alike | fewest words shared |\n|---|---|---|")
    for file in map(Path, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as folder:
            into = Path(folder) / "decoded"
            into.mkdir()
            own, *others = made_of(decode(file, into).recording, "song", Path(folder)).values()
        originals[str(file)] = own
        likeness = min(alike(own, other) for other in others)
        words = min(shared(own, other) for other in others)
        print(f"| {file.parent.name}/{file.name} | {likeness:.2f} | {words} |", flush=True)
    pairs = [(alike(a, b), shared(a, b)) for a, b in combinations(originals.values(), 2)]
    print(
        f"different files: {max(pair[0] for pair in pairs):.2f} at most, {max(pair[1] for pair in pairs)} words"
    )


if __name__ == "__main__":
    main()
