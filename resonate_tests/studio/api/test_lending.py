"""References over the API: a track of the library, or a file that comes along; never a place on the server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from resonate_assets.named_reference import find_reference
from resonate_resources.ingestion.words import Words
from resonate_resources.recordings.recording import AudioError
from resonate_resources.storage.artefacts import Artefact
from resonate_studio.api import lending
from resonate_studio.api.opened import Opened
from resonate_tests.studio.api.conftest import wav


def send(client: TestClient, files: dict[str, Any], **beside: object) -> Any:
    form = {**files, "composition": (None, json.dumps(beside))} if beside else files
    return client.post("/api/v1/jobs", files=form)


def uploads(opened: Opened) -> set[Path]:
    return {path for path in opened.settings.uploads.rglob("*") if path.is_file()}


@pytest.fixture
def known(opened: Opened, track: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The track of the library, as if 124 BPM and E minor had been heard in it: it is too short for that."""

    def read_json(artefact: Artefact, name: str) -> Any:
        told = json.loads(artefact.path(name).read_bytes())
        heard = {"duration_s": 60.0, "tempo_bpm": 124.0, "tempo_confidence": 0.9}
        heard |= {"beats_s": [], "key": "E minor", "key_confidence": 0.9}
        return told | heard if name == "profile.json" else told

    monkeypatch.setattr(Artefact, "read_json", read_json)
    yield track


def test_what_a_track_of_the_library_would_fill_is_told_as_from_it(client: TestClient, known: str) -> None:
    asked = {"prompt": "house in D minor", "reference": known}
    told = client.post("/api/v1/compositions/understanding", json=asked).json()
    assert (told["request"]["bpm"], told["request"]["key"]) == (124.0, "D minor")
    how = {each["field"]: (each["how"], each["words"]) for each in told["readings"]}
    assert how["bpm"] == ("reference", "Ünder – Sönne")
    assert how["key"][0] == "stated"


def test_no_words_are_needed_beside_a_reference(client: TestClient, known: str) -> None:
    told = client.post("/api/v1/compositions/understanding", json={"reference": known}).json()
    assert (told["request"]["bpm"], told["request"]["key"]) == (124.0, "E minor")


