"""How like its reference a candidate is, in sixteen dimensions.

It describes no single recording: what a track is, profiling tells. What both hear is in `signal/`.
"""
