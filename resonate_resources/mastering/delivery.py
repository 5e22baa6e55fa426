"""The files of a master, and what they measure once they are read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from resonate_resources.mastering.levelling import (
    CEILING_DBTP,
    LIMITER_CEILING_DBTP,
    TARGET_LUFS,
    TOLERANCE_LU,
    Levelled,
)
from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.encoding import encode_flac, encode_mp3, encode_wav
from resonate_resources.recordings.recording import AudioError, Recording
from resonate_resources.recordings.tags import Tags, write_tags
from resonate_resources.signal.loudness import Loudness, measure_loudness
from resonate_resources.signal.true_peak import measure_true_peak

MP3_KBPS = 320

Level = Callable[[Path, float, float], Levelled]
"""Writes the shaped mix to a path, limited to a ceiling in dBTP, at a loudness in LUFS."""

_MP3_TRIALS = 5
_MP3_LIMITED = 2
"""So often the MP3's source is levelled again; after that it is turned down, and may be less loud."""
_MP3_HOLDS = 0.45
"""Of what a lower ceiling takes off peaks, encoding gives back the rest (30 minutes of the demo song)."""
_MP3_SPARE_DB = 0.05


@dataclass(frozen=True)
class Delivered:
    """A file, measured from what it decodes to, and the ceiling under which it was limited."""

    path: Path
    loudness: Loudness
    true_peak_dbtp: float
    limited_dbtp: float = LIMITER_CEILING_DBTP


def deliver(levelled: Levelled, again: Level, into: Path, tags: Tags) -> Mapping[str, Delivered]:
    """Write master.wav and master.flac (24 bits, the same samples) and master.mp3 (320 kbit/s) with tags.

    Encoding to MP3 raises peaks, and takes loudness from what is loud over 20 kHz. Where the decoded file is over
    the ceiling, or not as loud as the others, the MP3 is made of a mix that is levelled `again`, for another
    ceiling or loudness. Long tracks, which have more peaks, may well need it.
    """
    writers: Mapping[str, Callable[[Path], Delivered]] = {
        "master.wav": partial(_deliver_lossless, encode_wav, levelled.recording),
        "master.flac": partial(_deliver_lossless, encode_flac, levelled.recording),
        "master.mp3": partial(_deliver_mp3, levelled, again),
    }
    with ThreadPoolExecutor(len(writers)) as pool:  # the MP3 takes longer than the others together
        jobs = {name: pool.submit(writer, into / name) for name, writer in writers.items()}
        delivered = {name: job.result() for name, job in jobs.items()}
    for file in delivered.values():
        write_tags(file.path, tags)
    return delivered


def _deliver_lossless(encode: Callable[[Recording, Path], None], source: Recording, path: Path) -> Delivered:
    encode(source, path)
    return _measured(path, Recording.open(path))


def _deliver_mp3(levelled: Levelled, again: Level, path: Path) -> Delivered:
    ceiling, target = LIMITER_CEILING_DBTP, TARGET_LUFS
    # What is not at the target stays off it, and channels mixed down have a loudness of their own.
    at_target = abs(levelled.loudness_lufs - TARGET_LUFS) <= TOLERANCE_LU and levelled.recording.channels <= 2
    for trial in range(_MP3_TRIALS):
        with TemporaryDirectory(dir=path.parent) as folder:
            if trial:
                levelled = again(Path(folder) / "again.wav", ceiling, target)
            encode_mp3(levelled.recording, path, MP3_KBPS)
            file = _measured(path, decode(path, Path(folder)).recording, ceiling)
        over = file.true_peak_dbtp - CEILING_DBTP
        missing = TARGET_LUFS - file.loudness.integrated_lufs if at_target else 0.0
        give_way = trial >= _MP3_LIMITED
        if over <= 0 and (give_way or abs(missing) <= TOLERANCE_LU):
            return file
        lower = over / _MP3_HOLDS + _MP3_SPARE_DB if over > 0 else 0.0
        ceiling -= lower
        if give_way:
            target -= lower
        elif abs(missing) > TOLERANCE_LU:
            target += missing
    raise AudioError(f"{path.name}: peaks stay over {CEILING_DBTP:g} dBTP once decoded; use the WAV or FLAC")


def _measured(path: Path, decoded: Recording, limited_dbtp: float = LIMITER_CEILING_DBTP) -> Delivered:
    with ThreadPoolExecutor(1) as pool:
        true_peak = pool.submit(measure_true_peak, decoded)
        return Delivered(path, measure_loudness(decoded), true_peak.result(), limited_dbtp)
