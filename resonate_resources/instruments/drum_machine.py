"""Drum machines after the TR-808 and the TR-909, of circuits instead of recordings.

Pitches and times follow the service notes of both machines and the literature in `circuits`. The TR-909's cymbals
are recordings in the original; here they are the same oscillators, tuned higher, with noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Literal

import numpy as np

from resonate_resources.instruments.circuits import Mono, band, bridged_t, fall, metal, noise, seconds
from resonate_resources.recordings.recording import Samples

Machine = Literal["808", "909"]
Voice = Callable[[int], Mono]
"""A rate in Hz → the sound of one stroke, mono."""

_LONGEST_S: Final = 4.0
_TOP_HZ: Final = 12_500.0  # as far as the output stages and the TR-909's converters reach
_FADE_S: Final = 0.01
_SILENT: Final = 1e-4


def _kick(rate: int, *, hz: float, above_hz: float, settling_s: float, tau_s: float, click: float) -> Mono:
    t = seconds(7 * tau_s, rate)
    body = bridged_t(t, hz, tau_s, above_hz, settling_s)
    struck = band(noise(t, 1), rate, 1500, 8000) * fall(t, 0.003)
    return np.tanh(1.3 * body) + click * struck


def _snare(
    rate: int, *, hz: tuple[float, float], above_hz: float, tau_s: float, wires: float, wires_s: float
) -> Mono:
    t = seconds(8 * wires_s, rate)
    low, high = (bridged_t(t, each, tau_s, above_hz, 0.015) for each in hz)
    rattle = band(noise(t, 2), rate, 1200, 12_000) * (0.7 * fall(t, wires_s) + 0.3 * fall(t, wires_s / 4))
    return 0.6 * low + 0.35 * high + wires * rattle


def _rim(rate: int) -> Mono:
    t = seconds(0.12, rate)
    return np.tanh(2 * (bridged_t(t, 1667, 0.008) + 0.8 * bridged_t(t, 455, 0.012)))


def _clap(rate: int, *, centre_hz: float, room_s: float) -> Mono:
    t = seconds(8 * room_s, rate)
    hands = sum((t >= at) * np.exp(-np.maximum(t - at, 0) / 0.004) for at in (0.0, 0.011, 0.022))
    room = (t >= 0.031) * np.exp(-np.maximum(t - 0.031, 0) / room_s)
    return band(noise(t, 3), rate, centre_hz / 1.5, centre_hz * 1.8) * (hands + 0.8 * room)


def _hat(rate: int, *, tau_s: float, tuned: float, hiss: float) -> Mono:
    t = seconds(8 * tau_s, rate)
    source = metal(t, rate, tuned) + hiss * noise(t, 4)
    return band(source, rate, 8000, _TOP_HZ, 4) * (0.75 * fall(t, tau_s) + 0.25 * fall(t, tau_s / 5))


def _cymbal(rate: int, *, tau_s: float, tuned: float, hiss: float, low_hz: float, bell: float = 0.0) -> Mono:
    t = seconds(min(_LONGEST_S, 6 * tau_s), rate)
    source = metal(t, rate, tuned)
    dark = band(source, rate, low_hz, 2.2 * low_hz) * fall(t, tau_s / 2)
    bright = band(source + hiss * noise(t, 5), rate, 2.2 * low_hz, _TOP_HZ) * fall(t, tau_s)
    rung = sum(bridged_t(t, each, tau_s / 1.5) for each in (2910.0, 4370.0, 5230.0))
    return (0.5 * dark + bright + 0.1 * bell * rung) * np.minimum(1, t / 0.0015)


def _cowbell(rate: int) -> Mono:
    t = seconds(0.6, rate)
    tone = metal(t, rate, hz=(540.0, 800.0))  # the two of the six that are tuned by hand
    return band(tone, rate, 500, 3000) * (0.6 * fall(t, 0.012) + 0.4 * fall(t, 0.11))


def _drum(rate: int, *, hz: float, tau_s: float, skin: float = 0.1) -> Mono:
    """Toms and congas: a network that settles a third lower, and a little of the skin's noise."""
    t = seconds(7 * tau_s, rate)
    return bridged_t(t, hz, tau_s, 0.35 * hz, 0.04) + skin * band(noise(t, 6), rate, 400, 4000) * fall(
        t, 0.02
    )


def _clave(rate: int) -> Mono:
    return bridged_t(seconds(0.12, rate), 2500, 0.016)


def _shaken(rate: int, *, low_hz: float, tau_s: float, rising_s: float = 0.006, jingles: float = 0.0) -> Mono:
    t = seconds(8 * tau_s + rising_s, rate)
    source = noise(t, 7) + jingles * metal(t, rate, 14.0)
    return band(source, rate, low_hz, _TOP_HZ, 3) * np.minimum(1, t / rising_s) * fall(t, tau_s)


_SHARED: Final[Mapping[tuple[int, ...], tuple[Voice, float]]] = {
    (37,): (_rim, 0.1),
    (56,): (_cowbell, 0.25),
    (60, 62): (partial(_drum, hz=410, tau_s=0.06), 0.35),
    (61, 63): (partial(_drum, hz=280, tau_s=0.08), 0.3),
    (64, 65): (partial(_drum, hz=190, tau_s=0.11), 0.25),
    (66,): (partial(_drum, hz=150, tau_s=0.14), 0.25),
    (67, 76): (partial(_drum, hz=900, tau_s=0.05, skin=0.02), -0.3),
    (68, 77): (partial(_drum, hz=640, tau_s=0.05, skin=0.02), -0.3),
    (75,): (_clave, -0.25),
    (54,): (partial(_shaken, low_hz=6000, tau_s=0.06, rising_s=0.001, jingles=2.0), -0.3),
    (69, 70): (partial(_shaken, low_hz=5000, tau_s=0.02), -0.3),
    (82,): (partial(_shaken, low_hz=5500, tau_s=0.035, rising_s=0.012), -0.3),
}
_OTHER: Final = (partial(_shaken, low_hz=4500, tau_s=0.04), 0.2)
"""What General MIDI has and the machines have not."""

