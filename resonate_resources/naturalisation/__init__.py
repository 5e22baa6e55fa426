"""Naturalisation: what voices lack that were generated or tuned too far, given back where it is missing.

Vibrato, breath and less shimmer, each where its own measure is beyond what real voices reach, and kept where that
improves and nothing else falls. What mixing does to the voice before it sums; it knows nothing of other stems.
"""
