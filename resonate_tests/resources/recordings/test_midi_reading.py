from __future__ import annotations

from pathlib import Path

import mido
import pretty_midi
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from resonate_resources.recordings.midi import read_notes
from resonate_resources.recordings.recording import AudioError


def saved(path: Path, *messages: mido.Message | mido.MetaMessage, ticks_per_beat: int = 480) -> Path:
    file = mido.MidiFile(ticks_per_beat=ticks_per_beat)
    file.tracks.append(mido.MidiTrack(messages))
    file.save(str(path))
    return path


def struck(pitch: int, after: int, velocity: int = 90) -> mido.Message:
    return mido.Message("note_on", note=pitch, velocity=velocity, time=after)


def let_go(pitch: int, after: int) -> mido.Message:
    return mido.Message("note_off", note=pitch, velocity=0, time=after)


def test_notes_are_read_at_the_times_that_tempo_changes_give_them(tmp_path: Path) -> None:
    path = saved(
        tmp_path / "two tempi.mid",
        mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(120), time=0),
        struck(60, 480, velocity=90),
        let_go(60, 480),
        mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(60), time=0),
        struck(64, 480, velocity=70),
        let_go(64, 240),
    )

    first, second = read_notes(path)

    # At 120 BPM a beat is 0.5 s, at 60 BPM 1 s.
    assert (first.onset_s, first.duration_s) == (pytest.approx(0.5), pytest.approx(0.5))
    assert (first.pitch, first.velocity, first.offset_s) == (60, 90, pytest.approx(1.0))
    assert (second.onset_s, second.duration_s) == (pytest.approx(2.0), pytest.approx(0.5))
    assert (second.pitch, second.velocity) == (64, 70)


def test_a_file_of_eight_hours_is_read(tmp_path: Path) -> None:
    hours = 8 * 60 * 120 * 960  # ticks, at 120 beats a minute
    path = saved(tmp_path / "long.mid", struck(40, hours), let_go(40, 960), ticks_per_beat=960)

    [note] = read_notes(path)

    assert (note.onset_s, note.duration_s) == (pytest.approx(8 * 3600), pytest.approx(0.5))


@given(
    st.lists(
        st.builds(
            lambda make, pitch, after: make(pitch, after),
            st.sampled_from([struck, let_go]),
            *[
                st.integers(60, 62),
                st.integers(0, 500),
            ],
        )
    )
)
@example([struck(60, 0), let_go(60, 0), let_go(60, 1)])  # over as soon as begun
def test_any_order_of_keys_struck_and_let_go_is_read_as_pretty_midi_does(
    tmp_path_factory: pytest.TempPathFactory, messages: list[mido.Message]
) -> None:
    path = saved(tmp_path_factory.mktemp("any") / "any.mid", *messages)

    expected = [
        (note.pitch, note.velocity, note.start, note.end)
        for instrument in pretty_midi.PrettyMIDI(str(path)).instruments
        for note in instrument.notes
    ]
    found = read_notes(path)
    told = [(note.pitch, note.velocity, note.onset_s, note.offset_s) for note in found]
    assert len(told) == len(expected)
    for ours, theirs in zip(sorted(told), sorted(expected), strict=True):
        assert ours == pytest.approx(theirs)
    assert found == sorted(found)


def test_silence_has_no_notes(tmp_path: Path) -> None:
    assert read_notes(saved(tmp_path / "none.mid")) == []


@pytest.mark.parametrize("content", [b"", b"no MIDI at all", b"MThd\x00\x00\x00\x06\x00\x01"])
def test_a_file_that_is_no_midi_is_refused_in_one_line_that_names_it(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "bass.mid").write_bytes(content)
    with pytest.raises(AudioError, match=r"^bass\.mid: cannot be read as MIDI[^\n]*$"):
        read_notes(tmp_path / "bass.mid")


def test_notes_are_in_order_of_onset_then_offset_then_pitch(tmp_path: Path) -> None:
    keys = struck(64, 0), struck(60, 0), struck(55, 0), let_go(64, 480), let_go(60, 0), let_go(55, 1)
    assert [note.pitch for note in read_notes(saved(tmp_path / "chord.mid", *keys))] == [60, 64, 55]
