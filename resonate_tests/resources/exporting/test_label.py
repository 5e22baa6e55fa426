"""What is written into exported files, as mutagen reads it; loudness by pyloudnorm."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyloudnorm
import pytest
from mutagen.flac import FLAC
from mutagen.mp3 import MP3
from mutagen.wave import WAVE

from resonate_resources.exporting.label import Label, Level, part_of
from resonate_resources.recordings.encoding import encode_flac, encode_wav
from resonate_resources.recordings.lossy import encode_lossy
from resonate_resources.recordings.recording import Recording, write_samples
from resonate_resources.recordings.tags import Tags

RATE = 48000
WHOLE = Level(-14.0, -1.0)
TAGS = Tags(
    artist="Björk", title="Jóga", bpm=84.52, key="F# minor", isrc="GBUM71029604", artwork=b"\xff\xd8\xff12"
)
PEAK = 0.5


@pytest.fixture
def tone(tmp_path: Path) -> Recording:
    """A sine at a quarter of the rate, whose samples fall 3 dB short of its peaks."""
    wave = PEAK * np.sin(np.pi / 2 * np.arange(5 * RATE) + np.pi / 4)
    fade = np.minimum(1, np.minimum(np.arange(wave.size), np.arange(wave.size)[::-1]) / 4800)
    return write_samples(tmp_path / "tone.wav", np.stack([wave * fade] * 2).astype(np.float32), RATE)


def id3(path: Path) -> dict[str, Any]:
    tags: Any = (WAVE if path.suffix == ".wav" else MP3)(path).tags
    texts = {
        frame.desc if frame.FrameID == "TXXX" else frame.FrameID: str(frame.text[0])
        for frame in tags.values()
        if hasattr(frame, "text")
    }
    return texts | {"cover": tags.getall("APIC")[0].data}


def vorbis(path: Path) -> dict[str, Any]:
    file = FLAC(path)
    names = {"ARTIST": "TPE1", "TITLE": "TIT2", "BPM": "TBPM", "INITIALKEY": "TKEY", "ISRC": "TSRC"}
    texts = {names.get(key.upper(), key.upper()): value for key, value in file.tags or ()}
    return texts | {"cover": file.pictures[0].data}


@pytest.mark.parametrize(
    ("encode", "suffix", "read"),
    [
        (encode_wav, ".wav", id3),
        (encode_flac, ".flac", vorbis),
        (partial(encode_lossy, form="mp3"), ".mp3", id3),
    ],
)
def test_every_kind_of_file_carries_tags_cover_tempo_key_and_replay_gain(
    encode: Callable[[Recording, Path], None],
    suffix: str,
    read: Callable[[Path], dict[str, Any]],
    tone: Recording,
    tmp_path: Path,
) -> None:
    path = tmp_path / f"out{suffix}"
    encode(tone, path)
    Label(part_of(TAGS, "Vocals"), Level(-9.5, -0.5), WHOLE).write(path)
    assert read(path) == {
        "TPE1": "Björk",
        "TIT2": "Jóga (Vocals)",
        "TBPM": "84.52",
        "TKEY": "F#m",
        "TSRC": "GBUM71029604",
        "REPLAYGAIN_TRACK_GAIN": "-8.50 dB",  # ReplayGain 2.0: to −18 LUFS
        "REPLAYGAIN_TRACK_PEAK": "0.944061",
        "REPLAYGAIN_ALBUM_GAIN": "-4.00 dB",
        "REPLAYGAIN_ALBUM_PEAK": "0.891251",
        "cover": b"\xff\xd8\xff12",
    }


def test_a_level_that_is_not_known_is_measured(tone: Recording) -> None:
    loudness = pyloudnorm.Meter(RATE).integrated_loudness(tone.read().T.astype(np.float64))
    Label(TAGS, None, WHOLE).write(tone.path)
    told = id3(tone.path)
    assert float(told["REPLAYGAIN_TRACK_GAIN"].removesuffix(" dB")) == pytest.approx(-18 - loudness, abs=0.05)
    assert float(told["REPLAYGAIN_TRACK_PEAK"]) == pytest.approx(PEAK, rel=0.03)


def test_the_sound_stays_as_it_was(tone: Recording) -> None:
    before = tone.read()
    Label(TAGS, None, WHOLE).write(tone.path)
    assert np.array_equal(Recording.open(tone.path).read(), before)


def test_silence_has_no_gain(tmp_path: Path) -> None:
    silence = write_samples(tmp_path / "silence.wav", np.zeros((2, RATE), np.float32), RATE)
    Label(TAGS, None, WHOLE).write(silence.path)
    assert not [key for key in id3(silence.path) if key.startswith("REPLAYGAIN_TRACK")]


def test_a_file_that_stands_for_itself_has_no_gain_of_an_album(tone: Recording) -> None:
    Label(TAGS, Level(-9.5, -0.5), None).write(tone.path)
    gains = {key for key in id3(tone.path) if key.startswith("REPLAYGAIN")}
    assert gains == {"REPLAYGAIN_TRACK_GAIN", "REPLAYGAIN_TRACK_PEAK"}


def test_whatever_a_label_says_another_of_it_has_another_digest() -> None:
    label = Label(TAGS, None, WHOLE)
    others = [
        replace(label, tags=replace(TAGS, bpm=85.0)),
        replace(label, tags=replace(TAGS, artwork=b"\xff\xd8\xff34")),
        replace(label, level=WHOLE),
        replace(label, whole=Level(-14.0, -2.0)),
        replace(label, level=WHOLE, whole=None),
    ]
    assert len({each.digest() for each in (label, *others)}) == 6
    assert Label(TAGS, None, Level(-14.0, -1.0)).digest() == label.digest()
