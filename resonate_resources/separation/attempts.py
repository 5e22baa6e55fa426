"""A plan carried out: engine after engine until the vocals are good enough, and of each window the best kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from resonate_resources.recordings.recording import AudioError, DestinationError, Progress, Recording, Stems
from resonate_resources.separation.quality import (
    WINDOW_SECONDS,
    Instrumental,
    StemQuality,
    levels_in_windows,
)
from resonate_resources.separation.router import EngineFacts, Plan, Step
from resonate_resources.separation.separator import Separator
from resonate_resources.separation.splicing import Span, cut_out, spans_around, splice

Quality = Mapping[str, StemQuality]

Judge = Callable[[Recording, Stems, Span], Quality]
"""How good the stems of a recording are, which is this span of the track."""

_MOSTLY = 0.6
"""Where so much of a track is to be separated again, all of it is: cuts would not be worth their context."""


@dataclass(frozen=True)
class Attempt:
    """An engine that was tried or left out. outcome: what came of it, on one line.

    tried_s, kept_s: (start, stop) in seconds of what it separated, and of what of that is in the result.
    quality: of what it separated, where that is one piece.
    """

    engine: str
    model: str | None
    reason: str
    outcome: str
    seconds: float = 0.0
    cost_minutes: float = 0.0
    tried_s: tuple[tuple[float, float], ...] = ()
    kept_s: tuple[tuple[float, float], ...] = ()
    quality: Quality | None = None


@dataclass(frozen=True)
class Outcome:
    """The stems that were kept, how good they are, and what was done for them.

    engine, separator: those of most of the result. notes: what went otherwise than planned.
    """

    stems: Stems
    quality: Quality
    engine: EngineFacts
    separator: Separator
    attempts: tuple[Attempt, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Piece:
    span: Span
    stems: Stems
    quality: Quality
    notes: tuple[str, ...]


def carry_out(
    plan: Plan,
    track: Recording,
    separator_of: Callable[[EngineFacts], Separator],
    judge: Judge,
    retry_below_db: float,
    instrumental: Instrumental,
    into: Path,
    progress: Progress,
) -> Outcome:
    """Separate the track by the plan's engines in turn; stems and what they were made of lie below `into`.

    The first engine that does not fail separates all of it. While the vocals of the whole are below retry_below_db,
    the next one separates the windows in which they are, each with one more on both sides for context, and those
    that came out better take the others' place. Of a track that is taken for an instrumental, none is that costs
    something. Raises AudioError where no engine can do it.
    """
    attempts = [
        Attempt(step.engine.name, step.engine.model, step.reason, "left out") for step in plan.left_out
    ]
    best: Outcome | None = None
    why = ""
    for number, step in enumerate(plan.steps):
        weak = [Span(0, track.frames)] if best is None else _weak_windows(best.quality, track, retry_below_db)
        if not weak:
            break
        if best is not None and step.engine.cost_minutes > 0:
            nothing_to_buy = _nothing_to_buy(best, track, instrumental)
            if nothing_to_buy is not None:
                attempts.append(
                    Attempt(step.engine.name, step.engine.model, f"{why}{nothing_to_buy}", "left out")
                )
                continue
        separator = separator_of(step.engine)
        spans = weak if best is None else _with_context(weak, track)
        folder = into / f"{number}-{step.engine.name}"
        folder.mkdir()
        reason = f"{why}{step.reason}"
        began = time.perf_counter()
        try:
            pieces = [
                _separated(separator, track, span, folder / str(index), judge, _part(progress, index, spans))
                for index, span in enumerate(spans)
            ]
        except DestinationError:
            raise
        except AudioError as error:
            told = " ".join(str(error).split())
            seconds = round(time.perf_counter() - began, 3)
            attempts.append(Attempt(step.engine.name, step.engine.model, reason, f"failed: {told}", seconds))
            why = f"{step.engine.label} failed; {why}"
            continue
        if best is None:
            kept, outcome = weak, f"all kept{_level(pieces)}"
            best = Outcome(pieces[0].stems, pieces[0].quality, step.engine, separator, (), pieces[0].notes)
        else:
            kept = _better(weak, best.quality, pieces, track)
            outcome = f"better in {len(kept)} of {len(weak)} windows"
            if kept:
                best = _spliced(best, pieces, kept, track, judge, folder, step, separator)
        attempts.append(
            Attempt(
                step.engine.name,
                step.engine.model,
                reason,
                outcome,
                round(time.perf_counter() - began, 3),
                round(step.engine.cost_minutes * _share(spans, track), 3),
                _in_seconds(spans, track),
                _in_seconds(kept, track),
                pieces[0].quality if len(pieces) == 1 else None,
            )
        )
        why = _why(best.quality, retry_below_db)
    if best is None:
        failed = [f"{a.engine}: {a.outcome if a.outcome != 'left out' else a.reason}" for a in attempts]
        reasons = "; ".join(failed) or "none gives so many stems"
        raise AudioError(f"no engine could separate the track ({reasons})")
    return Outcome(
        best.stems,
        best.quality,
        best.engine,
        best.separator,
        tuple(attempts),
        tuple(dict.fromkeys(best.notes)),
    )


def _separated(
    separator: Separator, track: Recording, span: Span, folder: Path, judge: Judge, progress: Progress
) -> _Piece:
    folder.mkdir()
    whole = span == Span(0, track.frames)
    part = track if whole else cut_out(track, span, folder / "part.wav")
    stems = separator.separate(part, folder, progress)
    return _Piece(span, stems, judge(part, stems, span), separator.notes)


def _spliced(
    best: Outcome,
    pieces: Sequence[_Piece],
    kept: Sequence[Span],
    track: Recording,
    judge: Judge,
    folder: Path,
    step: Step,
    separator: Separator,
) -> Outcome:
    into = folder / "spliced"
    into.mkdir()
    stems = splice(track, best.stems, [(piece.span, piece.stems) for piece in pieces], kept, into)
    quality = judge(track, stems, Span(0, track.frames))
    notes = (*best.notes, *(note for piece in pieces for note in piece.notes))
    if _share(kept, track) > 0.5:
        return Outcome(stems, quality, step.engine, separator, (), notes)
    return Outcome(stems, quality, best.engine, best.separator, (), notes)


def _weak_windows(quality: Quality, track: Recording, retry_below_db: float) -> list[Span]:
    """Windows whose vocals are below retry_below_db, where those of the whole are."""
    vocals = quality.get("vocals")
    if vocals is None or not vocals.si_sdr_db < retry_below_db:
        return []
    return [
        _span(window.start_s, window.stop_s, track)
        for window in vocals.windows
        if window.si_sdr_db < retry_below_db
    ]


def _nothing_to_buy(best: Outcome, track: Recording, instrumental: Instrumental) -> str | None:
    """Why no further engine is paid for the track, if it is taken for an instrumental."""
    vocals = best.quality["vocals"]
    levels = levels_in_windows(best.stems["vocals"], track, vocals.windows)
    if not instrumental.holds(vocals, levels):
        return None
    best_db = max(window.si_sdr_db for window in vocals.windows)
    return (
        f"taken for an instrumental, so nothing is paid: no window's vocals are louder than {max(levels):.1f} dB "
        f"against the track or predicted better than {best_db:.1f} dB"
    )


def _better(weak: Sequence[Span], quality: Quality, pieces: Sequence[_Piece], track: Recording) -> list[Span]:
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


def _with_context(weak: Sequence[Span], track: Recording) -> list[Span]:
    spans = spans_around(weak, round(WINDOW_SECONDS * track.sample_rate), track.frames)
    return spans if _share(spans, track) < _MOSTLY else [Span(0, track.frames)]


def _span(start_s: float, stop_s: float, track: Recording) -> Span:
    return Span(round(start_s * track.sample_rate), round(stop_s * track.sample_rate))


def _share(spans: Iterable[Span], track: Recording) -> float:
    return sum(span.stop - span.start for span in spans) / max(1, track.frames)


def _in_seconds(spans: Iterable[Span], track: Recording) -> tuple[tuple[float, float], ...]:
    rate = track.sample_rate
    return tuple((round(span.start / rate, 3), round(span.stop / rate, 3)) for span in spans)


def _level(pieces: Sequence[_Piece]) -> str:
    vocals = pieces[0].quality.get("vocals")
    if vocals is None or not vocals.windows:
        return ""
    return f", vocals {vocals.kind} at {vocals.si_sdr_db:.1f} dB"


def _why(quality: Quality, retry_below_db: float) -> str:
    """Why there is another attempt, if there is one."""
    vocals = quality.get("vocals")
    return f"vocals {vocals.kind} at {vocals.si_sdr_db:.1f} dB, under {retry_below_db:g}; " if vocals else ""


def _part(progress: Progress, index: int, spans: Sequence[Span]) -> Progress:
    return lambda part: progress((index + part) / len(spans))
