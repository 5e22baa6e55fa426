from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import signal

from resonate_resources.recordings.midi import Note
from resonate_resources.recordings.recording import Samples
from resonate_tests.benchmarks.defects import harmless, notes, timbre
from resonate_tests.benchmarks.defects.excerpt import Excerpt, composed_excerpt
from resonate_tests.benchmarks.defects.replaying import replayed, unchanged
from resonate_tests.benchmarks.defects.tones import RATE, excerpt, level_db, noise, pitch_hz, strokes, tone
from resonate_tests.benchmarks.music_truth.styles import KICK


@pytest.fixture(scope="module")
def waltz() -> Excerpt:
    """Drums, bass and chords, dry, by the soundfont that a Python package brings."""
    return composed_excerpt(304)


def long_bass_note(song: Excerpt) -> Note:
    """The longest that begins and ends in the excerpt, in its seconds."""
    assert song.score is not None
    start = song.score.start_s
    moved = [
        replace(n, onset_s=n.onset_s - start, offset_s=n.offset_s - start)
        for n in song.score.song.notes("bass")
        if n.onset_s > start and n.offset_s < start + song.duration_s
    ]
    return max(moved, key=lambda note: note.duration_s)


def pitch_class_at(bass: Samples, note: Note) -> float:
    """Semitones over C, whatever the octave: a bass's second partial may be its loudest."""
    held = bass[:, round((note.onset_s + 0.05) * RATE) : round((note.offset_s - 0.02) * RATE)]
    low = signal.sosfiltfilt(signal.butter(4, 250, fs=RATE, output="sos"), held)
    return float((69 + 12 * np.log2(pitch_hz(np.asarray(low)) / 440)) % 12)


def without(song: Excerpt, made: Samples | None, stem: str) -> Samples:
    """What plays that stem now."""
    assert made is not None
    return np.asarray(made - song.mix + song.stems[stem], np.float32)


def test_a_composed_excerpt_has_all_stems_and_they_sum_to_it(waltz: Excerpt) -> None:
    assert set(waltz.stems) == {"drums", "bass", "other"}
    assert np.abs(sum(waltz.stems.values()) - waltz.mix).max() < 1e-6
    assert all(level_db(stem) > -50 for stem in waltz.stems.values())


def test_the_same_notes_give_the_same_samples(waltz: Excerpt) -> None:
    assert np.array_equal(harmless.played_again(waltz, 0), waltz.mix)


@pytest.mark.parametrize("semitones", [5, 12])
def test_a_transposed_bass_sounds_that_much_higher(waltz: Excerpt, semitones: int) -> None:
    note = long_bass_note(waltz)
    moved = without(waltz, notes.in_another_key(waltz, np.inf, ("bass",), semitones), "bass")

    assert pitch_class_at(waltz.stems["bass"], note) == pytest.approx(note.pitch % 12, abs=0.3)
    assert pitch_class_at(moved, note) == pytest.approx((note.pitch + semitones) % 12, abs=0.3)


def test_wrong_chords_of_one_bar_leave_the_others(waltz: Excerpt) -> None:
    start, end = waltz.bars(1)
    made = notes.with_other_chords(waltz, 1)
    assert made is not None

    # Filters by Fourier transforms carry rounding errors of all into all.
    changed, before, after = (
        level_db((made - waltz.mix)[:, waltz.frames_of(*span)]) - level_db(waltz.mix)
        for span in ((start, end), (0, start - 0.1), (end + 3, 30))
    )
    assert changed > -10
    assert before < -80
    assert after < -40


def kick_power(song: Excerpt, drums: Samples, later_s: float) -> float:
    """Under 100 Hz in the 60 ms after all kicks, in dB."""
    assert song.score is not None
    low = signal.sosfiltfilt(signal.butter(4, 100, fs=RATE, output="sos"), drums)
    times = [
        n.onset_s - song.score.start_s + later_s for n in song.score.song.notes("drums") if n.pitch == KICK
    ]
    pieces = [
        low[:, round(t * RATE) : round((t + 0.06) * RATE)] for t in times if 0 < t < song.duration_s - 0.1
    ]
    return level_db(np.concatenate(pieces, axis=1))


def test_kicks_are_missing_or_come_late(waltz: Excerpt) -> None:
    true = waltz.stems["drums"]
    missing = without(waltz, notes.with_kicks(waltz, 1.0, notes._removed), "drums")
    late = without(waltz, notes.with_late_kicks(waltz, 0.5), "drums")
    half = waltz.beat_s / 2

    assert kick_power(waltz, missing, 0) < kick_power(waltz, true, 0) - 10
    assert kick_power(waltz, late, half) == pytest.approx(kick_power(waltz, true, 0), abs=2)
    assert kick_power(waltz, late, 0) < kick_power(waltz, true, 0) - 6


