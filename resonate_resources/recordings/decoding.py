"""Any audio file to a recording: libsndfile where it reads every sample as stored, FFmpeg for the rest.

Sample rate and channels stay as they are. What an encoder put before and after the music (delay and padding)
is cut wherever the file says how much: LAME and Xing headers, MP4 edit lists and iTunSMPB, Opus pre-skip,
Ogg granule positions. What follows the music (tags, rubbish) is passed over. What is broken is refused, and
nothing of it is kept.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import soundfile as sf

from resonate_resources.recordings.decoding_ffmpeg import ffmpeg_source
from resonate_resources.recordings.decoding_source import Refusal, Source, clock, cut_off
from resonate_resources.recordings.flac_digest import check_digest
from resonate_resources.recordings.folding import fold_down
from resonate_resources.recordings.recording import (
    BLOCK_FRAMES,
    AudioError,
    DestinationError,
    Progress,
    Recording,
    Samples,
    silent,
    write_recording,
)
from resonate_resources.recordings.wave_chunks import note_on_size

if TYPE_CHECKING:
    from resonate_resources.recordings.limits import Limits

FILE_NAME = "track.wav"

# WAV, RF64, W64, AIFF, FLAC. libsndfile reads MP3 and Ogg too, but keeps their padding and talks to stderr.
_LIBSNDFILE_READS = (b"RIFF", b"RF64", b"riff", b"FORM", b"fLaC")
_BIT_DEPTHS = {
    "PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32, "DOUBLE": 64,
}  # fmt: skip
# What libsndfile writes to its log when a chunk claims more bytes than the file has.
_CUT_CHUNK = re.compile(r"^\s*(?:data|SSND|riff) : (\d+) \(should be (\d+)\)", re.MULTILINE)
# Of the channels of a WAV that says no more than how many there are.
_WAV_LAYOUTS = {7: "6.1", 8: "7.1"}
# From under telephony to DXD at twice its rate: what is beyond is a damaged header, and no resampler goes there.
_SAMPLE_RATES = range(1000, 768_001)
_BYTES = 4
_FIRST_FRAMES = 1 << 13  # all that a look at the file reads
_NO_AUDIO = "holds no audio (0 frames); export it again"
_ABSURD = 1000.0  # 60 dB over full scale: integers that were never scaled, of any width
_OFFSET_NOTED = 0.001  # −60 dBFS, under which an offset is dither and rounding


@dataclass(frozen=True)
class Decoded:
    """A recording and what its source was.

    bit_depth is None for lossy codecs. trimmed_start and trimmed_end count frames of encoder delay and padding
    that were cut. notes: one line each, for the user.
    """

    recording: Recording
    codec: str
    container: str
    bit_depth: int | None
    lossless: bool
    trimmed_start: int
    trimmed_end: int
    notes: tuple[str, ...] = ()


def decode(
    source: Path,
    into: Path,
    progress: Progress = silent,
    limits: Limits | None = None,
    name: str | None = None,
) -> Decoded:
    """Decode source to `into / "track.wav"`; into is an existing directory. name: what messages call the file.

    Raises AudioError, with one line and leaving nothing behind, for what is no audio file, not a whole one or too
    large a one, and for samples that are no numbers; DestinationError for a disk that is full, or would be.
    """
    with _refusing(name or source.name), _open(source) as file, _source(file) as opened:
        return _write(opened, into, progress, limits)


@contextmanager
def decoded(
    source: Path, kept_channels: Collection[int] = ()
) -> Iterator[tuple[int, int, Iterator[Samples]]]:
    """(sample rate in Hz, channels, blocks) of a source, without a copy of it.

    kept_channels: numbers of channels that are not folded down, though they are more than 5.1 has.
    Raises AudioError, as decode would, also while blocks are taken.
    """
    with _refusing(source.name), _open(source) as file, _source(file, kept_channels) as opened:
        yield opened.sample_rate, opened.channels, _numbers(opened)


def _numbers(opened: Source) -> Iterator[Samples]:
    inspection = _Inspection(opened.channels)
    frames = 0
    for block in opened.blocks:
        inspection.see(block)
        inspection.refuse_what_is_no_sound(opened.sample_rate)
        frames += block.shape[1]
        yield block
    if not frames:
        raise Refusal(_NO_AUDIO)


def probe(source: Path, limits: Limits | None = None, name: str | None = None) -> None:
    """Look whether a file is audio, from its header and its first moments.

    Raises AudioError, as decode would, for what is none, and for what promises to be too large.
    """
    with _refusing(name or source.name), _open(source) as file, _source(file) as opened:
        if limits is not None:
            _refuse_excess(limits, opened, opened.announced)
        if next(opened.blocks, None) is None:
            raise Refusal(_NO_AUDIO)


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    try:
        yield
    except Refusal as refusal:
        raise AudioError(f"{printable_name(name)}: {refusal}") from refusal


def _refuse_excess(limits: Limits, opened: Source, frames: int) -> None:
    excess = limits.excess(frames / opened.sample_rate, frames * opened.channels * _BYTES)
    if excess is not None:
        raise Refusal(excess)


def printable_name(name: str) -> str:
    """A file's name on one line: control characters escaped, the middle of very long names left out."""
    shown = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in name
    )
    return shown if len(shown) <= 120 else f"{shown[:80]}…{shown[-39:]}"


