"""Sampled instruments as sfzlint reads and smplr plays them: neither is ours.

The Web Audio that smplr plays in wants libasound2, which Chromium brings.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples, write_samples
from resonate_resources.regeneration.candidate import Part
from resonate_resources.regeneration.sampled_instrument import LONGEST_S, MOST_SAMPLES, sampled
from resonate_resources.regeneration.sfz import write_samples_of
from resonate_tests.reader_environments import npm_with, read_with

RATE = 44_100
KICK, CLOSED, OPEN = 36, 42, 46
Sound = npt.NDArray[np.float64]


def hertz(pitch: int) -> float:
    return 440.0 * 2.0 ** ((pitch - 69) / 12)


def tone(note: Note, decay_s: float = np.inf) -> Sound:
    """Four partials that begin at once, as loud as the velocity has it by SFZ's own law."""
    seconds = np.arange(round(note.duration_s * RATE)) / RATE
    partials = sum(
        np.sin(2 * np.pi * number * hertz(note.pitch) * seconds) / number**2 for number in range(1, 5)
    )
    ends = np.minimum(1.0, (seconds[-1] - seconds) / 0.02)
    return np.asarray(0.2 * (note.velocity / 127) ** 2 * partials * np.exp(-seconds / decay_s) * ends)


def noise(note: Note, decay_s: float, hum_hz: float) -> Sound:
    seconds = np.arange(round(4 * decay_s * RATE)) / RATE
    hiss = np.random.default_rng(note.pitch).standard_normal(len(seconds))
    hiss *= 0.05
    return np.asarray(
        (note.velocity / 127) ** 2
        * (hiss + 0.3 * np.sin(2 * np.pi * hum_hz * seconds))
        * np.exp(-seconds / decay_s)
    )


def part_of(folder: Path, stem: str, notes: Sequence[Note], sounds: Sequence[Sound]) -> Part:
    length = max(note.onset_s for note in notes) + 5
    whole = np.zeros(round(length * RATE))
    for note, sound in zip(notes, sounds, strict=True):
        at = round(note.onset_s * RATE)
        whole[at : at + len(sound)] += sound[: len(whole) - at]
    recording = write_samples(folder / f"{stem}.wav", np.stack([whole, whole]).astype(np.float32), RATE)
    return Part(stem, recording, tuple(sorted(notes)), RATE)


def line(pitches: Sequence[int], velocity: int = 90, length_s: float = 0.8) -> list[Note]:
    return [Note(at + 0.1, at + 0.1 + length_s, pitch, velocity) for at, pitch in enumerate(pitches)]


def write(part: Part, folder: Path) -> Path:
    instrument = sampled(part)
    assert instrument is not None
    into = folder / "sfz"
    into.mkdir()
    text, files = write_samples_of(instrument, part, into, 2, ["about"])
    assert {path.relative_to(into).as_posix() for path in into.rglob("*") if path.is_file()} == files.keys()
    path = into / f"{part.stem.capitalize()}.sfz"
    text.write(path, -text.loudest_db)
    return path


def read(sfz: Path) -> list[dict[str, Any]]:
    found = read_with("sfzlint", str(sfz))
    assert found["complaints"] == []
    regions: list[dict[str, Any]] = found["regions"]
    return regions


def play(sfz: Path, notes: Sequence[Note], seconds: float, ringing: bool = False) -> Samples:
    """What smplr makes of them. It knows no loops, and nothing of amp_veltrack."""
    told, out = sfz.with_suffix(".json"), sfz.with_suffix(".f32")
    told.write_text(
        json.dumps(
            [[note.onset_s, None if ringing else note.offset_s, note.pitch, note.velocity] for note in notes]
        )
    )
    npm_with("sfz", "--silent", "run", "play", "--", *map(str, (sfz, told, out, RATE, seconds)))
    return np.fromfile(out, "<f4").reshape(2, -1)


def strongest_hz(sound: Samples, start_s: float, stop_s: float) -> float:
    piece = sound[0, round(start_s * RATE) : round(stop_s * RATE)]
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 1 << 19))
    return float(spectrum.argmax() * RATE / (1 << 19))


def level_db(sound: Samples, start_s: float, stop_s: float) -> float:
    return 10 * float(
        np.log10(np.square(sound[:, round(start_s * RATE) : round(stop_s * RATE)]).mean() + 1e-12)
    )