def test_a_track_is_heard_once_however_often_words_change(
    client: TestClient, known: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    hear = lending.told_by
    monkeypatch.setattr(lending, "told_by", lambda made, name: heard.append(name) or hear(made, name))
    for prompt in ("pop", "rock"):
        asked = {"prompt": prompt, "reference": known}
        assert client.post("/api/v1/compositions/understanding", json=asked).status_code == 200
    assert heard == ["Ünder – Sönne"]


def test_a_track_that_is_not_analysed_yet_is_told_as_such(client: TestClient) -> None:
    files = {"file": ("new one.wav", wav(61))}
    new = send(client, files).json()["track"]
    told = client.post("/api/v1/compositions/understanding", json={"prompt": "pop", "reference": new}).json()
    assert "new one: is not analysed yet; it is heard when the piece is composed" in told["remarks"]
    assert all(each["how"] != "reference" for each in told["readings"])


def test_the_words_of_a_job_name_the_track_and_the_track_tells_it(
    client: TestClient, opened: Opened, track: str
) -> None:
    accepted = send(client, {"prompt": (None, "soul ballad")}, reference=track).json()["track"]
    source = opened.storage.sources.find(accepted)
    assert source is not None
    assert json.loads(Path(source.uri).read_text()) == {"prompt": "soul ballad", "reference": track}
    told = client.get(f"/api/v1/tracks/{accepted}").json()["composed"]
    assert told["reference"] == {"name": "Ünder – Sönne", "track": track}
    assert told["words"]["reference"] == track


def test_its_own_sounds_are_asked_for_with_a_track_or_a_file(
    client: TestClient, opened: Opened, track: str
) -> None:
    def words_of(files: dict[str, Any], **beside: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """As they are kept, and as they are told to be sent again."""
        accepted = send(client, files, reference_sounds=True, **beside).json()["track"]
        source = opened.storage.sources.find(accepted)
        assert source is not None
        told = client.get(f"/api/v1/tracks/{accepted}").json()["composed"]
        assert told["sounds"] == ""  # nothing is played yet
        return json.loads(Path(source.uri).read_text()), told["words"]

    kept, told = words_of({"prompt": (None, "tango")}, reference=track)
    assert (kept["reference_sounds"], told["reference"], told["reference_sounds"]) == (True, track, True)
    kept, told = words_of({"composition_reference": ("lent.wav", wav(67))})
    assert (kept["reference_sounds"], told["reference"], told["reference_sounds"]) == (True, "", False)


def test_a_file_that_comes_along_is_kept_with_the_words_and_goes_with_their_track(
    client: TestClient, opened: Opened
) -> None:
    before = uploads(opened)

    def compose(seed: int) -> str:
        answer = send(client, {"composition_reference": ("../Like this.wav", wav(seed))}, title="Mine")
        assert answer.status_code == 202, answer.text
        return str(answer.json()["track"])

    track = compose(62)
    words, sound = sorted(uploads(opened) - before, key=lambda path: path.suffix)
    assert (words.name, sound.name, sound.read_bytes()) == ("Mine.compose.json", "Like this.wav", wav(62))
    source = opened.storage.sources.find(track)
    assert source is not None
    named = Words.read(words, words.name).reference
    assert find_reference(opened.storage, named, source, words.parent).at == words.parent / named
    told = client.get(f"/api/v1/tracks/{track}").json()["composed"]
    assert told["reference"] == {"name": "Like this.wav", "track": None}
    assert told["words"]["reference"] == ""
    assert str(opened.settings.home) not in json.dumps(told)

    assert compose(62) == track
    assert len(uploads(opened) - before) == 2
    other = compose(63)
    assert other != track  # the same name, and another recording
    for each in (track, other):
        assert client.delete(f"/api/v1/tracks/{each}").status_code == 204
    assert uploads(opened) == before


@pytest.mark.parametrize(
    "named", ["/etc/passwd", "../song.wav", "song.wav", "s3://bucket/song.wav", "no-such-track", 5, ["a"]]
)
def test_whatever_is_no_track_of_the_library_is_refused(
    client: TestClient, opened: Opened, named: object
) -> None:
    before = uploads(opened)
    words = json.dumps({"prompt": "pop", "reference": named}).encode()
    answers = [
        send(client, {"prompt": (None, "pop")}, reference=named),
        send(client, {"file": ("mine.compose.json", words)}),
        client.post("/api/v1/compositions/understanding", json={"prompt": "pop", "reference": named}),
    ]
    assert [answer.status_code for answer in answers] == [422] * 3
    assert "is the key of no track of the library" in answers[0].json()["detail"]
    assert "\n" not in answers[0].json()["detail"]
    assert uploads(opened) == before


def test_words_among_the_uploads_name_nothing_outside_their_own_folder(
    opened: Opened, client: TestClient, tmp_path: Path
) -> None:
    """Were such words ever to get there."""
    track = send(client, {"prompt": (None, "polka")}).json()["track"]
    source = opened.storage.sources.find(track)
    assert source is not None
    (tmp_path / "song.wav").write_bytes(wav(64))
    for named in (str(tmp_path / "song.wav"), "../song.wav", "s3://bucket/song.wav"):
        with pytest.raises(AudioError, match="a place on the server"):
            find_reference(opened.storage, named, source, tmp_path)


@pytest.mark.parametrize(
    ("files", "beside", "told"),
    [
        ({"composition_reference": ("r.wav", b"la la la")}, {}, "r.wav: is not audio"),
        ({"file": ("x.wav", wav(65)), "composition_reference": ("r.wav", wav(66))}, {}, "is for words"),
        ({"composition_reference": ("r.wav", wav(66))}, {"reference": "some-track"}, "not both"),
        ({"composition_reference": ("r.wav", wav(66))}, {"plan": {}}, "leave the reference out"),
        ({"prompt": (None, "polka")}, {"engine": "musicgen-style"}, "needs a recording in whose style"),
        ({"prompt": (None, "polka")}, {"reference_sounds": True}, "reference_sounds: needs a reference"),
        ({"prompt": (None, "polka")}, {"reference_sounds": 1}, "reference_sounds: should be"),
        (
            {"composition_reference": ("r.wav", wav(66))},
            {"reference_sounds": True, "engine": "musicgen-style"},
            "and the engine composer",
        ),
    ],
)
def test_a_file_that_cannot_be_a_reference_is_refused_and_leaves_nothing(
    client: TestClient, opened: Opened, files: dict[str, Any], beside: dict[str, Any], told: str
) -> None:
    before = uploads(opened)
    answer = send(client, files, **beside)
    assert (answer.status_code, told in answer.json()["detail"]) == (422, True), answer.text
    assert uploads(opened) == before
