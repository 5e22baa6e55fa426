"""Faust instruments whose parameters are sought: started from the nearest of a table, bettered by CMA-ES.

Log-mel spectra of four excerpts, of dense parts two, are compared, after the level and the equaliser that
matching gives every one. The number of sounds that are tried is bounded, not the seconds: a result must not
depend on how busy the machine is.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from resonate_resources.instruments.faust import Synthesiser, instrument_for
from resonate_resources.instruments.instrument import Instrument
from resonate_resources.recordings.midi import Note
from resonate_resources.regeneration.candidate import Candidate, Part
from resonate_resources.regeneration.excerpts import EXCERPT_S, RATE, Floats, excerpts, power_of, sound_of
from resonate_resources.signal.band_levels import Bands, mel_bands

Point = npt.NDArray[np.float64]
"""(parameters,), each 0…1 of its range."""

INSTRUMENTS: Final = ("subtractive", "fm", "string", "organ")
LICENCE: Final = "GPL-3.0-or-later"
"""Of the instruments, as of all that is written here."""
_TABLE: Final = 12  # points an instrument
_BETTERED: Final = 72  # sounds that CMA-ES tries
_SPREAD: Final = 0.15  # its first, of a parameter's range
_AT_ONCE: Final = 8
_SEED: Final = 17
_EXCERPTS: Final = 4
_DENSE: Final = 64  # notes, from which on two excerpts cost what four do of others
_MOST_NOTES: Final = 32  # an excerpt: of denser ones every second, third … is played

_FRAME, _HOP, _BANDS = 1024, 512, 40
_FLOOR_DB: Final = 60.0  # under the loudest: what lies lower is not heard beside it
_MOST_EQ_DB: Final = 12.0  # as matching has it


def candidates(part: Part) -> Iterator[Candidate]:
    """The sought instrument, then the fixed one; for drums, the kit alone."""
    if part.notes and part.stem != "drums":
        name, settings = search(part)
        instrument = Synthesiser(name, part.sample_rate, settings)
        yield _candidate(name, f"Faust {name}, fitted to the stem", instrument, settings)
    fixed = instrument_for(part.stem, part.sample_rate)
    name = part.stem if part.stem in ("bass", "vocals", "drums") else "other"
    yield _candidate(name, f"Faust {name}", fixed, {})


def _candidate(name: str, label: str, instrument: Instrument, settings: Mapping[str, float]) -> Candidate:
    return Candidate(
        "faust",
        label,
        LICENCE,
        f"instruments/{name}.dsp",
        instrument,
        instrument,
        {"program": name, **settings},
    )


def search(part: Part) -> tuple[str, dict[str, float]]:
    """Name and settings of the instrument nearest to the part, which has notes."""
    with warnings.catch_warnings():  # that it can't draw
        warnings.simplefilter("ignore")
        import cma

    windows = [(start, _thinned(notes)) for start, notes in excerpts(part.notes, _EXCERPTS)]
    if sum(len(notes) for _, notes in windows) > _DENSE:
        windows = windows[::2]
    target = log_mel(sound_of(part.recording, windows))
    rng = np.random.default_rng(_SEED)
    nearest: tuple[float, Synthesiser, str, Point] | None = None
    for name in INSTRUMENTS:
        instrument = Synthesiser(name, RATE, {"release": 0.1})
        for point in rng.random((_TABLE, len(instrument.parameters))):
            far = _distance(instrument, point, windows, target)
            if nearest is None or far < nearest[0]:
                nearest = far, instrument, name, point
    assert nearest is not None
    _, instrument, name, start = nearest
    options = {
        "bounds": [0, 1], "seed": _SEED, "popsize": _AT_ONCE, "maxfevals": _BETTERED, "verbose": -9,
    }  # fmt: skip
    evolution = cma.CMAEvolutionStrategy(start, _SPREAD, options)
    while not evolution.stop():
        points = evolution.ask()
        evolution.tell(points, [_distance(instrument, point, windows, target) for point in points])
    return name, _settings(instrument, np.asarray(evolution.result.xbest))


def _settings(instrument: Synthesiser, point: Point) -> dict[str, float]:
    """Ranges that begin above zero are times, frequencies and ratios: they go by ratio."""
    return {
        name: float(low * (high / low) ** at if low > 0 else low + at * (high - low))
        for at, (name, (low, high)) in zip(point, instrument.parameters.items(), strict=True)
    }


def _distance(
    instrument: Synthesiser, point: Point, windows: Sequence[tuple[float, Sequence[Note]]], target: Floats
) -> float:
    played = instrument.try_out(
        _settings(instrument, point), [notes for _, notes in windows], round(EXCERPT_S * RATE)
    )
    return matched_distance(log_mel(played.mean(axis=0)), target)


def log_mel(sound: Floats) -> Floats:
    """(frames, bands) in dB from the loudest down to −60, of excerpts at RATE."""
    power = power_of(sound, _FRAME, _HOP) @ _mel_bands()
    levels = 10 * np.log10(power + 1e-12)
    return np.asarray(np.maximum(levels - levels.max(), -_FLOOR_DB), np.float32)


@cache
def _mel_bands() -> Bands:
    return mel_bands(_BANDS, 40.0, 10_000.0, RATE, _FRAME)


def matched_distance(played: Floats, target: Floats) -> float:
    """Mean difference of two log-mel spectra in dB, after the gain a band, within ±12 dB of the mean one, that
    makes it small where the target sounds. In a part that is silent for most of the time, rests would decide it."""
    apart = target - played
    sounding = target.max(axis=1) > -_FLOOR_DB + _MOST_EQ_DB
    if sounding.any():
        level = np.median(apart[sounding])
        gains = np.clip(np.median(apart[sounding], axis=0), level - _MOST_EQ_DB, level + _MOST_EQ_DB)
        apart = apart - np.where(sounding[:, np.newaxis], gains, 0)
    return float(np.abs(apart).mean())


def _thinned(notes: Sequence[Note]) -> Sequence[Note]:
    return notes[:: max(1, -(-len(notes) // _MOST_NOTES))]
