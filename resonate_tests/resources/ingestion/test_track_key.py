"""Track keys are safe wherever they go, whatever the tags say."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.ingestion.track_key import TRACK_KEY, content_of, track_key

_TEXT = st.none() | st.text(max_size=400)
_HASHES = st.binary(max_size=8).map(lambda data: hashlib.sha256(data).hexdigest())


@given(artist=_TEXT, title=_TEXT, sha256=_HASHES)
def test_any_tags_give_a_key_of_the_agreed_form(artist: str | None, title: str | None, sha256: str) -> None:
    key = track_key(artist, title, sha256)
    assert TRACK_KEY.fullmatch(key)
    assert content_of(key) == sha256[:12]


def test_a_key_reads_as_artist_and_title() -> None:
    sha256 = hashlib.sha256(b"").hexdigest()
    assert track_key("Björk", "Jóga (Live)", sha256) == "bjork-joga-live-e3b0c44298fc"


def test_a_name_without_latin_letters_still_gives_a_key() -> None:
    assert track_key(None, "🎵 海", hashlib.sha256(b"").hexdigest()) == "track-e3b0c44298fc"
