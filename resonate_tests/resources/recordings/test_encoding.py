"""What we deliver: the right number of bits, dithered once, the right length, and the same bytes each time."""

# mypy: disable-error-code="no-untyped-call"
# mutagen is typed in part only.

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.recordings import encoding
from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.encoding import (
    downmix_to_stereo,
    encode_flac,
    encode_mp3,
    encode_wav,
    mp3_sample_rate,
    quantise,
)
from resonate_resources.recordings.recording import AudioError, Recording, file_sha256, write_samples
from resonate_tests.bad_input import disk_with_room_for
from resonate_tests.peer_encoders import noise

Encoder = Callable[[Recording, Path], None]
ENCODERS = [(encode_wav, "wav"), (encode_flac, "flac"), (encode_mp3, "mp3")]


def recorded(folder: Path, frames: int, channels: int, sample_rate: int = 44100) -> Recording:
    samples = noise(frames, channels).T.astype(np.float32)
    return write_samples(folder / "recording.wav", samples, sample_rate)


# --- dither --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("steps", [0.0, 0.25, 0.5, 100.3])
def test_dithered_error_has_no_mean_and_a_quarter_step_of_variance_whatever_the_signal(
    bits: int, steps: float
) -> None:
    """TPDF of two steps' width: total error variance q²/4, mean 0 (Lipshitz et al., JAES 1992)."""
    frames = 500_000
    value = np.float32(steps / (1 << (bits - 1)))
    whole = quantise(np.full((2, frames), value), bits, np.random.default_rng(0)) >> (32 - bits)
    error = whole - float(value) * (1 << (bits - 1))
    # With 10⁶ samples the mean's standard error is 0.0005 and that of the variance under 0.0004.
    assert abs(error.mean()) < 0.0025
    assert error.var() == pytest.approx(0.25, abs=0.002)


def test_dither_is_independent_between_channels() -> None:
    left, right = quantise(np.zeros((2, 500_000), np.float32), 16, np.random.default_rng(0)).T / 65536
    # Each has variance 1/4: the standard error of their correlation over 500 000 pairs is 0.0014.
    assert abs(np.mean(left * right) / 0.25) < 0.007


@pytest.mark.parametrize("bits", [16, 24])
def test_samples_over_full_scale_are_clipped_and_never_wrap(bits: int) -> None:
    block = np.array([[-8.0, -1.5, 1.0, 1.5, 8.0]], np.float32)
    whole = quantise(block, bits, np.random.default_rng(0))[:, 0]
    assert (whole[:2] == -(2**31)).all()
    assert (whole[3:] >> (32 - bits) == 2 ** (bits - 1) - 1).all()
    assert (whole[2:] > 0).all()


