"""What loses on purpose: the right length and place, levels and loudspeakers, as another decoder hears them."""

# mypy: disable-error-code="no-untyped-call"
# mutagen is typed in part only.

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.lossy import LossyFormat, downmix_to_stereo, encode_lossy, rate_in
from resonate_resources.recordings.recording import AudioError, Recording, write_samples
from resonate_tests.peer_encoders import noise


def recorded(folder: Path, frames: int, channels: int, sample_rate: int = 44100) -> Recording:
    samples = noise(frames, channels).T.astype(np.float32)
    return write_samples(folder / "recording.wav", samples, sample_rate)


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
    encode_lossy(recording, tmp_path / "out.mp3", "mp3")
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
    encode_lossy(write_samples(tmp_path / "a.wav", tone[None], sample_rate), tmp_path / "out.mp3", "mp3")
    result = decode(tmp_path / "out.mp3", tmp_path).recording
    assert rate_in("mp3", sample_rate) == result.sample_rate == written
    assert abs(result.frames - written) <= 1
    middle = result.read(written // 4, 3 * written // 4)[0]
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(written // 4, 3 * written // 4) / written)
    # In phase and level: what is left is the codec's noise.
    assert np.sqrt(np.mean((middle - expected) ** 2)) < 0.5 / np.sqrt(2) * 10 ** (-40 / 20)


def test_mp3_has_the_bit_rate_that_was_asked_for(tmp_path: Path) -> None:
    from mutagen.mp3 import MP3, BitrateMode

    recording = recorded(tmp_path, 200_000, 2)
    for kbps in (320, 192):
        encode_lossy(recording, tmp_path / "out.mp3", "mp3", kbps)
        info: Any = MP3(tmp_path / "out.mp3").info
        assert (info.bitrate, info.bitrate_mode) == (1000 * kbps, BitrateMode.CBR)


def test_mp3_is_not_dithered(tmp_path: Path) -> None:
    """Digital silence stays digital silence."""
    recording = write_samples(tmp_path / "a.wav", np.zeros((2, 100_000), np.float32), 44100)
    encode_lossy(recording, tmp_path / "out.mp3", "mp3")
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
    encode_lossy(recording, tmp_path / "out.mp3", "mp3")
    result = decode(tmp_path / "out.mp3", tmp_path).recording
    assert result.channels == 2
    middle = np.abs(result.read(24_000, 72_000))
    assert 0.98 < middle.max() < 1.02


def test_more_than_six_channels_are_refused_for_mp3_and_nothing_is_left(tmp_path: Path) -> None:
    recording = write_samples(tmp_path / "a.wav", np.zeros((7, 10), np.float32), 48000)
    with pytest.raises(AudioError, match=r"7 channels"):
        encode_lossy(recording, tmp_path / "out.mp3", "mp3")
    assert not (tmp_path / "out.mp3").exists()


@pytest.mark.parametrize("level", [0.0, 0.3, 0.85, -0.9])
def test_an_mp3_of_one_frame_and_no_tags_is_still_an_mp3(level: float, tmp_path: Path) -> None:
    recording = write_samples(tmp_path / "a.wav", np.full((2, 1), level, np.float32), 44_100)
    encode_lossy(recording, tmp_path / "out.mp3", "mp3")
    decoded = decode(tmp_path / "out.mp3", tmp_path)
    assert (decoded.container, decoded.recording.channels) == ("mp3", 2)


@pytest.mark.parametrize("form", ["m4a", "opus"])
@pytest.mark.parametrize(("frames", "sample_rate"), [(1, 48_000), (50_123, 44_100), (50_123, 48_000)])
def test_aac_and_opus_decode_to_the_length_and_place_of_the_recording(
    form: LossyFormat, frames: int, sample_rate: int, tmp_path: Path
) -> None:
    """To the frame; Opus at 48 kHz whatever came."""
    from scipy.signal import correlate

    recording = recorded(tmp_path, frames, 2, sample_rate)
    encode_lossy(recording, tmp_path / f"out.{form}", form)
    result = decode(tmp_path / f"out.{form}", tmp_path).recording
    rate = 48_000 if form == "opus" else sample_rate
    assert (result.sample_rate, result.frames) == (rate, round(frames * rate / sample_rate))
    if frames > 1 and rate == sample_rate:
        correlation = correlate(result.read()[0], recording.read()[0], method="fft")
        assert np.argmax(correlation) == frames - 1


@pytest.mark.parametrize("form", ["m4a", "opus"])
@pytest.mark.parametrize(
    ("channels", "heard_in"),
    [(1, (0,)), (3, (0, 1, 2)), (4, (0, 1, 4, 5)), (5, (0, 1, 2, 4, 5)), (6, (0, 1, 2, 3, 4, 5))],
)
def test_every_channel_comes_out_of_its_loudspeaker(
    form: LossyFormat, channels: int, heard_in: tuple[int, ...], tmp_path: Path
) -> None:
    """Each has a tone of its own, that of the LFE a low one. As FFmpeg's decoder places them: L R C LFE Ls Rs."""
    import av

    hertz = [60 if channels == 6 and channel == 3 else 300 * (channel + 1) for channel in range(channels)]
    time = np.arange(96_000) / 48_000
    tones = 0.1 * np.sin(2 * np.pi * np.array(hertz)[:, None] * time)
    encode_lossy(
        write_samples(tmp_path / "a.wav", tones.astype(np.float32), 48_000), tmp_path / f"o.{form}", form
    )
    with av.open(str(tmp_path / f"o.{form}")) as container:
        resampler = av.AudioResampler(format="fltp")
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
        names = [channel.name for channel in frames[0].layout.channels]
    samples = np.concatenate([frame.to_ndarray() for frame in frames], axis=1)[:, 24_000:72_000]
    loudest = [int(np.argmax(np.abs(np.fft.rfft(channel)))) for channel in samples]
    assert [loudest[place] for place in heard_in] == hertz
    if len(samples) == 6:
        assert names in (["FL", "FR", "FC", "LFE", "BL", "BR"], ["FL", "FR", "FC", "LFE", "SL", "SR"])
    silent = set(range(len(samples))) - set(heard_in)
    assert all(np.abs(samples[place]).max() < 1e-4 for place in silent)


def test_an_mp3_that_looks_like_a_film_to_ffmpeg_is_an_mp3(tmp_path: Path) -> None:
    """Of silence all of a frame behind its side information is filler, and may hold anything: here the packs of an
    MPEG program stream (ISO/IEC 13818-1), as a real master once did."""
    silence = write_samples(tmp_path / "silence.wav", np.zeros((2, 96_000), np.float32), 48_000)
    path = tmp_path / "silence.mp3"
    encode_lossy(silence, path, "mp3")
    content, size = bytearray(path.read_bytes()), 960  # bytes of a frame of 320 kbit/s at 48 kHz
    packs = bytes.fromhex("000001ba44000400040100000003 000001c0000880000000000000ff") * 32
    for start in range(content.index(b"\xff\xfb") + size, len(content) - size, size):
        content[start + 50 : start + 50 + len(packs)] = packs
    path.write_bytes(content)
    with av.open(str(path)) as container:
        assert container.format.name == "mpeg"
    found = decode(path, tmp_path).recording
    assert (found.sample_rate, found.frames) == (48_000, 96_000)
    assert not found.read().any()
