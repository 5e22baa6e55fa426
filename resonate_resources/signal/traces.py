"""What microphones, generators, coders, converters and mains leave in a recording.

What each is in real recordings is told in docs/measurements.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from resonate_resources.recordings.recording import Recording, Samples
from resonate_resources.signal.bandwidth import Bandwidth, LineLevels, find_upper_edge, measure_line_levels
from resonate_resources.signal.flat_tops import FlatTopMeter
from resonate_resources.signal.mono import mono_blocks, overlapping_frames
from resonate_resources.signal.quiet import QuietMeter
from resonate_resources.signal.shimmer import Shimmer, measure_shimmer, spectrum_size
from resonate_resources.signal.steady_noise import over_steady_noise_db

Floats = npt.NDArray[np.float64]
Cut = Literal["none", "natural", "brick wall", "phone band"]

# LAME 3.100's low-pass by bit rate (kbit/s: Hz), and half of the usual sample rates.
_LAME_HZ = {64: 11_000, 80: 13_500, 96: 15_100, 112: 15_600, 128: 17_000, 160: 17_500, 192: 18_600,
            224: 19_400, 256: 19_700, 320: 20_500}  # fmt: skip
_RATES_HZ = (8000, 11_025, 16_000, 22_050, 24_000, 32_000)
_FITS = 0.025  # of the frequency
_PHONE_HZ, _PHONE_LOW_HZ = 4000.0, (60.0, 150.0)  # 300 to 3400 Hz, ITU-T G.712
_PHONE_DB = 20.0

_FINE = 31  # lines over which the spectrum's own shape is taken
_TOOTH_DB, _TEETH, _STAND = 6.0, 10, 0.8
_COMB_FROM_HZ = 1000.0
_IMAGE_HZ = (4000.0, 5512.5, 8000.0, 11_025.0, 12_000.0, 16_000.0)
_IMAGE_LINES, _IMAGE_LIKE = 250, 0.6

_HUM_RATE, _HUM_FRAME, _HUM_LINES = 1000, 4096, 1600  # up to 390 Hz
_MAINS_HZ, _HARMONICS, _HUMS, _HUM_DB, _ALONE_DB = (50, 60), 6, 3, 12.0, 6.0
_STEADY = 10  # per cent of the time: hum never rests

_SPANS, _SPAN_S = 12, 3.0
_SILENT = 1e-8


@dataclass(frozen=True)
class Comb:
    """Steady spectral lines at multiples of spacing_hz from 1 kHz on, height_db over what lies beside them: of
    transposed convolutions, which upsample."""

    spacing_hz: float
    teeth: int
    height_db: float


@dataclass(frozen=True)
class Hum:
    """Steady harmonics of mains_hz, together level_dbfs against a full-scale sine."""

    mains_hz: int
    level_dbfs: float


@dataclass(frozen=True)
class Traces:
    """cut: how the spectrum ends, at bandwidth_hz, the highest frequency with content; cut_fits: what usually cuts
    there. images_hz: half sample rates over which the spectrum is a mirror image of what lies below. shimmer: 0 to
    1, see `signal.shimmer`; None where there is no such band. dc: mean of each channel, full scale 1. flat_tops:
    clipped tops. rms_dbfs: of all channels. snr_db, noise_floor_dbfs: noise is no louder, see `signal.quiet`;
    over_steady_noise_db: all over what is as steady as noise. None of silence."""

    bandwidth_hz: float
    cut: Cut
    cut_fits: tuple[str, ...]
    comb: Comb | None
    images_hz: tuple[float, ...]
    shimmer: float | None
    hum: Hum | None
    dc: tuple[float, ...]
    flat_tops: int
    rms_dbfs: float | None
    snr_db: float | None
    noise_floor_dbfs: float | None
    over_steady_noise_db: float | None


def find_traces(track: Recording) -> Traces:
    """The track is read three times, and in spans for its shimmer. Memory: 13 kB a 2 s."""
    quiet, flat = QuietMeter(track.sample_rate), FlatTopMeter()
    sums, squares = np.zeros(track.channels), np.zeros(track.channels)

    def metered() -> Iterator[Samples]:
        for block in track.blocks():
            quiet.update(block)
            flat.update(block)
            sums.__iadd__(block.sum(axis=1, dtype=np.float64))
            squares.__iadd__(np.square(block, dtype=np.float64).sum(axis=1))
            yield block

    levels = measure_line_levels(metered(), track.sample_rate)
    width = find_upper_edge(levels, track.sample_rate)
    cut = cut_of(width, levels, track.sample_rate)
    one = levels if track.channels == 1 else _levels_of_mono(track)
    power = float(squares.mean()) / max(1, track.frames)
    return Traces(
        bandwidth_hz=width.upper_hz,
        cut=cut,
        cut_fits=cut_fits(width.upper_hz) if cut in ("brick wall", "phone band") else (),
        comb=find_comb(levels, width.upper_hz, track.sample_rate),
        images_hz=find_images(levels, width.upper_hz, track.sample_rate),
        shimmer=shimmer_of(track),
        hum=find_hum(track),
        dc=tuple((sums / max(1, track.frames)).tolist()),
        flat_tops=flat.count(),
        rms_dbfs=10 * math.log10(power) if power > 0 else None,
        snr_db=quiet.snr_db(),
        noise_floor_dbfs=quiet.floor_dbfs(),
        over_steady_noise_db=over_steady_noise_db(one, track.sample_rate),
    )


def _levels_of_mono(track: Recording) -> LineLevels:
    blocks = (block[None] for block in mono_blocks(track, track.sample_rate))
    return measure_line_levels(blocks, track.sample_rate)


def cut_of(width: Bandwidth, levels: LineLevels, sample_rate: int) -> Cut:
    line_hz = sample_rate / 2 / (len(levels.high_db) - 1)
    if width.upper_hz <= 0 or width.upper_hz >= sample_rate / 2 - line_hz:
        return "none"
    low = levels.high_db[math.ceil(_PHONE_LOW_HZ[0] / line_hz) : math.ceil(_PHONE_LOW_HZ[1] / line_hz)]
    above = levels.high_db[math.ceil(400 / line_hz) : math.ceil(1000 / line_hz)]
    if width.upper_hz <= _PHONE_HZ and above.mean() - low.mean() >= _PHONE_DB:
        return "phone band"
    return "brick wall" if width.brick_wall else "natural"


def cut_fits(upper_hz: float) -> tuple[str, ...]:
    """What usually cuts within 2.5 % of upper_hz, the nearest first."""
    known = {f"MP3 at {rate} kbit/s": float(hertz) for rate, hertz in _LAME_HZ.items()}
    known |= {f"a sample rate of {rate} Hz": rate / 2 for rate in _RATES_HZ} | {
        "AAC or MP3 at 128 kbit/s": 16_000.0
    }
    off = {name: abs(upper_hz / hertz - 1) for name, hertz in known.items()}
    return tuple(sorted((name for name in off if off[name] <= _FITS), key=lambda name: off[name]))


def find_comb(levels: LineLevels, upper_hz: float, sample_rate: int) -> Comb | None:
    """The spacing most of whose multiples, eight of ten and more, stand 6 dB over their surroundings in what the
    spectrum falls back to; None of fewer than ten teeth. Lines that music plays are no steady ones."""
    from scipy.ndimage import maximum_filter1d

    line_hz = sample_rate / 2 / (len(levels.low_db) - 1)
    fine = _fine(levels.low_db)
    first, last = math.ceil(_COMB_FROM_HZ / line_hz), int(min(upper_hz, sample_rate / 2) / line_hz) - 2
    if last - first < _TEETH * 8:
        return None
    near = maximum_filter1d(fine, 3)
    standing = near >= _TOOTH_DB
    usual = float(standing[first:last].mean())
    best: tuple[float, Comb | None] = 0.0, None
    for spacing in np.arange(8.0, (last - first) / (_TEETH - 1), 0.05).tolist():
        at = np.round(np.arange(math.ceil(first / spacing), int(last / spacing) + 1) * spacing).astype(int)
        stands = standing[at]
        height = float(near[at][stands].sum())
        if len(at) >= _TEETH and height > best[0] and stands.mean() >= max(_STAND, 2 * usual):
            best = height, Comb(spacing * line_hz, len(at), float(np.median(near[at])))
    return best[1]


def find_images(levels: LineLevels, upper_hz: float, sample_rate: int) -> tuple[float, ...]:
    """Half sample rates over which the fine structure of 3 kHz is that below, turned round (correlation ≥ 0.6)."""
    line_hz = sample_rate / 2 / (len(levels.high_db) - 1)
    fine = _fine(levels.high_db)
    found = []
    for hertz in _IMAGE_HZ:
        at = round(hertz / line_hz)
        reach = min(_IMAGE_LINES, len(fine) - 1 - at, at - 1)
        if hertz >= upper_hz or reach < _IMAGE_LINES // 2:
            continue
        below, above = fine[at - reach : at - 4][::-1], fine[at + 5 : at + reach + 1]
        if min(below.std(), above.std()) > 0 and np.corrcoef(below, above)[0, 1] >= _IMAGE_LIKE:
            found.append(hertz)
    return tuple(found)


def _fine(levels: Floats) -> Floats:
    from scipy.ndimage import median_filter

    return np.asarray(levels - median_filter(levels, _FINE), np.float64)


def shimmer_of(track: Recording) -> float | None:
    """The index over twelve spans of 3 s, evenly spread; of the whole where it is shorter."""
    from scipy.fft import rfft

    size = spectrum_size(track.sample_rate)
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    span = round(_SPAN_S * track.sample_rate)
    starts = np.linspace(0, max(0, track.frames - span), min(_SPANS, max(1, track.frames // span))).astype(
        int
    )
    peaks = band = 0.0
    for start in starts.tolist():
        mono = track.read(start, start + span).mean(axis=0)
        if len(mono) < 4 * size:
            continue
        frames = np.lib.stride_tricks.sliding_window_view(mono, size)[:: size // 4]
        found = measure_shimmer(np.square(np.abs(rfft(frames * window))), track.sample_rate)
        peaks, band = peaks + found.peaks, band + found.band
    return Shimmer(peaks, band).index if band > 0 else None


def find_hum(track: Recording) -> Hum | None:
    """The mains whose harmonics, three of six and more, stand 12 dB over what lies beside them for nine tenths of
    the time."""
    window = np.hanning(_HUM_FRAME + 1)[:-1].astype(np.float32)
    spectra = [
        np.abs(np.fft.rfft(frames * window)[:, :_HUM_LINES]).astype(np.float32)
        for frames in overlapping_frames(mono_blocks(track, _HUM_RATE), _HUM_FRAME, _HUM_FRAME // 2)
    ]
    whole = np.concatenate(spectra)[1:-1]  # the first and the last are half empty
    if len(whole) < 3:
        return None
    steady = np.square(np.percentile(whole, _STEADY, axis=0) * (4 / _HUM_FRAME)) + 1e-20
    line_hz = _HUM_RATE / _HUM_FRAME
    best = None
    for mains in _MAINS_HZ:
        total, places = 0.0, []
        for harmonic in range(1, _HARMONICS + 1):
            at, drift = round(mains * harmonic / line_hz), 1 + harmonic // 2  # mains drift by 0.5 %
            if at + 20 >= _HUM_LINES:
                continue
            top = at - drift + int(steady[at - drift : at + drift + 1].argmax())
            beside = float(np.median(steady[at - 20 : at + 21]))
            # A tone's line stands over its neighbours; a skirt of a note beside it falls on.
            stands = steady[top] >= max(steady[top - 1], steady[top + 1])
            # What repeats exactly, as loops do, has lines every 1 to 3 Hz, at those of the mains as elsewhere.
            others = np.delete(steady[at - 20 : at + 21], slice(20 - drift - 3, 20 + drift + 4))
            stands = stands and steady[top] >= others.max() * 10 ** (_ALONE_DB / 10)
            if stands and steady[top] > _SILENT**1.5 and steady[top] >= beside * 10 ** (_HUM_DB / 10):
                total += float(steady[top])
                places.append((top - 1) / harmonic)
                places.append((top + 1) / harmonic)
        lowest, highest = (max(places[::2], default=0.0), min(places[1::2], default=0.0))
        one_tone = lowest <= highest  # of which all are multiples, each to a line
        if len(places) >= 2 * _HUMS and one_tone and (best is None or total > best[1]):
            best = mains, total
    return None if best is None else Hum(best[0], float(10 * np.log10(best[1])))
