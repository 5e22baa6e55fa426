"""What we deliver: the right number of bits, dithered once, the right length, and the same bytes each time."""

# mypy: disable-error-code="no-untyped-call"
# mutagen is typed in part only.

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.recordings import encoding
from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.encoding import (
    encode_flac,
    encode_wav,
    quantise,
)
from resonate_resources.recordings.lossy import LOSSY, encode_lossy
from resonate_resources.recordings.recording import (
    BLOCK_FRAMES,
    AudioError,
    Recording,
    file_sha256,
    write_samples,
)
from resonate_tests.bad_input import disk_with_room_for
from resonate_tests.peer_encoders import noise

Encoder = Callable[[Recording, Path], None]
ENCODERS: list[tuple[Encoder, str]] = [
    (encode_wav, "wav"),
    (encode_flac, "flac"),
    *((partial(encode_lossy, form=form), form) for form in LOSSY),
]


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


def test_the_error_of_dither_is_not_correlated_with_the_signal() -> None:
    """Noise at −60 dBFS in 16 bits: of 10⁶ samples, the standard error of a correlation of 0 is 0.001."""
    signal = (1e-3 * np.random.default_rng(4).standard_normal((1, 1_000_000))).astype(np.float32)
    whole = quantise(signal, 16, np.random.default_rng(0))[:, 0] >> 16
    error = whole - signal[0].astype(np.float64) * 32768
    assert abs(np.corrcoef(error, signal[0])[0, 1]) < 0.005
    assert abs(np.corrcoef(error**2, signal[0] ** 2)[0, 1]) < 0.005


@pytest.mark.parametrize("level_dbfs", [-80.0, -90.0, -95.0, -100.0])
def test_a_sine_that_fades_under_the_last_bit_stays_linear(level_dbfs: float) -> None:
    """Its level as read from 16 bits is its level, and it has no harmonics: 0.33 of a step at −100 dBFS, which
    rounding alone would make silence. Noise in one line of the spectrum has a level of −101.1 dBFS (a variance of
    q²/4) − 10·log₁₀(n / 2)."""
    n, line = 1 << 21, 30_011
    wave = 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * line * np.arange(n) / n)
    whole = quantise(wave[None].astype(np.float32), 16, np.random.default_rng(1))[:, 0] / 2**31
    spectrum = 20 * np.log10(np.abs(np.fft.rfft(whole)) * 2 / n)
    floor = 10 * np.log10(2**-30 / 4) + 3.01 - 10 * np.log10(n / 2)
    assert spectrum[line] == pytest.approx(level_dbfs, abs=0.1)
    for harmonic in (2, 3, 5, 7):
        assert spectrum[harmonic * line] < floor + 13  # 1 in 10⁸ of such noise is higher


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


@pytest.mark.parametrize("encode", [encode_wav, encode_flac])
def test_a_silent_channel_stays_silent_beside_one_that_is_dithered(
    encode: Callable[..., None], tmp_path: Path
) -> None:
    samples = np.zeros((3, BLOCK_FRAMES + 10), np.float32)
    samples[1, -1] = 0.5  # heard in the last block only
    encode(write_samples(tmp_path / "a.wav", samples, 44_100), tmp_path / "out", bits=16)
    dead, sounding, also_dead = sf.read(tmp_path / "out", dtype="int32")[0].T
    assert not dead.any()
    assert not also_dead.any()
    assert np.count_nonzero(sounding[:1000])


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
