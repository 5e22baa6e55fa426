"""sounds.toml and mix.toml: something plays every sound in every genre, here and where there is no soundfont."""

from __future__ import annotations

from typing import get_args

import pytest

from resonate_resources.composition.plan import Kit
from resonate_resources.composition.request import Genre, Instrument, Role
from resonate_resources.composition.sound.mixing_table import mix_of
from resonate_resources.composition.sound.sounds import is_kit, midi_program, voices, voices_for
from resonate_resources.instruments.faust import FAUST_SOURCES, Synthesiser

SOUNDS = (*get_args(Instrument), *get_args(Kit))


@pytest.mark.parametrize("genre", get_args(Genre))
def test_every_sound_can_be_played_without_a_soundfont(genre):
    for sound in SOUNDS:
        able = voices_for(sound, genre)
        assert any(voice.program is None for voice in able), sound
        assert {voice.is_kit for voice in able} == {is_kit(sound)}, sound


@pytest.mark.parametrize("genre", get_args(Genre))
def test_every_role_has_its_loudness_its_room_and_its_tone(genre):
    mix = mix_of(genre)
    roles = {*get_args(Role), "transitions"}
    assert mix.style.loudness.keys() == mix.style.room_db.keys() == mix.tone.keys() == roles


def test_faust_voices_set_every_parameter_of_their_program_within_its_bounds():
    for name, voice in voices().items():
        if voice.faust is None or not voice.settings:
            continue
        assert (FAUST_SOURCES / f"{voice.faust}.dsp").is_file()
        settings = {**voice.settings, **dict.fromkeys(voice.per_quarter, 2.0)}
        bounds = Synthesiser(voice.faust, 48_000, settings).parameters
        assert settings.keys() == bounds.keys(), name
        for parameter, value in settings.items():
            low, high = bounds[parameter]
            assert low - 1e-6 <= value <= high + 1e-6, (name, parameter)


def test_programs_are_those_of_general_midi():
    # General MIDI System Level 1, sound set: programs from 1 there, from 0 here.
    known = {"piano": 0, "acoustic_guitar": 25, "double_bass": 32, "violin": 40, "trumpet": 56, "flute": 73}
    assert {sound: midi_program(sound) for sound in known} == known
