"""Tags as strangers wrote them: in any charset, of several kinds at once, with several artists and covers."""

# mypy: disable-error-code="no-untyped-call"
# mutagen is typed in part only.

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from resonate_resources.recordings.artwork import fitting
from resonate_resources.recordings.charsets import legible, likely_charset
from resonate_resources.recordings.tag_reading import read_tags
from resonate_resources.recordings.tags import Tags
from resonate_tests.peer_encoders import encode_vorbis, encode_with_ffmpeg, noise

CASES = Path(__file__).parents[2] / "cases"


def image(width: int = 16, grain: bool = False, form: str = "PNG", colour: int = 0) -> bytes:
    from PIL import Image

    pixels = np.full((width, width, 3), colour, np.uint8)
    if grain:
        pixels = np.random.default_rng(1).integers(0, 256, pixels.shape, np.uint8)
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, form)
    return written.getvalue()


FRONT, BACK = image(colour=10), image(colour=200)


@pytest.fixture
def mp3(tmp_path: Path) -> Path:
    return encode_with_ffmpeg(tmp_path / "a.mp3", noise(44_100, 2), 44100, "libmp3lame")


@pytest.fixture
def flac(tmp_path: Path) -> Path:
    sf.write(tmp_path / "a.flac", noise(4410, 2), 44100)
    return tmp_path / "a.flac"


def test_apev2_alone_is_read() -> None:
    tags = read_tags(CASES / "mp3-apev2-only.mp3")
    assert (tags.title, tags.artist) == ("Ape Title", "Ape Artist")
    assert tags.album is not None
    assert tags.date is not None
    assert tags.track_number is not None


def test_a_wavs_info_in_latin_1_is_read_as_it_was_meant() -> None:
    tags = read_tags(CASES / "wav-info-latin1.wav")
    assert (tags.artist, tags.title) == ("Björk", "Café del Mar")


@pytest.mark.parametrize(
    ("page", "text", "encoded"),
    [
        (None, "Björk", "utf-8"),
        (1250, "Łódź", "cp1250"),
        (1252, "Björk", "utf-8"),  # UTF-8 comes first, whatever the file says
        (932, "ﾊﾅ", "cp932"),
        (28592, "Dvořák", "iso8859-2"),
        (1, "Café", "cp1252"),  # no such code page
    ],
)
def test_a_wav_that_says_its_code_page_is_read_by_it(
    page: int | None, text: str, encoded: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.wav"
    sf.write(path, noise(4410, 1), 44100)
    raw = text.encode(encoded) + b"\0"
    raw += b"\0" * (len(raw) % 2)
    info = b"INFO" + b"INAM" + len(raw).to_bytes(4, "little") + raw
    chunk = b"LIST" + len(info).to_bytes(4, "little") + info
    if page is not None:
        chunk = b"CSET" + (8).to_bytes(4, "little") + page.to_bytes(2, "little") + bytes(6) + chunk
    content = path.read_bytes() + chunk
    path.write_bytes(content[:4] + (len(content) - 8).to_bytes(4, "little") + content[8:])
    assert read_tags(path).title == text


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("utf-8", "Björk"), ("cp1252", "Björk"), ("cp1252", "Don’t Stop “Me” – now…"), ("cp1252", "ÄÖÜ"),
        ("cp1252", "Françoise Hardy – Tous les garçons et les filles"), ("cp1251", "Кино"),
        ("cp1251", "ДДТ Что такое осень"), ("koi8_r", "Кино Группа крови"), ("cp1253", "Μίκης Θεοδωράκης"),
        ("cp932", "椎名林檎 丸の内サディスティック"), ("cp932", "椎名林檎"), ("euc_kr", "방탄소년단 봄날"),
        ("gbk", "周杰伦"), ("gbk", "邓丽君 月亮代表我的心"), ("big5", "鄧麗君 月亮代表我的心"),
    ],
)  # fmt: skip
def test_a_text_of_no_stated_charset_is_read_as_it_was_written(charset: str, text: str) -> None:
    raw = text.encode(charset)
    assert legible(raw, likely_charset([raw])) == text


@pytest.mark.parametrize("raw", [bytes(range(128, 256)), b"\x81", b"a\x8d\xffb", b"\xc3("])
def test_any_bytes_give_a_text_without_replacement_characters(raw: bytes) -> None:
    assert "\ufffd" not in legible(raw, likely_charset([raw]))


