"""Every Faust voice plays in tune: within 5 cents of its note, in equal temperament at 440 Hz."""

from __future__ import annotations

import numpy as np
import pytest

from resonate_resources.composition.sound.sounds import voices
from resonate_resources.instruments.faust import Synthesiser
from resonate_resources.recordings.midi import Note

RATE = 48_000
TUNED = {name: voice for name, voice in voices().items() if voice.faust is not None}


def cents_off(sound, hertz):
    """By the centre of the fundamental's power within a semitone: what is detuned or trembles evenly is in tune."""
    window = np.hanning(sound.size)
    size = 1 << 19
    power = np.abs(np.fft.rfft(sound * window, size)) ** 2
    cents = 1200 * np.log2(np.maximum(np.fft.rfftfreq(size, 1 / RATE), 1) / hertz)
    near = np.abs(cents) < 100
    assert power[near].max() > 1e-3 * power.max()  # there is a fundamental
    return float(np.sum(cents[near] * power[near]) / power[near].sum())


@pytest.mark.parametrize("name", TUNED)
@pytest.mark.parametrize("pitch", [57, 69])
def test_a_voice_is_in_tune(name, pitch):
    voice = TUNED[name]
    synthesiser = Synthesiser(voice.faust, RATE, {**voice.settings, **dict.fromkeys(voice.per_quarter, 2.0)})
    sound = synthesiser.play([Note(0.0, 2.5, pitch, 100)], 3 * RATE).mean(axis=0)
    # Behind what falls at the stroke; as much of it as there is before it has died away.
    sound = sound[round(0.12 * RATE) : round(2.4 * RATE)]
    assert abs(cents_off(sound, 440 * 2 ** ((pitch - 69) / 12))) < 5
