"""What goes in comes out: the exact frames of every container, and one clear line for what is no music."""

# mypy: disable-error-code="no-untyped-call"
# mutagen is typed in part only.

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.recordings.decoding import Decoded, decode
from resonate_resources.recordings.recording import AudioError, DestinationError
from resonate_tests import bad_input
from resonate_tests.bad_input import ODD, REFUSED, Odd, Refused, disk_with_room_for, ordinary_user
from resonate_tests.peer_encoders import Floats, encode_vorbis, encode_with_ffmpeg, noise

# Neither a multiple of any codec's frame nor of a block.
FRAMES = 132_437


def decoded_from(source: Path) -> Decoded:
    into = source.parent / "decoded"
    into.mkdir()
    return decode(source, into)


def delay_against(original: Floats, decoded: Decoded) -> int:
    """Frames by which a decoded recording is late, by cross-correlation of its first channel."""
    from scipy.signal import correlate

    samples = decoded.recording.read()[0]
    correlation = correlate(samples, original[:, 0], method="fft")
    return int(np.argmax(correlation)) - (len(original) - 1)


# --- lossless ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("container", "subtype", "bits"),
    [
        ("WAV", "PCM_U8", 8), ("WAV", "PCM_16", 16), ("WAV", "PCM_24", 24), ("WAVEX", "PCM_24", 24),
        ("RF64", "PCM_24", 24), ("W64", "PCM_16", 16), ("FLAC", "PCM_16", 16), ("FLAC", "PCM_24", 24),
        ("AIFF", "PCM_S8", 8), ("AIFF", "PCM_16", 16), ("AIFF", "PCM_24", 24),
    ],
)  # fmt: skip
def test_integers_come_out_bit_exact(container: str, subtype: str, bits: int, tmp_path: Path) -> None:
    whole = np.random.default_rng(1).integers(-(1 << (bits - 1)), 1 << (bits - 1), (FRAMES, 2))
    path = tmp_path / "original"
    sf.write(path, (whole << (32 - bits)).astype(np.int32), 44100, subtype, format=container)
    result = decoded_from(path)
    np.testing.assert_array_equal(result.recording.read().T, whole / (1 << (bits - 1)))
    assert (result.lossless, result.bit_depth) == (True, bits)
    assert (result.trimmed_start, result.trimmed_end) == (0, 0)


@pytest.mark.parametrize(("subtype", "bits"), [("FLOAT", 32), ("DOUBLE", 64)])
def test_floating_point_comes_out_to_float32_precision(subtype: str, bits: int, tmp_path: Path) -> None:
    original = noise(FRAMES, 2)
    sf.write(tmp_path / "original.wav", original, 44100, subtype)
    result = decoded_from(tmp_path / "original.wav")
    np.testing.assert_array_equal(result.recording.read().T, original.astype(np.float32))
    assert (result.lossless, result.bit_depth) == (True, bits)
    assert bool(result.notes) == (subtype == "DOUBLE")  # precision is lost: said


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("m4a", "alac"), ("ogg", "flac"), ("mka", "flac"), ("wv", "wavpack"), ("tta", "tta")],
)
def test_lossless_codecs_in_other_containers_come_out_bit_exact(
    suffix: str, codec: str, tmp_path: Path
) -> None:
    original = noise(FRAMES, 2)
    result = decoded_from(encode_with_ffmpeg(tmp_path / f"original.{suffix}", original, 44100, codec))
    np.testing.assert_array_equal(result.recording.read().T, np.round(original * 32767) / 32768)


def test_alac_keeps_its_bit_depth(tmp_path: Path) -> None:
    result = decoded_from(encode_with_ffmpeg(tmp_path / "a.m4a", noise(FRAMES, 2), 44100, "alac"))
    assert (result.codec, result.lossless, result.bit_depth) == ("alac", True, 16)


def test_a_flac_that_states_no_length_is_decoded_whole(tmp_path: Path) -> None:
    """As FFmpeg and flac write it to a pipe."""
    path = tmp_path / "piped.flac"
    sf.write(path, noise(FRAMES, 2), 44100)
    content = bytearray(path.read_bytes())
    # STREAMINFO starts at byte 8; the total is the low 36 bits of its bytes 10…17 (RFC 9639, 8.2)
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert decoded_from(path).recording.frames == FRAMES


