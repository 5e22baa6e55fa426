"""By the real architecture, small, with random weights, in files as the hubs have them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from resonate_resources.instruments.playing import play_in_segments
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import Recording, write_samples
from resonate_resources.regeneration.candidate import Part
from resonate_resources.regeneration.cloning.livesynth import candidates as livesynth
from resonate_tests.resources.regeneration.cloning.parts import NOTES
from resonate_tests.resources.workers_of_tests import make_hub, own_worker


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    directory = tmp_path_factory.mktemp("models") / "livesynth"
    return make_hub(livesynth.WORKER, Path(__file__).with_name("tiny_network.py"), directory)


@pytest.fixture(scope="module")
def worker(hub):
    with own_worker(livesynth, hub) as own:
        yield own


def part(hub, rate=48_000, stem="other", notes=NOTES):
    return Part(stem, Recording.open(hub / "reference.wav"), notes, rate)


def test_notes_come_out_as_from_the_package_in_the_timbre_of_the_loudest_ten_seconds(worker, hub):
    expected = np.load(hub / "expected.npz")["played"]
    (candidate,) = livesynth.candidates(part(hub))
    played = candidate.instrument.play(NOTES, expected.size)
    assert played.shape == (2, expected.size)
    assert np.array_equal(played[0], played[1])
    error = np.square(played[0] - expected).sum() / np.square(expected).sum()
    assert error < 1e-6  # −60 dB


def test_another_stems_sound_gives_another_instrument(worker, hub, tmp_path):
    tone = 0.1 * np.sin(np.arange(48_000) / 20).astype(np.float32)
    other = Part("other", write_samples(tmp_path / "tone.wav", tone[None], 48_000), NOTES, 48_000)
    mine, its = (livesynth.candidates(each)[0].instrument.play(NOTES, 48_000) for each in (part(hub), other))
    assert np.abs(mine - its).max() > 0.01 * np.abs(mine).max()


@pytest.mark.parametrize("rate", [22_050, 44_100])
def test_segments_are_as_long_as_asked_at_the_rate_of_the_part(worker, hub, rate):
    (candidate,) = livesynth.candidates(part(hub, rate))
    blocks = list(play_in_segments(candidate.instrument, NOTES, 3 * rate + 7, segment_s=1))
    assert sum(block.shape[1] for block in blocks) == 3 * rate + 7
    assert all(np.isfinite(block).all() for block in blocks)


def test_what_is_told_of_it_names_licences_and_the_hashes_of_all_weights(worker, hub):
    (candidate,) = livesynth.candidates(part(hub))
    assert candidate.kind == "livesynth"
    assert candidate.licence == "MIT (LiveSynth), CC0-1.0 (CLAP)"
    assert len(candidate.settings["weights_sha256"]) == 6
    assert candidate.leaving_out is candidate.instrument  # no recording of the track is in it


def test_drums_and_parts_without_notes_have_none(worker, hub):
    assert livesynth.candidates(part(hub, stem="drums")) == []
    assert livesynth.candidates(part(hub, notes=())) == []


@pytest.mark.parametrize("name", ["generator.safetensors", "music_audioset_epoch_15_esc_90.14.pt"])
def test_weights_that_are_cut_short_are_one_line(worker, hub, tmp_path, monkeypatch, name):
    directory = tmp_path / "livesynth"
    shutil.copytree(hub, directory)
    (directory / name).write_bytes((hub / name).read_bytes()[:5000])
    os.utime(directory / "config.json", (1, 1))
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    (candidate,) = livesynth.candidates(
        Part("bass", Recording.open(directory / "reference.wav"), NOTES, 48_000)
    )
    with pytest.raises(ModelError) as raised:
        candidate.instrument.play(NOTES, 48_000)
    assert str(directory) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_is_missing_is_said_with_the_folder_to_put_it_into(worker, hub, tmp_path, monkeypatch):
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    with pytest.raises(ModelError, match=r"config\.json: not in .*livesynth"):
        livesynth.candidates(part(hub))
    monkeypatch.setenv("RESONATE_WORKERS", str(tmp_path))
    with pytest.raises(ModelError, match="run `resonate workers install cloning`"):
        livesynth.candidates(part(hub))
