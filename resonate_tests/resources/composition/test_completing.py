"""What is assumed where nothing was said, and that what was said is kept."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resonate_resources.composition.completing import complete
from resonate_resources.composition.composer.compose import compose
from resonate_resources.composition.composer.players import cast_of, roles_of
from resonate_resources.composition.genre import GenreData, genre_data
from resonate_resources.composition.plan import BEATS_A_BAR
from resonate_resources.composition.prompt.reading import read_prompt
from resonate_resources.composition.request import (
    Asked,
    Genre,
    Instrument,
    Metre,
    Reading,
    Request,
    SectionName,
    Understanding,
)
from resonate_resources.recordings.recording import AudioError

GENRES = get_args(Genre)


def request_of(seed: int = 1, **asked: Any) -> Request:
    return complete(Understanding(asked=Asked(**asked)), seed)[0]


def length_s(request: Request) -> float:
    """By `Request.bpm`'s definition: the counted beat is a quarter, a dotted quarter or, of 7/8, an eighth."""
    beat = {"6/8": 1.5, "9/8": 1.5, "12/8": 1.5, "7/8": 0.5}.get(request.metre, 1.0)
    quarters = sum(section.bars for section in request.structure) * BEATS_A_BAR[request.metre]
    return quarters / beat * 60 / request.bpm


@settings(max_examples=300, deadline=None)
@given(
    st.none() | st.sampled_from(GENRES),
    st.none() | st.sampled_from(get_args(Metre)),
    st.none() | st.floats(40, 220),
    st.floats(5, 1800),
    st.integers(0, 100),
)
def test_a_length_that_is_asked_for_is_met_to_within_a_bar(
    genre: Genre | None, metre: Metre | None, bpm: float | None, duration_s: float, seed: int
) -> None:
    request = request_of(seed, genre=genre, metre=metre, bpm=bpm and (bpm, bpm), duration_s=duration_s)
    bars = sum(section.bars for section in request.structure)
    assert abs(length_s(request) - duration_s) <= length_s(request) / bars + 1e-6
    plan_bars = bars * BEATS_A_BAR[request.metre]
    if duration_s < 60:
        assert compose(request, seed).duration_s == pytest.approx(length_s(request))
        assert compose(request, seed).quarters == plan_bars


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(get_args(SectionName)), min_size=3, max_size=12),
    st.integers(12, 300),
    st.sampled_from(GENRES),
)
def test_sections_and_bars_that_are_asked_for_are_kept(
    structure: list[SectionName], bars: int, genre: Genre
) -> None:
    request = request_of(genre=genre, structure=tuple(structure), bars=bars)
    assert [section.name for section in request.structure] == structure
    assert sum(section.bars for section in request.structure) == bars


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(get_args(SectionName)), min_size=1, max_size=2),
    st.integers(64, 300),
    st.sampled_from(GENRES),
    st.integers(0, 1000),
)
def test_a_section_that_is_named_is_in_the_genres_form_and_is_not_all_of_it(
    named: list[SectionName], bars: int, genre: Genre, seed: int
) -> None:
    request = request_of(seed, genre=genre, structure=tuple(named), bars=bars)
    names = [section.name for section in request.structure]
    assert set(named) <= set(names)
    assert len(names) > len(set(named))
    assert sum(section.bars for section in request.structure) == bars
    assert "intro" not in names[1:]
    assert "outro" not in names[:-1]


def test_a_build_leads_to_a_drop() -> None:
    names = [section.name for section in request_of(genre="rock", structure=("drop", "build")).structure]
    assert names[names.index("build") + 1] == "drop"


def test_everything_that_is_said_is_kept() -> None:
    request = request_of(
        genre="house",
        bpm=(123, 123),
        key="Bb dorian",
        metre="4/4",
        instruments=("cello", "drums"),
        bars=32,
        swing=False,
    )
    assert (request.genre, request.bpm, request.key, request.swing) == ("house", 123, "Bb dorian", 0.5)
    assert {"cello", "drums"} <= set(request.instruments)
    assert sum(section.bars for section in request.structure) == 32


@pytest.mark.parametrize("genre", GENRES)
@pytest.mark.parametrize("duration_s", [15, 30, 50, 90])
def test_a_short_piece_has_no_build_that_leads_to_nothing(genre: Genre, duration_s: float) -> None:
    for seed in range(4):
        names = [section.name for section in request_of(seed, genre=genre, duration_s=duration_s).structure]
        for name, after in zip(names, [*names[1:], None], strict=True):
            assert name not in ("build", "pre_chorus") or after in ("drop", "chorus"), names


def test_a_tempo_between_two_is_between_them_and_the_genres_own_if_that_fits() -> None:
    assert 90 <= request_of(genre="techno", bpm=(90, 100)).bpm <= 100
    assert 125 <= request_of(genre="techno", bpm=(60, 200)).bpm <= 145


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(GENRES),
    st.lists(st.sampled_from(get_args(Instrument)), max_size=33, unique=True),
    st.lists(st.sampled_from(get_args(Instrument)), max_size=32, unique=True),
)
def test_refused_instruments_never_play_even_if_they_are_asked_for_too(
    genre: Genre, asked: list[Instrument], refused: list[Instrument]
) -> None:
    request = request_of(genre=genre, instruments=tuple(asked), without=tuple(refused))
    assert not set(request.instruments) & set(refused)
    assert set(asked) - set(refused) <= set(request.instruments)


