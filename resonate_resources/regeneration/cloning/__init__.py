"""Instruments whose sound a network makes up after a stem's, for where no instrument that is there fits.

A folder an engine: `candidates.py` is what the graph sees; `work.py` and what it imports run in the worker
`cloning`. DDSP needs no worker: its network is small enough for numpy.
"""
