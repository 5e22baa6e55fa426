"""By the real architecture, small, with random weights, in files as its hub has them."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from resonate_resources.models.weights import ModelError
from resonate_resources.recordings.recording import Recording, silent, write_samples
from resonate_resources.restoration.audiosr import step
from resonate_resources.restoration.audiosr.step import WEIGHTS, AudioSR
from resonate_resources.restoration.step import Facts
from resonate_tests.resources.workers_of_tests import Bomb, make_hub, own_worker

RATE, STEPS = 48_000, 4
CUT = 6000


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """The network's files, a chunk of noise, and what the package makes of it."""
    directory = tmp_path_factory.mktemp("models") / "audiosr"
    return make_hub(step.WORKER, Path(__file__).with_name("tiny_network.py"), directory)


@pytest.fixture(scope="module")
def worker(hub):
    with own_worker(step, hub) as own:
        yield own


def extended(recording, path, preset="aggressive", progress=silent):
    facts = Facts("vocals", SimpleNamespace(bandwidth_hz=CUT / 0.97, cut="brick wall"))
    return AudioSR(STEPS).mend(recording, facts, preset, path, progress)


def spectrum(samples):
    frames = samples.shape[-1]
    return np.fft.rfft(samples * np.hanning(frames)), np.fft.rfftfreq(frames, 1 / RATE)


def test_what_is_made_up_is_the_packages_as_loud_as_the_preset_says_and_what_was_there_stays(
    worker, hub, tmp_path
):
    noise = Recording.open(hub / "noise.wav")
    twice = write_samples(tmp_path / "twice.wav", np.repeat(noise.read(), 2, 0), RATE)
    came = extended(twice, tmp_path / "mended.wav").recording.read()
    lines, frequencies = spectrum(came[0])
    below, above = frequencies < CUT * 23 / 24, frequencies > CUT
    given, _ = spectrum(noise.read()[0])
    assert np.abs(lines - given)[below].max() < 1e-3 * np.abs(given).max()
    expected, _ = spectrum(np.load(hub / "made.npz")["made"])
    made, wanted = lines[above], expected[above]
    alike = np.abs(np.vdot(made, wanted)) / np.linalg.norm(made) / np.linalg.norm(wanted)
    assert alike > 0.99
    assert np.array_equal(came[0], came[1])  # what is in the middle stays there
    softly = extended(noise, tmp_path / "softly.wav", preset="conservative").recording.read()
    levels = [np.square(each - noise.read()[0]).mean() for each in (came[0], softly[0])]
    assert 10 * np.log10(levels[0] / levels[1]) == pytest.approx(6, abs=0.01)


@pytest.mark.parametrize(("rate", "channels", "frames"), [(44_100, 1, 250_001), (22_050, 2, 1)])
def test_rate_channels_and_length_stay_over_chunks(worker, tmp_path, rate, channels, frames):
    samples = np.random.default_rng(1).normal(0, 0.1, (channels, frames)).astype(np.float32)
    told = []
    came = extended(
        write_samples(tmp_path / "noise.wav", samples, rate), tmp_path / "mended.wav", progress=told.append
    ).recording
    assert (came.sample_rate, came.channels, came.frames) == (rate, channels, frames)
    assert np.isfinite(came.read()).all()
    assert told[-1] == 1
    assert (
        len(told) >= STEPS * channels
    )  # at every step of the sampler, so that a slow one is not taken to hang


@pytest.mark.parametrize(
    ("rate", "band_hz", "cut", "kind", "preset"),
    [
        (44_100, 15_000, "brick wall", "track", "aggressive"),
        (44_100, 1500, "brick wall", "track", "balanced"),
        (16_000, 7900, "none", "track", "aggressive"),
        (44_100, 12_500, "natural", "track", "balanced"),
        (44_100, 6000, "natural", "bass", "balanced"),
    ],
    ids=["wide", "too narrow", "by its rate", "as music ends", "as stems end"],
)
def test_where_there_is_nothing_to_give_back_the_recording_itself_comes_back(
    tmp_path, rate, band_hz, cut, kind, preset
):
    recording = write_samples(tmp_path / "tone.wav", np.full((2, 1000), 0.1, np.float32), rate)
    facts = Facts(kind, SimpleNamespace(bandwidth_hz=band_hz, cut=cut))
    came = AudioSR().mend(recording, facts, preset, tmp_path / "mended.wav", silent)
    assert came.recording is recording
    assert not (tmp_path / "mended.wav").exists()


def test_the_network_stays_loaded_for_the_next_recording(worker, tmp_path, caplog):
    recording = write_samples(tmp_path / "noise.wav", np.full((1, 900), 0.1, np.float32), RATE)
    extended(recording, tmp_path / "first.wav")
    extended(recording, tmp_path / "second.wav")
    assert not caplog.records  # as of a worker that died and was started again


def test_of_silence_nothing_is_made(worker, tmp_path):
    recording = write_samples(tmp_path / "silence.wav", np.zeros((2, 9000), np.float32), 44_100)
    assert extended(recording, tmp_path / "mended.wav").recording is recording


@pytest.mark.parametrize("damage", ["half", "text", "code", "lacking"])
def test_weights_that_are_none_are_one_line(worker, hub, tmp_path, monkeypatch, damage):
    directory = tmp_path / "models" / "audiosr"
    shutil.copytree(hub, directory)
    weights = directory / WEIGHTS.name
    if damage == "half":
        weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    elif damage == "text":
        weights.write_text("<html>Sign in to download</html>\n" * 50)
    elif damage == "code":
        torch.save({"state_dict": Bomb(tmp_path / "boom")}, weights)
    else:
        saved = torch.load(weights, weights_only=True)["state_dict"]
        torch.save({"state_dict": dict([*saved.items()][10:])}, weights)
    monkeypatch.setenv("RESONATE_MODELS", str(directory.parent))
    recording = write_samples(tmp_path / "noise.wav", np.full((1, 900), 0.1, np.float32), 44_100)
    with pytest.raises(ModelError) as raised:
        extended(recording, tmp_path / "mended.wav")
    assert str(raised.value).startswith(f"{weights}: ")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "boom").exists()
    assert not (tmp_path / "mended.wav").exists()


def test_what_is_missing_is_said(worker, tmp_path, monkeypatch):
    assert AudioSR().unavailable() is None
    monkeypatch.setenv("RESONATE_MODELS", str(tmp_path))
    assert AudioSR().unavailable().startswith("pytorch_model.bin: not in ")
    monkeypatch.setenv("RESONATE_WORKERS", str(tmp_path))
    assert AudioSR().unavailable().endswith("run `resonate workers install audiosr`")
