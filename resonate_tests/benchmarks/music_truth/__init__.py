"""Songs whose music is known to the note, and how right an analysis of them is.

Composed from a seed and played by soundfonts of three makers; `bench_music` renders and judges. Seeds from 100 on
are for judging only.
"""
