"""The files of a master, and what they measure once they are read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from resonate_resources.audio import AudioError, Recording, write_recording
from resonate_resources.decoding import decode
from resonate_resources.encoding import encode_flac, encode_mp3, encode_wav
from resonate_resources.mastering.levelling import CEILING_DBTP, Levelled
from resonate_resources.signal.loudness import Loudness, measure_loudness
from resonate_resources.signal.true_peak import measure_true_peak
from resonate_resources.tags import Tags, write_tags

MP3_KBPS = 320

# What encoding adds to peaks, with some to spare: 0.0 to 0.2 dB on seven real tracks and four mixes. A track
# that needs more is encoded again, which takes as long as all the rest.
_MP3_RISE_DB = 0.25
_MP3_TRIALS = 5
_MP3_SPARE_DB = 0.05


@dataclass(frozen=True)
class Delivered:
    """A file, measured from what it decodes to. gain_db: against what left the limiter."""

    path: Path
    loudness: Loudness
    true_peak_dbtp: float
    gain_db: float = 0.0


def deliver(levelled: Levelled, into: Path, tags: Tags) -> Mapping[str, Delivered]:
    """Write master.wav and master.flac (24 bits, the same samples) and master.mp3 (320 kbit/s) with tags.

    Encoding to MP3 raises peaks: what it is given is turned down, until the decoded file is under the ceiling.
    """
    writers: Mapping[str, Callable[[Levelled, Path], Delivered]] = {
        "master.wav": partial(_deliver_lossless, encode_wav),
        "master.flac": partial(_deliver_lossless, encode_flac),
        "master.mp3": _deliver_mp3,
    }
    with ThreadPoolExecutor(len(writers)) as pool:  # the MP3 takes longer than the others together
        jobs = {name: pool.submit(writer, levelled, into / name) for name, writer in writers.items()}
        delivered = {name: job.result() for name, job in jobs.items()}
    for file in delivered.values():
        write_tags(file.path, tags)
    return delivered


def _deliver_lossless(encode: Callable[[Recording, Path], None], levelled: Levelled, path: Path) -> Delivered:
    encode(levelled.recording, path)
    return _measured(path, Recording.open(path))


def _deliver_mp3(levelled: Levelled, path: Path) -> Delivered:
    gain_db = min(0.0, CEILING_DBTP - _MP3_RISE_DB - levelled.true_peak_dbtp)
    for _ in range(_MP3_TRIALS):
        with TemporaryDirectory(dir=path.parent) as folder:
            turned_down = _with_gain(levelled.recording, Path(folder) / "turned-down.wav", gain_db)
            encode_mp3(turned_down, path, MP3_KBPS)
            file = _measured(path, decode(path, Path(folder)).recording, gain_db)
        if file.true_peak_dbtp <= CEILING_DBTP:
            return file
        gain_db -= file.true_peak_dbtp - CEILING_DBTP + _MP3_SPARE_DB
    raise AudioError(f"{path.name}: peaks stay over {CEILING_DBTP:g} dBTP once decoded; use the WAV or FLAC")


def _with_gain(source: Recording, path: Path, gain_db: float) -> Recording:
    with write_recording(path, source.sample_rate, source.channels, source.frames) as writer:
        for block in source.blocks():
            writer.write(block * np.float32(10 ** (gain_db / 20)))
    return writer.recording


def _measured(path: Path, decoded: Recording, gain_db: float = 0.0) -> Delivered:
    with ThreadPoolExecutor(1) as pool:
        true_peak = pool.submit(measure_true_peak, decoded)
        return Delivered(path, measure_loudness(decoded), true_peak.result(), gain_db)
