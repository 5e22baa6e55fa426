"""How quality without truth is predicted: rendering, degrading, fitting, and what the result is worth.

`python -m resonate_tests.benchmarks.quality_prediction.fit FOLDER` fits and calibrates;
`python -m resonate_tests.benchmarks.quality_prediction FOLDER` judges on songs that fitting has not met. Both need
what `mask_fitting` needs but torch, and Debian's timgm6mb-soundfont; without $RESONATE_RECORDINGS they have
other songs than those of docs/separation-quality.md. A minute of a core per five songs.
"""
