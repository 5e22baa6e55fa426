from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.models.hosted.service import Patience
from resonate_resources.recordings.recording import Recording
from resonate_resources.separation.lalal.ledger import LalalCaps, Ledger
from resonate_resources.storage import heartbeats
from resonate_tests.hosted_server import DROP, HALF, HALF_UNANNOUNCED, HANG, LOSE, Answer
from resonate_tests.lalal_server import LalalServer, lalal_server
from resonate_tests.resources.separation.lalal.separating import (
    HASTY,
    PCM_24,
    SPLIT,
    ledger_in,
    refusal,
    separate,
    separator,
)


class TestTroubleThatPasses:
    @pytest.mark.parametrize("path", ["limits/minutes_left/", "upload/", SPLIT, "check/", "files"])
    @pytest.mark.parametrize("fault", [Answer(429), Answer(500), Answer(503), DROP], ids=str)
    def test_is_tried_again_and_paid_once(
        self, server: LalalServer, track: Recording, tmp_path: Path, path: str, fault: Answer | str
    ) -> None:
        server.faults[path] = [fault, fault]
        engine = separator(server, tmp_path)
        stems = separate(engine, track, tmp_path)
        assert np.abs(stems["vocals"].read() - 0.5 * track.read()).max() < PCM_24
        assert len(server.tasks) == 1
        assert engine.spent_minutes() >= server.charged

    def test_that_does_not_pass_ends_in_one_line(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        server.always["upload/"] = Answer(500)
        assert "answered upload/ with 500, 3 times" in refusal(separator(server, tmp_path), track, tmp_path)
        assert server.paths().count("upload/") == 3

    @pytest.mark.parametrize("form", ["seconds", "date"])
    def test_is_waited_out_as_long_as_the_service_asks(
        self, server: LalalServer, track: Recording, tmp_path: Path, form: str
    ) -> None:
        # A date has whole seconds: two ahead are more than one.
        date = format_datetime(datetime.fromtimestamp(time.time() + 2, UTC), usegmt=True)
        asked = "1" if form == "seconds" else date
        server.faults["limits/minutes_left/"] = [Answer(429, headers={"Retry-After": asked})]
        began = time.monotonic()
        separate(separator(server, tmp_path), track, tmp_path)
        assert time.monotonic() - began >= 0.9

    def test_is_not_waited_out_past_the_time_for_the_job(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        server.always["check/"] = Answer(429, headers={"Retry-After": "3600"})
        began = time.monotonic()
        assert "3600 s" in refusal(separator(server, tmp_path), track, tmp_path)
        assert time.monotonic() - began < 5

    @pytest.mark.parametrize("path", ["upload/", SPLIT, "check/", "files"])
    def test_of_a_server_that_never_answers_ends_in_one_line(
        self, server: LalalServer, track: Recording, tmp_path: Path, path: str
    ) -> None:
        server.always[path] = HANG
        line = refusal(separator(server, tmp_path, patience=HASTY), track, tmp_path)
        assert "did not answer in time, 2 times" in line

    def test_of_a_server_that_is_not_there_ends_in_one_line(self, track: Recording, tmp_path: Path) -> None:
        with lalal_server() as gone:
            engine = separator(gone, tmp_path)
        assert "could not be reached" in refusal(engine, track, tmp_path)


class TestHalfADownload:
    @pytest.mark.parametrize("fault", [HALF, HALF_UNANNOUNCED])
    def test_is_fetched_again(
        self, server: LalalServer, track: Recording, tmp_path: Path, fault: str
    ) -> None:
        server.faults["files"] = [fault, fault]
        stems = separate(separator(server, tmp_path), track, tmp_path)
        assert np.abs(stems["vocals"].read() - 0.5 * track.read()).max() < PCM_24
        assert len([path for path in server.paths() if path.startswith("files/")]) == 6

    @pytest.mark.parametrize(
        "fault", [HALF, HALF_UNANNOUNCED, Answer(200, {"not": "audio"}), Answer(404)], ids=str
    )
    def test_that_stays_half_fails_and_a_later_run_fetches_it_unpaid(
        self, server: LalalServer, track: Recording, tmp_path: Path, fault: Answer | str
    ) -> None:
        server.always["files"] = fault
        refusal(separator(server, tmp_path), track, tmp_path)
        del server.always["files"]
        charged = server.charged
        later = separator(server, tmp_path, run="later")
        assert len(separate(later, track, tmp_path)) == 4
        assert server.charged == charged
        assert server.paths().count("upload/") == 1
        assert later.spent_minutes() == 0


class TestPayingOnce:
    def test_an_answer_lost_before_the_task_begins_is_made_up_for(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        server.begins_at_once = False
        server.faults[SPLIT] = [LOSE]
        assert len(separate(separator(server, tmp_path), track, tmp_path)) == 4
        assert len(server.tasks) == 1

    def test_an_answer_lost_after_the_task_began_is_said_and_counted(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        server.faults[SPLIT] = [LOSE]
        engine = separator(server, tmp_path)
        assert "whose answer was lost" in refusal(engine, track, tmp_path)
        assert len(server.tasks) == 1
        assert engine.spent_minutes() >= server.charged > 0
        assert len(separate(engine, track, tmp_path)) == 4  # another try, which somebody wanted
        assert engine.spent_minutes() >= server.charged

    def test_minutes_stay_reserved_where_the_job_may_have_been_accepted_unseen(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        server.faults[SPLIT] = [LOSE, Answer(402)]
        engine = separator(server, tmp_path)
        refusal(engine, track, tmp_path)
        assert engine.spent_minutes() >= server.charged > 0

    def test_minutes_stay_reserved_where_an_earlier_run_may_have_been_charged(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        server.faults[SPLIT] = [LOSE, DROP, DROP]
        refusal(separator(server, tmp_path), track, tmp_path)
        server.faults[SPLIT] = [Answer(402)]
        engine = separator(server, tmp_path)
        refusal(engine, track, tmp_path)
        assert engine.spent_minutes() >= server.charged > 0

    def test_a_job_that_is_late_is_fetched_by_a_later_run_unpaid(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        server.checks_until_ready = 10**9
        late = Patience(connect_s=2, read_s=2, job_s=0.5, poll_s=0.05, tries=3, backoff_s=0.01)
        line = refusal(separator(server, tmp_path, patience=late), track, tmp_path)
        assert "not ready after" in line
        server.checks_until_ready = 0
        assert len(separate(separator(server, tmp_path), track, tmp_path)) == 4
        assert len(server.tasks) == 1

    def test_a_killed_process_leaves_a_job_that_the_next_one_takes_up(
        self, server: LalalServer, track: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server.checks_until_ready = 10**9
        (tmp_path / "killed").mkdir()
        script = (
            "import sys; from pathlib import Path\n"
            "from resonate_resources.recordings.recording import Recording, silent\n"
            "from resonate_resources.separation.lalal.engine import LalalSeparator\n"
            "ledger, api, track, into = sys.argv[1:]\n"
            "engine = LalalSeparator(ledger, api=api)\n"
            "engine.separate(Recording.open(Path(track)), Path(into), silent)\n"
        )
        ledger = ledger_in(tmp_path)
        arguments = [ledger, server.api, str(track.path), str(tmp_path / "killed")]
        process = subprocess.Popen([sys.executable, "-c", script, *arguments])
        try:
            wait_for(lambda: "check/" in server.paths())
            engine = separator(server, tmp_path)
            assert "another process" in refusal(engine, track, tmp_path)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        monkeypatch.setattr(heartbeats, "DEAD_AFTER_SECONDS", 2.0)
        monkeypatch.setattr(heartbeats, "_SURE_AFTER_SECONDS", 1.0)
        spent = Ledger(ledger, "", LalalCaps()).spent_today()
        assert spent >= server.charged > 0
        server.checks_until_ready = 0
        assert len(separate(separator(server, tmp_path), track, tmp_path)) == 4
        assert len(server.tasks) == 1
        assert Ledger(ledger, "", LalalCaps()).spent_today() == spent


def wait_for(condition: object) -> None:
    until = time.monotonic() + 20
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.02)
