"""How the speed of a player wavered: the deviation of pitch that all partials share, whatever plays them.

A partial holds its pitch but for the player's speed: cents = its own pitch + the deviation of that moment. Both are
solved for at once by robust least squares (Godsill and Rayner, Digital Audio Restoration, 1998, ch. 8). That it is
the player's is told by solving for it again from parts of the partials that have nothing to do with each other:
low, middle and high ones; one voice's harmonics, and what is in no harmony with them. A vibrato is one voice's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording
from resonate_resources.restoration.partials import RATE, Bools, Floats, Partials, find_partials
from resonate_resources.signal.mono import mono_blocks

_STRETCH, _SHARED = (
    860 * 512,
    215 * 512,
)  # frames that are solved for at once: 40 s, 10 s of them with the next
_SCALES = {"wow": (2048, 512), "flutter": (1024, 256)}
"""Window and hop. At 10 Hz, a window of 93 ms hears three quarters of the deviation."""
BANDS_HZ = {"wow": (0.25, 4.0), "flutter": (4.0, 10.0)}
_TOLD_HZ = {"wow": (0.25, 1.5), "flutter": (4.0, 10.0)}
"""Where the deviation is told from music: most of any wow; notes and slides move faster."""

_ROUNDS = 5  # of reweighting
_SURE_CENTS = 1.5  # no pitch is surer, and the deviation moves within a window
_OUTLIER = 2.0  # standard deviations at which a weight is halved
_STIFF, _RIDGE = 1e-3, 1e-3  # in 1/cents²: of the second difference, of the deviation where no partial sounds
_ENOUGH = 30  # partials tell what they have in common
_SAME_CENTS, _SAME_SURE_CENTS, _SAME_FEWEST = 20.0, 2.0, 4
_FEWEST = 40  # observations in a stretch that can be solved for
_PARTS = 3  # bands with as much weight each
_GAIN_S, _GAIN_SMOOTH = 24.0, 5  # windows and lines of the spectra by which noise in the deviation is told


@dataclass(frozen=True)
class Deviation:
    """cents: by moment, hop_s apart, from the very start, those of BANDS_HZ only, noise turned down; 0 mean.

    agreement: the least correlation between what parts of the partials say, −1 to 1. independent: the part of the
    partials that are no harmonics of the leading series; together: the part of the time in which such are heard
    beside it; 0 to 1 both. depth_cents: root mean square of `cents`.
    """

    cents: Floats
    hop_s: float
    agreement: float
    independent: float
    together: float

    @property
    def depth_cents(self) -> float:
        return float(np.sqrt(np.square(self.cents).mean())) if len(self.cents) else 0.0


def find_deviations(recording: Recording) -> dict[str, Deviation]:
    """ "wow" and "flutter" → that deviation. One reading, in stretches."""
    solved = {name: _Solved() for name in _SCALES}
    for mono in _stretches(recording):
        for name, (size, hop) in _SCALES.items():
            solved[name].append(find_partials(mono, size, hop), _SHARED / hop)
    return {name: _told(solved[name], name, hop) for name, (_, hop) in _SCALES.items()}


def _stretches(recording: Recording) -> Iterator[npt.NDArray[np.float32]]:
    """Of _STRETCH, each with its last _SHARED in common with the next; the last one longer."""
    held = np.zeros(0, np.float32)
    for block in mono_blocks(recording, RATE):
        held = np.concatenate([held, block])
        while len(held) >= _STRETCH + _SHARED:
            yield held[:_STRETCH]
            held = held[_STRETCH - _SHARED :]
    yield held


class _Solved:
    """What stretches tell, their curves faded into each other; see `_solutions`."""

    def __init__(self) -> None:
        self.curves: Floats = np.zeros((_PARTS + 3, 0))
        self.heard: Bools = np.zeros((_PARTS + 3, 0), bool)
        self.observations, self.independent = 0, 0

    def append(self, partials: Partials, shared: float) -> None:
        curves, heard = _solutions(partials)
        both = min(round(shared), self.curves.shape[1], curves.shape[1])
        end = self.curves.shape[1] - both
        fade = np.linspace(0, 1, both)
        faded = (1 - fade) * self.curves[:, end:] + fade * curves[:, :both]
        self.curves = np.concatenate([self.curves[:, :end], faded, curves[:, both:]], axis=1)
        self.heard = np.concatenate([self.heard, heard[:, both:]], axis=1)
        self.observations += len(partials.at)
        self.independent += int((~partials.leading).sum())


def _solutions(partials: Partials) -> tuple[Floats, Bools]:
    """The deviation by all partials, by each of _PARTS bands, by those of the leading series and by all others; and
    which of them was heard when."""
    curves = np.zeros((_PARTS + 3, partials.spectra))
    heard = np.zeros(curves.shape, bool)
    if len(partials.at) < _FEWEST:
        return curves, heard
    curves[0], weights = _solved(partials)
    heard[0, partials.at] = True
    weight = np.bincount(partials.of, weights)
    order = np.argsort(partials.mean(partials.cents))
    band = np.empty(len(order), int)
    band[order] = np.minimum(np.cumsum(weight[order]) / weight.sum() * _PARTS, _PARTS - 1).astype(int)
    parts = [band[partials.of] == number for number in range(_PARTS)]
    for number, part in enumerate((*parts, partials.leading, ~partials.leading), 1):
        if part.sum() >= _FEWEST:
            curves[number], _ = _solved(partials.those(part))
            heard[number, partials.at[part]] = True
    return curves, heard


def _solved(partials: Partials) -> tuple[Floats, Floats]:
    """The deviation in cents by spectrum, and the weight that each observation had in it."""
    partials = _without_attacks(partials)
    turns = np.abs(np.diff(partials.cents, 2))[partials.of[2:] == partials.of[:-2]]
    whose = partials.of[2:][partials.of[2:] == partials.of[:-2]]
    # Of white noise of deviation 1, the second difference is 6 ** 0.5 · (2 / π) ** 0.5 in the mean.
    noise = np.bincount(whose, turns, partials.count) / np.bincount(whose, minlength=partials.count)
    spread = np.hypot(noise / np.sqrt(12 / np.pi), _SURE_CENTS)[partials.of]
    weights = 1 / spread**2
    expected, trust = np.zeros(partials.count), np.zeros(partials.count)
    for _ in range(_ROUNDS):
        deviation = _least_squares(partials, weights, expected, trust)
        rest = partials.cents - deviation[partials.at]
        total = np.asarray(np.bincount(partials.of, weights), np.float64)
        own = (np.bincount(partials.of, weights * rest) + trust * expected) / (total + trust)
        weights = 1 / spread**2 / (1 + ((rest - own[partials.of]) / spread / _OUTLIER) ** 2)
        expected, trust = _at_the_same_pitch(own, total)
    return deviation, weights


def _without_attacks(partials: Partials) -> Partials:
    """Less what partials do in common from their beginning on, as a plucked string falls."""
    first = np.searchsorted(partials.of, np.arange(partials.count))
    age = np.arange(len(partials.of)) - first[partials.of]
    steps, ages = np.diff(partials.cents), age[1:]
    reached = np.flatnonzero(np.bincount(age) >= _ENOUGH)
    path = [np.median(steps[ages == each]) for each in reached[1:]]
    fall = np.concatenate([[0.0], np.cumsum(path)])
    return replace(partials, cents=partials.cents - fall[np.minimum(age, len(path))])


def _at_the_same_pitch(own: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """What pitch a partial would have by those within _SAME_CENTS of it, in cents, and how much that counts, in
    1/cents²: instruments come back to their notes."""
    order = np.argsort(own)
    sums = np.cumsum(np.stack([np.ones(len(own)), weight, weight * own, weight * own**2])[:, order], axis=1)
    sums = np.pad(sums, ((0, 0), (1, 0)))
    low, high = (np.searchsorted(own[order], own + side * _SAME_CENTS) for side in (-1, 1))
    count, total, first, second = sums[:, high] - sums[:, low]
    total = np.maximum(total, 1e-12)
    mean = first / total
    spread = np.maximum(second / total - mean**2, _SAME_SURE_CENTS**2)
    return mean, np.where(count >= _SAME_FEWEST, 1 / spread, 0.0)


def _least_squares(partials: Partials, weights: Floats, expected: Floats, trust: Floats) -> Floats:
    """The deviation alone: each partial's own pitch, by itself and by what is expected of it, drops out of the
    equations."""
    from scipy.linalg import solveh_banded

    at, of, spectra = partials.at, partials.of, partials.spectra
    total = np.bincount(of, weights) + trust
    own = (np.bincount(of, weights * partials.cents) + trust * expected) / total
    right = np.bincount(at, weights * (partials.cents - own[of]), spectra)
    first = np.searchsorted(of, np.arange(partials.count))
    reach = int((np.diff(np.append(first, len(of)))).max())
    band = np.zeros((max(reach, 2) + 1, spectra))
    band[0] = np.bincount(at, weights, spectra) + _RIDGE + 6 * _STIFF
    band[1, :-1] = -4 * _STIFF
    band[2, :-2] = _STIFF
    for lag in range(reach):
        pairs = np.flatnonzero(of[: len(of) - lag] == of[lag:])
        both = -weights[pairs] * weights[pairs + lag] / total[of[pairs]]
        # A partial sounds without a gap, so its lag is that of the spectra.
        band[lag] += np.bincount(at[pairs], both, spectra)
    return np.asarray(solveh_banded(band, right, lower=True))


def _told(solved: _Solved, name: str, hop: int) -> Deviation:
    rate, (curves, heard) = RATE / hop, (solved.curves, solved.heard)
    independent = solved.independent / max(1, solved.observations)
    together = float((heard[-1] & heard[-2]).mean())
    if curves.shape[1] < 2 * rate / _TOLD_HZ[name][0]:
        return Deviation(np.zeros(curves.shape[1]), hop / RATE, 0.0, independent, together)
    told = _band_passed(curves, _TOLD_HZ[name], rate)
    agreement = min(
        _correlation(told[one], told[other], heard[one] & heard[other])
        for one, other in ((1, 2), (1, 3), (2, 3), (4, 5))
    )
    cents = _noise_turned_down(_band_passed(curves[: _PARTS + 1], BANDS_HZ[name], rate), rate)
    return Deviation(cents - cents.mean(), hop / RATE, agreement, independent, together)


def _band_passed(curves: Floats, band_hz: tuple[float, float], rate: float) -> Floats:
    from scipy.signal import butter, sosfiltfilt

    sections = butter(2, band_hz, "bandpass", fs=rate, output="sos")
    return np.asarray(sosfiltfilt(sections, curves, axis=1, padtype=None))


def _correlation(one: Floats, other: Floats, where: Bools) -> float:
    one, other = one[where], other[where]
    energy = float(np.sqrt(np.square(one).sum() * np.square(other).sum()))
    return float((one * other).sum()) / energy if energy > 0 else 0.0


def _noise_turned_down(curves: Floats, rate: float) -> Floats:
    """The first curve, by each line's part of it on which the others agree (Wiener's gain)."""
    size = 2 * round(_GAIN_S * rate / 2)
    window = np.sqrt(np.hanning(size + 1)[:-1])
    frames = curves.shape[1]
    padded = np.pad(curves, ((0, 0), (size // 2, size)))
    made = np.zeros(padded.shape[1])
    kernel = np.hanning(_GAIN_SMOOTH + 2)[1:-1]
    for start in range(0, frames + size // 2, size // 2):
        spectra = np.fft.rfft(padded[:, start : start + size] * window)
        every, *parts = spectra
        shared = sum((one * other.conj()).real for at, one in enumerate(parts) for other in parts[:at]) / (
            len(parts) * (len(parts) - 1) / 2
        )
        shared, whole = (np.convolve(each, kernel, "same") for each in (shared, np.abs(every) ** 2))
        gain = np.clip(shared / np.maximum(whole, 1e-9), 0, 1)
        made[start : start + size] += np.fft.irfft(gain * every, size) * window
    return made[size // 2 : size // 2 + frames]
