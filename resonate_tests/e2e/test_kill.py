"""`resonate process` killed with SIGKILL in every stage: the old artefact or the new one; the next run finishes.

Each child process is the command line itself, forked from a server that has imported everything, with one function
wrapped so that the process dies there. One home goes through all kills, so that each run makes only what is left.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import dagster as dg
import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner

from resonate_assets.jobs import STAGES
from resonate_assets.targets import TARGETS
from resonate_resources.recordings.recording import write_samples
from resonate_resources.storage import heartbeats
from resonate_resources.storage.artefacts import Artefacts
from resonate_resources.storage.manifest import Manifest
from resonate_resources.storage.store import LocalStore
from resonate_studio import home as home_of_dagster
from resonate_studio.cli import main
from resonate_studio.home import open_instance, settings_for

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    [
        "resonate_studio.processing",
        "librosa",
        "pedalboard",
        "onnxruntime",
        "pandas",
        "scipy.signal",
    ]
)
_PATIENCE_S = 120.0
"""A run that takes longer hangs: for a slot in a pool that a dead run holds, for instance."""

WHILE_COMPUTING = "while it computes"
HALF_TAKEN_IN = "when half of its files are in storage"
KEPT = "between computing and publishing"
PUBLISHED = "after publishing, before Dagster knows"

IN_ORDER = (
    "brief",
    "raw_track",
    "profile",
    "restored_track",
    "stems",
    "analysis",
    "midi",
    "restored_stems",
    "regenerated_stems",
    "mix_plan",
    "mix",
    "generated_track",
    "master",
    "ableton",
    "archive",
    "dawproject",
    "mirrored",
    "multitrack_midi",
    "ni_stems",
    "qc_scores",
    "rekordbox",
    "remix",
    "serato",
    "sfz",
    "exports",
)
"""The stages as Dagster runs them: each once what it is made from is there, earlier ready ones first."""

REPLACED = {
    "brief": KEPT,
    "restored_track": KEPT,
    "restored_stems": HALF_TAKEN_IN,
    "mix": PUBLISHED,
    "master": KEPT,
    "qc_scores": WHILE_COMPUTING,
    "exports": HALF_TAKEN_IN,
}
"""Stages that another preset makes anew, and where each is killed as it replaces what there was."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds with a pulse, a bass and a chord."""
    rate, frames = 44100, 6 * 44100
    time = np.arange(frames) / rate
    pulse = np.random.default_rng(1).normal(size=frames) * np.exp(-30 * (time % 0.5))
    tones = sum(np.sin(2 * np.pi * hertz * time) for hertz in (55.0, 220.0, 277.2, 329.6))
    mix = 0.1 * pulse + 0.1 * tones
    path = tmp_path_factory.mktemp("clip") / "clip.wav"
    write_samples(path, np.stack([mix, 0.8 * mix]).astype(np.float32), rate)
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RESONATE_HOME", "RESONATE_STORAGE", "RESONATE_INBOX", "RESONATE_DATABASE", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")  # set, so that what `--home` does to the environment is undone
    for module, name in (
        *((heartbeats, name) for name in ("BEAT_SECONDS", "DEAD_AFTER_SECONDS", "_SURE_AFTER_SECONDS")),
        (heartbeats, "_LOOK_SECONDS"),
        (home_of_dagster, "_LOOK_SECONDS"),
    ):
        monkeypatch.setattr(module, name, getattr(module, name))
    beat_quickly()


def process(home: Path, clip: Path, preset: str, stage: str, point: str) -> None:
    """Run in a child: the command line, which dies in that stage at that point."""
    beat_quickly()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _wrap(stage, point)
    main(asked(home, clip, preset))


def asked(home: Path, clip: Path, preset: str) -> list[str]:
    """On the command line; "aggressive" also moves the stems."""
    balance = f"mixing.balance={'standard' if preset == 'aggressive' else 'auto'}"
    return ["process", "--json", "--home", str(home), "--preset", preset, "--set", balance, str(clip)]


