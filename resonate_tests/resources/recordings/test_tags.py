"""Tags are read from every container we decode, and come back unchanged from those we write."""

# mypy: disable-error-code="no-untyped-call"
# mutagen is typed in part only.

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.encoding import encode_flac, encode_wav
from resonate_resources.recordings.lossy import encode_lossy
from resonate_resources.recordings.recording import AudioError, write_samples
from resonate_resources.recordings.tag_reading import read_tags
from resonate_resources.recordings.tags import Tags, write_tags
from resonate_tests.bad_input import climbing_tags
from resonate_tests.peer_encoders import encode_with_ffmpeg, noise

# The smallest PNG: one transparent pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360000002000100ffff03000006000557bfabd40000000049454e44ae426082"
)
FULL = Tags(
    artist="Björk & 椎名林檎", title="Ünïcödé 🎸", album="Album", album_artist="Various Artists", composer="Bach",
    genre="Drum & Bass", date="2024-05-01", track_number=3, track_total=12, bpm=128.25, key="F#m",
    isrc="GBAYE6800011", copyright="© 2024 Label", comment="a comment", artwork=PNG,
)  # fmt: skip


@pytest.fixture(scope="module", params=["wav", "flac", "mp3", "m4a", "opus"])
def encoded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoded")
    recording = write_samples(folder / "source.wav", noise(4410, 2).T.astype(np.float32), 44100)
    path = folder / f"out.{request.param}"
    encoders = {"wav": encode_wav, "flac": encode_flac}
    encoders.get(request.param, partial(encode_lossy, form=request.param))(recording, path)
    return path


def test_every_tag_comes_back_from_the_files_we_write(encoded: Path) -> None:
    write_tags(encoded, FULL)
    assert read_tags(encoded) == FULL


def test_writing_replaces_the_tags_that_were_there(encoded: Path) -> None:
    write_tags(encoded, FULL)
    write_tags(encoded, Tags(title="Only a title"))
    assert read_tags(encoded) == Tags(title="Only a title")


def test_tags_of_a_wav_over_four_gibibytes_come_back(tmp_path: Path) -> None:
    """Longer WAV files are RF64, here a short one."""
    path = tmp_path / "long.wav"
    sf.write(path, noise(4411, 1), 48000, "PCM_24", format="RF64")
    before = sf.read(path)[0]
    write_tags(path, FULL)
    write_tags(path, Tags(artist="Björk", title="Jóga", bpm=86.5, track_number=2, track_total=10))
    assert read_tags(path) == Tags(artist="Björk", title="Jóga", bpm=86.5, track_number=2, track_total=10)
    np.testing.assert_array_equal(sf.read(path)[0], before)
    assert int.from_bytes(path.read_bytes()[20:28], "little") == path.stat().st_size - 8
    assert decode(path, tmp_path).recording.frames == 4411


def test_tags_do_not_touch_the_samples(encoded: Path) -> None:
    before = decode(encoded, encoded.parent).recording.read()
    write_tags(encoded, FULL)
    np.testing.assert_array_equal(decode(encoded, encoded.parent).recording.read(), before)


def test_tags_are_found_by_another_reader_under_their_standard_names(encoded: Path) -> None:
    import av

    write_tags(encoded, FULL)
    with av.open(str(encoded)) as container:
        whole = {
            **container.streams.audio[0].metadata,
            **container.metadata,
        }  # Ogg keeps them with the stream
        covers = len(container.streams.video)
    found = {key.lower(): text for key, text in whole.items()}
    assert covers == 1
    assert found["artist"] == FULL.artist
    assert found["title"] == FULL.title
    assert found["album_artist"] == FULL.album_artist
    assert found["date"] == FULL.date
    if encoded.suffix == ".m4a":
        assert found["track"] == "3/12"
        assert found["initialkey"] == "F#m"
        assert found["bpm"] == "128.25"
    elif encoded.suffix in (".flac", ".opus"):
        assert found["track"] == "3"
        assert found["initialkey"] == "F#m"
        assert found["bpm"] == "128.25"
    else:
        assert found["track"] == "3/12"
        assert found["tkey"] == "F#m"
        assert found["tbpm"] == "128.25"


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        ("mp3", "libmp3lame"), ("m4a", "aac"), ("flac", "flac"), ("opus", "libopus"), ("ogg", "flac"),
        ("wav", "pcm_s16le"), ("aiff", "pcm_s16be"), ("mka", "flac"), ("wma", "wmav2"),
    ],
)  # fmt: skip
def test_tags_that_ffmpeg_wrote_are_read_from_every_container(
    suffix: str, codec: str, tmp_path: Path
) -> None:
    options = {"write_id3v2": "1"} if suffix == "aiff" else {}
    tags = {"artist": "Björk", "title": "Jóga", "album": "Homogenic", "genre": "Pop", "date": "1997"}
    path = tmp_path / f"tagged.{suffix}"
    encode_with_ffmpeg(path, noise(48_000, 2), 48000, codec, metadata=tags, **options)
    assert read_tags(path) == Tags(artist="Björk", title="Jóga", album="Homogenic", genre="Pop", date="1997")


