"""How quality without truth is predicted: rendering, degrading, fitting, and what the result is worth.

`python -m resonate_tests.benchmarks.quality_prediction.fit FOLDER` fits and calibrates;
`python -m resonate_tests.benchmarks.quality_prediction` judges on songs that fitting has not met.
Both need FluidSynth, Debian's fluid-soundfont-gm and timgm6mb-soundfont, and some minutes on two cores.
"""
