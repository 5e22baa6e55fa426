"""Stems sound as if they had been recorded well: noise, rumble and missing octaves, each only where it helps.

Balance and tone are mixing's and mastering's.
"""
