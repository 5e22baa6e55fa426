"""What leads from section to section and is in no note is found where it is, added as loud, and left out again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.signal import butter, sosfilt

from resonate_resources.composition.plan import Plan
from resonate_resources.composition.sound.rendering import render
from resonate_resources.composition.sound.tracks import TRANSITIONS as EFFECTS
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import BLOCK_FRAMES, Samples, write_samples
from resonate_resources.regeneration import rules
from resonate_resources.regeneration.brain import refusal, refusal_of_transition
from resonate_resources.regeneration.decisions import (
    BUS,
    MOST_TRANSITIONS,
    TRANSITIONS,
    Change,
    DecisionError,
    Transition,
    apply,
    depends,
    undo,
)
from resonate_resources.regeneration.facts import Facts, SectionFacts
from resonate_resources.regeneration.stem import part_of, prepare_stem, share_of_energy
from resonate_resources.regeneration.transition_search import find_transitions
from resonate_resources.regeneration.transition_sound import added, sounds, with_fills
from resonate_tests.resources.composition.composed import composed
from resonate_tests.resources.regeneration.rebuilt import CANDIDATES, DECISIONS, FACTS, report

RATE = 44_100
SECONDS, SECTION_S = 24.0, 12.0
BEATS = tuple(np.arange(0, SECONDS, 0.5))
BARS = BEATS[::4]
RISER = Transition(stem="other", kind="riser", start_s=8.0, end_s=12.0, level_db=-30)
IMPACT = Transition(stem="other", kind="impact", start_s=12.0, end_s=14.5, level_db=-28)
FALLING = Transition(
    stem="other", kind="downlifter", start_s=12.0, end_s=16.0, from_hz=8000, to_hz=500, level_db=-30
)


def decibels(sound: Samples) -> float:
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-20))


def chords() -> Samples:
    """(2, frames): a chord of six partials each on every beat, dying away."""
    times = np.arange(round(SECONDS * RATE)) / RATE
    since = times % 0.5
    tones = sum(
        np.sin(2 * np.pi * hertz * partial * times) / partial
        for hertz in (220.0, 277.2, 329.6)
        for partial in range(1, 7)
    )
    return np.asarray(0.05 * np.repeat((tones * np.exp(-4 * since))[None], 2, axis=0), np.float32)


def hand_made_riser(level_db: float, length_s: float = 4.0) -> Samples:
    """Not as the code under test makes one: the same uniform noise in both channels, high-passed ever higher, that
    grows by even decibels. It ends at the section."""
    frames = round(length_s * RATE)
    noise = np.random.default_rng(5).uniform(-1, 1, frames)
    pieces = np.array_split(noise, 16)
    swept = np.concatenate(
        [
            sosfilt(butter(2, 400 * 12 ** (place / 16), "highpass", fs=RATE, output="sos"), piece)
            for place, piece in enumerate(pieces)
        ]
    )
    swept = sosfilt(butter(8, 12_000, fs=RATE, output="sos"), swept)
    grown = swept * 10 ** (np.linspace(-36, 0, frames) / 20)
    grown *= 10 ** (level_db / 20) / np.sqrt(np.mean(grown[-round(0.5 * RATE) : -round(0.1 * RATE)] ** 2))
    whole = np.zeros((2, round(SECONDS * RATE)), np.float32)
    end = round(SECTION_S * RATE)
    whole[:, end - frames : end] = grown
    return whole


def found_in(tmp_path: Path, extra: Samples, stem: str = "other") -> list[Transition]:
    original = write_samples(tmp_path / "original.wav", chords() + extra, RATE)
    # What is played is a little later and softer: nothing is told by samples that line up.
    played = write_samples(tmp_path / "played.wav", 0.8 * np.roll(chords(), 300, axis=1), RATE)
    return find_transitions(stem, original, played, [SECTION_S], BEATS, BARS)  # type: ignore[arg-type]


@pytest.mark.parametrize("level_db", [-42.0, -30.0, -20.0])
@pytest.mark.parametrize("stem", ["other", "drums"])
def test_a_riser_of_another_synthesis_is_found_where_it_is_and_as_loud(tmp_path, level_db, stem):
    (found,) = found_in(tmp_path, hand_made_riser(level_db), stem)
    assert (found.kind, found.stem) == ("riser", stem)
    assert found.start_s == pytest.approx(8.0, abs=0.5)
    assert found.end_s == pytest.approx(SECTION_S, abs=0.1)
    assert found.level_db == pytest.approx(level_db, abs=1.5)
    # The geometric mean of flat noise from 400 Hz, at last from 4.1 kHz, to 12 kHz.
    assert found.from_hz == pytest.approx(4960, rel=0.3)
    assert found.to_hz == pytest.approx(7700, rel=0.1)


def test_nothing_is_found_in_music_without_them(tmp_path):
    steady = 0.003 * np.random.default_rng(1).standard_normal((2, round(SECONDS * RATE)))
    swelling = chords() * np.linspace(0, 1, round(SECONDS * RATE))
    assert found_in(tmp_path, np.zeros_like(chords())) == []
    assert found_in(tmp_path, steady.astype(np.float32)) == []
    assert found_in(tmp_path, swelling.astype(np.float32)) == []


def test_what_is_played_already_is_not_found_again(tmp_path):
    whole = write_samples(tmp_path / "whole.wav", chords() + hand_made_riser(-30.0), RATE)
    assert find_transitions("other", whole, whole, [SECTION_S], BEATS, BARS) == []


def test_a_riser_that_leads_into_no_section_is_not_sure_enough(tmp_path):
    original = write_samples(tmp_path / "original.wav", chords() + hand_made_riser(-30.0), RATE)
    played = write_samples(tmp_path / "played.wav", chords(), RATE)
    assert find_transitions("other", original, played, [6.0, 20.0], BEATS, BARS) == []


def test_a_crash_of_the_drums_is_no_downlifter(tmp_path):
    at, frames = round(SECTION_S * RATE), round(3 * RATE)
    crash = np.zeros_like(chords())
    noise = sosfilt(
        butter(2, 3000, "highpass", fs=RATE, output="sos"), np.random.default_rng(2).standard_normal(frames)
    )
    crash[:, at : at + frames] = 0.1 * noise * np.exp(-np.arange(frames) / RATE / 0.7)
    assert found_in(tmp_path, crash, "drums") == found_in(tmp_path, crash) == []


def test_those_of_a_composed_piece_are_found_at_their_places_and_none_where_there_are_none(tmp_path):
    plan: Plan = composed("house", 2, duration_s=60.0)
    made = render(plan, tmp_path)
    beat_s = 60 / plan.bpm
    beats = np.arange(0, made.mix.duration, beat_s)
    sections = [4 * beat_s * section.first_bar for section in plan.sections[1:]]
    other = made.stems["other"]
    effects = made.parts[EFFECTS].read(0, other.frames)
    dry = write_samples(tmp_path / "dry.wav", other.read(0, other.frames) - effects, other.sample_rate)

    found = find_transitions("other", other, dry, sections, beats, beats[::4])
    true = [each for each in plan.effects if each.kind in ("riser", "impact", "downlifter")]
    assert {each.kind for each in true} == {"riser", "impact"}
    assert [each.kind for each in found] == [each.kind for each in true]
    for each, planned in zip(found, true, strict=True):
        # The first of a long riser lies under the music, over 20 dB below its end.
        length_s = (planned.ends - planned.begins) * beat_s
        assert each.start_s == pytest.approx(planned.begins * beat_s, abs=max(beat_s, 0.3 * length_s))
        if planned.kind != "impact":  # which rings on as long as it likes
            assert each.end_s == pytest.approx(planned.ends * beat_s, abs=beat_s)
    for each in found:
        if each.kind == "riser":
            start, end = (round((each.end_s - before_s) * other.sample_rate) for before_s in (0.5, 0.1))
            loudest = effects[:, start:end]
            assert each.level_db == pytest.approx(decibels(loudest), abs=1.5)
    assert find_transitions("other", dry, dry, sections, beats, beats[::4]) == []


@pytest.mark.parametrize("transition", [RISER, FALLING])
def test_a_sound_is_as_loud_as_decided_where_it_is_loudest_and_silent_elsewhere(transition):
    blocks = list(sounds([transition], round(SECONDS * RATE), RATE))
    assert all(block.shape[1] <= BLOCK_FRAMES for block in blocks)
    sound = np.concatenate(blocks, axis=1)
    assert sound.shape == (2, round(SECONDS * RATE))
    start, end = (round(each * RATE) for each in (transition.start_s, transition.end_s))
    near, far = round(0.1 * RATE), round(0.5 * RATE)
    at_start, at_end = slice(start + near, start + far), slice(end - far, end - near)
    loud, soft = (at_end, at_start) if transition.kind == "riser" else (at_start, at_end)
    assert decibels(sound[:, loud]) == pytest.approx(transition.level_db, abs=0.2)
    assert decibels(sound[:, soft]) < transition.level_db - 20
    assert not sound[:, :start].any() and not sound[:, end:].any()


def test_two_streams_are_added_whatever_their_blocks():
    sound = np.random.default_rng(0).standard_normal((2, 1000)).astype(np.float32)
    cut = [sound[:, :300], sound[:, 300:310], sound[:, 310:]]
    assert np.array_equal(np.concatenate([*added(iter(cut), iter([sound]))], axis=1), 2 * sound)
    assert np.array_equal(np.concatenate([*added(iter([sound]), iter(cut))], axis=1), 2 * sound)


def test_a_rebuilt_stem_has_its_riser_as_loud_as_the_original_and_its_notes_no_louder(tmp_path):
    whole = chords() + hand_made_riser(-24.0)
    original = write_samples(tmp_path / "original.wav", whole, RATE)
    notes = [Note(beat, beat + 0.45, pitch, 90) for beat in BEATS for pitch in (57, 61, 64)]
    prepared = prepare_stem(part_of("other", notes, original, tmp_path), original, BARS, BEATS, "additive")
    heard = prepared.heard(tmp_path / "heard.wav", [SECTION_S], (BARS, BEATS))
    (riser,) = heard.transitions
    decision = DECISIONS.of("other")
    bare, led = (
        heard.play(decision, tmp_path / f"{number}.wav", transitions=transitions).read(0, original.frames)
        for number, transitions in enumerate([(), (riser,)])
    )

    def hiss_db(sound: Samples) -> float:
        """Over the chords' highest partial, in the last moment before the section."""
        before = sound[:, round(11.5 * RATE) : round(11.95 * RATE)]
        return decibels(sosfilt(butter(6, 4000, "highpass", fs=RATE, output="sos"), before))

    assert hiss_db(led) == pytest.approx(hiss_db(whole), abs=3)
    assert hiss_db(bare) < hiss_db(whole) - 6
    one_bar = slice(round(10 * RATE), round(SECTION_S * RATE))
    low = butter(6, 1000, fs=RATE, output="sos")
    true_db, led_db, bare_db = (decibels(sosfilt(low, sound[:, one_bar])) for sound in (chords(), led, bare))
    # Notes that are matched to a bar with a riser in it, and have none beside them, make up for it.
    assert bare_db > true_db + 3
    assert led_db == pytest.approx(true_db, abs=2)


