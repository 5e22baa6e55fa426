from __future__ import annotations

from pathlib import Path

import pytest

from resonate_resources.composition.engines.choosing import ENGINES, choose
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import AudioError
from resonate_studio import compose_command


def test_the_composer_is_chosen_where_none_is_named() -> None:
    assert choose().name == choose("composer").name == "composer"
    assert choose().lacks() == ""
    assert choose().keyed() == {}


def test_every_engine_goes_by_its_name_and_tells_licence_and_origin() -> None:
    for name, make in ENGINES.items():
        engine = make()
        assert engine.name == name
        assert engine.licence
        assert engine.label == ("composed by rules" if name == "composer" else "AI-generated")
    assert (*ENGINES,) == compose_command.ENGINES


@pytest.mark.parametrize(
    "name",
    [
        "musicgen",
        "musicgen-melody",
        "musicgen-style",
        "musicgen-hosted",
        "ace-step",
        "ace-step-lego",
        "jasco",
    ],
)
def test_an_engine_that_lacks_something_is_refused_and_not_replaced(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    monkeypatch.delenv("REPLICATE_API_TOKEN", raising=False)
    with pytest.raises(ModelError, match=f"^{name}: ") as refused:
        choose(name)
    assert "\n" not in str(refused.value)


def test_a_name_that_no_engine_has_is_told_with_those_there_are() -> None:
    with pytest.raises(
        AudioError, match="'mozart' is no engine; there are composer, musicgen, musicgen-melody"
    ):
        choose("mozart")
