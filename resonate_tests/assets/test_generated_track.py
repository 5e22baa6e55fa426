"""A track made anew by JASCO, small and random, through the graph."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import pytest

from resonate_resources.composition.engines.jasco.checkpoint import load
from resonate_resources.storage.resource import StorageResource
from resonate_tests.assets.test_composed import AS_FAR_AS_STEMS, PROMPT, Home

pytest.importorskip("torch")
pytest.importorskip("transformers")
from resonate_tests.resources.composition.engines.tiny_jasco import save

ANEW = ("analysis", "midi", "regenerated_stems", "generated_track")


def test_it_is_made_by_the_model_that_the_brief_names_where_its_weights_are(
    instance: dg.DagsterInstance, storage: StorageResource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "models"
    models.mkdir()
    monkeypatch.setenv("RESONATE_MODELS", str(models))
    load.cache_clear()
    home = Home(instance, storage, tmp_path)
    track = home.drop(PROMPT)
    brief = {"restoration.mode": "blend", "restoration.generator": "jasco", "regeneration.rounds": 0}
    storage.store.write(f"briefs/{track}.json", json.dumps(brief).encode())
    assert home.run(track, *AS_FAR_AS_STEMS, *ANEW).success
    nothing = home.made("generated_track", track).manifest
    assert not nothing.files
    assert "jasco: not in" in nothing.notes[0]
    assert "google-t5/t5-base" in nothing.notes[0]

    save(models, "jasco-chords-drums-melody-400M", melody=True)
    assert home.run(track, "generated_track").success
    made = home.made("generated_track", track)
    assert [*made.manifest.files][:2] == ["generated.wav", "blend.wav"]
    told = made.read_json("generated_track.json")
    assert (told["label"], told["model"]) == ("AI-generated", "jasco-chords-drums-melody-400M")
    like = home.made("restored_track", track).recording("track.wav")
    found = made.recording("generated.wav")
    assert (found.sample_rate, found.channels, found.frames) == (like.sample_rate, like.channels, like.frames)
    assert made.manifest.made_from.keys() >= {"analysis", "midi", "stems", "profile", "brief"}
