"""Tracks become material for remixes: at another tempo, in another key, cut into chops and loops.

Programs that material is written for are exporting's.
"""
