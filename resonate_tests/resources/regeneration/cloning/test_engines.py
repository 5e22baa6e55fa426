from __future__ import annotations

import numpy as np
import pytest

from resonate_resources.recordings.recording import AudioError, write_samples
from resonate_resources.regeneration.candidate import Part
from resonate_resources.regeneration.choice import candidates_of
from resonate_tests.resources.regeneration.cloning.parts import NOTES

torch = pytest.importorskip("torch")

from resonate_tests.resources.regeneration.cloning.ddsp.peer import Peer, save  # noqa: E402


@pytest.fixture
def part(tmp_path, monkeypatch):
    """Where no worker is installed."""
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("RESONATE_WORKERS", str(tmp_path / "workers"))
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 30_000)).astype(np.float32)
    return Part("other", write_samples(tmp_path / "stem.wav", noise, 16_000), NOTES, 16_000)


def test_where_nothing_can_be_had_each_engine_says_what_it_lacks(part):
    with pytest.raises(AudioError) as raised:
        candidates_of(part, "cloned")
    told = str(raised.value)
    assert "\n" not in told
    assert told.startswith("other: no cloned instrument can play it (")
    assert told.count("run `resonate workers install cloning`") == 2
    assert "rave: no model" in told
    assert "ddsp: no model" in told


def test_what_can_be_had_is_a_candidate_though_other_engines_can_not(part, tmp_path):
    torch.manual_seed(0)
    save(Peer(), tmp_path / "models" / "ddsp" / "flute")
    (candidate,), missing = candidates_of(part, "cloned")
    assert len(missing) == 3
    assert candidate.kind == "ddsp"
    played = candidate.instrument.play(NOTES, 16_000)
    assert played.shape == (2, 16_000)
    assert played.any()
