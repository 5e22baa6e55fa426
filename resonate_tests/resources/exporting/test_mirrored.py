"""Stems beside a library, as soundfile, FFmpeg and mutagen read them, under names that FAT holds."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import mutagen
import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.exporting.mirrored import Mirrored
from resonate_resources.exporting.names import file_name, safe_name
from resonate_resources.exporting.sound_format import Form, SoundFormat
from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.recording import silent
from resonate_tests.resources.exporting.stem_songs import FOUR, noise, song

DEVICES = ("con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"))


@pytest.fixture
def library(tmp_path: Path) -> Path:
    (tmp_path / "library").mkdir()
    return tmp_path / "library"


def place(library: Path, name: str, *beside: str) -> list[str]:
    """What the stems of the file of that name in the library are called."""
    for each in (name, *beside):
        (library / each).parent.mkdir(parents=True, exist_ok=True)
        (library / each).touch()
    made = song(library.parent / "made", ("vocals",), source=library / name)
    (out := library.parent / "out").mkdir()
    return list(Mirrored(library).write(made, out, silent).files)


def tags(path: Path) -> Any:
    return mutagen.File(path, easy=False).tags


@pytest.mark.parametrize(
    ("form", "bits", "container", "subtype"),
    [
        ("wav", 16, "WAV", "PCM_16"),
        ("wav", 24, "WAV", "PCM_24"),
        ("wav", 32, "WAV", "FLOAT"),
        ("flac", 16, "FLAC", "PCM_16"),
        ("flac", 24, "FLAC", "PCM_24"),
        ("aiff", 16, "AIFF", "PCM_16"),
        ("aiff", 24, "AIFF", "PCM_24"),
        ("aiff", 32, "AIFF", "FLOAT"),
    ],
)
def test_soundfile_reads_every_lossless_form_within_its_dither(
    form: Form, bits: Literal[16, 24, 32], container: str, subtype: str, library: Path
) -> None:
    made = song(library / "made", source=library / "House" / "Jóga.flac")
    product = Mirrored(library, SoundFormat(form, bits)).write(made, library, silent)
    assert list(product.files) == [f"House/Jóga_{stem.capitalize()}.{form}" for stem in FOUR]
    for stem, path in zip(FOUR, product.files.values(), strict=True):
        info = sf.info(path)
        assert (info.format, info.subtype, info.samplerate) == (container, subtype, 44_100)
        read, _ = sf.read(path, dtype="float32", always_2d=True)
        error = np.abs(read.T - made.stems[stem].read())
        assert error.max() <= (0 if bits == 32 else 1.51 * 2.0 ** (1 - bits))
        assert bits == 32 or error.mean() > 0.2 * 2.0 ** (1 - bits)  # rounded, and dithered
    assert product.notes == ()


@pytest.mark.parametrize("form", ["wav", "flac", "aiff", "mp3", "opus"])
def test_mutagen_reads_title_artist_and_key_of_every_form(form: Form, library: Path) -> None:
    made = song(library / "made", ("vocals",))
    (path,) = Mirrored(library, SoundFormat(form)).write(made, library, silent).files.values()
    read = tags(path)
    keys = ("TITLE", "ARTIST", "INITIALKEY") if form in ("flac", "opus") else ("TIT2", "TPE1", "TKEY")
    assert [str(read[key] if key.startswith("T") and len(key) == 4 else read[key][0]) for key in keys] == [
        "Jóga (Vocals)",
        "Björk",
        "Am",
    ]


@pytest.mark.parametrize(("form", "rate"), [("mp3", 44_100), ("opus", 48_000)])
def test_lossy_stems_have_the_length_of_the_song(form: Form, rate: int, library: Path) -> None:
    made = song(library / "made", ("vocals",))
    product = Mirrored(library, SoundFormat(form)).write(made, library, silent)
    read = decode(*product.files.values(), library).recording
    assert read.sample_rate == rate
    assert read.frames == made.master.frames * rate // 44_100
    assert [note for note in product.notes if "48,000 Hz" in note] == (
        ["OPUS has no such sample rate: stems are at 48,000 Hz"] if form == "opus" else []
    )


@pytest.mark.parametrize("came", [8000, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("wanted", [44_100, 48_000])
def test_a_tone_is_the_same_tone_at_the_rate_that_is_asked_for(
    came: int, wanted: Literal[44_100, 48_000], library: Path
) -> None:
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(came) / came)).astype(np.float32)[None]
    made = song(library / "made", {"vocals": tone}, rate=came)
    form = SoundFormat("wav", 24, wanted)
    (path,) = Mirrored(library, form).write(made, library, silent).files.values()
    read, rate = sf.read(path)
    assert (rate, read.shape) == (wanted, (wanted,))
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(wanted) / wanted)
    assert np.abs(read - expected)[wanted // 4 : -wanted // 4].max() < 1e-4


def test_one_stem_over_full_scale_turns_all_down_alike_and_float_keeps_it(library: Path) -> None:
    loud = {"vocals": noise(1, 20_000, peak=2.0), "drums": noise(2, 20_000, peak=0.5)}
    made = song(library / "made", loud)
    peak = float(np.abs(loud["vocals"]).max())
    product = Mirrored(library, SoundFormat("wav", 24)).write(made, library, silent)
    for stem, path in zip(loud, product.files.values(), strict=True):
        assert np.abs(sf.read(path)[0].T - loud[stem] / peak).max() < 1e-6
    assert any("turned down by 6.0 dB" in note for note in product.notes)
    floats = Mirrored(library, SoundFormat("wav", 32)).write(made, library, silent)
    assert not any("turned down" in note for note in floats.notes)
    for stem, path in zip(loud, floats.files.values(), strict=True):
        assert np.array_equal(sf.read(path, dtype="float32")[0].T, loud[stem])


def test_flac_of_32_bits_is_told_to_be_of_24(library: Path) -> None:
    product = Mirrored(library, SoundFormat("flac", 32)).write(
        song(library / "made", ("vocals",)), library, silent
    )
    (path,) = product.files.values()
    assert sf.info(path).subtype == "PCM_24"
    assert product.notes[0] == "FLAC holds no floating point: stems have 24 bits"


def test_silence_stays_silent_though_it_is_dithered(library: Path) -> None:
    made = song(library / "made", {"vocals": np.zeros((1, 44_100), np.float32)})
    (path,) = Mirrored(library, SoundFormat("wav", 16)).write(made, library, silent).files.values()
    assert not sf.read(path)[0].any()


def test_the_folders_of_the_library_are_mirrored(library: Path) -> None:
    assert place(library, "House/Björk: live/01 Jóga?.flac") == ["House/Björk live/01 Jóga_Vocals.wav"]


def test_a_song_outside_the_library_or_without_a_file_lies_at_the_top_and_it_is_told(library: Path) -> None:
    outside = song(library / "a", ("vocals",), source=library.parent / "elsewhere" / "Jóga.wav")
    product = Mirrored(library).write(outside, library, silent)
    assert list(product.files) == ["Jóga_Vocals.wav"]
    assert "outside" in product.notes[0]
    nowhere = Mirrored(library).write(song(library / "b", ("vocals",)), library, silent)
    assert list(nowhere.files) == ["Björk - Jóga_Vocals.wav"]
    assert "no file in the library" in nowhere.notes[0]


@pytest.mark.parametrize("device", ["CON", "aux", "Lpt1", "com²"])
def test_no_folder_is_called_as_a_device_of_windows(device: str, library: Path) -> None:
    (name,) = place(library, f"{device}/Nul. Punkt.mp3")
    assert name == f"{device}_/Nul_. Punkt_Vocals.wav"


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("Song.wav", "SONG.wav"),
        ("Song.flac", "Song.mp3"),
        ("Song?.wav", "Song.wav"),
        ("Jóga.wav", "Jo\u0301ga.wav"),  # composed, and not
        ("House/Song.wav", "house/Song.wav"),
        ("x" * 200 + "1.wav", "x" * 200 + "2.wav"),
    ],
)
def test_what_fat_takes_for_one_name_is_told_apart_from_both_sides(
    name: str, beside: str, tmp_path: Path
) -> None:
    (tmp_path / "one" / "library").mkdir(parents=True)
    (tmp_path / "two" / "library").mkdir(parents=True)
    found = place(tmp_path / "one" / "library", name, beside)
    other = place(tmp_path / "two" / "library", beside, name)
    assert found[0].casefold() != other[0].casefold()
    assert re.search(r"~[0-9a-f]{6}[_/]", found[0]) and re.search(r"~[0-9a-f]{6}[_/]", other[0])


def test_a_cover_beside_a_song_changes_no_name(library: Path) -> None:
    assert place(library, "Song.wav", "Song.jpg", "Song.lrc") == ["Song_Vocals.wav"]


@given(
    name=st.text(st.characters(), max_size=400)
    | st.sampled_from(DEVICES)
    | st.sampled_from(DEVICES).map(str.upper)
)
def test_any_name_is_made_one_that_fat_holds(name: str) -> None:
    for made in (safe_name(name), file_name(None, f"{name}.live", "Vocals", "wav")):
        assert not re.search(r'[\x00-\x1f\x7f<>:"/\\|?*]', made)
        assert not made.endswith((" ", "."))
        assert (
            len(made.encode("utf-16-le")) <= 2 * 255
        )  # a long file name's (FAT32 File System Specification)
        assert made.partition(".")[0].rstrip(" ").casefold() not in DEVICES
