"""Bad input through the command line: one clear line each, and everything else goes on.

Two processes take all files: what must be refused, with music in between, and what is odd but right.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from resonate_assets.jobs import STAGES
from resonate_resources.recordings.recording import Recording, write_samples
from resonate_tests.bad_input import (
    ODD,
    REFUSED,
    Odd,
    Refused,
    mono,
    one_content_under_two_names,
    two_files_of_one_name,
    without_permission,
)

_COMMAND = Path(sys.executable).with_name("resonate")
_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 24, 1, 2  # linux/prctl.h, linux/capability.h

REFUSED_HERE = (*REFUSED, Refused("no permission", without_permission, "no permission"))
ODD_HERE = tuple(odd for odd in ODD if odd.name != "three hours")  # benchmarks/bench_pipeline.py takes those


def permissions_count() -> None:
    """For root, too, whom they would not stop: what a child does before it runs the command."""
    libc = ctypes.CDLL(None)
    for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


def no_file_over(size: int) -> Callable[[], None]:
    """What a full disk does to a writer, with EFBIG in ENOSPC's place: Python ignores SIGXFSZ."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def start(home: Path, files: list[Path], before: Callable[[], None] | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [_COMMAND, "process", "--json", "--home", home, *files],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=before,  # noqa: PLW1509 — only the main thread starts children here
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def strict_json(text: bytes) -> Any:
    """JSON as the standard has it: NaN and Infinity are not in it."""

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def state(path: Path) -> tuple[object, ...]:
    """All that could be changed of a user's file without anyone noticing."""
    stat = path.lstat()
    content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_mode, content


MADE = {"done", "not accepted"}
"""States of tracks of which all stages were made: how good they are is judged elsewhere."""


@dataclass(frozen=True)
class Outcome:
    """What one command line made of its files."""

    home: Path
    code: int
    stderr: str
    tracks: Mapping[str, dict[str, Any]]
    """Name of the case → its entry."""
    paths: Mapping[str, Path]
    status: dict[str, Any]
    """What `resonate status --json` says afterwards."""
    touched: list[Path]
    """Users' files that are not as they were."""


@dataclass(frozen=True)
class Started:
    home: Path
    paths: dict[str, Path]
    before: dict[Path, tuple[object, ...]]
    command: subprocess.Popen[bytes]


def begin(home: Path, paths: dict[str, Path]) -> Started:
    before = {path: state(path) for path in paths.values() if os.path.lexists(path)}
    return Started(home, paths, before, start(home, list(paths.values()), permissions_count))


def finish(started: Started) -> Outcome:
    stdout, stderr = started.command.communicate()
    assert stdout, stderr.decode()
    tracks = strict_json(stdout)["tracks"]
    assert [track["source"] for track in tracks] == [str(path) for path in started.paths.values()]
    status = subprocess.run(
        [_COMMAND, "status", "--json", "--home", started.home], stdout=subprocess.PIPE, check=True
    )
    return Outcome(
        started.home,
        started.command.returncode,
        stderr.decode(),
        dict(zip(started.paths, tracks, strict=True)),
        started.paths,
        strict_json(status.stdout),
        [path for path, was in started.before.items() if state(path) != was],
    )


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Outcome]:
    """Of what must be refused, and of what is odd: made side by side."""

    def folder() -> Path:
        return tmp_path_factory.mktemp("input")

    odd = {case.name: case.make(folder()) for case in ODD_HERE}
    odd["one name, one"], odd["one name, two"] = two_files_of_one_name(folder())
    odd["one content, one"], odd["one content, two"] = one_content_under_two_names(folder())
    bad = {case.name: case.make(folder()) for case in REFUSED_HERE}
    bad = {**dict(list(bad.items())[:5]), "music": mono(folder()), **dict(list(bad.items())[5:])}
    started = [begin(tmp_path_factory.mktemp("home"), paths) for paths in (bad, odd)]
    refused, well = map(finish, started)
    return refused, well


