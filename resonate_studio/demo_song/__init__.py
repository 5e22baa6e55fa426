"""A song composed by program and rendered with known stems: the truth for tests and `make demo`."""

from resonate_studio.demo_song.composition import Composition, Note, Section, compose
from resonate_studio.demo_song.phone import PhoneRecording, record_on_phone
from resonate_studio.demo_song.rendering import DemoSong, render

__all__ = [
    "Composition",
    "DemoSong",
    "Note",
    "PhoneRecording",
    "Section",
    "compose",
    "record_on_phone",
    "render",
]