@settings(max_examples=30)
@given(cuts=st.lists(st.integers(0, 1000), max_size=5), channels=st.integers(1, 6))
def test_dither_does_not_depend_on_how_the_audio_is_cut_into_blocks(cuts: list[int], channels: int) -> None:
    samples = np.random.default_rng(2).uniform(-1, 1, (channels, 1000)).astype(np.float32)
    whole = quantise(samples, 24, np.random.default_rng(5))
    rng = np.random.default_rng(5)
    pieces = [quantise(piece, 24, rng) for piece in np.split(samples, sorted(cuts), axis=1)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


# --- WAV and FLAC --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("encode", [encode_wav, encode_flac])
def test_fixed_point_files_hold_the_recording_within_dither_and_rounding(
    encode: Callable[..., None], bits: int, tmp_path: Path
) -> None:
    recording = recorded(tmp_path, 300_000, 2)
    encode(recording, tmp_path / "out", bits=bits)
    info = sf.info(tmp_path / "out")
    assert (info.subtype, info.samplerate, info.channels, info.frames) == (f"PCM_{bits}", 44100, 2, 300_000)
    error = sf.read(tmp_path / "out")[0].T - recording.read()
    assert np.abs(error).max() <= 1.5 / (1 << (bits - 1))


def test_wav_and_flac_of_one_recording_hold_the_same_samples(tmp_path: Path) -> None:
    recording = recorded(tmp_path, 300_000, 2)
    encode_wav(recording, tmp_path / "out.wav")
    encode_flac(recording, tmp_path / "out.flac")
    wav, flac = (sf.read(tmp_path / name, dtype="int32")[0] for name in ("out.wav", "out.flac"))
    np.testing.assert_array_equal(wav, flac)


def test_float_wav_is_the_recording_bit_for_bit(tmp_path: Path) -> None:
    samples = 3 * noise(300_000, 2).T.astype(np.float32)
    encode_wav(write_samples(tmp_path / "a.wav", samples, 44100), tmp_path / "out.wav", bits=32)
    assert sf.info(tmp_path / "out.wav").subtype == "FLOAT"
    np.testing.assert_array_equal(sf.read(tmp_path / "out.wav", dtype="float32")[0].T, samples)


def test_surround_wav_says_which_loudspeaker_each_channel_is_for(tmp_path: Path) -> None:
    encode_wav(recorded(tmp_path, 4800, 6, 48000), tmp_path / "out.wav")
    header = (tmp_path / "out.wav").read_bytes()[:64]
    assert header[20:22] == b"\xfe\xff"  # WAVE_FORMAT_EXTENSIBLE
    assert int.from_bytes(header[40:44], "little") == 0x3F  # dwChannelMask of 5.1


def test_wav_over_four_gibibytes_becomes_rf64(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = recorded(tmp_path, 10_000, 2)
    monkeypatch.setattr(encoding, "_WAV_BYTES_MAX", 59_999)
    encode_wav(recording, tmp_path / "out.wav")
    assert (tmp_path / "out.wav").read_bytes()[:4] == b"RF64"
    assert sf.info(tmp_path / "out.wav").frames == 10_000


def test_flac_of_more_than_eight_channels_is_refused(tmp_path: Path) -> None:
    recording = write_samples(tmp_path / "a.wav", np.zeros((9, 10), np.float32), 48000)
    with pytest.raises(AudioError, match=r"at most 8 channels"):
        encode_flac(recording, tmp_path / "out.flac")


# --- MP3 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sample_rate", "channels", "surplus_allowed"),
    [(32000, 1, 0), (44100, 2, 0), (48000, 2, 0), (8000, 1, 36), (11025, 2, 36), (22050, 2, 36)],
)
def test_mp3_decodes_to_the_length_and_place_of_the_recording(
    sample_rate: int, channels: int, surplus_allowed: int, tmp_path: Path
) -> None:
    """To the frame from 32 kHz up; below, FFmpeg's header can leave 612 − 576 frames of padding unsaid."""
    from scipy.signal import correlate

    recording = recorded(tmp_path, 50_123, channels, sample_rate)
    encode_mp3(recording, tmp_path / "out.mp3")
    result = decode(tmp_path / "out.mp3", tmp_path).recording
    assert (result.sample_rate, result.channels) == (sample_rate, channels)
    assert 0 <= result.frames - 50_123 <= surplus_allowed
    correlation = correlate(result.read()[0], recording.read()[0], method="fft")
    assert np.argmax(correlation) == 50_123 - 1


@pytest.mark.parametrize(
    ("sample_rate", "written"),
    [
        (96_000, 48_000),
        (192_000, 48_000),
        (88_200, 44_100),
        (176_400, 44_100),
        (37_800, 44_100),
        (64_000, 48_000),
    ],
)
def test_rates_that_mp3_lacks_are_resampled(sample_rate: int, written: int, tmp_path: Path) -> None:
    frames = sample_rate  # one second
    time = np.arange(frames) / sample_rate
    tone = (0.5 * np.sin(2 * np.pi * 1000 * time)).astype(np.float32)
    encode_mp3(write_samples(tmp_path / "a.wav", tone[None], sample_rate), tmp_path / "out.mp3")
    result = decode(tmp_path / "out.mp3", tmp_path).recording
    assert mp3_sample_rate(sample_rate) == result.sample_rate == written
    assert abs(result.frames - written) <= 1
    middle = result.read(written // 4, 3 * written // 4)[0]
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(written // 4, 3 * written // 4) / written)
    # In phase and level: what is left is the codec's noise.
    assert np.sqrt(np.mean((middle - expected) ** 2)) < 0.5 / np.sqrt(2) * 10 ** (-40 / 20)


def test_mp3_has_the_bit_rate_that_was_asked_for(tmp_path: Path) -> None:
    from mutagen.mp3 import MP3, BitrateMode

    recording = recorded(tmp_path, 200_000, 2)
    for kbps in (320, 192):
        encode_mp3(recording, tmp_path / "out.mp3", bitrate_kbps=kbps)
        info: Any = MP3(tmp_path / "out.mp3").info
        assert (info.bitrate, info.bitrate_mode) == (1000 * kbps, BitrateMode.CBR)


def test_mp3_is_not_dithered(tmp_path: Path) -> None:
    """Digital silence stays digital silence."""
    recording = write_samples(tmp_path / "a.wav", np.zeros((2, 100_000), np.float32), 44100)
    encode_mp3(recording, tmp_path / "out.mp3")
    assert np.abs(decode(tmp_path / "out.mp3", tmp_path).recording.read()).max() == 0


@pytest.mark.parametrize(
    ("channels", "parts"),
    [
        # ITU-R BS.775-3, annex 4, table 2: L R C (LFE) Ls Rs → L, R
        (3, [(1, 0), (0, 1), (0.7071, 0.7071)]),
        (5, [(1, 0), (0, 1), (0.7071, 0.7071), (0.7071, 0), (0, 0.7071)]),
        (6, [(1, 0), (0, 1), (0.7071, 0.7071), (0, 0), (0.7071, 0), (0, 0.7071)]),
    ],
)
def test_surround_is_mixed_down_by_the_standard(channels: int, parts: list[tuple[float, float]]) -> None:
    mixed = downmix_to_stereo(np.eye(channels, dtype=np.float32))
    np.testing.assert_allclose(mixed.T, parts, atol=5e-5)


def test_a_loud_surround_mix_does_not_clip_when_mixed_down(tmp_path: Path) -> None:
    tone = 0.99 * np.sin(2 * np.pi * 440 * np.arange(96_000) / 48000)
    recording = write_samples(tmp_path / "a.wav", np.tile(tone, (6, 1)).astype(np.float32), 48000)
    encode_mp3(recording, tmp_path / "out.mp3")
    result = decode(tmp_path / "out.mp3", tmp_path).recording
    assert result.channels == 2
    middle = np.abs(result.read(24_000, 72_000))
    assert 0.98 < middle.max() < 1.02


def test_more_than_six_channels_are_refused_for_mp3_and_nothing_is_left(tmp_path: Path) -> None:
    recording = write_samples(tmp_path / "a.wav", np.zeros((7, 10), np.float32), 48000)
    with pytest.raises(AudioError, match=r"7 channels"):
        encode_mp3(recording, tmp_path / "out.mp3")
    assert not (tmp_path / "out.mp3").exists()


# --- all -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("encode", "suffix"), ENCODERS)
def test_the_same_recording_gives_the_same_bytes(encode: Encoder, suffix: str, tmp_path: Path) -> None:
    recording = recorded(tmp_path, 300_000, 2)
    for name in ("first", "second"):
        encode(recording, tmp_path / f"{name}.{suffix}")
    assert file_sha256(tmp_path / f"first.{suffix}") == file_sha256(tmp_path / f"second.{suffix}")


@pytest.mark.parametrize(("encode", "suffix"), ENCODERS)
@pytest.mark.parametrize(
    "samples", [np.zeros((2, 1000)), np.full((1, 1), 0.5)], ids=["silence", "one sample"]
)
def test_silence_and_a_single_sample_can_be_delivered(
    encode: Encoder, suffix: str, samples: np.ndarray, tmp_path: Path
) -> None:
    recording = write_samples(tmp_path / "a.wav", samples.astype(np.float32), 44100)
    encode(recording, tmp_path / f"out.{suffix}")
    assert np.isfinite(decode(tmp_path / f"out.{suffix}", tmp_path).recording.read()).all()


@pytest.mark.parametrize(("encode", "suffix"), ENCODERS)
def test_a_full_disk_is_told_in_one_line_and_leaves_nothing(
    encode: Encoder, suffix: str, tmp_path: Path
) -> None:
    recording = recorded(tmp_path, 300_000, 2)
    out = tmp_path / f"out.{suffix}"
    with disk_with_room_for(20_000), pytest.raises(AudioError) as error:
        encode(recording, out)
    assert str(error.value).startswith(f"out.{suffix}: cannot be written to {tmp_path}")
    assert len(str(error.value).splitlines()) == 1
    assert not out.exists()