def test_what_leads_to_a_section_is_played_and_not_copied(tmp_path):
    sound = np.concatenate([*sounds([RISER], round(SECONDS * RATE), RATE)], axis=1)
    recording = write_samples(tmp_path / "riser.wav", sound, RATE)
    assert share_of_energy(recording, [(0.0, SECONDS)]) == pytest.approx(1.0)
    assert share_of_energy(recording, [(0.0, SECONDS)], [RISER]) == pytest.approx(0.0, abs=1e-6)


def test_a_fill_is_sixteenths_of_the_parts_own_toms_and_snares_that_grow_louder():
    kicks = [Note(beat, beat + 0.1, 36, 100) for beat in BEATS]
    drums = [Note(beat + 0.25, beat + 0.35, key, 90) for beat in BEATS[:8] for key in (38, 45)]
    fill = Transition(stem="drums", kind="fill", start_s=10.0, end_s=12.0)
    played = with_fills([*kicks, *drums], [fill], BEATS)
    strokes = [note for note in played if note.pitch != 36 and note.onset_s >= 10]
    assert [note.onset_s for note in strokes] == pytest.approx(list(np.arange(10, 12, 0.125)))
    assert [note.pitch for note in strokes] == [45] * 8 + [38] * 8
    velocities = [note.velocity for note in strokes]
    assert velocities == sorted(velocities) and velocities[-1] > velocities[0] + 30
    assert [note for note in played if note.pitch == 36] == kicks
    assert with_fills([*kicks, *drums], [RISER], BEATS) == [*kicks, *drums]


