"""How good composed music is: python -m resonate_tests.benchmarks.bench_compose FOLDER [options]

    --prompts A-B     of the 200: 0–99 generated, 100–199 marked (default: all)
    --seed N          another N, other prompts of the same kinds and other music
    --real FILES      recordings measured beside it
    --peer FILE.sf2   two minutes composed and played by the studio, and the same MIDI by FluidSynth alone

Each prompt is composed, played, heard, mastered and checked as `resonate compose` does; a piece that is longer than
30 s by what its prompt says is asked for in 25 s. Results are in FOLDER/SEED.jsonl, one line a piece; what is there
is not made again. Prints which checks passed at first sight and after retries, what failed and why, how many of the
fields of generated prompts were read right, seconds a minute of music, the process's peak memory, measures by group
of genres, and how many notes two seeds of one request share.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from resonate_resources.composition.completing import complete
from resonate_resources.composition.composer.compose import compose as composed
from resonate_resources.composition.plan import Plan
from resonate_resources.composition.request import Asked, Genre, Understanding
from resonate_resources.composition.resource import CompositionResource
from resonate_resources.composition.sound.mixing_table import style_of
from resonate_resources.recordings.recording import AudioError, Recording
from resonate_studio.composing import MASTER, compose
from resonate_tests.benchmarks.composed_music.measures import measures, share_of_same_notes, written
from resonate_tests.benchmarks.composed_music.prompts import Prompt, generated, marked

_LONGEST_S, _SHORT_S = 30.0, 25.0


def short(asked: Asked) -> Asked:
    """25 s where it would be longer than 30, by what is said or by the genre."""
    if not asked.bars and asked.duration_s and asked.duration_s <= _LONGEST_S:
        return asked
    return asked.model_copy(update={"bars": None, "duration_s": _SHORT_S})


def made(prompt: Prompt, scratch: Path) -> dict[str, Any]:
    """What became of a prompt."""
    row: dict[str, Any] = asdict(prompt)
    composition = CompositionResource()
    try:
        understood = composition.understand(prompt.text)
        row["read"] = right(prompt, understood.asked)
        understood = understood.model_copy(update={"asked": short(understood.asked)})
        wanted = composition.want(prompt.text, understood, prompt.seed)
    except AudioError as error:
        return row | {"refused": str(error)}
    began = time.perf_counter(), time.process_time()
    with TemporaryDirectory(dir=scratch) as folder:
        result = compose(composition, wanted.plans(), wanted.told(), wanted.request.title, Path(folder))
        row["wall_s"], row["cpu_s"] = time.perf_counter() - began[0], time.process_time() - began[1]
        plan = Plan.read(result.files["plan.json"])
        heard, profile = measures(Recording.open(result.files[MASTER]))
    return row | {
        "composed": plan.genre,
        "style": style_of(plan.genre),
        "planned": [plan.bpm, plan.key, plan.metre, plan.duration_s],
        "tries": result.report["tries"],
        "qa": result.qa,
        "heard": [profile.tempo_bpm, profile.key],
        "measures": heard | written(plan),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }


def right(prompt: Prompt, asked: Asked) -> dict[str, bool]:
    """Whether what a generated prompt says was read so."""
    said = {"genre": prompt.genre, "key": prompt.key}
    read = {name: value == getattr(asked, name) for name, value in said.items() if value}
    return read | ({"bpm": asked.bpm == (prompt.bpm, prompt.bpm)} if prompt.bpm else {})


def report(rows: Sequence[dict[str, Any]]) -> None:
    refused = [row for row in rows if "refused" in row]
    rows = [row for row in rows if "qa" in row]
    passed = [row for row in rows if all(verdict["passed"] for verdict in row["qa"].values())]
    first = [row for row in passed if row["tries"] == 1]
    print(
        f"{len(rows)} pieces: {share(first, rows)} passed at first sight, {share(passed, rows)} within two retries"
    )
    for name in rows[0]["qa"]:
        print(f"  {name}: {share([row for row in rows if row['qa'][name]['passed']], rows)}")
    for row in refused:
        print(f"refused: {row['text'][:60]!r}: {row['refused']}")
    for row in rows:
        failed = "; ".join(verdict["detail"] for verdict in row["qa"].values() if not verdict["passed"])
        if failed:
            print(f"  {row['composed']}, seed {row['seed']}: {failed}")
    retried = sorted(f"{row['composed']} {row['tries']}" for row in rows if row["tries"] > 1)
    print(f"tries, where more than one: {', '.join(retried)}")
    fields = [(row, name) for row in rows for name in row["read"]]
    wrong = [(row, name) for row, name in fields if not row["read"][name]]
    print(f"fields of generated prompts read right: {len(fields) - len(wrong)} of {len(fields)}")
    for row, name in wrong:
        print(f"  {name}: {row['text']}")
    minutes = sum(row["planned"][3] for row in rows) / 60
    for name in ("wall_s", "cpu_s"):
        print(f"{name} a minute of music, with retries: {sum(row[name] for row in rows) / minutes:.1f}")
    print(f"peak memory: {max(row['peak_mb'] for row in rows):.0f} MB")
    groups: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
    for row in rows:
        groups[row["style"]].append(row["measures"])
    for style, of_style in groups.items():
        table(f"{style} ({len(of_style)})", of_style)


def share(some: Sequence[object], of_all: Sequence[object]) -> str:
    return f"{100 * len(some) / len(of_all):.1f} %"


def table(name: str, rows: Sequence[dict[str, float]]) -> None:
    """Median, and from the 10th to the 90th percentile."""
    print(name)
    for measure in dict.fromkeys(key for row in rows for key in row):
        values = sorted(row[measure] for row in rows if measure in row)
        low, high = values[len(values) // 10], values[-1 - len(values) // 10]
        print(f"  {measure}: {median(values):.2f} ({low:.2f} to {high:.2f})")


def alike(genres: Iterable[Genre], seeds: int = 8) -> None:
    """How many notes two pieces of one request share, by seed."""
    shares = []
    for genre in genres:
        asked = Asked(genre=genre, key="C minor", duration_s=60, reference_name=None)
        request, _ = complete(Understanding(asked=asked), 0)
        plans = [composed(request, seed) for seed in range(seeds)]
        assert composed(request, 0).model_dump_json() == plans[0].model_dump_json()
        shares += [
            (share_of_same_notes(one, other), genre) for at, one in enumerate(plans) for other in plans[:at]
        ]
    shares.sort()
    print(
        f"notes that two seeds of one request share, {len(shares)} pairs: "
        f"median {shares[len(shares) // 2][0]:.2f}, "
        f"95th percentile {shares[len(shares) * 95 // 100][0]:.2f}, most {shares[-1][0]:.2f} ({shares[-1][1]})"
    )


def beside(soundfont: Path, scratch: Path) -> None:
    """Two minutes of pop: composed, played, mixed, heard and mastered; and only its MIDI, played by FluidSynth."""
    composition = CompositionResource()
    prompt = "pop, 120 bpm, two minutes"
    wanted = composition.want(prompt, composition.understand(prompt), 1)
    with TemporaryDirectory(dir=scratch) as folder:
        began = time.perf_counter()
        result = compose(composition, wanted.plans(), wanted.told(), wanted.request.title, Path(folder))
        ours = time.perf_counter() - began
        began = time.perf_counter()
        command = ["fluidsynth", "-ni", "-r", "48000", "-F", f"{folder}/peer.wav"]
        command += [str(soundfont), str(result.files["all.mid"])]
        subprocess.run(command, check=True, capture_output=True)
        peer = time.perf_counter() - began
    print(f"two minutes: {ours:.1f} s for all in {result.report['tries']} tries, FluidSynth {peer:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--prompts", default="0-199")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--real", type=Path, nargs="*", default=())
    parser.add_argument("--peer", type=Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    results = arguments.folder / f"{arguments.seed}.jsonl"
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    rows = {row["text"]: row for row in map(json.loads, lines)}
    low, high = map(int, arguments.prompts.split("-"))
    prompts = [*generated(100, arguments.seed * 1000), *marked(arguments.seed * 1000 + 500)][low : high + 1]
    for prompt in prompts:
        if prompt.text not in rows:
            rows[prompt.text] = made(prompt, arguments.folder)
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(rows[prompt.text], ensure_ascii=False) + "\n")
    if chosen := [rows[prompt.text] for prompt in prompts]:
        report(chosen)
    for path in arguments.real:
        table(path.name, [measures(Recording.open(path))[0]])
    alike(("pop", "techno", "jazz_swing", "classical_baroque", "ambient", "metal"))
    if arguments.peer:
        beside(arguments.peer, arguments.folder)


if __name__ == "__main__":
    main()
