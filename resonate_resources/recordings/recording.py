"""Recordings: lossless audio files that stages hand to each other, read and written in blocks.

A recording is never held whole in memory; an hour of four stereo stems is 5 GB. Files are 32-bit
float WAV: bit-exact between stages, no clipping at full scale, written four times as fast as FLAC.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile as sf

Samples = npt.NDArray[np.float32]
"""Audio: float32 shaped (channels, frames), full scale -1…1."""

Progress = Callable[[float], None]
"""Called with the part of the work that is done, 0…1, now and then."""

BLOCK_FRAMES = 1 << 18
"""Frames in a block unless a caller needs another size: 6 s at 44.1 kHz, 2 MiB of stereo float32."""

_WAV_BYTES_MAX = (1 << 32) - (1 << 16)  # RIFF sizes are 32-bit; longer files are RF64 (EBU Tech 3306)
_SFC_SET_ADD_PEAK_CHUNK = 0x1050  # sndfile.h


class AudioError(Exception):
    """Audio that cannot be used. Its text is one line: which file, what is wrong, what to do."""


class DestinationError(AudioError):
    """Output that can't be written. Nothing is wrong with the source."""

    def __init__(self, path: Path) -> None:
        free = shutil.disk_usage(path.parent).free
        super().__init__(
            f"{path.name}: cannot be written to {path.parent} ({free / 1e6:.0f} MB free); "
            "make room there and try again"
        )


def silent(_: float) -> None:
    """The Progress of a caller that shows none."""


@dataclass(frozen=True)
class Recording:
    """A handle on a lossless audio file.

    sample_rate in Hz, frames per channel. Files must not change while a handle on them is in use.

    Half a second of two channels, written, then read back whole and in blocks:

    >>> from tempfile import TemporaryDirectory
    >>> scratch = TemporaryDirectory()
    >>> tone = np.sin(np.arange(22_050) / 10).astype(np.float32)
    >>> recording = write_samples(Path(scratch.name) / "tone.wav", np.stack([tone, -tone]), 44_100)
    >>> recording.channels, recording.frames, recording.duration
    (2, 22050, 0.5)
    >>> recording.read(100, 104).shape
    (2, 4)
    >>> [block.shape for block in recording.blocks(10_000)]
    [(2, 10000), (2, 10000), (2, 2050)]
    >>> Recording.open(recording.path) == recording
    True
    >>> scratch.cleanup()
    """

    path: Path
    sample_rate: int
    channels: int
    frames: int

    @classmethod
    def open(cls, path: Path) -> Recording:
        """Read the header of a file that libsndfile can read. Raises AudioError."""
        try:
            info = sf.info(os.fsencode(path))
        except (sf.LibsndfileError, OSError) as error:
            raise AudioError(f"{path.name}: cannot be read as audio ({error})") from error
        return cls(path, int(info.samplerate), int(info.channels), int(info.frames))

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file's bytes, in hex."""
        return file_sha256(self.path)

    def read(self, start: int = 0, stop: int | None = None) -> Samples:
        """Frames start…stop as (channels, frames), cut at the ends of the file (never padded)."""
        start = max(0, start)
        stop = self.frames if stop is None else min(stop, self.frames)
        if stop <= start:
            return np.zeros((self.channels, 0), np.float32)
        with sf.SoundFile(os.fsencode(self.path)) as file:
            file.seek(start)
            block = file.read(stop - start, dtype="float32", always_2d=True)
        return np.ascontiguousarray(block.T)

    def blocks(self, frames: int = BLOCK_FRAMES) -> Iterator[Samples]:
        """The whole recording in order, in blocks of (channels, ≤ frames), without overlap."""
        with sf.SoundFile(os.fsencode(self.path)) as file:
            for block in file.blocks(frames, dtype="float32", always_2d=True):
                yield np.ascontiguousarray(block.T)


Stems = dict[str, Recording]
"""Stem name → recording, in the order vocals, drums, bass, other (then piano, guitar).

All have the sample rate and frame count of the track that they came from."""
REBUILT = "rebuilt.wav"
"""The sum of rebuilt stems, beside them: none of them."""


class RecordingWriter:
    """Writes a recording block by block; `recording` is the handle once the writer is closed."""

    def __init__(self, path: Path, sample_rate: int, channels: int, expected_frames: int) -> None:
        self._path = path
        wide = expected_frames * channels * 4 > _WAV_BYTES_MAX
        form = "RF64" if wide else "WAV"
        try:
            self._file = sf.SoundFile(
                os.fsencode(path), "w", sample_rate, channels, subtype="FLOAT", format=form
            )
        except sf.LibsndfileError as error:
            raise DestinationError(path) from error
        without_time_of_writing(self._file)

    def write(self, block: Samples) -> None:
        """Append (channels, frames). Raises DestinationError."""
        try:
            self._file.write(np.ascontiguousarray(block.T, dtype=np.float32))
        except sf.LibsndfileError as error:
            raise DestinationError(self._path) from error

    def close(self) -> None:
        self._file.close()

    @property
    def recording(self) -> Recording:
        return Recording.open(self._path)


def without_time_of_writing(file: sf.SoundFile) -> None:
    """Leave out the PEAK chunk, which carries it: with it, equal audio of floats would never have equal hashes."""
    sf._snd.sf_command(file._file, _SFC_SET_ADD_PEAK_CHUNK, sf._ffi.NULL, 0)


@contextmanager
def write_recording(
    path: Path, sample_rate: int, channels: int, expected_frames: int
) -> Iterator[RecordingWriter]:
    """Open a 32-bit float WAV for writing (RF64 where expected_frames would pass 4 GiB).

    On an exception the half-written file is removed. Raises DestinationError where it can't be written.
    """
    writer = RecordingWriter(path, sample_rate, channels, expected_frames)
    try:
        yield writer
    except BaseException:
        writer.close()
        path.unlink(missing_ok=True)
        raise
    writer.close()
    for tell in tuple(_told_of_closed):
        tell(path)


_told_of_closed: list[Callable[[Path], None]] = []


@contextmanager
def tell_of_closed(tell: Callable[[Path], None]) -> Iterator[None]:
    """Have `tell` called with the path of each recording as soon as it is whole, whatever thread wrote it."""
    _told_of_closed.append(tell)
    try:
        yield
    finally:
        _told_of_closed.remove(tell)


def write_blocks(path: Path, blocks: Iterable[Samples], *, like: Recording) -> Recording:
    """Write consecutive blocks of (channels, frames): a recording of the rate, channels and length of `like`."""
    with write_recording(path, like.sample_rate, like.channels, like.frames) as writer:
        for block in blocks:
            writer.write(block)
    return writer.recording


def write_samples(path: Path, samples: Samples, sample_rate: int) -> Recording:
    """Write (channels, frames) in one go."""
    with write_recording(path, sample_rate, samples.shape[0], samples.shape[1]) as writer:
        writer.write(samples)
    return writer.recording


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
