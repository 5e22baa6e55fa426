"""Recordings whose tempo, key, form and balance are known, heard as references."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile as sf

from resonate_assets import referencing
from resonate_assets.referencing import heard_by
from resonate_resources.analysis.resource import AnalysisResource
from resonate_resources.composition.completing import complete
from resonate_resources.composition.composer.compose import compose
from resonate_resources.composition.heard_reference import HeardReference
from resonate_resources.composition.request import Asked, Request, Section, Understanding
from resonate_resources.composition.sound.rendering import render
from resonate_resources.profiling.resource import ProfilingResource
from resonate_resources.recordings.recording import AudioError, Recording
from resonate_resources.signal.octaves import octave_levels
from resonate_resources.signal.song_similarity import similarity

RATE = 44_100
FORM = "intro 4 0.4, verse 16 0.55, solo 16 0.85"


def hear_reference(file: Path, scratch: Path) -> HeardReference:
    return referencing.hear_reference(file, scratch, ProfilingResource(), AnalysisResource())


def request(genre: str, bpm: float, key: str, form: str, swing: float = 0.5) -> Request:
    asked = Asked(genre=genre, bpm=(bpm, bpm), key=key, reference_name=None)  # type: ignore[arg-type]
    whole, _ = complete(Understanding(asked=asked), 5)
    sections = [each.split() for each in form.split(", ")]
    structure = tuple(
        Section(name=name, bars=int(bars), energy=float(energy))  # type: ignore[arg-type]
        for name, bars, energy in sections
    )
    return whole.model_copy(update={"structure": structure, "swing": swing})


@pytest.fixture(scope="module")
def jazz(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Swing of 36 bars at 152 BPM in F."""
    folder = tmp_path_factory.mktemp("jazz")
    plan = compose(request("jazz_swing", 152.0, "F major", FORM, 0.667), 5)
    mix = render(plan, folder).mix
    return SimpleNamespace(plan=plan, mix=mix, heard=hear_reference(mix.path, folder))


def test_tempo_key_metre_and_swing_come_back(jazz: SimpleNamespace) -> None:
    found = jazz.heard.reference
    assert found.bpm == pytest.approx(152.0, abs=0.5)
    assert found.key == "F major"
    assert found.metre == "4/4"
    assert found.swing == pytest.approx(0.667, abs=0.05)


def test_sections_come_back_with_their_bars(jazz: SimpleNamespace) -> None:
    form = jazz.heard.reference.form
    assert [section.bars for section in form[:2]] == [4, 16]
    assert abs(sum(section.bars for section in form) - 36) <= 1  # the last chord rings on
    energies = [section.energy for section in form]
    assert energies[0] < energies[1] < energies[2]
    assert form[0].name == "intro"


def test_balance_and_loudness_are_those_of_the_recording(jazz: SimpleNamespace) -> None:
    found = jazz.heard.reference
    assert found.loudness_lufs == pytest.approx(-18.0, abs=0.2)  # what mixes come to
    own = 10 * np.log10(octave_levels(jazz.mix))
    np.testing.assert_allclose(found.balance.octaves_db, own, atol=0.05)


def test_a_recording_is_like_itself_and_its_own_piece_in_another_key_is_less_so(
    jazz: SimpleNamespace, tmp_path: Path
) -> None:
    same = heard_by(ProfilingResource(), jazz.heard, jazz.mix).similarity
    assert same.total > 0.99
    other = request("jazz_swing", 152.0, "B major", FORM, 0.667)
    heard = heard_by(ProfilingResource(), jazz.heard, render(compose(other, 5), tmp_path).mix).similarity
    assert heard.parts["harmony"] < 0.6
    assert heard.total < same.total


def test_what_was_heard_is_the_same_once_it_was_written_down(jazz: SimpleNamespace, tmp_path: Path) -> None:
    jazz.heard.write(tmp_path / "reference.json")
    read = HeardReference.read(tmp_path / "reference.json")
    assert read.reference == jazz.heard.reference
    assert similarity(read.passages, jazz.heard.passages).total == pytest.approx(1.0, abs=1e-9)


def wav(path: Path, samples: np.ndarray) -> Path:
    sf.write(path, samples, RATE)
    return path


def speech(folder: Path) -> Path:
    """Syllables as a voice says them: a buzz through moving formants, at uneven times."""
    chance = np.random.default_rng(3)
    sound = np.zeros(12 * RATE)
    at = 0.0
    while at < 11.0:
        length = chance.uniform(0.08, 0.3)
        time = np.arange(round(length * RATE)) / RATE
        pitch = chance.uniform(90, 150) * (1 - 0.3 * time / length)
        buzz = np.sign(np.sin(2 * np.pi * np.cumsum(pitch) / RATE)) * np.hanning(time.size)
        start = round(at * RATE)
        sound[start : start + time.size] += 0.2 * buzz
        at += length + chance.uniform(0.02, 0.4)
    return wav(folder / "speech.wav", sound)


@pytest.mark.parametrize(
    ("name", "samples", "told"),
    [
        ("silence.wav", np.zeros(10 * RATE), "silent"),
        ("short.wav", 0.3 * np.sin(np.arange(RATE) / 20), "lasts 1.0 s"),
        ("noise.wav", np.random.default_rng(0).normal(0, 0.1, 10 * RATE), "neither a beat nor a key"),
    ],
)
def test_what_is_no_music_is_refused_in_one_line(
    name: str, samples: np.ndarray, told: str, tmp_path: Path
) -> None:
    with pytest.raises(AudioError, match=told) as refused:
        hear_reference(wav(tmp_path / name, samples), tmp_path)
    assert str(refused.value).startswith(f"{name}: ")
    assert len(str(refused.value).splitlines()) == 1


def test_speech_is_no_reference(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="neither a beat nor a key"):
        hear_reference(speech(tmp_path), tmp_path)


def test_a_text_is_no_reference(tmp_path: Path) -> None:
    (tmp_path / "song.mp3").write_text("la la la")
    with pytest.raises(AudioError, match=r"song\.mp3"):
        hear_reference(tmp_path / "song.mp3", tmp_path)


def test_of_a_long_recording_the_beginning_is_read_and_no_form_told(
    jazz: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(referencing, "LONGEST_S", 45.0)
    heard = hear_reference(jazz.mix.path, tmp_path).reference
    assert Recording.open(tmp_path / "reference.wav").duration == pytest.approx(45.0)
    assert heard.form == ()
    assert heard.bpm == pytest.approx(152.0, abs=0.5)
