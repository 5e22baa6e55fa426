"""Notes that the engines of these tests play: a chord, and a note after it."""

from __future__ import annotations

from resonate_resources.recordings.midi import Note

NOTES = (Note(0.1, 0.6, 60, 100), Note(0.1, 1.2, 67, 40), Note(0.9, 2.0, 55, 127))
