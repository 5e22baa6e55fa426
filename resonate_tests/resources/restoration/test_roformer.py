"""By models of the real architecture, small, with random weights, in files as the hubs have them."""

import numpy as np
import pytest
import torch

from resonate_resources.models.audio_separator import calling
from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import Recording, silent, write_samples
from resonate_resources.restoration.roformer import MODELS, Roformer
from resonate_resources.restoration.step import Facts

DRY = {"denoise": "dry", "dereverb": "noreverb"}


def mended(recording, path, step=None, preset="balanced"):
    # No step by a model goes by what was measured before.
    return (step or Roformer("denoise")).mend(recording, Facts("track", None), preset, path, silent)


def noise(frames, channels=2):
    return np.random.default_rng(1).normal(0, 0.1, (channels, frames)).astype(np.float32)


def error_db(estimate, reference):
    return 10 * np.log10(np.square(estimate - reference).sum() / np.square(reference).sum() + 1e-30)


@pytest.mark.parametrize("name", ["denoise", "dereverb"])
@pytest.mark.parametrize(
    ("preset", "left_db"), [("conservative", -12), ("balanced", -20), ("aggressive", -60)]
)
def test_what_the_package_itself_takes_off_is_left_at_as_many_decibels_as_the_preset_says(
    worker, hub, tmp_path, name, preset, left_db
):
    model = MODELS[name][0]
    recording = Recording.open(hub / f"{model}.wav")
    expected = np.load(hub / f"{model}.npz")
    came = mended(recording, tmp_path / "mended.wav", Roformer(name), preset)
    assert came.recording.path == tmp_path / "mended.wav"
    assert (
        error_db(came.recording.read(), expected[DRY[name]] + 10 ** (left_db / 20) * expected["other"]) < -100
    )
    taken_db = error_db(expected["other"] + recording.read(), recording.read())
    assert came.measures == {f"{name}_taken_off_db": pytest.approx(taken_db, abs=0.1)}
    assert "\n" not in came.note


@pytest.mark.parametrize(
    ("rate", "channels", "frames"), [(48_000, 2, 100_001), (8000, 1, 12_345), (44_100, 3, 7), (192_000, 2, 1)]
)
def test_rate_channels_and_length_stay(worker, tmp_path, rate, channels, frames):
    recording = write_samples(tmp_path / "noise.wav", noise(frames, channels), rate)
    came = mended(recording, tmp_path / "mended.wav").recording
    assert (came.sample_rate, came.channels, came.frames) == (rate, channels, frames)
    assert np.isfinite(came.read()).all()


def test_what_is_above_the_band_of_the_model_stays_as_it_is(worker, tmp_path):
    """30 kHz at a rate of 96 kHz: the model is at 44.1."""
    tone = 0.1 * np.sin(2 * np.pi * 30_000 / 96_000 * np.arange(96_000)).astype(np.float32)
    recording = write_samples(tmp_path / "tone.wav", np.stack([tone, tone]) + noise(96_000) / 10, 96_000)
    came = mended(recording, tmp_path / "mended.wav", preset="aggressive").recording
    spectrum = np.abs(np.fft.rfft(came.read() * np.hanning(96_000)))
    given = np.abs(np.fft.rfft(recording.read() * np.hanning(96_000)))
    assert spectrum[:, 30_000] == pytest.approx(given[:, 30_000], rel=1e-3)
    assert error_db(came.read(), recording.read()) > -40  # yet something was done


def test_where_the_model_takes_off_next_to_nothing_the_recording_itself_comes_back(worker, tmp_path):
    recording = write_samples(tmp_path / "silence.wav", np.zeros((2, 50_000), np.float32), 44_100)
    came = mended(recording, tmp_path / "mended.wav")
    assert came.recording is recording
    assert not (tmp_path / "mended.wav").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["silence.wav"]


def test_weights_that_are_no_numbers_are_one_line_and_leave_nothing(worker, hub, tmp_path, monkeypatch):
    model = MODELS["denoise"][0]
    directory = tmp_path / "models" / "audio-separator"
    directory.mkdir(parents=True)
    for file in hub.iterdir():
        if file.suffix not in (".npz", ".wav"):
            (directory / file.name).write_bytes(file.read_bytes())
    weights = torch.load(directory / model, weights_only=True)
    torch.save(
        {name: torch.full_like(tensor, torch.nan) for name, tensor in weights.items()}, directory / model
    )
    monkeypatch.setenv("RESONATE_MODELS", str(directory.parent))
    recording = write_samples(tmp_path / "noise.wav", noise(50_000), 44_100)
    with pytest.raises(ModelError, match="gives no numbers"):
        mended(recording, tmp_path / "mended.wav")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["models", "noise.wav"]


def test_it_is_available_where_its_worker_and_its_files_are_and_says_what_is_missing(
    worker, tmp_path, monkeypatch
):
    assert Roformer("denoise").unavailable() is None
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    missing = Roformer("dereverb").unavailable()
    assert missing.startswith(f"{MODELS['dereverb'][0]}, dereverb_mel_band_roformer_anvuew.yaml, ")
    monkeypatch.setenv("RESONATE_WORKERS", str(tmp_path))
    assert "run `resonate workers install audio-separator`" in Roformer("denoise").unavailable()


def test_every_model_is_in_the_list_of_the_package(worker):
    (package,) = calling.WORKER.environment.directory.glob("lib/python*/site-packages/audio_separator")
    listed = (package / "models.json").read_text()
    assert all(model in listed for models in MODELS.values() for model in models)


def test_the_weights_are_named_by_their_hash(worker):
    (sha256,) = Roformer("denoise").settings["weights_sha256"].values()
    assert len(sha256) == 64