@pytest.fixture(scope="module")
def melody(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("melody")
    notes = line((57, 60, 64, 67, 57, 64))
    return write(part_of(folder, "bass", notes, [tone(note) for note in notes]), folder)


@pytest.fixture(scope="module")
def groove(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("groove")
    notes, sounds = [], []
    for beat in range(24):
        drum = (KICK, CLOSED, KICK, OPEN)[beat % 4]
        note = Note(0.1 + beat, 0.2 + beat, drum, 50 if beat < 12 else 110)
        notes.append(note)
        sounds.append(
            noise(note, {KICK: 0.05, CLOSED: 0.03, OPEN: 0.2}[drum], {KICK: 60.0}.get(drum, 7000.0))
        )
    return write(part_of(folder, "drums", notes, sounds), folder)


def test_only_opcodes_of_the_first_version_are_used_and_all_samples_are_there(
    melody: Path, groove: Path
) -> None:
    for sfz in (melody, groove):
        assert read(sfz)


def test_keys_are_covered_once_each_up_to_four_semitones_around_what_was_played(melody: Path) -> None:
    covered = {
        key: region["pitch_keycenter"]
        for region in read(melody)
        for key in range(region["lokey"], region["hikey"] + 1)
    }
    assert sorted(covered) == list(range(53, 72))
    assert all(
        abs(key - center) == min(abs(key - one) for one in (57, 60, 64, 67))
        for key, center in covered.items()
    )


def test_another_player_plays_every_key_at_its_pitch_and_when_it_is_struck(melody: Path) -> None:
    notes = [Note(at + 0.5, at + 1.1, pitch, 100) for at, pitch in enumerate(range(53, 72))]
    sound = play(melody, notes, 20)
    for note in notes:
        heard = strongest_hz(sound, note.onset_s + 0.05, note.onset_s + 0.45)
        assert 1200 * abs(np.log2(heard / hertz(note.pitch))) < 3
        piece = np.abs(sound[0, round((note.onset_s - 0.1) * RATE) : round((note.onset_s + 0.1) * RATE)])
        begins = float(np.argmax(piece > 0.2 * piece.max())) / RATE - 0.1
        assert 0 <= begins < 0.006
        assert level_db(sound, note.onset_s - 0.02, note.onset_s) < -60  # the one before has died away


def test_played_as_recorded_it_sounds_as_recorded(melody: Path) -> None:
    """Against the tones themselves, but for one gain for all: of one velocity, no law of velocities matters."""
    notes = line((64, 57, 67, 60))
    sound = play(melody, notes, 5)[0].astype(np.float64)
    truth = np.zeros_like(sound)
    for note in notes:
        at = round(note.onset_s * RATE)
        truth[at : at + round(0.8 * RATE)] += tone(note)
    spectra = [
        np.abs(np.fft.rfft(np.lib.stride_tricks.sliding_window_view(one, 2048)[::512] * np.hanning(2048)))
        for one in (sound, truth)
    ]
    gain = float((spectra[0] * spectra[1]).sum() / np.square(spectra[0]).sum())
    assert np.abs(gain * spectra[0] - spectra[1]).sum() / spectra[1].sum() < 0.1
    told = next(line for line in melody.read_text().splitlines() if line.endswith("as loud as its stems."))
    assert 20 * np.log10(gain) == pytest.approx(float(told.split()[1]), abs=0.2)


def test_how_loudness_follows_velocity_is_the_stems(tmp_path: Path) -> None:
    """The tones follow SFZ's law in full, and then not at all."""
    notes = [
        replace(note, velocity=60 + 9 * at) for at, note in enumerate(line((45, 48, 45, 48, 45, 48, 45)))
    ]
    followed = [tone(note) for note in notes]
    flat = [tone(replace(note, velocity=90)) for note in notes]
    for name, sounds, least, most in (("followed", followed, 80, 100), ("flat", flat, 0, 10)):
        (tmp_path / name).mkdir()
        regions = read(write(part_of(tmp_path / name, "bass", notes, sounds), tmp_path / name))
        assert {least <= region["amp_veltrack"] <= most for region in regions} == {True}


def test_at_full_velocity_the_loudest_sample_peaks_at_one_dbfs_under_full_scale(groove: Path) -> None:
    regions = read(groove)
    assert max(region["volume"] for region in regions) == 0
    peaks = [np.abs(sf.read(groove.parent / region["sample"])[0]).max() for region in regions]
    assert peaks == pytest.approx([10 ** (-1 / 20)] * len(peaks), abs=1e-3)
    loudest = next(region for region in regions if region["volume"] == 0)
    sound = play(groove, [Note(0.1, 0.2, loudest["lokey"], 127)], 2, ringing=True)
    assert np.abs(sound).max() == pytest.approx(10 ** (-1 / 20), abs=0.01)


def test_soft_and_hard_strokes_are_played_by_their_own_recordings_in_turn(groove: Path) -> None:
    kicks = [region for region in read(groove) if region["lokey"] == KICK]
    layers = {(region["lovel"], region["hivel"]) for region in kicks}
    assert len(layers) > 1
    assert {velocity for low, high in layers for velocity in range(low, high + 1)} == set(range(1, 128))
    for layer in layers:
        turns = [region for region in kicks if (region["lovel"], region["hivel"]) == layer]
        assert sorted(region.get("seq_position", 1) for region in turns) == [*range(1, len(turns) + 1)]
        assert {region.get("seq_length", 1) for region in turns} == {len(turns)}
        assert len({region["sample"] for region in turns}) == len(turns)


def test_a_closed_hi_hat_ends_an_open_one_and_a_kick_does_not(groove: Path) -> None:
    left = play(groove, [Note(0.1, 0.2, OPEN, 110), Note(0.2, 0.3, KICK, 1)], 1, ringing=True)
    ended = play(groove, [Note(0.1, 0.2, OPEN, 110), Note(0.2, 0.3, CLOSED, 1)], 1, ringing=True)
    assert level_db(left, 0.35, 0.45) > level_db(ended, 0.35, 0.45) + 20


def test_what_is_sustained_is_looped_without_a_step_and_what_dies_away_is_not(tmp_path: Path) -> None:
    steady, dying = tmp_path / "steady", tmp_path / "dying"
    for folder, decay_s in ((steady, np.inf), (dying, 0.2)):
        folder.mkdir()
        notes = line((45, 48))
        sfz = write(part_of(folder, "other", notes, [tone(note, decay_s) for note in notes]), folder)
        for region in read(sfz):
            if folder is dying:
                assert region["loop_mode"] == "no_loop"
                continue
            assert region["loop_mode"] == "loop_continuous"
            sound, _ = sf.read(sfz.parent / region["sample"])
            looped = np.concatenate([sound[: region["loop_end"] + 1], sound[region["loop_start"] :]])[:, 0]
            seam = np.abs(np.diff(looped[region["loop_end"] - 5 : region["loop_end"] + 6]))
            assert seam.max() <= 1.1 * np.abs(np.diff(sound[RATE // 10 :, 0])).max()


def test_where_no_note_stands_alone_keys_are_made_of_what_was_learned_and_the_file_says_so(
    tmp_path: Path,
) -> None:
    notes = [
        Note(at + 0.1, at + 0.9, pitch, 90)
        for at in range(4)
        for pitch in ((60, 64, 67), (62, 65, 69))[at % 2]
    ]
    sfz = write(part_of(tmp_path, "other", notes, [tone(note) for note in notes]), tmp_path)
    assert sfz.read_text().count("hardly a note near it stands alone") == 6
    played = [Note(at + 0.5, at + 1.0, pitch, 100) for at, pitch in enumerate((60, 64, 67))]
    sound = play(sfz, played, 4)
    for note in played:
        heard = strongest_hz(sound, note.onset_s + 0.1, note.onset_s + 0.45)
        assert 1200 * abs(np.log2(heard / hertz(note.pitch))) < 10


def test_a_key_that_is_played_from_over_four_semitones_away_is_told(tmp_path: Path) -> None:
    notes = line((48, 48, 48, 60))
    silent = [np.zeros(1) if note.pitch == 60 else tone(note) for note in notes]
    sfz = write(part_of(tmp_path, "bass", notes, silent), tmp_path)
    assert "// C4: shifted by more than four semitones" in sfz.read_text()
    assert max(region["hikey"] for region in read(sfz)) == 60


def test_a_part_without_notes_or_without_sound_has_no_instrument(tmp_path: Path) -> None:
    notes = line((60, 62))
    assert sampled(part_of(tmp_path, "other", notes, [np.zeros(1)] * 2)) is None
    silent = part_of(tmp_path, "drums", line((36, 38)), [np.zeros(1)] * 2)
    assert sampled(silent) is None
    assert sampled(Part("bass", silent.recording, (), RATE)) is None


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stem=st.sampled_from(["drums", "other"]),
    told=st.lists(st.tuples(st.integers(24, 100), st.integers(1, 127)), min_size=1, max_size=120),
)
def test_no_instrument_is_over_its_size_and_every_key_and_velocity_played_has_one_layer(
    tmp_path_factory: pytest.TempPathFactory, stem: str, told: list[tuple[int, int]]
) -> None:
    notes = [
        Note(0.05 + 0.2 * at, 0.2 + 0.2 * at, pitch, velocity) for at, (pitch, velocity) in enumerate(told)
    ]
    part = part_of(tmp_path_factory.mktemp("many"), stem, notes, [tone(note) + 1e-3 for note in notes])
    instrument = sampled(part)
    assert instrument is not None
    takes = [take for zone in instrument.zones for take in zone.takes()]
    assert len(takes) <= MOST_SAMPLES
    assert all(take.sound.shape[1] <= LONGEST_S * RATE + 1 for take in takes)
    for note in notes:
        playing = [
            layer
            for zone in instrument.zones
            if zone.low <= note.pitch <= zone.high
            for layer in zone.layers
            if layer[0] <= note.velocity <= layer[1]
        ]
        assert len(playing) == 1
