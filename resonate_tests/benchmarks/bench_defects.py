"""What quality control says of defects of known kind and size.

`OMP_NUM_THREADS=1 python -m resonate_tests.benchmarks.bench_defects [options]`:

    --songs 300-311      composed songs (the default), or none
    --real FILE …        recordings of finished music, parted by the embedded engine
    --kinds TEXT         only kinds whose names have that in them
    --least              only the least size of each that is heard, and what is harmless
    --json FILE          all that was measured
    --from FILE          only the tables of such a file
    -j 2                 processes

Of each excerpt of 30 s every kind of defect in up to three sizes (`defects/catalogue.py`), each compared with the
original. What quality control is fitted on (songs 0-11) is judged on others.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from resonate_tests.benchmarks.defects import tables
from resonate_tests.benchmarks.defects.catalogue import DEFECTS
from resonate_tests.benchmarks.defects.excerpt import Excerpt, composed_excerpt, real_excerpt
from resonate_tests.benchmarks.defects.measuring import Measured, measure


def measured_of(excerpt: Callable[[], Excerpt], kinds: str, least: bool) -> list[Measured]:
    return list(measure(excerpt(), [defect for defect in DEFECTS if kinds in defect.kind], least))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--songs", default="300-311")
    parser.add_argument("--real", type=Path, nargs="+", default=[])
    parser.add_argument("--kinds", default="")
    parser.add_argument("--least", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--from", dest="before", type=Path)
    parser.add_argument("-j", dest="processes", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.before:
        report(read(arguments.before))
        return
    first, _, last = arguments.songs.partition("-")
    seeds = [] if arguments.songs == "none" else range(int(first), int(last or first) + 1)
    excerpts: list[Callable[[], Excerpt]] = [partial(composed_excerpt, seed) for seed in seeds]
    excerpts += [partial(real_excerpt, file) for file in arguments.real]
    with ProcessPoolExecutor(
        arguments.processes, multiprocessing.get_context("spawn"), max_tasks_per_child=1
    ) as pool:
        jobs = [pool.submit(measured_of, excerpt, arguments.kinds, arguments.least) for excerpt in excerpts]
        found: list[Measured] = []
        for number, job in enumerate(as_completed(jobs), 1):
            found += job.result()
            print(f"{number} of {len(jobs)}", file=sys.stderr, flush=True)
            if arguments.json:  # after each excerpt: all of them take an hour
                arguments.json.write_text(json.dumps([asdict(one) for one in found]), encoding="utf-8")
    report(found)


def read(file: Path) -> list[Measured]:
    """Own dimensions and who hears it as the catalogue says today."""
    kinds = {defect.kind: defect for defect in DEFECTS}
    found = []
    for one in (Measured(**each) for each in json.loads(file.read_text(encoding="utf-8"))):
        if (defect := kinds.get(one.kind)) and one.grade in defect.grades:
            audible = defect.audible[defect.grades.index(one.grade)]
            found.append(replace(one, own=defect.own, audible=audible))
    return found


def report(found: list[Measured]) -> None:
    for part in (
        tables.by_kind,
        tables.by_order,
        tables.by_dimension,
        tables.blindness,
        tables.by_own,
        tables.summary,
    ):
        print(part(found), end="\n\n")


if __name__ == "__main__":
    main()
