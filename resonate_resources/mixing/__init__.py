"""Stems become a mix: what is wished, what the stems are worth, a plan, the sum.

Loudness and peaks of what is delivered are mastering's.
"""
