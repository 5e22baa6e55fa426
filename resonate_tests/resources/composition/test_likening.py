"""What a reference says, and what becomes of it in a request."""

from __future__ import annotations

from typing import Any

import pytest

from resonate_resources.composition.completing import complete
from resonate_resources.composition.composer.compose import compose
from resonate_resources.composition.likening import onsets_of
from resonate_resources.composition.reference import Reference
from resonate_resources.composition.request import Asked, Request, Understanding
from resonate_resources.recordings.recording import AudioError
from resonate_resources.signal.octaves import OCTAVES_HZ

OCTAVES_DB = tuple(-20.0 - 3 * abs(place - 3) for place in range(len(OCTAVES_HZ)))


def profile(**other: Any) -> dict[str, Any]:
    """As profile.json has it: 100 BPM, D minor, 4/4, swung."""
    return {
        "duration_s": 96.0,
        "tempo_bpm": 100.0,
        "tempo_confidence": 0.9,
        "beats_s": [0.6 * beat for beat in range(160)],
        "time_signatures": [{"start_s": 0.0, "numerator": 4, "denominator": 4}],
        "metre_confidence": 0.9,
        "swing": 0.66,
        "key": "D minor",
        "key_confidence": 0.9,
        "loudness": {"integrated_lufs": -9.5},
        "octaves_db": OCTAVES_DB,
        "width_db": -9.0,
        **other,
    }


ANALYSIS = {
    "has_bars": True,
    "bars": [{"start_s": 2.4 * bar, "level_db": -30.0 + (bar >= 8) * 8} for bar in range(40)],
    "sections": [
        {"bar": 1, "label": "A", "name": "intro", "level_db": -26.0},
        {"bar": 5, "label": "B", "name": None, "level_db": -22.0},
        {"bar": 13, "label": "C", "name": "chorus", "level_db": -16.0},
        {"bar": 29, "label": "B", "name": "verse", "level_db": -22.0},
        {"bar": 37, "label": "A", "name": "outro", "level_db": -26.0},
    ],
}


def reference(onsets: float | None = None, excerpt: bool = False, **other: Any) -> Reference:
    return Reference.of("song.mp3", profile(**other), ANALYSIS, onsets, excerpt)


def completed(heard: Reference, seed: int = 3, **asked: Any) -> tuple[Request, dict[str, str]]:
    """The request, and where each field is from."""
    asked_for = Asked(reference_name=None, **asked)
    request, readings = complete(Understanding(asked=asked_for), seed, heard)
    return request, {reading.field: reading.how for reading in readings}


def test_a_key_that_a_person_told_of_a_track_counts_and_one_that_is_hardly_heard_does_not() -> None:
    assert reference(key="E major", key_confidence=None).key == "E major"  # as the profile has the brief's
    assert reference(key="E major", key_confidence=0.2).key is None


def test_what_nobody_said_is_as_in_the_reference() -> None:
    request, how = completed(reference(), genre="rock")
    assert (request.bpm, request.key, request.metre) == (100.0, "D minor", "4/4")
    assert request.swing == 0.66
    assert [(section.name, section.bars) for section in request.structure] == [
        ("intro", 4), ("verse", 8), ("chorus", 16), ("verse", 8), ("outro", 4),
    ]  # fmt: skip
    energies = [section.energy for section in request.structure]
    assert max(energies) == energies[2]
    assert min(energies) == energies[0] == energies[4]
    assert request.balance
    assert request.balance.octaves_db == OCTAVES_DB
    for field in ("bpm", "key", "metre", "swing", "structure", "bars", "balance"):
        assert how[field] == "reference"
    assert how["instruments"] == "assumed"


def test_words_win() -> None:
    request, how = completed(
        reference(), genre="rock", bpm=(140.0, 140.0), key="G major", metre="3/4", swing=False, bars=24
    )
    assert (request.bpm, request.key, request.metre, request.swing) == (140.0, "G major", "3/4", 0.5)
    assert sum(section.bars for section in request.structure) == 24
    assert not {"bpm", "key", "metre", "swing", "bars"} & how.keys()


def test_a_length_that_is_asked_for_is_that_of_the_same_form() -> None:
    request, how = completed(reference(), genre="rock", duration_s=48.0)
    assert sum(section.bars for section in request.structure) == 20  # of 2.4 s
    assert "chorus" in [section.name for section in request.structure]
    assert how["bars"] == "assumed"
    assert how["structure"] == "reference"


