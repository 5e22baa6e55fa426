"""From words to music."""
