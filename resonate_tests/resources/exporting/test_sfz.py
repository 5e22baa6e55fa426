"""A song's instruments in its folder; what is in them is regeneration's, and tested there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from resonate_resources.exporting.provenance import Provenance
from resonate_resources.exporting.sfz import SfzInstruments
from resonate_resources.exporting.song import Song
from resonate_resources.recipe import Product
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import silent
from resonate_resources.recordings.tags import Tags
from resonate_resources.regeneration.resource import RegenerationResource
from resonate_tests.resources.exporting.songs_for_decks import DRIFTING, a_song
from resonate_tests.resources.exporting.test_multitrack_midi import song_with

PLAYED = {"bass": [Note(0.2, 0.6, 83, 90), Note(1.0, 1.4, 83, 90)]}


def written(song: Song, folder: Path) -> Product:
    into = folder / "out"
    into.mkdir()
    return SfzInstruments(RegenerationResource()).write(song, into, silent)


def song_of(folder: Path, tags: Tags | None = None) -> Song:
    song = song_with(folder, PLAYED, a_song(folder, DRIFTING, tags=tags))
    return replace(song, stems={"bass": song.original})


def test_all_stands_in_one_folder_of_the_songs_name_and_tells_how_it_came_to_be(tmp_path: Path) -> None:
    told = Provenance("song", "ab" * 32, {"stems": {"model": "htdemucs", "engine": "demucs"}}, ())
    product = written(replace(song_of(tmp_path), provenance=told), tmp_path)
    names = {name.removeprefix("Björk - Jóga (Instruments)/") for name in product.files}
    assert {"Bass.sfz", "Bass.mid", "LICENCE.txt"} <= names
    for name in ("Bass.sfz", "LICENCE.txt"):
        text = product.files[f"Björk - Jóga (Instruments)/{name}"].read_text(encoding="utf-8")
        assert "Björk - Jóga" in text
        assert "stems by htdemucs" in text
        assert "not told to be AI-generated" in text


def test_a_title_of_several_lines_stays_within_the_comment(tmp_path: Path) -> None:
    product = written(song_of(tmp_path, Tags(artist=None, title="One\n<region> sample=x")), tmp_path)
    [sfz] = [path for name, path in product.files.items() if name.endswith(".sfz")]
    lines = sfz.read_text(encoding="utf-8").splitlines()
    assert not any("sample=x" in line for line in lines if not line.startswith("//"))
    assert all("/" not in name.replace("samples/", "").partition("/")[2] for name in product.files)


def test_candidates_of_the_rebuilt_stems_go_out_as_presets(tmp_path: Path) -> None:
    fitted = {
        "kind": "faust",
        "label": "Faust fm",
        "licence": "GPL-3.0-or-later",
        "settings": {"program": "fm", "index": 2.5},
    }
    song = replace(song_of(tmp_path), rebuilt={"bass": {"kept": False, "candidates": [fitted]}})
    product = written(song, tmp_path)
    assert "Björk - Jóga (Instruments)/presets/Bass fm.dsp" in product.files


def test_a_song_without_notes_goes_out_empty_and_says_so(tmp_path: Path) -> None:
    product = written(replace(song_of(tmp_path), notes={}), tmp_path)
    assert product.files == {}
    assert product.notes == ("no stem has notes: there are no instruments",)