def beat_quickly() -> None:
    """Ten times as fast as in life: most of these tests' time would be waiting for the dead."""
    heartbeats.BEAT_SECONDS, heartbeats.DEAD_AFTER_SECONDS = 0.5, 3.0
    heartbeats._SURE_AFTER_SECONDS = heartbeats._LOOK_SECONDS = 1.0
    home_of_dagster._LOOK_SECONDS = 0.5


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _wrap(stage: str, point: str) -> None:
    import resonate_assets.stage as stages

    def in_stage(product: Any) -> bool:
        return bool(product.manifest.stage == stage)

    def dying_after(whole: Callable[..., Any], is_it: Callable[..., bool]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            result = whole(*arguments, **named)
            if is_it(result, *arguments):
                _die()
            return result

        return wrapped

    match point:
        case "while it computes":
            with_picture, progress_of = stages._with_picture, stages.sparse_progress

            def progress(context: dg.AssetExecutionContext) -> Callable[[float], None]:
                here = context.asset_key.path[-1] == stage
                return lambda part: _die() if here else progress_of(context)(part)

            stages.sparse_progress = progress
            # A stage that tells no progress dies with its product finished and nothing of it in storage.
            stages._with_picture = dying_after(
                with_picture, lambda _, __, into: f"-{stage}-" in Path(into).name
            )
        case "when half of its files are in storage":
            folders = (f"artefacts/{stage}/", "exports/" if stage == "exports" else "-")
            LocalStore.adopt = dying_after(  # type: ignore[method-assign]
                LocalStore.adopt, lambda _, __, ___, key: key.startswith(folders) and key.endswith(".wav")
            )
        case "between computing and publishing":
            Artefacts.keep = dying_after(  # type: ignore[method-assign]
                Artefacts.keep, lambda artefact, *_: in_stage(artefact)
            )
        case "after publishing, before Dagster knows":
            Artefacts.publish = dying_after(  # type: ignore[method-assign]
                Artefacts.publish, lambda _, __, artefact: in_stage(artefact)
            )


def kill(home: Path, clip: Path, preset: str, stage: str, point: str) -> None:
    child = _SERVER.Process(target=process, args=(home, clip, preset, stage, point))
    child.start()
    child.join(_PATIENCE_S)
    hangs = child.is_alive()
    child.kill()
    assert not hangs
    assert child.exitcode == -signal.SIGKILL, "the run ended before it came to where it should die"


def manifests(home: Path) -> Iterator[tuple[Path, Manifest]]:
    for path in (home / "artefacts").rglob("manifest.json"):
        yield path, Manifest.from_json(path.read_bytes())


def current(home: Path) -> dict[str, str]:
    """Stage → key of the computation that counts."""
    found = (home / "artefacts").glob("*/*/manifest.json")
    return {path.parent.parent.name: Manifest.from_json(path.read_bytes()).key for path in found}


def assert_every_manifest_is_true(home: Path) -> None:
    """What a manifest names is there, byte for byte."""
    for path, manifest in manifests(home):
        made = home / "artefacts" / manifest.stage / manifest.track / manifest.key
        assert path.parent in (made, made.parent)
        for name, stored in manifest.files.items():
            assert hashlib.sha256((made / manifest.attempt / name).read_bytes()).hexdigest() == stored.sha256


def assert_the_next_run_finishes(home: Path, clip: Path, preset: str) -> dict[str, Any]:
    result = CliRunner().invoke(main, asked(home, clip, preset))
    assert result.exit_code == 0, result.output
    [track] = json.loads(result.stdout)["tracks"]
    assert list(track["assets"]) == list(STAGES)
    assert_every_manifest_is_true(home)
    assert list((home / ".work").iterdir()) == []
    with open_instance(settings_for(home)) as instance:
        until = time.monotonic() + 20
        while unfinished := [run.run_id for run in instance.get_runs() if not run.is_finished]:
            assert time.monotonic() < until, unfinished
            time.sleep(0.2)
    database = settings_for(home).database_url
    assert heartbeats.heartbeats(database, "pool") == heartbeats.heartbeats(database, "run") == []
    return dict(track)


def assert_the_export_is_what_its_record_says(home: Path, track: dict[str, Any]) -> None:
    folder = home / track["assets"]["exports"]["metadata"]["folder"]
    record = json.loads((folder / "metadata.json").read_bytes())["files"]
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == {*record, "metadata.json"}
    for name, stored in record.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == stored["sha256"]
    made = {
        Path(name)
        for stage in ("restored_stems", "master", "midi")
        for name in track["assets"][stage]["files"]
    }
    sounds = {sound_of(path) for path in made}
    assert {sound_of(folder / name) for name in record} <= sounds


def sound_of(path: Path) -> bytes:
    """What is in a file apart from its tags, which are of the export's own."""
    if path.suffix in (".wav", ".flac"):
        return path.suffix.encode() + sf.read(path, dtype="float64")[0].tobytes()
    if path.suffix == ".mp3":
        with av.open(str(path)) as container:
            return b"".join(bytes(packet) for packet in container.demux(audio=0))
    return path.read_bytes()


@pytest.mark.parametrize("point", [WHILE_COMPUTING, KEPT])
@pytest.mark.parametrize("stage", [stage for stage in IN_ORDER if stage not in TARGETS or stage == "ableton"])
def test_a_run_killed_in_a_stage_leaves_all_that_was_made_before_and_nothing_of_that_stage(
    home: Path, clip: Path, stage: str, point: str
) -> None:
    kill(home, clip, "balanced", stage, point)
    assert set(current(home)) == set(IN_ORDER[: IN_ORDER.index(stage)])
    assert_every_manifest_is_true(home)


def test_after_all_these_kills_the_next_run_finishes_and_nothing_of_them_is_left(
    home: Path, clip: Path
) -> None:
    track = assert_the_next_run_finishes(home, clip, "balanced")
    assert_the_export_is_what_its_record_says(home, track)


@pytest.mark.parametrize(("stage", "point"), REPLACED.items())
def test_a_run_killed_as_it_replaces_a_stage_leaves_the_old_or_the_new_one(
    home: Path, clip: Path, stage: str, point: str
) -> None:
    before = current(home)
    kill(home, clip, "aggressive", stage, point)
    after = current(home)
    assert set(after) == set(STAGES)
    assert (after[stage] != before[stage]) == (point == PUBLISHED)
    assert_every_manifest_is_true(home)


def test_after_kills_in_the_middle_of_a_change_either_preset_can_be_finished(home: Path, clip: Path) -> None:
    aggressive = assert_the_next_run_finishes(home, clip, "aggressive")
    assert_the_export_is_what_its_record_says(home, aggressive)
    balanced = assert_the_next_run_finishes(home, clip, "balanced")
    assert_the_export_is_what_its_record_says(home, balanced)
    assert aggressive["assets"]["master"]["files"] != balanced["assets"]["master"]["files"]


def test_one_that_waits_for_the_pool_goes_on_within_a_minute_when_its_holder_is_killed(
    clip: Path, tmp_path: Path
) -> None:
    """In two processes of their own, at the pace of life: nothing is made quicker here."""
    command = [sys.executable, "-m", "resonate_studio.cli", "process", "--json", "--home", str(tmp_path)]
    environment = os.environ | {"RESONATE_POOL_CORES": "1"}
    second = tmp_path / "second.wav"
    rate = 44100
    write_samples(second, 0.1 * np.random.default_rng(2).normal(size=(1, rate)).astype(np.float32), rate)
    database = settings_for(tmp_path).database_url
    # Its separation never ends.
    holder_program = (
        "import sys, time\n"
        "from resonate_resources.separation.spectral.engine import SpectralSeparator\n"
        "SpectralSeparator.separate = lambda *_: (print('in stems', flush=True), time.sleep(1e6))\n"
        "from resonate_studio.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", holder_program, *command[3:], str(clip)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "in stems\n"
        waiting = subprocess.Popen([*command, str(second)], env=environment, stdout=subprocess.PIPE)
        try:
            wait_for(lambda: waiting.pid in {run.pid for run in heartbeats.heartbeats(database, "run")}, 60)
            time.sleep(3)  # in which it comes to its first stage
            assert {held.pid for held in heartbeats.heartbeats(database, "pool")} == {holder.pid}
            holder.send_signal(signal.SIGKILL)
            killed_at = time.monotonic()
            wait_for(
                lambda: waiting.pid in {held.pid for held in heartbeats.heartbeats(database, "pool")}, 60
            )
            print(f"went on after {time.monotonic() - killed_at:.1f} s")
            told, _ = waiting.communicate(timeout=300)
            assert [track["status"] for track in json.loads(told)["tracks"]] == ["ok"]
        finally:
            waiting.kill()
            waiting.wait()
    finally:
        holder.kill()
        holder.wait()
    with open_instance(settings_for(tmp_path)) as instance:
        wait_for(lambda: all(run.is_finished for run in instance.get_runs()), 60)
        assert sorted(run.status.value for run in instance.get_runs(job_of_tracks())) == [
            "FAILURE",
            "SUCCESS",
        ]


def job_of_tracks() -> dg.RunsFilter:
    return dg.RunsFilter(job_name="process_track")


def wait_for(condition: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come to pass in time"
        time.sleep(0.2)
