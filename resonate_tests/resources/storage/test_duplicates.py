"""Tracks that sound the same are found, whatever format they are kept in, without comparing every pair."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from resonate_resources.profiling.fingerprint import alike, fingerprint_of, words_of
from resonate_resources.recordings.decoding import decode
from resonate_resources.recordings.lossy import encode_lossy
from resonate_resources.recordings.recording import Recording, write_samples
from resonate_resources.storage.database import transaction, upsert
from resonate_resources.storage.duplicates import (
    Duplicates,
    Words,
    find_duplicates,
    same_sound,
    without_fingerprint,
)
from resonate_resources.storage.tracks import fingerprints, tracks
from resonate_studio.demo_song import DemoSong, compose, render
from resonate_tests.programs import required


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'resonate.sqlite'}"


def enter(url: str, found: Mapping[str, str | None]) -> None:
    """Track → its fingerprint."""
    with transaction(url) as db:
        upsert(
            db,
            fingerprints,
            [
                {"track": track, "data_version": "v", "fingerprint": text, "sketch": None}
                for track, text in found.items()
            ],
        )


# Real recordings


def made_of(song: Recording, name: str, folder: Path) -> dict[str, str]:
    """A song as people have it more than once → fingerprint."""
    rate, samples = song.sample_rate, song.read(0, song.frames)
    later = write_samples(folder / f"{name}-later.wav", samples[:, 3 * rate :], rate)
    louder = write_samples(folder / f"{name}-louder.wav", 1.01 * samples, rate)
    versions = {"as it is": song, "later": later, "louder": louder}
    kinds = (("mp3", 128), ("mp3", 64), ("m4a", 128), ("opus", 96))
    for (ending, kbps), source in (*((kind, song) for kind in kinds), (kinds[0], later), (kinds[3], later)):
        file = folder / f"{name}-{len(versions)}.{ending}"
        encode_lossy(source, file, ending, kbps)  # type: ignore[arg-type]
        into = folder / file.stem
        into.mkdir()
        versions[file.name] = decode(file, into).recording
    return {f"{name} {version}": fingerprint_of(each) for version, each in versions.items()}


def test_a_song_in_many_formats_begun_later_or_louder_is_one_group_and_other_songs_are_others(
    url: str, demo_song: DemoSong, tmp_path: Path
) -> None:
    required("libchromaprint1")
    (tmp_path / "second").mkdir()
    second = render(compose(seed=77), tmp_path / "second").mix
    (tmp_path / "third").mkdir()
    third = render(compose(seed=78), tmp_path / "third").mix
    one, two = made_of(demo_song.mix, "one", tmp_path), made_of(second, "two", tmp_path)
    enter(url, {**one, **two, "three": fingerprint_of(third)})
    groups = find_duplicates(url, words_of, alike)
    assert [group.tracks for group in groups] == [tuple(sorted(one)), tuple(sorted(two))]
    assert all(0.85 < group.likeness <= 1.0 for group in groups)


# Which are compared: words are numbers here, and as much alike as they have places in common


def numbers(text: str) -> Words:
    return np.array(text.split(), np.uint32)


def text_of(words: Words) -> str:
    return " ".join(map(str, words.tolist()))


class Comparison:
    """Remembers how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, one: str, other: str) -> float:
        self.asked += 1
        return float(np.mean(numbers(one) == numbers(other)))


def random_words(seed: int, count: int = 900) -> Words:
    return np.random.default_rng(seed).integers(0, 2**32, count, np.uint32)


def test_of_many_tracks_only_those_that_share_something_are_compared(url: str) -> None:
    found = {f"song {seed:03d}": random_words(seed) for seed in range(400)}
    changed = found["song 007"].copy()
    changed[::5] = random_words(1000, len(changed[::5]))
    enter(url, {track: text_of(words) for track, words in {**found, "song 007 again": changed}.items()})
    comparison = Comparison()
    assert find_duplicates(url, numbers, comparison) == [Duplicates(("song 007", "song 007 again"), 0.8)]
    assert comparison.asked == 1


