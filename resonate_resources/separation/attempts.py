"""A plan carried out: engine after engine until the vocals are good enough, and of each window the best kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from resonate_resources.recordings.recording import AudioError, Progress, Recording, Stems
from resonate_resources.separation.choosing import (
    Kept,
    better_windows,
    first_kept,
    nothing_to_buy,
    share,
    spliced,
    weak_windows,
    with_context,
)
from resonate_resources.separation.quality import Instrumental
from resonate_resources.separation.router import EngineFacts, Plan, Step
from resonate_resources.separation.separator import Separator
from resonate_resources.separation.splicing import Span
from resonate_resources.separation.trying import Failure, Judge, Quality, try_engine


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

    @classmethod
    def left_out(cls, engine: EngineFacts, reason: str) -> Attempt:
        return cls(engine.name, engine.model, reason, "left out")


@dataclass(frozen=True)
class Outcome:
    """The stems that were kept, how good they are, and what was done for them.

    engine, separator: those of most of the result. notes: what went otherwise than planned.
    considered: the plan's steps, in its order, that the result would be the same by if all were done anew: carried
    out, or passed over for an instrumental. A step that failed may do better next time, and is not among them.
    satisfied: whether no window is left that one more engine would be tried on.
    """

    stems: Stems
    quality: Quality
    engine: EngineFacts
    separator: Separator
    attempts: tuple[Attempt, ...]
    notes: tuple[str, ...]
    considered: tuple[Step, ...]
    satisfied: bool


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
    attempts = [Attempt.left_out(step.engine, step.reason) for step in plan.left_out]
    considered: list[Step] = []
    best: Kept | None = None
    why = ""
    for number, step in enumerate(plan.steps):
        engine = step.engine
        weak = [Span(0, track.frames)] if best is None else weak_windows(best.quality, track, retry_below_db)
        if not weak:
            break
        if best is not None and engine.cost_minutes > 0:
            unpaid = nothing_to_buy(best, track, instrumental)
            if unpaid is not None:
                attempts.append(Attempt.left_out(engine, f"{why}{unpaid}"))
                considered.append(step)
                continue
        spans = weak if best is None else with_context(weak, track)
        folder = into / f"{number}-{engine.name}"
        folder.mkdir()
        reason = f"{why}{step.reason}"
        began = time.perf_counter()
        trial = try_engine(step, separator_of(engine), track, spans, folder, judge, progress)
        if isinstance(trial, Failure):
            seconds = round(time.perf_counter() - began, 3)
            attempts.append(Attempt(engine.name, engine.model, reason, f"failed: {trial.reason}", seconds))
            why = f"{engine.label} failed; {why}"
            continue
        considered.append(step)
        if best is None:
            best = first_kept(trial)
            kept, outcome = weak, f"all kept{_level(best.quality)}"
        else:
            kept = better_windows(weak, best.quality, trial.pieces, track)
            outcome = f"better in {len(kept)} of {len(weak)} windows"
            if kept:
                best = spliced(best, trial, kept, track, judge, folder / "spliced")
        attempts.append(
            Attempt(
                engine.name,
                engine.model,
                reason,
                outcome,
                round(time.perf_counter() - began, 3),
                round(engine.cost_minutes * share(spans, track), 3),
                _in_seconds(spans, track),
                _in_seconds(kept, track),
                trial.pieces[0].quality if len(trial.pieces) == 1 else None,
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
        tuple(considered),
        not weak_windows(best.quality, track, retry_below_db),
    )


def _in_seconds(spans: Iterable[Span], track: Recording) -> tuple[tuple[float, float], ...]:
    rate = track.sample_rate
    return tuple((round(span.start / rate, 3), round(span.stop / rate, 3)) for span in spans)


def _level(quality: Quality) -> str:
    vocals = quality.get("vocals")
    if vocals is None or not vocals.windows:
        return ""
    return f", vocals {vocals.kind} at {vocals.si_sdr_db:.1f} dB"


def _why(quality: Quality, retry_below_db: float) -> str:
    """Why there is another attempt, if there is one."""
    vocals = quality.get("vocals")
    return f"vocals {vocals.kind} at {vocals.si_sdr_db:.1f} dB, under {retry_below_db:g}; " if vocals else ""
