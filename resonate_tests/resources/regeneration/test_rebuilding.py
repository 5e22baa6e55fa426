"""Decisions are heard in what is rebuilt, and only what they touch is made again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Recording, Samples, write_samples
from resonate_resources.regeneration.decisions import BUS, Decisions, InstrumentChoice, StemDecision
from resonate_resources.regeneration.rebuilding import Rebuilding, Rebuilt
from resonate_resources.regeneration.stem import moved, part_of, prepare_stem

RATE = 44_100
SECONDS = 4.0
BEATS = tuple(np.arange(0, SECONDS, 0.5))


def plucked(path: Path, pitch: int, seed: int) -> Recording:
    """A note on each beat, decaying, left and right differing a little."""
    random = np.random.default_rng(seed)
    times = np.arange(round(SECONDS * RATE)) / RATE
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    sound = np.zeros((2, len(times)))
    for beat in BEATS:
        since = times - beat
        ring = np.where(since >= 0, np.exp(-np.maximum(since, 0) * 6), 0) * random.uniform(0.7, 1.0)
        for partial in (1, 2, 3):
            sound += ring * np.sin(2 * np.pi * hertz * partial * since) / partial * np.array([[1.0], [0.7]])
    sound += 1e-3 * random.standard_normal(sound.shape)
    return write_samples(path, (0.2 * sound).astype(np.float32), RATE)


@pytest.fixture(scope="module")
def rebuilding(tmp_path_factory: pytest.TempPathFactory) -> Rebuilding:
    folder = tmp_path_factory.mktemp("rebuilding")
    originals = {"bass": plucked(folder / "bass.wav", 40, 0), "other": plucked(folder / "other.wav", 64, 1)}
    scratch = folder / "scratch"
    scratch.mkdir()
    prepared = {}
    for name, pitch in (("bass", 40), ("other", 64)):
        notes = [Note(beat, beat + 0.4, pitch, 100) for beat in BEATS]
        part = part_of(name, notes, originals[name], scratch)
        prepared[name] = prepare_stem(part, originals[name], BEATS[::4], BEATS, "own")
    return Rebuilding(prepared, originals, scratch)


def decided(**bass: object) -> Decisions:
    return Decisions(stems={"bass": StemDecision.model_validate(bass), "other": StemDecision()})


@pytest.fixture(scope="module")
def first(rebuilding: Rebuilding) -> Rebuilt:
    return rebuilding.rebuild(decided(), frozenset(), None)


def bass_of(rebuilding: Rebuilding, first: Rebuilt, **bass: object) -> Samples:
    return rebuilding.rebuild(decided(**bass), frozenset({"bass", BUS}), first).stems["bass"].read()


def test_what_no_change_touches_is_not_played_again(rebuilding: Rebuilding, first: Rebuilt) -> None:
    made = rebuilding.rebuild(decided(width=0.5), frozenset({"bass", BUS}), first)
    assert made.played["other"] is first.played["other"]
    assert made.played["bass"].path != first.played["bass"].path
    bus = rebuilding.rebuild(decided().model_copy(update={"bus_eq_db": 0.0}), frozenset({BUS}), first)
    assert bus.played == first.played
    assert bus.stems != first.stems


def test_what_is_given_stays_and_what_was_undone_is_taken_away(
    rebuilding: Rebuilding, first: Rebuilt
) -> None:
    undone = rebuilding.rebuild(decided(width=0.5), frozenset({"bass", BUS}), first)
    rebuilding.rebuild(decided(width=0.7), frozenset({"bass", BUS}), first)
    assert not undone.stems["bass"].path.exists()
    assert all(one.path.exists() for one in (*first.played.values(), *first.stems.values()))


def test_the_same_decisions_give_the_same_sound(rebuilding: Rebuilding, first: Rebuilt) -> None:
    np.testing.assert_array_equal(bass_of(rebuilding, first), first.stems["bass"].read())


@pytest.mark.parametrize("shift_ms", [-20.0, 35.0])
def test_a_stem_is_moved_by_as_many_milliseconds(
    shift_ms: float, rebuilding: Rebuilding, first: Rebuilt
) -> None:
    from scipy.signal import correlate

    later = bass_of(rebuilding, first, shift_ms=shift_ms).mean(axis=0)
    usual = first.stems["bass"].read().mean(axis=0)
    # Notes repeat each 500 ms, which no shift comes near.
    lag = int(correlate(later, usual, "full").argmax()) - (len(usual) - 1)
    assert lag == pytest.approx(shift_ms / 1000 * RATE, abs=1)


def side_db(sound: Samples) -> float:
    mid, side = sound[0] + sound[1], sound[0] - sound[1]
    return float(10 * np.log10(np.square(side).sum() / np.square(mid).sum()))


@pytest.mark.parametrize(("width", "wider_db"), [(2.0, 6.02), (0.5, -6.02)])
def test_a_stem_is_as_much_wider(
    width: float, wider_db: float, rebuilding: Rebuilding, first: Rebuilt
) -> None:
    wider = side_db(bass_of(rebuilding, first, width=width)) - side_db(first.stems["bass"].read())
    assert wider == pytest.approx(wider_db, abs=0.3)


def test_a_stem_without_width_is_alike_left_and_right(rebuilding: Rebuilding, first: Rebuilt) -> None:
    left, right = bass_of(rebuilding, first, width=0.0)
    np.testing.assert_allclose(left, right, atol=1e-4)


def test_the_instrument_that_is_named_plays(rebuilding: Rebuilding, first: Rebuilt) -> None:
    labels = {"sampler": "own notes", "additive": "additive voice"}
    sounds = [
        bass_of(rebuilding, first, instrument=InstrumentChoice(kind=kind, label=label))
        for kind, label in labels.items()
    ]
    assert not np.allclose(*sounds, atol=1e-3)
    usual = first.stems["bass"].read()
    assert any(np.array_equal(sound, usual) for sound in sounds)


def test_shorter_notes_leave_more_silence(rebuilding: Rebuilding, first: Rebuilt) -> None:
    voice = InstrumentChoice(kind="additive", label="additive voice")
    before_beats = np.concatenate(
        [np.arange(int((beat - 0.15) * RATE), int(beat * RATE)) for beat in BEATS[1:]]
    )
    between = [
        np.square(bass_of(rebuilding, first, instrument=voice, gate=gate)[:, before_beats]).sum()
        for gate in (0.25, 1.0)
    ]
    assert between[0] < between[1] / 4


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(-60, 60))
def test_a_stream_that_is_moved_keeps_its_length_and_its_order(lengths: list[int], frames: int) -> None:
    whole = np.arange(1, sum(lengths) + 1, dtype=np.float32)[None].repeat(2, axis=0)
    blocks = np.split(whole, np.cumsum(lengths)[:-1], axis=1)
    made = np.concatenate(list(moved(iter(blocks), frames)), axis=1)
    assert made.shape == whole.shape
    late = np.pad(whole, ((0, 0), (max(0, frames), max(0, -frames))))
    start = max(0, -frames)
    np.testing.assert_array_equal(made, late[:, start : start + whole.shape[1]])
