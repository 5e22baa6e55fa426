"""Frames of streams that have no container: MPEG audio, ADTS, AC-3. What begins like one, and its stated size."""

# mypy: disable-error-code="no-untyped-call"
# mutagen is typed in part only.

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any


def stated_size(packet: bytes, first: bytes, container: str) -> int | None:
    """Bytes that the frame at the start of a packet says it has; 0 where there is none of the same stream.

    first: the stream's first packet. None where this container's packets can't be told from what is none.
    """
    size_of = _SIZES.get(container)
    if size_of is None or size_of(first, first) == 0:
        return None
    return size_of(packet, first)


def holds_frame(rest: bytes, first: bytes, container: str) -> bool:
    """Whether a frame of the stream begins anywhere in what is left of a file."""
    place = rest.find(first[:2])
    while place >= 0:
        if stated_size(rest[place : place + 16], first, container) != 0:
            return True
        place = rest.find(first[:2], place + 1)
    return False


def _mpeg_size(packet: bytes, first: bytes) -> int:
    """ISO/IEC 11172-3, 2.4.3.1."""
    import mutagen
    from mutagen.mp3 import MPEGFrame

    try:
        frame: Any = MPEGFrame(io.BytesIO(packet))
        other: Any = MPEGFrame(io.BytesIO(first))
    except mutagen.MutagenError:
        return 0
    if (frame.version, frame.layer, frame.sample_rate) != (other.version, other.layer, other.sample_rate):
        return 0
    if frame.layer == 1:
        return int(4 * (12 * frame.bitrate // frame.sample_rate + frame.padding))
    slots = 72 if frame.layer == 3 and frame.version != 1 else 144
    return int(slots * frame.bitrate // frame.sample_rate + frame.padding)


def _adts_size(packet: bytes, first: bytes) -> int:
    """ISO/IEC 13818-7, 6.2: 28 bits that are the same in every frame, then a length of 13 bits from the 31st on."""
    if len(packet) < 7 or packet[0] != 0xFF or packet[1] & 0xF6 != 0xF0:
        return 0
    if packet[:3] != first[:3] or packet[3] & 0xF0 != first[3] & 0xF0:
        return 0
    return (packet[3] & 3) << 11 | packet[4] << 3 | packet[5] >> 5


def _ac3_size(packet: bytes, first: bytes) -> int:
    """ETSI TS 102 366, table 4.13 and, for E-AC-3, annex E.1.2.2."""
    if packet[:2] != b"\x0b\x77" or len(packet) < 6 or packet[5] >> 3 != first[5] >> 3:
        return 0
    if packet[5] >> 3 > 10:
        return 2 * ((packet[2] & 7) << 8 | packet[3]) + 2
    rate, code = packet[4] >> 6, packet[4] & 63
    if rate == 3 or code // 2 >= len(_AC3_KBPS):
        return 0
    kbps = _AC3_KBPS[code // 2]
    return (4 * kbps, 2 * (kbps * 320 // 147 + code % 2), 6 * kbps)[rate]


_AC3_KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_SIZES: dict[str, Callable[[bytes, bytes], int]] = {
    "mp3": _mpeg_size,
    "aac": _adts_size,
    "ac3": _ac3_size,
    "eac3": _ac3_size,
}
"""By the name of FFmpeg's demuxer; that of MP3 reads all layers."""
