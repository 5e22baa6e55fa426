"""Spleeter's networks in the embedded engine: real speech in, and all that can be wrong with their weights."""

from __future__ import annotations

import re
import shutil
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import av
import numpy as np
import onnx
import pytest
import soxr
import torch
from torch.nn import functional

from resonate_resources.recordings.recording import Samples, silent, write_samples
from resonate_resources.separation.spectral import spleeter
from resonate_resources.separation.spectral.engine import SpectralSeparator, separate_samples
from resonate_resources.separation.spectral.stft import Stft
from resonate_resources.signal.si_sdr import si_sdr
from resonate_studio.demo_song import DemoSong
from resonate_tests.benchmarks import spleeter_graph
from resonate_tests.programs import required

REPOSITORY = Path(__file__).parents[4]
CHECKPOINT = spleeter._checkpoint()
assert CHECKPOINT is not None, spleeter.INSTALL
RELEASE = spleeter.lift(0.2)


@pytest.fixture(scope="module")
def speech() -> Samples:
    """Ten seconds of a woman's voice at 44.1 kHz, in stereo; recorded at 16 kHz."""
    with av.open(
        str(required("asterisk-core-sounds-en-g722") / "demo-congrats.g722"), format="g722"
    ) as container:
        heard = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    samples = np.concatenate(heard)[: 10 * 16000].astype(np.float32) / 32768
    mono = soxr.resample(samples, 16000, 44100)
    return np.stack([mono, mono])


