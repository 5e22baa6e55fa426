"""What plays notes, and knows nothing of a track: Faust, soundfonts, and how a long part is played in segments."""
