from __future__ import annotations

import pytest

from resonate_resources.signal.spelling import TONICS, fifths, pitch_class, pitch_names

SCALES = {  # as printed under key signatures
    "C major": "C D E F G A B",
    "Eb major": "Eb F G Ab Bb C D",
    "Db major": "Db Eb F Gb Ab Bb C",
    "F# major": "F# G# A# B C# D# E#",
    "A minor": "A B C D E F G#",  # harmonic
    "Eb minor": "Eb F Gb Ab Bb Cb D",
    "G# minor": "G# A# B C# D# E",
    "C# minor": "C# D# E F# G# A B#",
}


@pytest.mark.parametrize(("key", "scale"), SCALES.items())
def test_the_notes_of_a_key_are_spelt_by_its_signs(key: str, scale: str) -> None:
    names = pitch_names(key)
    for name in scale.split():
        assert names[pitch_class(name)] == name


@pytest.mark.parametrize("mode", TONICS)
def test_every_key_names_every_pitch_once_with_one_sign_at_most(mode: str) -> None:
    for tonic in TONICS[mode]:
        names = pitch_names(f"{tonic} {mode}")
        assert [pitch_class(name) for name in names] == list(range(12))
        assert max(len(name) for name in names) <= 2
        assert names[pitch_class(tonic)] == tonic


def test_lowered_steps_are_flats_where_no_key_is_known() -> None:
    assert pitch_names() == ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


@pytest.mark.parametrize(
    ("name", "place"), [("C", 0), ("G", 1), ("F", -1), ("Bb", -2), ("F#", 6), ("Gb", -6)]
)
def test_names_lie_on_the_line_of_fifths(name: str, place: int) -> None:
    assert fifths(name) == place
