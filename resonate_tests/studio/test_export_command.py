from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from resonate_studio.cli import main


def test_a_folder_without_stems_is_named_once(tmp_path: Path) -> None:
    folder = tmp_path / "nostems"
    folder.mkdir()
    result = CliRunner().invoke(main, ["export-ableton", str(folder), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: nostems: there are no stems in it")


def test_what_names_no_folder_is_told_with_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "stems"
    folder.mkdir()
    (folder / "drums.wav").write_text("not a sound")
    result = CliRunner().invoke(main, ["export-ableton", str(folder), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: stems: drums.wav: ")
