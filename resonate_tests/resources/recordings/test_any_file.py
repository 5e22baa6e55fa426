"""Files as people have them: cut by recorders, tagged by anything, with more streams and channels than two.

Those in `resonate_tests/cases` are of a song of 6 s (264,600 frames at 44.1 kHz), made with the encoders they name.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from resonate_resources.recordings.decoding import Decoded, decode, probe
from resonate_resources.recordings.limits import Limits
from resonate_resources.recordings.recording import AudioError, DestinationError
from resonate_tests.peer_encoders import encode_vorbis, encode_with_ffmpeg, noise

CASES = Path(__file__).parents[2] / "cases"
FRAMES = 132_437
KEPT_DELAY = "the file states no encoder delay; the silence in front of the music is kept"


def decoded_from(source: Path, folder: Path, limits: Limits | None = None) -> Decoded:
    into = folder / "decoded"
    into.mkdir(exist_ok=True)
    return decode(source, into, limits=limits)


def told(decoded: Decoded) -> list[str]:
    """Notes, without those on the offset that the song has."""
    return [note for note in decoded.notes if not note.startswith("DC offset")]


def late(heard: np.ndarray[Any, Any], original: np.ndarray[Any, Any]) -> int:
    from scipy.signal import correlate

    return int(np.argmax(correlate(heard, original, method="fft"))) - (len(original) - 1)


@pytest.mark.parametrize(
    ("name", "frames", "notes"),
    [
        ("he-aac.m4a", 264_600, []),
        ("he-aac-v2.m4a", 264_600, []),
        # 231 frames, without a header that tells of a delay
        ("mp3-zero-byte-at-end.mp3", 231 * 1152, [KEPT_DELAY]),
        ("mp3-lyrics3.mp3", 231 * 1152, [KEPT_DELAY]),
        ("mp3-apev2-only.mp3", 264_600, []),
        ("wav-data-size-zero.wav", 88_200, ["the header states no length; read to the end of the file"]),
        (
            "wav-data-16-bytes-too-big.wav",
            88_200,
            ["the header promises 16 bytes more than there are; read to the end of the file"],
        ),
        ("wav-info-latin1.wav", 88_200, []),
        (
            "second-stream-is-default.mp4",
            264_600,
            ["of 2 audio streams number 2 was taken, not number 1 (aac)"],
        ),
    ],
)
def test_a_case_comes_out_whole_and_what_is_odd_of_it_is_told(
    name: str, frames: int, notes: list[str], tmp_path: Path
) -> None:
    decoded = decoded_from(CASES / name, tmp_path)
    assert decoded.recording.frames == frames
    assert told(decoded) == notes


@pytest.mark.parametrize("name", ["he-aac.m4a", "he-aac-v2.m4a"])
def test_he_aac_begins_and_ends_where_the_song_does(name: str, tmp_path: Path) -> None:
    """The song as LAME encoded it, whose delay is known, is the truth; half a sample of the core is two here."""
    song = decoded_from(CASES / "mp3-apev2-only.mp3", tmp_path).recording.read()[0]
    heard = decoded_from(CASES / name, tmp_path).recording.read()[0]
    assert abs(late(heard, song)) <= 1
    end = slice(-round(0.17 * 44100), None)
    assert np.sqrt(np.mean(heard[end] ** 2)) == pytest.approx(np.sqrt(np.mean(song[end] ** 2)), rel=0.1)


def test_the_stream_marked_default_is_the_song_and_not_the_tone(tmp_path: Path) -> None:
    song = decoded_from(CASES / "mp3-apev2-only.mp3", tmp_path).recording.read()[0]
    heard = decoded_from(CASES / "second-stream-is-default.mp4", tmp_path).recording.read()[0]
    assert np.corrcoef(heard, song)[0, 1] > 0.95


TAILS = {
    "an ID3v1 tag": b"TAG" + bytes(125),
    "a zero byte": b"\0",
    "zeros": bytes(5000),
    "rubbish": np.random.default_rng(4).bytes(5000),
    "more rubbish than an Ogg page": np.random.default_rng(5).bytes(300_000),
    "Lyrics3": b"LYRICSBEGININD00002100LYR00011some lyrics000043LYRICS200",
    "an APEv2 tag": b"APETAGEX"
    + (2000).to_bytes(4, "little")
    + (32).to_bytes(4, "little")
    + bytes(48)
    + b"la la",
}
RAW = {
    "with-xing.mp3": ("libmp3lame", {}),
    "without-xing.mp3": ("libmp3lame", {"write_xing": "0"}),
    "layer2.mp2": ("mp2", {}),
    "adts.aac": ("aac", {}),
    "dolby.ac3": ("ac3", {}),
    "dolby.eac3": ("eac3", {}),
    "wavpack.wv": ("wavpack", {}),
    "a.tta": ("tta", {}),
    "a.flac": ("flac", {}),
    "a.opus": ("libopus", {}),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("whole")

    def made(name: str) -> Path:
        path = folder / name
        if not path.exists():
            codec, options = RAW[name]
            rate = 48000 if codec == "libopus" else 44100
            encode_with_ffmpeg(path, noise(FRAMES, 2), rate, codec, **options)
        return path

    return made


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("name", RAW)
def test_an_intact_file_with_something_behind_it_is_what_it_is_without(
    name: str, tail: str, whole: Callable[[str], Path], tmp_path: Path
) -> None:
    alone = decoded_from(whole(name), tmp_path)
    samples = alone.recording.read()
    longer = tmp_path / name
    longer.write_bytes(whole(name).read_bytes() + TAILS[tail])
    decoded = decoded_from(longer, tmp_path)
    assert decoded.notes == alone.notes
    np.testing.assert_array_equal(decoded.recording.read(), samples)


@pytest.mark.parametrize("name", RAW)
def test_a_part_of_a_frame_at_the_end_is_a_cut(
    name: str, whole: Callable[[str], Path], tmp_path: Path
) -> None:
    content = whole(name).read_bytes()
    cut = tmp_path / name
    cut.write_bytes(content[: int(len(content) * 0.503)])
    with pytest.raises(AudioError, match=r"cut off"):
        decoded_from(cut, tmp_path)


def test_adts_that_is_damaged_in_the_middle_is_not_taken_for_one_that_ends_there(
    whole: Callable[[str], Path], tmp_path: Path
) -> None:
    content = bytearray(whole("adts.aac").read_bytes())
    middle = content.index(content[:3], len(content) // 2)
    content[middle:middle] = bytes(3000)
    (tmp_path / "damaged.aac").write_bytes(content)
    try:
        assert decoded_from(tmp_path / "damaged.aac", tmp_path).recording.frames >= FRAMES
    except AudioError as error:
        assert "damaged" in str(error)


# --- WAV -----------------------------------------------------------------------------------------------------


def wav(path: Path, claimed: int | None, behind: bytes = b"", frames: int = FRAMES) -> Path:
    sf.write(path, noise(frames, 2) if frames else np.zeros((0, 2)), 44100, "PCM_16")
    content = bytearray(path.read_bytes())
    if claimed is not None:
        content[40:44] = claimed.to_bytes(4, "little")
    path.write_bytes(content + behind)
    return path


@pytest.mark.parametrize("claimed", [0, 1000, 4 * 44100, 4 * FRAMES + 16])
def test_a_wav_whose_size_lies_is_read_to_its_end(claimed: int, tmp_path: Path) -> None:
    decoded = decoded_from(wav(tmp_path / "a.wav", claimed), tmp_path)
    whole = np.round(noise(FRAMES, 2) * 32768).clip(-32768, 32767)
    np.testing.assert_allclose(decoded.recording.read().T * 32768, whole, atol=1)
    assert [note for note in decoded.notes if "read to the end of the file" in note]


@pytest.mark.parametrize(
    "behind",
    [
        b"",
        *(tail for tail in TAILS.values() if len(tail) < 0.1 * 4 * 44100),
        b"LIST" + (4).to_bytes(4, "little") + b"INFO",
        b"junk" + bytes(100_000),
    ],
    ids=lambda behind: repr(behind[:12]),
)
def test_what_stands_behind_an_honest_wav_is_no_music(behind: bytes, tmp_path: Path) -> None:
    decoded = decoded_from(wav(tmp_path / "a.wav", None, behind), tmp_path)
    assert (decoded.recording.frames, decoded.notes) == (FRAMES, ())


def test_a_wav_that_lacks_much_is_still_cut_off(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="is cut off"):
        decoded_from(wav(tmp_path / "a.wav", 8 * FRAMES), tmp_path)


def test_a_wav_that_truly_is_empty_is_not_filled_with_what_follows(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", None, b"LIST" + (4).to_bytes(4, "little") + b"INFO", frames=0)
    with pytest.raises(AudioError, match="holds no audio"):
        decoded_from(path, tmp_path)


# --- FLAC's own digest ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subtype", "channels"), [("PCM_S8", 1), ("PCM_16", 2), ("PCM_24", 2), ("PCM_24", 6)]
)
@pytest.mark.parametrize("wrong", [False, True])
def test_a_flac_whose_md5_is_wrong_says_so_and_no_other_does(
    subtype: str, channels: int, wrong: bool, tmp_path: Path
) -> None:
    path = tmp_path / "a.flac"
    sf.write(path, noise(FRAMES, channels), 44100, subtype)
    if wrong:
        content = bytearray(path.read_bytes())
        content[26] ^= 1  # RFC 9639, 8.2: the last 16 bytes of STREAMINFO
        path.write_bytes(content)
    notes = decoded_from(path, tmp_path).notes
    assert [("MD5" in note) for note in notes] == [True] * wrong


# --- channels ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["wav", "flac", "wv"])
def test_seven_one_is_folded_down_to_five_one_with_a_note(suffix: str, tmp_path: Path) -> None:
    """Surround channels go into those of 5.1, the ones in between 3 dB lower (as of ITU-R BS.775, annex 4)."""
    original = noise(48_000, 8)
    path = tmp_path / f"a.{suffix}"
    if suffix == "wv":
        encode_with_ffmpeg(path, original, 48000, "wavpack")
    else:
        sf.write(path, original, 48000, "PCM_24")
    decoded = decoded_from(path, tmp_path)
    heard = decoded.recording.read()
    left, right, centre, lfe, back_left, back_right, side_left, side_right = original.T
    half = 0.5**0.5
    expected = [left, right, centre, lfe, back_left + half * side_left, back_right + half * side_right]
    np.testing.assert_allclose(heard, expected, atol=1e-4)
    assert told(decoded) == ["8 channels (7.1) are folded down to 5.1"]


@pytest.mark.parametrize("channels", [9, 16, 64])
def test_recordings_of_many_tracks_are_refused_in_a_line(channels: int, tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", np.zeros((4410, channels)), 44100)
    with pytest.raises(AudioError, match=rf"\Aa\.wav: has {channels} channels, [^\n]*; export [^\n]*\Z"):
        decoded_from(tmp_path / "a.wav", tmp_path)


# --- names, containers, and files beside it ------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["mp3", "m4a", "opus"])
@pytest.mark.parametrize(
    "name",
    [
        b"Excession: Book 5",
        b"what? 100%41 #1",
        b"caf\xe9",
        "𝄞".encode() * 62,
        b"-i",
        b"concat:a|b",
        b"subfile,,",
    ],
)
def test_a_relative_path_with_any_bytes_is_a_name_and_nothing_else(
    name: bytes, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    codec = {"mp3": "libmp3lame", "m4a": "aac", "opus": "libopus"}[suffix]
    plain = encode_with_ffmpeg(tmp_path / f"plain.{suffix}", noise(48_000, 2), 48000, codec)
    path = plain.rename(os.fsdecode(name + f".{suffix}".encode()))
    assert decoded_from(Path(path.name), tmp_path).recording.frames == 48_000


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        ("mov", "aac"), ("mkv", "aac"), ("m4v", "aac"), ("3gp", "aac"), ("avi", "libmp3lame"), ("mp2", "mp2"),
        ("ac3", "ac3"), ("tta", "tta"), ("ts", "mp2"), ("webm", "libopus"), ("caf", "pcm_s16be"),
        ("w64", "pcm_s16le"), ("rf64", "pcm_s16le"), ("au", "pcm_s16be"), ("flv", "libmp3lame"),
        ("mpg", "mp2"), ("wma", "wmav2"), ("eac3", "eac3"), ("mka", "flac"), ("ogg", "flac"),
    ],
)  # fmt: skip
def test_every_container_that_can_be_decoded_is_taken(suffix: str, codec: str, tmp_path: Path) -> None:
    options = {"rf64": "always"} if suffix == "rf64" else {}
    written = tmp_path / f"a.{'wav' if suffix == 'rf64' else suffix}"
    path = encode_with_ffmpeg(written, noise(96_000, 2), 48000, codec, **options).rename(
        tmp_path / f"b.{suffix}"
    )
    probe(path)
    recording = decoded_from(path, tmp_path).recording
    assert recording.channels == 2
    # Encoders of such containers pad, and do not say by how much; that of WMA keeps what does not fill a frame.
    assert 96_000 - 2048 * (codec == "wmav2") <= recording.frames < 96_000 + 4 * 2048


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile neighbour.wav\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nneighbour.wav\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    ],
)
def test_a_list_of_other_files_is_refused_and_its_neighbour_not_opened(text: str, tmp_path: Path) -> None:
    """A pipe tells who opened it: to open one for writing succeeds only while somebody has it open to read."""
    os.mkfifo(tmp_path / "neighbour.wav")
    (tmp_path / "list.mp3").write_text(text)
    with pytest.raises(AudioError, match="is not audio"):
        decoded_from(tmp_path / "list.mp3", tmp_path)
    with pytest.raises(OSError, match="No such device"):
        os.open(tmp_path / "neighbour.wav", os.O_WRONLY | os.O_NONBLOCK)


# --- limits --------------------------------------------------------------------------------------------------


def long_silence(path: Path, hours: float) -> Path:
    """FLAC of silence: 8 kB an hour."""
    with sf.SoundFile(path, "w", 8000, 1, "PCM_16", format="FLAC") as file:
        for _ in range(int(hours * 60)):
            file.write(np.zeros(60 * 8000, np.int16))
    return path


@pytest.mark.parametrize("states_length", [True, False])
def test_a_small_file_that_decodes_to_hours_is_refused_before_it_fills_the_disk(
    states_length: bool, tmp_path: Path
) -> None:
    path = long_silence(tmp_path / "bomb.flac", 2)
    if not states_length:
        content = bytearray(path.read_bytes())
        content[21] &= 0xF0
        content[22:26] = bytes(4)
        path.write_bytes(content)
    with pytest.raises(
        AudioError, match=r"\Abomb\.flac: lasts more than 1 hours; .* RESONATE_MAX_HOURS higher\Z"
    ):
        decoded_from(path, tmp_path, Limits(duration_hours=1))
    assert list((tmp_path / "decoded").iterdir()) == []
    if states_length:
        with pytest.raises(AudioError, match="lasts more than 1 hours"):
            probe(path, Limits(duration_hours=1))


def test_a_file_that_takes_too_much_room_once_decoded_is_refused(tmp_path: Path) -> None:
    path = long_silence(tmp_path / "long.flac", 1)  # 115 MB as float
    with pytest.raises(
        AudioError, match=r"takes more than 0\.1 GiB once decoded; .* RESONATE_MAX_DECODED_GIB"
    ):
        decoded_from(path, tmp_path, Limits(decoded_gib=0.1))
    assert decoded_from(path, tmp_path, Limits(decoded_gib=0.11)).recording.frames == 3600 * 8000


def test_a_disk_that_would_be_full_is_told_before_anything_is_written(tmp_path: Path) -> None:
    path = long_silence(tmp_path / "song.flac", 0.1)
    with pytest.raises(DestinationError, match="make room there"):
        decoded_from(path, tmp_path, Limits(free_gib=1e9))
    assert list((tmp_path / "decoded").iterdir()) == []


def test_limits_come_from_the_environment_and_what_is_no_number_is_named() -> None:
    assert Limits.from_environment({"RESONATE_MAX_HOURS": "2.5", "HOME": "/"}) == Limits(duration_hours=2.5)
    for wrong in ("many", "-1", "nan", "inf"):
        with pytest.raises(ValueError, match=r"\ARESONATE_MAX_HOURS: "):
            Limits.from_environment({"RESONATE_MAX_HOURS": wrong})


# --- a look at a file ----------------------------------------------------------------------------------------


def test_a_look_reads_seconds_and_not_the_whole(tmp_path: Path) -> None:
    """Rubbish beyond the first seconds is found when it is decoded, not by the look."""
    path = encode_vorbis(tmp_path / "a.ogg", noise(60 * 44100, 1), 44100)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    content[-27:-13] = b"OggS\0\4" + bytes(8)
    path.write_bytes(content)
    probe(path)
