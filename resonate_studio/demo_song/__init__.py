"""A song composed by program and rendered with known stems: the truth for tests and `make demo`."""

from resonate_studio.demo_song.composition import Composition, Section, compose
from resonate_studio.demo_song.phone import PhoneRecording, record_on_phone
from resonate_studio.demo_song.rendering import DemoSong, render

__all__ = [
    "Composition",
    "DemoSong",
    "PhoneRecording",
    "Section",
    "compose",
    "record_on_phone",
    "render",
]
