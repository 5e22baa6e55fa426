"""Names that every system can hold, and that tell twenty folders and files apart."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.exporting.names import file_name, folder_name

SHA256 = hashlib.sha256(b"").hexdigest()
_TEXT = st.none() | st.text(st.characters(), max_size=400)


@given(artist=_TEXT, title=_TEXT)
def test_any_tags_give_a_folder_name_that_every_system_can_hold(
    artist: str | None, title: str | None
) -> None:
    name = folder_name(artist, title, SHA256)
    assert not re.search(r'[\x00-\x1f\x7f<>:"/\\|?*]', name)  # Windows' and POSIX's reserved characters
    assert name not in (".", "..")
    assert not name.startswith((" ", ".")) and not name.endswith((" ", "."))  # hidden, or cut by Windows
    assert len(name.encode()) <= 255  # ext4's and APFS's limit, in UTF-8
    assert name.endswith(f"_{SHA256[:12]}")


@given(artist=_TEXT, title=_TEXT)
def test_a_folder_of_any_name_is_made_right_below_exports(
    tmp_path_factory: pytest.TempPathFactory, artist: str | None, title: str | None
) -> None:
    root = tmp_path_factory.mktemp("names")
    (root / folder_name(artist, title, SHA256)).mkdir()
    assert len(list(root.iterdir())) == 1


def test_a_folder_is_named_by_artist_title_and_hash() -> None:
    assert folder_name("Björk", "Jóga", SHA256) == "Björk - Jóga_e3b0c44298fc"
    assert folder_name("AC/DC", 'What?  "Live"', SHA256) == "AC DC - What Live_e3b0c44298fc"
    assert folder_name(None, None, SHA256) == "Unknown Artist - Untitled_e3b0c44298fc"


@given(artist=_TEXT, title=_TEXT)
def test_any_tags_give_a_file_name_that_every_system_can_hold(artist: str | None, title: str | None) -> None:
    name = file_name(artist, title, "Vocals, unrestored", "wav")
    assert not re.search(r'[\x00-\x1f\x7f<>:"/\\|?*]', name)
    assert not name.startswith(".")
    assert len(name.encode()) <= 255
    assert name.endswith("(Vocals, unrestored).wav")


@pytest.mark.parametrize(
    ("artist", "title", "name"),
    [
        ("Björk", "Jóga", "Björk - Jóga (Vocals).wav"),
        ("AC/DC", "What?", "AC DC - What (Vocals).wav"),
        (None, "Jóga", "Jóga (Vocals).wav"),
        (None, None, "Untitled (Vocals).wav"),
    ],
)
def test_a_file_is_named_by_artist_title_and_part(artist: str | None, title: str | None, name: str) -> None:
    assert file_name(artist, title, "Vocals", "wav") == name
