"""Drum tracks whose every stroke is known, to fit the network of drum strokes on."""
