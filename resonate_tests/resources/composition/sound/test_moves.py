"""What moves in a mix: filters, the fall at each kick, energy, and what leads from section to section."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from resonate_resources.composition.plan import Effect, Part
from resonate_resources.composition.sound.bus import PEAK_DBFS, Bus
from resonate_resources.composition.sound.rendering import render
from resonate_resources.composition.sound.tracks import TRANSITIONS
from resonate_tests.resources.composition.sound import plans

RATE = 48_000
BPM = 120  # two seconds a bar


def held(name="Organ", bars=8):
    notes = tuple((0.0, 4.0 * bars, pitch, 90) for pitch in (48, 55, 60, 64))
    return Part(name=name, stem="other", role="pad", sound="synth_lead", notes=notes)


def kicks(bars=8):
    notes = tuple((float(beat), 0.25, 36, 110) for beat in range(4 * bars))
    return Part(name="Drums", stem="drums", role="drums", sound="kit_909", notes=notes)


def level_db(sound, begins_s, ends_s):
    return 10 * np.log10(
        np.mean(np.square(sound[:, round(begins_s * RATE) : round(ends_s * RATE)], dtype=float))
    )


def over(sound, hertz):
    return sosfilt(butter(8, hertz, "highpass", fs=RATE, output="sos"), sound)


def part_of(into, parts, effects=(), genre="ambient", bars=8, name="Organ"):
    return render(plans.plan(genre, BPM, bars, parts, effects), into, RATE).parts[name].read()


def test_a_low_pass_that_opens_keeps_highs_away_at_first_and_lets_them_in(tmp_path):
    opening = Effect(kind="low_pass_opening", begins=8, ends=24, parts=("Organ",))
    swept, reference = (
        over(part_of(tmp_path / str(len(effects)), [held()], effects, genre="techno"), 2000)
        for effects in ([opening], [])
    )
    lost = {
        at: level_db(reference, at, at + 0.4) - level_db(swept, at, at + 0.4) for at in (2, 5, 6.5, 11, 13)
    }
    assert lost[5] > lost[2] + 25  # 24 dB an octave, but for what still rings in the room
    assert lost[2] + 4 < lost[6.5] < lost[5] - 4
    assert lost[11] == pytest.approx(lost[2], abs=1.5)
    assert lost[13] == pytest.approx(lost[2], abs=1)


def test_a_low_pass_that_closes_over_the_end_stays_closed(tmp_path):
    closing = Effect(kind="low_pass_closing", begins=16, ends=32, parts=("Organ",))
    sound = part_of(tmp_path, [held()], [closing])
    whole, bright = level_db(sound, 15.9, 16.5), level_db(over(sound, 2000), 15.9, 16.5)
    assert bright < whole - 40


def test_other_parts_are_left_as_they_are_by_a_low_pass(tmp_path):
    closing = Effect(kind="low_pass_closing", begins=0, ends=16, parts=("Organ",))
    rendered = render(plans.plan("ambient", BPM, 8, [held(), held("Other organ")], [closing]), tmp_path, RATE)
    other = rendered.parts["Other organ"].read()
    closed, opened = (level_db(over(other, 2000), at, at + 0.5) for at in (7, 9))
    assert closed == pytest.approx(opened, abs=2.5)  # of energy ±1.5


def test_pads_go_down_at_each_kick_in_house_and_not_in_ambient(tmp_path):
    dips = {}
    for genre in ("house", "ambient"):
        sound = part_of(tmp_path / genre, [held(), kicks()], genre=genre)
        at = [level_db(sound, 2 + 0.5 * beat + 0.005, 2 + 0.5 * beat + 0.04) for beat in range(8)]
        before = [level_db(sound, 2 + 0.5 * beat - 0.05, 2 + 0.5 * beat - 0.01) for beat in range(8)]
        dips[genre] = np.mean(before) - np.mean(at)
    assert dips["house"] > 3.5
    assert abs(dips["ambient"]) < 0.5


def test_a_section_of_more_energy_is_louder_by_up_to_three_decibels(tmp_path):
    still = part_of(tmp_path, [held()])
    quiet, loud = level_db(still, 4, 7.5), level_db(still, 10, 13.5)  # energies 0.4 and 0.9
    assert loud - quiet == pytest.approx(1.5, abs=0.4)


def test_a_riser_grows_until_its_end_and_an_impact_strikes_there(tmp_path):
    effects = [Effect(kind="riser", begins=8, ends=16), Effect(kind="impact", begins=16, ends=20)]
    sound = part_of(tmp_path, [held()], effects, name=TRANSITIONS)
    levels = [level_db(sound, at, at + 0.5) for at in (4.2, 5.5, 7.2)]
    assert levels == sorted(levels)
    assert np.abs(sound[:, : round(3.95 * RATE)]).max() < 1e-7
    low = sosfilt(butter(4, 90, fs=RATE, output="sos"), sound)
    assert level_db(low, 8.0, 8.3) > level_db(low, 7.5, 7.9) + 20


def test_a_reversed_cymbal_swells_to_its_end_and_a_downlifter_falls(tmp_path):
    effects = [Effect(kind="reverse_cymbal", begins=4, ends=8), Effect(kind="downlifter", begins=16, ends=24)]
    sound = part_of(tmp_path, [held()], effects, name=TRANSITIONS)
    assert level_db(sound, 3.7, 3.95) > level_db(sound, 2.5, 3.0) + 6
    assert level_db(sound, 8.1, 8.6) > level_db(sound, 11, 11.5) + 6


def test_the_bus_brings_a_sum_to_its_loudness_and_holds_its_peaks():
    noise = np.random.default_rng(1).standard_normal((2, 10 * RATE)).astype(np.float32) * 0.02
    noise[:, 5 * RATE] = 1.0  # 30 dB over all else
    bus = Bus(RATE)
    for start in range(0, 10 * RATE, 70_000):
        bus.update(noise[:, start : start + 70_000])
    mixed = noise * bus.gain(0, 10 * RATE)
    assert 20 * np.log10(np.abs(mixed).max()) <= PEAK_DBFS + 1e-3
    steady = bus.gain(0, 10 * RATE)[: 4 * RATE]
    assert np.ptp(steady) == 0
