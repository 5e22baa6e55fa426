from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resonate_resources.instruments.instrument import Instrument
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.regeneration.additive import candidates, learn
from resonate_resources.regeneration.candidate import Part

RATE = 44_100
AMPLITUDES = (0.2, 0.1, 0.05, 0.02)
NOISE = 0.003


def hertz(pitch: float) -> float:
    return float(440 * 2 ** ((pitch - 69) / 12))


def part_of(path: Path, noise: float = 0.0, decay_s: float = np.inf) -> Part:
    """Notes of four partials of known amplitudes, that end within 20 ms."""
    notes = [Note(0.8 * i, 0.8 * i + 0.5, pitch, 100) for i, pitch in enumerate((55, 57, 60, 62))]
    sound = noise * np.random.default_rng(0).standard_normal(4 * RATE)
    for note in notes:
        time = np.arange(round(0.52 * RATE)) / RATE
        envelope = np.clip((0.52 - time) / 0.02, 0, 1) * np.clip(time / 0.005, 0, 1) * np.exp(-time / decay_s)
        start = round(note.onset_s * RATE)
        for number, amplitude in enumerate(AMPLITUDES, start=1):
            wave = amplitude * np.sin(2 * np.pi * number * hertz(note.pitch) * time)
            sound[start : start + len(time)] += envelope * wave
    stereo = np.stack([sound, sound]).astype(np.float32)
    return Part("bass", write_samples(path / "stem.wav", stereo, RATE), tuple(notes), RATE)


def voice(part: Part) -> Instrument:
    return next(iter(candidates(part))).instrument


def amplitude(sound: Samples, frequency: float, start_s: float, stop_s: float) -> float:
    piece = sound[0, round(start_s * RATE) : round(stop_s * RATE)].astype(np.float64)
    window = np.hanning(len(piece))
    wave = np.exp(-2j * np.pi * frequency * np.arange(len(piece)) / RATE)
    return float(2 * abs(np.sum(piece * window * wave)) / window.sum())


def test_a_pitch_that_was_never_played_has_the_partials_of_its_neighbours(tmp_path: Path) -> None:
    sound = voice(part_of(tmp_path)).play([Note(0.0, 0.5, 58, 100)], RATE)
    for number, wanted in enumerate(AMPLITUDES, start=1):
        made = amplitude(sound, number * hertz(58), 0.1, 0.4)
        assert 20 * np.log10(made / wanted) == pytest.approx(0, abs=2.0)


def test_noise_is_as_strong_as_it_was(tmp_path: Path) -> None:
    sound = voice(part_of(tmp_path, NOISE)).play([Note(0.0, 0.5, 57, 100)], RATE)
    spectrum = np.abs(np.fft.rfft(sound[0, 4410:17640] * np.hanning(13230)))
    lines = np.fft.rfftfreq(13230, 1 / RATE)
    heard = np.square(spectrum[(lines > 4000) & (lines < 10_000)]).mean()
    wanted = NOISE**2 * np.square(np.hanning(13230)).sum()
    assert 10 * np.log10(heard / wanted) == pytest.approx(0, abs=2.0)


def test_a_note_that_dies_away_goes_on_doing_so_beyond_what_was_heard(tmp_path: Path) -> None:
    sound = voice(part_of(tmp_path, decay_s=0.3)).play([Note(0.0, 1.2, 57, 100)], 2 * RATE)
    fell_db = 20 * np.log10(amplitude(sound, hertz(57), 0.9, 1.1) / amplitude(sound, hertz(57), 0.2, 0.4))
    assert fell_db == pytest.approx(-20 * np.log10(np.e) * 0.7 / 0.3, abs=3.0)


def test_bends_are_followed(tmp_path: Path) -> None:
    bent = Note(0.0, 0.5, 57, 100, ((0.0, 0.0), (0.05, 1.5)))
    sound = voice(part_of(tmp_path)).play([bent], RATE)
    assert amplitude(sound, hertz(58.5), 0.15, 0.45) == pytest.approx(0.2, rel=0.25)
    assert amplitude(sound, hertz(57), 0.15, 0.45) < 0.02


def test_a_note_is_silent_when_it_has_rung_out(tmp_path: Path) -> None:
    instrument = voice(part_of(tmp_path))
    note = Note(0.1, 0.4, 57, 100)
    sound = instrument.play([note], RATE)
    assert not sound[:, round(instrument.sounding_until(note) * RATE) + 1 :].any()
    assert np.abs(sound[:, : round(0.1 * RATE)]).max() == 0


def test_softer_notes_are_softer(tmp_path: Path) -> None:
    instrument = voice(part_of(tmp_path))
    loud, soft = (instrument.play([Note(0.0, 0.4, 57, velocity)], RATE) for velocity in (110, 60))
    assert np.abs(soft).max() < 0.8 * np.abs(loud).max()


def test_without_notes_nothing_is_learned(tmp_path: Path) -> None:
    part = part_of(tmp_path)
    silent = Part("bass", part.recording, (), RATE)
    assert learn(silent) == []
    assert list(candidates(silent)) == []
