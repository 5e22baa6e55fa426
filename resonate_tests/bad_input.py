"""Makers of bad and odd input: files that must be refused in one line, and files that must come out sensibly.

A maker takes a directory and returns the file it made there. Contents are seeded: the same each time.
"""

# mypy: disable-error-code="no-untyped-call"
# mutagen is typed in part only.

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf

from resonate_tests.peer_encoders import Floats, encode_vorbis, encode_with_ffmpeg, noise


@dataclass(frozen=True)
class Refused:
    """A file that cannot be used; `reason` must stand in the line that says so."""

    name: str
    make: Callable[[Path], Path]
    reason: str


@dataclass(frozen=True)
class Odd:
    """A file that is unusual and right: what a decoded recording of it must have."""

    name: str
    make: Callable[[Path], Path]
    sample_rate: int
    channels: int
    frames: int


def empty(folder: Path) -> Path:
    path = folder / "empty.wav"
    path.write_bytes(b"")
    return path


def text_named_mp3(folder: Path) -> Path:
    path = folder / "shopping list.mp3"
    path.write_text("milk, bread, strings for the guitar\n" * 400)
    return path


def random_bytes_named_mp3(folder: Path) -> Path:
    path = folder / "noise.mp3"
    path.write_bytes(np.random.default_rng(3).bytes(100_000))
    return path


def playlist_named_mp3(folder: Path) -> Path:
    """A list of other files: FFmpeg would open them, wherever they are."""
    other = folder / "private.wav"
    sf.write(other, noise(4410, 1), 44100)
    path = folder / "playlist.mp3"
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.1,\nfile://{other}\n#EXT-X-ENDLIST\n")
    return path


def truncated_mp3(folder: Path) -> Path:
    return _cut(encode_with_ffmpeg(folder / "cut.mp3", noise(132_300, 2), 44100, "libmp3lame"))


def truncated_mp3_without_header(folder: Path) -> Path:
    """No Xing header says how long it should be; only its last frame is a part."""
    whole = encode_with_ffmpeg(folder / "bare.mp3", noise(132_300, 2), 44100, "libmp3lame", write_xing="0")
    return _cut(whole, 0.503)


def truncated_flac(folder: Path) -> Path:
    return _cut(_written(folder / "cut.flac", noise(132_300, 2), "PCM_16"))


def truncated_wav(folder: Path) -> Path:
    return _cut(_written(folder / "cut.wav", noise(132_300, 2), "PCM_24"))


def truncated_aiff(folder: Path) -> Path:
    return _cut(_written(folder / "cut.aiff", noise(132_300, 2), "PCM_16"))


def truncated_m4a(folder: Path) -> Path:
    return _cut(encode_with_ffmpeg(folder / "cut.m4a", noise(132_300, 2), 44100, "aac"))


def truncated_fragmented_mp4(folder: Path) -> Path:
    """Its index comes first, so that the half that is there plays."""
    flags = "+frag_keyframe+empty_moov"
    return _cut(encode_with_ffmpeg(folder / "frag.mp4", noise(441_000, 2), 44100, "aac", movflags=flags))


def truncated_ogg(folder: Path) -> Path:
    return _cut(encode_vorbis(folder / "cut.ogg", noise(441_000, 2), 44100))


def truncated_opus(folder: Path) -> Path:
    return _cut(encode_with_ffmpeg(folder / "cut.opus", noise(480_000, 2), 48000, "libopus"))


def flac_with_a_damaged_middle(folder: Path) -> Path:
    path = _written(folder / "scratched.flac", noise(132_300, 2), "PCM_16")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = np.random.default_rng(5).bytes(64)
    path.write_bytes(content)
    return path


def zero_length(folder: Path) -> Path:
    return _written(folder / "nothing.wav", np.zeros((0, 2)), "PCM_16")


def not_a_number(folder: Path) -> Path:
    """NaN in three samples, the first at frame 300 000, beyond the first block."""
    samples = noise(400_000, 2)
    samples[300_000, 1] = samples[300_001, 0] = samples[399_999, 0] = np.nan
    return _written(folder / "nan.wav", samples, "FLOAT")


def infinite(folder: Path) -> Path:
    samples = noise(44_100, 1)
    samples[0] = -np.inf
    return _written(folder / "inf.wav", samples, "FLOAT")


def directory(folder: Path) -> Path:
    path = folder / "album.wav"
    path.mkdir()
    return path


