"""Compressed audio through FFmpeg (PyAV): what it trims by itself, what is left to trim, what is broken."""

# mypy: disable-error-code="no-untyped-call"
# mutagen is typed in part only.

from __future__ import annotations

import io
import os
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from resonate_resources.recordings.decoding_source import Refusal, Source, clock, cut_off, damaged_at
from resonate_resources.recordings.recording import BLOCK_FRAMES, Samples

if TYPE_CHECKING:
    import av
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

# Only containers of single local files: playlists (HLS, concat) could make FFmpeg open others.
_CONTAINERS = "mp3,mov,ogg,matroska,asf,aac,flac,wav,w64,aiff,caf,au,wv,tta,ape,ac3,eac3,avi"
# Containers whose headers state a length; of the others FFmpeg only estimates one.
_MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
_STATE_LENGTH = (_MP4, "flac", "wav", "w64", "aiff", "caf", "wv", "tta", "ape")
# FFmpeg's sample format (without the p of planar) → its full scale
_FULL_SCALE = {"u8": 1 << 7, "s16": 1 << 15, "s32": 1 << 31, "flt": 1, "dbl": 1}
_TOLERANCE_SECONDS = 0.1  # two MP3 frames at 22 kHz: decoders differ in the first and the last
_DAMAGE_TOLERATED = 0.01  # share of packets; players skip a broken packet too, and none is heard as such
_TAIL_FRAMES = (
    1 << 13
)  # kept back until the end is known: Apple's encoders pad by up to three packets of 1024


@contextmanager
def ffmpeg_source(file: BinaryIO) -> Iterator[Source]:
    import av

    details = _mutagen_info(file)
    try:
        container = av.open(
            # By name: PyAV reports what goes wrong with file objects on stderr.
            f"file:{Path(file.name).absolute()}",
            options={"format_whitelist": _CONTAINERS},
            metadata_errors="replace",
        )
    except (av.FFmpegError, ValueError) as error:
        raise Refusal("is not audio, or too damaged to tell; give a music file") from error
    with container:
        if not container.streams.audio:
            raise Refusal("holds no audio; give a music file")
        audio = container.streams.audio[0]
        if container.format.name == "ogg":
            _refuse_ogg_without_end(file)
        context = audio.codec_context
        if context is None or not context.sample_rate or not context.channels:
            raise Refusal("is not audio, or too damaged to tell; give a music file")
        estimate = int((container.duration or 0) / av.time_base * context.sample_rate)
        source = Source(
            context.codec.canonical_name,
            container.format.name,
            _bit_depth(audio, details),
            context.codec.lossless and not context.codec.lossy,
            context.sample_rate,
            context.channels,
            2 * estimate,  # lengths from bit rates can be short, and only RF64 may pass 4 GiB
        )
        source.blocks = _ffmpeg_blocks(
            source,
            container,
            audio,
            _promised_frames(container, audio, details),
            _mp3_padding(file, details) if source.container == "mp3" else 0,
        )
        yield source