@pytest.fixture(scope="module")
def refused(outcomes: tuple[Outcome, Outcome]) -> Outcome:
    return outcomes[0]


@pytest.fixture(scope="module")
def odd(outcomes: tuple[Outcome, Outcome]) -> Outcome:
    return outcomes[1]


# What is refused


@pytest.mark.parametrize("case", REFUSED_HERE, ids=lambda case: case.name)
def test_a_bad_file_is_refused_in_one_line_with_its_name_and_the_reason(
    case: Refused, refused: Outcome
) -> None:
    track = refused.tracks[case.name]
    assert track["status"] == "failed"
    assert set(track["assets"]) <= {"brief"}  # what is wanted of it is known all the same
    assert track["error"].isprintable()  # one line, no escape codes
    name = refused.paths[case.name].name[:60]  # the middle of long names is left out
    assert track["error"].startswith(name)
    assert case.reason in track["error"]
    assert "Error" not in track["error"]  # a class of Python's is nothing to a musician


@pytest.mark.parametrize("case", REFUSED_HERE, ids=lambda case: case.name)
def test_a_bad_file_is_told_as_rejected_with_the_same_line(case: Refused, refused: Outcome) -> None:
    reasons = {entry["uri"]: entry["reason"] for entry in refused.status["rejected"]}
    assert reasons[str(refused.paths[case.name])] == refused.tracks[case.name]["error"]


def test_bad_files_do_not_stop_the_music_between_them(refused: Outcome) -> None:
    assert refused.code == 1
    assert list(refused.tracks["music"]["assets"]) == list(STAGES)
    assert len(refused.status["rejected"]) == len(REFUSED_HERE)
    [done] = refused.status["tracks"]
    assert done["track"] == refused.tracks["music"]["track"]
    assert done["state"] in MADE


def test_refusals_leave_no_traceback_and_no_escape_code_on_stderr(refused: Outcome) -> None:
    assert "Traceback" not in refused.stderr
    assert "\x1b" not in refused.stderr


# What is odd but right


@pytest.mark.parametrize("case", ODD_HERE, ids=lambda case: case.name)
def test_an_odd_file_goes_through_all_stages_with_its_rate_channels_and_length(
    case: Odd, odd: Outcome
) -> None:
    track = odd.tracks[case.name]
    assert (track["status"], track["error"]) == ("ok", None)
    assert list(track["assets"]) == list(STAGES)
    for stage in ("raw_track", "stems", "restored_stems", "regenerated_stems"):
        for file in (name for name in track["assets"][stage]["files"] if name.endswith(".wav")):
            recording = Recording.open(Path(file))
            shape = (recording.sample_rate, recording.channels, recording.frames)
            assert shape == (case.sample_rate, case.channels, case.frames), file


@pytest.mark.parametrize("case", ODD_HERE, ids=lambda case: case.name)
def test_the_master_of_an_odd_file_is_finite_and_as_long_as_the_file_at_its_rate_or_the_nearer(
    case: Odd, odd: Outcome
) -> None:
    files = odd.tracks[case.name]["assets"]["master"]["files"]
    for name in (file for file in files if file.endswith((".wav", ".flac"))):
        master = Recording.open(Path(name))
        rate = 44100 if case.sample_rate % 44100 == 0 else 48000
        assert master.sample_rate == rate
        assert abs(master.frames - case.frames * rate / case.sample_rate) < 1
        assert np.isfinite(master.read()).all()


@pytest.mark.parametrize("case", ODD_HERE, ids=lambda case: case.name)
def test_an_odd_file_is_exported_right_below_the_exports(case: Odd, odd: Outcome) -> None:
    folder = odd.home / odd.tracks[case.name]["assets"]["exports"]["metadata"]["folder"]
    assert folder.parent == odd.home / "exports"
    assert folder.resolve() == folder
    assert (folder / "metadata.json").is_file()


