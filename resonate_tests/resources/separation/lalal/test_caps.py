from __future__ import annotations

import multiprocessing
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from resonate_resources.models.hosted.caps import CapReachedError
from resonate_resources.recordings.recording import AudioError, Recording, write_samples
from resonate_resources.separation.lalal.ledger import LalalCaps, Ledger, take_over
from resonate_tests.lalal_server import LalalServer
from resonate_tests.resources.separation.lalal.separating import (
    RATE,
    SPLIT,
    ledger_in,
    refusal,
    separate,
    separator,
    tones,
)


class TestCaps:
    def test_stop_a_track_before_anything_is_sent(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        caps = LalalCaps(per_run=0.09, per_day=100)
        line = refusal(separator(server, tmp_path, caps=caps), track, tmp_path)
        assert "RESONATE_LALAL_MINUTES_PER_RUN" in line
        assert server.requests == []

    def test_hold_over_the_tracks_of_a_run_and_the_runs_of_a_day(
        self, server: LalalServer, tmp_path: Path
    ) -> None:
        tracks = [
            write_samples(tmp_path / f"{number}.wav", tones(level=0.1 * (number + 1)), RATE)
            for number in range(4)
        ]
        caps = LalalCaps(per_run=0.2, per_day=0.3)  # a track is reckoned as 0.1
        first = separator(server, tmp_path, caps=caps, run="first")
        separate(first, tracks[0], tmp_path)
        separate(first, tracks[1], tmp_path)
        assert "PER_RUN" in refusal(first, tracks[2], tmp_path)
        second = separator(server, tmp_path, caps=caps, run="second")
        separate(second, tracks[2], tmp_path)
        assert "PER_DAY" in refusal(second, tracks[3], tmp_path)
        assert len(server.tasks) == 3

    def test_are_checked_again_with_the_length_that_the_service_found(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        server.length_factor = 10
        engine = separator(server, tmp_path, caps=LalalCaps(per_run=0.4, per_day=100))
        assert "RESONATE_LALAL_MINUTES_PER_RUN" in refusal(engine, track, tmp_path)
        assert SPLIT not in server.paths()
        assert server.sources == {}
        assert engine.spent_minutes() == 0

    def test_are_not_passed_by_processes_that_reserve_at_once(self, tmp_path: Path) -> None:
        context = multiprocessing.get_context("spawn")
        ledger = ledger_in(tmp_path)
        with context.Pool(2, initializer=_set_gate, initargs=(context.Barrier(2),)) as pool:
            granted = pool.starmap(_reserve_many, [(ledger, "one"), (ledger, "other")], chunksize=1)
        assert sum(granted) == 80

    def test_begin_anew_at_midnight_utc(self, tmp_path: Path) -> None:
        evening = datetime(2026, 3, 1, 23, 50, tzinfo=UTC)
        morning = datetime(2026, 3, 2, 0, 10, tzinfo=UTC)
        path, caps = ledger_in(tmp_path), LalalCaps(per_run=100, per_day=10)
        Ledger(path, "a", caps, lambda: evening).reserve("x", 10)
        with pytest.raises(CapReachedError):
            Ledger(path, "b", caps, lambda: evening).reserve("y", 1)
        Ledger(path, "b", caps, lambda: morning).reserve("y", 10)

    def test_count_a_job_on_the_day_on_which_it_is_sent(self, tmp_path: Path) -> None:
        clock = [datetime(2026, 3, 1, 23, 59, tzinfo=UTC)]
        ledger = Ledger(ledger_in(tmp_path), "a", LalalCaps(100, 10), lambda: clock[0])
        evening = ledger.reserve("x", 6)
        clock[0] = datetime(2026, 3, 2, 0, 1, tzinfo=UTC)
        ledger.reserve("y", 6)
        with pytest.raises(CapReachedError):
            ledger.sending(evening)

    def test_come_from_the_environment(self) -> None:
        per_run, per_day = "RESONATE_LALAL_MINUTES_PER_RUN", "RESONATE_LALAL_MINUTES_PER_DAY"
        assert LalalCaps.from_environment({per_run: "7.5", per_day: "0"}) == LalalCaps(7.5, 0)
        assert LalalCaps.from_environment({}) == LalalCaps()
        for nonsense in ("many", "-1", "nan", "inf"):
            with pytest.raises(AudioError, match=per_day):
                LalalCaps.from_environment({per_day: nonsense})


class TestJobs:
    def test_have_one_idempotency_key_for_one_work_until_they_are_over(self, tmp_path: Path) -> None:
        path = ledger_in(tmp_path)
        first = Ledger(path, "a", LalalCaps()).reserve("work", 1)
        assert Ledger(path, "b", LalalCaps()).reserve("work", 1).key == first.key
        assert Ledger(path, "b", LalalCaps()).reserve("other work", 1).key != first.key
        Ledger(path, "a", LalalCaps()).close(first)
        assert Ledger(path, "a", LalalCaps()).reserve("work", 1).key != first.key

    def test_have_the_key_of_the_day_where_the_ledger_was_lost(self, tmp_path: Path) -> None:
        keys = {
            Ledger(ledger_in(tmp_path, lost), "a", LalalCaps()).reserve("work", 1).key
            for lost in ("one", "other")
        }
        assert len(keys) == 1

    def test_are_forgotten_when_the_service_has_forgotten_them(self, tmp_path: Path) -> None:
        clock = [datetime(2026, 3, 1, 12, tzinfo=UTC)]
        ledger = Ledger(ledger_in(tmp_path), "a", LalalCaps(), lambda: clock[0])
        job = ledger.reserve("work", 1)
        ledger.begun(job, "task")
        clock[0] = datetime(2026, 3, 2, 11, tzinfo=UTC)
        assert ledger.reserve("work", 1).task == "task"
        clock[0] = datetime(2026, 3, 2, 13, tzinfo=UTC)
        assert ledger.reserve("work", 1).task is None

    def test_are_not_begun_where_they_cannot_be_kept(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        (tmp_path / "ledger.sqlite").write_bytes(b"this is no database" * 1000)
        assert "cannot be kept" in refusal(separator(server, tmp_path), track, tmp_path)
        assert server.requests == []


class TestTheLedgerOfAnOlderHome:
    """A SQLite file of its own, as it was written before there was one database for everything."""

    TABLE = (
        "CREATE TABLE jobs (key TEXT PRIMARY KEY, work TEXT NOT NULL, run TEXT NOT NULL, day TEXT NOT NULL,"
        " reserved_at TEXT NOT NULL, minutes REAL NOT NULL, sent INTEGER NOT NULL DEFAULT 0, source TEXT,"
        " task TEXT, closed INTEGER NOT NULL DEFAULT 0)"
    )
    NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def old_file(self, folder: Path) -> Path:
        file = folder / "lalal.sqlite"
        with closing(sqlite3.connect(file)) as db:
            db.execute(self.TABLE)
            at = self.NOON.isoformat()
            rows = [
                ("k1", "w1", "r", "2026-03-01", at, 3.5, 1, "s", "t", 1),
                ("k2", "w2", "r", "2026-03-01", at, 1.5, 1, "s", "t", 0),
            ]
            db.executemany("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
            db.commit()
        return file

    def test_is_taken_over_once_with_what_was_spent_and_what_was_begun(self, tmp_path: Path) -> None:
        file, url = self.old_file(tmp_path), ledger_in(tmp_path)
        ledger = Ledger(url, "a", LalalCaps(100, 10), lambda: self.NOON)
        take_over(file, url)
        assert ledger.spent_today() == 5.0
        assert ledger.reserve("w2", 1.0).task == "t"
        take_over(file, url)
        take_over(self.old_file(tmp_path), url)  # as another process that read it at the same time
        assert ledger.spent_today() == 5.0
        assert not file.exists()

    def test_that_cannot_be_read_lets_nothing_be_spent(self, tmp_path: Path) -> None:
        file = tmp_path / "lalal.sqlite"
        file.write_bytes(b"this is no database" * 1000)
        with pytest.raises(AudioError, match="can't be taken over"):
            take_over(file, ledger_in(tmp_path))
        assert file.exists()


_gate: list[Barrier] = []
"""In a process of a pool: where it waits for the others."""


def _set_gate(barrier: Barrier) -> None:
    _gate[:] = [barrier]


def _reserve_many(path: str, run: str) -> int:
    ledger = Ledger(path, run, LalalCaps(per_run=1000, per_day=80))
    _gate[0].wait(30)
    granted = 0
    while granted < 81:
        try:
            ledger.reserve(f"{run}/{granted}", 1)
        except CapReachedError:
            break
        granted += 1
    return granted
