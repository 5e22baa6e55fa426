"""MusicGen at a service, against a stand-in of its interface on this machine."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.composition.engines.alignment import OffGridError
from resonate_resources.composition.engines.hosted.engine import VERSION, MusicGenHosted
from resonate_resources.composition.engines.hosted.spending import ReplicateCaps, Spending
from resonate_resources.composition.plan import Plan
from resonate_resources.composition.sound.automation import total_s
from resonate_resources.composition.sound.rendering import Rendered
from resonate_resources.models.hosted.caps import CapReachedError, Caps
from resonate_resources.models.hosted.service import Patience, ServiceError
from resonate_resources.recordings.recording import AudioError
from resonate_tests.hosted_server import DROP, HALF, HANG, LOSE, Answer
from resonate_tests.resources.composition.engines.hosted.replicate_server import (
    TOKEN,
    ReplicateServer,
    replicate_server,
)
from resonate_tests.resources.composition.sound import plans

QUICK = Patience(connect_s=1.0, read_s=0.5, job_s=20.0, poll_s=0.01, tries=3, backoff_s=0.01)


@pytest.fixture
def server() -> Iterator[ReplicateServer]:
    with replicate_server() as started:
        yield started


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REPLICATE_API_TOKEN", TOKEN)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path / "models"))


def with_parts(*names: str) -> Plan:
    plan = plans.house(1)
    parts = tuple(part for part in plan.parts if part.name in names)
    return plan.model_copy(update={"parts": parts, "effects": (), "bpm": 240.0})


def made(
    server: ReplicateServer, tmp_path: Path, *names: str, caps: Caps | None = None, patience: Patience = QUICK
) -> Rendered:
    into = tmp_path / "made"
    into.mkdir(exist_ok=True)
    return MusicGenHosted(caps, patience, server.api).generate(with_parts(*(names or ("Pad",))), into, 7)


def spent(tmp_path: Path) -> float:
    """Minutes, as another process finds them: how much of a cap of 1000 is left."""
    file = tmp_path / "models" / "musicgen-hosted" / "spent.json"
    try:
        Spending(file, ReplicateCaps(1e6, 1000.0)).count(1e5)
    except CapReachedError as error:
        return float(str(error).partition("(")[2].split()[0])
    raise AssertionError("no cap")


def test_each_stem_is_asked_for_by_its_words_and_comes_back_in_place(
    server: ReplicateServer, tmp_path: Path
) -> None:
    plan = with_parts("Pad", "Piano")
    rendered = made(server, tmp_path, "Pad", "Piano")
    frames = round(total_s(plan) * 48_000)
    for stem in (*rendered.stems.values(), rendered.mix):
        assert (stem.sample_rate, stem.channels, stem.frames) == (48_000, 2, frames)
    asked = [each["input"] for each in server.begun.values()]
    assert [each["prompt"] for each in asked] == [
        "house, no drums, no bass, synth pad, 240 bpm, A minor",
        "house, keys only, piano, 240 bpm, A minor",
    ]
    needed = math.ceil(total_s(plan) * 1.06 + 30 / 240)
    assert {(each["duration"], each["seed"], each["output_format"]) for each in asked} == {(needed, 7, "wav")}
    assert {each["version"] for each in server.begun.values()} == {VERSION}
    for name, hertz in (("other", 220), ("piano", 440)):
        sound = rendered.stems[name].read()[:, : frames // 2]
        spectrum = np.abs(np.fft.rfft(sound[0]))
        assert spectrum.argmax() * 48_000 / sound.shape[1] == pytest.approx(
            hertz, abs=2 * 48_000 / sound.shape[1]
        )
        assert np.abs(sound[0]).max() == pytest.approx(2 * np.abs(sound[1]).max(), rel=0.01)  # stereo is kept
    assert not rendered.stems["drums"].read().any()
    told = rendered.instruments["other"]
    assert told.label.startswith("AI-generated: house")
    assert (told.licence, told.source) == ("CC-BY-NC-4.0", "musicgen-hosted (meta/musicgen stereo-large)")
    assert {path.name for path in (tmp_path / "made").iterdir()} == {"stems", "mix.wav"}
    assert server.cancelled == []


def test_the_token_goes_to_the_service_alone_and_is_never_told(
    server: ReplicateServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made(server, tmp_path)
    for request in server.requests:
        path, headers, body = request.path, request.headers, request.body
        assert (headers.get("Authorization") == f"Bearer {TOKEN}") == path.startswith("/v1/")
        assert TOKEN.encode() not in body
        assert TOKEN not in path
    server.faults["begin"] = [Answer(422, {"detail": f"what is {TOKEN}?"})]
    with pytest.raises(ServiceError, match="refused predictions") as refused:
        made(server, tmp_path)
    assert TOKEN not in str(refused.value)
    assert TOKEN not in caplog.text
    assert TOKEN not in "".join(path.read_text() for path in (tmp_path / "models").rglob("*.json"))


def test_a_netrc_does_not_take_the_token_s_place(
    server: ReplicateServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    made(server, tmp_path)
    assert server.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_what_passes_is_tried_again(server: ReplicateServer, tmp_path: Path) -> None:
    server.faults["begin"] = [Answer(429, {"detail": "throttled"}, {"Retry-After": "0"}), Answer(503)]
    server.faults["ask"] = [DROP, Answer(502), Answer(200, "no object")]
    server.faults["files"] = [HALF, Answer(500)]
    with pytest.raises(ServiceError, match="3 times; try again later or choose another engine"):
        made(server, tmp_path)  # three questions in a row came to nothing
    assert server.cancelled == ["p0"]
    rendered = made(server, tmp_path)
    assert rendered.stems["other"].read().any()


def test_a_service_that_says_nothing_is_given_up(server: ReplicateServer, tmp_path: Path) -> None:
    server.faults["begin"] = [HANG] * 3
    with pytest.raises(ServiceError, match=r"^Replicate: did not answer in time, 3 times"):
        made(server, tmp_path)
    assert server.begun == {}


def test_music_that_takes_too_long_is_cancelled(server: ReplicateServer, tmp_path: Path) -> None:
    server.ends_as = {"status": "processing"}
    patience = Patience(1.0, 0.5, 0.5, 0.01, 3, 0.01)
    with pytest.raises(ServiceError, match="not ready after 0 s; try again later"):
        made(server, tmp_path, "Pad", "Piano", patience=patience)
    assert sorted(server.cancelled) == ["p0", "p1"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer(401, {"detail": "Unauthenticated"}), "the token in REPLICATE_API_TOKEN was refused"),
        (Answer(402, {"detail": "no credit"}), "no credit is left"),
        (Answer(404, {"detail": "no version"}), "no longer has this version"),
        (
            Answer(422, {"detail": "- input.seed:\n  too big"}),
            r"refused predictions \(422: - input.seed: too big\)",
        ),
        (Answer(302, None, {"Location": "http://127.0.0.1:9/"}), "an answer that cannot be understood"),
    ],
)
def test_a_refusal_is_one_line_and_nothing_is_spent(
    answer: Answer, told: str, server: ReplicateServer, tmp_path: Path
) -> None:
    server.faults["begin"] = [answer] * 3
    with pytest.raises(ServiceError, match=told) as refused:
        made(server, tmp_path)
    assert "\n" not in str(refused.value)
    assert len([request for request in server.requests if request.path == "/v1/predictions"]) == (
        3 if answer.status == 302 else 1
    )
    if answer.status != 302:
        assert spent(tmp_path) == 0


@pytest.mark.parametrize("end", [{"status": "failed", "error": "CUDA out\nof memory"}, {"status": "aborted"}])
def test_music_that_was_not_made_is_told_and_the_rest_cancelled(
    end: dict[str, str], server: ReplicateServer, tmp_path: Path
) -> None:
    server.ends_as = end
    with pytest.raises(ServiceError, match=r"not made: (CUDA out of memory|aborted)$"):
        made(server, tmp_path, "Pad", "Piano")
    assert sorted(server.cancelled) == ["p0", "p1"]


def test_music_that_is_too_short_or_none_is_refused(server: ReplicateServer, tmp_path: Path) -> None:
    server.seconds_missing = 2.0
    with pytest.raises(AudioError, match=r"Replicate: made .* s of other; the plan has"):
        made(server, tmp_path)
    server.faults["files"] = [Answer(200, {"detail": "a page"})]
    with pytest.raises(AudioError, match="other from Replicate"):
        made(server, tmp_path)


def test_a_file_that_is_not_at_an_address_is_not_read(server: ReplicateServer, tmp_path: Path) -> None:
    server.ends_as = {"status": "succeeded", "output": "file:///etc/passwd"}
    with pytest.raises(ServiceError, match="no address of a file"):
        made(server, tmp_path)


def test_minutes_are_counted_by_stem_and_kept_for_the_day(server: ReplicateServer, tmp_path: Path) -> None:
    made(server, tmp_path, "Pad", "Piano")
    seconds = sum(each["input"]["duration"] for each in server.begun.values())
    assert spent(tmp_path) == pytest.approx(seconds / 60, abs=0.05)


def test_what_may_have_been_begun_counts_and_what_was_not_does_not(
    server: ReplicateServer, tmp_path: Path
) -> None:
    minutes = math.ceil(total_s(with_parts("Pad")) * 1.06 + 30 / 240) / 60
    server.faults["begin"] = [Answer(429), LOSE]  # the second was begun, and the third is another
    made(server, tmp_path)
    assert len(server.begun) == 2
    assert spent(tmp_path) == pytest.approx(2 * minutes, abs=0.05)


def test_a_cap_is_never_passed(server: ReplicateServer, tmp_path: Path) -> None:
    with pytest.raises(CapReachedError, match=r"cap of 0\.01 a run .*RESONATE_REPLICATE_MINUTES_PER_RUN"):
        made(server, tmp_path, caps=ReplicateCaps(0.01, 10.0))
    with pytest.raises(CapReachedError, match=r"cap of 0\.01 a day .*RESONATE_REPLICATE_MINUTES_PER_DAY"):
        made(server, tmp_path, caps=ReplicateCaps(10.0, 0.01))
    assert server.requests == []
    # One stem fits, two do not: the first is cancelled.
    minutes = math.ceil(total_s(with_parts("Pad")) * 1.06 + 30 / 240) / 60
    with pytest.raises(CapReachedError):
        made(server, tmp_path, "Pad", "Piano", caps=ReplicateCaps(1.5 * minutes, 10.0))
    assert server.cancelled == ["p0"]


def test_retries_of_one_run_share_its_cap(server: ReplicateServer, tmp_path: Path) -> None:
    minutes = math.ceil(total_s(with_parts("Pad")) * 1.06 + 30 / 240) / 60
    engine = MusicGenHosted(ReplicateCaps(1.5 * minutes, 10.0), QUICK, server.api)
    (tmp_path / "a").mkdir()
    engine.generate(with_parts("Pad"), tmp_path / "a", 1)
    with pytest.raises(CapReachedError):
        engine.generate(with_parts("Pad"), tmp_path / "a", 2)


def test_a_new_day_begins_at_nothing(tmp_path: Path) -> None:
    today = [datetime(2030, 1, 1, 23, 59, tzinfo=UTC)]
    spending = Spending(tmp_path / "spent.json", ReplicateCaps(100.0, 5.0), lambda: today[0])
    spending.count(4.0)
    with pytest.raises(CapReachedError, match=r"4\.0 are spent"):
        Spending(tmp_path / "spent.json", ReplicateCaps(100.0, 5.0), lambda: today[0]).count(2.0)
    today[0] = datetime(2030, 1, 2, 0, 1, tzinfo=UTC)
    spending.count(4.0)


@pytest.mark.parametrize("text", ["{", "[]", '{"2030-01-01": "x"}'])
def test_without_knowing_what_was_spent_nothing_is_sent(text: str, tmp_path: Path) -> None:
    file = tmp_path / "spent.json"
    file.write_text(text)
    with pytest.raises(AudioError, match="nothing is sent without that") as raised:
        Spending(file, ReplicateCaps(), lambda: datetime(2030, 1, 1, tzinfo=UTC)).count(1.0)
    assert "\n" not in str(raised.value)
    assert file.read_text() == text


@pytest.mark.parametrize("text", ["many", "-1", "inf", "nan"])
def test_a_cap_that_is_no_number_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESONATE_REPLICATE_MINUTES_PER_DAY", text)
    with pytest.raises(
        AudioError, match=f"RESONATE_REPLICATE_MINUTES_PER_DAY: '{text}' is not a number of minutes"
    ):
        MusicGenHosted()


def test_without_a_token_nothing_is_asked(
    server: ReplicateServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPLICATE_API_TOKEN", "two words")
    with pytest.raises(ServiceError, match="holds is no token"):
        made(server, tmp_path)
    monkeypatch.delenv("REPLICATE_API_TOKEN")
    with pytest.raises(ServiceError, match="REPLICATE_API_TOKEN is not set"):
        made(server, tmp_path)
    assert server.requests == []


def test_drums_without_a_beat_are_refused_and_all_are_cancelled(
    server: ReplicateServer, tmp_path: Path
) -> None:
    with pytest.raises(OffGridError, match="drums: no beat"):
        made(server, tmp_path, "Drums")
    assert server.cancelled == ["p0"]
