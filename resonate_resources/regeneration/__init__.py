"""Notes become stems again, played by instruments made from those stems, or synthesised, and matched to them.

Hearing the notes is transcription's.
"""
