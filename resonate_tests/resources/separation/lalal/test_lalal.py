from __future__ import annotations

import io
import logging
import multiprocessing
import pickle
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest
import soundfile as sf

from resonate_resources.audio import AudioError, Recording, Samples, silent, write_samples
from resonate_resources.separation.lalal.client import Patience
from resonate_resources.separation.lalal.engine import LalalSeparator
from resonate_resources.separation.lalal.ledger import CapReachedError, Caps, Ledger
from resonate_tests.lalal_server import (
    DROP,
    HALF,
    HALF_UNANNOUNCED,
    HANG,
    KEY,
    LOSE,
    Answer,
    LalalServer,
    lalal_server,
)

RATE = 44_100
SECONDS = 1
SPLIT = "split/multistem/"
QUICK = Patience(connect_s=2, read_s=2, job_s=20, poll_s=0.01, tries=3, backoff_s=0.01)
HASTY = Patience(connect_s=2, read_s=0.2, job_s=20, poll_s=0.01, tries=2, backoff_s=0.01)
PARTS = {"vocals": 0.5, "drums": 0.25, "bass": 0.125, "other": 0.125}
PCM_24 = 2.0**-22
"""Two roundings to 24 bits, one of them dithered."""


@pytest.fixture
def server() -> Iterator[LalalServer]:
    with lalal_server() as started:
        yield started


@pytest.fixture(autouse=True)
def licence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LALAL_LICENSE_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def tones(rate: int = RATE, channels: int = 2, seconds: float = SECONDS, level: float = 0.9) -> Samples:
    """Sines that differ by channel, faded in and out: resampling them is not a matter of what is at the ends."""
    time_s = np.arange(round(rate * seconds) + 1) / rate  # one more than whole seconds
    sines = [np.sin(2 * np.pi * (220 + 110 * channel) * time_s) for channel in range(channels)]
    tone: Samples = (level * np.hanning(len(time_s)) * np.stack(sines)).astype(np.float32)
    return tone


@pytest.fixture
def track(tmp_path: Path) -> Recording:
    return write_samples(tmp_path / "unreleased song.wav", tones(), RATE)


def separator(server: LalalServer, tmp_path: Path, **settings: object) -> LalalSeparator:
    arguments = {"patience": QUICK, "api": server.api, "caps": Caps(), **settings}
    return LalalSeparator(tmp_path / "ledger.sqlite", **arguments)  # type: ignore[arg-type]


def separate(engine: LalalSeparator, track: Recording, tmp_path: Path) -> dict[str, Recording]:
    target = Path(mkdtemp(prefix="stems-", dir=tmp_path))
    return engine.separate(track, target, silent)


def refusal(engine: LalalSeparator, track: Recording, tmp_path: Path) -> str:
    """The line of the AudioError that separating ends in."""
    with pytest.raises(AudioError) as caught:
        separate(engine, track, tmp_path)
    line = str(caught.value)
    assert "\n" not in line
    assert KEY not in line
    return line


