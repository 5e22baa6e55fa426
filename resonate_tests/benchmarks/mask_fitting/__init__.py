"""How the networks in `resonate_resources/separation/spectral/masks.npz` are fitted: to songs of known stems.

`python -m resonate_tests.benchmarks.mask_fitting.fit FOLDER` renders 250 songs into FOLDER (7 GB; needs torch,
FluidSynth and the Debian packages that `songs.py` and `real_sounds.py` name), fits a network per pass and
writes masks.npz there.

The shipped file was fitted on 250 songs by the draft of this program, without real voices and drums: same cues,
network and loss, other random choices. Run on songs 1000…1099 only, that program came within 0.7 dB of it on
the demo songs and 1.4 dB on phone recordings (mean SI-SDR gain).
"""
