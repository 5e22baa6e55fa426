from __future__ import annotations

import numpy as np
import pytest

from resonate_resources.recordings.recording import Recording, write_samples
from resonate_resources.separation.composed import Merged, VocalsFirst
from resonate_tests.resources.separation.separators import RATE, Truthful, true_stems

TRUTH = true_stems(10)
PERFECT = [400.0]
"""dB: beyond what float32 can tell from the truth."""


@pytest.fixture
def track(tmp_path) -> Recording:
    return write_samples(tmp_path / "track.wav", np.sum(list(TRUTH.values()), axis=0), RATE)


@pytest.fixture
def into(tmp_path):
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


class Vocals(Truthful):
    """A model for vocals: two stems."""

    def __init__(self, quality_db: float) -> None:
        other = TRUTH["drums"] + TRUTH["bass"] + TRUTH["other"]
        super().__init__("vocals model", {"vocals": TRUTH["vocals"], "other": other}, [quality_db])


class Rest(Truthful):
    """Takes what it is given for the track without vocals, but mistakes a tenth of it for vocals."""

    def separate(self, track, into, progress):
        samples = track.read()
        expected = TRUTH["drums"] + TRUTH["bass"] + TRUTH["other"]
        assert np.abs(samples - expected).max() < 1e-6
        leak = samples * np.float32(0.1)
        stems = {
            "vocals": leak,
            "drums": TRUTH["drums"],
            "bass": TRUTH["bass"],
            "other": TRUTH["other"] - leak,
        }
        return {name: write_samples(into / f"{name}.wav", stem, RATE) for name, stem in stems.items()}


def test_two_stems_are_the_vocals_and_the_sum_of_the_others(track, into):
    stems = Merged(Truthful("four", TRUTH, PERFECT)).separate(track, into, lambda _: None)
    assert list(stems) == ["vocals", "other"]
    np.testing.assert_array_equal(stems["vocals"].read(), TRUTH["vocals"])
    np.testing.assert_allclose(
        stems["other"].read(), TRUTH["drums"] + TRUTH["bass"] + TRUTH["other"], atol=1e-6
    )
    assert sorted(path.name for path in into.iterdir()) == ["other.wav", "vocals.wav"]


def test_the_vocals_are_by_the_first_engine_and_what_the_second_takes_for_vocals_is_other(track, into):
    separator = VocalsFirst(Vocals(400), Rest("rest", TRUTH, PERFECT))
    heard: list[float] = []
    stems = separator.separate(track, into, heard.append)
    assert list(stems) == ["vocals", "drums", "bass", "other"]
    for name, truth in TRUTH.items():
        np.testing.assert_allclose(stems[name].read(), truth, atol=1e-6)
    assert sorted(path.name for path in into.iterdir()) == sorted(f"{name}.wav" for name in TRUTH)
    assert heard == sorted(heard)


def test_an_engine_made_of_two_says_so(track):
    separator = VocalsFirst(Vocals(10), Truthful("rest", TRUTH, PERFECT))
    assert "stems other than the vocals are by rest, from what they leave" in separator.notes
    recipe = separator.recipe()
    assert recipe.engine.name == "vocals model"
    assert recipe.settings["rest"]["engine"] == "rest"


def test_what_keeps_either_from_running_keeps_both(track):
    class Missing(Truthful):
        def available(self):
            return "no weights"

    missing, there = Missing("missing", TRUTH, PERFECT), Truthful("there", TRUTH, PERFECT)
    assert VocalsFirst(missing, there).available() == "no weights"
    assert VocalsFirst(there, missing).available() == "no weights"
    assert VocalsFirst(there, there).available() is None
    assert Merged(missing).available() == "no weights"
