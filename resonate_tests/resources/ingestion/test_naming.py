"""What a track is called where its tags do not say."""

from __future__ import annotations

import os

import pytest

from resonate_resources.ingestion.naming import artist_and_title, named
from resonate_resources.recordings.tags import Tags


@pytest.mark.parametrize(
    ("name", "artist", "title"),
    [
        ("Björk - Jóga.mp3", "Björk", "Jóga"),
        ("01 - Björk - Jóga.mp3", "Björk", "Jóga"),
        ("Björk - Homogenic - 02 - Jóga.flac", "Björk", "Jóga"),
        ("Björk – Jóga (Live).wav", "Björk", "Jóga (Live)"),
        ("Energy 52 - Café del Mar - Three'n One Remix.wav", "Energy 52", "Café del Mar - Three'n One Remix"),
        ("Daft_Punk_-_One_More_Time.mp3", "Daft Punk", "One More Time"),
        ("03. Jóga.mp3", None, "Jóga"),
        ("03 Jóga.mp3", None, "Jóga"),
        ("song.wav", None, "song"),
        ("99 Luftballons.mp3", None, "99 Luftballons"),
        ("7 rings.mp3", None, "7 rings"),
        ("1979.mp3", None, "1979"),
        ("50 Cent - In da Club.mp3", "50 Cent", "In da Club"),
        ("Jay-Z.mp3", None, "Jay-Z"),
        (os.fsdecode("Bj\xf6rk - J\xf3ga.mp3".encode("latin-1")), "Björk", "Jóga"),
        (os.fsdecode("Кино - Группа крови.mp3".encode("cp1251")), "Кино", "Группа крови"),
        (" - .wav", None, "-"),
        ("![x](https:a.png) - <b>b<.wav", "![x](https:a.png)", "<b>b<"),
    ],
)
def test_a_name_is_split_where_it_says_artist_and_title(name: str, artist: str | None, title: str) -> None:
    assert artist_and_title(name) == (artist, title)


@pytest.mark.parametrize(
    ("tags", "name", "artist", "title"),
    [
        (Tags(), "A - B.mp3", "A", "B"),
        (Tags(artist="A", title="B"), "C - D.mp3", "A", "B"),
        (Tags(artist="A"), "A - B.mp3", "A", "B"),
        (Tags(artist="C"), "A - B.mp3", "C", "A - B"),
        (Tags(title="B"), "A - B.mp3", "A", "B"),
        (Tags(title="Z"), "A - B.mp3", None, "Z"),
    ],
)
def test_tags_come_before_the_name(tags: Tags, name: str, artist: str | None, title: str) -> None:
    assert (named(tags, name).artist, named(tags, name).title) == (artist, title)
