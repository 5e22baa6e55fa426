"""Music of a few bytes, for tests that only need a file to be some."""

from __future__ import annotations


def music(samples: bytes = b"music") -> bytes:
    """A WAV file whose samples (8 bits, mono, 8 kHz) are those bytes: 44 bytes more, and one where they are odd."""
    padding = bytes(len(samples) % 2)
    form = b"fmt " + (16).to_bytes(4, "little")
    form += b"".join(
        value.to_bytes(size, "little")
        for value, size in ((1, 2), (1, 2), (8000, 4), (8000, 4), (1, 2), (8, 2))
    )
    data = b"data" + len(samples).to_bytes(4, "little") + samples + padding
    return b"RIFF" + (4 + len(form) + len(data)).to_bytes(4, "little") + b"WAVE" + form + data