def test_the_texts_of_a_file_speak_for_each_other(mp3: Path) -> None:
    """`ДДТ` alone may be anything; beside its title it is Russian."""
    from mutagen.id3 import ID3, TIT2, TPE1, Encoding

    tags = ID3()
    for frame, text in ((TPE1, "ДДТ"), (TIT2, "Что такое осень")):
        tags.add(frame(encoding=Encoding.LATIN1, text=[text.encode("cp1251").decode("latin-1")]))
    tags.save(mp3)
    assert (read_tags(mp3).artist, read_tags(mp3).title) == ("ДДТ", "Что такое осень")


def test_vorbis_comments_that_are_no_utf_8_are_read_all_the_same(flac: Path) -> None:
    from mutagen.flac import FLAC

    file: Any = FLAC(flac)
    file["TITLE"], file["ARTIST"] = "Caf@ del Mar", "Energy 52"
    file.save()
    flac.write_bytes(flac.read_bytes().replace(b"Caf@", b"Caf\xe9"))
    assert read_tags(flac).title == "Café del Mar"


def test_kinds_of_tags_are_merged_the_better_kept_one_first(mp3: Path) -> None:
    from mutagen.apev2 import APEv2
    from mutagen.id3 import ID3, TIT2

    id3 = ID3()
    id3.add(TIT2(encoding=3, text=["T2"]))
    id3.save(mp3, v1=0)
    ape = APEv2()
    ape["Title"], ape["Artist"], ape["Year"] = "T-APE", "An artist of more than thirty letters", "1999"
    ape.save(mp3)
    v1 = b"T1".ljust(30, b"\0") + b"An artist of more than thirty " + b"Album 1".ljust(30, b"\0")
    mp3.write_bytes(mp3.read_bytes() + b"TAG" + v1 + b"1980" + bytes(30) + b"\xff")
    tags = read_tags(mp3)
    assert tags == Tags(
        title="T2",
        artist="An artist of more than thirty letters",
        album="Album 1",
        date="1999",
    )


def test_a_wavs_info_adds_what_its_id3_does_not_say(tmp_path: Path) -> None:
    from mutagen.id3 import TIT2
    from mutagen.wave import WAVE

    path = tmp_path / "a.wav"
    encode_with_ffmpeg(
        path, noise(4410, 1), 44100, "pcm_s16le", metadata={"artist": "Björk", "title": "INFO"}
    )
    file: Any = WAVE(path)
    file.add_tags()
    file.tags.add(TIT2(encoding=3, text=["ID3"]))
    file.save()
    assert (read_tags(path).artist, read_tags(path).title) == ("Björk", "ID3")


@pytest.mark.parametrize(
    ("name", "codec", "kept"),
    [
        ("a.wav", "pcm_s16le", {"genre": "Drone", "copyright": "Nobody"}),
        ("a.aiff", "pcm_s16be", {"copyright": "Nobody", "comment": "A note"}),
    ],
)
def test_chunks_of_text_add_to_an_id3_that_has_artist_and_title(
    tmp_path: Path, name: str, codec: str, kept: dict[str, str]
) -> None:
    from mutagen.aiff import AIFF
    from mutagen.id3 import TIT2, TPE1
    from mutagen.wave import WAVE

    path = encode_with_ffmpeg(tmp_path / name, noise(4410, 1), 44100, codec, metadata=kept)
    file: Any = (WAVE if name == "a.wav" else AIFF)(path)
    file.add_tags()
    file.tags.add(TIT2(encoding=3, text=["Title"]))
    file.tags.add(TPE1(encoding=3, text=["Artist"]))
    file.save()
    tags = read_tags(path)
    assert (tags.artist, tags.title) == ("Artist", "Title")
    assert {name: getattr(tags, name) for name in kept} == kept


def test_all_artists_are_read(mp3: Path, flac: Path, tmp_path: Path) -> None:
    from mutagen.apev2 import APEv2
    from mutagen.flac import FLAC
    from mutagen.id3 import ID3, TPE1
    from mutagen.mp4 import MP4

    artists = ["Björk", "Thom Yorke"]
    wv = encode_with_ffmpeg(tmp_path / "a.wv", noise(44_100, 2), 44100, "wavpack")
    m4a = encode_with_ffmpeg(tmp_path / "a.m4a", noise(44_100, 2), 44100, "aac")
    id3 = ID3()
    id3.add(TPE1(encoding=3, text=artists))
    id3.save(mp3)
    ape = APEv2()
    ape["Artist"] = artists
    ape.save(wv)
    vorbis: Any = FLAC(flac)
    vorbis["ARTIST"] = artists
    vorbis.save()
    mp4: Any = MP4(m4a)
    mp4["©ART"] = artists
    mp4.save()
    assert [read_tags(path).artist for path in (mp3, wv, flac, m4a)] == ["Björk; Thom Yorke"] * 4