@contextmanager
def _open(source: Path) -> Iterator[BinaryIO]:
    try:
        status = source.stat()
        if stat.S_ISDIR(status.st_mode):
            raise Refusal("is a directory without audio files by their names; give the files themselves")
        if not stat.S_ISREG(status.st_mode):  # a pipe would be waited on for ever
            raise Refusal("is not a regular file; give an audio file")
        if status.st_size == 0:
            raise Refusal("is empty (0 bytes); copy or download it again")
        file = source.open("rb")
    except OSError as error:
        raise Refusal(_why_not_opened(source, error)) from error
    with file:
        yield file


def _why_not_opened(source: Path, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "may not be read (no permission); change its permissions"
    if error.errno == errno.ENAMETOOLONG:
        return "has a name too long for this file system; rename it"
    if source.is_symlink():
        return "is a link to a file that does not exist; restore the file or remove the link"
    if isinstance(error, FileNotFoundError):
        return "does not exist; check the path"
    return f"cannot be opened ({error.strerror}); check the disk"


def _write(opened: Source, into: Path, progress: Progress, limits: Limits | None) -> Decoded:
    if limits is not None:
        _refuse_excess(limits, opened, opened.announced)
        if not limits.has_room(into, opened.announced * opened.channels * _BYTES):
            raise DestinationError(into / FILE_NAME)
    inspection = _Inspection(opened.channels)
    target = into / FILE_NAME
    frames = 0
    with write_recording(target, opened.sample_rate, opened.channels, opened.expected_frames) as writer:
        for block in opened.blocks:
            inspection.see(block)
            writer.write(block)
            frames += block.shape[1]
            if limits is not None:
                _refuse_excess(limits, opened, frames)
                if not limits.has_room(into, 0):
                    raise DestinationError(target)
            progress(opened.part)
        if frames == 0:
            raise Refusal(_NO_AUDIO)
        inspection.refuse_what_is_no_sound(opened.sample_rate)
    progress(1.0)
    return Decoded(
        Recording.open(target),
        opened.codec,
        opened.container,
        opened.bit_depth,
        opened.lossless,
        opened.trimmed_start,
        opened.trimmed_end,
        (*opened.notes, *inspection.notes()),
    )


class _Inspection:
    """What samples tell about themselves while they pass by."""

    def __init__(self, channels: int) -> None:
        self._frames = 0
        self._sums = np.zeros(channels)
        self._peak = 0.0
        self._not_numbers = 0
        self._first_not_number = 0

    def see(self, block: Samples) -> None:
        finite = np.isfinite(block)
        if not finite.all():
            if self._not_numbers == 0:
                self._first_not_number = self._frames + int(np.argmin(finite.all(axis=0)))
            self._not_numbers += int(finite.size - np.count_nonzero(finite))
        elif block.size:
            self._sums += block.sum(axis=1, dtype=np.float64)
            self._peak = max(self._peak, float(block.max()), -float(block.min()))
        self._frames += block.shape[1]

    def refuse_what_is_no_sound(self, sample_rate: int) -> None:
        if self._not_numbers:
            raise Refusal(
                f"holds {self._not_numbers} samples that are NaN or infinite, the first at frame "
                f"{self._first_not_number} ({clock(self._first_not_number / sample_rate)}); export it again"
            )

        if self._peak > _ABSURD:
            raise Refusal(
                f"holds samples of up to {20 * np.log10(self._peak):+.0f} dBFS: full scale of floating-point "
                "samples is 1; they look like integers that were not scaled, export it again"
            )

    def notes(self) -> Iterator[str]:
        if self._peak == 0:
            yield "digital silence: every sample is zero"
        offset = float(np.abs(self._sums).max() / self._frames)
        # A single sample has no offset to speak of.
        if self._frames > 1 and offset > _OFFSET_NOTED:
            yield f"DC offset of {20 * np.log10(offset):.1f} dBFS, kept"
        if self._peak > 1:
            yield f"samples over full scale (up to {20 * np.log10(self._peak):+.1f} dBFS), kept"


@contextmanager
def _source(file: BinaryIO, kept_channels: Collection[int] = ()) -> Iterator[Source]:
    with ExitStack() as stack:
        wrong_size = note_on_size(file)
        sound = None if wrong_size else _open_with_libsndfile(file)
        if sound is not None:
            opened = _libsndfile_source(stack.enter_context(sound))
        elif wrong_size:
            opened = stack.enter_context(ffmpeg_source(file, ignore_length="1"))
            opened.notes.append(wrong_size)
        else:
            opened = stack.enter_context(ffmpeg_source(file))
        if opened.sample_rate not in _SAMPLE_RATES:
            raise Refusal(f"has a sample rate of {opened.sample_rate} Hz; export it again at 44.1 or 48 kHz")
        check_digest(opened, file)
        fold_down(opened, kept_channels)
        yield opened


def _open_with_libsndfile(file: BinaryIO) -> sf.SoundFile | None:
    """None for what is FFmpeg's, which includes WAV with other codecs and FLAC that states no length."""
    if os.pread(file.fileno(), 4, 0) not in _LIBSNDFILE_READS:
        return None
    try:
        sound = sf.SoundFile(file.fileno(), closefd=False)
    except sf.LibsndfileError:
        return None
    if sound.subtype in _BIT_DEPTHS and sound.frames < 1 << 62:
        return sound
    sound.close()
    return None


def _libsndfile_source(sound: sf.SoundFile) -> Source:
    for claimed, actual in _CUT_CHUNK.findall(sound.extra_info):
        if int(actual) < int(claimed) and not _written_to_a_pipe(int(claimed)):
            raise Refusal(
                f"is cut off: {int(actual)} bytes of the {int(claimed)} its header promises; "
                "copy or download it again"
            )
    subtype = sound.subtype
    opened = Source(
        subtype,
        sound.format,
        _BIT_DEPTHS[subtype],
        True,
        sound.samplerate,
        sound.channels,
        sound.frames,
        announced=sound.frames,
        layout=_WAV_LAYOUTS.get(sound.channels, ""),
    )
    if subtype in ("PCM_32", "DOUBLE"):
        opened.notes.append(f"{subtype} samples are kept to 32-bit float precision (24 significant bits)")
    opened.blocks = _libsndfile_blocks(opened, sound)
    return opened


def _libsndfile_blocks(opened: Source, sound: sf.SoundFile) -> Iterator[Samples]:
    frames = 0
    try:
        size = _FIRST_FRAMES
        while len(block := sound.read(size, dtype="float32", always_2d=True)):
            size = BLOCK_FRAMES
            frames += len(block)
            opened.part = frames / sound.frames
            yield np.ascontiguousarray(block.T)
    except sf.LibsndfileError as error:
        raise Refusal("is damaged or cut off; copy or download it again") from error
    if frames < sound.frames:
        raise cut_off(frames, sound.frames, sound.samplerate)


def _written_to_a_pipe(claimed: int) -> bool:
    """Writers that cannot seek back leave the greatest length, or one short of it by the header."""
    return claimed >= 0xFFFFFF00 or 0x7FFFF000 <= claimed <= 0x7FFFFFFF