def test_what_many_tracks_share_does_not_have_all_of_them_compared(url: str) -> None:
    jingle = np.sort(random_words(5000, 40))
    found = {f"song {seed:03d}": np.r_[jingle, random_words(seed)] for seed in range(200)}
    enter(url, {track: text_of(words) for track, words in found.items()})
    comparison = Comparison()
    assert find_duplicates(url, numbers, comparison) == []
    assert comparison.asked < 2000  # of 19,900 pairs


def test_many_copies_of_one_track_are_one_group(url: str) -> None:
    words = text_of(random_words(1))
    enter(url, {f"copy {number:03d}": words for number in range(120)})
    [group] = find_duplicates(url, numbers, Comparison())
    assert len(group.tracks) == 120


def test_silence_is_like_nothing_as_there_is_nothing_in_it(url: str) -> None:
    enter(url, dict.fromkeys(("silence", "pause"), text_of(np.full(900, 627964279, np.uint32))))
    comparison = Comparison()
    assert find_duplicates(url, numbers, comparison) == []
    assert comparison.asked == 0


def test_a_track_that_came_later_and_one_that_was_profiled_anew_are_compared(url: str) -> None:
    enter(url, {"a": text_of(random_words(1)), "b": text_of(random_words(2))})
    assert find_duplicates(url, numbers, Comparison()) == []
    enter(url, {"b": text_of(random_words(1)), "c": text_of(random_words(1))})
    assert find_duplicates(url, numbers, Comparison()) == [Duplicates(("a", "b", "c"), 1.0)]


def test_the_same_samples_are_duplicates_without_any_fingerprint(url: str) -> None:
    sounds = {"song.wav": "s1", "song.flac": "s1", "other.wav": "s2", "unknown": None}
    with transaction(url) as db:
        upsert(db, tracks, [{"track": track, "sound_sha256": sound} for track, sound in sounds.items()])
    enter(url, {"song.wav": None, "other.wav": text_of(random_words(1))})
    expected = [Duplicates(("song.flac", "song.wav"), 1.0)]
    assert same_sound(url) == expected
    assert find_duplicates(url, numbers, Comparison()) == expected
    assert without_fingerprint(url) == 3


def test_an_empty_library_has_no_duplicates(url: str) -> None:
    assert find_duplicates(url, numbers, Comparison()) == []


@pytest.mark.parametrize("broken", ["", "AQAAA", "!", "Ä"])
def test_what_is_no_fingerprint_counts_as_none_and_stops_no_search(url: str, broken: str) -> None:
    required("libchromaprint1")
    words = random_words(1)
    texts = {text_of(words): words}
    enter(url, {"a": text_of(words), "b": text_of(words), "broken": broken, "none": None})
    with transaction(url) as db:
        upsert(db, tracks, [{"track": track} for track in ("a", "b", "broken", "none")])

    def words_or_none(text: str) -> Words:
        return texts[text] if text in texts else words_of(text)

    assert find_duplicates(url, words_or_none, Comparison()) == [Duplicates(("a", "b"), 1.0)]
    assert without_fingerprint(url) == 2
    assert alike(broken, broken) == 0.0


@pytest.mark.parametrize(
    ("broken", "made_anew"), [("x'616263'", True), ("'aäöü'", True), ("'äöüß'", False), ("'abcd'", False)]
)
def test_a_sketch_that_is_none_stops_no_search_and_is_made_anew_if_it_has_no_whole_words(
    url: str, broken: str, made_anew: bool
) -> None:
    enter(url, dict.fromkeys(("a", "b"), text_of(random_words(1))))
    with transaction(url) as db:
        upsert(db, tracks, [{"track": track} for track in ("a", "b", "c", "d")])
    enter(url, dict.fromkeys(("c", "d"), text_of(random_words(2))))
    with transaction(url) as db:
        db.execute(sa.text(f"UPDATE fingerprints SET sketch = {broken} WHERE track = 'c'"))
    groups = find_duplicates(url, numbers, Comparison())
    assert Duplicates(("a", "b"), 1.0) in groups
    assert (Duplicates(("c", "d"), 1.0) in groups) == made_anew
