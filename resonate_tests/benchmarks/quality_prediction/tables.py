"""What predictions are worth beside the truth, as lines of Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from resonate_resources.separation.prediction.predictor import Predictor
from resonate_tests.benchmarks.quality_prediction.degradation import ENGINE_AS_IT_IS, KINDS, UNSEEN_KINDS
from resonate_tests.benchmarks.quality_prediction.examples import Examples
from resonate_tests.benchmarks.quality_prediction.fit import predictions, scored

THRESHOLD_DB = 7.0
"""Vocals below this are tried again by another engine."""
SINGER = "solo-voice"
"""Who of the judged voices does not speak: in $RESONATE_RECORDINGS."""
STEMS = ("vocals", "drums", "bass", "other", "piano", "guitar")

Floats = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Beside:
    """Predicted value and error bar, and the truth, of each of the rows."""

    rows: Examples
    value: Floats
    error: Floats
    truth: Floats

    @classmethod
    def of(cls, model: Predictor, examples: Examples, *, tracks: bool) -> Beside:
        return cls(scored(examples, tracks=tracks), *predictions(model, examples, tracks=tracks))

    @property
    def is_unseen(self) -> Chosen:
        return np.isin(self.rows.kind, UNSEEN_KINDS)

    @property
    def is_engine(self) -> Chosen:
        """Stems as a user gets them."""
        return np.isin(self.rows.kind, ENGINE_AS_IT_IS)


def by_stem(beside: Beside, part: Chosen) -> Iterator[str]:
    yield from _head("stem")
    for stem in STEMS:
        yield from _row(stem, beside, part & (beside.rows.stem == stem))
    yield from _row("all", beside, part)


def by_kind(beside: Beside) -> Iterator[str]:
    yield from _head("kind of error")
    for kind in KINDS:
        yield from _row(kind, beside, beside.rows.kind == kind)


def by_voice(beside: Beside, part: Chosen) -> Iterator[str]:
    yield from _head("voice")
    for who, own in _voices(beside.rows):
        vocals = beside.rows.stem == "vocals"
        yield from _row(f"{who}: vocals", beside, part & own & vocals)
        yield from _row(f"{who}: the other stems", beside, part & own & ~vocals)


def _voices(rows: Examples) -> Iterator[tuple[str, Chosen]]:
    synthesised, none = rows.voice == "synthesised", rows.voice == "none"
    real, resung = ~(synthesised | none), np.char.startswith(rows.voice, "resung ")
    yield "real", real
    yield "real, speaking", real & ~resung & (rows.voice != SINGER)
    yield "real, speakers made to sing", resung & (rows.company != SINGER)
    yield "real, a singer", rows.company == SINGER
    yield "synthesised", synthesised
    yield "nobody", none


def absent(model: Predictor, examples: Examples) -> Iterator[str]:
    """Of vocals stems of songs in which nobody sings, by window: all that is in them is wrong."""
    yield "| vocals where nobody sings | windows | median | under 0 dB | under 7 dB |"
    yield "|---|---|---|---|---|"
    wrong = (examples.voice == "none") & (examples.stem == "vocals") & (examples.window >= 0)
    for what, kinds in (("the embedded engine's stems", ENGINE_AS_IT_IS), ("all separations", KINDS)):
        value, _ = model.windows(examples[wrong & np.isin(examples.kind, kinds)].features.astype(np.float64))
        shares = " | ".join(f"{np.mean(value < db):.0%}" for db in (0, THRESHOLD_DB))
        yield f"| {what} | {len(value)} | {np.median(value):+.1f} dB | {shares} |"


def decisions(beside: Beside) -> Iterator[str]:
    rows, value, error, truth = beside.rows, beside.value, beside.error, beside.truth
    yield "| decision | right |"
    yield "|---|---|"
    right = (value < THRESHOLD_DB) == (truth < THRESHOLD_DB)
    for who, own in _voices(rows):
        vocals = own & (rows.stem == "vocals")
        if vocals.sum() < 3:
            continue
        far = vocals & (np.abs(truth - THRESHOLD_DB) > 3)
        sure = vocals & (np.abs(value - THRESHOLD_DB) > error)
        yield (
            f"| {who}: vocals under {THRESHOLD_DB:g} dB or not ({np.mean(truth[vocals] < THRESHOLD_DB):.0%} are) "
            f"| {np.mean(right[vocals]):.0%}; {np.mean(right[far]):.0%} where the truth is over 3 dB away from it, "
            f"{np.mean(right[sure]):.0%} where the prediction is over one bar away |"
        )
    for stem in (*STEMS[:4], "all"):
        pairs = np.array(list(_pairs(rows, stem)))
        truly, guessed = (side[pairs[:, 0]] - side[pairs[:, 1]] for side in (truth, value))
        shares = [
            f"{np.mean((truly * guessed > 0)[np.abs(truly) > least]):.0%} over {least} dB"
            for least in (0, 1, 3)
        ]
        yield f"| the better of two separations of a song, {stem} | {', '.join(shares)} apart |"


def _pairs(rows: Examples, stem: str) -> Iterator[tuple[int, int]]:
    """Two separations of one song into as many stems."""
    for song in np.unique(rows.song):
        for name in STEMS if stem == "all" else (stem,):
            for count in np.unique(rows.stems):
                own = (rows.song == song) & (rows.stem == name) & (rows.stems == count)
                yield from combinations(np.flatnonzero(own), 2)


def _head(first: str) -> Iterator[str]:
    yield f"| {first} | n | error bar | absolute error | bias | correlation | within 1 bar | within 2 |"
    yield "|---|---|---|---|---|---|---|---|"


def _row(label: str, beside: Beside, part: Chosen) -> Iterator[str]:
    """Means; bias is that of predicted minus true."""
    if part.sum() < 3:
        return
    value, error, truth = beside.value[part], beside.error[part], beside.truth[part]
    off = value - truth
    within = [f"{np.mean(np.abs(off) <= k * error):.0%}" for k in (1, 2)]
    correlation = np.corrcoef(value, truth)[0, 1] if truth.std() and value.std() else np.nan
    figures = [f"{error.mean():.1f} dB", f"{np.abs(off).mean():.1f} dB", f"{off.mean():+.1f} dB"]
    cells = [label, str(part.sum()), *figures, f"{correlation:.2f}", *within]
    yield f"| {' | '.join(cells)} |"
