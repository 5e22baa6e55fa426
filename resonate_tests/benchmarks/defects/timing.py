"""Another time: tempo, place, order."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
import pedalboard

from resonate_resources.recordings.recording import Samples
from resonate_tests.benchmarks.defects.defect import Audible, Defect
from resonate_tests.benchmarks.defects.excerpt import Excerpt

_FADE_S = 0.01


def late(excerpt: Excerpt, seconds: float) -> Samples:
    """All of it, with silence before."""
    return np.pad(excerpt.mix, ((0, 0), (round(seconds * excerpt.rate), 0)))


def faster(excerpt: Excerpt, percent: float) -> Samples:
    """At the same pitch, by Rubber Band."""
    return pedalboard.time_stretch(excerpt.mix, excerpt.rate, stretch_factor=1 + percent / 100)


def drifting(excerpt: Excerpt, percent: float) -> Samples:
    """Tempo up and down by that once in 15 s, pitch as it was; of about the same length."""
    seconds = np.arange(excerpt.frames) / excerpt.rate
    # One value a tenth of a second: each change is a call of Rubber Band.
    tenths = np.floor(10 * seconds) / 10
    factors = 1 + percent / 100 * np.sin(2 * np.pi * tenths / 15)
    return pedalboard.time_stretch(excerpt.mix, excerpt.rate, stretch_factor=factors)


def with_beats_cut(excerpt: Excerpt, beats: float) -> Samples:
    """So much shorter from the middle on."""
    at = excerpt.bars(1)[0] + excerpt.beat_s
    return spliced(excerpt, [(0.0, at), (at + beats * excerpt.beat_s, excerpt.duration_s)])


def with_bars_swapped(excerpt: Excerpt, bars: float) -> Samples:
    """Half of those bars before the other half."""
    start, end = _whole(excerpt, bars)
    middle = (start + end) / 2
    return spliced(excerpt, [(0.0, start), (middle, end), (start, middle), (end, excerpt.duration_s)])


def with_bars_cut(excerpt: Excerpt, bars: float) -> Samples:
    start, end = _whole(excerpt, bars)
    return spliced(excerpt, [(0.0, start), (end, excerpt.duration_s)])


def with_bars_repeated(excerpt: Excerpt, bars: float) -> Samples:
    """In the place of what comes next, as long as there is something."""
    start, end = _whole(excerpt, bars)
    after = min(2 * end - start, excerpt.duration_s)
    return spliced(excerpt, [(0.0, end), (start, start + after - end), (after, excerpt.duration_s)])


def _whole(excerpt: Excerpt, bars: float) -> tuple[float, float]:
    """At most two thirds of the excerpt."""
    for count in range(int(bars), 0, -1):
        start, end = excerpt.bars(count)
        if end - start <= excerpt.duration_s * 2 / 3:
            return start, end
    return excerpt.duration_s / 3, excerpt.duration_s * 2 / 3


def spliced(excerpt: Excerpt, spans: list[tuple[float, float]]) -> Samples:
    """Those spans in seconds one after another, faded into each other over 10 ms."""
    fade = round(_FADE_S * excerpt.rate)
    pieces = [excerpt.mix[:, excerpt.frames_of(*span)] for span in spans]
    pieces = [piece for piece in pieces if piece.shape[1] > 2 * fade]
    made = pieces[0]
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    for piece in pieces[1:]:
        joined = made[:, -fade:] * (1 - ramp) + piece[:, :fade] * ramp
        made = np.concatenate((made[:, :-fade], joined, piece[:, fade:]), axis=1)
    return made


def with_dropouts(excerpt: Excerpt, seconds: float) -> Samples:
    """Silence for that long every 2 s, with edges of 1 ms."""
    gain = np.ones(excerpt.frames)
    edge = max(1, round(0.001 * excerpt.rate))
    hole = np.concatenate(
        (np.linspace(1, 0, edge), np.zeros(round(seconds * excerpt.rate)), np.linspace(0, 1, edge))
    )
    for at in _moments(excerpt, 0.5, "dropouts"):
        gain[at : at + len(hole)] = hole[: max(0, excerpt.frames - at)]
    return np.asarray(excerpt.mix * gain, np.float32)


def stuttering(excerpt: Excerpt, a_second: float, stem: str | None = None) -> Samples | None:
    """That often a second, 50 to 100 ms twice more before what follows them: grains of a voice that was cut up.

    stem: of which alone; None where there is no such stem.
    """
    if stem is not None and not excerpt.plays(stem):
        return None
    before = excerpt.mix if stem is None else excerpt.stems[stem]
    cut = before.copy()
    chance = excerpt.chance("grains")
    for at in _moments(excerpt, a_second, "stutter"):
        grain = round(chance.uniform(0.05, 0.1) * excerpt.rate)
        if at + 3 * grain > excerpt.frames:
            continue
        window = np.minimum(1, np.minimum(np.arange(grain), np.arange(grain)[::-1]) / (0.003 * excerpt.rate))
        for turn in (1, 2):
            cut[:, at + turn * grain : at + (turn + 1) * grain] = before[:, at : at + grain] * window
    return cut if stem is None else excerpt.with_stem(stem, cut)


def smeared(excerpt: Excerpt, radians: float) -> Samples:
    """Phases of spectra of 93 ms off by chance with that standard deviation: pre-echo of transforms."""
    from scipy.signal import istft, stft

    size = {"fs": excerpt.rate, "nperseg": 4096, "noverlap": 3072}
    spectra = stft(excerpt.mix, **size)[2]
    turned = spectra * np.exp(1j * excerpt.chance("phases").normal(0, radians, spectra.shape[1:]))
    made = np.asarray(istft(turned, **size)[1][:, : excerpt.frames], np.float32)
    # What overlaps out of phase is lost: by so much it would be softer.
    gain = np.sqrt(np.mean(np.square(excerpt.mix)) / np.mean(np.square(made)))
    return np.asarray(gain * made, np.float32)


def _moments(excerpt: Excerpt, a_second: float, kind: str) -> npt.NDArray[np.int64]:
    """Frames, evenly strewn with chance within each's share of time."""
    count = max(1, round(a_second * excerpt.duration_s))
    share = (np.arange(count) + excerpt.chance(kind).uniform(0, 0.8, count)) / count
    return np.asarray(share * excerpt.frames, np.int64)


