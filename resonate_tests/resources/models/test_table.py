"""The table of models against the engines, and against the files that are here."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path

import pytest

from resonate_resources.harmony import chord_network
from resonate_resources.models.table import as_markdown, known_models
from resonate_resources.profiling import bars, beat_network
from resonate_resources.quality import musicnn
from resonate_resources.restoration import deepfilternet
from resonate_resources.restoration.audiosr.step import AudioSR
from resonate_resources.restoration.multiband_diffusion.step import MultiBandDiffusion
from resonate_resources.restoration.roformer import MODELS as ROFORMERS
from resonate_resources.separation.engines import offers
from resonate_resources.separation.spectral import spleeter
from resonate_resources.signal import drum_network
from resonate_resources.transcription import basic_pitch, sung_notes
from resonate_resources.transcription.drum_strokes import DrumStrokes

REPOSITORY = Path(__file__).parents[3]
BY_NAME = {model.name: model for model in known_models()}


def test_every_model_of_every_engine_is_in_the_table() -> None:
    offered = {offer.model for offer in offers("sqlite://") if offer.model is not None}
    assert (
        offered
        | {
            spleeter.MODEL,
            beat_network.MODEL,
            musicnn.MODEL,
            chord_network.MODEL,
            basic_pitch.BasicPitch.engine.model,
            deepfilternet.MODEL,
            sung_notes.SungNotes.engine.model,
            AudioSR().engine.model,
            MultiBandDiffusion().engine.model,
            *(model for models in ROFORMERS.values() for model in models),
        }
        <= BY_NAME.keys()
    )
    assert len(BY_NAME) == len(known_models())


def test_hashes_and_sizes_are_those_of_the_files_that_are_here() -> None:
    separation = resources.files("resonate_resources.separation")
    checkpoint = spleeter._checkpoint()
    weights = chord_network._weights_file()
    filter_weights = deepfilternet._weights()
    assert checkpoint is not None
    assert filter_weights is not None
    assert weights is not None
    here = {
        spleeter.MODEL: checkpoint,
        chord_network.MODEL: weights,
        "resonate/keys": resources.files("resonate_resources.profiling") / "key.npz",
        basic_pitch.BasicPitch.engine.model: basic_pitch._model_file(),
        deepfilternet.MODEL: filter_weights,
        sung_notes.SungNotes.engine.model: resources.files("resonate_resources.transcription")
        / "sung_onsets.npz",
        DrumStrokes.engine.model: drum_network._FILE,
        "resonate/beats": bars._WEIGHTS,
        musicnn.MODEL: musicnn._GRAPH,
        "resonate/masks": separation / "spectral" / "masks.npz",
        "resonate/predictor": separation / "prediction" / "predictor.npz",
    }
    for name, file in here.items():
        model = BY_NAME[str(name)]
        content = file.read_bytes()
        assert model.sha256 == hashlib.sha256(content).hexdigest(), name
        assert model.megabytes is not None
        assert abs(model.megabytes - len(content) / 1e6) < 0.05 * len(content) / 1e6 + 0.005
        assert model.ran == "yes"
    assert {model.name for model in known_models() if model.ran == "yes"} == {*here, beat_network.MODEL}


def test_hashes_of_what_lies_in_several_files_begin_as_theirs() -> None:
    folder = beat_network._folder()
    assert folder is not None
    files = [folder / name for name in beat_network.SHA256]
    known = BY_NAME[beat_network.MODEL]
    found = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    assert known.sha256 == ", ".join(sha256[:8] for sha256 in found)
    assert known.megabytes == pytest.approx(sum(file.stat().st_size for file in files) / 1e6, abs=0.01)
    assert [*beat_network.SHA256.values()] == found


def test_what_both_commands_install_may_be_used_commercially() -> None:
    by_others = ("at first use", "by hand", "a service")
    here = [model for model in known_models() if not any(how in model.source for how in by_others)]
    assert {model.commercial for model in here} == {"yes"}


def test_the_docs_show_the_table_as_it_is() -> None:
    assert as_markdown() in (REPOSITORY / "docs" / "models.md").read_text()
