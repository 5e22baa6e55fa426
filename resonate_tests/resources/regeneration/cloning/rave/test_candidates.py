"""By models of RAVE's exported interface that are known to give back what goes in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.instruments.faust import instrument_for
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import write_samples
from resonate_resources.regeneration.candidate import Part
from resonate_resources.regeneration.cloning.rave import candidates as rave
from resonate_resources.regeneration.cloning.rave.candidates import RaveInstrument
from resonate_tests.resources.regeneration.cloning.parts import NOTES
from resonate_tests.resources.workers_of_tests import make_hub, own_worker

RATE = 24_000


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    return make_hub(
        rave.WORKER, Path(__file__).with_name("tiny_models.py"), tmp_path_factory.mktemp("models") / "rave"
    )


@pytest.fixture(scope="module")
def worker(hub):
    with own_worker(rave, hub) as own:
        yield own


@pytest.fixture(scope="module")
def player():
    return instrument_for("other", RATE)


def part(tmp_path, stem="other", rate=RATE, notes=NOTES):
    return Part(stem, write_samples(tmp_path / "stem.wav", np.zeros((2, 900), np.float32), rate), notes, rate)


@pytest.mark.parametrize("name", ["mono", "streaming", "stereo"])
def test_what_the_instrument_plays_comes_back_in_place_though_the_model_is_late_and_remembers(
    worker, hub, player, name
):
    expected = player.play(NOTES, 2 * RATE)
    instrument = RaveInstrument(hub / f"{name}.ts", player)
    for _ in range(2):
        played = instrument.play(NOTES, 2 * RATE)
        assert played.shape == expected.shape
        assert np.abs(played - expected).max() < 1e-4


def test_at_another_rate_than_the_models_it_comes_back_at_the_parts(worker, hub):
    player = instrument_for("other", 44_100)
    expected = player.play(NOTES, 2 * 44_100)
    played = RaveInstrument(hub / "streaming.ts", player).play(NOTES, 2 * 44_100)
    lines = [np.abs(np.fft.rfft(samples[0]))[: 2 * 10_000] for samples in (played, expected)]  # to 10 kHz
    assert np.square(lines[0] - lines[1]).sum() < 1e-4 * np.square(lines[1]).sum()
    assert played.shape == expected.shape


def test_every_model_in_the_folder_is_a_candidate_that_is_taken_for_non_commercial(worker, hub, tmp_path):
    found = rave.candidates(part(tmp_path))
    assert [one.label for one in found] == [f"RAVE, {file.stem}" for file in sorted(hub.glob("*.ts"))]
    assert all("non-commercial" in one.licence and len(one.settings["weights_sha256"]) == 64 for one in found)
    assert rave.candidates(part(tmp_path, notes=())) == []


@pytest.mark.parametrize(
    ("name", "reason"), [("broken", "no numbers"), ("other", "no model that `rave export`")]
)
def test_a_model_that_is_none_is_one_line_with_its_path(worker, hub, player, name, reason):
    with pytest.raises(ModelError, match=reason) as raised:
        RaveInstrument(hub / f"{name}.ts", player).play(NOTES, RATE)
    assert str(hub / f"{name}.ts") in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_is_missing_is_said_with_the_folder_to_put_it_into(worker, tmp_path, monkeypatch):
    monkeypatch.setenv("RESONATE_WORKERS", str(tmp_path))
    with pytest.raises(ModelError, match="run `resonate workers install cloning`"):
        rave.candidates(part(tmp_path))
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    with pytest.raises(
        ModelError, match=rf"put one that `rave export` wrote into {tmp_path}/rave, as NAME\.ts"
    ):
        rave.candidates(part(tmp_path))
