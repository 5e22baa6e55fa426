"""The files of a master, and what they measure once they are read back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from resonate_resources.mastering.brief import FORMATS, Format
from resonate_resources.mastering.levelling import TOLERANCE_LU, Levelled, Target
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
    limited_dbtp: float


def deliver(
    levelled: Levelled,
    again: Level,
    into: Path,
    tags: Tags,
    target: Target,
    formats: Collection[Format] = FORMATS,
    bits: Literal[16, 24, 32] = 24,
) -> Mapping[str, Delivered]:
    """Write master.wav, and of master.flac (the same samples, but 24 bits beside float) and master.mp3 (320 kbit/s)
    those asked for. All are tagged.

    Encoding to MP3 raises peaks, and takes loudness from what is loud over 20 kHz. Where the decoded file is over
    the ceiling, or not as loud as the others, the MP3 is made of a mix that is levelled `again`, for another
    ceiling or loudness. Long tracks, which have more peaks, may well need it.
    """
    writers: Mapping[str, Callable[[Path], Delivered]] = {
        "master.wav": partial(_deliver_lossless, partial(encode_wav, bits=bits), levelled.recording, target),
        "master.flac": partial(
            _deliver_lossless, partial(encode_flac, bits=16 if bits == 16 else 24), levelled.recording, target
        ),
        "master.mp3": partial(_deliver_mp3, levelled, again, target),
    }
    wanted = {f"master.{form}" for form in ("wav", *formats)}
    writers = {name: writer for name, writer in writers.items() if name in wanted}
    with ThreadPoolExecutor(len(writers)) as pool:  # the MP3 takes longer than the others together
        jobs = {name: pool.submit(writer, into / name) for name, writer in writers.items()}
        delivered = {name: job.result() for name, job in jobs.items()}
    for file in delivered.values():
        write_tags(file.path, tags)
    return delivered


def _deliver_lossless(
    encode: Callable[[Recording, Path], None], source: Recording, target: Target, path: Path
) -> Delivered:
    encode(source, path)
    return _measured(path, Recording.open(path), target.limiter_dbtp)


def _deliver_mp3(levelled: Levelled, again: Level, target: Target, path: Path) -> Delivered:
    ceiling, lufs = target.limiter_dbtp, min(target.lufs, levelled.loudness_lufs)
    # What is not at the target stays off it, and channels mixed down have a loudness of their own.
    folded = levelled.recording.channels > 2
    at_target = abs(levelled.loudness_lufs - target.lufs) <= TOLERANCE_LU and not folded
    for trial in range(_MP3_TRIALS):
        with TemporaryDirectory(dir=path.parent) as folder:
            if trial:
                levelled = again(Path(folder) / "again.wav", ceiling, lufs)
            encode_mp3(levelled.recording, path, MP3_KBPS)
            file = _measured(path, decode(path, Path(folder)).recording, ceiling)
        over = file.true_peak_dbtp - target.ceiling_dbtp
        missing = target.lufs - file.loudness.integrated_lufs if at_target else 0.0
        give_way = trial >= _MP3_LIMITED or folded
        if over <= 0 and (give_way or abs(missing) <= TOLERANCE_LU):
            return file
        lower = over / (1.0 if folded else _MP3_HOLDS) + _MP3_SPARE_DB if over > 0 else 0.0
        ceiling -= lower
        if give_way:
            lufs -= lower
        elif abs(missing) > TOLERANCE_LU:
            lufs += missing
    raise AudioError(
        f"{path.name}: peaks stay over {target.ceiling_dbtp:g} dBTP once decoded; use the WAV or FLAC"
    )


def _measured(path: Path, decoded: Recording, limited_dbtp: float) -> Delivered:
    with ThreadPoolExecutor(1) as pool:
        true_peak = pool.submit(measure_true_peak, decoded)
        return Delivered(path, measure_loudness(decoded), true_peak.result(), limited_dbtp)
