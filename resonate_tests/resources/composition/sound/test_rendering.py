"""What comes out of a plan: stems, parts, mix, what played them."""

from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest

from resonate_resources.composition.completing import complete
from resonate_resources.composition.composer.compose import compose
from resonate_resources.composition.plan import Part
from resonate_resources.composition.request import Asked, Understanding
from resonate_resources.composition.sound import players
from resonate_resources.composition.sound.rendering import render
from resonate_resources.profiling.brief import ProfileBrief
from resonate_resources.profiling.profile import Profile
from resonate_resources.profiling.resource import ProfilingResource
from resonate_resources.recordings.recording import AudioError
from resonate_tests.resources.composition.sound import plans

RATE = 48_000
BARS = 4


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    return render(plans.house(8), tmp_path_factory.mktemp("house"), RATE)


@pytest.fixture(scope="module")
def rock(tmp_path_factory):
    return render(plans.rock(8), tmp_path_factory.mktemp("rock"), RATE)


@pytest.fixture(params=["house", "rock"])
def rendered(request):
    return request.getfixturevalue(request.param)


def lufs(sound):
    return pyloudnorm.Meter(RATE).integrated_loudness(sound.T.astype(float))


def level_db(sound):
    return 10 * np.log10(np.mean(np.square(sound, dtype=float)) + 1e-20)


def pads(name, **more):
    notes = tuple((4.0 * bar, 4.0, pitch, 80) for bar in range(BARS) for pitch in (57, 60, 64))
    return Part(name=name, stem="other", role="pad", sound="synth_pad", notes=notes, **more)


def test_stems_sum_to_the_mix_and_parts_to_their_stems(rendered):
    mix = rendered.mix.read()
    assert np.abs(sum(stem.read() for stem in rendered.stems.values()) - mix).max() < 1e-6
    assert np.abs(sum(part.read() for part in rendered.parts.values()) - mix).max() < 1e-6


def test_there_are_always_four_stems_and_piano_and_guitar_where_they_play(house, rock):
    assert list(house.stems) == ["vocals", "drums", "bass", "other", "piano"]
    assert list(rock.stems) == ["vocals", "drums", "bass", "other", "guitar"]
    assert not house.stems["vocals"].read().any()
    assert all(house.stems[stem].read().any() for stem in ("drums", "bass", "other", "piano"))


def test_everything_is_float_stereo_of_one_length(rendered):
    recordings = [rendered.mix, *rendered.stems.values(), *rendered.parts.values()]
    assert {(each.sample_rate, each.channels, each.frames) for each in recordings} == {
        (RATE, 2, rendered.mix.frames)
    }


def test_a_mix_is_as_loud_as_one_before_mastering_and_leaves_room_for_it(rendered):
    mix = rendered.mix.read()
    assert lufs(mix) == pytest.approx(-18, abs=0.7)
    assert 20 * np.log10(np.abs(mix).max()) <= -3 + 1e-3


