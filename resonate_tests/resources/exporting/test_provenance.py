"""How sound was made: what stands in its manifests, followed back, and whether any of it was generated."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest

from resonate_resources.exporting.provenance import CLONED, GENERATIVE, Provenance, provenance_of
from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.recordings.tags import Tags
from resonate_resources.regeneration.cloning.engines import ENGINES
from resonate_resources.restoration import engines
from resonate_resources.restoration.step import StepName
from resonate_resources.storage.artefacts import Artefact, Artefacts
from resonate_resources.storage.sources import Source
from resonate_resources.storage.store import LocalStore, new_directory

SOURCE = Source("song-0123456789ab", "/music/song.wav", 1, "a" * 64)
IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""cv.iptc.org/newscodes/digitalsourcetype, terms trainedAlgorithmicMedia, compositeWithTrainedAlgorithmicMedia."""


class Library:
    """Artefacts that are made from each other, and are current."""

    def __init__(self, folder: Path) -> None:
        self.artefacts = Artefacts(LocalStore(folder))

    def make(
        self,
        stage: str,
        engine: Engine,
        reads: Sequence[Artefact] = (),
        report: Any = None,
        called: str = "restoration.json",
        measures: Mapping[str, bool] | None = None,
        **settings: Any,
    ) -> Artefact:
        with new_directory(self.artefacts.store, stage) as into:
            (into / "sound.wav").write_text(stage)
            reports: Mapping[str, Path] = {}
            if report is not None:
                (into / called).write_text(json.dumps(report))
                reports = {called: into / called}
            made = self.artefacts.keep(
                Product({"sound.wav": into / "sound.wav"}, measures or {}, reports=reports),
                stage=stage,
                track=SOURCE.track,
                recipe=Recipe(engine, settings),
                reads=[each.files("sound.wav") for each in reads],
                seconds=0.0,
            )
        self.artefacts.publish(made)
        return made

    def told(self, *of: Artefact, tags: Tags | None = None) -> Provenance:
        return provenance_of(SOURCE, tags or Tags(), of, self.artefacts)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def test_every_stage_that_it_stands_on_is_told_and_no_other(library: Library) -> None:
    raw = library.make("raw_track", Engine("decoder"))
    stems = library.make("stems", Engine("demucs", "htdemucs", "MIT"), [raw], seed=7)
    library.make("master", Engine("limiter"), [stems])
    told = library.told(stems).to_json()
    assert list(told["stages"]) == ["stems", "raw_track"]  # type: ignore[arg-type]
    of_stems = told["stages"]["stems"]  # type: ignore[index,call-overload]
    assert (of_stems["engine"], of_stems["model"], of_stems["licence"]) == ("demucs", "htdemucs", "MIT")  # type: ignore[index,call-overload]
    assert of_stems["settings"] == {"seed": 7}  # type: ignore[index,call-overload]
    assert told["ai_generated"] is False
    assert "digital_source_type" not in told
    assert json.loads(library.told(stems).text()) == told


def test_what_a_generative_model_made_is_told_with_its_step(library: Library) -> None:
    steps = {
        "vocals": [
            {
                "step": "denoise",
                "engine": "deepfilternet",
                "model": "DeepFilterNet3",
                "licence": "MIT",
                "kept": 1.0,
            },
            {"step": "extend", "engine": "audiosr", "model": "basic", "licence": "MIT", "kept": 0.4},
        ],
        "drums": [{"step": "extend", "engine": "audiosr", "kept": 0.0}],
    }
    told = library.told(library.make("restored_stems", Engine("restoration"), report=steps)).to_json()
    assert told["ai_generated"] is True
    assert told["ai_generated_because"] == ["restored_stems: vocals, extend by audiosr"]
    assert told["digital_source_type"] == f"{IPTC}compositeWithTrainedAlgorithmicMedia"
    kept = told["stages"]["restored_stems"]["steps"]  # type: ignore[index,call-overload]
    assert [(one["of"], one["step"]) for one in kept] == [("vocals", "denoise"), ("vocals", "extend")]


def test_generative_engines_are_known_by_the_names_that_restoration_has_for_them() -> None:
    names = {step.engine.name for kind in get_args(StepName) for step in engines.engines_of(kind)}
    assert names >= GENERATIVE


@pytest.mark.parametrize(("kind", "generated"), [("livesynth", True), ("sampler", False)])
def test_what_plays_rebuilt_stems_is_told_stem_by_stem_and_a_network_is_called_one(
    library: Library, kind: str, generated: bool
) -> None:
    bass = {"kind": kind, "label": "The one", "licence": "MIT", "source": "a hub", "candidates": []}
    report = {"stems": {"vocals": {"kept": True}, "bass": {"kept": False, **bass}}}
    stage = "regenerated_stems"
    told = library.told(library.make(stage, Engine("x"), report=report, called="regeneration.json")).to_json()
    by = told["stages"][stage]["rebuilt"]  # type: ignore[index,call-overload]
    assert by["vocals"]["kind"] == "kept"
    assert by["bass"] == {"kind": kind, "by": "The one", "licence": "MIT", "source": "a hub"}
    assert told["ai_generated"] is generated
    assert told.get("ai_generated_because") == ([f"{stage}: bass, played by The one"] if generated else None)


@pytest.mark.parametrize("generated", [True, False])
def test_a_recording_made_anew_by_a_model_is_told_and_by_instruments_not(
    library: Library, generated: bool
) -> None:
    engine = Engine("jasco", "jasco-chords-drums-400M", "CC-BY-NC-4.0")
    told = library.told(library.make("generated_track", engine, measures={"generated": generated})).to_json()
    because = ["generated_track: made by jasco-chords-drums-400M"]
    assert (told["ai_generated"], told.get("ai_generated_because")) == (
        generated,
        because if generated else None,
    )


def test_networks_that_clone_are_known_by_the_names_that_regeneration_has_for_them() -> None:
    assert ENGINES.keys() == CLONED


def test_what_was_taken_back_made_nothing(library: Library) -> None:
    steps = {"track": [{"step": "extend", "engine": "audiosr", "kept": 0.0}]}
    told = library.told(library.make("restored_track", Engine("restoration"), report=steps))
    assert told.to_json()["ai_generated"] is False
    assert "restor" not in told.sentence()


@pytest.mark.parametrize(
    ("tags", "generated"),
    [
        (Tags(comment="made with suno; created=2026-01-01"), True),
        (Tags(copyright="AI-generated"), True),
        (Tags(artist="Udio"), True),
        (Tags(comment="Sunova Records", artist="Studio Band"), False),
        (Tags(), False),
    ],
)
def test_a_file_that_says_it_is_generated_is_believed(library: Library, tags: Tags, generated: bool) -> None:
    told = library.told(library.make("raw_track", Engine("decoder")), tags=tags).to_json()
    assert told["ai_generated"] is generated
    assert told.get("digital_source_type") == (f"{IPTC}trainedAlgorithmicMedia" if generated else None)


def test_a_person_is_told_in_a_sentence(library: Library) -> None:
    raw = library.make("raw_track", Engine("decoder"))
    stems = library.make("stems", Engine("demucs", "htdemucs", "MIT"), [raw])
    said = library.told(library.make("restored_stems", Engine("restoration"), [stems])).sentence()
    assert said.endswith(": stems by htdemucs, restored stems by restoration; not told to be AI-generated")
