"""What holds of everything composed, whatever was asked for."""

from __future__ import annotations

from itertools import pairwise
from time import perf_counter
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resonate_resources.composition.completing import complete
from resonate_resources.composition.composer.compose import compose
from resonate_resources.composition.plan import BEATS_A_BAR, Plan
from resonate_resources.composition.request import (
    MODES,
    Asked,
    Genre,
    Instrument,
    Metre,
    Request,
    Section,
    Understanding,
)
from resonate_tests.resources.composition.composed import chord_at, composed, part_of

GENRES = get_args(Genre)
KEYS = [
    f"{tonic} {mode}"
    for tonic in ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
    for mode in MODES
]
SCALES = {  # semitones above the tonic: the church modes
    "major": {0, 2, 4, 5, 7, 9, 11}, "minor": {0, 2, 3, 5, 7, 8, 10}, "dorian": {0, 2, 3, 5, 7, 9, 10},
    "phrygian": {0, 1, 3, 5, 7, 8, 10}, "lydian": {0, 2, 4, 6, 7, 9, 11}, "mixolydian": {0, 2, 4, 5, 7, 9, 10},
}  # fmt: skip
TONICS = {
    "C": 0,
    "Db": 1,
    "C#": 1,
    "D": 2,
    "Eb": 3,
    "E": 4,
    "F": 5,
    "F#": 6,
    "G": 7,
    "Ab": 8,
    "A": 9,
    "Bb": 10,
    "B": 11,
}
LOWEST = {
    "violin": 55,
    "flute": 60,
    "cello": 36,
    "acoustic_guitar": 40,
    "trumpet": 54,
    "bass": 23,
    "double_bass": 24,
}
"""Sounding pitches (Adler, "The Study of Orchestration"; a bass of five strings)."""
CHROMATIC = ("blues", "jazz_swing", "bossa_nova", "gospel", "funk")
"""Whose melodies follow chords outside the key, or have blue notes."""
BY_EAR_S = 0.06
"""A note that is played early or late by as much is still meant on its beat."""


@st.composite
def requests(draw: Any) -> Request:
    instruments = st.lists(st.sampled_from(get_args(Instrument)), max_size=4, unique=True)
    named = draw(instruments)
    asked = Asked(
        genre=draw(st.sampled_from(GENRES)),
        key=draw(st.none() | st.sampled_from(KEYS)),
        metre=draw(st.none() | st.none() | st.sampled_from(get_args(Metre))),
        instruments=tuple(named),
        without=tuple(name for name in draw(instruments) if name not in named),
        duration_s=draw(st.none() | st.floats(10, 120)),
        energy=draw(st.sampled_from([None, None, "rising", "low", "high", "wave"])),
        swing=draw(st.none() | st.booleans()),
    )
    request, _ = complete(Understanding(asked=asked), draw(st.integers(0, 1000)))
    assert set(named) <= set(request.instruments)
    assert not set(asked.without) & set(request.instruments)
    return request


many = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@many
@given(requests(), st.integers(0, 2**32))
def test_notes_lie_within_the_plan_and_the_instruments(request: Request, seed: int) -> None:
    plan = compose(request, seed)
    assert [(s.name, s.bars) for s in plan.sections] == [(s.name, s.bars) for s in request.structure]
    assert plan.bars == sum(section.bars for section in request.structure)
    for part in plan.parts:
        assert part.notes == tuple(sorted(part.notes))
        assert all(onset + length <= plan.quarters + 1e-4 for onset, length, _, _ in part.notes)
        if part.sound in LOWEST:
            assert min(note[2] for note in part.notes) >= LOWEST[part.sound]
        if part.stem == "drums":
            assert all(27 <= note[2] <= 87 for note in part.notes)  # of General MIDI 2's kits


@many
@given(requests(), st.integers(0, 2**32))
def test_every_instrument_plays_and_no_other(request: Request, seed: int) -> None:
    plan = compose(request, seed)
    kits = {"drums": "drums"} if "drums" in request.instruments else {}
    sounds = {kits.get(part.role, part.sound) for part in plan.parts}
    assert sounds == set(request.instruments)
    assert all(part.notes for part in plan.parts)
    assert len({part.name for part in plan.parts}) == len(plan.parts)


