"""Chords, as a network hears them: the analysis tells them, quality control judges by them."""