def test_a_mix_ends_in_silence_less_than_a_bar_behind_the_plan_and_without_a_click(rendered):
    mix = rendered.mix.read()
    plan = plans.house(8) if "piano" in rendered.stems else plans.rock(8)
    bar_s = 4 * 60 / plan.bpm
    assert plan.duration_s < rendered.mix.duration < plan.duration_s + bar_s
    assert not mix[:, -round(0.04 * RATE) :].any()
    steps = np.abs(np.diff(mix[:, round(plan.duration_s * RATE) :], axis=1)).max(axis=0)
    assert steps[-RATE // 2 :].max() < 0.02  # −34 dB: no step that is heard


def test_the_bass_and_all_lows_stand_in_the_middle(house):
    from scipy.signal import butter, sosfilt

    low = sosfilt(butter(4, 60, fs=RATE, output="sos"), house.mix.read())
    assert level_db(low[0] - low[1]) < level_db(low[0] + low[1]) - 25


def test_a_part_is_as_much_louder_as_its_level_says_and_where_its_pan_says(tmp_path):
    apart = plans.plan("ambient", 90, BARS, [pads("soft", level=-0.5), pads("loud", level=0.5, pan=-0.6)])
    rendered = render(apart, tmp_path, RATE)
    soft, loud = (rendered.parts[name].read() for name in ("soft", "loud"))
    assert lufs(loud) - lufs(soft) == pytest.approx(5, abs=0.6)
    assert level_db(loud[0]) - level_db(loud[1]) > 3
    assert level_db(soft[0]) - level_db(soft[1]) == pytest.approx(0, abs=1.2)  # the room is not even


def test_the_same_plan_gives_the_same_bytes_however_many_cores_there_are(house, tmp_path, monkeypatch):
    monkeypatch.setenv("RESONATE_THREADS", "1")
    again = render(plans.house(8), tmp_path, RATE)
    assert again.mix.sha256 == house.mix.sha256
    assert {name: stem.sha256 for name, stem in again.stems.items()} == {
        name: stem.sha256 for name, stem in house.stems.items()
    }
    assert {name: part.sha256 for name, part in again.parts.items()} == {
        name: part.sha256 for name, part in house.parts.items()
    }


def test_only_what_is_handed_over_is_left_in_the_folder(house):
    folder = house.mix.path.parent
    wanted = {house.mix.path, *(each.path for each in (*house.stems.values(), *house.parts.values()))}
    assert {path for path in folder.rglob("*") if path.is_file()} == wanted


def test_who_plays_is_told_with_licence_and_source(house):
    assert house.instruments.keys() == house.parts.keys()
    assert "TR-909" in house.instruments["Drums"].label
    assert all(each.licence and each.source for each in house.instruments.values())


def test_without_a_soundfont_faust_plays_and_says_instead_of_what(tmp_path, monkeypatch):
    monkeypatch.setattr(players, "soundfonts", lambda _: [])
    rendered = render(plans.rock(2), tmp_path, RATE)
    assert all(part.read().any() for part in rendered.parts.values())
    told = rendered.instruments["Lead guitar"]
    assert told.licence == "GPL-3.0-or-later"
    assert told.instead_of == "Distorted electric guitar: no soundfont was found"


def test_without_fluidsynth_the_reason_is_told(tmp_path, monkeypatch):
    def missing():
        raise AudioError("soundfonts want FluidSynth")

    monkeypatch.setattr(players, "soundfonts", lambda _: ["a soundfont"])
    monkeypatch.setattr(players, "fluidsynth_told", missing)
    rendered = render(plans.plan("rock", 120, 2, [plans.rock(2).parts[1]]), tmp_path, RATE)
    assert rendered.instruments["Bass"].instead_of == "Picked bass: soundfonts want FluidSynth"


def test_parts_of_one_name_are_refused_in_one_line(tmp_path):
    with pytest.raises(AudioError, match="each part needs a name of its own"):
        render(plans.plan("ambient", 90, BARS, [pads("pad"), pads("pad")]), tmp_path, RATE)


def test_a_plan_without_parts_is_refused(tmp_path):
    with pytest.raises(AudioError, match="has no parts"):
        render(plans.plan("ambient", 90, BARS, []), tmp_path, RATE)


def test_a_single_soft_stroke_is_heard_and_not_blown_up(tmp_path):
    hat = Part(name="hat", stem="drums", role="drums", sound="kit_909", notes=((1.0, 0.1, 42, 10),))
    rendered = render(plans.plan("ambient", 90, BARS, [hat, pads("pad")]), tmp_path, RATE)
    peak = np.abs(rendered.parts["hat"].read()).max()
    assert 0.001 < peak < 0.5


def test_another_rate_is_kept(tmp_path):
    rendered = render(plans.plan("ambient", 90, BARS, [pads("pad")]), tmp_path, 44_100)
    assert rendered.mix.sample_rate == 44_100
    assert rendered.mix.duration == pytest.approx(4 * 4 * 60 / 90 + 0.9 * 4 * 60 / 90, abs=0.01)


def test_a_plan_in_which_nobody_plays_is_silent(tmp_path):
    quiet = Part(name="quiet", stem="other", role="pad", sound="synth_pad", notes=())
    rendered = render(plans.plan("ambient", 90, BARS, [quiet]), tmp_path, RATE)
    assert rendered.mix.frames
    assert not rendered.mix.read().any()


def test_progress_rises_to_one(tmp_path):
    told = []
    render(plans.plan("ambient", 90, BARS, [pads("pad")]), tmp_path, RATE, told.append)
    assert told == sorted(told)
    assert told[-1] == 1


@pytest.fixture(scope="module")
def country(tmp_path_factory):
    """Drums, bass and a clean guitar that strums."""
    strummed = tuple(
        (4.0 * bar + beat, 0.9, pitch, 90)
        for bar in range(BARS)
        for beat in range(4)
        for pitch in (57, 60, 64)
    )
    guitar = Part(
        name="Guitar", stem="guitar", role="chords", sound="electric_guitar", notes=strummed, pan=0.3
    )
    parts = [*plans.rock(BARS).parts[:2], guitar]
    return render(plans.plan("country", 110, BARS, parts), tmp_path_factory.mktemp("country"), RATE)


def side_db(sound):
    return level_db(sound[0] - sound[1]) - level_db(sound[0] + sound[1])


def test_rhythm_guitars_of_a_band_are_wide_and_the_bass_is_in_the_middle(country):
    assert side_db(country.parts["Guitar"].read()) > -4
    assert side_db(country.parts["Bass"].read()) < -20


@pytest.mark.parametrize("octave_hz", [125, 250, 500, 1000, 2000, 4000])
def test_a_band_in_mono_loses_no_octave(country, octave_hz):
    """What is not alike in both channels loses 3 dB; takes that cancel each other would lose more."""
    mix = country.mix.read().astype(float)
    power = np.abs(np.fft.rfft(mix)) ** 2
    mono = np.abs(np.fft.rfft(mix.mean(axis=0))) ** 2
    frequencies = np.fft.rfftfreq(mix.shape[1], 1 / RATE)
    within = (frequencies > octave_hz / 2**0.5) & (frequencies < octave_hz * 2**0.5)
    assert 10 * np.log10(mono[within].sum() / power.mean(axis=0)[within].sum()) > -3.3


@pytest.mark.parametrize("seed", [1, 6])
def test_metal_in_e_phrygian_is_heard_in_its_key(tmp_path, seed):
    """Its fifths have a major third among their partials, and were heard as E major."""
    asked = Asked(genre="metal", key="E phrygian", bpm=(150, 150), bars=16)
    request, _ = complete(Understanding(asked=asked), seed)
    mix = render(compose(request, seed), tmp_path, RATE).mix
    ProfilingResource().profile(mix, ProfileBrief(), tmp_path)
    assert Profile.read(tmp_path / "profile.json").key in ("E minor", "A minor", "C major")
