"""What speaks for a section to begin with a bar: bars before differ from those that follow (novelty, by Fisher's
criterion), what repeats changes (Serrà et al., "Unsupervised detection of music boundaries by time series structure
features", AAAI 2012), a repetition begins, and the bar before ends in a fill.

Where sections begin does not belong here: `form` decides it, as their lengths tell, too.
"""

from __future__ import annotations

import numpy as np

from resonate_resources.analysis.likeness import Bars, Floats, Likeness, harmony_likeness_of

_RUN = 4  # bars that a repetition is heard over
_LEAST_LAG = 3  # bars: what repeats sooner is a riff
_AROUND = 4  # bars on either side that a fill stands out from

NAMES = (
    "levels, 2 bars", "timbre, 1 bar", "timbre, 2 bars", "timbre, 8 bars", "distance of levels", "fill",
    "change of what repeats", "repetition begins", "harmony repeats", "1 bar from an end", "2 bars from an end",
)  # fmt: skip
WEIGHTS = np.array([1.63, 0.76, 1.22, -1.35, -2.29, 2.23, 2.25, 1.91, 3.92, -13.08, -9.66])
CONSTANT = -8.92
"""Log-odds for each of NAMES, and of a bar of which nothing is known. Fitted
(`resonate_tests/benchmarks/fit_form.py`)."""


def log_odds(bars: Bars, likeness: Likeness) -> Floats:
    """(bars,): that a section begins with a bar, for the first one too. likeness: of `likeness_of`."""
    return np.asarray(described(bars, likeness) @ WEIGHTS + CONSTANT, np.float64)


def described(bars: Bars, likeness: Likeness) -> Floats:
    """(bars, features): NAMES of each bar against those before it."""
    levels, tone = bars.levels(), bars.tone()
    place = np.arange(len(bars))
    from_end = np.minimum(place, len(bars) - place)
    columns = (
        _novelty(levels, 2, 0.12), *(_novelty(tone, side, 0.3) for side in (1, 2, 8)), _distance(levels, 2),
        _fill(bars.parts()), _structure(likeness), _repetition_begins(likeness),
        _repetition_begins(harmony_likeness_of(bars)), from_end <= 1, from_end <= 2,
    )  # fmt: skip
    return np.stack([np.asarray(column, np.float64) for column in columns], axis=1)


def _novelty(features: Floats, side: int, noise: float) -> Floats:
    """(bars,): distance of the means of so many bars on either side, over the deviation within them and noise."""
    found = np.zeros(len(features))
    for bar in range(1, len(features)):
        before, behind = features[max(0, bar - side) : bar], features[bar : bar + side]
        between = np.linalg.norm(before.mean(axis=0) - behind.mean(axis=0))
        within = np.sqrt((before.var(axis=0).sum() + behind.var(axis=0).sum()) / 2)
        found[bar] = between / (within + noise)
    return found


def _distance(features: Floats, side: int) -> Floats:
    """(bars,): of the means of so many bars on either side."""
    found = np.zeros(len(features))
    for bar in range(1, len(features)):
        means = (
            part.mean(axis=0) for part in (features[max(0, bar - side) : bar], features[bar : bar + side])
        )
        found[bar] = np.linalg.norm(np.subtract(*means))
    return found


def _fill(parts: Floats) -> Floats:
    """(bars,): by how much the second half of the bar before differs from that of the bars around, in nats over
    what those differ among themselves."""
    halves = parts[:, parts.shape[1] // 2 :]
    found = np.zeros(len(parts))
    for bar in range(1, len(parts)):
        first = max(0, bar - 1 - _AROUND)
        others = np.delete(halves[first : bar + _AROUND], bar - 1 - first, axis=0)
        if len(others) > 1:
            usual = np.median(others, axis=0)
            own, theirs = (np.abs(heard - usual).mean() for heard in (halves[bar - 1], others))
            found[bar] = np.log((own + 0.03) / (theirs + 0.03))
    return found


def _structure(likeness: Likeness) -> Floats:
    """(bars,): how much what repeats changes with a bar; about 1 where a repetition begins or ends."""
    count = len(likeness)
    found = np.zeros(count)
    if count < 4:
        return found
    sums = np.concatenate([np.zeros((1, likeness.shape[1])), np.cumsum(likeness, axis=0, dtype=np.float64)])
    for bar in range(2, count - 1):
        side = min(2, bar, count - bar)
        found[bar] = np.linalg.norm(sums[bar + side] - 2 * sums[bar] + sums[bar - side]) / side
    return np.asarray(found / max(float(np.percentile(found, 95)), 0.3), np.float64)


def _repetition_begins(likeness: Likeness) -> Floats:
    """(bars,): how much more a bar and the three that follow are like others in a row than the four before it are
    like those before them; the most of all rows, earlier and later."""
    count = len(likeness)
    found = np.zeros(count)
    bars = np.arange(count)
    after, before = np.minimum(bars + _RUN, count), np.maximum(bars - _RUN, 0)
    for lag in range(_LEAST_LAG, likeness.shape[1] + 1):
        sums = np.concatenate([[0.0], np.cumsum(likeness[:, lag - 1], dtype=np.float64)])
        more = (sums[after] - sums[bars]) / (after - bars) - (sums[bars] - sums[before]) / np.maximum(
            bars - before, 1
        )
        more = more[lag : count - 1]  # rows of two bars and more, whose others are there
        found[lag : count - 1] = np.maximum(found[lag : count - 1], more)
        found[: len(more)] = np.maximum(found[: len(more)], more)
    return found
