"""Acceptance: whether what was made of a track may be handed on, and if not, why.

Pure predicates over what manifests tell, shared by the checks, the catalogue and `resonate status`, so that all say
the same. What has to be read from files to be judged does not belong here: see `checks`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from resonate_resources.quality.scales import ACCEPTED, GATES, MATCHED

Measures = Mapping[str, float | int | str | bool]
"""Of one stage, as its manifest tells them."""

LEAST_QUALITY_DB = 0.0
"""Of a stem: below it there is more of everything else in it than of itself."""
FAINT_DB = -14.0
"""A stem that is fainter than this against all of them may be leakage alone: its quality says nothing."""
MOST_LIMITING_DB = 6.0
"""Taken off peaks: more is heard as pumping and dullness, unless a brief allowed it."""

UNJUDGED = "too short or too silent to be judged"
"""Of a master without integrated loudness, which takes 400 ms over −70 LUFS (ITU-R BS.1770-5): what scores compare
there is nothing, of which any two are alike."""

CRITERIA = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
"""Another text where another verdict, or other words for it, may come of the same measures."""


@dataclass(frozen=True)
class Acceptance:
    """accepted: None as long as there is no master with its scores, or where it can't be judged. reasons: what is
    wrong, the worst first, or why it can't."""

    accepted: bool | None
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.accepted is None:
            return f"not judged: {'; '.join(self.reasons)}" if self.reasons else "not judged yet"
        return "accepted" if self.accepted else f"not accepted: {'; '.join(self.reasons)}"


def judge(made: Mapping[str, Measures]) -> tuple[bool | None, str]:
    """`acceptance` as the catalogue has it: whether a track is accepted, and its reasons in one line."""
    verdict = acceptance(made)
    return verdict.accepted, "; ".join(verdict.reasons)


def acceptance(made: Mapping[str, Measures]) -> Acceptance:
    """The verdict on a track. made: stage → measures of what is current.

    `{stage: each.measures for stage, each in current_of(url, [track])[track].items()}` gives them. Reasons of a
    track that is not finished are told as soon as they are known.
    """
    if "master" in made and not has_loudness(made["master"]):
        return Acceptance(None, (UNJUDGED,))
    judges = {"qc_scores": _low_score, "stems": _poor_stems, "master": _hard_limiting}
    reasons = tuple(
        reason for stage, judge in judges.items() if stage in made for reason in judge(made[stage])
    )
    if reasons:
        return Acceptance(False, reasons)
    return Acceptance(True if "qc_scores" in made else None)


def poor_stems(stems: Measures) -> dict[str, float]:
    """Stem → its quality in dB, measured or predicted, of those that are poor, the poorest first.

    Fainter ones than FAINT_DB against the sum of all powers are left out.
    """
    levels = {
        name.removesuffix("_level_dbfs"): number(value)
        for name, value in stems.items()
        if name.endswith("_level_dbfs")
    }
    whole = sum(10 ** (level / 10) for level in levels.values())
    found: dict[str, float] = {}
    for stem, level in levels.items():
        quality = quality_of(stems, stem)
        if quality is None or whole == 0.0:
            continue
        if 10 ** (level / 10) >= whole * 10 ** (FAINT_DB / 10) and quality < LEAST_QUALITY_DB:
            found[stem] = quality
    return dict(sorted(found.items(), key=lambda each: each[1]))


def quality_of(stems: Measures, stem: str) -> float | None:
    """Quality of a stem in dB, measured where the truth is known, else predicted; None where it holds no sound."""
    for called in ("si_sdr", "predicted_quality"):
        if (value := stems.get(f"{stem}_{called}_db")) is not None:
            return number(value)
    return None


def has_loudness(master: Measures) -> bool:
    return math.isfinite(number(master.get("loudness_lufs", 0.0)))


def limits_gently(master: Measures) -> bool:
    return round(number(master.get("limiting_db", 0.0)), 1) <= round(
        most_limiting_db(master), 1
    )  # as it is told


def most_limiting_db(master: Measures) -> float:
    """What may be taken off a master's peaks: what the brief allowed, which may be more than without a word."""
    return max(MOST_LIMITING_DB, number(master.get("limiting_allowed_db", MOST_LIMITING_DB)))


def scores_enough(qc_scores: Measures) -> bool:
    """Whether the master has enough in common with the original, and lacks nothing. Scores of before there was a
    verdict are judged by their total."""
    return bool(qc_scores.get("master_accepted", number(qc_scores["master_total"]) >= ACCEPTED))


def lacking(qc_scores: Measures) -> str | None:
    """The dimension that is under what each must have, and its score; None where there is none."""
    lowest = str(qc_scores.get("master_lowest"))
    value = number(qc_scores.get(f"master_{lowest}", 100.0))
    if value >= GATES["master"]:
        return None
    return f"{lowest.replace('_', ' ')} scores {_down(value)} of 100, under {GATES['master']:g}"


def score(qc_scores: Measures) -> str:
    """The master's score, rounded down: 84.96 is not told as the 85 that would be enough."""
    return _down(number(qc_scores["master_total"]))


def rebuilt_told(qc_scores: Measures) -> str | None:
    """How like the original the rebuilt track is, in words; None where that was not judged."""
    if "regenerated_total" not in qc_scores:
        return None
    total = number(qc_scores["regenerated_total"])
    verdict = likeness(total, bool(qc_scores.get("regenerated_accepted", False)))
    return f"scores {_down(total)} of 100: {verdict}"


def likeness(total: float, accepted: bool) -> str:
    """What a rebuilt track of that score is called."""
    if not accepted:
        return "a likeness, not accepted"
    return "matched" if total >= MATCHED else "accepted"


def _down(value: float) -> str:
    return f"{math.floor(value * 10) / 10:.1f}"


def number(value: float | int | str | bool) -> float:
    """A measure as a number: manifests keep infinities as text."""
    return float(value)


def _low_score(qc_scores: Measures) -> Iterator[str]:
    if not scores_enough(qc_scores):
        yield lacking(qc_scores) or f"scores {score(qc_scores)} of 100, under {ACCEPTED:g}"


def _poor_stems(stems: Measures) -> Iterator[str]:
    for stem, quality in poor_stems(stems).items():
        kind = "measured" if f"{stem}_si_sdr_db" in stems else "predicted"
        yield f"poor {stem} ({kind} at {quality:.1f} dB)"


def _hard_limiting(master: Measures) -> Iterator[str]:
    if not limits_gently(master):
        yield f"limited by {number(master['limiting_db']):.1f} dB, over {most_limiting_db(master):g}"