# General MIDI percussion keys → sound and place in the image −1…1.
_KEYS: Final[Mapping[Machine, Mapping[tuple[int, ...], tuple[Voice, float]]]] = {
    "808": {
        (35, 36): (partial(_kick, hz=49.5, above_hz=75, settling_s=0.012, tau_s=0.22, click=0.1), 0.0),
        (38, 40): (
            partial(_snare, hz=(238.0, 476.0), above_hz=20, tau_s=0.05, wires=0.3, wires_s=0.07), 0.0,
        ),
        (39,): (partial(_clap, centre_hz=1000, room_s=0.08), 0.05),
        (42, 44): (partial(_hat, tau_s=0.022, tuned=1.0, hiss=0.0), 0.2),
        (46,): (partial(_hat, tau_s=0.16, tuned=1.0, hiss=0.0), 0.2),
        (49, 52, 55, 57): (partial(_cymbal, tau_s=0.5, tuned=1.0, hiss=0.0, low_hz=3440), -0.3),
        (51, 53, 59): (partial(_cymbal, tau_s=0.3, tuned=1.6, hiss=0.0, low_hz=3440, bell=1.0), -0.25),
        (41, 43): (partial(_drum, hz=90, tau_s=0.18), -0.35),
        (45, 47): (partial(_drum, hz=130, tau_s=0.14), 0.0),
        (48, 50): (partial(_drum, hz=180, tau_s=0.11), 0.35),
        **_SHARED,
    },
    "909": {
        (35, 36): (partial(_kick, hz=50, above_hz=190, settling_s=0.024, tau_s=0.13, click=0.25), 0.0),
        (38, 40): (
            partial(_snare, hz=(180.0, 330.0), above_hz=110, tau_s=0.06, wires=0.42, wires_s=0.09), 0.0,
        ),
        (39,): (partial(_clap, centre_hz=1250, room_s=0.06), 0.05),
        (42, 44): (partial(_hat, tau_s=0.028, tuned=3.1, hiss=0.5), 0.2),
        (46,): (partial(_hat, tau_s=0.14, tuned=3.1, hiss=0.5), 0.2),
        (49, 52, 55, 57): (partial(_cymbal, tau_s=0.65, tuned=2.7, hiss=0.6, low_hz=2800), -0.3),
        (51, 53, 59): (partial(_cymbal, tau_s=0.4, tuned=3.6, hiss=0.2, low_hz=3200, bell=1.5), -0.25),
        (41, 43): (partial(_drum, hz=85, tau_s=0.16, skin=0.2), -0.35),
        (45, 47): (partial(_drum, hz=125, tau_s=0.14, skin=0.2), 0.0),
        (48, 50): (partial(_drum, hz=180, tau_s=0.12, skin=0.2), 0.35),
        **_SHARED,
    },
}  # fmt: skip

# Peaks against the kick's, in dB: the machines' own balance, as records have it, at one velocity.
_LEVEL_DB: Final = {
    **dict.fromkeys((42, 44, 46), -8.0), **dict.fromkeys((69, 70, 82, 54), -13.0),
    **dict.fromkeys((49, 52, 55, 57), -9.0), **dict.fromkeys((51, 53, 59), -13.0),
    **dict.fromkeys((38, 40, 39), -3.0), 37: -6.0, 56: -9.0, 75: -8.0,
    **dict.fromkeys(range(60, 69), -6.0), **dict.fromkeys((35, 36), 0.0),
}  # fmt: skip
_KICKS: Final = (35, 36)
_USUAL_DB: Final = -4.0


def tuned(hz: float, tonic: int) -> float:
    """The frequency nearest to it of the tonic (pitch class 0…11) or its fifth."""
    semitones = 69 + 12 * math.log2(hz / 440)
    off = min(
        ((tonic + over - semitones + 6) % 12 - 6 for over in (0, 7)), key=abs
    )  # the kick rings as a note: off the key, it is heard as one that is wrong
    return float(hz * 2 ** (off / 12))


def stroke(machine: Machine, key: int, rate: int, tonic: int | None = None) -> Samples:
    """(2, frames): one stroke of a General MIDI percussion key; the kick's peak is 1, the others as balanced.

    tonic: pitch class that the kick is tuned to; as the machine leaves the factory where None."""
    voice, place = next((sound for keys, sound in _KEYS[machine].items() if key in keys), _OTHER)
    if tonic is not None and key in _KICKS and isinstance(voice, partial):
        voice = partial(voice, hz=tuned(voice.keywords["hz"], tonic))
    mono = voice(rate)
    mono = mono * (10 ** (_LEVEL_DB.get(key, _USUAL_DB) / 20) / np.abs(mono).max())
    mono = mono[: int(np.flatnonzero(np.abs(mono) > _SILENT)[-1]) + 1]
    fade = min(mono.size, round(_FADE_S * rate))
    mono[-fade:] *= np.linspace(1, 0, fade)
    angle = (place + 1) * np.pi / 4  # equal power, and as loud in the middle as mono
    sides = np.sqrt(2) * np.array([[np.cos(angle)], [np.sin(angle)]])
    return np.asarray(sides * mono, np.float32)
