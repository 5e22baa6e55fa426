"""Held against FluidSynth's own program, and against what General MIDI and MIDI 1.0 say."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
from itertools import islice
from pathlib import Path

import mido
import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf

from resonate_resources.instruments import soundfont_program as module
from resonate_resources.instruments.playing import play_in_segments
from resonate_resources.instruments.soundfont_file import Program, Soundfont
from resonate_resources.instruments.soundfont_program import SoundfontProgram
from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import AudioError, Recording, Samples, write_samples
from resonate_resources.regeneration.candidate import Part
from resonate_resources.regeneration.soundfont import candidates
from resonate_tests.benchmarks.music_truth.rendering import soundfont as installed
from resonate_tests.programs import required

RATE = 44_100
FLUID, TIM = installed("FluidR3_GM"), installed("TimGM6mb")
PIANO, BASS, STRINGS = Program(0, 0, "piano"), Program(0, 33, "bass"), Program(0, 48, "strings")
KIT = Program(128, 0, "kit")
SCALE = [Note(0.4 * index, 0.4 * index + 0.35, 60 + index, 40 + 10 * index) for index in range(8)]


def instrument(program: Program, notes: list[Note], path: Path = TIM) -> SoundfontProgram:
    return SoundfontProgram(Soundfont.read(path), program, RATE, notes)


def by_fluidsynth(path: Path, program: int, notes: list[Note], folder: Path) -> Samples:
    """The same notes by the program that Debian has, at the gain of its own."""
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000)])
    track.append(mido.Message("program_change", program=program))
    events = [(n.onset_s, mido.Message("note_on", note=n.pitch, velocity=n.velocity)) for n in notes]
    events += [(n.offset_s, mido.Message("note_off", note=n.pitch)) for n in notes]
    now = 0
    for at, message in sorted(events, key=lambda event: event[0]):
        track.append(message.copy(time=round(at * 2000) - now))
        now = round(at * 2000)
    track.append(mido.MetaMessage("end_of_track", time=4000))
    song = mido.MidiFile(ticks_per_beat=1000)
    song.tracks.append(track)
    song.save(folder / "played.mid")
    command = [required("fluidsynth"), "-niq", "-R", "0", "-C", "0", "-g", "0.3", "-r", str(RATE)]
    command += ["-O", "float", "-T", "wav", "-F", folder / "played.wav", path, folder / "played.mid"]
    subprocess.run(command, check=True, capture_output=True)
    return sf.read(folder / "played.wav", dtype="float32", always_2d=True)[0].T


def levels_db(sound: Samples) -> npt.NDArray[np.float64]:
    """Of both channels, every 50 ms."""
    block = RATE // 20
    whole = sound[:, : sound.shape[1] // block * block].astype(np.float64).reshape(2, -1, block)
    return 10 * np.log10(np.square(whole).mean(axis=2) + 1e-9)


def pitch_hz(sound: Samples, at_s: float) -> float:
    """The strongest line of a fifth of a second from there, below 1 kHz."""
    start = round(at_s * RATE)
    piece = sound.mean(axis=0)[start : start + RATE // 5]
    power = np.abs(np.fft.rfft(piece * np.hanning(piece.size), 1 << 18))
    return float(np.fft.rfftfreq(1 << 18, 1 / RATE)[: (1 << 18) // 44][np.argmax(power[: (1 << 18) // 44])])


@pytest.mark.parametrize("program", [PIANO, BASS, STRINGS])
@pytest.mark.parametrize("path", [FLUID, TIM])
def test_notes_sound_as_fluidsynth_plays_them(path: Path, program: Program, tmp_path: Path) -> None:
    theirs = by_fluidsynth(path, program.number, SCALE, tmp_path)
    ours = instrument(program, SCALE, path).play(SCALE, theirs.shape[1])
    # It begins notes up to a block and a millisecond late, which moves levels where a sound begins or ends.
    assert np.median(np.abs(levels_db(ours) - levels_db(theirs))) < 0.25


def test_a_note_begins_at_its_frame() -> None:
    organ = instrument(Program(0, 16, "organ"), SCALE)
    first = organ.play([Note(0.0, 0.5, 60, 100)], RATE)
    for onset in (1, 63, 64, 12_345):
        later = organ.play([Note(onset / RATE, 0.5 + onset / RATE, 60, 100)], RATE + onset)
        assert np.array_equal(later[:, onset:], first)
        assert not later[:, :onset].any()


def test_a_note_sounds_the_same_whatever_another_program_played_before() -> None:
    strings, piano = instrument(STRINGS, SCALE), instrument(PIANO, SCALE)
    alone = strings.play([SCALE[3]], 3 * RATE)
    piano.play(SCALE, 4 * RATE)
    assert np.array_equal(strings.play([SCALE[3]], 3 * RATE), alone)


@pytest.mark.parametrize("program", [PIANO, STRINGS, KIT])
def test_segments_join_without_a_seam(program: Program) -> None:
    rng = np.random.default_rng(3)
    notes = [
        Note(float(onset), float(onset) + float(rng.uniform(0.05, 2)), int(rng.integers(36, 60)), 90)
        for onset in np.sort(rng.uniform(0, 6, 40))
    ]
    played = instrument(program, notes)
    frames = 9 * RATE
    whole = played.play(notes, frames)
    joined = np.concatenate(list(play_in_segments(played, notes, frames, segment_s=1)), axis=1)
    # 16-bit audio's own rounding lies at −98 dB; a segment ends where a sound has fallen that far, or nearly.
    assert np.abs(joined - whole).max() < 10 ** (-80 / 20) * np.abs(whole).max()


def test_bends_are_followed_an_octave_far() -> None:
    bent = Note(0.0, 2.0, 60, 100, ((0.0, 0.0), (0.5, 1.0), (1.0, 12.0), (1.5, -0.5)))
    sound = instrument(STRINGS, [bent]).play([bent], 2 * RATE)
    plain = instrument(STRINGS, [bent]).play([Note(0.0, 2.0, 60, 100)], 2 * RATE)
    for at, semitones in ((0.6, 1.0), (1.1, 12.0), (1.6, -0.5)):
        heard = 12 * np.log2(pitch_hz(sound, at) / pitch_hz(plain, at))
        # Which of two partials is the stronger may change with the octave.
        assert abs((heard - semitones + 6) % 12 - 6) < 0.1


def test_drums_ring_out_however_short_their_notes_are() -> None:
    crash = [Note(0.0, length, 49, 110) for length in (0.03, 1.0)]
    kit = instrument(KIT, crash)
    short, long = (kit.play([note], 5 * RATE) for note in crash)
    assert np.array_equal(short, long)
    assert kit.sounding_until(crash[0]) > 0.5


def test_a_part_is_given_the_instrument_that_played_it(tmp_path: Path) -> None:
    # FluidR3 has heard nothing of TimGM6mb: marimba, organ and trumpet, each as far from the others as can be.
    for program in (12, 19, 56):
        theirs = by_fluidsynth(TIM, program, SCALE, tmp_path)
        recording = write_samples(tmp_path / "stem.wav", theirs, RATE)
        found = list(candidates(Part("other", recording, tuple(SCALE), RATE), [FLUID]))
        families = [int(str(one.settings["program"])) // 8 for one in found]
        assert program // 8 in families
        assert len(set(families)) == 3


def test_a_bass_gets_basses(tmp_path: Path) -> None:
    low = [Note(n.onset_s, n.offset_s, n.pitch - 24, n.velocity) for n in SCALE]
    recording = write_samples(tmp_path / "stem.wav", by_fluidsynth(TIM, 38, low, tmp_path), RATE)
    first = next(candidates(Part("bass", recording, tuple(low), RATE), [FLUID]))
    assert int(str(first.settings["program"])) in (38, 39)  # synth basses


def test_name_and_licence_come_from_the_soundfont_itself() -> None:
    fluid = Soundfont.read(FLUID)
    assert (fluid.name, fluid.licence) == ("Fluid R3 GM", "MIT")  # Debian's copyright file says so, too
    assert Program(0, 0, "Yamaha Grand Piano") in fluid.programs
    assert Soundfont.read(TIM).licence == "not told"


def test_a_soundfont_of_vorbis_and_of_odd_chunks_is_read() -> None:
    found = Soundfont.read(installed("MuseScore_General"))
    assert found.licence == "MIT"
    assert {number for bank, number in ((p.bank, p.number) for p in found.programs) if bank == 0} == set(
        range(128)
    )


def stem(folder: Path) -> Recording:
    return write_samples(folder / "stem.wav", np.zeros((2, RATE), np.float32), RATE)


def test_a_soundfont_that_is_missing_or_none_is_named(tmp_path: Path) -> None:
    part = Part("other", stem(tmp_path), tuple(SCALE), RATE)
    (tmp_path / "text.sf2").write_text("no soundfont at all")
    (tmp_path / "cut.sf2").write_bytes(TIM.read_bytes()[:100_000])
    for name in ("missing.sf2", "text.sf2", "cut.sf2"):
        with pytest.raises(AudioError, match=name):
            list(candidates(part, [tmp_path / name]))


def test_a_soundfont_whose_records_are_nonsense_is_named(tmp_path: Path) -> None:
    # A list of programs, and nothing that they could be made of.
    presets = b"".join(struct.pack("<20sHH14x", name, 0, 0) for name in (b"Piano", b"EOP"))
    body = b"sfbk" + b"LIST" + struct.pack("<I", 4 + 8 + len(presets)) + b"pdta"
    body += b"phdr" + struct.pack("<I", len(presets)) + presets
    (tmp_path / "hollow.sf2").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    with pytest.raises(AudioError, match=r"hollow\.sf2"):
        list(candidates(Part("other", stem(tmp_path), tuple(SCALE), RATE), [tmp_path / "hollow.sf2"]))


def test_a_crash_of_fluidsynth_is_told_and_the_next_call_works() -> None:
    piano = instrument(PIANO, SCALE)
    process = module._PLAYER._process
    assert process is not None
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSEGV)
    with pytest.raises(AudioError, match=r"TimGM6mb\.sf2: FluidSynth crashed \(signal 11\)"):
        piano.play(SCALE, RATE)
    assert piano.play(SCALE, RATE).any()


def test_a_system_without_soundfonts_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resonate_resources.instruments.soundfont_file.SYSTEM_FOLDERS", (tmp_path / "none",))
    with pytest.raises(AudioError, match="apt-get install fluid-soundfont-gm"):
        list(candidates(Part("other", stem(tmp_path), tuple(SCALE), RATE)))


def test_a_part_without_notes_has_no_candidates(tmp_path: Path) -> None:
    assert not list(islice(candidates(Part("other", stem(tmp_path), (), RATE), [TIM]), 1))
