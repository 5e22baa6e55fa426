"""How far a song is moved to be in another key."""

from __future__ import annotations

from resonate_resources.signal.spelling import TONICS, pitch_class


def semitones_between(key: str, wanted: str) -> int:
    """The shortest way from one key to another, −6…5 semitones.

    Keys as `spelt` has them. Relative keys are one (Camelot's 8A and 8B): what is in C major has the notes of
    A minor without being moved.
    """
    return (_notes_of(wanted) - _notes_of(key) + 6) % 12 - 6


def moved_key(key: str, semitones: float) -> str | None:
    """The key of what was moved by that many semitones; None of what lies between keys."""
    if semitones != round(semitones):
        return None
    tonic, mode = key.split()
    return f"{TONICS[mode][(pitch_class(tonic) + round(semitones)) % 12]} {mode}"


def _notes_of(key: str) -> int:
    """The tonic of the major key that has its notes."""
    tonic, mode = key.split()
    return pitch_class(tonic) + (3 if mode == "minor" else 0)
