"""Fixtures of the whole suite: known truth, rendered once per session. And which tests are quick."""

from __future__ import annotations

import fcntl
import os
import pickle
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings

from resonate_studio.demo_song import DemoSong, PhoneRecording, compose, record_on_phone, render

# What tests expect is a processor's arithmetic. Before any of them, or a worker of theirs, asks torch for a GPU.
os.environ["CUDA_VISIBLE_DEVICES"] = ""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As shells start what runs in the background. Dagster does with SIGTERM what is done with SIGINT, and then
    # nothing that a test starts can be ended.
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("resonate", deadline=None)  # tests are not timed: machines differ, and are busy
settings.load_profile("resonate")

_Made = TypeVar("_Made")

SLOW_FIXTURES = {"demo_song", "phone_recording"}
SLOW = [
    "benchmarks",
    "e2e",
    "faults",
    "run_queue",
    # These start servers, workers or other processes.
    "test_dawproject.py",
    "test_ni_stems.py",
    *("audio_separator", "audiosr", "multiband_diffusion", "test_audio_separator.py", "test_roformer.py"),
    *("lalal", "workers", "test_inbox.py", "test_store.py", "test_sensors.py"),
    *("test_definitions.py", "test_model_files.py", "test_system_packages.py", "test_run_launcher.py"),
    *("test_dagster_databases.py", "test_service_log.py", "test_reasons.py"),
    *("test_packages.py", "test_login.py", "test_daemon_program.py"),
    *("machines/test_ec2.py", "test_gpu_machine.py", "test_gpu_command.py"),
    *(
        "test_dagster_storage.py",
        "test_decoding.py",
        "test_stopping.py",
        "test_database.py",
        "test_schema.py",
    ),
    # These take long for what they do: seconds a file.
    *(
        "conductor",
        "demucs",
        "demo_song",
        "regeneration",
        "transcription",
        "test_midi.py",
        "test_named_reference.py",
        "test_referencing.py",
    ),
    *("composition/sound/test_rendering.py", "composition/sound/test_moves.py", "test_musicgen.py"),
    *("test_ace_step.py", "test_jasco.py", "test_jasco_recording.py", "test_generated_track.py"),
    "composition/engines/test_style.py",
    "assets/test_composed.py",
    "studio/page",
    "spectral/test_engine.py",
    *("spectral/test_spleeter.py", "test_rejections.py"),
    *("test_automation.py", "test_schedules.py", "test_separating.py", "test_key.py", "test_mixing.py"),
    *("test_carrying_out.py", "test_ducking.py", "test_processors.py"),
    *("composition/test_composing.py", "composition/test_genres.py"),
    *("restoration/test_resource.py", "test_noise_reduction.py", "test_injected_defects.py"),
    *(
        "test_mastering.py",
        "test_reference.py",
        "test_delivery.py",
        "test_many_files.py",
        "test_limiter.py",
        "test_instrumental.py",
        "test_attempts.py",
    ),
    *(
        "separation/test_resource.py",
        "test_predictor.py",
        "test_mono.py",
        "test_encoding.py",
        "test_lossy.py",
    ),
    *("test_exact_sum.py", "test_beats.py", "test_partition_status.py", "test_pruning.py", "test_current.py"),
    "test_duplicates.py",
    *("test_overrides.py", "test_any_file.py", "test_pools.py", "test_library_status.py", "test_ingest.py"),
    *(
        "studio/api",
        "test_dependencies.py",
        "test_heartbeats.py",
        "test_reconcile.py",
        "test_sound_commands.py",
        "hearing",
        "test_ebu_cases.py",
        "test_ableton.py",
        "test_music_libraries.py",
        "test_library_batch.py",
        "test_batch_command.py",
        "studio/watching",
        "test_alerts.py",
    ),
]
"""Folders and files, by the ends of their paths: all in them are left out of `make quick`, the rest is in it."""


def is_slow(path: Path) -> bool:
    """Whether a folder or file of tests is in the list."""
    within = path.relative_to(Path(__file__).parent)
    return any(place.match(name) for place in (within, *within.parents) for name in SLOW)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What will not run need not be imported: that takes as long as the quick tests do."""
    root = Path(__file__).parent
    quick = config.option.markexpr == "quick" and collection_path.is_relative_to(root)
    return True if quick and is_slow(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not is_slow(item.path) and SLOW_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("quick")


def _once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], _Made]) -> _Made:
    """What make gives of a folder: made by the first of the processes that run the tests, found by the others."""
    root = factory.getbasetemp()
    folder = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / name
    folder.mkdir(exist_ok=True)
    made = folder / "made.pickle"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            made.write_bytes(pickle.dumps(make(folder)))
    found: _Made = pickle.loads(made.read_bytes())
    return found


@pytest.fixture(scope="session")
def demo_song(tmp_path_factory: pytest.TempPathFactory) -> DemoSong:
    """The composed song with its stems, stereo at 44.1 kHz."""
    return _once(tmp_path_factory, "demo-song", lambda folder: render(compose(), folder))


@pytest.fixture(scope="session")
def phone_recording(demo_song: DemoSong, tmp_path_factory: pytest.TempPathFactory) -> PhoneRecording:
    """The same song recorded on a phone, with the stems as they are in that recording."""
    return _once(tmp_path_factory, "phone-recording", lambda folder: record_on_phone(demo_song, folder))
