"""How long a file says it is, and where it says that it ends."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, BinaryIO

from resonate_resources.recordings.decoding_source import Refusal

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
# Containers whose headers state a length; of the others FFmpeg only estimates one.
_STATE_LENGTH = (MP4, "flac", "wav", "w64", "aiff", "caf", "wv", "tta", "ape")
TOLERANCE_SECONDS = 0.1  # two MP3 frames at 22 kHz: decoders differ in the first and the last
_OGG_SEARCHED = 1 << 17  # bytes at a time; a page has at most 65307


def promised_frames(container: InputContainer, audio: AudioStream, details: Any) -> int | None:
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


def mp3_padding_of(file: BinaryIO, details: Any) -> int:
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


def last_ogg_page(file: BinaryIO) -> int:
    """Where the last page begins, which bears the end-of-stream flag (RFC 3533, section 6). Anything may follow it.

    Raises Refusal where it does not bear it.
    """
    behind = os.fstat(file.fileno()).st_size
    while behind > 0:
        start = max(0, behind - _OGG_SEARCHED)
        # Up to the flags of a page that begins at the end of the part.
        part = os.pread(file.fileno(), behind - start + 5, start)
        place = part.rfind(b"OggS", 0, behind - start + 3)
        if place >= 0:
            if place + 5 >= len(part) or not part[place + 5] & 4:
                break
            return start + place
        behind = start
    raise Refusal("is cut off: its end is missing; copy or download it again")
