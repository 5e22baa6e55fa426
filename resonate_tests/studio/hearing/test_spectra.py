"""What one version has more of than another, once both are as loud."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.recordings.recording import write_samples
from resonate_studio.hearing.spectra import compare_spectra

_RATE = 44_100


def noise(
    seconds: float, rate: int = _RATE, channels: int = 2
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rng = np.random.default_rng(11)
    return (0.05 * rng.standard_normal((channels, round(seconds * rate)))).astype(np.float32)


def test_the_same_only_louder_differs_nowhere_but_in_loudness(tmp_path: Path) -> None:
    samples = noise(8)
    a = write_samples(tmp_path / "a.wav", samples, _RATE)
    b = write_samples(tmp_path / "b.wav", samples * np.float32(10 ** (6 / 20)), _RATE)
    found = compare_spectra(a, b)
    assert found.loudness_difference_lu == pytest.approx(6.0, abs=0.01)
    assert found.difference_db == pytest.approx([0.0] * 10, abs=0.01)
    assert found.octaves_hz[5] == 1000


def test_white_noise_has_three_decibels_more_in_each_octave(tmp_path: Path) -> None:
    a = write_samples(tmp_path / "a.wav", noise(20), _RATE)
    levels = compare_spectra(a, a).a_db
    assert np.diff(np.array(levels[1:9], float)) == pytest.approx(10 * np.log10(2), abs=0.35)


def test_what_was_added_in_one_octave_stands_out_there_at_equal_loudness(tmp_path: Path) -> None:
    samples = noise(10)
    spectrum, hertz = np.fft.rfft(samples), np.fft.rfftfreq(samples.shape[1], 1 / _RATE)
    spectrum[:, (hertz >= 1000 / 2**0.5) & (hertz < 1000 * 2**0.5)] *= 2  # IEC 61260-1: the octave of 1 kHz
    a = write_samples(tmp_path / "a.wav", samples, _RATE)
    b = write_samples(tmp_path / "b.wav", np.fft.irfft(spectrum).astype(np.float32), _RATE)
    found = compare_spectra(a, b)
    difference = np.array(found.difference_db, float)
    assert int(difference.argmax()) == 5
    assert difference[5] - difference[2] == pytest.approx(6.02, abs=0.1)
    assert difference[2] == pytest.approx(-(found.loudness_difference_lu or 0.0), abs=0.1)


def test_only_the_stretch_is_listened_to(tmp_path: Path) -> None:
    samples = noise(12)
    louder = samples.copy()
    louder[:, 6 * _RATE :] *= 2
    a, b = write_samples(tmp_path / "a.wav", samples, _RATE), write_samples(tmp_path / "b.wav", louder, _RATE)
    assert compare_spectra(a, b, 0.0, 6.0).loudness_difference_lu == pytest.approx(0.0, abs=0.01)
    assert compare_spectra(a, b, 6.0).loudness_difference_lu == pytest.approx(6.02, abs=0.01)


def test_versions_at_other_rates_and_in_mono_are_compared_by_what_is_heard(tmp_path: Path) -> None:
    t = np.arange(4 * 96_000) / 96_000
    tone = (0.1 * np.sin(2 * np.pi * 997 * t)).astype(np.float32)
    a = write_samples(tmp_path / "a.wav", np.stack([tone, tone]), 96_000)
    b = write_samples(tmp_path / "b.wav", tone[np.newaxis, ::2], 48_000)
    found = compare_spectra(a, b)
    # A pair of loudspeakers plays mono as it plays two equal channels.
    assert found.loudness_difference_lu == pytest.approx(0.0, abs=0.05)
    assert found.difference_db[5] == pytest.approx(0.0, abs=0.05)


def test_of_silence_and_of_octaves_that_are_not_there_nothing_is_told(tmp_path: Path) -> None:
    a = write_samples(tmp_path / "a.wav", noise(4), _RATE)
    silence = write_samples(tmp_path / "b.wav", np.zeros((2, 4 * _RATE), np.float32), _RATE)
    found = compare_spectra(a, silence)
    assert found.loudness_difference_lu is None
    assert found.b_db == [None] * 10 and found.difference_db == [None] * 10
    low = write_samples(tmp_path / "low.wav", noise(4, 8000), 8000)
    assert compare_spectra(a, low).difference_db[9] is None


def test_of_a_long_recording_two_minutes_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rate = 8000
    a = write_samples(tmp_path / "a.wav", noise(20 * 60, rate, 1), rate)
    read: list[int] = []
    original = type(a).read

    def counted(self, start=0, stop=None):  # type: ignore[no-untyped-def]
        block = original(self, start, stop)
        read.append(block.shape[1])
        return block

    monkeypatch.setattr(type(a), "read", counted)
    found = compare_spectra(a, a)
    assert found.loudness_difference_lu == 0.0
    assert sum(read) == pytest.approx(2 * 120 * rate, rel=0.01)
