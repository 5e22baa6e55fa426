"""An engine tried: run over a track or spans of it, and what it made of each, judged; or how it failed.

What of it is kept is not decided here, but in choosing.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from resonate_resources.recordings.recording import AudioError, DestinationError, Progress, Recording, Stems
from resonate_resources.separation.quality import StemQuality
from resonate_resources.separation.router import Step
from resonate_resources.separation.separator import Separator
from resonate_resources.separation.splicing import Span, cut_out

Quality = Mapping[str, StemQuality]

Judge = Callable[[Recording, Stems, Span], Quality]
"""How good the stems of a recording are, which is this span of the track."""


@dataclass(frozen=True)
class Piece:
    """Stems of a span of the track, as long as the span, and what their engine had to say."""

    span: Span
    stems: Stems
    quality: Quality
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Trial:
    """What an engine made of the spans it was given, a piece of each, in their order."""

    step: Step
    separator: Separator
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Failure:
    """An engine that could not do it. reason: on one line."""

    reason: str


def try_engine(
    step: Step,
    separator: Separator,
    track: Recording,
    spans: Sequence[Span],
    folder: Path,
    judge: Judge,
    progress: Progress,
) -> Trial | Failure:
    """Run the step's engine over spans of the track, writing into the empty directory `folder`.

    An engine's AudioError is its failure; what it had made of other spans then counts for nothing. Raises
    DestinationError: a full disk is the fault of no engine, and the next one would only meet it, too.
    """
    try:
        pieces = [
            _separated(separator, track, span, folder / str(index), judge, _part(progress, index, spans))
            for index, span in enumerate(spans)
        ]
    except DestinationError:
        raise
    except AudioError as error:
        return Failure(" ".join(str(error).split()))
    return Trial(step, separator, tuple(pieces))


def _separated(
    separator: Separator, track: Recording, span: Span, folder: Path, judge: Judge, progress: Progress
) -> Piece:
    folder.mkdir()
    whole = span == Span(0, track.frames)
    part = track if whole else cut_out(track, span, folder / "part.wav")
    stems = separator.separate(part, folder, progress)
    return Piece(span, stems, judge(part, stems, span), separator.notes)


def _part(progress: Progress, index: int, spans: Sequence[Span]) -> Progress:
    return lambda part: progress((index + part) / len(spans))
