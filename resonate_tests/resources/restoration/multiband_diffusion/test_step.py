"""By the real architecture, small, with random weights, in files as the hubs have them."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import Recording, silent, write_samples
from resonate_resources.restoration.multiband_diffusion import step
from resonate_resources.restoration.multiband_diffusion.step import MultiBandDiffusion
from resonate_resources.restoration.step import Facts
from resonate_tests.resources.workers_of_tests import Bomb, make_hub, own_worker


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """The networks' files, a noise, and what the package makes of it."""
    directory = tmp_path_factory.mktemp("models") / "multiband-diffusion"
    return make_hub(step.WORKER, Path(__file__).with_name("tiny_network.py"), directory)


@pytest.fixture(scope="module")
def worker(hub):
    with own_worker(step, hub) as own:
        yield own


def polished(recording, path, kind="other", preset="aggressive", progress=silent):
    return MultiBandDiffusion().mend(recording, Facts(kind, None), preset, path, progress)


def error_db(estimate, reference):
    return 10 * np.log10(np.square(estimate - reference).sum() / np.square(reference).sum() + 1e-30)


def test_it_comes_out_as_from_the_package_and_as_much_of_it_as_the_preset_says(worker, hub, tmp_path):
    noise = Recording.open(hub / "noise.wav")
    expected = np.load(hub / "polished.npz")["polished"]
    for preset, share in (("aggressive", 1.0), ("balanced", 0.5), ("conservative", 0.25)):
        came = polished(noise, tmp_path / f"{preset}.wav", preset=preset).recording.read()[0]
        assert error_db(came, noise.read()[0] + share * (expected - noise.read()[0])) < -60


def test_bands_come_back_nearer_to_their_levels_in_vocals(worker, hub, tmp_path):
    noise = Recording.open(hub / "noise.wav")

    def off_db(kind):
        came = polished(noise, tmp_path / f"{kind}.wav", kind).recording.read()[0]
        spectra = [np.abs(np.fft.rfft(samples)) ** 2 for samples in (came, noise.read()[0])]
        thirds = [np.add.reduceat(spectrum, np.arange(2000, 22_000, 2000)) for spectrum in spectra]
        return np.abs(10 * np.log10(thirds[0] / thirds[1])).mean()

    assert off_db("vocals") < off_db("drums")


def test_channels_alike_stay_alike_and_what_is_above_the_codecs_band_stays(worker, tmp_path):
    tone = 0.1 * np.sin(2 * np.pi * 15_000 / 48_000 * np.arange(48_000)).astype(np.float32)
    noise = np.random.default_rng(1).normal(0, 0.02, 48_000).astype(np.float32)
    recording = write_samples(tmp_path / "tone.wav", np.stack([tone + noise] * 2), 48_000)
    came = polished(recording, tmp_path / "mended.wav").recording.read()
    assert np.array_equal(came[0], came[1])
    lines = [
        np.abs(np.fft.rfft(samples[0] * np.hanning(48_000)))[15_000] for samples in (came, recording.read())
    ]
    assert lines[0] == pytest.approx(lines[1], rel=1e-3)


@pytest.mark.parametrize(
    ("rate", "channels", "frames"), [(8000, 1, 84_001), (44_100, 3, 900), (22_050, 1, 1)]
)
def test_rate_channels_and_length_stay_over_chunks(worker, tmp_path, rate, channels, frames):
    samples = np.random.default_rng(1).normal(0, 0.1, (channels, frames)).astype(np.float32)
    recording, told = write_samples(tmp_path / "noise.wav", samples, rate), []
    came = polished(recording, tmp_path / "mended.wav", progress=told.append).recording
    assert (came.sample_rate, came.channels, came.frames) == (rate, channels, frames)
    assert np.isfinite(came.read()).all()
    assert told == sorted(told)
    assert told[-1] == 1
    assert len(told) >= 2 * channels  # after every diffusion, so that a slow one is not taken to hang


def test_of_silence_nothing_is_made(worker, tmp_path):
    recording = write_samples(tmp_path / "silence.wav", np.zeros((2, 9000), np.float32), 44_100)
    assert polished(recording, tmp_path / "mended.wav").recording is recording


@pytest.mark.parametrize("damage", ["half", "code"])
@pytest.mark.parametrize("name", ["mbd_comp_8.pt", "model.safetensors"])
def test_weights_that_are_none_are_one_line(worker, hub, tmp_path, monkeypatch, damage, name):
    directory = tmp_path / "models" / "multiband-diffusion"
    shutil.copytree(hub, directory)
    if damage == "half":
        (directory / name).write_bytes((directory / name).read_bytes()[:5000])
    else:
        torch.save({"n_bands": Bomb(tmp_path / "boom")}, directory / name)
    os.utime(directory / "mbd_comp_8.pt", (1, 1))  # another file than the one that is loaded
    monkeypatch.setenv("RESONATE_MODELS", str(directory.parent))
    recording = write_samples(tmp_path / "noise.wav", np.full((1, 900), 0.1, np.float32), 44_100)
    with pytest.raises(ModelError) as raised:
        polished(recording, tmp_path / "mended.wav")
    assert str(directory) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "boom").exists()
    assert not (tmp_path / "mended.wav").exists()


def test_what_is_missing_is_said(worker, tmp_path, monkeypatch):
    assert MultiBandDiffusion().unavailable() is None
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    assert MultiBandDiffusion().unavailable().startswith("config.json: not in ")
    monkeypatch.setenv("RESONATE_WORKERS", str(tmp_path))
    assert MultiBandDiffusion().unavailable().endswith("run `resonate workers install audiocraft`")
