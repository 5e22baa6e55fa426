"""`resonate batch` on real songs: killed with SIGKILL and with Ctrl-C, gone on with, and from a bucket.

One home and one library for all tests, in their order: each makes only what is left.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from moto.server import ThreadedMotoServer

from resonate_resources.recordings.recording import write_samples
from resonate_tests.dj_libraries import put_crate

RATE = 44100
_PATIENCE_S = 240.0


def song(path: Path, seed: int) -> Path:
    """Three seconds with a pulse and a chord."""
    at = np.arange(3 * RATE) / RATE
    pulse = np.random.default_rng(seed).normal(size=len(at)) * np.exp(-30 * (at % 0.5))
    chord = sum(np.sin(2 * np.pi * hertz * (1 + seed / 40) * at) for hertz in (55.0, 220.0, 277.2, 329.6))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_samples(path, np.stack([0.1 * pulse + 0.1 * chord] * 2).astype(np.float32), RATE)
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library in `music`, of which `c.wav` is in a crate and one file is none; `home` and `music/out` come."""
    place = tmp_path_factory.mktemp("batch")
    for seed, name in enumerate(("a.wav", "House/b.wav", "House/deep/c.wav")):
        song(place / "music" / name, seed)
    (place / "music" / "broken.mp3").write_bytes(b"no music at all")
    put_crate(place / "music", "Mine", place / "music/House/deep/c.wav")
    return place


def command(place: Path, *more: str, libraries: str = "") -> list[str]:
    where = ["--home", str(place / "home"), "--output", str(place / "music/out")]
    return [
        sys.executable,
        "-m",
        "resonate_studio.cli",
        "batch",
        libraries or str(place / "music"),
        *where,
        *more,
    ]


def environment(**more: str) -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("RESONATE_", "DAGSTER_"))
    } | more


def start(place: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(place), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(place: Path, code: int, libraries: str = "", **variables: str) -> dict[str, Any]:
    done = subprocess.run(
        command(place, "--json", libraries=libraries),
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return dict(json.loads(done.stdout))


def working_on_the_next(place: Path, tracks: int) -> bool:
    """Whether as many tracks are exported, and something is made of one more."""
    home = place / "home" / "artefacts"
    made = [len(list((home / stage).glob("*/manifest.json"))) for stage in ("exports", "raw_track")]
    return made[0] == tracks and made[1] > tracks


def wait_for(place: Path, tracks: int, child: subprocess.Popen[str]) -> None:
    until = time.monotonic() + _PATIENCE_S
    while not working_on_the_next(place, tracks):
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)


def handed_out(place: Path) -> list[str]:
    return sorted(
        folder.name.rpartition("_")[0].removeprefix("Unknown Artist - ")
        for folder in (place / "music/out").iterdir()
        if (folder / "metadata.json").is_file()
    )


def manifests(place: Path) -> dict[str, int]:
    found = (place / "home" / "artefacts").glob("*/*/manifest.json")
    return {str(path): path.stat().st_mtime_ns for path in found}


def test_one_that_is_killed_after_its_first_track_has_handed_out_the_chosen_one(place: Path) -> None:
    child = start(place)
    wait_for(place, 1, child)
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=_PATIENCE_S)
    assert handed_out(place) == ["c"]


def test_ctrl_c_tells_what_is_done_and_what_is_left(place: Path) -> None:
    before = {path: at for path, at in manifests(place).items() if "/c-" in path}
    child = start(place)
    wait_for(place, 2, child)
    child.send_signal(signal.SIGINT)
    told, errors = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "done 1, found again 0, done before 1, failed 0, left 2" in told
    assert "goes on from there" in errors
    assert handed_out(place) == ["b", "c"]
    assert {path: at for path, at in manifests(place).items() if "/c-" in path} == before


def test_the_same_command_finishes_tells_the_broken_one_and_then_has_nothing_to_do(place: Path) -> None:
    told = finish(place, 1)
    assert [Path(each["source"]).name for each in told["done"]] == ["a.wav"]
    assert [Path(each["source"]).name for each in told["failed"]] == ["broken.mp3"]
    assert (told["done_before"], told["left"]) == (2, [])
    assert handed_out(place) == ["a", "b", "c"]
    before = manifests(place)
    told = finish(place, 1)
    assert (told["done"], told["found_again"], told["done_before"]) == ([], [], 3)
    assert manifests(place) == before


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_a_bucket_is_a_library_too_in_which_a_known_song_is_found_again(place: Path, endpoint: str) -> None:
    client = boto3.client(
        "s3", "us-east-1", endpoint_url=endpoint, aws_access_key_id="a", aws_secret_access_key="b"
    )
    client.create_bucket(Bucket="music")
    client.upload_file(str(place / "music/a.wav"), "music", "in/known.wav")
    client.upload_file(str(song(place / "d.wav", 7)), "music", "in/d.wav")
    told = finish(
        place,
        0,
        "s3://music/in",
        RESONATE_S3_ENDPOINT=endpoint,
        AWS_DEFAULT_REGION="us-east-1",
        AWS_ACCESS_KEY_ID="a",
        AWS_SECRET_ACCESS_KEY="b",
    )
    assert [each["source"] for each in told["done"]] == ["s3://music/in/d.wav"]
    assert [each["source"] for each in told["found_again"]] == ["s3://music/in/known.wav"]
    assert handed_out(place) == ["a", "b", "c", "d"]