def change(before: Transition | None, after: Transition | None) -> Change:
    return Change(path=TRANSITIONS, before=before, after=after, reason="the wish", by=rules.RULES)


def test_a_transition_is_added_and_removed_and_each_can_be_undone():
    led = apply(DECISIONS, change(None, RISER))
    more = apply(led, change(None, IMPACT))
    assert (led.transitions, more.transitions) == ((RISER,), (RISER, IMPACT))
    assert undo(led, change(None, RISER)) == DECISIONS
    without = apply(more, change(RISER, None))
    assert without.transitions == (IMPACT,)
    assert undo(without, change(RISER, None)) == more
    assert str(change(None, RISER)) == "riser at 0:08 added"
    assert str(change(IMPACT, None)) == "impact at 0:12 removed"
    assert depends(change(None, RISER)) == depends(change(RISER, None)) == {"other", BUS}


def test_what_is_there_is_not_added_again_and_there_are_bounds():
    led = apply(DECISIONS, change(None, RISER))
    with pytest.raises(DecisionError, match="riser at 0:08"):
        apply(led, change(None, RISER))
    with pytest.raises(DecisionError, match="no riser"):
        apply(DECISIONS, change(RISER, None))
    for number in range(MOST_TRANSITIONS - 1):
        led = apply(led, change(None, RISER.model_copy(update={"start_s": 7 + number / 100})))
    with pytest.raises(DecisionError, match=f"{MOST_TRANSITIONS} at most"):
        apply(led, change(None, IMPACT))
    for wrong in ({"end_s": 8.1}, {"end_s": 60.0}, {"kind": "fill"}, {"level_db": 0.0}, {"stem": "choir"}):
        with pytest.raises(ValidationError):
            Transition.model_validate({**RISER.model_dump(), **wrong})
    for before, after in ((RISER, IMPACT), (None, None)):
        with pytest.raises(ValidationError):
            change(before, after)


