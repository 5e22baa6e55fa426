from __future__ import annotations

import numpy as np
import pytest

from resonate_resources.instruments.playing import play_in_segments
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import write_samples
from resonate_resources.regeneration.candidate import Part
from resonate_resources.regeneration.cloning.ddsp import candidates as ddsp
from resonate_tests.resources.regeneration.cloning.parts import NOTES

torch = pytest.importorskip("torch")

from resonate_tests.resources.regeneration.cloning.ddsp.peer import Peer, save  # noqa: E402

RATE = 44_100


@pytest.fixture
def models(tmp_path, monkeypatch):
    torch.manual_seed(0)
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    save(Peer(), tmp_path / "ddsp" / "flute")
    save(Peer(room=False), tmp_path / "ddsp" / "violin")
    return tmp_path


def part(tmp_path, stem="other", notes=NOTES):
    samples = np.random.default_rng(0).normal(0, 0.1, (2, 3 * RATE)).astype(np.float32)
    return Part(stem, write_samples(tmp_path / "stem.wav", samples, RATE), notes, RATE)


def test_every_model_in_the_folder_is_a_candidate(models, tmp_path):
    found = ddsp.candidates(part(tmp_path))
    assert [one.label for one in found] == ["DDSP, flute", "DDSP, violin"]
    assert len({one.settings["weights_sha256"] for one in found}) == 2
    assert all(one.kind == "ddsp" and "non-commercial" in one.licence for one in found)
    assert ddsp.candidates(part(tmp_path, "drums")) == ddsp.candidates(part(tmp_path, notes=())) == []


def test_a_note_is_heard_from_its_onset_until_its_room_is_silent_and_sounds_the_same_anywhere(
    models, tmp_path
):
    _, violin = ddsp.candidates(part(tmp_path))
    instrument = violin.instrument
    step = 441  # 10 ms, a whole number of samples at either rate
    early, late = (instrument.play([Note(0.01 * at, 0.01 * at + 0.5, 57, 90)], 2 * RATE) for at in (10, 60))
    assert np.abs(early[:, : 10 * step - 200]).max() < 1e-3 * np.abs(early).max()
    until = instrument.sounding_until(Note(0.1, 0.6, 57, 90))
    assert np.abs(early[:, round(until * RATE) + 200 :]).max() < 1e-3 * np.abs(early).max()
    moved = late[:, 50 * step :]
    assert np.abs(early[:, : moved.shape[1]] - moved)[:, :RATE].max() < 1e-3 * np.abs(early).max()


def test_segments_join_without_a_seam_tails_of_the_room_included(models, tmp_path):
    flute, _ = ddsp.candidates(part(tmp_path))
    whole = flute.instrument.play(NOTES, 4 * RATE)
    joined = np.concatenate(list(play_in_segments(flute.instrument, NOTES, 4 * RATE, segment_s=1)), axis=1)
    assert (
        np.abs(whole - joined).max() < 2e-3 * np.abs(whole).max()
    )  # 16 kHz has no sample at some seams' times


def test_what_is_no_model_is_one_line_with_its_path(models, tmp_path):
    folder = tmp_path / "ddsp" / "flute"
    (folder / "config.yaml").write_text("data: {}")
    with pytest.raises(ModelError, match="mean_loudness") as raised:
        ddsp.candidates(part(tmp_path))
    assert str(folder) in str(raised.value)
    assert "\n" not in str(raised.value)
    torch.save({"a": torch.zeros(3)}, folder / "state.pth")
    (folder / "config.yaml").write_text("data: {mean_loudness: -1, std_loudness: 1}")
    with pytest.raises(ModelError, match="is no decoder"):
        ddsp.candidates(part(tmp_path))


def test_without_a_model_it_is_said_what_to_put_where(tmp_path, monkeypatch):
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    with pytest.raises(ModelError, match=rf"put state.pth and config.yaml .* into {tmp_path}/ddsp/NAME"):
        ddsp.candidates(part(tmp_path))
