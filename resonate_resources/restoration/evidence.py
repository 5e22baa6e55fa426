"""What can be heard of a few seconds before and after a step without knowing the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Samples
from resonate_resources.restoration.partials import RATE, find_partials
from resonate_resources.signal.band_levels import ratio_bands
from resonate_resources.signal.bandwidth import LineLevels, find_upper_edge
from resonate_resources.signal.onsets import onset_strength
from resonate_resources.signal.shimmer import measure_shimmer, spectrum_size
from resonate_resources.signal.spectral_holes import measure_holes

Floats = npt.NDArray[np.float64]
Power = npt.NDArray[np.float32]

Measure = Literal[
    "floor_db",
    "hum_db",
    "rumble_db",
    "rough_db",
    "clipped_permille",
    "spikes_db",
    "sibilance_db",
    "reverb_db",
    "wow_cents",
    "dull_octaves",
    "shimmer",
    "holes",
    "lost_onsets_db",
    "lost_quiet_db",
    "moved_loud_db",
    "moved_floor_db",
    "taken_lines_db",
    "outside_db",
]
"""All the worse the higher.

floor_db: mean over lines of what they fall back to (10th percentile), against a full-scale sine. hum_db: of the
first six multiples of 50 or 60 Hz, over what lies beside them. rumble_db: under 40 Hz. clipped_permille:
samples within 2 % of the highest of their channel. spikes_db: how far steady lines stand over those beside
them. sibilance_db: the loudest twentieth of 5 to 10 kHz over the mean of 1 to 5 kHz. reverb_db: how slowly
octaves fall, in dB a spectrum, negative. wow_cents: how far the pitch of partials of 0.4 s and more
moves about its mean, root mean square, median. dull_octaves: between the highest frequency with content and
20 kHz. shimmer, holes: see `signal.shimmer`, `signal.spectral_holes`. rough_db: second differences where a step
has changed few samples. And of after against before: by how much onsets rise less; notes 20 to 32 dB over the
floor are softer; what is loud, and none of its business, has moved, either way (moved_floor_db, where nothing
stands 20 dB out of the floor); taken_lines_db: by how much the arithmetic mean of the lines of what was taken
lies over their geometric mean, in spectra of 1.5 s; outside_db: the change in bands a step has no business in,
against what is there."""

SPOKEN: dict[Measure, str] = {
    "floor_db": "the noise between notes",
    "hum_db": "the hum",
    "rumble_db": "the rumble",
    "rough_db": "clicks",
    "clipped_permille": "clipping",
    "spikes_db": "steady lines",
    "sibilance_db": "sibilance",
    "reverb_db": "the room's sound",
    "wow_cents": "wow and flutter",
    "dull_octaves": "the lack of highs",
    "shimmer": "shimmer",
    "holes": "holes in the spectrum",
    "lost_onsets_db": "the loss of attacks",
    "lost_quiet_db": "the loss of quiet notes",
    "moved_loud_db": "the change of what is loud",
    "moved_floor_db": "the change of what never rests",
    "taken_lines_db": "tones in what was taken",
    "outside_db": "the change beyond its band",
}
"""As people say it."""

_LOWEST_DB = -100.0
_LOWEST_FLOOR_DB = -115.0  # of a line: −82 dBFS of them all together are not heard
_LOW, _HIGH = 10, 95  # per cent of the time, as in signal.bandwidth
_BESIDE, _STEADY_S, _SPIKE_DB = 31, 1.5, 6.0  # lines; of spikes that are steady
_HEARD_DB = -60.0  # against the whole: of what is softer, no shimmer and no holes are told
_HUM_HZ, _HARMONICS = (50.0, 60.0), 6
_QUIET_DB = 20.0, 32.0  # over the floor: noise is by 17, one time in twenty
_TOP, _FEW = 0.98, 0.3  # of the highest sample; of all samples
_LOUD_DB = 20.0  # under the loudest line
_FEWEST_CELLS, _LINES = 100, 64
_TOP_HZ = 20_000.0
_WOW, _HELD_S = (2048, 512), 0.4  # window and hop; partials that are shorter tell nothing


@dataclass(frozen=True)
class Spectra:
    """power: (spectra, lines), mean of the channels, squared amplitudes of a full-scale sine's; of Hann windows
    as long as `signal.shimmer.spectrum_size` says, a quarter of that apart."""

    power: Power
    sample_rate: int

    @classmethod
    def of(cls, samples: Samples, sample_rate: int) -> Spectra:
        """Of (channels, frames); what is shorter than a window is padded."""
        from scipy.fft import rfft

        size = spectrum_size(sample_rate)
        window = (np.hanning(size + 1)[:-1] * (4 / size)).astype(np.float32)
        padded = np.pad(samples, ((0, 0), (0, max(0, size - samples.shape[1]))))
        frames = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)[:, :: size // 4]
        power = np.zeros((frames.shape[1], size // 2 + 1), np.float32)
        for channel in frames:
            spectrum = rfft(channel * window)
            power += spectrum.real**2 + spectrum.imag**2
        return cls(power / np.float32(len(samples)), sample_rate)

    def lines(self, low_hz: float, high_hz: float) -> slice:
        """Those of a band, one at least."""
        step = self.sample_rate / 2 / (self.power.shape[1] - 1)
        first = min(round(low_hz / step), self.power.shape[1] - 1)
        return slice(first, max(first + 1, round(high_hz / step)))

    def quantile(self, percent: float) -> Floats:
        return np.asarray(np.percentile(self.power, percent, axis=0), np.float64)


def measured(samples: Samples, spectra: Spectra) -> dict[Measure, float]:
    """Of one side alone; what the rate, or too little sound, has no measure of, is left out."""
    rate = spectra.sample_rate
    low, high = spectra.quantile(_LOW), spectra.quantile(_HIGH)
    found: dict[Measure, float] = {
        "floor_db": float(_db(low[spectra.lines(100, 0.9 * rate / 2)], _LOWEST_FLOOR_DB).mean()),
        "rumble_db": float(_db(spectra.power[:, 1 : spectra.lines(0, 40).stop].mean())),
        "spikes_db": _spikes(samples, rate),
        "reverb_db": _reverb(spectra),
        "dull_octaves": _dull(low, high, spectra),
        "clipped_permille": _clipped(samples),
    }
    hum = _hum(samples, rate)
    if hum is not None:
        found["hum_db"] = hum
    if rate >= 20_000:
        sibilance = np.percentile(spectra.power[:, spectra.lines(5000, 10_000)].sum(axis=1), _HIGH)
        voice = spectra.power[:, spectra.lines(1000, 5000)].sum(axis=1).mean()
        found["sibilance_db"] = float(_db(sibilance) - _db(voice))
    whole = float(spectra.power.sum(dtype=np.float64))
    if spectra.power[:, spectra.lines(5000, 10_000)].sum(dtype=np.float64) < whole * 10 ** (_HEARD_DB / 10):
        return found
    shimmer = measure_shimmer(spectra.power, rate)
    if shimmer.band > 0:
        found["shimmer"] = shimmer.index
    holes = measure_holes(spectra.power, rate)
    if holes is not None:
        found["holes"] = holes
    return found


def compared(before: Spectra, after: Spectra, outside: tuple[float, float] | None) -> dict[Measure, float]:
    """Of after against before. outside: the band in Hz beyond which it has no business, or None."""
    level, now = _db(before.power), _db(after.power)
    floor = _db(before.quantile(_LOW))
    moved = now - level
    loud = level > level.max() - _LOUD_DB
    stands = level > floor + _QUIET_DB[0]
    rests = (loud & stands).sum() >= _FEWEST_CELLS
    if rests:
        loud &= stands  # not the noise, where that is loud
    quiet = (level > floor + _QUIET_DB[0]) & (level < floor + _QUIET_DB[1]) & (level > _LOWEST_DB + 10)
    quiet[:, 1:-1] &= (level[:, 1:-1] > level[:, :-2]) & (level[:, 1:-1] >= level[:, 2:])
    found: dict[Measure, float] = {"lost_onsets_db": _lost_onsets(before, after)}
    if quiet.sum() >= _FEWEST_CELLS:
        found["lost_quiet_db"] = -float(np.median(moved[quiet]))
    if outside is not None:
        beyond = np.ones(before.power.shape[1], np.bool_)
        beyond[before.lines(*outside)] = False
        step = np.square(np.sqrt(after.power[:, beyond]) - np.sqrt(before.power[:, beyond])).sum()
        found["outside_db"] = float(_db(step) - _db(before.power[:, beyond].sum()))
        loud &= beyond
    if loud.any():
        found["moved_loud_db" if rests else "moved_floor_db"] = abs(float(np.median(moved[loud])))
    return found


def changes(
    before: Samples, after: Samples, sample_rate: int, outside: tuple[float, float] | None
) -> Mapping[Measure, tuple[float, float]]:
    """Measure → before and after of (channels, frames) each; of those that compare, 0 and how much."""
    was, now = Spectra.of(before, sample_rate), Spectra.of(after, sample_rate)
    first, second = measured(before, was), measured(after, now)
    found: dict[Measure, tuple[float, float]] = {
        name: (value, second[name]) for name, value in first.items() if name in second
    }
    rough = _rough(before, after)
    if rough is not None:
        found["rough_db"] = rough
    return found | {name: (0.0, value) for name, value in compared(was, now, outside).items()}


def _db(power: npt.ArrayLike, lowest: float = _LOWEST_DB) -> Floats:
    return np.asarray(10 * np.log10(np.maximum(power, 10 ** (lowest / 10))), np.float64)


def _spikes(samples: Samples, sample_rate: int) -> float:
    """By spectra of 1.5 s, whose lines only steady tones fill; mean over all lines of 1 kHz and more."""
    from scipy.fft import rfft
    from scipy.ndimage import median_filter

    size = 1 << round(np.log2(_STEADY_S * sample_rate))
    mono = samples.mean(axis=0)
    mono = np.pad(mono, (0, max(0, size - len(mono))))
    frames = np.lib.stride_tricks.sliding_window_view(mono, size)[:: size // 2]
    spectra = np.abs(rfft(frames * np.hanning(size + 1)[:-1].astype(np.float32))) * (4 / size)
    step = sample_rate / size
    lines = slice(round(1000 / step), round(min(_TOP_HZ, 0.97 * sample_rate / 2) / step))
    level = 2 * np.log10(np.maximum(spectra[:, lines], 1e-7)).mean(axis=0) * 10
    over = level - median_filter(level, 2 * _BESIDE + 1, mode="nearest")
    return float(np.where(over > _SPIKE_DB, over, 0.0).mean())


def _reverb(spectra: Spectra) -> float:
    """Mean fall of octaves, from one spectrum to the fourth after it, where they fall."""
    rate = spectra.sample_rate
    bands = ratio_bands(1, 125.0, min(8000.0, 0.4 * rate), rate, 2 * (spectra.power.shape[1] - 1))
    level = _db(spectra.power @ bands)
    if len(level) < 8:
        return 0.0
    step = level[4:] - level[:-4]
    falls = step[(step < -0.5) & (level[4:] > level.max(axis=0) - 60)]
    return float(falls.mean()) / 4 if falls.size else 0.0


def _dull(low: Floats, high: Floats, spectra: Spectra) -> float:
    mean = spectra.power.mean(axis=0)
    levels = LineLevels(_db(low), _db(high), _db(mean))
    upper = find_upper_edge(levels, spectra.sample_rate).upper_hz
    top = min(_TOP_HZ, spectra.sample_rate / 2)
    return float(np.log2(top / min(max(upper, 100.0), top)))


def _clipped(samples: Samples) -> float:
    level = np.abs(samples)
    return float(1000 * np.mean(level >= _TOP * np.maximum(level.max(axis=1, keepdims=True), 1e-6)))


def _rough(before: Samples, after: Samples) -> tuple[float, float] | None:
    """Of both, where they differ; None where they differ all over."""
    moved = (before != after).any(axis=0)[1:-1]
    if not 0 < moved.sum() < _FEW * len(moved):
        return None
    steps = (np.square(np.diff(each, 2, axis=1)[:, moved]).mean() for each in (before, after))
    was, now = (float(_db(each)) for each in steps)
    return was, now


def _hum(samples: Samples, sample_rate: int) -> float | None:
    """Lines of the whole stretch; None where it is shorter than 2 s."""
    if samples.shape[1] < 2 * sample_rate:
        return None
    mono = samples.mean(axis=0)
    factor = max(1, sample_rate // 1000)
    lowered = mono[: len(mono) // factor * factor].reshape(-1, factor).mean(axis=1)
    power = np.square(np.abs(np.fft.rfft(lowered * np.hanning(len(lowered)))))
    line_hz = sample_rate / factor / len(lowered)
    found = []
    for mains in _HUM_HZ:
        over = []
        for number in range(1, _HARMONICS + 1):
            at, reach = round(mains * number / line_hz), max(2, round(0.5 / line_hz))
            wide = round(8 / line_hz)
            own, beside = (
                power[at - reach : at + reach + 1].max(),
                np.median(power[at - wide : at + wide + 1]),
            )
            over.append(10 * np.log10((own + 1e-9) / (beside + 1e-9)))
        found.append(float(np.median(over)))
    return max(found)


def wow_cents(samples: Samples, sample_rate: int) -> float | None:
    """None where nothing holds a pitch. By itself, as it takes as long as all else."""
    import soxr

    mono = soxr.resample(samples.mean(axis=0), sample_rate, RATE)
    partials = find_partials(mono, *_WOW)
    if not partials.count:
        return None
    off = partials.cents - partials.mean(partials.cents)[partials.of]
    lengths = np.bincount(partials.of)
    spread = np.sqrt(partials.mean(off**2))[lengths * partials.hop_s >= _HELD_S]
    lengths = lengths[lengths * partials.hop_s >= _HELD_S]
    if not len(spread):
        return None
    order = np.argsort(spread)
    middle = np.searchsorted(np.cumsum(lengths[order]), lengths.sum() / 2)
    return float(spread[order][middle])


def taken_lines_db(before: Samples, after: Samples, sample_rate: int) -> float | None:
    """2.5 of noise, whose lines are exponentially distributed; 7 and more of pads and of distortion. Median over
    bands of 64 lines within 30 dB of the strongest. None of less than 1.5 s."""
    from scipy.fft import rfft

    size = 1 << round(np.log2(_STEADY_S * sample_rate))
    taken = (before - after).mean(axis=0)
    if len(taken) < size:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(taken, size)[:: size // 2]
    spectra = rfft(frames * np.hanning(size + 1)[:-1].astype(np.float32))
    first, last = round(100 * size / sample_rate), round(0.45 * size)
    power = np.square(np.abs(spectra[:, first:last])).astype(np.float64) + 1e-16
    power = power[:, : power.shape[1] // _LINES * _LINES].reshape(len(power), -1, _LINES)
    mean = power.mean(axis=2)
    over = 10 * np.log10(mean) - 10 * np.log10(power).mean(axis=2)
    return float(np.median(over[mean > 1e-3 * mean.max()])) if mean.size and mean.max() > 1e-12 else None


def _lost_onsets(before: Spectra, after: Spectra) -> float:
    rate, size = before.sample_rate, 2 * (before.power.shape[1] - 1)
    bands = ratio_bands(1, 125.0, min(10_000.0, 0.45 * rate), rate, size)
    strengths = [
        onset_strength(_db(each.power @ bands).astype(np.float32), _LOWEST_DB + 40, gap=2)
        for each in (before, after)
    ]
    strong = strengths[0] >= np.quantile(strengths[0], 0.95)
    return float((strengths[0] - strengths[1])[strong].mean())