def test_where_all_instruments_are_refused_it_is_said() -> None:
    with pytest.raises(AudioError, match="every instrument is refused"):
        request_of(without=get_args(Instrument))


def test_nothing_but_a_piano_is_a_piano_alone() -> None:
    others = tuple(name for name in get_args(Instrument) if name != "piano")
    request = request_of(genre="jazz_swing", instruments=("piano",), without=others)
    assert request.instruments == ("piano",)
    assert {part.sound for part in compose(request, 1).parts} == {"piano"}


def test_one_melody_is_asked_for_and_the_genres_own_stays_away() -> None:
    plan = compose(request_of(genre="house", instruments=("flute",)), 1)
    assert [part.sound for part in plan.parts if part.role == "melody"] == ["flute"]


def test_singing_that_is_wanted_is_a_part_and_instrumental_has_none() -> None:
    assert "vocals" in request_of(genre="pop", vocals_wanted=True).instruments
    assert "vocals" not in request_of(genre="pop", vocals_wanted=False, instruments=("vocals",)).instruments


@pytest.mark.parametrize(
    ("asked", "genres"),
    [
        ({"metre": "3/4", "mood": ("romantic",), "instruments": ("accordion",)}, {"waltz"}),
        ({"bpm": (174, 174), "instruments": ("synth_bass",), "mood": ("dark",)}, {"drum_and_bass"}),
        ({"instruments": ("banjo", "violin")}, {"country", "folk"}),
        ({"mood": ("epic", "tense")}, {"cinematic", "metal"}),
        ({"swing": True, "instruments": ("double_bass", "saxophone")}, {"jazz_swing", "blues"}),
        ({"mood": ("calm", "dreamy"), "without": ("drums", "bass")}, {"ambient"}),
        ({}, {"pop"}),
    ],
)  # fmt: skip
def test_the_genre_is_what_everything_else_points_to(asked: dict[str, Any], genres: set[str]) -> None:
    assert {request_of(seed, **asked).genre for seed in range(5)} <= genres


def test_sad_is_in_minor_and_slower_happy_in_major() -> None:
    sad = [request_of(seed, genre="pop", mood=("sad",)) for seed in range(10)]
    happy = [request_of(seed, genre="pop", mood=("happy",)) for seed in range(10)]
    assert all(request.key.endswith("minor") for request in sad)
    assert all(request.key.endswith("major") for request in happy)
    assert sum(request.bpm for request in sad) < sum(request.bpm for request in happy)


def test_an_energy_that_rises_rises() -> None:
    rising = [section.energy for section in request_of(genre="techno", energy="rising").structure]
    falling = [section.energy for section in request_of(genre="techno", energy="falling").structure]
    assert sum(rising[: len(rising) // 2]) / (len(rising) // 2) < rising[-1] - 0.2
    assert falling[-1] < falling[0] - 0.2
    low, high = (max(s.energy for s in request_of(genre="rock", energy=e).structure) for e in ("low", "high"))
    assert low < 0.6 < high


def test_what_was_not_said_is_told_as_assumed_and_what_was_keeps_its_reading() -> None:
    stated = Reading(field="bpm", value="128", how="stated", words="128 bpm")
    understanding = Understanding(asked=Asked(bpm=(128, 128)), readings=(stated,))
    request, readings = complete(understanding, 5)
    assert readings[0] == stated
    assumed = {reading.field: reading.value for reading in readings[1:]}
    assert all(reading.how == "assumed" for reading in readings[1:])
    assert set(assumed) == {"genre", "metre", "key", "swing", "bars", "structure", "instruments"}
    assert assumed["genre"] == request.genre and assumed["key"] == request.key


def test_contradictory_and_invalid_fields_are_assumed_anew() -> None:
    understanding = Understanding(
        asked=Asked(genre="rock", key="C major", bpm=(200, 200)), contradictory=("key",), invalid=("bpm",)
    )
    request, readings = complete(understanding, 3)
    assert {reading.field for reading in readings if reading.how == "assumed"} >= {"key", "bpm"}
    assert 100 <= request.bpm <= 150


@pytest.mark.parametrize("genre", GENRES)
def test_a_genre_is_usual_for_itself(genre: Genre) -> None:
    data = genre_data(genre)
    request = request_of(genre=genre)
    assert data.tempo[0] <= request.bpm <= data.tempo[2]
    assert request.metre == data.metres[0]
    assert request.key.split()[1] in data.modes
    assert abs(length_s(request) - data.length_s) < 0.5 * data.length_s


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"tempo": [130, 120, 140]}, "slowest, usual and fastest"),
        ({"modes": ["locrian"]}, "is no mode"),
        ({"forms": ["verse 8"]}, "is no section"),
        ({"forms": ["verse 8 0.5, hook 8 0.9"]}, "is no section"),
        ({"harmony": {"major": {"any": ["I | Q"]}, "minor": {"any": ["i"]}}}, "no Roman numeral"),
        ({"harmony": {"major": {"verse": ["I"]}, "minor": {"any": ["i"]}}}, "for any section are missing"),
        ({"drums": {"kit": "kit_909", "groove": {"mid": {"kick": "X..X."}}}}, "which 4 beats don't divide"),
        ({"drums": {"kit": "kit_909", "groove": {"mid": {"gong": "X..."}}}}, "are no voices of a kit"),
        ({"drums": {"kit": "kit_909", "groove": {"mid": {"kick": "X..y"}}}}, "should match pattern"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
    ],
)  # fmt: skip
def test_a_genre_that_is_written_wrong_is_refused_with_the_reason(change: dict[str, Any], told: str) -> None:
    import tomllib
    from importlib import resources

    file = resources.files("resonate_resources.composition") / "genres" / "house.toml"
    written = tomllib.loads(file.read_text("utf-8")) | {"name": "house"}
    with pytest.raises(ValueError, match=told):
        GenreData.model_validate(written | change)