def _ffmpeg_blocks(
    source: Source, container: InputContainer, audio: AudioStream, promised: int | None, mp3_padding: int
) -> Iterator[Samples]:
    import av

    held: list[Samples] = []
    holding = decoded = packets = damaged = 0
    last: av.Packet[AudioStream] | None = None
    last_failed = False
    end: int | None = None
    for packet in _packets(container, audio):
        if packet.size:
            source.part = min(1.0, (packet.pos or 0) / container.size)
            last, packets = packet, packets + 1
            _count_trims(source, packet)
        try:
            frames = packet.decode()
        except av.FFmpegError:
            damaged, last_failed = damaged + 1, True
            continue
        last_failed = last_failed and not packet.size
        for frame in frames:
            samples = _samples(frame, source, decoded)
            end = _end_by_packet(packet, decoded, samples.shape[1])
            held.append(samples)
            holding, decoded = holding + samples.shape[1], decoded + samples.shape[1]
        if holding >= BLOCK_FRAMES + _TAIL_FRAMES:
            block = np.concatenate(held, axis=1)
            held, holding = [block[:, -_TAIL_FRAMES:]], _TAIL_FRAMES
            yield block[:, :-_TAIL_FRAMES]
    tolerated = 0 if source.lossless else max(1, _DAMAGE_TOLERATED * packets)
    if damaged > tolerated or (damaged and decoded == 0):
        raise damaged_at(decoded / source.sample_rate)
    whole = decoded + source.trimmed_start + source.trimmed_end
    if promised is not None and whole < promised - _TOLERANCE_SECONDS * source.sample_rate:
        raise cut_off(decoded, promised, source.sample_rate)
    if promised is None and last is not None and (last_failed or _is_part_of_mp3_frame(last)):
        raise Refusal(f"is cut off at {clock(decoded / source.sample_rate)}; copy or download it again")
    if damaged:
        source.notes.append(f"{damaged} of {packets} packets were damaged and left out")
    if source.codec in ("mp3", "aac") and not source.trimmed_start:
        source.notes.append("the file states no encoder delay; the silence in front of the music is kept")
    surplus = _surplus(source, container, audio, mp3_padding, decoded, end)
    source.trimmed_end += surplus
    if holding > surplus:
        yield np.concatenate(held, axis=1)[:, : holding - surplus]


def _packets(container: InputContainer, audio: AudioStream) -> Iterator[av.Packet[AudioStream]]:
    import av

    try:
        yield from container.demux(audio)
    except av.FFmpegError as error:
        raise Refusal("is damaged; copy or download it again") from error


def _surplus(
    source: Source,
    container: InputContainer,
    audio: AudioStream,
    mp3_padding: int,
    decoded: int,
    end: int | None,
) -> int:
    """Frames of padding that FFmpeg leaves: it trims one packet at most, and at the end of MP4 nothing."""
    if source.container == "mp3":
        return min(max(mp3_padding - source.trimmed_end, 0), decoded, _TAIL_FRAMES)
    if source.container != _MP4:
        return 0
    music = decoded
    # "iTunSMPB: 00000000 <delay> <padding> <frames of music> …", all in hex
    by_itunes = re.match(
        r"\s*[0-9A-Fa-f]+ [0-9A-Fa-f]+ [0-9A-Fa-f]+ ([0-9A-Fa-f]+)", container.metadata.get("iTunSMPB", "")
    )
    if by_itunes:
        music = int(by_itunes[1], 16)
    elif end is not None and end < decoded:
        music = end
    elif audio.duration is not None and audio.time_base is not None:
        music = round(audio.duration * audio.time_base * audio.codec_context.sample_rate)
    return min(max(decoded - music, 0), _TAIL_FRAMES)


def _end_by_packet(packet: Any, start: int, frames: int) -> int | None:
    """Where the music ends if this is the last packet: FFmpeg's muxer shortens its duration to the music.

    The edit list says the same, but rounded to the movie's clock, often a millisecond.
    """
    ticks_per_frame = packet.stream.codec_context.sample_rate * packet.time_base
    if not packet.duration or ticks_per_frame.denominator != 1:
        return None
    return start + min(frames, int(packet.duration * ticks_per_frame))


def _count_trims(source: Source, packet: Any) -> None:
    """Add what libavcodec will cut by itself from this packet (AV_PKT_DATA_SKIP_SAMPLES)."""
    for data in packet.iter_sidedata():
        if data.data_type == "skip_samples":
            start, end = struct.unpack_from("<II", bytes(data))
            source.trimmed_start += start
            source.trimmed_end += end


