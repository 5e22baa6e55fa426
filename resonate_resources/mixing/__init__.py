"""Stems become a mix: channel strips, balance, the bus.

Loudness and peaks of what is delivered are mastering's.
"""
