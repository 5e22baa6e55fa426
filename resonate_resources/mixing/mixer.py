"""Stems to a mix, as planned: every one at its gain, summed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.mixing.plan import MixPlan
from resonate_resources.recordings.recording import (
    AudioError,
    Progress,
    Recording,
    Samples,
    Stems,
    silent,
    write_recording,
)
from resonate_resources.signal.loudness import LoudnessMeter
from resonate_resources.signal.true_peak import TruePeakMeter

CEILING_DBTP = -1.0
"""True peaks of the mix may be up to here, or as high as those of the stems' plain sum, if that is higher."""


@dataclass(frozen=True)
class Mix:
    """plain_peak_dbtp: of the sum with nothing moved. gain_db: of all together, for its peaks; 0 or less."""

    recording: Recording
    loudness_lufs: float
    true_peak_dbtp: float
    plain_peak_dbtp: float
    gain_db: float


def mix_stems(stems: Stems, plan: MixPlan, path: Path, progress: Progress = silent) -> Mix:
    """Mix stems of equal rate, length and channels (1 to 6) into path: a recording of the same shape.

    Where the plan moves nothing it is their sum, sample by sample. Everything is float: nothing clips on the way.
    Raises AudioError where there are no stems.
    """
    if not stems:
        raise AudioError("there are no stems to mix: separate the track first")
    first = next(iter(stems.values()))
    loudness = LoudnessMeter(first.sample_rate, first.channels)
    peak, plain_peak = (TruePeakMeter(first.sample_rate, first.channels) for _ in range(2))
    gains = [np.float32(10 ** (plan.stems[name].gain_db / 20)) for name in stems]
    with TemporaryDirectory(dir=path.parent) as folder:
        with write_recording(
            Path(folder) / "mix.wav", first.sample_rate, first.channels, first.frames
        ) as writer:
            read = 0
            for blocks in zip(*(stem.blocks() for stem in stems.values()), strict=True):
                total: Samples = np.sum(
                    [block * gain for block, gain in zip(blocks, gains, strict=True)],
                    axis=0,
                    dtype=np.float32,
                )
                loudness.update(total)
                peak.update(total)
                if not plan.moves_nothing:
                    plain_peak.update(np.sum(blocks, axis=0, dtype=np.float32))
                writer.write(total)
                read += total.shape[1]
                progress(read / first.frames)
        plain_dbtp = (peak if plan.moves_nothing else plain_peak).peak()
        gain_db = min(0.0, max(CEILING_DBTP, plain_dbtp) - peak.peak())
        if gain_db:
            source = writer.recording
            with write_recording(path, source.sample_rate, source.channels, source.frames) as writer:
                for block in source.blocks():
                    writer.write(block * np.float32(10 ** (gain_db / 20)))
        else:
            writer.recording.path.replace(path)
    return Mix(
        Recording.open(path),
        loudness.integrated() + gain_db,
        peak.peak() + gain_db,
        plain_dbtp,
        gain_db,
    )