def test_mp4_tempo_key_track_and_artwork_are_read(tmp_path: Path) -> None:
    from mutagen.mp4 import MP4, MP4Cover, MP4FreeForm

    path = encode_with_ffmpeg(tmp_path / "tagged.m4a", noise(44_100, 2), 44100, "aac")
    file = MP4(path)
    file["tmpo"], file["trkn"], file["covr"] = [174], [(2, 9)], [MP4Cover(PNG, MP4Cover.FORMAT_PNG)]
    file["----:com.apple.iTunes:initialkey"] = [MP4FreeForm(b"Bbm")]
    file.save()
    assert read_tags(path) == Tags(bpm=174.0, track_number=2, track_total=9, key="Bbm", artwork=PNG)


def test_tags_of_strangers_hold_no_line_breaks(tmp_path: Path) -> None:
    tags = read_tags(climbing_tags(tmp_path))
    assert tags.artist == "../../etc/ passwd"
    assert tags.title == "🎸" * 300


@pytest.mark.parametrize("damage", [b"\x00", b"\xff", b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f"])
def test_broken_tags_are_no_error(encoded: Path, damage: bytes, tmp_path: Path) -> None:
    write_tags(encoded, FULL)
    content = encoded.read_bytes()
    broken = tmp_path / f"broken{encoded.suffix}"
    for start in range(0, min(len(content), 1500), 37):
        broken.write_bytes(content[:start] + damage + content[start + len(damage) :])
        assert isinstance(read_tags(broken), Tags)


@pytest.mark.parametrize("name", ["absent.wav", "empty.mp3", "text.flac"])
def test_what_is_no_audio_has_no_tags(name: str, tmp_path: Path) -> None:
    if name != "absent.wav":
        (tmp_path / name).write_bytes(b"" if name == "empty.mp3" else b"milk, bread\n" * 100)
    assert read_tags(tmp_path / name) == Tags()


def test_writing_tags_to_what_is_no_audio_says_so_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "text.flac"
    path.write_text("milk, bread")
    with pytest.raises(AudioError, match=r"\Atext\.flac: tags cannot be written [^\n]*\Z"):
        write_tags(path, FULL)


@given(st.text(), st.text())
def test_no_text_survives_that_could_break_a_line_or_an_encoding(artist: str, comment: str) -> None:
    tags = Tags(artist=artist, comment=comment)
    for text in (tags.artist, tags.comment):
        if text is not None:
            assert text == text.strip() != ""
            assert len(text.splitlines()) == 1
            assert "\x00" not in text
            text.encode("utf-8")


def test_json_form_carries_everything_but_the_artwork() -> None:
    values = FULL.to_json()
    assert values["title"] == "Ünïcödé 🎸"
    assert "artwork" not in values
    assert Tags.from_json(values) == dataclasses.replace(FULL, artwork=None)


def test_what_is_not_known_is_not_in_the_json_form() -> None:
    assert Tags(title="x").to_json() == {"title": "x"}


@pytest.mark.parametrize(
    ("given", "kept"),
    [("A minor", "Am"), ("c# major", "C#"), ("B♭ min", "Bbm"), ("Am", "Am"), ("8A", "8A"), ("o", "o")],
)
def test_keys_are_written_as_in_id3(given: str, kept: str) -> None:
    assert Tags(key=given).key == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [("2015-06-01T07:00:00Z", "2015-06-01"), ("2015", "2015"), ("June 2015", "2015"), ("unknown", None)],
)
def test_dates_are_kept_as_far_as_they_are_dates(given: str, kept: str | None) -> None:
    assert Tags(date=given).date == kept


@pytest.mark.parametrize("bpm", [0.0, -120.0, float("nan"), float("inf")])
def test_a_tempo_that_is_none_is_left_out(bpm: float) -> None:
    assert Tags(bpm=bpm).bpm is None
