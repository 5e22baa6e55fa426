"""Stems become notes: pitches, strokes, and when they begin and end.

What plays the notes is regeneration's; MIDI files are `recordings/`'s.
"""
