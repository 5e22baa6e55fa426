"""Compressed audio through FFmpeg (PyAV): what it trims by itself, what is left to trim, what is broken."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from resonate_resources.recordings.container import open_container
from resonate_resources.recordings.decoding_source import Refusal, Source, clock, cut_off, damaged_at
from resonate_resources.recordings.folding import CHANNELS_MAX
from resonate_resources.recordings.raw_frames import holds_frame, stated_size
from resonate_resources.recordings.recording import BLOCK_FRAMES, Samples
from resonate_resources.recordings.stated_length import (
    MP4,
    TOLERANCE_SECONDS,
    last_ogg_page,
    mp3_padding_of,
    promised_frames,
)

if TYPE_CHECKING:
    import av
    from av.audio.frame import AudioFrame
    from av.audio.resampler import AudioResampler
    from av.audio.stream import AudioStream
    from av.container import InputContainer

# FFmpeg's sample format (without the p of planar) → its full scale
_FULL_SCALE = {"u8": 1 << 7, "s16": 1 << 15, "s32": 1 << 31, "flt": 1, "dbl": 1}
_DAMAGE_TOLERATED = 0.01  # share of packets; players skip a broken packet too, and none is heard as such
_TAIL_FRAMES = (
    1 << 13
)  # kept back until the end is known: Apple's encoders pad by up to three packets of 1024
# What an HE-AAC decoder's filter banks delay by at its doubled rate: 481 samples of the core. By iTunes' convention
# no file counts it (fdkaac's manual, on --include-sbr-delay).
_SBR_DELAY = 2 * 481
_NO_AUDIO = "is not audio, or too damaged to tell; give a music file"
# Encoders that put silence in front; where no header says how much, it stays.
_DELAYING = ("mp3", "mp2", "aac", "ac3", "eac3")


@contextmanager
def ffmpeg_source(file: BinaryIO, **options: str) -> Iterator[Source]:
    """An opened file as a source. options: of FFmpeg's demuxer; with any, its header is not taken at its word."""
    import av

    details = _mutagen_info(file)
    with _opened(Path(os.fsdecode(file.name)), options) as container:
        if not container.streams.audio:
            raise Refusal("holds no audio; give a music file")
        audio, notes = _stream(container)
        last_page = last_ogg_page(file) if container.format.name == "ogg" else None
        context = audio.codec_context
        if context is None or not context.sample_rate or not context.channels:
            raise Refusal(_NO_AUDIO)
        estimate = int((container.duration or 0) / av.time_base * context.sample_rate)
        promised = None if options else promised_frames(container, audio, details)
        source = Source(
            context.codec.canonical_name,
            container.format.name,
            _bit_depth(audio, details),
            context.codec.lossless and not context.codec.lossy,
            context.sample_rate,
            context.channels,
            2 * estimate,  # lengths from bit rates can be short, and only RF64 may pass 4 GiB
            announced=promised or 0,
            layout=context.layout.name,
            notes=notes,
        )
        padding = mp3_padding_of(file, details) if source.container == "mp3" else 0
        decoding = _Decoding(source, container, audio, file, last_page)
        source.blocks = _ffmpeg_blocks(decoding, promised, padding)
        yield source


@contextmanager
def _opened(path: Path, options: Mapping[str, str]) -> Iterator[InputContainer]:
    import av

    with ExitStack() as stack:
        try:
            container = stack.enter_context(open_container(path, **options))
        except (av.FFmpegError, ValueError) as error:
            if not _has_id3(path):
                raise Refusal(_NO_AUDIO) from error
            container = None
        # FFmpeg guesses: an MP3 of a packet or two is something else to it, one with the right zeros in it a film.
        if container is None or (container.format.name == "mpeg" and _has_id3(path)):
            try:
                container = stack.enter_context(open_container(path, known="mp3", **options))
            except (av.FFmpegError, ValueError) as error:
                raise Refusal(_NO_AUDIO) from error
        yield container


