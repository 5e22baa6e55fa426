"""What a master is held against."""

from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest

from resonate_resources.composition.qa import qa_of_master, qa_of_music
from resonate_resources.recordings.recording import write_samples
from resonate_tests.resources.composition.sound import plans

RATE = 48_000
TARGET = -14.0
BARS = 8


def a_plan(genre="house", bpm=120.0, key="A minor", metre="4/4"):
    made = plans.plan(genre, bpm, BARS, [plans.house(BARS).parts[4]])
    return made.model_copy(update={"key": key, "metre": metre})


def noise(seconds, lufs=TARGET):
    sound = np.random.default_rng(3).standard_normal((2, round(seconds * RATE))) * 0.05
    sound = np.clip(sound, -0.15, 0.15)
    loudness = pyloudnorm.Meter(RATE).integrated_loudness(sound.T)
    return (sound * 10 ** ((lufs - loudness) / 20)).astype(np.float32)


@pytest.fixture
def judged(tmp_path):
    def judge(sound=None, plan=None, heard_bpm=120.0, heard_key="A minor"):
        plan = plan or a_plan()
        sound = noise(plan.duration_s) if sound is None else sound
        master = write_samples(tmp_path / "master.wav", sound, RATE)
        return qa_of_music(plan, master, heard_bpm, heard_key) | qa_of_master(master, TARGET)

    return judge


def test_what_is_as_planned_passes(judged):
    verdicts = judged()
    assert list(verdicts) == ["tempo", "key", "duration", "clipping", "silence", "loudness", "true_peak"]
    assert all(verdict.passed for verdict in verdicts.values()), verdicts


@pytest.mark.parametrize(
    ("heard", "passed"), [(121.9, True), (118.1, True), (122.5, False), (60.0, False), (None, False)]
)
def test_the_tempo_is_within_two_beats_a_minute(judged, heard, passed):
    assert judged(heard_bpm=heard)["tempo"].passed == passed


def test_half_the_tempo_passes_only_where_musicians_tell_it_so(judged):
    felt = judged(plan=a_plan("drum_and_bass", 174), heard_bpm=87.2)["tempo"]
    assert felt.passed
    assert "half the tempo" in felt.detail
    house = judged(plan=a_plan("house", 124), heard_bpm=62.0)["tempo"]
    assert not house.passed
    assert "half the tempo" in house.detail


def test_the_beat_of_six_eight_is_a_dotted_quarter(judged):
    assert judged(plan=a_plan("folk", 120, metre="6/8"), heard_bpm=80.0)["tempo"].passed


@pytest.mark.parametrize(
    ("planned", "heard", "passed", "said"),
    [
        ("A minor", "A minor", True, ""),
        ("A# minor", "Bb minor", True, ""),
        ("A minor", "C major", True, "relative"),
        ("D dorian", "C major", True, "relative"),
        ("D dorian", "D minor", True, "same tonic"),
        ("A minor", "A major", False, ""),
        ("A minor", "E minor", False, ""),
        ("C major", None, False, "no key was heard"),
    ],
)
def test_the_key_is_heard_or_its_relative(judged, planned, heard, passed, said):
    verdict = judged(plan=a_plan(key=planned), heard_key=heard)["key"]
    assert verdict.passed == passed
    assert said in verdict.detail


@pytest.mark.parametrize(("lufs", "passed"), [(-14.4, True), (-13.6, True), (-14.7, False), (-13.3, False)])
def test_loudness_is_within_half_a_unit(judged, lufs, passed):
    assert judged(noise(16, lufs))["loudness"].passed == passed


@pytest.mark.parametrize(("peak_db", "passed"), [(-1.2, True), (-0.8, False)])
def test_true_peaks_are_at_most_minus_one(judged, peak_db, passed):
    sound = noise(16) * np.float32(0.3)
    t = np.arange(RATE) / RATE
    sound[:, :RATE] = np.sin(2 * np.pi * 997 * t) * 10 ** (peak_db / 20)
    assert judged(sound)["true_peak"].passed == passed


@pytest.mark.parametrize(("more_s", "passed"), [(1.9, True), (-1.9, True), (2.1, False), (-2.1, False)])
def test_a_master_is_a_bar_longer_or_shorter_at_most(judged, more_s, passed):
    assert judged(noise(16 + more_s))["duration"].passed == passed


def test_samples_at_full_scale_in_a_row_are_clipped(judged):
    sound = noise(16)
    sound[0, 500:502] = 1.0
    assert judged(sound)["clipping"].passed
    sound[0, 500:503] = 1.0
    assert not judged(sound)["clipping"].passed


def test_clipping_across_two_blocks_is_seen(judged):
    sound = noise(16)
    sound[1, (1 << 18) - 1 : (1 << 18) + 2] = -1.0
    assert judged(sound)["clipping"].detail.startswith("1 times")


def test_silence_where_notes_are_planned_fails_and_says_where(judged):
    sound = noise(16)
    sound[:, 8 * RATE : 9 * RATE] = 0
    verdict = judged(sound)["silence"]
    assert not verdict.passed
    assert "1.0 s of silence at 8.0 s" in verdict.detail


def test_a_planned_rest_may_be_silent(judged):
    plan = a_plan()
    rest = [note for note in plan.parts[0].notes if not 16 <= note[0] < 20]  # the fifth bar
    plan = plan.model_copy(update={"parts": (plan.parts[0].model_copy(update={"notes": tuple(rest)}),)})
    sound = noise(16)
    sound[:, 8 * RATE : 10 * RATE] = 0
    assert judged(sound, plan)["silence"].passed


def test_a_silent_master_fails(judged):
    verdicts = judged(np.zeros((2, 16 * RATE), np.float32), heard_bpm=None, heard_key=None)
    assert {name for name, verdict in verdicts.items() if not verdict.passed} == {
        "tempo", "key", "loudness", "silence",
    }  # fmt: skip


def test_ambient_without_drums_may_have_no_beat_but_no_wrong_one(judged):
    plan = a_plan("ambient")
    assert not any(part.role == "drums" for part in plan.parts)
    assert judged(plan=plan, heard_bpm=None)["tempo"].passed
    assert not judged(plan=plan, heard_bpm=90.0)["tempo"].passed
    drummed = plan.model_copy(update={"parts": plans.house(BARS).parts})
    assert any(part.role == "drums" for part in drummed.parts)
    assert not judged(plan=drummed, heard_bpm=None)["tempo"].passed
