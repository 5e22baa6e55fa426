"""An Ableton Live set of a song."""