def _has_id3(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(3) == b"ID3"


def _stream(container: InputContainer) -> tuple[AudioStream, list[str]]:
    """The audio stream that is marked default, or the first, and a note that names the others."""
    from av.stream import Disposition

    streams = container.streams.audio
    taken = next((stream for stream in streams if stream.disposition & Disposition.default), streams[0])
    if len(streams) == 1:
        return taken, []
    others = ", ".join(_named(number, stream) for number, stream in enumerate(streams, 1) if stream != taken)
    number = streams.index(taken) + 1
    return taken, [f"of {len(streams)} audio streams number {number} was taken, not {others}"]


def _named(number: int, stream: AudioStream) -> str:
    context = stream.codec_context
    known = context.codec.canonical_name if context is not None else "of an unknown codec"
    told = (known, stream.metadata.get("language", ""), stream.metadata.get("title", ""))
    shown = ", ".join("".join(filter(str.isprintable, text)) for text in told if text not in ("", "und"))
    return f"number {number} ({shown})"


class _Decoding:
    """Goes through the packets of a stream, and keeps what its end is judged by."""

    def __init__(
        self,
        source: Source,
        container: InputContainer,
        audio: AudioStream,
        file: BinaryIO,
        last_page: int | None,
    ) -> None:
        self.source, self.container, self.audio, self.file = source, container, audio, file
        self.last_page = last_page
        self.packets = self.damaged = 0
        self.decoded = 0
        """Frames that came out, also those of a delay which FFmpeg leaves."""
        self.delay_left = 0
        self.end: int | None = None
        """Where the music ends if the last packet says so."""
        self._first = self._last = b""
        self._behind = 0
        """Where in the file the last packet ends."""
        self._failed: list[bytes] = []
        """What could not be decoded since the last packet that could."""
        self._broke_off = False
        self._packed: AudioResampler | None = None

    def samples(self) -> Iterator[Samples]:
        """All of the music, and what is behind it."""
        import av

        left: int | None = None
        for packet in self._demuxed():
            if packet.size:
                self._see(packet)
            try:
                frames = self._decode(packet)
            except av.FFmpegError:
                if packet.size:
                    self._failed.append(self._last)
                continue
            if packet.size:
                self.damaged += len(self._failed)
                self._failed.clear()
            for frame in frames:
                if left is None:
                    left = self.delay_left = self._delay_left()
                block = self._samples(frame)
                self.end = _end_by_packet(packet, self.decoded, block.shape[1])
                self.decoded += block.shape[1]
                yield block[:, left:]
                left = max(0, left - block.shape[1])

    def _decode(self, packet: av.Packet[AudioStream]) -> list[AudioFrame]:
        """What is in a packet, without what may hang on to the last frame of a file."""
        import av

        size = (packet.size and self._stated(self._last)) or 0
        if 0 < size < packet.size:
            return self.audio.codec_context.decode(av.Packet(self._last[:size]))
        return packet.decode()

    def judge(self, promised: int | None) -> None:
        """Raises Refusal where what was decoded is not the whole."""
        source, rate = self.source, self.source.sample_rate
        # What fails at the end and does not begin like a frame is no part of the music: a tag, or rubbish.
        self.damaged += sum(self._stated(packet) != 0 for packet in self._failed)
        tolerated = 0 if source.lossless else max(1, _DAMAGE_TOLERATED * self.packets)
        if self.damaged > tolerated or (self.damaged and self.decoded == 0):
            raise damaged_at(self.decoded / rate)
        if promised is not None:
            whole = self.decoded + source.trimmed_start + source.trimmed_end
            if whole < promised - TOLERANCE_SECONDS * rate:
                if self._broke_off:
                    raise damaged_at(self.decoded / rate)
                raise cut_off(self.decoded, promised, rate)
        elif self._broke_off and self._goes_on():
            raise damaged_at(self.decoded / rate)
        elif (self._stated(self._last) or 0) > len(self._last):
            raise Refusal(f"is cut off at {clock(self.decoded / rate)}; copy or download it again")
        if self.damaged:
            source.notes.append(f"{self.damaged} of {self.packets} packets were damaged and left out")

    def _demuxed(self) -> Iterator[av.Packet[AudioStream]]:
        import av

        try:
            yield from self.container.demux(self.audio)
        except av.FFmpegError:  # also for rubbish behind the music
            self._broke_off = True

    def _see(self, packet: Any) -> None:
        self._last = bytes(packet)
        self._first = self._first or self._last
        self._behind = (packet.pos or 0) + packet.size
        self.packets += 1
        self.source.part = min(1.0, (packet.pos or 0) / max(1, self.container.size))
        _count_trims(self.source, packet)

    def _stated(self, packet: bytes) -> int | None:
        return stated_size(packet, self._first, self.source.container)

    def _goes_on(self) -> bool:
        """Whether there is more of the stream behind the last packet; assumed where that can't be told."""
        if self.last_page is not None:
            return self._behind < self.last_page
        if self._stated(self._first) is None:
            return True
        rest = os.pread(self.file.fileno(), 1 << 20, self._behind)
        return holds_frame(rest, self._first, self.source.container)

    def _delay_left(self) -> int:
        """Frames of delay that FFmpeg leaves: of HE-AAC whose delay is counted at the core's rate it cuts half, and
        never what the decoder itself delays by."""
        codec, base = self.audio.codec_context, self.audio.time_base
        halved = base is not None and base * self.source.sample_rate == 2
        if not (halved and (codec.profile or "").startswith("HE-AAC") and self.source.trimmed_start):
            return 0
        return self.source.trimmed_start + _SBR_DELAY

    def _samples(self, frame: AudioFrame) -> Samples:
        """A decoded frame as float32 shaped (channels, frames)."""
        import av

        channels = frame.layout.nb_channels
        if (frame.sample_rate, channels) != (self.source.sample_rate, _channels(self.audio)):
            raise Refusal(
                f"changes sample rate or channels at {clock(self.decoded / self.source.sample_rate)}; "
                "convert it to one format first"
            )
        if channels > CHANNELS_MAX:
            # PyAV reads past the planes of planar frames of eight channels and more.
            self._packed = self._packed or av.AudioResampler(format="flt")
            [frame] = self._packed.resample(frame)
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


def _channels(audio: AudioStream) -> int:
    return int(audio.codec_context.channels)


def _ffmpeg_blocks(decoding: _Decoding, promised: int | None, mp3_padding: int) -> Iterator[Samples]:
    source = decoding.source
    held: list[Samples] = []
    holding, wanted = 0, 1  # the first block is short: it is all that a look at the file reads
    for samples in decoding.samples():
        held.append(samples)
        holding += samples.shape[1]
        if holding >= wanted + _TAIL_FRAMES:
            block = np.concatenate(held, axis=1)
            held, holding, wanted = [block[:, -_TAIL_FRAMES:]], _TAIL_FRAMES, BLOCK_FRAMES
            yield block[:, :-_TAIL_FRAMES]
    decoding.judge(promised)
    source.trimmed_start += decoding.delay_left
    if source.codec in _DELAYING and not source.trimmed_start:
        source.notes.append("the file states no encoder delay; the silence in front of the music is kept")
    surplus = _surplus(decoding, mp3_padding)
    source.trimmed_end += surplus
    if holding > surplus:
        yield np.concatenate(held, axis=1)[:, : holding - surplus]


def _surplus(decoding: _Decoding, mp3_padding: int) -> int:
    """Frames of padding that FFmpeg leaves: it trims one packet at most, and at the end of MP4 nothing."""
    source, audio, end = decoding.source, decoding.audio, decoding.end
    decoded = decoding.decoded - decoding.delay_left
    if source.container == "mp3":
        return min(max(mp3_padding - source.trimmed_end, 0), decoded, _TAIL_FRAMES)
    if source.container != MP4 or audio.time_base is None:
        return 0
    frames_per_tick = audio.time_base * source.sample_rate
    music = decoded
    # "iTunSMPB: 00000000 <delay> <padding> <frames of music> …", all in hex, at the rate of the container
    by_itunes = re.match(
        r"\s*[0-9A-Fa-f]+ [0-9A-Fa-f]+ [0-9A-Fa-f]+ ([0-9A-Fa-f]+)",
        decoding.container.metadata.get("iTunSMPB", ""),
    )
    if by_itunes:
        music = round(int(by_itunes[1], 16) * frames_per_tick)
    elif end is not None and end < decoding.decoded:
        music = end - decoding.delay_left
    elif audio.duration is not None:
        music = round(audio.duration * frames_per_tick)
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
