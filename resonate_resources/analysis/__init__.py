"""The analysis of a track that sees its stems: chords, form, arrangement, space, pumping, envelopes."""
