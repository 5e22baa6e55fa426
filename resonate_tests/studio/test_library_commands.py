"""`resonate library`, on a home of its own."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pandas as pd
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from resonate_resources.recipe import Engine
from resonate_resources.storage.current import current_of, record_all
from resonate_resources.storage.database import transaction, upsert
from resonate_resources.storage.inbox import Seen
from resonate_resources.storage.store import LocalStore
from resonate_resources.storage.taken_in import TakenIn
from resonate_resources.storage.track_search import ORDERS
from resonate_resources.storage.tracks import fingerprints, record_checks, tracks
from resonate_studio.catalogue_commands import list_tracks
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


# The catalogue

SONGS: dict[str, dict[str, Any]] = {
    "joga-000000000001": {"tempo_bpm": 83.0, "key": "A minor", "camelot": "8A", "loudness_lufs": "-inf"},
    "strobe-000000000002": {"tempo_bpm": 128.0, "key": "C major", "camelot": "8B", "loudness_lufs": -11.0},
    "strong-000000000003": {"tempo_bpm": 64.0, "key": "E minor", "camelot": "9A", "loudness_lufs": -9.0},
}


@pytest.fixture
def library(url: str, tmp_path: Path) -> str:
    """Of three songs, of which the last two are the same samples."""
    (tmp_path / "artefacts").mkdir()
    engine = Engine("signal-analysis", "beat_this", "MIT")
    for number, (track, measures) in enumerate(SONGS.items()):
        made = [
            manifest("raw_track", track, measures={"duration_s": 200.5}),
            manifest("profile", track, measures=measures, engine=engine, seconds=2.5),
            manifest("qc_scores", track, measures={"master_total": 80.0 + 10 * number}),
        ]
        record_all(url, made)
        name = {"title": track[:-13], "name_folded": track[:-13], "source": f"/music/{number}.wav"}
        row = {"track": track, "described": "v", "sound_sha256": "ab" if number else "cd", **name}
        print_of = {"track": track, "data_version": "v", "fingerprint": "AQAAA", "sketch": None}
        with transaction(url) as db:
            upsert(db, tracks, [row])
            upsert(db, fingerprints, [print_of])
    record_checks(url, "joga-000000000001", "mix", ["mix_does_not_clip"])
    return url


def asked(tmp_path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["library", *arguments, "--home", str(tmp_path)])


def test_a_page_of_the_library_tells_tempo_key_score_and_verdict_and_what_there_is_besides(
    library: str, tmp_path: Path
) -> None:
    order = ("list", "--sort", "bpm", "--descending", "--limit", "2")
    lines = told(tmp_path, *order).splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["BPM", "key", "score", "verdict", "name", "track"],
        ["128.0", "8B", "90.0", "accepted", "strobe", "strobe-000000000002"],
        ["83.0", "8A", "80.0", "not", "accepted", "joga", "joga-000000000001"],
    ]
    assert lines[3] == "3 tracks, page 1 of 2"
    assert lines[0].index("score") + len("score") == lines[1].index("90.0") + len("90.0")
    assert "strong" in told(tmp_path, *order, "--page", "2")


@pytest.mark.parametrize(
    ("arguments", "titles"),
    [
        (("--bpm", "128"), ["strobe"]),
        (("--bpm", "127.6-128.4"), ["strobe"]),
        (("--bpm", "128", "--half-double"), ["strobe", "strong"]),
        (("--key", "Am"), ["joga"]),
        (("--key", "A minor"), ["joga"]),
        (("--key", "8a"), ["joga"]),
        (("--key", "8A", "--compatible"), ["joga", "strobe", "strong"]),
        (("--key", "Em", "--compatible"), ["joga", "strong"]),
        (("STR",), ["strobe", "strong"]),
        (("--score", "90"), ["strobe", "strong"]),
        (("--not-accepted",), ["joga"]),
        (("--accepted", "--bpm", "60-70"), ["strong"]),
        (("--failed", "mix_does_not_clip"), ["joga"]),
    ],
)
def test_tracks_are_found_as_djs_ask_for_them(
    library: str, tmp_path: Path, arguments: tuple[str, ...], titles: list[str]
) -> None:
    result = asked(tmp_path, "find", "--sort", "title", *arguments, "--json")
    assert [track["title"] for track in json.loads(result.stdout)["tracks"]] == titles


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--bpm", "fast"), "'fast' is no tempo"),
        (("--bpm", "-128"), "'-128' is no tempo"),
        (("--bpm", "1e2"), "'1e2' is no tempo"),
        (("--bpm", "130-120"), "the lower tempo comes first"),
        (("--key", "H#"), "'H#' is no key"),
        (("--key", "13A"), "'13A' is no key"),
        (("--half-double",), "--half-double goes with --bpm"),
        (("--compatible",), "--compatible goes with --key"),
        (("--failed", "nothing"), "nothing is no check; the checks are "),
        (("--score", "101"), "101"),
        (("--page", "0"), "--page"),
        (("--csv", "."), "is a directory"),
        (("--csv", ""), "--csv: give the name of a file"),
        (("--parquet", ""), "--parquet: give the name of a file"),
        (("--csv", "x", "--parquet", "./x"), "--csv and --parquet are one file"),
        (("--score", "nan"), "nan is no number"),
        (("--page", "9" * 20), "--page"),
        (("--limit", str(2**63)), "--limit"),
    ],
)
def test_what_makes_no_sense_is_told_and_nothing_is_looked_for(
    library: str, tmp_path: Path, arguments: tuple[str, ...], why: str
) -> None:
    result = asked(tmp_path, "find", *arguments)
    assert result.exit_code == 2
    assert why in result.output


def test_files_for_other_programs_hold_every_track_that_was_found(library: str, tmp_path: Path) -> None:
    csv_file, parquet_file = tmp_path / "mine.csv", tmp_path / "mine.parquet"
    csv_file.write_text("what was there")
    told(
        tmp_path,
        "find",
        "str",
        "--limit",
        "1",
        "--csv",
        str(csv_file),
        "--parquet",
        str(parquet_file),
        "--replace",
    )
    with csv_file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    frame = pd.read_parquet(parquet_file)
    assert [row["track"] for row in rows] == list(frame["track"]) == [*SONGS][1:]
    assert [float(row["tempo_bpm"]) for row in rows] == list(frame["tempo_bpm"]) == [128.0, 64.0]
    assert [row["accepted"] for row in rows] == ["true", "true"]
    assert list(frame["accepted"]) == [True, True]
    assert rows[0].keys() == set(frame.columns)
    assert sorted(file.name for file in tmp_path.glob("*mine*")) == ["mine.csv", "mine.parquet"]


def test_a_file_that_can_t_be_written_is_told_and_leaves_nothing(library: str, tmp_path: Path) -> None:
    result = asked(tmp_path, "list", "--csv", str(tmp_path / "nowhere" / "a.csv"))
    assert result.exit_code == 1
    assert "nowhere" in result.output
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("option", ["--csv", "--parquet"])
def test_a_file_that_is_there_is_written_over_only_when_that_is_asked_for_and_so_is_what_a_link_leads_to(
    library: str, tmp_path: Path, option: str
) -> None:
    there, link = tmp_path / "mine", tmp_path / "link"
    there.write_text("what was there")
    link.symlink_to(there)
    for file in (there, link):
        result = asked(tmp_path, "list", option, str(file))
        assert result.exit_code == 1
        assert f"{file}: is there already; --replace writes over it" in result.output
        assert there.read_text() == "what was there"
    told(tmp_path, "list", option, str(link), "--replace")
    assert link.is_symlink()
    assert b"strobe" in there.read_bytes()


def test_a_pipe_is_written_into(library: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    told(tmp_path, "list", "--csv", str(pipe))
    rows = list(csv.DictReader(os.read(reader, 1 << 16).decode().splitlines()))
    os.close(reader)
    assert [row["track"] for row in rows] == [*SONGS]
    assert pipe.is_fifo()


def test_a_file_that_may_not_be_written_stays(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("what was there")
    file.chmod(0o444)
    # The administrator may write anything, whatever the file's mode says.
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)
    result = asked(tmp_path, "list", "--csv", str(file), "--replace")
    assert (result.exit_code, file.read_text()) == (1, "what was there")


@pytest.mark.parametrize("option", ["--csv", "--parquet"])
def test_a_full_disk_is_told_with_the_file(library: str, tmp_path: Path, option: str) -> None:
    result = asked(tmp_path, "list", option, "/dev/full")
    assert result.exit_code == 1
    assert "/dev/full: can't be used (no space left on device)" in result.output


@pytest.mark.parametrize(
    ("title", "cell"),
    [
        ('=cmd|"/c calc"!A1', '\'=cmd|"/c calc"!A1'),
        ("+1+cmd", "'+1+cmd"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("-5", "-5"),
        ("+1,5", "+1,5"),
        ("Song = Song", "Song = Song"),
    ],
)
def test_a_title_is_no_formula_in_a_spreadsheet(library: str, tmp_path: Path, title: str, cell: str) -> None:
    with transaction(library) as db:
        upsert(db, tracks, [{"track": "joga-000000000001", "title": title}])
    file = tmp_path / "mine.csv"
    told(tmp_path, "list", "--sort", "bpm", "--csv", str(file))
    with file.open(encoding="utf-8", newline="") as stream:
        rows = {row["track"]: row for row in csv.DictReader(stream)}
    assert rows["joga-000000000001"]["title"] == cell
    assert rows["joga-000000000001"]["loudness_lufs"] == "-inf"


def test_a_title_as_long_as_a_book_is_cut_in_a_listing(library: str, tmp_path: Path) -> None:
    with transaction(library) as db:
        upsert(db, tracks, [{"track": "joga-000000000001", "title": "a" * 1_000_000}])
    [line] = [line for line in told(tmp_path, "list").splitlines() if "joga" in line]
    assert f"{'a' * 119}…  joga-000000000001" in line
    assert len(line) < 200


def test_one_track_is_told_with_how_its_stages_were_made_and_which_checks_failed(
    library: str, tmp_path: Path
) -> None:
    track = json.loads(asked(tmp_path, "show", "joga", "--json").stdout)
    assert track["loudness_lufs"] is None  # JSON has no infinity
    assert track["failed_checks"] == ["mix_does_not_clip"]
    profile = next(stage for stage in track["stages"] if stage["stage"] == "profile")
    made_by = {"engine": "signal-analysis", "model": "beat_this", "licence": "MIT", "seconds": 2.5}
    assert {name: profile[name] for name in made_by} == made_by
    assert "beat_this" in told(tmp_path, "show", "joga-000000000001")


@pytest.mark.parametrize(
    ("beginning", "why"), [("str", "2 tracks begin so"), ("zz", "no track's key begins so")]
)
def test_a_track_that_is_not_the_only_one_or_none_is_told(
    library: str, tmp_path: Path, beginning: str, why: str
) -> None:
    result = asked(tmp_path, "show", beginning)
    assert (result.exit_code, why in result.output) == (1, True)


def test_without_chromaprint_the_same_samples_are_found_and_the_rest_is_told(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "chromaprint", None)
    result = asked(tmp_path, "duplicates")
    assert result.exit_code == 0
    assert "2 tracks, 100% alike at least" in result.stdout
    assert "strobe-000000000002" in result.stdout
    assert "joga" not in result.stdout
    assert "compared by samples alone: pyacoustid or the Chromaprint library" in result.stderr
    assert "pip install '.[fingerprint]'" in result.stderr
    assert "apt install libchromaprint1" in result.stderr
    assert json.loads(asked(tmp_path, "duplicates", "--json").stdout)["note"].startswith(
        "compared by samples"
    )


def test_where_no_track_has_a_fingerprint_it_is_told_why(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction(library) as db:
        db.execute(sa.update(fingerprints).values(fingerprint=None))
    monkeypatch.setitem(sys.modules, "chromaprint", None)
    note = json.loads(asked(tmp_path, "duplicates", "--json").stdout)["note"]
    assert note.startswith("3 tracks without a fingerprint compared by samples alone: pyacoustid or the")
    assert "pip install '.[fingerprint]'" in note
    assert "resonate process FILE --stage profile" in note
    monkeypatch.setitem(sys.modules, "chromaprint", ModuleType("chromaprint"))
    note = json.loads(asked(tmp_path, "duplicates", "--json").stdout)["note"]
    assert "profiled before there was Chromaprint" in note
    assert "install both" not in note


def test_a_home_of_the_version_before_is_listed_and_says_that_tags_are_not_read_yet(
    url: str, tmp_path: Path
) -> None:
    (tmp_path / "artefacts").mkdir()
    dump = Path(__file__).parents[1] / "resources" / "storage" / "databases" / "before_migrations.sql"
    with closing(sqlite3.connect(tmp_path / "resonate.sqlite")) as connection:
        connection.executescript(dump.read_text())
    result = asked(tmp_path, "list")
    assert result.stdout.splitlines()[1].split()[:3] == ["128.0", "8A", "not"]
    assert "1 track\n" in result.stdout
    assert "1 track without tags yet: `resonate library rebuild-index`" in result.stderr


def test_a_database_of_a_later_version_is_one_line(library: str, tmp_path: Path) -> None:
    later = tmp_path / "later"
    (later / "artefacts").mkdir(parents=True)
    with closing(sqlite3.connect(tmp_path / "resonate.sqlite")) as connection:
        connection.execute("UPDATE resonate_version SET version_num = '9999'")
        connection.commit()
        connection.execute("VACUUM INTO ?", (str(later / "resonate.sqlite"),))
    result = asked(later, "list")
    assert result.exit_code == 1
    [line] = [line for line in result.output.splitlines() if "version 9999" in line]
    assert line.startswith("Error: ")


def test_a_home_that_is_not_there_is_not_made(url: str, tmp_path: Path) -> None:
    result = asked(tmp_path / "nowhere", "list")
    assert result.exit_code == 1
    assert not (tmp_path / "nowhere").exists()


def test_a_home_that_can_t_be_written_to_is_listed_from_a_copy(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dump() -> list[str]:
        with closing(sqlite3.connect(tmp_path / "resonate.sqlite")) as connection:
            return list(connection.iterdump())

    monkeypatch.setattr("resonate_studio.read_only.can_be_written", lambda _: False)
    before = dump()
    assert "3 tracks\n" in asked(tmp_path, "list").stdout
    assert dump() == before


def test_every_order_that_tracks_can_be_sorted_by_is_offered_and_no_other() -> None:
    [sort] = [option for option in list_tracks.params if option.name == "sort"]
    assert isinstance(sort.type, click.Choice)
    assert set(sort.type.choices) == ORDERS.keys()
