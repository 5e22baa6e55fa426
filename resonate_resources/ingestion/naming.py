"""What a track is called: as its tags say, or as its file's name does where they say nothing."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import PurePath

from resonate_resources.recordings.charsets import legible, likely_charset
from resonate_resources.recordings.tags import Tags

# "01 - ", "01. ", "1) ", "01_", "01 ": rippers number like that; "99 Luftballons" and "7 rings" are titles.
_TRACK_NUMBER = re.compile(r"\d{1,3}(\.\s*|\)\s*|_+|\s+[-–—]\s+)(?=\D)|0\d\s+(?=\D)")
_DASH = re.compile(r"\s+[-–—]\s+")


def named(tags: Tags, file_name: str) -> Tags:
    """Tags with artist and title from a file's name where they lack them: `Artist - Title`, `01 - Title`."""
    artist, title = artist_and_title(file_name)
    if tags.title is None:
        if artist is not None and tags.artist not in (None, artist):
            artist, title = None, f"{artist} - {title}"  # a dash within a title
        return replace(tags, artist=tags.artist or artist, title=title)
    if tags.artist is None and title is not None and title.casefold() == tags.title.casefold():
        return replace(tags, artist=artist)
    return tags


def artist_and_title(file_name: str) -> tuple[str | None, str | None]:
    """What a file's name says, in whatever charset its bytes are."""
    raw = os.fsencode(PurePath(file_name).stem)
    stem = Tags(title=legible(raw, likely_charset([raw]))).title or ""
    if " " not in stem:
        stem = stem.replace("_", " ").strip() or stem
    stem = _TRACK_NUMBER.sub("", stem, count=1) if _TRACK_NUMBER.match(stem) else stem
    parts = [part for part in _DASH.split(stem) if part]
    if len(parts) < 2:
        return None, stem or None
    # "Artist - Album - 03 - Title"
    numbers = [place for place, part in enumerate(parts[:-1]) if place and part.isdecimal()]
    return parts[0], " - ".join(parts[numbers[-1] + 1 if numbers else 1 :])
