"""A mix becomes a master: tone, density, loudness, true peak, and the formats it is delivered in.

Single stems are mixing's; encoders are `recordings/`'s.
"""
