"""The demo, whole: a phone recording of a song through every stage, against what the song is known to be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from resonate_assets.jobs import STAGES
from resonate_resources.signal.loudness import measure_loudness
from resonate_resources.signal.si_sdr import measure_si_sdr
from resonate_resources.signal.true_peak import measure_true_peak
from resonate_resources.storage.artefacts import Artefact
from resonate_studio.demo import DemoTruth, bass_onset_f, make_demo, noise_floor
from resonate_studio.demo_song import DemoSong
from resonate_studio.home import open_instance, settings_for
from resonate_studio.outcome import Processed
from resonate_studio.processing import Processor


class Outcome:
    """What came of a file."""

    def __init__(self, processor: Processor, done: Processed) -> None:
        self._artefacts, self.done = processor.storage.artefacts, done

    def stage(self, name: str) -> Artefact:
        artefact = self._artefacts.current(name, self.done.track or "")
        assert artefact is not None
        return artefact


@pytest.fixture(scope="module")
def processor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processor]:
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("RESONATE_HOME", "DAGSTER_HOME", "RESONATE_STORAGE", "RESONATE_INBOX"):
            patch.setenv(variable, "")  # so that it is put back afterwards
        settings = settings_for(tmp_path_factory.mktemp("home"))
        with open_instance(settings) as instance:
            yield Processor(settings, instance)


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> DemoTruth:
    return make_demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def phone(processor: Processor, truth: DemoTruth) -> Outcome:
    return Outcome(processor, processor.process(truth.recording))


@pytest.fixture(scope="module")
def clean(processor: Processor, demo_song: DemoSong) -> Outcome:
    """The song itself, as it left the studio."""
    return Outcome(processor, processor.process(demo_song.mix.path))


def test_every_stage_is_made_and_every_blocking_check_passes(phone: Outcome) -> None:
    assert phone.done.error is None
    assert list(phone.done.assets) == list(STAGES)
    assert [check.name for check in phone.done.checks if check.severity == "error" and not check.passed] == []


def test_stems_of_the_song_are_six_decibels_nearer_to_the_truth_than_the_mix(
    clean: Outcome, demo_song: DemoSong
) -> None:
    stems = clean.stage("stems").stems()
    gains = [
        measure_si_sdr(stems[name], true) - measure_si_sdr(demo_song.mix, true)
        for name, true in demo_song.stems.items()
    ]
    assert sum(gains) / len(gains) >= 6.0


def test_restoration_takes_no_stem_away_from_the_truth_and_between_the_words_nothing_is_heard(
    phone: Outcome, truth: DemoTruth
) -> None:
    before, after = phone.stage("stems").stems(), phone.stage("restored_stems").stems()
    for name, true in truth.stems.items():
        assert measure_si_sdr(after[name], true) >= measure_si_sdr(before[name], true)
    assert noise_floor(after["vocals"]) <= min(noise_floor(before["vocals"]), -80)


def test_tempo_and_key_are_those_that_were_composed(phone: Outcome, clean: Outcome, truth: DemoTruth) -> None:
    for outcome in (phone, clean):
        profile = outcome.stage("profile").read_json("profile.json")
        assert profile["tempo_bpm"] == pytest.approx(truth.composition.tempo_bpm, abs=1.0)
        assert profile["key"] == truth.composition.key


def test_the_bass_line_is_recognisably_itself(clean: Outcome, demo_song: DemoSong) -> None:
    assert bass_onset_f(clean.stage("midi").path("bass.mid"), demo_song.composition) >= 0.7


def test_the_master_is_as_loud_as_promised_in_the_file(phone: Outcome) -> None:
    master = phone.stage("master").recording("master.wav")
    assert measure_loudness(master).integrated_lufs == pytest.approx(-14.0, abs=0.1)
    assert measure_true_peak(master) <= -1.0
    assert master.sample_rate == phone.stage("raw_track").recording("track.wav").sample_rate


def test_the_song_taken_again_is_the_same_track_and_nothing_is_computed_anew(
    processor: Processor, truth: DemoTruth, phone: Outcome, tmp_path: Path
) -> None:
    made_before = phone.stage("stems").manifest
    copy = tmp_path / "another name.wav"
    copy.write_bytes(truth.recording.read_bytes())
    again = processor.process(copy)
    assert again.track == phone.done.track
    assert phone.stage("stems").manifest == made_before
