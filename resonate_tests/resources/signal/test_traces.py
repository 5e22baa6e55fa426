"""Traces of converters, coders and mains that are known, because they were made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from resonate_resources.recordings.recording import Recording, write_samples
from resonate_resources.signal.traces import find_traces

RATE = 44_100
SECONDS = 20
TIME = np.arange(SECONDS * RATE) / RATE

Wave = npt.NDArray[np.float64]


def recording(path: Path, wave: Wave) -> Recording:
    return write_samples(path, np.atleast_2d(wave).astype(np.float32), RATE)


def bursts(seed: int, every_s: float, length_s: float) -> Wave:
    """Noise that stops at once."""
    noise = np.random.default_rng(seed).standard_normal(len(TIME))
    return 0.1 * noise * ((TIME % every_s) < length_s)


def music() -> Wave:
    return bursts(4, 0.5, 0.3) + 0.01 * np.random.default_rng(6).standard_normal(len(TIME))


def test_clean_noise_has_no_traces(tmp_path: Path) -> None:
    found = find_traces(recording(tmp_path / "clean.wav", np.stack([music(), music()])))
    assert found.cut == "none"
    assert found.comb is None
    assert found.hum is None
    assert found.images_hz == ()
    assert found.flat_tops == 0
    assert found.dc == pytest.approx((0, 0), abs=1e-3)


@pytest.mark.parametrize("mains_hz", [50, 60])
def test_hum_is_heard_with_its_level(mains_hz: int, tmp_path: Path) -> None:
    harmonics = sum(0.01 * np.sin(2 * np.pi * mains_hz * n * TIME) for n in (1, 2, 3, 4))
    found = find_traces(recording(tmp_path / "hum.wav", music() + harmonics)).hum
    assert found is not None
    assert found.mains_hz == mains_hz
    assert found.level_dbfs == pytest.approx(-40 + 6.02, abs=1.5)


def test_a_comb_of_steady_lines_has_its_spacing(tmp_path: Path) -> None:
    spacing = 750.0
    lines = sum(0.003 * np.sin(2 * np.pi * spacing * n * TIME + n) for n in range(1, 28))
    found = find_traces(recording(tmp_path / "comb.wav", music() + lines)).comb
    assert found is not None
    assert found.spacing_hz == pytest.approx(spacing, rel=0.01)


def test_an_image_over_half_a_rate_is_found(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    tones = rng.uniform(8000, 10_800, 25)
    wave = sum(0.01 * np.sin(2 * np.pi * hertz * TIME) for hertz in tones)
    mirrored = sum(0.004 * np.sin(2 * np.pi * (22_050 - hertz) * TIME) for hertz in tones)
    assert find_traces(recording(tmp_path / "plain.wav", 0.1 * music() + wave)).images_hz == ()
    found = find_traces(recording(tmp_path / "image.wav", 0.1 * music() + wave + mirrored))
    assert found.images_hz == (11_025.0,)


def test_every_clipped_top_of_a_tone_is_counted_and_a_clean_one_has_none(tmp_path: Path) -> None:
    tone = 1.4 * np.sin(2 * np.pi * 110 * TIME)
    clipped = find_traces(recording(tmp_path / "clipped.wav", tone.clip(-0.9, 0.9)))
    assert clipped.flat_tops == pytest.approx(2 * 110 * SECONDS, rel=0.01)
    assert find_traces(recording(tmp_path / "tone.wav", 0.6 * tone)).flat_tops == 0


def test_an_offset_is_told_by_channel(tmp_path: Path) -> None:
    found = find_traces(recording(tmp_path / "dc.wav", np.stack([music() + 0.05, music() - 0.02])))
    assert found.dc == pytest.approx((0.05, -0.02), abs=1e-3)


def test_a_telephones_band_is_told_from_a_brick_wall(tmp_path: Path) -> None:
    from scipy.signal import firwin, oaconvolve

    phone = firwin(2001, (300, 3400), pass_zero=False, fs=RATE)
    wall = firwin(2001, 16_000, fs=RATE)
    called = {
        name: find_traces(recording(tmp_path / f"{name}.wav", oaconvolve(music(), taps, "same")))
        for name, taps in (("phone", phone), ("wall", wall))
    }
    assert called["phone"].cut == "phone band"
    assert called["wall"].cut == "brick wall"
    assert "AAC or MP3 at 128 kbit/s" in called["wall"].cut_fits


def a_weighted(wave: Wave) -> float:
    """Its energy by the table of IEC 61672-1."""
    hertz = [63, 125, 250, 500, 1000, 2000, 4000, 8000, 16_000, 22_050]
    weights_db = [-26.2, -16.1, -8.6, -3.2, 0.0, 1.2, 1.0, -1.1, -6.6, -10.1]
    at = np.fft.rfftfreq(len(wave), 1 / RATE)
    gain_db = np.interp(np.log(np.maximum(at, 20)), np.log(hertz), weights_db)
    return float((np.square(np.abs(np.fft.rfft(wave))) * 10 ** (gain_db / 10)).sum())


@pytest.mark.parametrize("snr_db", [10.0, 25.0, 40.0])
def test_noise_that_never_rests_is_told_by_how_far_it_is_under_the_music(
    snr_db: float, tmp_path: Path
) -> None:
    from scipy.signal import firwin, oaconvolve

    music = oaconvolve(bursts(4, 0.5, 0.3), firwin(501, 8000, fs=RATE), "same")
    white = np.random.default_rng(9).standard_normal(len(TIME))
    noise = oaconvolve(white, firwin(501, 16_000, fs=RATE), "same")
    noise *= np.sqrt(a_weighted(music) / a_weighted(noise) / 10 ** (snr_db / 10))
    found = find_traces(recording(tmp_path / "noisy.wav", music + noise)).over_steady_noise_db
    assert found == pytest.approx(10 * np.log10(10 ** (snr_db / 10) + 1), abs=1.5)


def test_music_without_noise_has_none_that_never_rests(tmp_path: Path) -> None:
    assert find_traces(recording(tmp_path / "clean.wav", bursts(4, 0.5, 0.3))).over_steady_noise_db == 120
    silent = find_traces(recording(tmp_path / "silent.wav", np.zeros(len(TIME))))
    assert (silent.over_steady_noise_db, silent.snr_db, silent.rms_dbfs) == (None, None, None)


def test_a_loop_that_repeats_exactly_has_lines_everywhere_and_no_hum(tmp_path: Path) -> None:
    time = np.arange(int(0.6 * RATE)) / RATE  # 100 BPM: lines every 1.67 Hz, also at 50 and 60
    bar = np.concatenate(
        [
            sum(np.sin(2 * np.pi * root * partial * time) / partial for partial in range(1, 6))
            * np.exp(-3 * time)
            for root in (65.4, 87.3, 98.0, 65.4)
        ]
    )
    loop = 0.1 * np.tile(bar, 12)
    assert find_traces(write_samples(tmp_path / "x.wav", loop[None].astype(np.float32), RATE)).hum is None
