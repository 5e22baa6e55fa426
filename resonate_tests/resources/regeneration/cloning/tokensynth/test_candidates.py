"""By the real architecture, small, with random weights, in files as the hubs have them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import Recording
from resonate_resources.regeneration.candidate import Part
from resonate_resources.regeneration.cloning.tokensynth import candidates as tokensynth
from resonate_resources.regeneration.cloning.tokensynth.work import passages
from resonate_tests.resources.regeneration.cloning.parts import NOTES
from resonate_tests.resources.workers_of_tests import make_hub, own_worker

RATE = 16_000


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    directory = tmp_path_factory.mktemp("models") / "tokensynth"
    return make_hub(tokensynth.WORKER, Path(__file__).with_name("tiny_network.py"), directory)


@pytest.fixture(scope="module")
def worker(hub):
    with own_worker(tokensynth, hub) as own:
        yield own


def part(hub, rate=RATE, stem="other", notes=NOTES):
    return Part(stem, Recording.open(hub / "reference.wav"), notes, rate)


def test_notes_come_out_as_from_the_packages_from_where_the_first_begins(worker, hub):
    expected = np.load(hub / "expected.npz")["sound"]
    begins = round(NOTES[0].onset_s * RATE)
    (candidate,) = tokensynth.candidates(part(hub))
    played = candidate.instrument.play(NOTES, begins + expected.size)
    assert np.array_equal(played[0], played[1])
    assert not played[:, :begins].any()
    error = np.square(played[0, begins:] - expected).sum() / np.square(expected).sum()
    assert error < 1e-6  # −60 dB


def test_of_the_same_notes_comes_the_same_sound(worker, hub):
    (candidate,) = tokensynth.candidates(part(hub, 44_100))
    first, second = (candidate.instrument.play(NOTES, 44_100) for _ in range(2))
    assert first.any()
    assert np.array_equal(first, second)


def test_what_is_told_of_it_names_licences_and_the_hashes_of_all_weights(worker, hub):
    (candidate,) = tokensynth.candidates(part(hub))
    assert candidate.kind == "tokensynth"
    assert "not stated (weights)" in candidate.licence
    assert len(candidate.settings["weights_sha256"]) == 3


def test_drums_and_parts_without_notes_have_none(worker, hub):
    assert tokensynth.candidates(part(hub, stem="drums")) == tokensynth.candidates(part(hub, notes=())) == []


@pytest.mark.parametrize("name", ["token_synth_aug.pt", "dac_weights_44khz_8kbps_0.0.1.pt"])
def test_weights_that_are_cut_short_are_one_line(worker, hub, tmp_path, monkeypatch, name):
    directory = tmp_path / "tokensynth"
    shutil.copytree(hub, directory)
    (directory / name).write_bytes((hub / name).read_bytes()[:5000])
    os.utime(directory / name, (1, 1))
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    (candidate,) = tokensynth.candidates(part(directory))
    with pytest.raises(ModelError) as raised:
        candidate.instrument.play(NOTES, RATE)
    assert str(directory / name) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_is_missing_is_said_with_the_folder_to_put_it_into(worker, hub, tmp_path, monkeypatch):
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    with pytest.raises(ModelError, match=r"token_synth_aug\.pt: not in .*tokensynth"):
        tokensynth.candidates(part(hub))


@given(
    st.lists(st.tuples(st.floats(0, 60), st.floats(0.02, 30), st.integers(0, 127)), max_size=300),
)
def test_every_note_is_in_one_passage_which_ends_before_what_the_network_knows(notes):
    rows = sorted((onset, onset + length, pitch, 100) for onset, length, pitch in notes)
    found = list(passages(rows))
    came = [(start + onset, pitch) for start, of in found for onset, _, pitch, _ in of]
    assert [pitch for _, pitch in came] == [pitch for _, _, pitch, _ in rows]
    np.testing.assert_allclose([onset for onset, _ in came], [onset for onset, *_ in rows])
    for _, of in found:
        assert 0 < len(of) <= 120
        assert all(0 <= onset <= offset < 5.0 for onset, offset, *_ in of)
