"""What the page asks for, over HTTP."""

from __future__ import annotations

import io
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import dagster as dg
import numpy as np
import pytest
from fastapi.testclient import TestClient

from resonate_assets.definitions import build_defs
from resonate_assets.settings import Settings
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.midi import Note, write_notes
from resonate_resources.recordings.recording import write_samples
from resonate_resources.recordings.tempo_map import TempoMap
from resonate_resources.storage.artefacts import Artefact
from resonate_resources.storage.resource import StorageResource
from resonate_studio.api.app import create_app
from resonate_studio.api.opened import Opened
from resonate_studio.hearing import light_copies, segments
from resonate_studio.hearing.turns import Turns
from resonate_tests.homes import instance, storage
from resonate_tests.studio.hearing.test_segments import music

__all__ = ["instance", "storage"]

TRACK = "song"
AT = f"/api/v1/tracks/{TRACK}"
_RATE = 44_100


def made(storage: StorageResource, folder: Path, stage: str, setting: int = 0, **files: object) -> Artefact:
    """An artefact of a stage, current from now on. files: name without its ending → samples, or notes."""
    folder = folder / f"{stage}-{setting}"
    folder.mkdir()
    paths: dict[str, Path] = {}
    for name, content in files.items():
        if isinstance(content, np.ndarray):
            paths[f"{name}.wav"] = write_samples(folder / f"{name}.wav", content, _RATE).path
        else:
            paths[f"{name}.mid"] = folder / f"{name}.mid"
            write_notes(paths[f"{name}.mid"], content, tempo=TempoMap.steady(120.0), name=name, program=0)  # type: ignore[arg-type]
    measures = {"tempo_bpm": 120.0} if stage == "midi" else {}
    artefact = storage.artefacts.keep(
        Product(paths, measures),
        stage=stage,
        track=TRACK,
        recipe=Recipe(Engine("test"), {"setting": setting}),
        reads=(),
        seconds=1.0,
    )
    storage.artefacts.publish(artefact)
    return artefact


@pytest.fixture
def client(tmp_path: Path, storage: StorageResource, instance: dg.DagsterInstance) -> Iterator[TestClient]:
    samples = music(12.0, _RATE)
    made(storage, tmp_path, "raw_track", track=samples)
    made(storage, tmp_path, "master", master=0.5 * samples)
    made(storage, tmp_path, "stems", vocals=0.2 * samples)
    made(storage, tmp_path, "midi", bass=[Note(0.5, 1.0, 40, 100), Note(1.0, 1.25, 43, 64)])
    defs = build_defs(resource_overrides={"storage": storage})
    settings = Settings(
        home=tmp_path, storage=storage.root, inbox=str(tmp_path / "inbox"), bucket="", s3_endpoint=None
    )
    with TestClient(
        create_app(Opened(settings, instance, storage, defs)), base_url="http://127.0.0.1"
    ) as client:
        yield client


