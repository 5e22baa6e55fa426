"""What quality control finds worst is mended by the decision that is likeliest to mend it, once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.quality import scales as quality
from resonate_resources.quality.comparison import Comparison
from resonate_resources.quality.difference import Difference
from resonate_resources.quality.report import Finding, as_json
from resonate_resources.regeneration.decisions import Change, InstrumentChoice, apply, value_at
from resonate_resources.regeneration.facts import StemFacts
from resonate_resources.regeneration.quality_report import QualityReport
from resonate_resources.regeneration.rules import correct, decide
from resonate_tests.resources.regeneration.rebuilt import CANDIDATES, DECISIONS, DIMENSIONS, FACTS, report

SECOND = InstrumentChoice(kind="soundfont", label="Fingered Bass")


@pytest.mark.parametrize(
    ("dimension", "found", "path", "after"),
    [
        ("timbre", {}, "stems.bass.instrument", SECOND),
        ("mel_spectrogram_correlation", {}, "stems.bass.instrument", SECOND),
        ("reverb", {"change": -1.0}, "stems.bass.gate", 1.25),
        ("reverb", {"change": 1.0}, "stems.bass.gate", 0.8),
        ("reverb", {}, "stems.bass.gate", 0.8),
        ("noise_floor", {}, "stems.bass.gate", 0.8),
        ("stereo_width", {"change": -6.02}, "stems.bass.width", 2.0),
        ("bpm_phase", {"change": 12.0}, "stems.bass.shift_ms", -12.0),
        ("bpm_phase", {"change": -80.0}, "stems.bass.shift_ms", 50.0),
        ("rms_per_section", {}, "stems.bass.level_per", "beat"),
        ("energy_curve", {}, "stems.bass.level_per", "beat"),
        ("bass_pattern", {}, "stems.bass.instrument", SECOND),
    ],
)
def test_each_dimension_has_its_mend(dimension: str, found: dict[str, Any], path: str, after: Any) -> None:
    change = correct(DECISIONS, report({dimension: 40.0}, "bass", **found), CANDIDATES, ())
    assert change is not None
    assert change.path == path
    assert change.after == (pytest.approx(after, abs=0.01) if isinstance(after, float) else after)
    assert dimension.replace("_", " ") in change.reason
    assert change.by == "rules"


def test_a_balance_that_is_off_is_mended_at_the_bus_first_where_that_has_room() -> None:
    held = DECISIONS.model_copy(update={"bus_eq_db": 2.0})
    change = correct(held, report({"octave_balance": 40.0}, "bass"), CANDIDATES, ())
    assert change is not None
    assert (change.path, change.before, change.after) == ("bus_eq_db", 2.0, 6.0)


def test_what_lacks_most_comes_first_and_what_was_tried_in_vain_gives_way() -> None:
    judged = report({"reverb": 40.0, "timbre": 60.0}, "bass")
    first = correct(DECISIONS, judged, CANDIDATES, ())
    assert first is not None
    assert first.path == "stems.bass.gate"
    tried = [first]
    paths = []
    for _ in range(4):
        change = correct(DECISIONS, judged, CANDIDATES, tried)
        assert change is not None
        tried.append(change)
        paths.append(change.path)
    assert "stems.bass.instrument" in paths[:3]


def test_with_no_stem_blamed_the_one_with_the_nearest_runner_up_is_tried_first() -> None:
    change = correct(DECISIONS, report({"timbre": 40.0}), CANDIDATES, ())
    assert change is not None
    assert change.path == "stems.bass.instrument"  # 0.5 dB farther; other's is 1.5


def test_an_instrument_that_lies_far_off_comes_after_what_costs_less() -> None:
    far = {**CANDIDATES, "bass": [*CANDIDATES["bass"][:1], CANDIDATES["bass"][2]]}  # 2.5 dB behind
    tried: list[Change] = []
    while change := correct(DECISIONS, report({"bass_pattern": 40.0, "timbre": 40.0}, "bass"), far, tried):
        tried.append(change)
    names = [each.path.rsplit(".", 1)[-1] for each in tried]
    assert names.index("bus_eq_db") < names.index("instrument")
    assert names.index("gate") < names.index("instrument")


def test_what_has_pitch_is_never_mended_at_the_drums() -> None:
    for dimension in ("tuning", "harmonic_progression"):
        tried: list[Change] = []
        while change := correct(DECISIONS, report({dimension: 40.0}, "drums"), CANDIDATES, tried):
            tried.append(change)
        assert tried
        assert not any("drums" in each.path for each in tried)


def test_a_kick_is_the_drums() -> None:
    change = correct(DECISIONS, report({"kick_pattern": 40.0}, "bass"), CANDIDATES, ())
    assert change is not None
    assert change.path == "stems.drums.instrument"


def test_nothing_is_changed_where_all_is_good() -> None:
    assert correct(DECISIONS, report({}), CANDIDATES, ()) is None


REPORTS = st.dictionaries(st.sampled_from(DIMENSIONS), st.floats(0, 100), max_size=15)


@given(
    st.lists(
        st.tuples(REPORTS, st.sampled_from(["bass", "drums", "other", "choir", None]), st.booleans()),
        min_size=1,
        max_size=40,
    ),
    st.one_of(st.none(), st.floats(-100, 100)),
)
def test_nothing_is_tried_twice_nor_out_of_bounds(
    heard: list[tuple[dict[str, float], str | None, bool]], change_by: float | None
) -> None:
    decisions, tried = DECISIONS, []
    for scores, stem, kept in heard:
        change = correct(decisions, report(scores, stem, change=change_by), CANDIDATES, tried)
        if change is None:
            continue
        assert (change.path, change.after) not in {
            (each.path, value) for each in tried for value in (each.before, each.after)
        }
        assert change.before == value_at(decisions, change.path) != change.after
        tried.append(change)
        changed = apply(decisions, change)
        decisions = changed if kept else decisions


@given(REPORTS)
def test_rules_come_to_an_end(scores: dict[str, float]) -> None:
    tried: list[Change] = []
    while change := correct(DECISIONS, report(scores), CANDIDATES, tried):
        tried.append(change)
        assert len(tried) < 200


def test_a_report_of_more_than_is_known_here_is_read() -> None:
    read = QualityReport.model_validate(
        {
            "total": 80,
            "accepted": False,
            "matched": False,
            "gain_db": 0.1,
            "dimensions": {"swing": {"score": 10, "detail": "", "band_hz": [20, 200], "unit": "ms"}},
        }
    )
    assert correct(DECISIONS, read, CANDIDATES, ()) is None


def test_what_was_surely_heard_to_move_is_played_so() -> None:
    made = decide(FACTS)
    assert [name for name, stem in made.stems.items() if stem.sidechain] == ["bass"]
    assert [name for name, stem in made.stems.items() if stem.sweeps] == ["other"]
    assert all(stem.room for stem in made.stems.values())
    assert made.reasons == (
        "bass goes down by 6 dB at each kick",
        "other: a filter moves, from bar 13 on first",
    )


def test_where_the_analysis_is_sure_of_nothing_all_is_as_usual() -> None:
    plain = {name: StemFacts(candidates=stem.candidates) for name, stem in FACTS.stems.items()}
    assert decide(FACTS.model_copy(update={"stems": plain, "rt60_s": None})) == DECISIONS


def test_reports_of_quality_control_are_read_and_every_dimension_has_a_mend() -> None:
    assert set(quality.DIMENSIONS) == set(DIMENSIONS)
    for dimension in quality.DIMENSIONS:
        scores = {name: 30.0 if name == dimension else 100.0 for name in quality.DIMENSIONS}
        differences = {name: Difference(0.0, "as told") for name in quality.DIMENSIONS}
        comparison = Comparison(differences, scores, "rebuilt")
        found = tuple(
            Finding(name, score, "as told", 1.0, 2.0, (20.0, 200.0), "bass") for name, score in scores.items()
        )
        read = QualityReport.model_validate_json(json.dumps(as_json(comparison, found)))
        assert (read.total, read.accepted) == (comparison.total, False)
        change = correct(DECISIONS, read, CANDIDATES, ())
        assert change is not None
        assert change.reason == f"{dimension.replace('_', ' ')} 30, 1–2 s, bass"
