"""`resonate workers`, on environments of its own."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from resonate_resources.models.workers.environments import AUDIO_SEPARATOR, ENVIRONMENTS
from resonate_studio.cli import main


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No environments, and no workers of whoever runs the tests."""
    monkeypatch.setenv("RESONATE_WORKERS", str(tmp_path / "workers"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / "workers"


def told(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["workers", *arguments])
    assert result.exit_code == code, result.output
    return result


def made() -> None:
    python = AUDIO_SEPARATOR.python
    python.parent.mkdir(parents=True)
    python.touch()
    AUDIO_SEPARATOR.made.write_text(AUDIO_SEPARATOR.fingerprint())


def test_the_list_says_of_each_whether_it_is_made_and_what_room_it_takes(place: Path) -> None:
    made()
    found = json.loads(told("list", "--json").stdout)
    assert found["directory"] == str(place)
    states = {worker["name"]: worker["state"] for worker in found["workers"]}
    assert states == {name: "made" if name == "audio-separator" else "missing" for name in ENVIRONMENTS}
    sizes = {worker["name"]: worker["bytes"] for worker in found["workers"]}
    assert sizes["audio-separator"] >= 64  # the hash of its lists
    assert sizes["audiosr"] == 0
    assert not any(worker["warm"] for worker in found["workers"])
    assert "audiosr" in told("list").stdout


def test_one_that_is_made_is_not_made_again() -> None:
    made()
    assert told("install", "audio-separator").stdout == "audio-separator: is made already\n"


def test_a_place_that_can_not_be_written_to_is_one_line(place: Path) -> None:
    place.write_text("no folder")
    told_then = told("install", "audio-separator", code=1)
    assert told_then.stderr.startswith(f"Error: {place}: can't be written to")
    assert len(told_then.stderr.splitlines()) == 1


def test_what_is_removed_is_gone_and_what_is_not_there_is_said() -> None:
    made()
    assert told("remove", "audio-separator").stdout == "audio-separator: removed\n"
    assert not AUDIO_SEPARATOR.directory.exists()
    assert told("remove", "audio-separator").stdout == "audio-separator: is not made\n"


def test_where_none_is_warm_none_is_stopped() -> None:
    assert told("stop").stdout == "none is warm\n"


def test_a_name_that_is_none_is_told_those_there_are() -> None:
    assert "audio-separator" in told("install", "spleeter", code=2).stderr
