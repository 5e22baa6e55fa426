from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pretty_midi
from click.testing import CliRunner, Result

from resonate_resources.recordings.recording import write_samples
from resonate_studio.cli import main


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


def test_what_is_no_audio_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "song.wav").write_text("not a song")
    result = resonate("midi", tmp_path / "song.wav", "--home", tmp_path / "home", "--out", tmp_path / "notes")
    assert result.exit_code != 0
    assert len([line for line in result.stderr.splitlines() if "Error" in line]) == 1
    assert not (tmp_path / "notes").exists()