def peer(magnitudes: torch.Tensor, number: int) -> torch.Tensor:
    """Spleeter's `unet.py`, layer by layer, padded as TensorFlow does: (2, times, 1024) of one network."""
    places = spleeter_graph.variables((CHECKPOINT.parent / "model.index").read_bytes())

    def variable(kind: str, index: int, part: str) -> torch.Tensor:
        place = places[f"{kind}_{index}/{part}" if index else f"{kind}/{part}"]
        values = np.fromfile(CHECKPOINT, "<f4", place.size // 4, offset=place.offset)
        return torch.from_numpy(values.reshape(place.shape))

    def normalised(values: torch.Tensor, index: int) -> torch.Tensor:
        mean, variance, gamma, beta = (
            variable("batch_normalization", index, part)[:, None, None]
            for part in ("moving_mean", "moving_variance", "gamma", "beta")
        )
        return (values - mean) / torch.sqrt(variance + 1e-3) * gamma + beta

    def convolved(values: torch.Tensor, index: int) -> torch.Tensor:
        kernel = variable("conv2d", index, "kernel").permute(3, 2, 0, 1)
        return functional.conv2d(
            functional.pad(values, (1, 2, 1, 2)), kernel, variable("conv2d", index, "bias"), stride=2
        )

    down: list[torch.Tensor] = []
    values = magnitudes
    for layer in range(6):
        down.append(convolved(values, 7 * number + layer))
        values = functional.leaky_relu(normalised(down[-1], 12 * number + layer), 0.2)
    values = down.pop()
    for layer in range(6):
        kernel = variable("conv2d_transpose", 6 * number + layer, "kernel").permute(3, 2, 0, 1)
        bias = variable("conv2d_transpose", 6 * number + layer, "bias")
        whole = functional.conv_transpose2d(values[None], kernel, bias, stride=2)[0]
        times, bins = (2 * size for size in values.shape[1:])
        values = torch.relu(whole[:, 1 : 1 + times, 1 : 1 + bins])
        values = normalised(values, 12 * number + 6 + layer)
        if down:
            values = torch.cat([down.pop(), values])
    kernel = variable("conv2d", 7 * number + 6, "kernel").permute(3, 2, 0, 1)
    last = functional.pad(values, (3, 3, 3, 3))
    gain = torch.sigmoid(
        functional.conv2d(last, kernel, variable("conv2d", 7 * number + 6, "bias"), dilation=2)
    )
    return gain * magnitudes


def test_the_graph_is_what_the_checkpoints_index_says() -> None:
    made = spleeter_graph.model((CHECKPOINT.parent / "model.index").read_bytes())
    assert onnx.load_from_string(spleeter._GRAPH.read_bytes()) == made
    assert len(spleeter._GRAPH.read_bytes()) < 40_000


def test_the_networks_compute_what_their_authors_wrote(speech: Samples) -> None:
    rng = np.random.default_rng(0)
    noise = np.cumsum(rng.normal(size=speech.shape), axis=1) * 0.002
    magnitudes = np.abs(Stft(4096).forward((5 * speech + noise).astype(np.float32))[:, 100:228, :1024])
    (shares,) = spleeter._session().run(None, {"magnitudes": magnitudes[None]})
    with torch.inference_mode():
        vocals, rest = (peer(torch.from_numpy(magnitudes), number).numpy() ** 2 for number in (0, 1))
    expected = (vocals + 0.5e-10) / (vocals + rest + 1e-10)
    assert expected.std() > 0.1
    heard = vocals + rest > 1e-6 * np.square(
        magnitudes
    )  # elsewhere both say that it is nobody's, up to rounding
    assert heard.mean() > 0.9
    assert np.abs(shares[0] - expected)[heard].max() < 1e-3


def test_a_voice_alone_comes_out_as_vocals(speech: Samples) -> None:
    stems = separate_samples(speech, 44100, RELEASE)
    assert si_sdr(stems["vocals"], speech) >= 20


def test_a_real_voice_is_found_in_a_band(speech: Samples, demo_song: DemoSong) -> None:
    band = sum(stem.read(0, speech.shape[1]) for name, stem in demo_song.stems.items() if name != "vocals")
    band = band * np.float32(np.sqrt(np.square(speech).mean() / np.square(band).mean()))
    stems = separate_samples(speech + band, 44100, RELEASE)
    assert si_sdr(stems["vocals"], speech) - si_sdr(speech + band, speech) >= 9


def level_db(samples: Samples, of: Samples) -> float:
    return float(10 * np.log10(np.square(samples).mean() / np.square(of).mean() + 1e-12))


@pytest.mark.parametrize(
    ("rate", "channels", "gain"),
    [
        (8000, 1, 1),
        (16000, 2, 1),
        (22050, 1, 1),
        (48000, 2, 1),
        (96000, 2, 1),
        (192_000, 2, 1),
        (44100, 6, 1),
        (44100, 2, 1e-3),
    ],
)
def test_a_voice_is_one_at_every_rate_number_of_channels_and_level(
    speech: Samples, tmp_path: Path, rate: int, channels: int, gain: float
) -> None:
    mono = soxr.resample(speech[0, : 5 * 44100], 44100, rate)
    samples = np.stack([mono * np.float32(gain)] * channels)
    track = write_samples(tmp_path / "track.wav", samples, rate)
    stems = SpectralSeparator().separate(track, tmp_path, silent)
    assert si_sdr(stems["vocals"].read(), samples) >= 15


def test_a_second_and_less_is_taken_too(speech: Samples) -> None:
    for frames in (1, 1000, 44100):
        stems = separate_samples(speech[:, 100_000 : 100_000 + frames], 44100, RELEASE)
        assert np.abs(sum(stems.values()) - speech[:, 100_000 : 100_000 + frames]).max() < 1e-5


def test_drums_are_no_voice(demo_song: DemoSong) -> None:
    drums = demo_song.stems["drums"].read(0, 10 * 44100)
    assert level_db(separate_samples(drums, 44100, RELEASE)["vocals"], drums) <= -25


def test_without_the_weights_it_works_as_before_and_says_so(
    speech: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_weights = SpectralSeparator().recipe()
    assert (with_weights.engine.model, with_weights.settings["weights_sha256"]) == (
        spleeter.MODEL,
        spleeter.SHA256,
    )

    def gone(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(spleeter, "distribution", gone)
    track = write_samples(tmp_path / "track.wav", speech[:, :44100], 44100)
    separator = SpectralSeparator()
    stems = separator.separate(track, tmp_path, silent)
    assert np.abs(sum(stem.read() for stem in stems.values()) - speech[:, :44100]).max() < 1e-5
    assert separator.notes == (
        f"voices are found less well: Spleeter's weights are not installed: run `{spleeter.INSTALL}`",
    )
    assert separator.recipe().engine.model is None
    assert separator.recipe().keyed() != with_weights.keyed()


def test_a_damaged_file_of_weights_is_not_used(
    speech: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = tmp_path / CHECKPOINT.name
    shutil.copyfile(CHECKPOINT, damaged)
    with damaged.open("r+b") as file:
        file.seek(1_000_000)
        file.write(b"\xff\xff\xff\x7f")  # NaN
    monkeypatch.setattr(spleeter, "_checkpoint", lambda: damaged)
    assert spleeter.why_missing() == (
        f"{damaged}: is not the published file of weights; run `{spleeter.INSTALL} --force-reinstall`"
    )
    track = write_samples(tmp_path / "track.wav", speech[:, :44100], 44100)
    separator = SpectralSeparator()
    separator.separate(track, tmp_path, silent)
    assert "is not the published file" in separator.notes[0]


def test_make_installs_what_the_engine_asks_for_and_the_licence_goes_with_it() -> None:
    assert (
        "-m " + spleeter.INSTALL.replace("install", "install --quiet")
        in (REPOSITORY / "Makefile").read_text()
    )
    licence = (spleeter._GRAPH.parent / "spleeter.LICENSE").read_text()
    assert re.search(r"MIT License\s+Copyright \(c\) 2019-present, Deezer SA\.", licence)