@many
@given(requests(), st.integers(0, 2**32))
def test_bass_and_melody_are_one_voice_each(request: Request, seed: int) -> None:
    plan = compose(request, seed)
    for part in plan.parts:
        if part.role in ("bass", "melody", "countermelody"):
            assert all(a[0] + a[1] <= b[0] + 1e-4 for a, b in pairwise(part.notes)), part.name


@many
@given(requests(), st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_bytes(request: Request, seed: int) -> None:
    assert compose(request, seed).model_dump_json() == compose(request, seed).model_dump_json()


@many
@given(requests(), st.integers(0, 2**32))
def test_no_bar_is_silent_and_the_end_is_the_tonic(request: Request, seed: int) -> None:
    plan = compose(request, seed)
    assert all(part.notes for part in plan.parts)  # whoever is named plays
    pitched = [part for part in plan.parts if part.stem != "drums"]
    if not pitched:
        return
    bar = BEATS_A_BAR[plan.metre]
    for number in range(plan.bars):
        begins, ends = number * bar, (number + 1) * bar
        assert any(n[0] < ends and n[0] + n[1] > begins for part in plan.parts for n in part.notes), number
    if plan.sections[-1].bars > 1:
        tonic = TONICS[plan.key.split()[0]]
        assert chord_at(plan, plan.quarters - bar).pitches[0] == tonic
        lasts = [
            part.notes[-1] for part in pitched if part.notes[-1][0] + part.notes[-1][1] > plan.quarters - bar
        ]
        assert lasts  # somebody holds the end


@pytest.mark.parametrize("genre", GENRES)
def test_melodies_fit_scale_and_chords_and_recover_their_leaps(genre: Genre) -> None:
    inside = strong = consonant = notes = leaps = recovered = wide = 0
    for seed in range(6):
        plan = composed(genre, seed, swing=False)
        melody = part_of(plan, "melody").notes
        tonic, mode = plan.key.split()
        late = BY_EAR_S * plan.bpm / 60
        for onset, _, pitch, _ in melody:
            notes += 1
            chord = chord_at(plan, onset + late)
            inside += (pitch - TONICS[tonic]) % 12 in SCALES[mode] or (
                genre in CHROMATIC and pitch % 12 in chord.pitches
            )
            if (onset + late) % BEATS_A_BAR[plan.metre] < 2 * late:  # on the one
                strong += 1
                consonant += pitch % 12 in chord.pitches
        steps = [b[2] - a[2] for a, b in pairwise(melody)]
        wide += sum(abs(step) > 12 for step in steps)
        for step, then in pairwise(steps):
            if abs(step) > 7:
                leaps += 1
                recovered += step * then <= 0
        assert max(n[2] for n in melody) - min(n[2] for n in melody) <= 24
    assert inside >= 0.9 * notes
    assert consonant >= 0.9 * strong
    assert wide <= 0.01 * notes  # between sections
    assert recovered >= 0.6 * leaps


@pytest.mark.parametrize("genre", GENRES)
def test_no_two_seeds_are_alike(genre: Genre) -> None:
    plans = [composed(genre, seed, key="C minor") for seed in range(12)]
    melodies = {tuple((round(n[0] * 4), n[2]) for n in part_of(plan, "melody").notes) for plan in plans}
    assert len(melodies) == len(plans)
    assert len({tuple(chord.degree for chord in plan.chords) for plan in plans}) >= 4


KRUMHANSL = {  # Krumhansl and Kessler 1982
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}


def heard_key(plan: Plan) -> tuple[int, str]:
    """The key whose profile goes best with how long and loud each pitch class sounds."""
    weights = np.zeros(12)
    for part in plan.parts:
        if part.stem != "drums":
            for _, length, pitch, velocity in part.notes:
                weights[pitch % 12] += min(length, 4) * velocity
    fits = {
        (tonic, mode): np.corrcoef(weights, np.roll(profile, tonic))[0, 1]
        for mode, profile in KRUMHANSL.items()
        for tonic in range(12)
    }
    return max(fits, key=fits.__getitem__)


def test_an_independent_key_finder_hears_the_key() -> None:
    right = alike = total = 0
    for genre in GENRES:
        for seed in range(4):
            plan = composed(genre, seed)
            tonic, mode = plan.key.split()
            heard, as_mode = heard_key(plan)
            family = "minor" if mode in ("minor", "dorian", "phrygian") else "major"
            own = {(TONICS[tonic] + step) % 12 for step in SCALES[mode]}
            exact = heard == TONICS[tonic] and as_mode == family
            right += exact
            alike += exact or {(heard + step) % 12 for step in SCALES[as_mode]} == own
            total += 1
    assert right >= 0.85 * total
    assert alike >= 0.9 * total


def test_one_part_changes_no_other() -> None:
    plan, other = composed("house", 3), composed("house", 3, without=("piano",))
    for name in ("drums", "synth bass bass", "synth lead melody", "percussion"):
        notes = [next(part.notes for part in p.parts if part.name == name) for p in (plan, other)]
        assert notes[0] == notes[1], name


def test_sections_of_one_name_have_the_same_chords() -> None:
    for genre in ("rock", "synthwave", "rnb_soul"):
        plan = composed(genre, 1)
        choruses = [section for section in plan.sections if section.name == "chorus"]
        first = [
            [c.degree for c in plan.chords if s.first_bar * 4 <= c.onset < (s.first_bar + 4) * 4 - 4]
            for s in choruses
        ]
        assert len(first) > 1 and all(chords[1:] == first[0][1:] for chords in first)


def test_a_triplet_lies_where_it_is_written_and_an_off_beat_where_swing_has_it() -> None:
    from resonate_resources.composition.composer.humanising import swung

    assert swung(4.5, 2 / 3, 0.5) == pytest.approx(4 + 2 / 3)
    assert swung(4 + 2 / 3, 2 / 3, 0.5) == pytest.approx(4 + 2 / 3)
    assert swung(7.0, 0.62, 0.5) == pytest.approx(7.0)
    assert swung(0.25, 0.6, 0.25) == pytest.approx(0.3)


def test_three_minutes_are_composed_in_under_three_seconds() -> None:
    request, _ = complete(Understanding(asked=Asked(genre="disco", duration_s=180)), 99)
    begun = perf_counter()
    compose(request, 99)
    assert perf_counter() - begun < 3


def test_risers_end_where_drops_begin_and_filters_open_over_parts_that_play() -> None:
    plan = composed("trance", 1)
    drops = {section.first_bar * 4.0 for section in plan.sections if section.name == "drop"}
    assert drops <= {effect.ends for effect in plan.effects if effect.kind == "riser"}
    assert drops <= {effect.begins for effect in plan.effects if effect.kind == "impact"}
    names = {part.name for part in plan.parts}
    for effect in plan.effects:
        assert 0 <= effect.begins < effect.ends <= plan.quarters
        assert set(effect.parts) <= names
        assert bool(effect.parts) == effect.kind.startswith("low_pass")


def test_a_theme_that_comes_again_is_itself_with_ornaments() -> None:
    request = Request(
        title="", genre="folk", bpm=100, key="C major", metre="4/4", instruments=("piano", "vocals"),
        structure=tuple(Section(name="verse", bars=8, energy=0.8) for _ in range(3)),
    )  # fmt: skip
    kept = added = 0
    for seed in range(8):
        (melody,) = (part for part in compose(request, seed).parts if part.role == "melody")
        first, again = (
            {
                (round(onset - begin, 1), pitch)
                for onset, _, pitch, _ in melody.notes
                if 0 <= onset - begin < 28
            }
            for begin in (0, 32)
        )
        kept += len(first & again) / len(first) / 8
        added += len(again) > len(first)
    assert kept > 0.8
    assert added >= 7