def _samples(frame: AudioFrame, source: Source, position: int) -> Samples:
    """A decoded frame as float32 shaped (channels, frames)."""
    channels = len(frame.layout.channels)
    if (frame.sample_rate, channels) != (source.sample_rate, source.channels):
        raise Refusal(
            f"changes sample rate or channels at {clock(position / source.sample_rate)}; "
            "convert it to one format first"
        )
    array: Any = frame.to_ndarray()
    if not frame.format.is_planar:
        array = array.reshape(-1, channels).T
    kind = frame.format.name.removesuffix("p")
    if kind not in _FULL_SCALE:
        raise Refusal(f"holds samples of an unknown kind ({kind}); convert it to WAV or FLAC first")
    samples: Samples = array.astype(np.float32)
    if kind == "u8":
        samples -= 128
    return samples / np.float32(_FULL_SCALE[kind])


def _promised_frames(container: InputContainer, audio: AudioStream, details: Any) -> int | None:
    """Frames that the header states, delay and padding left in or out; None where there is only an estimate."""
    from mutagen.mp3 import BitrateMode

    rate = audio.codec_context.sample_rate
    name = container.format.name
    if name == "mp3":
        stated = getattr(details, "bitrate_mode", BitrateMode.UNKNOWN) is not BitrateMode.UNKNOWN
        return round(details.length * rate) if stated else None
    if name in _STATE_LENGTH and audio.duration is not None and audio.time_base is not None:
        return round(audio.duration * audio.time_base * rate)
    if name == "matroska,webm" and container.duration is not None and len(container.streams) == 1:
        return container.duration * rate // 1_000_000
    return None


def _mp3_padding(file: BinaryIO, details: Any) -> int:
    """Frames of padding that an MP3's LAME tag states beyond the decoder's delay; 0 without such a tag.

    The tag (gabriel.mp3-tech.org/mp3infotag.html) follows the fields of the Xing header that its flags name;
    its last 12 of 24 bits at offset 21 are the padding. Layer III decoders lag by 528 + 1 frames.
    """
    head = os.pread(file.fileno(), 1 << 11, getattr(details, "frame_offset", 0))
    start = max(head.find(b"Xing"), head.find(b"Info"))
    if start < 0 or len(head) < start + 8 + 112 + 24:
        return 0
    flags = head[start + 7]
    fields = zip((1, 2, 4, 8), (4, 4, 100, 4), strict=True)
    tag = start + 8 + sum(size for flag, size in fields if flags & flag)
    if head[tag : tag + 4] not in (b"LAME", b"Lavc", b"Lavf"):
        return 0
    return max(0, (int.from_bytes(head[tag + 21 : tag + 24], "big") & 0xFFF) - 529)


def _is_part_of_mp3_frame(packet: Any) -> bool:
    """Whether a packet is shorter than the MP3 frame that its header announces (ISO/IEC 11172-3, 2.4.3.1)."""
    import mutagen
    from mutagen.mp3 import MPEGFrame

    if packet.stream.codec_context.codec.canonical_name != "mp3":
        return False
    try:
        frame: Any = MPEGFrame(io.BytesIO(bytes(packet)))
    except mutagen.MutagenError:
        return False
    size = (144 if frame.version == 1 else 72) * frame.bitrate // frame.sample_rate + frame.padding
    return bool(packet.size < size)


def _refuse_ogg_without_end(file: BinaryIO) -> None:
    """The last page of an Ogg stream bears the end-of-stream flag (RFC 3533, section 6)."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - (1 << 17)))  # a page has at most 65307 bytes
    ending = file.read()
    page = ending.rfind(b"OggS")
    if page < 0 or page + 5 >= len(ending) or not ending[page + 5] & 4:
        raise Refusal("is cut off: its end is missing; copy or download it again")


def _mutagen_info(file: BinaryIO) -> Any:
    """What mutagen knows of the stream: whether an MP3 states its length, and the bit depth of ALAC."""
    import mutagen

    try:
        found = mutagen.File(file)
    except Exception:  # it meets hostile bytes; FFmpeg decides whether the file is audio
        found = None
    return getattr(found, "info", None)


def _bit_depth(audio: AudioStream, details: Any) -> int | None:
    codec = audio.codec_context.codec
    if codec.lossy or not codec.lossless:
        return None
    return int(getattr(details, "bits_per_sample", 0)) or 8 * audio.codec_context.format.bytes
