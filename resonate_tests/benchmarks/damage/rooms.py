"""Played in a room: two loudspeakers, two microphones, and all that comes back from walls.

The first reflections come from the mirrored sources of a box (Allen and Berkley, J. Acoust. Soc. Am. 65, 1979);
from its mixing time on, the square root of its volume in milliseconds (Lindau et al., J. AES 60, 2012), comes noise
that falls as Polack's model has it, its own between each loudspeaker and each microphone, by 60 dB in the octave's
own time. The direct sound is the clean recording itself, in time with it to the sample and at its level.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy import signal

from resonate_resources.recordings.recording import Samples

Floats = npt.NDArray[np.float64]

LATE_S = 0.05
"""What comes later after the direct sound is reverberation; what comes before helps (ISO 3382-1, clarity C50)."""
OCTAVES_HZ = (125, 250, 500, 1000, 2000, 4000, 8000)
_SOUND_M_S = 343.0
_ORDERS = 3
_BROADEST = 1 / 2**0.5


@dataclass(frozen=True)
class Room:
    """Reflections, (microphones, loudspeakers, frames) from the direct sound on, which is not among them; rt60_s of
    each octave."""

    reflections: Floats
    rt60_s: Mapping[int, float]
    sample_rate: int

    def parts(self, clean: Samples) -> tuple[Samples, Samples]:
        """What comes within LATE_S, the direct sound and more, and what comes later; their sum is the recording.

        clean: (channels, frames); one channel is recorded by one microphone.
        """
        late = round(LATE_S * self.sample_rate)
        early = self.reflections.copy()
        early[:, :, late:] = 0
        return clean + self._of(clean, early), self._of(clean, self.reflections - early)

    def _of(self, clean: Samples, responses: Floats) -> Samples:
        count = len(clean)
        heard = [
            sum(signal.oaconvolve(clean[source], responses[microphone, source]) for source in range(count))
            for microphone in range(count)
        ]
        return np.asarray(np.stack(heard)[:, : clean.shape[1]], np.float32)


def small_room(sample_rate: int, rng: np.random.Generator, rt60_s: float) -> Room:
    """A living or rehearsal room with boards and curtains: highs die sooner. The reverberation is 6 dB under the
    direct sound to 3 dB over it."""
    sides = rng.uniform((3.5, 3.0, 2.3), (7.0, 5.0, 3.2))
    return _box(
        sample_rate, rng, sides, rt60_s, tilt=rng.uniform(0.05, 0.3), reverberant_db=rng.uniform(-6, 3)
    )


def hall(sample_rate: int, rng: np.random.Generator, rt60_s: float) -> Room:
    """A church or a concert hall: first reflections come late, lows last. As loud as the direct sound, ± 4 dB."""
    sides = rng.uniform((15.0, 12.0, 7.0), (35.0, 22.0, 15.0))
    return _box(
        sample_rate, rng, sides, rt60_s, tilt=rng.uniform(0.1, 0.35), reverberant_db=rng.uniform(-4, 4)
    )


def bare_room(sample_rate: int, rng: np.random.Generator, rt60_s: float) -> Room:
    """A stairway or a tiled bath: as long in the highs as in the lows, up to 6 dB louder than the direct sound."""
    sides = rng.uniform((2.0, 2.0, 2.3), (4.0, 3.0, 6.0))
    return _box(
        sample_rate, rng, sides, rt60_s, tilt=rng.uniform(-0.05, 0.1), reverberant_db=rng.uniform(-2, 6)
    )


KINDS: Mapping[str, Callable[[int, np.random.Generator, float], Room]] = {
    "small room": small_room,
    "hall": hall,
    "bare room": bare_room,
}


def in_small_room(clean: Samples, sample_rate: int, rng: np.random.Generator, size: float) -> Samples:
    """size: RT60 at 1 kHz in seconds."""
    return _recorded(clean, small_room(sample_rate, rng, size))


def in_hall(clean: Samples, sample_rate: int, rng: np.random.Generator, size: float) -> Samples:
    """size: RT60 at 1 kHz in seconds."""
    return _recorded(clean, hall(sample_rate, rng, size))


def in_bare_room(clean: Samples, sample_rate: int, rng: np.random.Generator, size: float) -> Samples:
    """size: RT60 at 1 kHz in seconds."""
    return _recorded(clean, bare_room(sample_rate, rng, size))


def _recorded(clean: Samples, room: Room) -> Samples:
    early, late = room.parts(clean)
    return early + late


def _box(
    sample_rate: int,
    rng: np.random.Generator,
    sides: Floats,
    rt60_s: float,
    tilt: float,
    reverberant_db: float,
) -> Room:
    """tilt: the octaves' times are as frequency to the power of −tilt. reverberant_db: all reflections of a
    microphone, against the direct sound."""
    times = {hertz: rt60_s * (hertz / 1000) ** -tilt for hertz in OCTAVES_HZ}
    frames = round(1.1 * max(times.values()) * sample_rate)
    mixing = 0.001 * np.prod(sides) ** 0.5
    where = np.array([0.5, 0.25, 0.45]) * sides
    sources = [where + np.array((side * 0.2 * sides[1], 0.0, 0.0)) for side in (-1, 1)]
    microphones = [
        np.array([0.5, 0.6, 0.5]) * sides + (side * rng.uniform(0.1, 0.3), 0, 0) for side in (-1, 1)
    ]
    # Of one reflection, so that the octave at 1 kHz falls in its time (Eyring).
    mean_free = 4 * np.prod(sides) / (2 * (sides[0] * sides[1] + sides[0] * sides[2] + sides[1] * sides[2]))
    reflected = 10 ** (-3 * mean_free / (_SOUND_M_S * rt60_s))
    reflections = np.stack(
        [
            np.stack(
                [
                    _mirrored(sides, source, microphone, reflected, sample_rate, mixing, frames)
                    + _tail(times, sample_rate, mixing, frames, rng)
                    for source in sources
                ]
            )
            for microphone in microphones
        ]
    )
    coloured = _by_octave(reflections, sample_rate, times, mixing)
    energy = np.square(coloured).sum(axis=(1, 2), keepdims=True)
    return Room(coloured * np.sqrt(10 ** (reverberant_db / 10) / energy), times, sample_rate)


def _mirrored(
    sides: Floats,
    source: Floats,
    microphone: Floats,
    reflected: float,
    sample_rate: int,
    until_s: float,
    frames: int,
) -> Floats:
    """Pulses of the mirrored sources up to the mixing time, the direct sound at 0 having amplitude 1; left out."""
    direct = float(np.linalg.norm(source - microphone))
    response = np.zeros(frames)
    for cell in product(range(-_ORDERS, _ORDERS + 1), repeat=3):
        for flip in product((0, 1), repeat=3):
            bounces = sum(abs(2 * n - f) for n, f in zip(cell, flip, strict=True))
            if not 0 < bounces <= _ORDERS:
                continue
            mirrored = (1 - 2 * np.array(flip)) * source + 2 * np.array(cell) * sides
            far = float(np.linalg.norm(mirrored - microphone))
            at = round((far - direct) / _SOUND_M_S * sample_rate)
            if 0 < at < min(frames, until_s * sample_rate):
                response[at] += reflected**bounces * direct / far
    return response


def _tail(
    times: Mapping[int, float], sample_rate: int, from_s: float, frames: int, rng: np.random.Generator
) -> Floats:
    """White noise from the mixing time on, as loud as one pulse a millisecond that lost a third of its energy; what
    its octaves are and how they fall is given to the whole by `_by_octave`."""
    noise = rng.standard_normal(frames) * _BROADEST / np.sqrt(0.001 * sample_rate)
    noise[: round(from_s * sample_rate)] = 0
    return noise


def _by_octave(responses: Floats, sample_rate: int, times: Mapping[int, float], from_s: float) -> Floats:
    """Each octave falls by 60 dB in its time, from from_s on; before, mirrored sources fall by themselves."""
    seconds = np.arange(responses.shape[-1]) / sample_rate
    fallen = np.zeros_like(responses)
    rest = responses
    for number, (hertz, time) in enumerate(times.items()):
        decay = 10 ** (-3 * np.maximum(0, seconds - from_s) / time)
        cut = hertz * 2**0.5
        if number == len(times) - 1 or cut >= 0.45 * sample_rate:
            fallen += rest * decay
            break
        # Bands are what zero-phase crossovers leave, so that they sum up to the whole.
        low = signal.sosfiltfilt(signal.butter(2, cut, fs=sample_rate, output="sos"), rest, axis=-1)
        fallen += low * decay
        rest = rest - low
    return fallen
