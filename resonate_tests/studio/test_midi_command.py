from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

import click
import numpy as np
import pretty_midi
import pytest
from click.testing import CliRunner, Result

from resonate_resources.recordings.recording import write_samples
from resonate_studio import midi_command
from resonate_studio.cli import main
from resonate_studio.midi_command import copied_to


def resonate(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_file_becomes_midi_of_each_stem_and_a_table(tmp_path: Path) -> None:
    time = np.arange(4 * 22050) / 22050
    audio = 0.3 * np.sin(2 * np.pi * 110 * time) * np.exp(-4 * (time % 0.5))
    write_samples(tmp_path / "song.wav", audio[np.newaxis].astype(np.float32), 22050)
    out = tmp_path / "elsewhere" / ".." / "notes"
    result = resonate("midi", tmp_path / "song.wav", "--home", tmp_path / "home", "--out", out, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    for stem, count in told["notes"].items():
        parts = pretty_midi.PrettyMIDI(told["files"][f"{stem}.mid"]).instruments
        assert sum(len(part.notes) for part in parts) == count
    assert told["files"]["notes.parquet"] == str(tmp_path.resolve() / "notes" / "notes.parquet")
    assert all(Path(file).is_file() for file in told["files"].values())


def test_on_a_full_disk_what_was_there_stays_and_nothing_is_written_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what `midi` and `rebuild` write."""
    made, out = tmp_path / "made", tmp_path / "out"
    for folder in (made, out):
        folder.mkdir()
    files = {name: made / name.replace("/", "-") for name in ("a.wav", "sub/b.wav", "c.wav")}
    for name, path in files.items():
        path.write_text(name)
    (out / "a.wav").write_text("of before")
    copied, calls = shutil.copyfile, 0

    def full(source: Path, target: Path) -> Path:
        nonlocal calls
        calls += 1
        if calls == 3:
            Path(target).write_bytes(b"c.")
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        return Path(copied(source, target))

    monkeypatch.setattr(midi_command.shutil, "copyfile", full)
    with pytest.raises(click.ClickException, match=r"can't be written to \(no space left on device\)$"):
        copied_to(out, files)
    assert {path.relative_to(out).as_posix() for path in out.rglob("*")} == {"a.wav"}
    assert (out / "a.wav").read_text() == "of before"
    written = copied_to(out, files)
    assert written == {name: str(out / name) for name in files}
    assert {name: (out / name).read_text() for name in files} == {name: name for name in files}
    assert {path.name for path in out.iterdir()} == {"a.wav", "sub", "c.wav"}


def test_what_is_no_audio_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "song.wav").write_text("not a song")
    result = resonate("midi", tmp_path / "song.wav", "--home", tmp_path / "home", "--out", tmp_path / "notes")
    assert result.exit_code != 0
    assert len([line for line in result.stderr.splitlines() if "Error" in line]) == 1
    assert not (tmp_path / "notes").exists()