def test_silence_stays_silence(odd: Outcome) -> None:
    assets = odd.tracks["digital silence"]["assets"]
    for stage in ("stems", "restored_stems", "mix", "master", "regenerated_stems"):
        for file in (name for name in assets[stage]["files"] if name.endswith((".wav", ".flac"))):
            # A dithered master is silent to within two steps of its 24 bits (TPDF).
            assert np.abs(Recording.open(Path(file)).read()).max() <= 2 * 2**-23, file
    assert assets["master"]["metadata"]["loudness_lufs"] == "-inf"


def test_a_dc_offset_does_not_reach_the_master(odd: Outcome) -> None:
    [master] = [f for f in odd.tracks["a DC offset"]["assets"]["master"]["files"] if f.endswith(".wav")]
    samples = Recording.open(Path(master)).read()
    rms = float(np.sqrt(np.mean(samples**2)))
    assert abs(float(samples.mean())) < 0.01 * rms


def test_odd_files_all_end_well(odd: Outcome) -> None:
    assert odd.code == 0
    assert odd.status["rejected"] == []
    assert {track["state"] for track in odd.status["tracks"]} <= MADE
    assert odd.stderr.strip() == f"home: {odd.home}"  # it is not the usual one


def test_two_files_of_one_name_are_two_tracks_in_two_folders(odd: Outcome) -> None:
    one, two = odd.tracks["one name, one"], odd.tracks["one name, two"]
    assert one["track"] != two["track"]
    folders = {track["assets"]["exports"]["metadata"]["folder"] for track in (one, two)}
    assert len(folders) == 2


def test_one_content_under_two_names_is_one_track_made_once(odd: Outcome) -> None:
    one, two = odd.tracks["one content, one"], odd.tracks["one content, two"]
    assert (one["status"], two["status"]) == ("ok", "ok")
    assert one["track"] == two["track"]
    assert one["assets"]["master"]["files"] == two["assets"]["master"]["files"]


def test_users_files_are_as_they_were(refused: Outcome, odd: Outcome) -> None:
    assert refused.touched == []
    assert odd.touched == []


# What is wrong with the machine


def test_a_full_disk_is_one_line_a_track_that_fits_goes_on_and_the_next_run_finishes(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).uniform(-0.1, 0.1, (2, 20 * 44100)).astype(np.float32)
    big = write_samples(tmp_path / "big.wav", noise, 44100).path  # 7 MB
    small = write_samples(tmp_path / "small.wav", noise[:, :4410], 44100).path
    home = tmp_path / "home"
    # Below what the big track needs, above the 4 MB that SQLite's write-ahead log reaches.
    command = start(home, [big, small], no_file_over(6_000_000))
    stdout, stderr = command.communicate()
    failed, fits = strict_json(stdout)["tracks"]
    assert command.returncode == 1
    assert failed["status"] == "failed"
    assert failed["error"].isprintable()
    assert "make room" in failed["error"]
    assert fits["status"] == "ok", fits["error"]
    assert b"Traceback" not in stderr
    status = subprocess.run([_COMMAND, "status", "--json", "--home", home], capture_output=True, check=True)
    assert strict_json(status.stdout)["rejected"] == []  # nothing is wrong with the file
    assert list((home / ".work").iterdir()) == []
    with_room = start(home, [big])
    [track] = strict_json(with_room.communicate()[0])["tracks"]
    assert track["status"] == "ok"
    assert list(track["assets"]) == list(STAGES)


@pytest.mark.parametrize("command", [["process", "song.wav"], ["prepare"]])
def test_a_home_that_cannot_be_written_to_is_one_line(tmp_path: Path, command: list[str]) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    (tmp_path / "song.wav").write_bytes(b"")
    result = subprocess.run(
        [_COMMAND, *command, "--home", home],
        capture_output=True,
        preexec_fn=permissions_count,
        cwd=tmp_path,
        check=False,
    )
    assert result.returncode == 1
    [line] = result.stderr.decode().strip().splitlines()
    assert str(home) in line
    assert "permission denied" in line
