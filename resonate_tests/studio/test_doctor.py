"""`resonate doctor` tells what is there, what is not, and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from resonate_resources.storage.database import transaction
from resonate_studio import doctor
from resonate_studio.cli import main

ENGINES = doctor._engines


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RESONATE_HOME", "RESONATE_STORAGE", "RESONATE_INBOX", "RESONATE_DATABASE", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("RESONATE_MODELS", "")
    monkeypatch.setattr(doctor, "_engines", lambda _: iter(()))  # they ask their hubs: the last test has one


def told(*options: str | Path, code: int) -> dict[str, tuple[str, str]]:
    result = CliRunner().invoke(main, ["doctor", "--json", *map(str, options)])
    assert result.exit_code == code, result.output
    return {each["part"]: (each["state"], each["told"]) for each in json.loads(result.stdout)["findings"]}


def test_a_home_that_is_not_made_yet_is_no_fault_and_is_not_made(tmp_path: Path) -> None:
    found = told("--home", tmp_path / "new", code=0)
    assert {part: state for part, (state, _) in found.items()} == {
        "packages": "ok",
        "storage": "off",
        "database": "ok",
        "dagster": "off",
        "inbox": "off",
        "kept": "ok",
    }
    assert not (tmp_path / "new").exists()


def test_storage_that_is_not_mounted_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESONATE_STORAGE", str(tmp_path / "nas"))
    state, line = told("--home", tmp_path, code=1)["storage"]
    assert state == "broken"
    assert line == f"{tmp_path / 'nas'}: is not there; see whether it is mounted, or meant"


def test_what_is_there_is_told_with_where_it_is(tmp_path: Path) -> None:
    with transaction(f"sqlite:///{tmp_path / 'resonate.sqlite'}"):
        pass
    found = told("--home", tmp_path, code=0)
    assert found["storage"][0] == "ok"
    assert found["database"] == ("ok", f"{tmp_path / 'resonate.sqlite'}, 0 runs at work")
    assert {each.name.split("-")[0] for each in tmp_path.iterdir()} == {"resonate.sqlite"}


def test_a_database_that_can_t_be_reached_is_told_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgresql+psycopg2://resonate:secret@127.0.0.1:1/resonate"
    monkeypatch.setenv("RESONATE_DATABASE", url)
    state, line = told("--home", tmp_path, code=1)["database"]
    assert state == "broken"
    assert "127.0.0.1" in line
    assert "secret" not in line


def test_an_instance_that_names_what_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "dagster_home").mkdir()
    (tmp_path / "dagster_home/dagster.yaml").write_text("run_launcher: {module: no.such, class: Launcher}\n")
    state, line = told("--home", tmp_path, code=1)["dagster"]
    assert state == "broken"
    assert "dagster.yaml" in line
    assert "no" in line


def test_an_instance_of_one_machine_whose_daemon_is_not_at_work_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "dagster_home").mkdir()
    (tmp_path / "dagster_home/dagster.yaml").write_text("telemetry: {enabled: false}\n")
    state, line = told("--home", tmp_path, code=0)["daemon"]
    assert (state, line) == ("off", "shows no sign of life; `resonate dev` starts it")


def test_engines_are_told_with_what_they_lack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_engines", ENGINES)
    monkeypatch.setenv("LALAL_LICENSE_KEY", "")
    found = told("--home", tmp_path, code=0)
    assert found["engine spectral"] == ("ok", "runs here")
    assert found["engine lalal"] == ("off", "no licence key (LALAL_LICENSE_KEY is not set)")
