"""Words in the API: what is understood of them, and a job that composes a track."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from resonate_resources.models.language_model import ChosenModel
from resonate_studio.api.opened import Opened


def understanding(client: TestClient, **asked: object) -> Any:
    answer = client.post("/api/v1/compositions/understanding", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def job(client: TestClient, prompt: str, **beside: object) -> Any:
    fields = {"prompt": prompt, **({"composition": json.dumps(beside)} if beside else {})}
    answer = client.post("/api/v1/jobs", files={name: (None, value) for name, value in fields.items()})
    assert answer.status_code == 202, answer.text
    return answer.json()


def test_what_is_said_what_is_assumed_and_what_is_not_understood_is_told(client: TestClient) -> None:
    told = understanding(client, prompt="techno in C minor, 130 bpm, quxly")
    how = {each["field"]: (each["how"], each["value"]) for each in told["readings"]}
    assert how["bpm"] == ("stated", "130")
    assert how["metre"] == ("assumed", "4/4")
    assert told["not_understood"] == ["quxly"]
    assert told["request"]["key"] == "C minor"


def test_what_is_said_beside_the_words_counts(client: TestClient) -> None:
    told = understanding(client, prompt="techno in C minor, 130 bpm", asked={"bpm": [126, 126]})
    assert told["request"]["bpm"] == 126


@pytest.mark.parametrize(
    ("prompt", "bars", "seconds"),
    [
        ("techno, 120 bpm", 60, 120),  # of four beats of half a second
        ("waltz, 90 bpm, 3/4", 30, 60),
        ("blues, 60 bpm, 12/8", 15, 60),  # of four dotted quarters
    ],
)
def test_how_long_it_takes_is_told(client: TestClient, prompt: str, bars: int, seconds: float) -> None:
    told = understanding(client, prompt=prompt, asked={"bars": bars})
    assert told["duration_s"] == pytest.approx(seconds)


def test_what_cannot_be_is_refused_in_one_line(client: TestClient) -> None:
    answer = client.post("/api/v1/compositions/understanding", json={"prompt": "x", "asked": {"key": "H"}})
    assert (answer.status_code, "is no key" in answer.json()["detail"]) == (422, True)


def test_engines_are_told_with_their_licence_and_what_they_lack(client: TestClient) -> None:
    told = client.get("/api/v1/compositions/engines").json()
    engines = {each["name"]: each for each in told["engines"]}
    assert engines["composer"]["lacks"] == ""
    assert (engines["musicgen"]["licence"], engines["musicgen"]["label"]) == ("CC-BY-NC-4.0", "AI-generated")
    assert "deep_house" in told["genres"]


def test_the_words_that_fields_take_are_told_and_who_can_play_what(client: TestClient) -> None:
    told = client.get("/api/v1/compositions/engines").json()
    roles = {each["name"]: each["roles"] for each in told["instruments"]}
    assert (roles["drums"], roles["synth_pad"]) == (["drums"], ["pad", "chords"])  # in techno
    assert ("7/8" in told["metres"], "pre_chorus" in told["sections"]) == (True, True)


@pytest.mark.parametrize(
    ("name", "told"),
    [("openai:small", "openai:small"), ("transformers:/srv/models/small", "transformers:small")],
)
def test_the_language_model_that_is_set_up_is_told_without_key_or_place(
    client: TestClient, opened: Opened, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    assert client.get("/api/v1/compositions/engines").json()["model"] is None
    model = ChosenModel(name, "http://127.0.0.1:9/v1", "SECRET_KEY")
    with_model = replace(opened, settings=replace(opened.settings, conductor=model))
    state = client.app.state  # type: ignore[attr-defined]
    monkeypatch.setattr(state, "serving", replace(state.serving, opened=with_model))
    answer = client.get("/api/v1/compositions/engines")
    assert answer.json()["model"] == told
    assert "SECRET_KEY" not in answer.text and "127.0.0.1" not in answer.text


def test_form_and_players_that_are_given_whole_are_what_would_be_composed(client: TestClient) -> None:
    sections = [{"name": "verse", "bars": 6, "energy": 0.25}, {"name": "chorus", "bars": 2, "energy": 1.0}]
    players = [{"instrument": "piano", "role": "melody"}, {"instrument": "drums", "role": "drums"}]
    asked = {"sections": sections, "players": players, "bpm": [120, 120], "metre": "4/4"}
    told = understanding(client, prompt="techno, 64 bars, no piano", asked=asked)
    assert told["request"]["structure"] == sections
    assert told["players"] == players
    assert told["duration_s"] == 16  # 8 bars of 2 s
    assert not {"bars", "without"} & {each["field"] for each in told["readings"]}


def test_everyone_who_plays_is_told_with_what(client: TestClient) -> None:
    told = understanding(client, prompt="rock")
    assert {"instrument": "drums", "role": "drums"} in told["players"]
    assert {each["instrument"] for each in told["players"]} == set(told["request"]["instruments"])


def test_a_prompt_alone_becomes_a_track_whose_words_are_kept(client: TestClient, opened: Opened) -> None:
    accepted = job(client, "Ambient in D major", seed=7)
    source = opened.storage.sources.find(accepted["track"])
    assert source is not None
    assert source.name == "Ambient in D major.compose.json"
    assert json.loads(Path(source.uri).read_text()) == {"prompt": "Ambient in D major", "seed": 7}
    assert accepted["track"].startswith("ambient-in-d-major-")


def test_its_track_tells_the_words_and_how_it_is_labelled(client: TestClient) -> None:
    beside = {"seed": 5, "asked": {"bpm": [130, 130]}}
    track = job(client, "dark techno", **beside)["track"]
    told = client.get(f"/api/v1/tracks/{track}").json()
    assert told["summary"]["composed"] == "composed by rules"
    composed = told["composed"]
    usual = {"title": "", "engine": "composer", "by_model": False, "reference": "", "reference_sounds": False}
    assert composed["words"] == {"prompt": "dark techno", **usual, **beside}
    assert (composed["label"], composed["seed"], composed["by_plan"]) == ("composed by rules", 5, False)
    assert composed["licence"] == "GPL-3.0-or-later"


def test_a_track_of_a_file_is_told_as_composed_by_nobody(client: TestClient, track: str) -> None:
    told = client.get(f"/api/v1/tracks/{track}").json()
    assert (told["composed"], told["summary"]["composed"]) == (None, None)


def test_words_that_were_changed_since_are_not_told_as_those_of_the_track(
    client: TestClient, opened: Opened
) -> None:
    track = job(client, "calm folk, 90 bpm")["track"]
    source = opened.storage.sources.find(track)
    assert source is not None
    Path(source.uri).write_text('{"prompt": "metal"}', encoding="utf-8")
    told = client.get(f"/api/v1/tracks/{track}").json()["composed"]
    assert (told["label"], told["words"], told["seed"]) == ("composed", None, None)


def test_an_engine_that_there_is_not_is_refused_at_once(client: TestClient) -> None:
    files = {"prompt": (None, "pop"), "composition": (None, '{"engine": "nobody"}')}
    answer = client.post("/api/v1/jobs", files=files)
    assert (answer.status_code, answer.json()["detail"][:30]) == (422, "engine: there is no 'nobody'; ")


def test_the_same_words_are_the_same_track_and_another_seed_is_another(client: TestClient) -> None:
    first = job(client, "reggae, 74 bpm")
    assert job(client, "reggae, 74 bpm")["track"] == first["track"]
    assert job(client, "reggae, 74 bpm", seed=1)["track"] != first["track"]


@pytest.mark.parametrize(
    "prompt", ["../../etc/passwd", "<script>alert(1)</script>", "a\nb\u202ec", "…" * 300]
)
def test_hostile_words_name_no_file_but_their_own(client: TestClient, opened: Opened, prompt: str) -> None:
    accepted = job(client, prompt)
    source = opened.storage.sources.find(accepted["track"])
    assert source is not None
    assert Path(source.uri).parent.parent == opened.settings.uploads
    assert json.loads(Path(source.uri).read_text())["prompt"] == prompt
