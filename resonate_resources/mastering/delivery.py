"""The files of a master, and what they measure once they are read back."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np

from resonate_resources.mastering.brief import Format
from resonate_resources.mastering.easing import WINDOW_SECONDS, Dips, eased, together, windows_over
from resonate_resources.mastering.facts import Facts, measured
from resonate_resources.mastering.foresight import foreseen
from resonate_resources.mastering.levelling import TOLERANCE_LU, Levelled, Target
from resonate_resources.mastering.targets import file_name
from resonate_resources.recordings.decoding import decoded
from resonate_resources.recordings.encoding import encode_flac, encode_wav
from resonate_resources.recordings.lossy import LOSSY, LossyFormat, channels_in, encode_lossy
from resonate_resources.recordings.playback_gain import playback_gain
from resonate_resources.recordings.recording import AudioError, Recording
from resonate_resources.recordings.tags import Tags, write_tags
from resonate_resources.signal.levels import Levels, trace_levels

Level = Callable[[Path, float, float], Levelled]
"""Writes the shaped mix to a path, limited to a ceiling in dBTP, at a loudness in LUFS."""

Stereo = Callable[[], tuple[Levelled, Level]]
"""Levels the shaped mix, mixed down to stereo, for itself."""

_TRIALS = 8
_LIMITED = 3
"""So often the source of a lossy file is levelled again or eased. Then it is the version that is loudest once it is
turned to where its decoded peaks are at the ceiling."""
_TURNED = 3
"""The last trials only turn it."""
_ROOM_DB = 0.3
"""What turning it up once more would bring less than, is left: AAC's peaks move by as much with each encoding."""
_WARY_DB = 0.1
"""So much further under the ceiling, with each trial, peaks are eased."""
_HOLDS = 0.45
"""Of what a lower ceiling takes off peaks, encoding gives back the rest (MP3, 30 minutes of the demo song)."""
_SPARE_DB = 0.05
_FEW, _LOUD_DB = 0.2, 6.0
"""Where at most this part of what is loud, within so many dB of the highest peak, is over the ceiling, that is
eased; where it is more, all is limited lower."""