_YES: tuple[Audible, ...] = ("yes", "yes", "yes")
_UNHEARD: tuple[Audible, ...] = ("no", "hardly", "yes")
_ORDER = "melody and words come in another order; where bars are alike, nobody hears it"
_TEMPO = "Friberg & Sundberg 1995, JASA 98: 2.5 % of an even pulse is about the least heard"

DEFECTS = (
    Defect(
        "all late", "beats", late, (0.02, 0.05, 0.09), "s", "heard only where it sounds with the original",
        ("no", "hardly", "hardly"),
    ),
    Defect("faster", "beats", faster, (0.5, 1, 3), "%", _TEMPO, _UNHEARD),
    Defect("tempo drifts", "beats", drifting, (1, 3, 8), "± %", _TEMPO, _UNHEARD),
    Defect(
        "beats cut", "beats", with_beats_cut, (0.25, 0.5, 1), "beats",
        "a stumble: all strokes come early at once", _YES,
    ),
    Defect("bars swapped", "sections", with_bars_swapped, (2, 4, 8), "bars", _ORDER, _YES),
    Defect("bars cut", "sections", with_bars_cut, (1, 4, 8), "bars", _ORDER, _YES),
    Defect("bars repeated", "sections", with_bars_repeated, (1, 4, 8), "bars", _ORDER),
    Defect(
        "drop-outs", "onsets", with_dropouts, (0.01, 0.05, 0.2), "s",
        "Plomp 1964, JASA 36: gaps of 3 ms are heard in noise; of 10 ms in music, as clicks", _YES,
    ),
    Defect(
        "stutter", "onsets", stuttering, (0.1, 0.5, 2), "a second",
        "a repeated grain of 50 to 100 ms is a buzz of 10 to 20 Hz", _YES,
    ),
    Defect(
        "voice stutters", "onsets", partial(stuttering, stem="vocals"), (0.1, 0.5, 2), "a second",
        "as stutter", _YES,
    ),
    Defect(
        "smeared", "onsets", smeared, (0.3, 0.8, 3), "rad",
        "Zwicker & Fastl, ch. 4: masking reaches back 20 ms at most, windows of 93 ms further",
    ),
)  # fmt: skip