def test_kicks_are_doubled_half_a_beat_later(waltz: Excerpt) -> None:
    doubled = without(waltz, notes.with_kicks(waltz, 1.0, notes._doubled), "drums")

    assert kick_power(waltz, doubled, waltz.beat_s / 2) == pytest.approx(kick_power(waltz, doubled, 0), abs=2)


def test_a_share_of_the_melody_is_wrong(waltz: Excerpt) -> None:
    right = notes.with_wrong_notes(waltz, 0.0, "vocals")
    wrong = [notes.with_wrong_notes(waltz, share, "vocals") for share in (0.1, 1.0)]
    assert right is not None
    assert np.array_equal(right, waltz.mix)
    few, all_of_them = (level_db(made - waltz.mix) for made in wrong if made is not None)

    assert level_db(waltz.mix) - 40 < few < all_of_them


def test_without_a_score_no_notes_are_changed() -> None:
    song = excerpt({"other": tone(4, 440), "drums": noise(4)})

    assert notes.with_wrong_notes(song, 1.0, "vocals") is None
    assert notes.jittered(song, 0.04) is None
    assert timbre.by_program(song, 81, "other") is None
    assert timbre.by_voice(song, 0.0, "other") is None


def test_a_separated_stem_is_shifted_for_its_bars_alone() -> None:
    stems = {"other": tone(12, 220), "drums": noise(12) * 0.3}
    song = excerpt(stems)
    made = notes.in_another_key(song, 1, ("other",), 3)
    assert made is not None
    start, end = song.bars(1)
    inside = (made - stems["drums"])[:, song.frames_of(start + 0.2, end - 0.2)]
    outside = (made - stems["drums"])[:, song.frames_of(0, start - 0.2)]

    assert pitch_hz(inside) == pytest.approx(261.63, rel=2e-3)  # C4
    assert pitch_hz(outside) == pytest.approx(220, rel=1e-4)


def test_drums_are_turned_by_a_beat_and_a_half_within_their_bars() -> None:
    stems = {"drums": strokes(12, 2.0), "other": tone(12, 440, 0.001)}
    song = excerpt(stems)
    start, end = song.bars(1)
    made = without(song, notes.with_other_drums(song, 1), "drums")
    span = song.frames_of(start, end)
    before, after = (np.flatnonzero(np.abs(one[0, span]) > 0.4) / RATE for one in (stems["drums"], made))

    assert after == pytest.approx((before + 0.75) % (end - start), abs=1e-3)
    assert np.abs((made - stems["drums"])[:, : span.start]).max() < 1e-6


def test_one_stem_alone_is_late() -> None:
    stems = {"drums": strokes(4, 1.0), "other": tone(4, 440, 0.001)}
    late = without(excerpt(stems), notes.with_late_stem(excerpt(stems), 0.05, "drums"), "drums")

    assert np.array_equal(np.flatnonzero(late[0] > 0.4) - np.flatnonzero(stems["drums"][0] > 0.4), [2205] * 4)


def test_another_instrument_plays_the_same_notes_at_the_same_power(waltz: Excerpt) -> None:
    note = long_bass_note(waltz)
    other = without(waltz, timbre.by_program(waltz, 58, "bass"), "bass")

    assert level_db(other) == pytest.approx(level_db(waltz.stems["bass"]), abs=0.1)
    assert pitch_class_at(other, note) == pytest.approx(note.pitch % 12, abs=0.5)
    assert level_db(other - waltz.stems["bass"]) > level_db(other) - 3


def test_sines_have_the_notes_pitches_and_noise_has_none(waltz: Excerpt) -> None:
    note = long_bass_note(waltz)
    sines, hisses = (without(waltz, timbre.by_voice(waltz, share, "bass"), "bass") for share in (0.0, 1.0))

    def flatness(samples: Samples) -> float:
        power = signal.welch(samples[0], RATE, nperseg=2048)[1][1:-1]
        return float(np.exp(np.mean(np.log(power + 1e-20))) / np.mean(power))

    assert pitch_class_at(sines, note) == pytest.approx(note.pitch % 12, abs=0.1)
    assert flatness(sines) < 0.01
    assert flatness(hisses) > 0.9


def test_the_dry_song_is_the_song_without_its_room(waltz: Excerpt) -> None:
    assert waltz.score is not None
    assert waltz.score.song.sound.rt60_s is None
    assert np.array_equal(replayed(waltz, "drums", unchanged, dry=True), replayed(waltz, "drums", unchanged))
