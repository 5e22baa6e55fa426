"""The desk: what it hears is what librosa hears, and no move gets further than it may."""

from __future__ import annotations

import math

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.mixing.conductor.desk import MOST_DB, MOST_MOVES, DeskError
from resonate_resources.mixing.conductor.nuance import BANDS, Judgement, Sound
from resonate_resources.mixing.wishes import bounded
from resonate_resources.signal.octaves import OCTAVES_HZ
from resonate_tests.resources.mixing.conductor.desks import (
    HARSH,
    MUD,
    SPECTRA,
    desk,
    holdings,
    kind,
)


def test_centroid_and_flatness_are_librosas() -> None:
    power = np.random.default_rng(1).exponential(size=len(SPECTRA.hertz)) / (1 + SPECTRA.hertz / 500)
    sound = Sound.of(SPECTRA.hertz, power, SPECTRA.by_octave(power))
    magnitude = np.sqrt(power)[1:, None]
    centroid = librosa.feature.spectral_centroid(S=magnitude, freq=SPECTRA.hertz[1:])
    assert sound.centroid_hz == pytest.approx(float(centroid[0, 0]), rel=1e-6)
    flatness = librosa.feature.spectral_flatness(S=magnitude, amin=1e-20)
    assert sound.flatness == pytest.approx(float(flatness[0, 0]), rel=1e-6)


def test_levels_are_those_of_the_samples() -> None:
    sound = desk().analyze_nuance("vocals").sound
    assert sound.octaves_dbfs == pytest.approx([-20.0] * 10)
    assert sound.rms_dbfs == pytest.approx(-20 + 10 * math.log10(10))


def test_a_mix_whose_stems_cancel_in_part_keeps_that_as_it_came() -> None:
    apart = desk(kind(spread_db=4.0), holdings(mix=0.5), free=True)
    before = apart.analyze_nuance("mix").sound
    assert before.rms_dbfs == pytest.approx(-20 + 10 * math.log10(10 * 4 * 0.5))
    apart.adjust_mixing_parameter("mix", "low", 1.5, "trial")
    after = apart.analyze_nuance("mix").sound
    gained = np.subtract(after.octaves_dbfs, before.octaves_dbfs)
    assert gained[:2] == pytest.approx([1.5, 1.5], abs=0.05)
    assert gained[5:] == pytest.approx([0] * 5)


def test_silence_has_no_nuance_and_no_move_helps_it() -> None:
    silent = desk(held=holdings({"vocals": [-math.inf] * 10, "other": [-math.inf] * 10}))
    heard = silent.analyze_nuance("mix")
    assert heard.sound == Sound(None, None, -math.inf, (-math.inf,) * 10)
    assert heard.told()["rms_dbfs"] is None
    assert silent.adjust_mixing_parameter("mix", "low", 3.0, "why not").outcome == "undone"


