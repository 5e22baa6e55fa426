"""Pictures, read back as pixels."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.signal.picture import draw
from resonate_studio.demo_song import DemoSong

RATE = 44_100


def recording(path: Path, samples: Samples, rate: int = RATE) -> Recording:
    return write_samples(path, samples, rate)


def tone(hertz: float, seconds: float = 2.0) -> Samples:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE))[None].astype(
        np.float32
    )


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def brightest_row(png: bytes) -> int:
    """Where the spectrogram glows: yellow and orange are red without blue, which letters and waves are not."""
    colours = pixels(png)[:-24, 60:500]
    return int(np.argmax((colours[..., 0] - colours[..., 2]).sum(axis=1)))


def test_four_stems_make_a_png_small_enough_for_the_event_log(demo_song: DemoSong) -> None:
    png = draw(demo_song.stems)
    assert len(png) <= 40_000
    assert Image.open(io.BytesIO(png)).format == "PNG"
    assert draw(demo_song.stems) == png


def test_tones_an_octave_apart_are_drawn_evenly_spaced_with_high_ones_above(tmp_path: Path) -> None:
    rows = [
        brightest_row(draw({"tone": recording(tmp_path / f"{hertz}.wav", tone(hertz))}))
        for hertz in (500, 1000, 2000, 4000)
    ]
    steps = -np.diff(rows)
    assert steps.min() > 0
    assert steps.max() - steps.min() <= 2


def test_a_loud_second_half_is_drawn_in_the_second_half(tmp_path: Path) -> None:
    samples = np.concatenate([0.001 * tone(1000), tone(1000)], axis=1)
    wave = pixels(draw({"grows": recording(tmp_path / "grows.wav", samples)}))[24:60, 44:584]
    lit = (wave[..., 2] > 100).sum(axis=0)
    assert lit[:260].max() * 3 < lit[280:].min()


def test_a_short_recording_takes_its_share_of_the_longest_ones_time(tmp_path: Path) -> None:
    png = draw(
        {
            "long": recording(tmp_path / "long.wav", tone(1000, 4)),
            "short": recording(tmp_path / "short.wav", tone(1000, 1)),
        }
    )
    glow = (pixels(png)[:, 44:584, 0] - pixels(png)[:, 44:584, 2]) > 60
    long, short = np.array_split(glow[:-24], 2)
    assert np.flatnonzero(long.any(axis=0)).max() > 500
    assert np.flatnonzero(short.any(axis=0)).max() == pytest.approx(540 / 4, abs=3)


@pytest.mark.parametrize(
    ("shape", "rate"), [((1, 1), 44_100), ((6, 3), 8_000), ((2, 192_000), 192_000), ((1, 300_000), 8_000)]
)
def test_any_shape_and_rate_is_drawn(shape: tuple[int, int], rate: int, tmp_path: Path) -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    png = draw({"noise": recording(tmp_path / "noise.wav", samples, rate)})
    assert (pixels(png)[24:60, 44:584, 2] > 100).any()


def test_silence_is_drawn_dark(tmp_path: Path) -> None:
    silence = recording(tmp_path / "silence.wav", np.zeros((2, RATE), np.float32))
    spectrogram = pixels(draw({"silence": silence}))[70:138, 46:580]
    assert spectrogram.max() <= 30


def test_bars_are_drawn_over_the_waveform_where_they_begin(tmp_path: Path) -> None:
    sound = recording(tmp_path / "tone.wav", tone(440, 10.0))
    plain, with_bars = pixels(draw({"tone": sound})), pixels(draw({"tone": sound}, downbeats_s=(2.5, 7.5)))
    columns = np.flatnonzero((plain != with_bars).any(axis=(0, 2)))
    np.testing.assert_allclose((columns - 44) / 540 * 10, [2.5, 7.5], atol=0.02)


def test_of_bars_that_lie_too_close_every_so_manyth_is_drawn(tmp_path: Path) -> None:
    sound = recording(tmp_path / "tone.wav", tone(440, 10.0))
    bars = tuple(np.arange(0, 10, 0.01).tolist())
    plain, with_bars = pixels(draw({"tone": sound})), pixels(draw({"tone": sound}, downbeats_s=bars))
    columns = np.flatnonzero((plain != with_bars).any(axis=(0, 2)))
    assert np.diff(columns).min() >= 5
    assert len(columns) > 50