def with_sections(heard: tuple[Transition, ...] = ()) -> Facts:
    sections = tuple(
        SectionFacts(
            bar=1 + round(start / 2), start_s=start, seconds=12, label="A", name=None, level_db=-20,
            plays=("drums", "bass", "other"), chords=(),
        )
        for start in (0.0, 12.0, 24.0)
    )  # fmt: skip
    other = FACTS.stems["other"].model_copy(update={"transitions": heard})
    return FACTS.model_copy(update={"sections": sections, "stems": {**FACTS.stems, "other": other}})


def test_rules_decide_on_what_was_heard_and_on_nothing_else():
    assert rules.decide(with_sections()).transitions == ()
    decided = rules.decide(with_sections((RISER, IMPACT)))
    assert decided.transitions == (RISER, IMPACT)
    assert any("2 transitions" in reason for reason in decided.reasons)


def test_rules_take_one_out_where_the_noise_floor_is_blamed_then_and_only_once():
    decisions = DECISIONS.model_copy(update={"transitions": (RISER, IMPACT)})
    blamed = report({"noise_floor": 30.0}, "other", start_s=9.0, end_s=11.0)
    tried: list[Change] = []
    while (mend := rules.correct(decisions, blamed, CANDIDATES, tried)) is not None:
        tried.append(mend)
    taken = [each for each in tried if each.path == TRANSITIONS]
    assert [(each.before, each.after) for each in taken] == [(RISER, None)]
    assert undo(apply(decisions, taken[0]), taken[0]) == decisions


def test_a_model_may_add_what_leads_into_a_section_of_the_track_and_nothing_elsewhere():
    facts = with_sections((RISER,))
    fill = Transition(stem="drums", kind="fill", start_s=11.0, end_s=12.0)
    for possible in (RISER, IMPACT, fill, FALLING):
        assert refusal_of_transition(possible, facts) == ""
    moved = replace_times(fill, 15.0, 16.0)
    assert "ends where no section begins" in refusal_of_transition(moved, facts)
    assert "begins where no section" in refusal_of_transition(replace_times(IMPACT, 5.0, 7.0), facts)
    assert "behind the track" in refusal_of_transition(replace_times(IMPACT, 179.0, 182.0), facts)
    sung = IMPACT.model_copy(update={"stem": "vocals"})
    assert "vocals is not played" in refusal_of_transition(sung, facts)
    decisions = DECISIONS.model_copy(update={"transitions": (moved,)})
    assert refusal(decisions, facts) == refusal_of_transition(moved, facts)


def replace_times(transition: Transition, start_s: float, end_s: float) -> Transition:
    return transition.model_copy(update={"start_s": start_s, "end_s": end_s})