class TestStems:
    def test_are_what_the_service_made_to_the_frame(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        stems = separate(separator(server, tmp_path), track, tmp_path)
        assert list(stems) == ["vocals", "drums", "bass", "other"]
        for name, stem in stems.items():
            assert (stem.sample_rate, stem.channels, stem.frames) == (RATE, 2, track.frames)
            assert np.abs(stem.read() - PARTS[name] * track.read()).max() < PCM_24

    def test_are_the_only_files_left(self, server: LalalServer, track: Recording, tmp_path: Path) -> None:
        stems = separate(separator(server, tmp_path), track, tmp_path)
        folder = stems["vocals"].path.parent
        assert {path.name for path in folder.iterdir()} == {
            "vocals.wav",
            "drums.wav",
            "bass.wav",
            "other.wav",
        }
        assert not list(tmp_path.glob("*.lock"))

    def test_two_cost_one_and_four_cost_three(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        four = separator(server, tmp_path)
        two = separator(server, tmp_path, stems=2)
        stems = separate(two, track, tmp_path)
        assert list(stems) == ["vocals", "other"]
        assert np.abs(stems["other"].read() - 0.5 * track.read()).max() < PCM_24
        assert server.charged == pytest.approx(track.duration * 1 / 60)
        separate(four, track, tmp_path)
        assert server.charged == pytest.approx(track.duration * 4 / 60)
        # The track is a frame longer than 1 s, and a started second is reckoned as one.
        assert four.estimate_minutes(track) == pytest.approx(2 * 3 / 60)
        assert two.estimate_minutes(track) == pytest.approx(2 * 1 / 60)

    @pytest.mark.parametrize(("rate", "channels"), [(48_000, 2), (44_100, 1), (8_000, 1), (96_000, 2)])
    def test_have_the_tracks_rate_and_channels_whatever_comes_back(
        self, server: LalalServer, tmp_path: Path, rate: int, channels: int
    ) -> None:
        track = write_samples(tmp_path / "track.wav", tones(rate, channels), rate)
        server.output_rate = 44_100
        if channels == 1:
            server.output_channels = 2
        stems = separate(separator(server, tmp_path), track, tmp_path)
        for name, stem in stems.items():
            assert (stem.sample_rate, stem.channels, stem.frames) == (rate, channels, track.frames)
            error = stem.read() - PARTS[name] * track.read()
            assert np.abs(error).max() < 1e-4  # −80 dBFS: neither shifted nor scaled by resampling

    def test_of_a_track_over_full_scale_are_not_clipped(self, server: LalalServer, tmp_path: Path) -> None:
        track = write_samples(tmp_path / "loud.wav", tones(level=1.9), RATE)
        stems = separate(separator(server, tmp_path), track, tmp_path)
        assert np.abs(stems["vocals"].read() - 0.5 * track.read()).max() < 2 * PCM_24

    def test_of_another_length_than_the_track_are_refused(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        short = io.BytesIO()
        sf.write(short, tones(seconds=0.9).T, RATE, format="FLAC", subtype="PCM_24")
        server.file = lambda path: short.getvalue()  # type: ignore[method-assign]
        assert "0.900 s came back of 1.000 s" in refusal(separator(server, tmp_path), track, tmp_path)

    def test_of_more_than_two_channels_are_not_asked_for(self, server: LalalServer, tmp_path: Path) -> None:
        track = write_samples(tmp_path / "surround.wav", tones(channels=6), RATE)
        assert "surround.wav has 6 channels" in refusal(separator(server, tmp_path), track, tmp_path)
        assert server.requests == []


class TestWhatIsSent:
    def test_is_the_audio_as_flac_without_its_name_and_is_deleted_afterwards(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        separate(separator(server, tmp_path), track, tmp_path)
        upload = next(request for request in server.requests if request.path == "upload/")
        assert upload.body[:4] == b"fLaC"
        assert not any("unreleased" in str(request.headers) for request in server.requests)
        assert server.sources == {}

    def test_is_without_the_key_where_files_are_fetched(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        separate(separator(server, tmp_path), track, tmp_path)
        downloads = [request for request in server.requests if request.path.startswith("files/")]
        assert len(downloads) == 4
        assert not any(KEY in str(request.headers) for request in downloads)

    def test_is_not_taken_along_to_another_address(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        elsewhere = Answer(307, headers={"Location": server.api.replace("127.0.0.1", "localhost") + "check/"})
        server.always["limits/minutes_left/"] = elsewhere
        refusal(separator(server, tmp_path), track, tmp_path)
        assert set(server.paths()) == {"limits/minutes_left/"}

    def test_is_nothing_where_the_licence_has_too_few_minutes(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        server.minutes_left = 0.04
        engine = separator(server, tmp_path)
        line = refusal(engine, track, tmp_path)
        assert "the licence has 0.04" in line
        assert "upload/" not in server.paths()
        assert engine.spent_minutes() == 0


class TestKey:
    def test_is_asked_for_by_name(
        self, server: LalalServer, track: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        engine = separator(server, tmp_path)
        assert engine.available() is None
        for value in ("", "two words", "ключ"):
            monkeypatch.setenv("LALAL_LICENSE_KEY", value)
            assert "LALAL_LICENSE_KEY" in (engine.available() or "")
            assert "LALAL_LICENSE_KEY" in refusal(engine, track, tmp_path)
        assert server.requests == []

    @pytest.mark.parametrize(
        "fault",
        [
            Answer(400, {"detail": f"bad key {KEY}", "code": "x"}),
            Answer(403),
            Answer(500),
            DROP,
            HANG,
            LOSE,
            None,
        ],
        ids=str,
    )
    def test_is_in_no_log_error_setting_or_file(
        self,
        server: LalalServer,
        track: Recording,
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        fault: Answer | str | None,
    ) -> None:
        engine = separator(server, tmp_path, patience=HASTY)
        if fault is not None:
            server.always["upload/"] = fault
        said = [str(engine.engine()), repr(vars(engine))]
        with caplog.at_level(logging.DEBUG):
            try:
                separate(engine, track, tmp_path)
            except AudioError as error:
                said += [*traceback.format_exception(error), *map(repr, chain_of(error))]
                assert KEY.encode() not in pickle.dumps([vars(link) for link in chain_of(error)])
        assert caplog.records
        assert KEY not in "".join([*said, caplog.text])
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert files
        assert not any(KEY.encode() in path.read_bytes() for path in files)


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class TestRefusals:
    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (Answer(402, {"detail": "Payment required"}), "no processing minutes are left on this licence"),
            (Answer(400, {"detail": "x", "code": "exceeded_duration"}), "no processing minutes are left"),
            (Answer(400, {"detail": "x", "code": "max_duration"}), "longer than this licence allows"),
            (Answer(403, {"detail": "Provide license key"}), "licence key in LALAL_LICENSE_KEY was refused"),
            (Answer(422, {"detail": [{"msg": "Field\nrequired"}]}), "Field"),
            (Answer(418), "418"),
            (Answer(200, {"unheard": "of"}), "cannot be understood"),
            (Answer(200), "cannot be understood"),
        ],
        ids=str,
    )
    def test_are_final_and_cost_nothing(
        self, server: LalalServer, track: Recording, tmp_path: Path, answer: Answer, reason: str
    ) -> None:
        engine = separator(server, tmp_path)
        server.always["upload/"] = answer
        assert reason in refusal(engine, track, tmp_path)
        assert server.paths().count("upload/") == 1
        assert engine.spent_minutes() == 0

    def test_of_the_split_give_the_minutes_back_and_delete_the_upload(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        engine = separator(server, tmp_path)
        server.always[SPLIT] = Answer(402)
        assert "no processing minutes are left" in refusal(engine, track, tmp_path)
        assert server.paths().count(SPLIT) == 1
        assert engine.spent_minutes() == 0
        assert server.sources == {}

    def test_of_a_task_say_what_the_service_says_and_count_as_spent(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        server.task_error = {"code": "inference_error", "detail": "Unable to detect voice/vocals"}
        engine = separator(server, tmp_path)
        assert "Unable to detect voice/vocals" in refusal(engine, track, tmp_path)
        assert engine.spent_minutes() >= server.charged > 0

    def test_of_a_task_are_no_hindrance_to_another_try(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        server.task_error = {"code": "inference_error", "detail": "out of order"}
        refusal(separator(server, tmp_path), track, tmp_path)
        server.task_error = None
        assert len(separate(separator(server, tmp_path), track, tmp_path)) == 4
        assert len(server.tasks) == 2


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
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        server.checks_until_ready = 10**9
        (tmp_path / "killed").mkdir()
        script = (
            "import sys; from pathlib import Path; from resonate_resources.audio import Recording, silent\n"
            "from resonate_resources.separation.lalal.engine import LalalSeparator\n"
            "ledger, api, track, into = sys.argv[1:]\n"
            "engine = LalalSeparator(Path(ledger), api=api)\n"
            "engine.separate(Recording.open(Path(track)), Path(into), silent)\n"
        )
        ledger = tmp_path / "ledger.sqlite"
        arguments = [str(ledger), server.api, str(track.path), str(tmp_path / "killed")]
        process = subprocess.Popen([sys.executable, "-c", script, *arguments])
        try:
            wait_for(lambda: "check/" in server.paths())
            engine = separator(server, tmp_path)
            assert "another process" in refusal(engine, track, tmp_path)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        spent = Ledger(ledger, "", Caps()).spent_today()
        assert spent >= server.charged > 0
        server.checks_until_ready = 0
        assert len(separate(separator(server, tmp_path), track, tmp_path)) == 4
        assert len(server.tasks) == 1
        assert Ledger(ledger, "", Caps()).spent_today() == spent


def wait_for(condition: object) -> None:
    until = time.monotonic() + 20
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.02)


class TestCaps:
    def test_stop_a_track_before_anything_is_sent(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        caps = Caps(per_run=0.09, per_day=100)
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
        caps = Caps(per_run=0.2, per_day=0.3)  # a track is reckoned as 0.1
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
        engine = separator(server, tmp_path, caps=Caps(per_run=0.4, per_day=100))
        assert "RESONATE_LALAL_MINUTES_PER_RUN" in refusal(engine, track, tmp_path)
        assert SPLIT not in server.paths()
        assert server.sources == {}
        assert engine.spent_minutes() == 0

    def test_are_not_passed_by_processes_that_reserve_at_once(self, tmp_path: Path) -> None:
        context = multiprocessing.get_context("spawn")
        ledger = tmp_path / "ledger.sqlite"
        with context.Pool(2, initializer=_set_gate, initargs=(context.Barrier(2),)) as pool:
            granted = pool.starmap(_reserve_many, [(ledger, "one"), (ledger, "other")], chunksize=1)
        assert sum(granted) == 80

    def test_begin_anew_at_midnight_utc(self, tmp_path: Path) -> None:
        evening = datetime(2026, 3, 1, 23, 50, tzinfo=UTC)
        morning = datetime(2026, 3, 2, 0, 10, tzinfo=UTC)
        path, caps = tmp_path / "ledger.sqlite", Caps(per_run=100, per_day=10)
        Ledger(path, "a", caps, lambda: evening).reserve("x", 10)
        with pytest.raises(CapReachedError):
            Ledger(path, "b", caps, lambda: evening).reserve("y", 1)
        Ledger(path, "b", caps, lambda: morning).reserve("y", 10)

    def test_count_a_job_on_the_day_on_which_it_is_sent(self, tmp_path: Path) -> None:
        clock = [datetime(2026, 3, 1, 23, 59, tzinfo=UTC)]
        ledger = Ledger(tmp_path / "ledger.sqlite", "a", Caps(100, 10), lambda: clock[0])
        evening = ledger.reserve("x", 6)
        clock[0] = datetime(2026, 3, 2, 0, 1, tzinfo=UTC)
        ledger.reserve("y", 6)
        with pytest.raises(CapReachedError):
            ledger.sending(evening)

    def test_come_from_the_environment(self) -> None:
        per_run, per_day = "RESONATE_LALAL_MINUTES_PER_RUN", "RESONATE_LALAL_MINUTES_PER_DAY"
        assert Caps.from_environment({per_run: "7.5", per_day: "0"}) == Caps(7.5, 0)
        assert Caps.from_environment({}) == Caps()
        for nonsense in ("many", "-1", "nan", "inf"):
            with pytest.raises(AudioError, match=per_day):
                Caps.from_environment({per_day: nonsense})


class TestJobs:
    def test_have_one_idempotency_key_for_one_work_until_they_are_over(self, tmp_path: Path) -> None:
        path = tmp_path / "ledger.sqlite"
        first = Ledger(path, "a", Caps()).reserve("work", 1)
        assert Ledger(path, "b", Caps()).reserve("work", 1).key == first.key
        assert Ledger(path, "b", Caps()).reserve("other work", 1).key != first.key
        Ledger(path, "a", Caps()).close(first)
        assert Ledger(path, "a", Caps()).reserve("work", 1).key != first.key

    def test_have_the_key_of_the_day_where_the_ledger_was_lost(self, tmp_path: Path) -> None:
        keys = {
            Ledger(tmp_path / f"{lost}.sqlite", "a", Caps()).reserve("work", 1).key
            for lost in ("one", "other")
        }
        assert len(keys) == 1

    def test_are_forgotten_when_the_service_has_forgotten_them(self, tmp_path: Path) -> None:
        clock = [datetime(2026, 3, 1, 12, tzinfo=UTC)]
        ledger = Ledger(tmp_path / "ledger.sqlite", "a", Caps(), lambda: clock[0])
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


_gate: list[Barrier] = []
"""In a process of a pool: where it waits for the others."""


def _set_gate(barrier: Barrier) -> None:
    _gate[:] = [barrier]


def _reserve_many(path: Path, run: str) -> int:
    ledger = Ledger(path, run, Caps(per_run=1000, per_day=80))
    _gate[0].wait(30)
    granted = 0
    while granted < 81:
        try:
            ledger.reserve(f"{run}/{granted}", 1)
        except CapReachedError:
            break
        granted += 1
    return granted
