from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner, Result

from resonate_resources.recordings.recording import Samples, write_samples
from resonate_studio.cli import main

RATE = 44_100


def restore(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["restore", *map(str, arguments)])


def music() -> Samples:
    """Plucked notes, ten seconds, with rests between them."""
    time = np.arange(10 * RATE) / RATE
    hertz = 220 * 2 ** (np.array([0, 4, 7, 12, 7, 4])[(2 * time).astype(int) % 6] / 12)
    tone = sum(np.sin(2 * np.pi * partial * np.cumsum(hertz) / RATE) / partial for partial in range(1, 9))
    return (0.1 * tone * np.exp(-6 * (time % 0.5)))[None].astype(np.float32)


def test_with_nothing_to_mend_the_samples_are_the_very_same(tmp_path: Path) -> None:
    source = write_samples(tmp_path / "song.wav", music(), RATE)
    result = restore(source.path, "--embedded", "--out", tmp_path / "out.wav", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["changed"] is False
    np.testing.assert_array_equal(sf.read(tmp_path / "out.wav")[0], sf.read(source.path)[0])


def test_hum_goes_and_each_step_is_told(tmp_path: Path) -> None:
    time = np.arange(10 * RATE) / RATE
    hum = sum(0.02 * np.sin(2 * np.pi * 50.03 * harmonic * time) for harmonic in (1, 2, 3, 4))
    source = write_samples(tmp_path / "song.wav", music() + hum.astype(np.float32)[None], RATE)
    result = restore(source.path, "--plan", "dehum", "--embedded", "--out", tmp_path / "out.wav", "--json")
    (step,) = json.loads(result.stdout)["steps"]
    assert step["step"] == "dehum"
    assert step["kept"] == 1
    left = sf.read(tmp_path / "out.wav")[0] - music()[0]
    assert np.sqrt(np.mean(left**2)) < 0.3 * np.sqrt(np.mean(hum**2))


def test_what_cannot_be_done_is_one_line(tmp_path: Path) -> None:
    source = write_samples(tmp_path / "song.wav", music(), RATE)
    for arguments, words in (
        (("--plan", "dewobble", "--out", tmp_path / "x.wav"), "no such step"),
        (("--out", tmp_path / "x.mp3"), "ends in none of"),
        (("--out", source.path), "never written to"),
        (("--out", tmp_path / "no" / "x.wav"), "there is no folder"),
    ):
        result = restore(source.path, *arguments)
        assert result.exit_code == 2
        assert words in " ".join(result.output.split())


def test_a_file_that_lies_beside_with_another_ending_stays(tmp_path: Path) -> None:
    source = write_samples(tmp_path / "in.wav", music(), RATE)
    beside = tmp_path / "song.flac"
    beside.write_bytes(b"somebody's")
    result = restore(source.path, "--embedded", "--out", tmp_path / "song.FLAC")
    assert result.exit_code == 0, result.output
    assert beside.read_bytes() == b"somebody's"
    assert sf.info(tmp_path / "song.FLAC").frames == source.frames


@pytest.mark.parametrize("name", ["out.wav", "out.flac"])
def test_where_the_disk_is_full_what_was_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    source = write_samples(tmp_path / "in.wav", music(), RATE)
    out = tmp_path / name
    out.write_bytes(b"of yesterday")

    def full(_: object, to: Path) -> None:
        Path(to).write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copyfile", full)
    result = restore(source.path, "--embedded", "--out", out)
    assert result.exit_code == 1
    assert f"--out: {out}: can't be written to (no space left on device)" in " ".join(result.output.split())
    assert out.read_bytes() == b"of yesterday"
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(["in.wav", name])
