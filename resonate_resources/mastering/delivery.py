"""The files of a master, and what they measure once they are read back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np

from resonate_resources.mastering.brief import Format
from resonate_resources.mastering.easing import WINDOW_SECONDS, eased, together, windows_over
from resonate_resources.mastering.facts import Facts, measured
from resonate_resources.mastering.foresight import foreseen
from resonate_resources.mastering.levelling import TOLERANCE_LU, Levelled, Target
from resonate_resources.mastering.targets import file_name
from resonate_resources.recordings.decoding import decoded
from resonate_resources.recordings.encoding import encode_flac, encode_wav
from resonate_resources.recordings.lossy import (
    LOSSY,
    LossyFormat,
    channels_in,
    downmix_to_stereo,
    encode_lossy,
)
from resonate_resources.recordings.playback_gain import playback_gain
from resonate_resources.recordings.recording import AudioError, Recording, write_recording
from resonate_resources.recordings.tags import Tags, write_tags
from resonate_resources.signal.levels import Levels, meter, trace_levels
from resonate_resources.signal.true_peak import TruePeakMeter

Level = Callable[[Path, float, float], Levelled]
"""Writes the shaped mix to a path, limited to a ceiling in dBTP, at a loudness in LUFS."""

_TRIALS = 6
_LIMITED = 3
"""So often the source of a lossy file is levelled again; after that it is turned down, and may be less loud."""
_HOLDS = 0.45
"""Of what a lower ceiling takes off peaks, encoding gives back the rest (MP3, 30 minutes of the demo song)."""
_SPARE_DB = 0.05
_FEW, _LOUD_DB = 0.2, 6.0
"""Where at most this part of what is loud, within so many dB of the highest peak, is over the ceiling, that is
eased; where it is more, all is limited lower."""


@dataclass(frozen=True)
class Delivered:
    """A file, measured from what it decodes to, and the ceiling under which it was limited.

    as_loud: it is to have the loudness that was asked for; else its source has not, or it was mixed down to fewer
    channels, which have one of their own. encoded: how often.
    """

    path: Path
    levels: Levels
    limited_dbtp: float
    as_loud: bool = True
    encoded: int = 1
    facts: Facts | None = None


def deliver(
    levelled: Levelled,
    again: Level,
    into: Path,
    label: str,
    tags: Tags,
    target: Target,
    formats: Collection[Format],
    bits: Literal[16, 24, 32] = 24,
) -> Mapping[str, Delivered]:
    """Write the master for the target of that label in these formats. WAV and FLAC hold the same samples (but 24
    bits beside float). All are tagged, their own loudness included.

    Encoding to what is lossy raises peaks, and takes loudness from what is loud over 20 kHz. Where the decoded file
    is over the ceiling here and there, its source is eased in these places. Where it is throughout, or not as loud
    as the others, it is made of a mix that is levelled `again`, for another ceiling or loudness. Of long tracks
    excerpts are tried first, so that the whole is rarely encoded twice.
    """
    with ThreadPoolExecutor(1 + len(LOSSY)) as pool:  # what is lossy takes longer than the others together
        jobs = [
            pool.submit(_deliver_lossy, form, levelled, again, target, into / file_name(label, form))
            for form in LOSSY
            if form in formats
        ]
        delivered = _deliver_lossless(levelled, target, into, label, formats, bits)
        for job in jobs:
            file = job.result()
            delivered[file.path.name] = file
    for file in delivered.values():
        loudness, peak = file.levels.loudness.integrated_lufs, file.levels.true_peak_dbtp
        write_tags(file.path, tags, playback_gain(file.path.suffix, "TRACK", loudness, peak))
    return delivered


def _deliver_lossless(
    levelled: Levelled,
    target: Target,
    into: Path,
    label: str,
    formats: Collection[Format],
    bits: Literal[16, 24, 32],
) -> dict[str, Delivered]:
    as_loud = abs(levelled.loudness_lufs - target.lufs) <= TOLERANCE_LU
    encoders = {
        "wav": partial(encode_wav, bits=bits),
        "flac": partial(encode_flac, bits=16 if bits == 16 else 24),
    }
    delivered: dict[str, Delivered] = {}
    for form, encode in encoders.items():
        if form not in formats:
            continue
        path = into / file_name(label, form)
        encode(levelled.recording, path)
        same = delivered.get(file_name(label, "wav")) if bits != 32 else None
        if same is not None:
            delivered[path.name] = Delivered(path, same.levels, same.limited_dbtp, as_loud)
            continue
        found = measured(Recording.open(path))
        delivered[path.name] = Delivered(path, found.levels, target.limiter_dbtp, as_loud, facts=found.facts)
    return delivered


def _deliver_lossy(
    form: LossyFormat, levelled: Levelled, again: Level, target: Target, path: Path
) -> Delivered:
    ceiling, lufs = target.limiter_dbtp, min(target.lufs, levelled.loudness_lufs)
    # What is not at the target stays off it, and channels mixed down have a loudness of their own.
    folded = channels_in(form, levelled.recording.channels) < levelled.recording.channels
    at_target = abs(levelled.loudness_lufs - target.lufs) <= TOLERANCE_LU and not folded
    with TemporaryDirectory(dir=path.parent) as folder:
        if folded:
            levelled = _folded(levelled, Path(folder) / "folded.wav", ceiling)
        expected = foreseen(levelled.recording, form, target.decoded_dbtp, Path(folder))
        dips = expected.dips
        afresh = expected.over_db > 0
        ceiling -= _lowered(expected.over_db, folded) if afresh else 0.0
        for trial in range(_TRIALS):
            if afresh:
                levelled, dips = again(Path(folder) / "again.wav", ceiling, lufs), {}
                if folded:
                    levelled = _folded(levelled, Path(folder) / "folded.wav", ceiling)
            source = levelled.recording
            encode_lossy(eased(source, dips, Path(folder) / "eased.wav") if dips else source, path, form)
            with decoded(path) as (rate, channels, blocks):
                levels, peaks = trace_levels(blocks, rate, channels, round(WINDOW_SECONDS * rate))
            over = levels.true_peak_dbtp - target.decoded_dbtp
            missing = target.lufs - levels.loudness.integrated_lufs if at_target else 0.0
            give_way = trial >= _LIMITED or folded
            if over <= 0 and (give_way or abs(missing) <= TOLERANCE_LU):
                as_loud = at_target and abs(missing) <= TOLERANCE_LU
                return Delivered(path, levels, ceiling, as_loud, trial + 1)
            found = windows_over(peaks, target.decoded_dbtp)
            few = len(found) <= _FEW * np.count_nonzero(peaks > levels.true_peak_dbtp - _LOUD_DB)
            if few and abs(missing) <= TOLERANCE_LU and not give_way:
                dips, afresh = together(dips, found), False
                continue
            afresh = True
            if over > 0:
                ceiling -= _lowered(over, folded)
            if give_way:
                lufs -= max(0.0, over + _SPARE_DB)
            elif abs(missing) > TOLERANCE_LU:
                lufs += missing
    raise AudioError(
        f"{path.name}: peaks stay over {target.ceiling_dbtp:g} dBTP once decoded; use the WAV or FLAC"
    )


def _folded(levelled: Levelled, path: Path, ceiling_dbtp: float) -> Levelled:
    """Mixed down to stereo, and turned down as far as its peaks need."""
    many = levelled.recording
    peak = TruePeakMeter(many.sample_rate, 2)
    meter(map(downmix_to_stereo, many.blocks()), peak.update)
    gain = np.float32(10 ** (min(0.0, ceiling_dbtp - peak.peak()) / 20))
    with write_recording(path, many.sample_rate, 2, many.frames) as writer:
        for block in many.blocks():
            writer.write(downmix_to_stereo(block) * gain)
    return replace(levelled, recording=writer.recording)


def _lowered(over_db: float, folded: bool) -> float:
    """How much lower the limiter is to hold, for peaks that are so much over the ceiling once decoded."""
    return over_db / (1.0 if folded else _HOLDS) + _SPARE_DB
