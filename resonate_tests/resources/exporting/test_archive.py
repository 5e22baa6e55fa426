"""An archive as Python's zipfile, soundfile and pretty_midi read it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import soundfile as sf

from resonate_resources.exporting.archive import Archive
from resonate_resources.exporting.sound_format import SoundFormat
from resonate_resources.recipe import Product
from resonate_resources.recordings.recording import silent
from resonate_resources.recordings.tags import Tags
from resonate_resources.recordings.tempo_map import Grid
from resonate_tests.resources.exporting.stem_songs import FOUR, song


def opened(product: Product) -> zipfile.ZipFile:
    (path,) = product.files.values()
    return zipfile.ZipFile(path)


def test_it_holds_every_stem_the_notes_and_what_is_known_uncompressed(tmp_path: Path) -> None:
    made = song(tmp_path)
    product = Archive().write(made, tmp_path, silent)
    assert list(product.files) == ["Björk - Jóga (Stems).zip"]
    with opened(product) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "metadata.json",
            *(f"Björk - Jóga ({stem.capitalize()}).wav" for stem in FOUR),
            "midi/Björk - Jóga (Bass).mid",
        ]
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
        for stem in FOUR:
            content = archive.read(f"Björk - Jóga ({stem.capitalize()}).wav")
            read, rate = sf.read(io.BytesIO(content), dtype="float32")
            assert rate == 44_100
            assert np.abs(read.T - made.stems[stem].read()).max() <= 1.51 * 2.0**-23
        notes = pretty_midi.PrettyMIDI(io.BytesIO(archive.read("midi/Björk - Jóga (Bass).mid")))
        assert [(note.pitch, round(note.start, 3)) for note in notes.instruments[0].notes] == [(40, 0.5)]


def test_its_metadata_tells_beats_sections_key_and_the_hash_of_every_file(tmp_path: Path) -> None:
    with opened(Archive().write(song(tmp_path), tmp_path, silent)) as archive:
        told = json.loads(archive.read("metadata.json"))
        hashes = {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()[1:]}
    assert {name: file["sha256"] for name, file in told["files"].items()} == hashes
    assert [beat["second"] for beat in told["beats"]] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    assert [beat["bar"] for beat in told["beats"]] == [1, 1, 1, 1, 2, 2]
    assert [beat["down"] for beat in told["beats"]] == [True, False, False, False, True, False]
    assert told["sections"][1] == {"name": "Chorus", "start_s": 1.0, "end_s": 3.0}
    assert told["keys"] == [{"start_s": 0.0, "key": "A minor"}]
    assert told["tags"]["title"] == "Jóga"


def test_the_same_song_gives_the_same_bytes(tmp_path: Path) -> None:
    made = song(tmp_path)
    contents = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (path,) = Archive().write(made, tmp_path / name, silent).files.values()
        contents.append(path.read_bytes())
        assert [left.name for left in path.parent.iterdir()] == ["song.zip"]  # and leaves no scratch behind
    assert contents[0] == contents[1]


@pytest.mark.parametrize("form", ["flac", "mp3"])
def test_its_stems_are_of_the_form_that_is_asked_for(form: str, tmp_path: Path) -> None:
    archive_of = Archive(SoundFormat("flac" if form == "flac" else "mp3"))
    with opened(archive_of.write(song(tmp_path), tmp_path, silent)) as archive:
        assert [name for name in archive.namelist() if name.endswith(f".{form}")] == [
            f"Björk - Jóga ({stem.capitalize()}).{form}" for stem in FOUR
        ]


def test_without_beats_it_says_so(tmp_path: Path) -> None:
    product = Archive().write(song(tmp_path, grid=Grid()), tmp_path, silent)
    assert product.notes == ("no beats were found: metadata.json has none",)
    with opened(product) as archive:
        assert json.loads(archive.read("metadata.json"))["beats"] == []


def test_any_title_gives_names_that_every_system_unpacks(tmp_path: Path) -> None:
    tags = Tags(artist="AC/DC", title="../Ü\u200b🎵" + "x" * 300)
    with opened(Archive().write(song(tmp_path, tags=tags), tmp_path, silent)) as archive:
        names = archive.namelist()
    assert len(names) == len({name.casefold() for name in names}) == 6
    assert not any(".." in Path(name).parts or name.startswith("/") for name in names)
    assert all(len(Path(name).name.encode()) <= 255 for name in names)
