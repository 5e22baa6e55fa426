"""With plugins that Debian has: Kars, a plucked string, and Nekobi, a bass synthesiser (VST 2, which DawDreamer
loads by the same call as VST 3)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import AudioError, write_samples
from resonate_resources.regeneration.candidate import Part
from resonate_resources.regeneration.plugin import Plugin, candidates
from resonate_tests.programs import required

RATE = 44_100
NOTES = (Note(0.25, 0.75, 57, 100), Note(1.0, 1.5, 45, 100))


@pytest.fixture(scope="module")
def plugins() -> Path:
    return required("dpf-plugins-vst")


@pytest.fixture
def part(tmp_path: Path) -> Part:
    return Part("bass", write_samples(tmp_path / "b.wav", np.zeros((2, RATE), np.float32), RATE), NOTES, RATE)


@pytest.mark.parametrize("name", ["Kars-vst.so", "Nekobi-vst.so"])
def test_a_plugin_plays_its_notes_at_their_pitches_and_times(name: str, plugins: Path, part: Part) -> None:
    (found,) = candidates(part, [(plugins / name, None)])
    sound = found.instrument.play(NOTES, 2 * RATE)
    assert sound.shape == (2, 2 * RATE)
    assert found.kind == "plugin"
    assert not np.abs(sound[:, : round(0.245 * RATE)]).max() > 1e-3
    for onset, hertz in ((0.25, 220.0), (1.0, 110.0)):  # A3 and A2
        piece = sound.mean(axis=0)[round((onset + 0.1) * RATE) :][: RATE // 4]
        power = np.abs(np.fft.rfft(piece * np.hanning(piece.size), 1 << 17))
        heard = np.fft.rfftfreq(1 << 17, 1 / RATE)
        power[heard < hertz / 2] = 0  # a plucked string wanders about zero
        strongest = heard[np.argmax(power)]
        partial = round(strongest / hertz)
        assert abs(1200 * np.log2(strongest / (partial * hertz))) < 25


def test_what_is_no_plugin_is_named(plugins: Path, part: Part, tmp_path: Path) -> None:
    (tmp_path / "text.vst3").write_text("no plugin")
    for path in (tmp_path / "missing.vst3", tmp_path / "text.vst3"):
        with pytest.raises(AudioError, match=path.name):
            list(candidates(part, [(path, None)]))
    with pytest.raises(AudioError, match=r"missing\.fxp"):
        list(candidates(part, [(plugins / "Kars-vst.so", tmp_path / "missing.fxp")]))


def test_an_effect_that_plays_nothing_is_named(plugins: Path, part: Part) -> None:
    with pytest.raises(AudioError, match=r"MVerb-vst\.so"):
        list(candidates(part, [(plugins / "MVerb-vst.so", None)]))


def test_sounding_until_covers_the_release(plugins: Path, part: Part) -> None:
    string = Plugin(plugins / "Kars-vst.so", None, RATE, part.notes)
    until = string.sounding_until(NOTES[0])
    sound = string.play(NOTES[:1], round((until + 1) * RATE))
    assert np.abs(sound[:, round(until * RATE) :]).max() < 2e-4 * np.abs(sound).max()
