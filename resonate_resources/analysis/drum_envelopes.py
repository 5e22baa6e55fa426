"""How each drum of a drum stem begins and dies away: attack and decay by drum.

Each drum is heard in the band in which it is loud, stroke by stroke, where no other drum that sounds there,
too, is struck with it, and until one is. A drum that is struck holds nothing: sustain and release are None.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from resonate_resources.analysis.envelopes import Envelope
from resonate_resources.recordings.recording import Recording
from resonate_resources.signal.drum_network import DRUMS, FRAMES_PER_S, HOP, SAMPLE_RATE, hear_strokes
from resonate_resources.signal.mono import Mono, mono_blocks

Floats = npt.NDArray[np.float64]
Points = npt.NDArray[np.intp]

POINTS = 7  # of the level, in each of the 10 ms in which strokes are told
RATE = POINTS * FRAMES_PER_S
"""Hz of the levels."""
_SAMPLES = HOP // POINTS  # in a point
_EARLY_S, _LATE_S = (
    0.02,
    0.05,
)  # of a stroke's peak, from where the network hears it: it is right within 10 ms
_BEFORE_S, _LONGEST_S = 0.06, 3.0
_FALL_DB = 20.0  # as in Envelope.decay_s
_ENOUGH_FALL_DB = 10.0  # what falls less before it is cut off does not tell how fast
_TOGETHER = 5  # frames: two drums that are struck so near each other are not told apart
_STRAIGHT_DB = 2.0  # what falls with a larger standard deviation from a line falls in none
_RISE_DB = 10.0  # over what sounds before: so much a stroke stands out
_SOFT_DB = 20.0  # under the loudest stroke: ghost notes, and what was heard wrongly
_FEWEST, _ENOUGH = 6, 24


class Listening(NamedTuple):
    """band_hz: where the drum is loud, from 0 for all that is low. span_s: over which its power is averaged, of low
    drums a period. others: drums that sound there, too."""

    band_hz: tuple[float, float]
    span_s: float
    others: tuple[str, ...]


_SKINS = ("kick", "snare", "tom")
_METALS = ("closed hat", "open hat", "crash", "ride")
LISTENING: Mapping[str, Listening] = {
    "kick": Listening((0, 250), 0.02, _SKINS),
    "snare": Listening((1000, 5000), 0.004, (*_SKINS, "crash", "ride")),
    "tom": Listening((60, 300), 0.015, _SKINS),
    "closed hat": Listening((7000, 16000), 0.004, ("snare", *_METALS)),
    "open hat": Listening((7000, 16000), 0.004, ("snare", *_METALS)),
    "crash": Listening((3000, 16000), 0.004, ("snare", *_METALS)),
    "ride": Listening((3000, 16000), 0.004, ("snare", *_METALS)),
}


def hear_drum_envelopes(stem: Recording) -> dict[str, Envelope]:
    """Drum → its envelope, of those of which six strokes and more can be followed; none where nobody drums.

    attack_s: what the band and the averaging rise in by themselves is taken off, as rise times add up by squares.
    Memory: 0.1 GB an hour.
    """
    strokes = hear_strokes(stem)
    if strokes is None:
        return {}
    wanted = [drum for drum in DRUMS if len(strokes.frames[drum]) >= _FEWEST]
    heard = {}
    for drum, power in levels(mono_blocks(stem, SAMPLE_RATE), wanted).items():
        others = np.sort(
            np.concatenate([strokes.frames[other] for other in LISTENING[drum].others if other != drum])
        )
        own = strokes.frames[drum]
        free = own[np.searchsorted(others, own - _TOGETHER) == np.searchsorted(others, own + _TOGETHER)]
        masks = np.union1d(own, others)
        found = envelope_of(power, free * POINTS, masks * POINTS, _own_rise_s(drum))
        if found is not None:
            heard[drum] = found
    return heard


def levels(blocks: Iterable[Mono], drums: Iterable[str]) -> dict[str, Floats]:
    """Drum → (points,), levels in dB of its band. blocks: (frames,) each, at 44.1 kHz."""
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import sosfilt

    filters = {drum: _filter(LISTENING[drum].band_hz) for drum in drums}
    states = {drum: np.zeros((len(sections), 2)) for drum, sections in filters.items()}
    powers: dict[str, list[npt.NDArray[np.float32]]] = {drum: [] for drum in filters}
    rest = np.zeros(0, np.float32)
    for block in blocks:
        read = np.concatenate([rest, block])
        whole = len(read) - len(read) % _SAMPLES
        rest = read[whole:]
        if not whole:
            continue
        for drum, sections in filters.items():
            out, states[drum] = sosfilt(sections, read[:whole], zi=states[drum])
            powers[drum].append((out**2).reshape(-1, _SAMPLES).mean(axis=1).astype(np.float32))
    found = {}
    for drum, parts in powers.items():
        span = round(LISTENING[drum].span_s * RATE)
        power = uniform_filter1d(np.concatenate(parts).astype(np.float64), span, mode="nearest")
        found[drum] = 10 * np.log10(np.maximum(power, 1e-12))
    return found


def _filter(band_hz: tuple[float, float]) -> Floats:
    from scipy.signal import butter

    low, high = band_hz
    sections = (
        butter(2, (low, high), "band", fs=SAMPLE_RATE, output="sos")
        if low
        else butter(4, high, fs=SAMPLE_RATE, output="sos")
    )
    return np.asarray(sections)


def _own_rise_s(drum: str) -> float:
    """From 10 to 90 % of a tone that begins at once, in the middle of the drum's band."""
    low, high = LISTENING[drum].band_hz
    hertz = np.sqrt(max(low, 30) * high)
    tone = np.sin(2 * np.pi * hertz * np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE)
    level = levels([np.concatenate([np.zeros(SAMPLE_RATE // 4), tone]).astype(np.float32)], [drum])[drum]
    return _attack_s(level, len(level) - RATE // 8)


def envelope_of(level: Floats, strokes: Points, masks: Points, own_rise_s: float) -> Envelope | None:
    """Of strokes at those points of a level in dB, each followed until the next of the masks. None where under six
    stand out."""
    early, late, before, longest = (round(s * RATE) for s in (_EARLY_S, _LATE_S, _BEFORE_S, _LONGEST_S))
    following = np.append(masks, len(level))[np.searchsorted(masks, strokes, side="right")]
    peaks, attacks, decays = [], [], []
    for stroke, end in zip(strokes.tolist(), following.tolist(), strict=True):
        start = max(stroke - early, 0)
        if end - start <= late:
            continue
        peak = start + int(level[start : stroke + late].argmax())
        first = max(peak - before, 0)
        if level[peak] - level[first : peak + 1].min() < _RISE_DB:
            continue
        decay_s = _decay_s(level[peak : min(end - early, peak + longest)] - level[peak])
        if decay_s is None:
            continue
        peaks.append(float(level[peak]))
        attacks.append(_attack_s(level[first : peak + 1], peak - first))
        decays.append(decay_s)
    loud = np.array(peaks) > max(peaks, default=0) - _SOFT_DB
    if loud.sum() < _FEWEST:
        return None
    attack_s, decay = float(np.median(np.array(attacks)[loud])), np.array(decays)[loud]
    decay_s = float(np.median(decay))
    scatter = float(np.median(np.abs(np.log2(np.maximum(decay, 1 / RATE) / max(decay_s, 1 / RATE)))))
    return Envelope(
        attack_s=float(np.sqrt(max(attack_s**2 - own_rise_s**2, 0.0))),
        decay_s=decay_s,
        sustain_db=None,
        release_s=None,
        notes=int(loud.sum()),
        confidence=min(1.0, float(loud.sum()) / _ENOUGH) * float(np.exp(-scatter)),
    )


def _attack_s(level: Floats, peak: int) -> float:
    """From 10 to 90 % of the way in amplitude from the lowest point before the peak, linear between points."""
    rising = 10 ** (level[: peak + 1] / 20)
    lowest = int(rising.argmin())
    part = (rising[lowest:] - rising[lowest]) / (rising[-1] - rising[lowest])
    times = []
    for share in (0.1, 0.9):
        under = int(np.flatnonzero(part <= share)[-1])
        times.append(under + (share - part[under]) / (part[under + 1] - part[under]))
    return float(times[1] - times[0]) / RATE


def _decay_s(fall: Floats) -> float | None:
    """Until −20 dB; where that is not reached, where the straight line of what falls reaches it. None of what falls
    by less than 10 dB, or in no straight line: then another drum rings on."""
    gone = np.flatnonzero(fall <= -_FALL_DB)
    if len(gone):
        return float(gone[0]) / RATE
    if len(fall) < 3 or fall.min() > -_ENOUGH_FALL_DB:
        return None
    points = np.arange(int(fall.argmin()) + 1)
    slope, start = np.polyfit(points, fall[points], 1)
    off_db = float(np.std(fall[points] - start - slope * points))
    return float(-_FALL_DB / slope) / RATE if off_db <= _STRAIGHT_DB else None
