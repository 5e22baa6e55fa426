"""`resonate library`, on a home of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from resonate_resources.storage.current import current_of
from resonate_resources.storage.inbox import Seen
from resonate_resources.storage.store import LocalStore
from resonate_resources.storage.taken_in import TakenIn
from resonate_studio.cli import main
from resonate_tests.manifests import manifest

SONG = "song-0123456789ab"


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    for name in ("RESONATE_HOME", "RESONATE_STORAGE", "RESONATE_INBOX", "RESONATE_DATABASE", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")
    monkeypatch.delenv("RESONATE_BUCKET", raising=False)
    return f"sqlite:///{tmp_path / 'resonate.sqlite'}"


def told(tmp_path: Path, *arguments: str) -> str:
    result = CliRunner().invoke(main, ["library", *arguments, "--home", str(tmp_path)])
    assert result.exit_code == 0, result.output
    *lines, home = result.stdout.splitlines(keepends=True)
    assert home == f"home: {tmp_path}\n"
    return "".join(lines)


def test_an_index_that_was_lost_is_made_anew(url: str, tmp_path: Path) -> None:
    made = manifest("stems", SONG, data_version="s1")
    LocalStore(tmp_path).write(f"artefacts/stems/{SONG}/manifest.json", made.to_json())
    assert told(tmp_path, "rebuild-index") == "1 rows did not agree with storage\n"
    assert current_of(url, [SONG])[SONG]["stems"].data_version == "s1"
    assert told(tmp_path, "rebuild-index") == "0 rows did not agree with storage\n"


def test_files_of_the_inbox_are_looked_at_anew(url: str, tmp_path: Path) -> None:
    inbox = str(tmp_path / "inbox")
    file = Seen(f"{inbox}/a.wav", 1, "x", settled=True)
    ledger = TakenIn(url, inbox)
    ledger.enter({file.uri: "1:x"})
    assert list(ledger.fresh([file])) == []
    assert inbox in told(tmp_path, "look-again")
    assert list(ledger.fresh([file])) == [file]


def test_nothing_to_prune_is_said(url: str, tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["prepare", "--home", str(tmp_path)]).exit_code == 0
    assert told(tmp_path, "prune", "--older-than", "0d") == "deleted 0 runs\n"