@pytest.mark.parametrize("claimed", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000])
def test_a_wav_that_was_written_to_a_pipe_is_not_taken_for_a_truncated_one(
    claimed: int, tmp_path: Path
) -> None:
    path = tmp_path / "piped.wav"
    sf.write(path, noise(FRAMES, 2), 44100, "PCM_16")
    content = bytearray(path.read_bytes())
    content[40:44] = claimed.to_bytes(4, "little")
    path.write_bytes(content)
    assert decoded_from(path).recording.frames == FRAMES


@settings(max_examples=30)
@given(
    rate=st.sampled_from([8000, 11025, 22050, 32000, 37800, 44100, 48000, 88200, 96000, 176_400, 192_000]),
    channels=st.integers(1, 6),
    frames=st.integers(1, 5000),
    container=st.sampled_from(["WAV", "FLAC", "AIFF", "W64"]),
)
def test_rate_channels_and_frames_stay_as_they_are(
    rate: int, channels: int, frames: int, container: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "original"
    sf.write(path, np.zeros((frames, channels)), rate, "PCM_16", format=container)
    recording = decoded_from(path).recording
    assert (recording.sample_rate, recording.channels, recording.frames) == (rate, channels, frames)


# --- lossy ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [FRAMES, 44_100, 1152 * 40, 1024 * 50, 5000])
@pytest.mark.parametrize(("suffix", "codec"), [("mp3", "libmp3lame"), ("m4a", "aac"), ("mp4", "aac")])
def test_encoder_delay_and_padding_are_cut_to_the_frame(
    suffix: str, codec: str, frames: int, tmp_path: Path
) -> None:
    original = noise(frames, 2)
    result = decoded_from(encode_with_ffmpeg(tmp_path / f"original.{suffix}", original, 44100, codec))
    assert result.recording.frames == frames
    assert delay_against(original, result) == 0
    # LAME's encoder delay of 576 and the decoder's of 529; FFmpeg's AAC encoder primes with one frame
    assert result.trimmed_start == {"libmp3lame": 576 + 529, "aac": 1024}[codec]
    assert (result.lossless, result.bit_depth, result.notes) == (False, None, ())


def test_padding_longer_than_an_mp3_frame_is_cut_to_the_frame(tmp_path: Path) -> None:
    """LAME pads by up to 1439 frames, more than the 576 of an MPEG-2 packet, the most that FFmpeg trims."""
    original = noise(50_123, 2)
    path = encode_with_ffmpeg(tmp_path / "a.mp3", original, 22050, "libmp3lame")
    content = bytearray(path.read_bytes())
    frames = int.from_bytes(content[(info := content.index(b"Info")) + 8 : info + 12], "big")
    tag = info + 120  # after flags, frames, bytes, table of contents and quality
    delay, padding = 576, frames * 576 - 576 - 50_123
    assert padding > 529 + 576
    content[tag + 21 : tag + 24] = (delay << 12 | padding).to_bytes(3, "big")
    path.write_bytes(content)
    result = decoded_from(path)
    assert result.recording.frames == 50_123
    assert delay_against(original, result) == 0


@pytest.mark.parametrize("suffix", ["opus", "webm"])
def test_opus_preskip_and_end_are_cut_to_the_frame(suffix: str, tmp_path: Path) -> None:
    original = noise(FRAMES, 2)
    result = decoded_from(encode_with_ffmpeg(tmp_path / f"original.{suffix}", original, 48000, "libopus"))
    assert (result.recording.frames, result.recording.sample_rate) == (FRAMES, 48000)
    assert delay_against(original, result) == 0


def test_vorbis_ends_where_its_granule_position_says(tmp_path: Path) -> None:
    original = noise(FRAMES, 2)
    result = decoded_from(encode_vorbis(tmp_path / "original.ogg", original, 44100))
    assert result.recording.frames == FRAMES
    assert delay_against(original, result) == 0


def test_itunes_gapless_information_is_used_where_there_is_no_edit_list(tmp_path: Path) -> None:
    from mutagen.mp4 import MP4, MP4FreeForm

    original = noise(FRAMES, 2)
    path = encode_with_ffmpeg(tmp_path / "a.m4a", original, 44100, "aac", use_editlist="0")
    file = MP4(path)
    padding = 130 * 1024 - 1024 - FRAMES
    gapless = f" 00000000 {1024:08X} {padding:08X} {FRAMES:016X} 00000000"
    file["----:com.apple.iTunes:iTunSMPB"] = [MP4FreeForm(gapless.encode())]
    file.save()
    result = decoded_from(path)
    assert result.recording.frames == FRAMES
    assert delay_against(original, result) == 0


def test_silence_that_no_header_tells_of_is_kept_and_noted(tmp_path: Path) -> None:
    original = noise(FRAMES, 2)
    path = encode_with_ffmpeg(tmp_path / "a.mp3", original, 44100, "libmp3lame", write_xing="0")
    result = decoded_from(path)
    assert delay_against(original, result) == 576 + 529
    assert any("encoder delay" in note for note in result.notes)


def test_the_audio_of_a_video_is_decoded(tmp_path: Path) -> None:
    import av

    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as output:
        video = output.add_stream("mpeg4", rate=25, width=64, height=64, pix_fmt="yuv420p")
        audio = output.add_stream("aac", rate=44100, layout="stereo")
        output.mux(video.encode(av.VideoFrame(64, 64, "yuv420p")))
        samples = np.round(noise(44_100, 2) * 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 44100, 0
        output.mux(audio.encode(frame))
        output.mux(video.encode(None))
        output.mux(audio.encode(None))
    assert decoded_from(path).recording.frames == 44_100


def test_decoding_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    path = encode_with_ffmpeg(tmp_path / "a.mp3", noise(FRAMES, 2), 44100, "libmp3lame")
    first = decoded_from(path).recording.sha256
    (path.parent / "decoded").rename(path.parent / "first")
    assert decoded_from(path).recording.sha256 == first


# --- odd and bad ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ODD, ids=lambda case: case.name)
def test_odd_input_comes_out_sensibly(case: Odd, tmp_path: Path) -> None:
    recording = decoded_from(case.make(tmp_path)).recording
    assert (recording.sample_rate, recording.channels, recording.frames) == (
        case.sample_rate,
        case.channels,
        case.frames,
    )


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_bad_input_is_refused_in_one_line_and_leaves_nothing(
    case: Refused, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = case.make(tmp_path)
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(AudioError) as error:
        decode(source, into)
    line = str(error.value)
    assert line.startswith(source.name[:60])
    assert case.reason in line
    assert len(line.splitlines()) == 1
    assert list(into.iterdir()) == []
    assert capfd.readouterr() == ("", "")  # FFmpeg and libsndfile keep their log to themselves


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("mp3", "libmp3lame"), ("m4a", "aac"), ("opus", "libopus"), ("aac", "aac"), ("flac", "flac")],
)
def test_damaged_bytes_are_decoded_or_refused_and_nothing_else(
    suffix: str, codec: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = encode_with_ffmpeg(tmp_path / f"whole.{suffix}", noise(20_000, 2), 48000, codec).read_bytes()
    rng = np.random.default_rng(11)
    into = tmp_path / "into"
    into.mkdir()
    damaged = tmp_path / f"damaged.{suffix}"
    for _ in range(60):
        content = bytearray(whole)
        for place in (rng.integers(len(whole)), rng.integers(600)):
            content[place : place + 6] = rng.bytes(6)
        damaged.write_bytes(content)
        try:
            decode(damaged, into)
            (into / "track.wav").unlink()
        except AudioError as error:
            assert len(str(error).splitlines()) == 1
        assert list(into.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_a_name_with_line_breaks_is_shown_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "two\nlines\x1b[31m.wav"
    path.write_bytes(b"")
    with pytest.raises(AudioError, match=r"\Atwo\\nlines\\x1b\[31m\.wav: is empty"):
        decode(path, tmp_path)


def test_a_file_that_may_not_be_read_is_refused_in_one_line() -> None:
    import tempfile

    # pytest's own folders are closed to other users, whatever the file's permissions.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        source = bad_input.without_permission(Path(folder))
        with (
            ordinary_user(),
            pytest.raises(AudioError, match=r"\Asecret\.wav: may not be read \(no permission\)"),
        ):
            decode(source, Path(folder))


def test_a_full_disk_is_told_and_the_half_written_file_removed(tmp_path: Path) -> None:
    source = encode_with_ffmpeg(tmp_path / "a.mp3", noise(FRAMES, 2), 44100, "libmp3lame")
    with (
        disk_with_room_for(100_000),
        pytest.raises(DestinationError, match=r"\Atrack\.wav: cannot be written to .* free"),
    ):
        decoded_from(source)
    assert list((tmp_path / "decoded").iterdir()) == []


def test_no_space_left_on_the_device_is_told(tmp_path: Path) -> None:
    """/dev/full answers every write with ENOSPC."""
    source = bad_input.mono(tmp_path)
    (tmp_path / "decoded").mkdir()
    (tmp_path / "decoded" / "track.wav").symlink_to("/dev/full")
    with pytest.raises(DestinationError, match=r"\Atrack\.wav: cannot be written to "):
        decode(source, tmp_path / "decoded")
    assert Path("/dev/full").exists()


def test_not_numbers_are_counted_and_the_first_is_located(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"3 samples that are NaN or infinite, the first at frame 300000 "):
        decoded_from(bad_input.not_a_number(tmp_path))


def test_what_is_unusual_is_kept_and_noted(tmp_path: Path) -> None:
    hot = decoded_from(bad_input.over_full_scale(tmp_path))
    assert np.abs(hot.recording.read()).max() == 2
    assert hot.notes == ("samples over full scale (up to +6.0 dBFS), kept",)


def test_a_dc_offset_is_kept_and_noted(tmp_path: Path) -> None:
    result = decoded_from(bad_input.offset(tmp_path))
    np.testing.assert_allclose(result.recording.read().mean(axis=1), 0.25, atol=0.01)
    assert result.notes == ("DC offset of -12.0 dBFS, kept",)


def test_silence_is_noted(tmp_path: Path) -> None:
    assert decoded_from(bad_input.silence(tmp_path)).notes == ("digital silence: every sample is zero",)


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    """Three hours at 8 kHz are 346 MB of float32; a process that has loaded numpy and PyAV takes 70 MB."""
    code = (
        "import sys; from pathlib import Path; from resonate_resources.recordings.decoding import decode\n"
        "decode(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        # not ru_maxrss: that starts from what the parent held when it forked
        "print(Path('/proc/self/status').read_text())"
    )
    source = bad_input.three_hours(tmp_path)
    ran = subprocess.run(
        [sys.executable, "-c", code, source, tmp_path], capture_output=True, text=True, check=True
    )
    peak = re.search(r"VmHWM:\s+(\d+) kB", ran.stdout)
    assert peak is not None
    assert int(peak[1]) * 1024 < 150e6


def test_progress_rises_to_one(tmp_path: Path) -> None:
    source = encode_with_ffmpeg(tmp_path / "a.mp3", noise(1_000_000, 1), 44100, "libmp3lame")
    seen: list[float] = []
    decode(source, tmp_path, seen.append)
    assert seen == sorted(seen)
    assert len(seen) > 2
    assert seen[-1] == 1.0


def test_nothing_heavy_is_imported_with_the_module() -> None:
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import resonate_resources.recordings.decoding, sys; print('av' in sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.strip() == "False"


@pytest.mark.parametrize("rate", [1, 999, 2_000_000])
def test_a_sample_rate_that_no_music_has_is_refused(rate: int, tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", np.zeros((1000, 1)), rate)
    with pytest.raises(AudioError, match=rf"sample rate of {rate} Hz"):
        decoded_from(tmp_path / "a.wav")


@pytest.mark.parametrize("scale", [32_768.0, 2.0**31, 1e30])
def test_integers_in_floating_point_are_refused_in_one_line(scale: float, tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    sf.write(path, scale * noise(44_100, 1), 44_100, subtype="DOUBLE")
    with pytest.raises(AudioError, match=r"song.wav: .*dBFS: full scale of floating-point samples is 1"):
        decode(path, tmp_path)