def dangling_link(folder: Path) -> Path:
    path = folder / "link.wav"
    path.symlink_to(folder / "gone.wav")
    return path


def pipe(folder: Path) -> Path:
    path = folder / "pipe.wav"
    os.mkfifo(path)
    return path


def absent(name: str) -> Callable[[Path], Path]:
    """A maker that makes nothing: only the path."""
    return lambda folder: folder / name


def without_permission(folder: Path) -> Path:
    """Unreadable for ordinary users; see `ordinary_user`."""
    path = _written(folder / "secret.wav", noise(4410, 1), "PCM_16")
    path.chmod(0)
    return path


REFUSED = (
    Refused("an empty file", empty, "empty"),
    Refused("text named .mp3", text_named_mp3, "not audio"),
    Refused("random bytes named .mp3", random_bytes_named_mp3, "not audio"),
    Refused("a playlist named .mp3", playlist_named_mp3, "not audio"),
    Refused("a truncated MP3", truncated_mp3, "cut off"),
    Refused("a truncated MP3 without Xing header", truncated_mp3_without_header, "cut off"),
    Refused("a truncated FLAC", truncated_flac, "cut off"),
    Refused("a truncated WAV", truncated_wav, "cut off"),
    Refused("a truncated AIFF", truncated_aiff, "cut off"),
    Refused("a truncated M4A", truncated_m4a, "damaged"),
    Refused("a truncated fragmented MP4", truncated_fragmented_mp4, "cut off"),
    Refused("a truncated Ogg Vorbis", truncated_ogg, "cut off"),
    Refused("a truncated Opus", truncated_opus, "cut off"),
    Refused("a FLAC with a damaged middle", flac_with_a_damaged_middle, "damaged"),
    Refused("zero-length audio", zero_length, "no audio"),
    Refused("NaN in a float WAV", not_a_number, "NaN"),
    Refused("Inf in a float WAV", infinite, "infinite"),
    Refused("a directory", directory, "directory"),
    Refused("a dangling link", dangling_link, "link"),
    Refused("a named pipe", pipe, "not a regular file"),
    Refused("a missing file", absent("never was.wav"), "does not exist"),
    Refused("a name of 300 characters", absent("la" * 150 + ".wav"), "too long"),
)


def silence(folder: Path) -> Path:
    return _written(folder / "silence.wav", np.zeros((44_100, 2)), "PCM_16")


def single_sample(folder: Path) -> Path:
    return _written(folder / "one.wav", np.array([[0.5, -0.5]]), "PCM_16")


def offset(folder: Path) -> Path:
    """A DC offset of 0.25 under noise."""
    return _written(folder / "offset.wav", noise(44_100, 2) + 0.25, "PCM_24")


def over_full_scale(folder: Path) -> Path:
    """Peaks at +6.02 dBFS, as floating point may."""
    samples = noise(44_100, 2)
    return _written(folder / "hot.wav", 2 * samples / np.abs(samples).max(), "FLOAT")


def mono(folder: Path) -> Path:
    return _written(folder / "mono.flac", noise(44_100, 1), "PCM_16")


def surround(folder: Path) -> Path:
    return _written(folder / "surround.wav", noise(48_000, 6), "PCM_24", 48000)


def surround_aac(folder: Path) -> Path:
    return encode_with_ffmpeg(folder / "surround.m4a", noise(48_000, 6), 48000, "aac")


def telephone_rate(folder: Path) -> Path:
    return _written(folder / "8k.wav", noise(8_000, 1), "PCM_16", 8000)


def studio_rate(folder: Path) -> Path:
    return _written(folder / "192k.flac", noise(192_000, 2), "PCM_24", 192_000)


def eight_bit(folder: Path) -> Path:
    return _written(folder / "8bit.wav", noise(44_100, 2), "PCM_U8")


def double_precision(folder: Path) -> Path:
    return _written(folder / "double.wav", noise(44_100, 2), "DOUBLE")


def named(name: str) -> Callable[[Path], Path]:
    """A maker of plain music under a name that is not."""
    return lambda folder: _written(folder / name, noise(4_410, 2), "PCM_16")


def bytes_that_are_no_text_in_name(folder: Path) -> Path:
    path = _written(folder / "plain.flac", noise(4_410, 2), "PCM_16")
    return path.rename(folder / os.fsdecode(b"\xff\xfe.flac"))