def test_a_form_that_is_asked_for_is_not_the_references() -> None:
    request, how = completed(reference(), genre="rock", structure=("verse", "chorus", "bridge"))
    assert [section.name for section in request.structure] == ["verse", "chorus", "bridge"]
    assert "structure" not in how


def test_the_tempo_is_told_as_the_genre_tells_it() -> None:
    """A reference at 87 BPM and drum and bass at 174 are the same tempo, told in two ways."""
    half = reference(tempo_bpm=87.0, beats_s=[])
    assert completed(half, genre="drum_and_bass")[0].bpm == 174.0
    assert completed(half, genre="hip_hop")[0].bpm == 87.0
    assert completed(reference(tempo_bpm=101.0, beats_s=[]), genre="techno")[0].bpm == 101.0


def test_the_genre_of_swung_sixteenths_keeps_its_own_swing() -> None:
    request, how = completed(reference(), genre="lofi_hip_hop")
    assert request.swing != 0.66
    assert how["swing"] == "assumed"


def test_choruses_are_drops_in_genres_that_have_no_choruses() -> None:
    request, _ = completed(reference(), genre="drum_and_bass", bpm=(174.0, 174.0))
    names = {section.name for section in request.structure}
    assert "drop" in names
    assert "chorus" not in names


@pytest.mark.parametrize("wanted", [3.0, 9.0])
def test_density_is_brought_towards_the_references(wanted: float) -> None:
    without, _ = completed(reference(), genre="house", bars=32)
    dense, how = completed(reference(wanted), genre="house", bars=32)
    own, moved = (onsets_of(compose(request, 3)) for request in (without, dense))
    assert abs(moved - wanted) < abs(own - wanted)
    assert how["density"] == "reference"


def test_an_energy_that_is_asked_for_stays() -> None:
    low, _ = completed(reference(9.0), genre="house", bars=32, energy="low")
    assert low.structure == completed(reference(), genre="house", bars=32, energy="low")[0].structure


@pytest.mark.parametrize(
    ("other", "lacks"),
    [
        ({"tempo_confidence": 0.3}, {"bpm", "metre", "swing", "form"}),
        ({"key_confidence": 0.3}, {"key"}),
        ({"metre_confidence": 0.3}, {"metre"}),
        ({"duration_s": 20.0}, {"form"}),
        ({"swing": None}, {"swing"}),
        ({"width_db": None}, set()),
    ],
)
def test_what_is_not_sure_is_not_taken(other: dict[str, Any], lacks: set[str]) -> None:
    found = reference(**other)
    fields = {
        "bpm": found.bpm,
        "key": found.key,
        "metre": found.metre,
        "swing": found.swing,
        "form": found.form,
    }
    assert {name for name, value in fields.items() if not value} == lacks
    assert bool(found.remarks) == bool(lacks & {"bpm", "key", "form"})


def test_where_the_analysis_tells_one_section_those_by_timbre_count() -> None:
    """At 19.3 s the ninth bar has begun a tenth of a second before."""
    whole = {**ANALYSIS, "sections": [{"bar": 1, "label": "A", "level_db": -23.0}]}
    by_timbre = [
        {"start_s": 0.0, "end_s": 19.3, "label": "A"},
        {"start_s": 19.3, "end_s": 96.0, "label": "B"},
    ]
    form = Reference.of("song.mp3", profile(sections=by_timbre), whole).form
    assert [(section.name, section.bars) for section in form] == [("intro", 8), ("chorus", 32)]


def test_of_an_excerpt_no_form_is_told() -> None:
    assert reference(excerpt=True).form == ()


def test_the_tempo_is_that_of_all_beats() -> None:
    """Beats on a grid of 10 ms have a usual distance of 0.43 or 0.44 s at 138 BPM."""
    beats = [round(60 / 138 * beat, 2) for beat in range(200)]
    assert reference(tempo_bpm=60 / 0.43, beats_s=beats).bpm == 138.0


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"loudness": {"integrated_lufs": None}}, "silent"),
        ({"duration_s": 1.0}, "lasts 1.0 s"),
        ({"tempo_bpm": None, "key": None}, "neither a beat nor a key"),
    ],
)
def test_what_has_no_music_in_it_is_refused_in_one_line(other: dict[str, Any], told: str) -> None:
    with pytest.raises(AudioError, match=told) as refused:
        reference(**other)
    assert str(refused.value).startswith("song.mp3: ")
    assert "\n" not in str(refused.value)


def test_without_a_reference_nothing_changes() -> None:
    asked = Understanding(asked=Asked(genre="rock", reference_name=None))
    request, readings = complete(asked, 3)
    assert request.balance is None
    assert {reading.how for reading in readings} == {"assumed"}
