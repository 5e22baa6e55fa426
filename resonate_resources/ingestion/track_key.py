"""Track keys: pure functions that make a partition's name from what a track is."""

from __future__ import annotations

import re
import unicodedata

TRACK_KEY = re.compile(r"^[a-z0-9][a-z0-9-]{0,63}$")
_HASH_DIGITS = 12
_SLUG_LENGTH = 64 - 1 - _HASH_DIGITS


def track_key(artist: str | None, title: str | None, sha256: str) -> str:
    """Slug of artist and title, `-`, first 12 hex digits of the content's SHA-256.

    Dagster accepts any text as a partition key and checks nothing; this is safe in paths, URLs and S3 keys
    whatever the tags say. Letters are transliterated as far as Unicode's decomposition goes.
    """
    words = " ".join(part for part in (artist, title) if part)
    ascii_words = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_words).strip("-")[:_SLUG_LENGTH].strip("-")
    return f"{slug or 'track'}-{sha256[:_HASH_DIGITS]}"


def content_of(key: str) -> str:
    """The part of a track key that says which content it is of."""
    return key[-_HASH_DIGITS:]
