from __future__ import annotations

import io
import logging
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from resonate_resources.recordings.recording import AudioError, Recording, write_samples
from resonate_tests.hosted_server import DROP, HANG, LOSE, Answer
from resonate_tests.lalal_server import KEY, LalalServer
from resonate_tests.resources.separation.lalal.separating import (
    HASTY,
    PARTS,
    PCM_24,
    RATE,
    SPLIT,
    refusal,
    separate,
    separator,
    tones,
)


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
        upload = next(request for request in server.requests if request.path == "/api/v1/upload/")
        assert upload.body[:4] == b"fLaC"
        assert not any("unreleased" in str(request.headers) for request in server.requests)
        assert server.sources == {}

    def test_is_without_the_key_where_files_are_fetched(
        self, server: LalalServer, track: Recording, tmp_path: Path
    ) -> None:
        separate(separator(server, tmp_path), track, tmp_path)
        downloads = [request for request in server.requests if request.path.startswith("/files/")]
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
        said = [str(engine.recipe()), repr(vars(engine))]
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
