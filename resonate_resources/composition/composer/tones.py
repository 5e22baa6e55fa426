"""Which chord sounds when, and which tones fit it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cache

from resonate_resources.composition.composer.harmony import Span
from resonate_resources.composition.composer.numerals import Harmony, KeyOf


def at(spans: Sequence[Span], onset: float) -> Span:
    return spans[bisect_right(spans, onset + 1e-9, key=lambda span: span.onset) - 1]


def next_after(spans: Sequence[Span], span: Span) -> Span:
    """The next chord; of the last, itself."""
    return spans[min(bisect_right(spans, span.onset, key=lambda other: other.onset), len(spans) - 1)]


@cache
def scale_over(harmony: Harmony, key: KeyOf) -> frozenset[int]:
    """Pitch classes: the chord's tones, and those of the key that don't rub against a tone foreign to it."""
    foreign = set(harmony.classes) - set(key.scale)
    kept = {c for c in key.scale if not any((c - other) % 12 in (1, 11) for other in foreign)}
    return frozenset(kept | set(harmony.classes))