def test_a_move_that_takes_off_what_is_too_much_is_kept_and_measured() -> None:
    muddy = desk(kind(MUD))
    move = muddy.adjust_mixing_parameter("mix", "low_mid", -5.0, "9 dB over its kind")
    assert move.outcome == "kept"
    assert move.after < move.before
    assert muddy.analyze_nuance("mix").judgement.outside_db == move.after  # type: ignore[union-attr]
    assert muddy.wishes.tone_db == (0, 0, 0, -5, -5, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(("band", "value_db"), [("low_mid", 3.0), ("presence", -4.0), ("mid", 0.0)])
def test_a_move_that_is_no_improvement_is_undone_at_once(band: str, value_db: float) -> None:
    muddy = desk(kind(MUD))
    wishes, sound = muddy.wishes, muddy.analyze_nuance("mix").sound
    move = muddy.adjust_mixing_parameter("mix", band, value_db, "a guess")
    assert move.outcome == "undone"
    assert move.told
    assert muddy.wishes == wishes
    assert muddy.analyze_nuance("mix").sound == sound


def test_with_a_wish_what_makes_nothing_worse_is_kept_and_what_does_is_not() -> None:
    wished = desk(free=True)
    assert wished.adjust_mixing_parameter("vocals", "gain", 2.0, "voice in front").outcome == "kept"
    assert wished.adjust_mixing_parameter("mix", "low_mid", 6.0, "warmer").outcome == "undone"
    assert desk().adjust_mixing_parameter("vocals", "gain", 2.0, "voice in front").outcome == "undone"


@pytest.mark.parametrize(
    ("target", "parameter", "value_db"),
    [
        ("brass", "gain", 1.0),
        ("mix", "gain", 1.0),
        ("vocals", "reverb", 1.0),
        ("vocals", "gain", math.nan),
        ("vocals", "gain", -math.inf),
        ("vocals", "gain", 1e9),
        ("vocals", "gain", -6.1),
        ("vocals", "gain", "loud"),
        ("vocals", "gain", True),
        ("vocals", "gain", None),
        ("", "", 0.0),
    ],
)
def test_what_can_not_be_meant_is_refused_told_and_moves_nothing(
    target: str, parameter: str, value_db: float
) -> None:
    steady = desk(free=True)
    before = steady.wishes
    move = steady.adjust_mixing_parameter(target, parameter, value_db, "nonsense")
    assert (move.outcome, steady.wishes) == ("refused", before)
    assert move.told
    assert "\n" not in move.told
    assert move.value_db is None or math.isfinite(move.value_db)
    assert steady.moves == (move,)


def test_an_unknown_target_is_named_as_such_with_those_that_are_there() -> None:
    with pytest.raises(DeskError, match=r"vocals, drums, bass, other, mix"):
        desk().analyze_nuance("choir")


def test_a_parameter_goes_no_further_than_its_bound_all_moves_together() -> None:
    harsh = desk(kind((0,) * 7 + (20, 20, 0)))
    assert harsh.adjust_mixing_parameter("mix", "presence", -4.0, "").outcome == "kept"
    assert harsh.analyze_nuance("mix").room_db["presence"] == pytest.approx((-2.0, 10.0))
    assert harsh.adjust_mixing_parameter("mix", "presence", -4.0, "").outcome == "refused"
    assert harsh.adjust_mixing_parameter("mix", "presence", -2.0, "").outcome == "kept"
    assert min(harsh.wishes.tone_db) == -MOST_DB


def test_the_desk_closes_after_twelve_moves_whatever_became_of_them() -> None:
    busy = desk(kind(MUD))
    for number in range(MOST_MOVES):
        busy.adjust_mixing_parameter(("mix", "brass")[number % 2], "low_mid", 1.0, "again")
    assert busy.closed
    held = busy.wishes
    with pytest.raises(DeskError, match="12 moves"):
        busy.adjust_mixing_parameter("mix", "low_mid", -3.0, "at last")
    assert (busy.wishes, len(busy.moves)) == (held, MOST_MOVES)


def test_a_reason_is_kept_as_one_line_of_bounded_length() -> None:
    move = desk().adjust_mixing_parameter("mix", "low", 1.0, "one\ntwo\x1b[31m" + "x" * 5000)
    assert move.reason.startswith("one two [31mxxx")
    assert len(move.reason) == 200


def test_a_stem_moves_by_what_it_is_worth_and_is_measured_by_that() -> None:
    poor = desk(held=holdings(astray=0.5), free=True)
    before = poor.analyze_nuance("vocals").sound.rms_dbfs
    poor.adjust_mixing_parameter("vocals", "gain", 6.0, "louder")
    moved = poor.analyze_nuance("vocals").sound.rms_dbfs - before
    allowed = bounded(poor.wishes, holdings(astray=0.5), -24.0).gains_db["vocals"]
    assert moved == pytest.approx(allowed)
    assert 0 < moved < 2


def test_an_organ_of_800_hertz_within_its_kind_is_not_muddy_and_one_beyond_it_is() -> None:
    levels = {"other": [-30, -20, -15, -12, -12, -16, -30, -50, -60, -70]}
    for wide, muddy in ((12.0, False), (1.0, True)):
        heard = desk(kind(MUD, wide), holdings(levels)).analyze_nuance("mix")
        assert heard.sound.centroid_hz is not None
        assert heard.sound.centroid_hz < 1500
        assert heard.judgement is not None
        assert (heard.judgement.muddy, heard.judgement.outside_db > 0) == (muddy, muddy)


def test_a_bright_mix_within_its_kind_is_not_harsh_and_one_beyond_it_is() -> None:
    for excess, harsh in ((None, False), (HARSH, True)):
        heard = desk(kind(excess or (0,) * 10)).analyze_nuance("mix")
        assert heard.sound.centroid_hz is not None
        assert heard.sound.centroid_hz > 4000
        assert heard.judgement is not None
        assert heard.judgement.harsh is harsh


def test_an_excess_of_lows_over_1500_hertz_is_a_defect_but_not_muddy() -> None:
    judgement = Judgement(kind(MUD), 2.0, 2500.0)
    assert judgement.outside_db > 0
    assert not judgement.muddy
    assert Judgement(kind(MUD), 2.0, 1000.0).outside_db > judgement.outside_db


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["vocals", "drums", "mix", "nobody"]),
            st.sampled_from(["gain", *BANDS, "reverb"]),
            st.floats(),
        ),
        max_size=14,
    )
)
def test_whatever_is_asked_nothing_passes_its_bound_and_the_measure_never_rises(
    asked: list[tuple[str, str, float]],
) -> None:
    any_desk = desk(kind(MUD, 2.0), free=True)
    first = any_desk.analyze_nuance("mix").judgement
    for target, parameter, value_db in asked[:MOST_MOVES]:
        any_desk.adjust_mixing_parameter(target, parameter, value_db, "any")
    last = any_desk.analyze_nuance("mix").judgement
    assert first is not None
    assert last is not None
    assert last.outside_db <= first.outside_db + 1e-4
    wishes = any_desk.wishes
    for stem, gain_db in wishes.gains_db.items():
        assert abs(gain_db) <= MOST_DB + 1e-4
        assert np.abs(wishes.tone_of(stem)).max() <= MOST_DB + 1e-4
    assert np.abs(wishes.tone_db).max() <= MOST_DB + 1e-4
    assert len(any_desk.moves) == len(asked[:MOST_MOVES])


def test_bands_part_the_octaves_among_them() -> None:
    assert np.sum(list(BANDS.values()), axis=0).tolist() == [1] * len(OCTAVES_HZ)