@dataclass(frozen=True)
class Delivered:
    """A file, measured from what it decodes to, and the ceiling under which it was limited.

    as_loud: it has the loudness that was asked for. encoded: how often.
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
    stereo: Stereo,
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
    as the others, it is made of a mix that is levelled `again`, for another ceiling or loudness, or turned down,
    whichever is louder. Of long tracks excerpts are tried first, so that the whole is rarely encoded twice. What
    holds fewer channels than the mix is made of `stereo`.
    """
    folded = [form for form in LOSSY if _folds(form, levelled)]
    mixes = dict.fromkeys(LOSSY, (levelled, again))
    if any(form in formats for form in folded):
        mixes |= dict.fromkeys(folded, stereo())
    with ThreadPoolExecutor(1 + len(LOSSY)) as pool:  # what is lossy takes longer than the others together
        jobs = [
            pool.submit(_deliver_lossy, form, *mixes[form], target, into / file_name(label, form))
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


def _folds(form: LossyFormat, levelled: Levelled) -> bool:
    channels = levelled.recording.channels
    return channels_in(form, channels) < channels


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
    goal = min(target.lufs, levelled.loudness_lufs)
    with TemporaryDirectory(dir=path.parent) as folder:
        expected = foreseen(levelled.recording, form, target.decoded_dbtp, Path(folder))
        version = _Version(levelled.recording, target.limiter_dbtp, goal, dips=expected.dips)
        tried: dict[Path, _Version] = {}
        held, held_short, kept = None, 0.0, Path(folder) / f"kept.{form}"
        if expected.over_db > 0:
            tried[version.source.path] = version.turned(-expected.over_db, 0.0)
            version = _lowered(version, again, expected.over_db, 0.0, Path(folder) / "foreseen.wav")
        for trial in range(_TRIALS):
            encode_lossy(_source(version, Path(folder) / "source.wav"), path, form)
            with decoded(path) as (rate, channels, blocks):
                levels, peaks = trace_levels(blocks, rate, channels, round(WINDOW_SECONDS * rate))
            over = levels.true_peak_dbtp - target.decoded_dbtp
            loudness = levels.loudness.integrated_lufs
            # What is too soft, or too short, for a loudness has its peaks alone.
            missing = goal - loudness if math.isfinite(goal) and math.isfinite(loudness) else 0.0
            loud = abs(missing) <= TOLERANCE_LU
            turned = version.turned(min(missing, -over - _SPARE_DB * (1 + trial)), missing)
            tried[turned.source.path] = turned
            best = min(tried.values(), key=lambda each: each.short_lu)
            if over <= 0 and missing >= -TOLERANCE_LU and (held is None or missing < held_short):
                as_loud = abs(loudness - target.lufs) <= TOLERANCE_LU
                held = Delivered(path, levels, version.held_dbtp(target), as_loud, trial + 1)
                held_short = missing
                path.replace(kept)
            give_way = trial >= _LIMITED or (over <= 0 and version.bounded) or not math.isfinite(loudness)
            if held is not None and (
                held_short <= TOLERANCE_LU or (give_way and held_short - best.short_lu < _ROOM_DB)
            ):
                break
            found = windows_over(peaks, target.decoded_dbtp - trial * _WARY_DB)
            few = len(found) <= _FEW * np.count_nonzero(peaks > levels.true_peak_dbtp - _LOUD_DB)
            if few and over > 0 and (loud or give_way) and trial < _TRIALS - _TURNED:
                version = replace(version, dips=together(version.dips, found))
            elif turned.short_lu <= 0:  # there is room for what is missing
                version = turned
            elif give_way:
                version = best
            else:
                for other in tried.keys() - {best.source.path, levelled.recording.path}:
                    tried.pop(other).source.path.unlink()  # hours are gigabytes
                version = _lowered(version, again, over, missing, Path(folder) / f"{trial}.wav")
        if held is not None:
            kept.replace(path)
            return replace(held, encoded=trial + 1)
    raise AudioError(
        f"{path.name}: peaks stay over {target.ceiling_dbtp:g} dBTP once decoded; use the WAV or FLAC"
    )


@dataclass(frozen=True)
class _Version:
    """What is encoded: source, limited to limited_dbtp for lufs, with dips, and turned by gain_db. bounded: its
    limiter got all the gain that it may. short_lu: how much softer than wanted it is to come out."""

    source: Recording
    limited_dbtp: float
    lufs: float
    bounded: bool = False
    dips: Dips = field(default_factory=dict)
    gain_db: float = 0.0
    short_lu: float = 0.0

    def turned(self, by_db: float, missing_lu: float) -> _Version:
        """By so much more, where so much loudness was missing before."""
        return replace(self, gain_db=self.gain_db + by_db, short_lu=missing_lu - by_db)

    def held_dbtp(self, target: Target) -> float:
        """What its limiter comes to where it was turned up behind it."""
        return min(target.limiter_dbtp, self.limited_dbtp + max(0.0, self.gain_db))


def _lowered(version: _Version, again: Level, over_db: float, missing_lu: float, path: Path) -> _Version:
    """Levelled again: limited lower, for peaks that are so much over the ceiling once decoded, and louder."""
    ceiling = version.limited_dbtp + version.gain_db
    if over_db > 0:
        ceiling -= over_db / _HOLDS + _SPARE_DB
    lufs = version.lufs + version.gain_db + missing_lu
    levelled = again(path, ceiling, lufs)
    return _Version(levelled.recording, ceiling, lufs, levelled.bounded)


def _source(version: _Version, path: Path) -> Recording:
    return (
        eased(version.source, version.dips, path, version.gain_db)
        if version.dips or version.gain_db
        else version.source
    )
