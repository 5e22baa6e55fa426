"""How long the page waits for the list of a large library.

`python -m resonate_tests.benchmarks.bench_studio [TRACKS] [FOLDER]`

Simulated tracks, 10,000 by default, of which every stage is made and nothing is to do: see simulated_library. The
server answers over HTTP, in this process; times are of one answer, median and worst, and what server and client
took of the processor, where others are at work on the machine. What the page waits for of sound and pictures is in
bench_hearing.
"""

from __future__ import annotations

import logging
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import dagster as dg
import requests
import sqlalchemy as sa

from resonate_assets.definitions import build_defs
from resonate_assets.settings import Settings
from resonate_resources.storage.database import tables, transaction
from resonate_resources.storage.resource import StorageResource
from resonate_studio.home import open_instance, settings_for
from resonate_studio.studio_server import serving
from resonate_tests.benchmarks.bench_library import REPOSITORY, make_inbox
from resonate_tests.benchmarks.simulated_library import fill_dagster, fill_index, track_names

_SORTS = ("worst", "added", "title", "artist", "tempo", "key", "score")
_TIMES = 15


def main(count: int, folder: Path) -> None:
    home = folder / "home"
    os.environ |= dict.fromkeys(("RESONATE_DATABASE", "RESONATE_STORAGE", "RESONATE_INBOX"), "")
    os.environ |= {"RESONATE_HOME": str(home), "DAGSTER_HOME": str(home / "dagster_home")}
    settings = settings_for(home)
    if not (folder / "filled").exists():
        fill(home, settings, count)
        (folder / "filled").touch()
    with open_instance(settings) as instance:
        port = 20000 + os.getpid() % 5000
        before = time.perf_counter()
        with serving(settings, "127.0.0.1", port, instance=instance) as address:
            print(f"served after {time.perf_counter() - before:.2f} s", flush=True)
            looks(f"{address}/api/v1/tracks", settings.database_url, count)


def fill(home: Path, settings: Settings, count: int) -> None:
    """Make the home, and of it a library of so many tracks."""
    logging.disable(logging.INFO)
    names, url = track_names(count), settings.database_url
    storage: StorageResource = build_defs(settings).resources["storage"]  # type: ignore[index]
    (home / "dagster_home").mkdir(parents=True)
    shutil.copy(REPOSITORY / "dagster_home" / "dagster.yaml", home / "dagster_home")
    with dg.DagsterInstance.from_config(str(home / "dagster_home")) as instance:
        fill_dagster(instance, names)
    fill_index(url, names)
    make_inbox(home / "inbox", storage, names)
    with transaction(url) as db:  # there are no manifests to walk
        db.execute(sa.update(tables.tables["current_changes"]).values(walked=True))


def looks(address: str, url: str, count: int) -> None:
    with requests.Session() as session:

        def ask(**asked: Any) -> int:
            answer = session.get(address, params=asked, timeout=600)
            assert answer.status_code == 200, answer.text
            return int(answer.json()["total"])

        told("first look after the start", 1, ask)
        assert ask() == count
        for sort in _SORTS:
            told(f"a page by {sort}", 5, lambda sort=sort: ask(sort=sort))  # type: ignore[misc]
        told("the last page", 5, lambda: ask(sort="title", offset=count - 100))
        told("500 by title", 5, lambda: ask(sort="title", limit=500))
        words = iter([f"song {number}" for number in range(7, 7 + _TIMES)])
        told("a keystroke, by title", _TIMES, lambda: ask(sort="title", search=next(words)))
        name = track_names(1)
        changing, over = threading.Event(), threading.Event()

        def change() -> None:
            while not over.wait(0.5):
                fill_index(url, name)
                changing.set()

        changer = threading.Thread(target=change)
        changer.start()
        changing.wait()
        words = iter([f"song {number}" for number in range(30, 30 + 3 * _TIMES)])
        told("the same while tracks change", 3 * _TIMES, lambda: ask(sort="title", search=next(words)), 0.1)
        over.set()
        changer.join()


def told(what: str, times: int, ask: Any, pause_s: float = 0.0) -> None:
    seconds, own = [], []
    for _ in range(times):
        time.sleep(pause_s)
        before, before_own = time.perf_counter(), time.process_time()
        ask()
        seconds.append(1000 * (time.perf_counter() - before))
        own.append(1000 * (time.process_time() - before_own))
    print(
        f"{what:<34}{statistics.median(seconds):>8.0f} ≤ {max(seconds):.0f} ms, own "
        f"{statistics.median(own):.0f} ≤ {max(own):.0f}",
        flush=True,
    )


if __name__ == "__main__":
    tracks = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    if len(sys.argv) > 2:
        main(tracks, Path(sys.argv[2]))
    else:
        scratch = Path(tempfile.mkdtemp(prefix="resonate-bench-"))
        try:
            main(tracks, scratch)
        finally:
            shutil.rmtree(scratch)
