"""What a track is, in numbers: tempo, beats, key, sections, loudness, bandwidth, width.

It judges nothing: whether a result is like its track is quality's to say. What both hear is in `signal/`.
"""