def test_a_segment_comes_with_what_is_to_be_cut_from_it(client: TestClient) -> None:
    for number, frames in ((0, 240_000), (2, 96_000)):
        answer = client.get(f"{AT}/audio/original/{number}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "audio/ogg"
        told = [int(answer.headers[f"x-{name}-frames"]) for name in ("lead", "total")]
        assert told == [3840, 576_000]
        assert int(answer.headers["x-frames"]) == frames
        with av.open(io.BytesIO(answer.content)) as container:
            assert sum(frame.samples for frame in container.decode(audio=0)) == 3840 + frames + 960
    for number in ("3", "999999"):
        assert client.get(f"{AT}/audio/original/{number}").status_code == 404
    for number in ("-1", "x", "1000001"):
        assert client.get(f"{AT}/audio/original/{number}").status_code == 422
    assert client.get(f"{AT}/audio/original/0?codec=mp3").status_code == 422


def test_what_was_had_before_is_not_sent_again_and_what_was_made_is_not_made_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = client.get(f"{AT}/audio/master/1")
    assert (
        client.get(f"{AT}/audio/master/1", headers={"If-None-Match": first.headers["etag"]}).status_code
        == 304
    )
    monkeypatch.setattr(segments, "encode_segment", None)  # is not called
    assert client.get(f"{AT}/audio/master/1").content == first.content


def test_what_there_is_not_is_not_found(client: TestClient) -> None:
    for version in ("mix", "stems:bass", "stems", "master:apple", "original@0123456789abcdef"):
        for what in (f"audio/{version}/0", f"peaks/{version}", f"spectrogram/{version}/0/0"):
            answer = client.get(f"{AT}/{what}")
            assert (answer.status_code, list(answer.json())) == (404, ["detail"]), what
    assert client.get("/api/v1/tracks/nobody/audio/original/0").status_code == 404
    assert client.get("/api/v1/tracks/nobody/abx").status_code == 404
    assert client.get(f"{AT}/notes/vocals").status_code == 404


def test_no_name_leads_out_of_storage(client: TestClient) -> None:
    for version in ("..%2F..%2Fetc%2Fpasswd", "stems:..%2Fx", "stems:..", "original%00"):
        assert client.get(f"{AT}/peaks/{version}").status_code in {404, 422}
    for stem in ("..%2Fmanifest", "bass%00", "bass.mid"):
        assert client.get(f"{AT}/notes/{stem}").status_code in {404, 422}


def test_an_earlier_result_is_heard_by_its_key(
    client: TestClient, storage: StorageResource, tmp_path: Path
) -> None:
    earlier = storage.artefacts.current("master", TRACK)
    assert earlier is not None
    before = client.get(f"{AT}/audio/master/0")
    made(storage, tmp_path, "master", 1, master=music(7.0, _RATE))
    assert client.get(f"{AT}/audio/master/0").headers["x-total-frames"] == "336000"
    kept = client.get(f"{AT}/audio/master@{earlier.manifest.key}/0")
    assert kept.content == before.content and kept.headers["x-total-frames"] == "576000"


def test_a_waveform_has_two_numbers_for_each_column(client: TestClient) -> None:
    answer = client.get(f"{AT}/peaks/original", params={"start_s": 2, "end_s": 6.5, "columns": 300})
    pairs = np.frombuffer(answer.content, np.int8).reshape(300, 2)
    expected = music(12.0, _RATE).mean(axis=0)[2 * _RATE : round(6.5 * _RATE)]
    assert pairs.max() == round(127 * float(expected.max())) and pairs.min() == round(
        127 * float(expected.min())
    )
    assert [answer.headers[name] for name in ("x-exact", "x-start-s", "x-end-s")] == [
        "1",
        "2.000000",
        "6.500000",
    ]
    for wrong in ("start_s=12", "start_s=5&end_s=5", "start_s=nan", "end_s=inf", "columns=0", "columns=5000"):
        assert client.get(f"{AT}/peaks/original?{wrong}").status_code == 422, wrong
    assert client.get(f"{AT}/peaks/original?end_s=99999").headers["x-end-s"] == "12.000000"


def test_a_long_waveform_is_first_a_shape_and_then_exact(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(light_copies.peaks, "_READ_WHOLE_FRAMES", 1000)
    assert client.get(f"{AT}/peaks/original").headers["x-exact"] == "0"
    for _ in range(200):
        answer = client.get(f"{AT}/peaks/original?columns=100")
        if answer.headers["x-exact"] == "1":
            break
        time.sleep(0.05)
    mono = music(12.0, _RATE).mean(axis=0)
    assert answer.headers["x-exact"] == "1"
    assert np.frombuffer(answer.content, np.int8).max() == round(127 * float(mono.max()))


def test_a_tile_is_a_picture(client: TestClient) -> None:
    answer = client.get(f"{AT}/spectrogram/stems:vocals/1/1")
    assert answer.headers["content-type"] == "image/webp" and answer.content[8:12] == b"WEBP"
    assert [answer.headers["x-tile-seconds"], answer.headers["x-tiles"]] == ["10", "2"]
    assert client.get(f"{AT}/spectrogram/original/1/2").status_code == 404
    assert client.get(f"{AT}/spectrogram/original/15/0").status_code == 422


def test_spectra_are_compared_at_equal_loudness(client: TestClient) -> None:
    for _ in range(2):  # made, then found
        found = client.get(f"{AT}/spectrum", params={"a": "original", "b": "master"}).json()
        assert found["loudness_difference_lu"] == pytest.approx(-6.02, abs=0.01)
        assert [each for each in found["difference_db"] if each is not None] == pytest.approx(
            [0.0] * 10, abs=0.01
        )
    assert client.get(f"{AT}/spectrum?a=original&b=mix").status_code == 404
    assert client.get(f"{AT}/spectrum?a=original&b=master&start_s=13").status_code == 422


def test_notes_are_those_of_the_file(client: TestClient) -> None:
    assert client.get(f"{AT}/notes/bass").json() == {
        "stem": "bass",
        "tempo_bpm": 120.0,
        "notes": [
            {"start_s": 0.5, "end_s": 1.0, "pitch": 40, "velocity": 100},
            {"start_s": 1.0, "end_s": 1.25, "pitch": 43, "velocity": 64},
        ],
    }


def test_a_listening_test_is_kept_with_what_was_heard_and_can_be_taken_away(
    client: TestClient, storage: StorageResource, tmp_path: Path
) -> None:
    keys = {
        stage: artefact.manifest.key
        for stage in ("raw_track", "master")
        if (artefact := storage.artefacts.current(stage, TRACK))
    }
    trials = [{"x": "ab"[number % 2], "answer": "ab"[number % 2]} for number in range(10)]
    sent = {"a": "original", "b": "master", "listener": "Ada", "trials": trials, "start_s": 1, "end_s": 4}
    answer = client.post(f"{AT}/abx", json=sent)
    assert answer.status_code == 201
    assert answer.json()["p"] == pytest.approx(1 / 1024) and answer.json()["right"] == 10
    made(storage, tmp_path, "master", 1, master=music(2.0, _RATE))
    [kept] = client.get(f"{AT}/abx").json()["tests"]
    assert (kept["a"], kept["b"]) == (f"original@{keys['raw_track']}", f"master@{keys['master']}")
    as_csv = client.get(f"{AT}/abx/export?format=csv")
    assert as_csv.headers["content-disposition"] == 'attachment; filename="song-listening-tests.csv"'
    assert as_csv.text.count("\n") == 2 and "Ada" in as_csv.text
    assert client.get(f"{AT}/abx/export?format=json").json()["tests"] == [kept]
    for wrong in (
        sent | {"trials": trials[:9]},
        sent | {"end_s": 1},
        sent | {"b": "x y"},
        sent | {"more": 1},
    ):
        assert client.post(f"{AT}/abx", json=wrong).status_code == 422
    assert client.post(f"{AT}/abx", json=sent | {"b": "mix"}).status_code == 404


def test_too_much_at_once_is_told_with_when_to_come_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get(f"{AT}/audio/original/0").status_code == 200
    client.app.state.hearing.turns = Turns(places=1, waiting=2, of_one=2)  # type: ignore[attr-defined]
    going, begun = threading.Event(), threading.Event()
    encode = segments.encode_segment

    def slow(*given: object) -> segments.Segment:
        begun.set()
        going.wait(30)
        return encode(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(segments, "encode_segment", slow)
    answers: list[int] = []
    asking = [
        threading.Thread(target=lambda at=at: answers.append(client.get(f"{AT}/audio/{at}").status_code))
        for at in ("original/1", "original/2")
    ]
    for thread in asking:
        thread.start()
    begun.wait(30)
    for _ in range(200):
        if client.app.state.hearing.turns._clients.total() == 2:  # type: ignore[attr-defined]
            break
        time.sleep(0.02)
    refused = client.get(f"{AT}/audio/master/0")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert client.get(f"{AT}/audio/original/0").status_code == 200  # what is there already is served
    going.set()
    for thread in asking:
        thread.join(30)
    assert answers == [200, 200]
    assert client.get(f"{AT}/audio/master/0").status_code == 200


def test_a_file_that_went_is_not_found(client: TestClient, storage: StorageResource) -> None:
    artefact = storage.artefacts.current("stems", TRACK)
    assert artefact is not None
    shutil.rmtree(artefact.path("vocals.wav").parent)
    assert client.get(f"{AT}/audio/stems:vocals/0").status_code == 404
