"""Acceptance: what a person is told of a track in one line, from measures alone."""

from __future__ import annotations

import pytest

from resonate_assets.acceptance import acceptance, poor_stems, rebuilt_told

GOOD = {
    "stems": {"vocals_level_dbfs": -20.0, "drums_level_dbfs": -18.0, "vocals_predicted_quality_db": 6.0},
    "master": {"limiting_db": 2.0},
    "qc_scores": {"master_total": 97.0},
}


def test_a_track_with_nothing_wrong_is_accepted() -> None:
    assert str(acceptance(GOOD)) == "accepted"


def test_a_track_without_scores_is_not_judged_yet() -> None:
    verdict = acceptance({"stems": GOOD["stems"]})
    assert verdict.accepted is None
    assert str(verdict) == "not judged yet"


def test_what_is_too_short_or_too_silent_to_be_measured_is_not_judged_whatever_it_scores() -> None:
    """Integrated loudness takes a gating block of 400 ms that is over −70 LUFS: ITU-R BS.1770-5, annex 1."""
    for stage in ({"master_total": 100.0}, {"master_total": 0.0}):
        verdict = acceptance(GOOD | {"master": {"loudness_lufs": "-inf"}, "qc_scores": stage})
        assert verdict.accepted is None
        assert str(verdict) == "not judged: too short or too silent to be judged"
    assert acceptance(GOOD | {"master": {"loudness_lufs": -69.0}}).accepted is True


def test_everything_that_is_wrong_is_told_the_score_first() -> None:
    bad = {
        "stems": GOOD["stems"] | {"vocals_predicted_quality_db": -2.34},
        "master": {"limiting_db": 7.25},
        "qc_scores": {"master_total": 84.99},
    }
    verdict = acceptance(bad)
    assert verdict.accepted is False
    score, stem, limiting = verdict.reasons
    assert "84.9 of 100" in score
    assert stem == "poor vocals (predicted at -2.3 dB)"
    assert "7.2 dB" in limiting


@pytest.mark.parametrize(("total", "accepted"), [(85.0, True), (84.9, False)])
def test_a_master_is_accepted_from_85_of_100(total: float, accepted: bool) -> None:
    assert acceptance(GOOD | {"qc_scores": {"master_total": total}}).accepted is accepted


@pytest.mark.parametrize(
    ("total", "accepted", "told"),
    [
        (94.99, False, "scores 94.9 of 100: a likeness, not accepted"),
        (94.99, True, "scores 94.9 of 100: accepted"),
        (95.0, True, "scores 95.0 of 100: matched"),
        (96.0, False, "scores 96.0 of 100: a likeness, not accepted"),
    ],
)
def test_a_rebuilt_track_is_a_likeness_until_no_dimension_keeps_it_from_being_accepted(
    total: float, accepted: bool, told: str
) -> None:
    assert rebuilt_told({"regenerated_total": total, "regenerated_accepted": accepted}) == told
    assert rebuilt_told({"master_total": 97.0}) is None


@pytest.mark.parametrize(("limiting_db", "accepted"), [(6.0, True), (6.046, True), (6.1, False)])
def test_more_than_6_db_of_limiting_is_not_accepted(limiting_db: float, accepted: bool) -> None:
    assert acceptance(GOOD | {"master": {"limiting_db": limiting_db}}).accepted is accepted


def test_a_poor_stem_is_told_before_the_master_is_made() -> None:
    verdict = acceptance({"stems": GOOD["stems"] | {"vocals_predicted_quality_db": -0.1}})
    assert verdict.accepted is False


def test_what_was_measured_counts_before_what_was_predicted() -> None:
    known = GOOD["stems"] | {"vocals_si_sdr_db": -1.0}
    assert poor_stems(known) == {"vocals": -1.0}


@pytest.mark.parametrize(("level_dbfs", "is_told"), [(-31.0, True), (-33.0, False)])
def test_the_leakage_in_an_instrumental_is_no_poor_stem(level_dbfs: float, is_told: bool) -> None:
    # The other stem is at −18 dBFS: 14 dB below the sum of both is −31.8.
    stems = {"drums_level_dbfs": -18.0, "vocals_level_dbfs": level_dbfs, "vocals_predicted_quality_db": -5.0}
    assert ("vocals" in poor_stems(stems)) is is_told


def test_a_silent_track_has_no_poor_stems() -> None:
    assert poor_stems({"vocals_level_dbfs": "-inf", "drums_level_dbfs": "-inf"}) == {}