def test_of_a_genre_that_is_not_ours_the_nearest_is_assumed_as_the_remark_says() -> None:
    understanding = read_prompt("a tango in A minor, slow")
    assert understanding.asked.genre is None
    request, readings = complete(understanding, 1)
    assert request.genre == "latin_salsa"
    assert any(each.field == "genre" and each.how == "assumed" for each in readings)
    assert "nearest is latin salsa" in " ".join(understanding.remarks)


FORM = ({"name": "verse", "bars": 6, "energy": 0.3}, {"name": "chorus", "bars": 10, "energy": 0.9})


def test_a_form_that_is_given_whole_is_played_bar_by_bar_whatever_else_is_said() -> None:
    request = request_of(genre="rock", sections=FORM, bars=64, duration_s=200, energy="rising", mood=("sad",))
    assert [section.model_dump() for section in request.structure] == list(FORM)
    plan = compose(request, 1)
    assert [(each.name, each.first_bar, each.bars) for each in plan.sections] == [
        ("verse", 0, 6),
        ("chorus", 6, 10),
    ]


def test_players_that_are_given_whole_play_what_they_are_to_and_nobody_else_does() -> None:
    players = ({"instrument": "violin", "role": "countermelody"}, {"instrument": "piano", "role": "melody"})
    request = request_of(genre="house", players=players, instruments=("drums",), without=("piano",))
    assert request.instruments == ("violin", "piano")
    parts = compose(request, 1).parts
    assert {(part.sound, part.role) for part in parts} == {("violin", "countermelody"), ("piano", "melody")}
    assert all(part.notes for part in parts)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(GENRES), st.sampled_from(get_args(Instrument)))
def test_any_instrument_plays_alone_in_any_of_its_roles(genre: Genre, instrument: Instrument) -> None:
    for role in roles_of(instrument):
        request = request_of(genre=genre, players=({"instrument": instrument, "role": role},), bars=8)
        (part,) = compose(request, 1).parts
        assert (part.role, bool(part.notes)) == (role, True)


def test_who_cannot_play_what_it_is_to_is_refused_in_a_line() -> None:
    with pytest.raises(AudioError, match="players: flute can't play bass; it can play melody, countermelody"):
        request_of(players=({"instrument": "flute", "role": "bass"},))


def test_nothing_that_is_given_whole_is_told_as_assumed() -> None:
    asked = Asked(genre="rock", sections=FORM, players=({"instrument": "piano", "role": "melody"},))  # type: ignore[arg-type]
    _, readings = complete(Understanding(asked=asked), 1)
    assert not {"structure", "bars", "instruments"} & {reading.field for reading in readings}


def test_a_form_that_is_longer_than_half_an_hour_is_refused_in_a_line() -> None:
    def of(bars: int) -> Request:  # at 120 BPM a bar of 4/4 lasts 2 s
        sections = ({"name": "verse", "bars": bars, "energy": 0.5},)
        return request_of(genre="rock", bpm=(120, 120), metre="4/4", sections=sections)

    assert of(900).structure[0].bars == 900
    with pytest.raises(AudioError, match="sections: together they last longer than 30 minutes"):
        of(901)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"structure": ("verse",) * 1000}, "sections"),
        ({"structure": ("verse",) * 1000, "duration_s": 60}, "sections"),
        ({"bars": 1024, "bpm": (30, 30)}, "bars"),
    ],
)
def test_no_piece_is_longer_than_half_an_hour_whatever_makes_it_so(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(AudioError, match=f"{told}: together they last longer than 30 minutes"):
        request_of(genre="rock", metre="4/4", **asked)


@pytest.mark.parametrize("genre", GENRES)
def test_asking_for_those_who_would_play_anyway_changes_no_note(genre: Genre) -> None:
    request = request_of(genre=genre, bars=16)
    players = tuple({"instrument": each.instrument, "role": each.slot.role} for each in cast_of(request))
    asked = request_of(genre=genre, bars=16, players=players)
    assert compose(asked, 1).parts == compose(request, 1).parts
