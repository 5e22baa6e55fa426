"""Roman numerals, their tones against mir_eval's chord tables, their names and voices against the books."""

from __future__ import annotations

from itertools import pairwise

import mir_eval.chord
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.composition.composer.numerals import read_key, read_numeral
from resonate_resources.composition.composer.voicing import parallels, voiced

IN_HARTE = {  # Harte et al. 2005, as mir_eval reads them
    "": "maj", "m": "min", "7": "7", "maj7": "maj7", "m7": "min7", "dim": "dim", "dim7": "dim7", "m7b5": "hdim7",
    "sus2": "sus2", "sus4": "sus4", "aug": "aug", "6": "maj6", "m6": "min6", "9": "9", "maj9": "maj9", "m9": "min9",
    "m11": "min11", "mmaj7": "minmaj7", "7sus4": "sus4(b7)", "add9": "maj(9)", "madd9": "min(9)", "69": "maj6(9)",
    "7b9": "7(b9)", "7#9": "7(#9)", "maj7#11": "maj7(#11)",
}  # fmt: skip
NUMERALS = (
    "I", "ii", "iii7", "IVmaj7", "V7", "vi9", "viio", "iiø7", "#ivo7", "bVI", "bVIImaj9", "bIII+", "Isus2",
    "V7sus4",
    "i6", "IV6", "i11", "imaj7", "Iadd9", "iadd9", "I69", "V7b9", "V7#9", "IV9", "Vsus4", "bIImaj7#11", "ii7/3",
)  # fmt: skip


@pytest.mark.parametrize("numeral", NUMERALS)
@pytest.mark.parametrize("key", ["C major", "F# minor", "Eb dorian", "B mixolydian"])
def test_a_chord_has_the_tones_of_its_symbol(numeral: str, key: str) -> None:
    chord = read_numeral(numeral, read_key(key))
    name, _, bass = chord.symbol.partition("/")
    root = name[:2] if name[1:2] in ("b", "#") and name not in ("b",) else name[:1]
    label = f"{root}:{IN_HARTE[name[len(root) :]]}"
    number, bitmap, _ = mir_eval.chord.encode(label, reduce_extended_chords=True)
    expected = set((np.flatnonzero(np.roll(bitmap, number))).tolist())
    assert set(chord.pitches) == expected
    assert chord.pitches[0] == mir_eval.chord.pitch_class_to_semitone(bass or root) % 12


@pytest.mark.parametrize(
    ("numeral", "key", "symbol"),
    [
        ("bVI", "C minor", "Ab"), ("V7/ii", "C major", "A7"), ("V7/V", "Bb major", "C7"), ("IV", "Db major", "Gb"),
        ("V7", "F# minor", "C#7"), ("bVII", "A minor", "G"), ("iiø7", "D minor", "Em7b5"),
        ("I/3", "G major", "G/B"),
        ("bIImaj7", "E minor", "Fmaj7"), ("V7/bVI", "A minor", "C7"), ("vi7", "Eb major", "Cm7"),
    ],
)  # fmt: skip
def test_a_chord_is_spelt_as_its_key_is(numeral: str, key: str, symbol: str) -> None:
    assert read_numeral(numeral, read_key(key)).symbol == symbol


@pytest.mark.parametrize("numeral", ["VIII", "Hmaj7", "I13b5", "", "i7/9", "V7/xx", "I5/7"])
def test_what_is_no_numeral_is_refused(numeral: str) -> None:
    with pytest.raises(ValueError, match=r"no Roman numeral|no chord ends|no such tone|of no degree"):
        read_numeral(numeral, read_key("C major"))


@given(
    st.lists(
        st.sampled_from(["I", "ii", "iii", "IV", "V7", "vi", "viio", "V7/V", "ii7"]), min_size=2, max_size=12
    ),
    st.sampled_from(["C major", "Eb major", "A minor", "F# major"]),
)
def test_four_strict_voices_never_run_in_parallel_fifths_or_octaves(numerals: list[str], key: str) -> None:
    chords = [read_numeral(numeral, read_key(key)) for numeral in numerals]
    voices = voiced(chords, (40, 79), "four_part")
    for chord, pitches in zip(chords, voices, strict=True):
        assert pitches[0] % 12 == chord.bass
        assert {pitch % 12 for pitch in pitches} <= set(chord.pitches)
    for before, after in pairwise(voices):
        # Fifths and octaves between the same two voices, both of which move (Aldwell and Schachter, chapter 5).
        for low in range(4):
            for high in range(low + 1, 4):
                interval, then = (voice[high] - voice[low] for voice in (before, after))
                moved = before[low] != after[low] and before[high] != after[high]
                assert not (moved and interval % 12 == then % 12 and interval % 12 in (0, 7))


def test_two_voices_a_fifth_apart_that_both_rise_are_parallel() -> None:
    assert parallels((48, 55), (50, 57)) == 1
    assert parallels((48, 55), (50, 59)) == 0
    assert parallels((48, 55), (48, 55)) == 0


@given(st.lists(st.sampled_from(["I", "IV", "V", "vi", "ii7", "IVmaj7"]), min_size=2, max_size=16))
def test_chords_move_no_voice_further_than_a_fourth(numerals: list[str]) -> None:
    chords = [read_numeral(numeral, read_key("C major")) for numeral in numerals]
    for before, after in pairwise(voiced(chords, (52, 76), "close")):
        assert max(min(abs(pitch - other) for other in before) for pitch in after) <= 5
