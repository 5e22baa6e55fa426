"""Pumping that is known, because it was put there; and music in which there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from resonate_resources.mixing.pumping import pumping
from resonate_resources.recordings.recording import Recording, write_samples
from resonate_resources.signal.kicks import kicks
from resonate_resources.signal.pumping import hear_pumping
from resonate_studio.demo_song import DemoSong

RATE = 44_100
SECONDS = 24
BEAT_S = 0.5
BEATS = np.arange(BEAT_S, SECONDS - 0.1, BEAT_S)
TIME = np.arange(SECONDS * RATE) / RATE

Wave = npt.NDArray[np.float64]


def struck(times: Wave, hertz: float, decay_s: float, level: float = 0.5) -> Wave:
    wave = np.zeros(len(TIME))
    for at in times:
        since = TIME - at
        heard = (since >= 0) & (since < 12 * decay_s)
        wave[heard] += level * np.exp(-since[heard] / decay_s) * np.sin(2 * np.pi * hertz * since[heard])
    return wave


def kick_drum() -> Wave:
    """With a hi-hat between the beats."""
    hat = np.random.default_rng(0).standard_normal(len(TIME)) * np.exp(-((TIME + 0.25) % BEAT_S) / 0.02)
    return struck(BEATS, 55, 0.08) + 0.05 * hat


def pad() -> Wave:
    """A chord that changes every two seconds, a little before the beat, and never is still."""
    wave = np.zeros(len(TIME))
    roots = np.array([220.0, 174.6, 261.6, 196.0])[((TIME + 0.13) // 2 % 4).astype(int)]
    phase = 2 * np.pi * np.cumsum(roots) / RATE
    for number, ratio in enumerate((1.0, 1.25, 1.5, 2.0)):
        wave += np.sin(ratio * phase + number) * (1 + 0.3 * np.sin(2 * np.pi * (0.31 + 0.17 * number) * TIME))
    return 0.05 * wave + 0.01 * np.random.default_rng(1).standard_normal(len(TIME))


def offbeat_chords() -> Wave:
    return struck(BEATS + BEAT_S / 2, 330, 0.06) + struck(BEATS + BEAT_S / 2, 415, 0.06)


def chords_on_the_beat() -> Wave:
    return struck(BEATS, 330, 0.3) + struck(BEATS, 415, 0.3)


def syncopated_bass() -> Wave:
    return struck(np.arange(0.0, SECONDS - 1, 0.75), 82, 0.3)


def tremolo() -> Wave:
    return pad() * (1 + 0.6 * np.sin(2 * np.pi * 3.7 * TIME))


def staccato_that_ends_where_the_beat_comes() -> Wave:
    """Rests of half a beat from each beat on."""
    return pad() * (((TIME / BEAT_S) % 1) > 0.5) + 1e-3 * pad()


def gated_by_14_db() -> Wave:
    return pad() * np.where((TIME / BEAT_S) % 1 > 0.25, 1.0, 0.2)


def plucks_before_the_beat() -> Wave:
    return struck(BEATS + 0.375, 330, 0.15) + 0.1 * pad()


def plucks_behind_the_beat() -> Wave:
    return struck(BEATS + 0.06, 330, 0.15) + 0.1 * pad()


def recording(path: Path, wave: Wave) -> Recording:
    return write_samples(path, np.stack([wave, wave]).astype(np.float32), RATE)


def pumped(wave: Wave, depth_db: float, release_s: float) -> Wave:
    """As a volume shaper does: the level in dB comes back exponentially after every beat."""
    since = (TIME - BEATS[0]) % BEAT_S + np.where(BEATS[0] > TIME, np.inf, 0.0)
    return wave * 10 ** (-depth_db * np.exp(-since / release_s) / 20)


@pytest.fixture(scope="module")
def drums(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return recording(tmp_path_factory.mktemp("drums") / "drums.wav", kick_drum())


def test_kicks_are_found_where_they_are_and_hats_are_none(drums: Recording) -> None:
    found = kicks(drums)
    assert len(found) == len(BEATS)
    assert np.abs(found - BEATS).max() <= 0.01


def test_what_is_not_struck_has_no_kicks_but_where_it_begins(tmp_path: Path) -> None:
    assert not len(kicks(recording(tmp_path / "silent.wav", np.zeros(len(TIME)))))
    steady = kicks(recording(tmp_path / "steady.wav", 0.3 * np.sin(2 * np.pi * 60 * TIME)))
    assert (steady < 0.01).all()


@pytest.mark.parametrize("depth_db", [4.0, 6.0, 12.0])
@pytest.mark.parametrize("release_s", [0.06, 0.12, 0.25])
def test_pumping_is_heard_as_deep_and_as_long_as_it_is(
    depth_db: float, release_s: float, drums: Recording, tmp_path: Path
) -> None:
    other = recording(tmp_path / "other.wav", pumped(pad(), depth_db, release_s))
    found = hear_pumping(other, kicks(drums))
    assert found.confidence > 0.5
    assert found.depth_db == pytest.approx(depth_db, abs=2)
    assert found.release_s == pytest.approx(release_s, rel=0.3)


def test_a_room_does_not_make_pumping_shallower_by_more_than_2_db(drums: Recording, tmp_path: Path) -> None:
    """Its RT60 is 0.6 s, its sound 6 dB under the direct one."""
    from scipy.signal import oaconvolve

    dry = pumped(pad(), 12.0, 0.12)
    response = np.random.default_rng(2).standard_normal(RATE) * 10 ** (-3 * TIME[:RATE] / 0.6)
    response *= 10 ** (-6 / 20) / np.sqrt(np.square(response).sum())
    wet = dry + oaconvolve(dry, response)[: len(dry)]
    found = hear_pumping(recording(tmp_path / "other.wav", wet), kicks(drums))
    assert found.confidence > 0.5
    assert found.depth_db == pytest.approx(12, abs=2)


@pytest.mark.parametrize(
    "played",
    [
        pad,
        offbeat_chords,
        chords_on_the_beat,
        syncopated_bass,
        tremolo,
        staccato_that_ends_where_the_beat_comes,
        gated_by_14_db,
        plucks_before_the_beat,
        plucks_behind_the_beat,
    ],
)
def test_music_without_pumping_does_not_pump(played: object, drums: Recording, tmp_path: Path) -> None:
    assert callable(played)
    found = hear_pumping(recording(tmp_path / "other.wav", played()), kicks(drums))
    assert found.confidence == 0


def test_a_plan_for_new_stems_can_have_the_originals_pumping(drums: Recording, tmp_path: Path) -> None:
    stems = {
        "drums": drums,
        "bass": recording(tmp_path / "bass.wav", pumped(pad(), 6.0, 0.12)),
        "other": recording(tmp_path / "other.wav", pad()),
    }
    heard = pumping(stems)
    assert heard is not None
    assert heard.key == "drums"
    assert heard.depths_db == {"bass": pytest.approx(6, abs=1.2)}
    assert heard.release_s == pytest.approx(0.12, rel=0.3)
    assert pumping({"bass": stems["bass"]}) is None


def test_a_little_more_pumping_is_a_little_more(drums: Recording, tmp_path: Path) -> None:
    strokes = kicks(drums)
    depths = []
    for depth_db in np.arange(0.6, 3.1, 0.4):
        found = hear_pumping(recording(tmp_path / "other.wav", pumped(pad(), depth_db, 0.12)), strokes)
        depths.append(found.depth_db * found.confidence)
    assert depths[0] < 0.1
    assert depths == sorted(depths)
    assert max(np.diff(depths)) < 1.0


def test_a_real_song_does_not_pump(demo_song: DemoSong) -> None:
    assert pumping(demo_song.stems) is None
