"""A file opened by FFmpeg, which gets to see that file and nothing else.

It is handed a descriptor, never a name: nothing in a name (`:`, `?`, `%`, bytes that are no text) means anything,
and no other protocol is allowed, so that a playlist or a reference inside the file can't make it open another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.container import InputContainer

# FFmpeg's demuxers of one file that holds audio; its playlists (HLS, DASH, concat, sdp…) are none.
_CONTAINERS = ",".join(
    (
        *("mp3", "aac", "ac3", "eac3", "dts", "amr", "flac", "wv", "tta", "ape", "tak", "mpc", "mpc8"),
        *("wav", "w64", "aiff", "caf", "au", "voc"),
        *("mov", "ogg", "matroska", "asf", "avi", "mpegts", "mpeg", "flv"),
    )
)


@contextmanager
def open_container(
    path: Path, *, encoding: str = "utf-8", known: str | None = None, **options: str
) -> Iterator[InputContainer]:
    """Open a file that holds audio or video. encoding: how its texts are read; known: what it is, in FFmpeg's
    words, where that need not be guessed; options: of the demuxer.

    Raises av.FFmpegError or ValueError where it is no such file, OSError where it can't be read.
    """
    import av

    with (
        path.open("rb") as file,  # not the caller's: FFmpeg goes about in it as it likes
        av.open(
            "fd:",
            format=known,
            options={
                "fd": str(file.fileno()),
                "protocol_whitelist": "fd",
                "format_whitelist": _CONTAINERS,
                **options,
            },
            metadata_encoding=encoding,
            metadata_errors="replace",
        ) as container,
    ):
        yield container