def climbing_path(folder: Path) -> Path:
    """A path with `../` in it."""
    (folder / "inner").mkdir()
    return _written(folder / "inner" / ".." / "outer.wav", noise(4_410, 2), "PCM_16")


def climbing_tags(folder: Path) -> Path:
    """Tags that would leave the folder, or end the line, if they were made into names as they are."""
    from mutagen import id3
    from mutagen.wave import WAVE

    path = _written(folder / "tagged.wav", noise(4_410, 2), "PCM_16")
    file: Any = WAVE(path)
    file.add_tags()
    file.tags.add(id3.TPE1(encoding=3, text=["../../etc/\npasswd"]))
    file.tags.add(id3.TIT2(encoding=3, text=["🎸" * 300]))
    file.save()
    return path


def three_hours(folder: Path) -> Path:
    """Three hours of silence at 8 kHz and 8 bit, in a sparse file that takes no room."""
    path = _written(folder / "3h.au", np.zeros((0, 1)), "PCM_S8", 8000)
    header = bytearray(path.read_bytes())
    frames = 3 * 3600 * 8000
    header[8:12] = frames.to_bytes(4, "big")
    path.write_bytes(header)
    os.truncate(path, len(header) + frames)
    return path


ODD = (
    Odd("digital silence", silence, 44100, 2, 44_100),
    Odd("a single sample", single_sample, 44100, 2, 1),
    Odd("a DC offset", offset, 44100, 2, 44_100),
    Odd("float over full scale", over_full_scale, 44100, 2, 44_100),
    Odd("mono", mono, 44100, 1, 44_100),
    Odd("5.1", surround, 48000, 6, 48_000),
    Odd("5.1 in AAC", surround_aac, 48000, 6, 48_000),
    Odd("8 kHz", telephone_rate, 8000, 1, 8_000),
    Odd("192 kHz", studio_rate, 192_000, 2, 192_000),
    Odd("8 bit", eight_bit, 44100, 2, 44_100),
    Odd("64-bit float", double_precision, 44100, 2, 44_100),
    Odd("spaces in the name", named(" my  song (final) [2].wav"), 44100, 2, 4_410),
    Odd("emoji in the name", named("🎸 söng 歌.wav"), 44100, 2, 4_410),
    Odd("a newline in the name", named("two\nlines\r\t.wav"), 44100, 2, 4_410),
    Odd("bytes that are no text in the name", bytes_that_are_no_text_in_name, 44100, 2, 4_410),
    Odd("the longest name, 255 bytes", named("x" * 251 + ".wav"), 44100, 2, 4_410),
    Odd("../ in the path", climbing_path, 44100, 2, 4_410),
    Odd("../ in the tags", climbing_tags, 44100, 2, 4_410),
    Odd("three hours", three_hours, 8000, 1, 86_400_000),
)


def two_files_of_one_name(folder: Path) -> tuple[Path, Path]:
    """Different music in different folders."""
    paths = []
    for index in (1, 2):
        (folder / f"cd{index}").mkdir()
        paths.append(_written(folder / f"cd{index}" / "track.wav", noise(44_100, 2) / index, "PCM_16"))
    return paths[0], paths[1]


def one_content_under_two_names(folder: Path) -> tuple[Path, Path]:
    first = _written(folder / "original.wav", noise(44_100, 2), "PCM_16")
    second = folder / "copy.wav"
    second.write_bytes(first.read_bytes())
    return first, second


@contextmanager
def disk_with_room_for(size: int) -> Iterator[None]:
    """No file can grow over `size` bytes: what a full disk does to a writer, with EFBIG in ENOSPC's place."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Permissions count, for root too, whom they would not stop."""
    privileged = os.geteuid() == 0
    if privileged:
        os.seteuid(65534)  # nobody
    try:
        yield
    finally:
        if privileged:
            os.seteuid(0)


def _cut(path: Path, part: float = 0.5) -> Path:
    size = path.stat().st_size
    os.truncate(path, int(size * part))
    return path


def _written(path: Path, samples: Floats, subtype: str, sample_rate: int = 44100) -> Path:
    # As a descriptor: soundfile cannot encode every name.
    container = {".wav": "WAV", ".flac": "FLAC", ".aiff": "AIFF", ".au": "AU"}[path.suffix]
    with path.open("wb") as file:
        sf.write(file, samples, sample_rate, subtype, format=container)
    return path
