"""What an opened audio file is to `decoding`, whichever library reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from resonate_resources.recordings.recording import Samples


class Refusal(Exception):  # noqa: N818 — it never reaches a caller of decode
    """Why a file cannot be used, and what to do; without its name."""


@dataclass
class Source:
    """An opened source; trims and notes are complete once blocks is exhausted.

    announced: frames that the header promises, 0 where it does not. layout: FFmpeg's name for what loudspeakers the
    channels are for. part: how much of the file has been read, 0…1.
    """

    codec: str
    container: str
    bit_depth: int | None
    lossless: bool
    sample_rate: int
    channels: int
    expected_frames: int
    blocks: Iterator[Samples] = field(default_factory=lambda: iter(()))
    announced: int = 0
    layout: str = ""
    part: float = 0.0
    trimmed_start: int = 0
    trimmed_end: int = 0
    notes: list[str] = field(default_factory=list)


def clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:06.3f}"


def damaged_at(seconds: float) -> Refusal:
    return Refusal(f"is damaged or cut off at {clock(seconds)}; copy or download it again")


def cut_off(frames: int, promised: int, sample_rate: int) -> Refusal:
    return Refusal(
        f"is cut off: {clock(frames / sample_rate)} of the {clock(promised / sample_rate)} that its header "
        "promises; copy or download it again"
    )
