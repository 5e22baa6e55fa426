"""What of a track is worth another engine, and what of that engine's work is kept: judged by the vocals, spliced.

No engine is run here; see trying.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from resonate_resources.recordings.recording import Recording, Stems
from resonate_resources.separation.quality import WINDOW_SECONDS, Instrumental, levels_in_windows
from resonate_resources.separation.router import EngineFacts
from resonate_resources.separation.separator import Separator
from resonate_resources.separation.splicing import Span, spans_around, splice
from resonate_resources.separation.trying import Judge, Piece, Quality, Trial

_MOSTLY = 0.6
"""Where so much of a track is to be separated again, all of it is: cuts would not be worth their context."""


@dataclass(frozen=True)
class Kept:
    """The best stems of the whole track so far. engine, separator: those of most of them."""

    stems: Stems
    quality: Quality
    engine: EngineFacts
    separator: Separator
    notes: tuple[str, ...]


def first_kept(trial: Trial) -> Kept:
    """All of a trial whose one piece is the whole track."""
    (piece,) = trial.pieces
    return Kept(piece.stems, piece.quality, trial.step.engine, trial.separator, piece.notes)


def weak_windows(quality: Quality, track: Recording, retry_below_db: float) -> list[Span]:
    """Windows whose vocals are below retry_below_db, where those of the whole are."""
    vocals = quality.get("vocals")
    if vocals is None or not vocals.si_sdr_db < retry_below_db:
        return []
    return [
        _span(window.start_s, window.stop_s, track)
        for window in vocals.windows
        if window.si_sdr_db < retry_below_db
    ]


def with_context(weak: Sequence[Span], track: Recording) -> list[Span]:
    """The weak windows with one more on both sides; the whole track where that is most of it."""
    spans = spans_around(weak, round(WINDOW_SECONDS * track.sample_rate), track.frames)
    return spans if share(spans, track) < _MOSTLY else [Span(0, track.frames)]


def nothing_to_buy(kept: Kept, track: Recording, instrumental: Instrumental) -> str | None:
    """Why no further engine is paid for the track, if it is taken for an instrumental."""
    vocals = kept.quality["vocals"]
    levels = levels_in_windows(kept.stems["vocals"], track, vocals.windows)
    if not instrumental.holds(vocals, levels):
        return None
    best_db = max(window.si_sdr_db for window in vocals.windows)
    return (
        f"taken for an instrumental, so nothing is paid: no window's vocals are louder than {max(levels):.1f} dB "
        f"against the track or predicted better than {best_db:.1f} dB"
    )


def better_windows(
    weak: Sequence[Span], quality: Quality, pieces: Sequence[Piece], track: Recording
) -> list[Span]:
    """Those of the weak windows whose vocals came out better in the pieces."""
    before = {
        _span(window.start_s, window.stop_s, track): window.si_sdr_db for window in quality["vocals"].windows
    }
    after = {}
    for piece in pieces:
        offset = piece.span.start / track.sample_rate
        for window in piece.quality["vocals"].windows:
            after[_span(window.start_s + offset, window.stop_s + offset, track)] = window.si_sdr_db
    return [window for window in weak if window in after and after[window] > before[window]]


def spliced(
    kept: Kept, trial: Trial, windows: Sequence[Span], track: Recording, judge: Judge, into: Path
) -> Kept:
    """What was kept with these windows of the trial in their place, written into the new directory `into`."""
    into.mkdir()
    stems = splice(track, kept.stems, [(piece.span, piece.stems) for piece in trial.pieces], windows, into)
    quality = judge(track, stems, Span(0, track.frames))
    notes = (*kept.notes, *(note for piece in trial.pieces for note in piece.notes))
    if share(windows, track) > 0.5:
        return Kept(stems, quality, trial.step.engine, trial.separator, notes)
    return Kept(stems, quality, kept.engine, kept.separator, notes)


def share(spans: Iterable[Span], track: Recording) -> float:
    """How much of the track the spans are, 0…1."""
    return sum(span.stop - span.start for span in spans) / max(1, track.frames)


def _span(start_s: float, stop_s: float, track: Recording) -> Span:
    return Span(round(start_s * track.sample_rate), round(stop_s * track.sample_rate))