def picture(data: bytes, kind: int) -> Any:
    from mutagen.flac import Picture

    made = Picture()
    made.data, made.type, made.mime = data, kind, "image/png"
    return made


def test_the_front_cover_is_carried_though_the_back_comes_first(
    mp3: Path, flac: Path, tmp_path: Path
) -> None:
    from mutagen.apev2 import APEv2, APEValue
    from mutagen.flac import FLAC
    from mutagen.id3 import APIC, ID3
    from mutagen.oggvorbis import OggVorbis

    id3 = ID3()
    for kind, data in ((4, BACK), (3, FRONT)):
        id3.add(APIC(encoding=0, mime="image/png", type=kind, desc=str(kind), data=data))
    id3.save(mp3)
    file: Any = FLAC(flac)
    for kind, data in ((4, BACK), (3, FRONT)):
        file.add_picture(picture(data, kind))
    file.save()
    ogg = encode_vorbis(tmp_path / "a.ogg", noise(44_100, 1), 44100)
    vorbis: Any = OggVorbis(ogg)
    vorbis["METADATA_BLOCK_PICTURE"] = [
        base64.b64encode(picture(data, kind).write()).decode() for kind, data in ((4, BACK), (3, FRONT))
    ]
    vorbis.save()
    wv = encode_with_ffmpeg(tmp_path / "a.wv", noise(44_100, 2), 44100, "wavpack")
    ape = APEv2()
    ape["Cover Art (Back)"] = APEValue(b"back.png\0" + BACK, 1)
    ape["Cover Art (Front)"] = APEValue(b"front.png\0" + FRONT, 1)
    ape.save(wv)
    assert [read_tags(path).artwork == FRONT for path in (mp3, flac, ogg, wv)] == [True] * 4


def test_a_back_cover_alone_is_better_than_none_and_an_address_is_no_cover(mp3: Path) -> None:
    from mutagen.id3 import APIC, ID3

    id3 = ID3()
    id3.add(APIC(encoding=0, mime="-->", type=3, desc="", data=b"https://example.com/a.png"))
    id3.save(mp3)
    assert read_tags(mp3).artwork is None
    id3.add(APIC(encoding=0, mime="image/png", type=4, desc="", data=BACK))
    id3.save(mp3)
    assert read_tags(mp3).artwork == BACK


def test_a_title_is_the_characters_it_is(flac: Path) -> None:
    from mutagen.flac import FLAC

    file: Any = FLAC(flac)
    file["TITLE"] = "![x](https://example.com/a.png)"
    file.save()
    assert read_tags(flac).title == "![x](https://example.com/a.png)"


def test_what_turns_the_direction_of_writing_is_taken_out() -> None:
    assert Tags(title="gpj.\u202e3pm\u2069").title == "gpj. 3pm"


# --- covers that are too large -------------------------------------------------------------------------------


def test_a_cover_that_fits_stays_as_it_is() -> None:
    assert fitting(FRONT, len(FRONT)) == (FRONT, None)


def test_a_cover_that_does_not_fit_is_made_smaller_and_told() -> None:
    from PIL import Image

    large = image(1200, grain=True)  # 4.3 MB
    smaller, note = fitting(large, 1 << 20)
    assert smaller is not None
    assert len(smaller) <= 1 << 20
    with Image.open(io.BytesIO(smaller)) as opened:
        assert opened.format == "JPEG"
        assert max(opened.size) in (800, 1200)
    assert note is not None
    assert note.startswith("the cover of 4.1 MiB is made smaller: 0.")


@pytest.mark.parametrize(
    "data", [bytes(100_000), b"\xff\xd8\xff" + bytes(100_000), image(200, grain=True)[:90_000]]
)
def test_a_cover_that_cannot_be_made_smaller_is_left_out_and_told(data: bytes) -> None:
    assert fitting(data, 50_000) == (
        None,
        f"the cover of 0.1 MiB is left out: over {50_000 / 2**20:g} MiB, and it can't be made smaller",
    )
