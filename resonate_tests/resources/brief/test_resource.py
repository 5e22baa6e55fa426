"""Where briefs come from, and what is set for a track."""

from __future__ import annotations

from pathlib import Path

import pytest

from resonate_resources.brief.brief import Brief
from resonate_resources.brief.layers import BriefError
from resonate_resources.brief.resource import SET, BriefResource
from resonate_resources.storage.resource import StorageResource
from resonate_resources.storage.sources import Source
from resonate_tests.homes import storage

__all__ = ["storage"]

TRACK = "song-0123456789ab"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox" / "club" / "late").mkdir(parents=True)
    return tmp_path / "inbox"


@pytest.fixture
def briefs(storage: StorageResource, inbox: Path) -> BriefResource:
    return BriefResource(storage=storage, folder=str(inbox))


def source(file: Path) -> Source:
    return Source(TRACK, str(file), 1, "0123456789ab")


def target(lufs: float) -> str:
    return f"[mastering]\ntarget_lufs = {lufs}\n"


def test_the_nearer_a_brief_lies_to_the_track_the_more_it_counts(
    briefs: BriefResource, storage: StorageResource, inbox: Path, tmp_path: Path
) -> None:
    song = source(inbox / "club" / "late" / "song.mp3")
    seen = []
    (tmp_path / "brief.toml").write_text(target(-30))  # above the inbox: nobody's business
    (inbox.parent / "song.brief.toml").write_text(target(-31))
    for place, lufs in (
        (Path(storage.store.location("brief.toml")), -20),
        (inbox / "brief.toml", -19),
        (inbox / "club" / "brief.toml", -18),
        (inbox / "club" / "late" / "brief.toml", -17),
        (inbox / "club" / "late" / "song.brief.toml", -16),
    ):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(target(lufs))
        resolved = briefs.resolve(TRACK, song)
        seen.append(resolved.brief.mastering.target_lufs)
        assert resolved.origins["mastering.target_lufs"] == str(place)
    briefs.change(TRACK, song, {"mastering.target_lufs": -15})
    assert briefs.resolve(TRACK, song).origins["mastering.target_lufs"] == SET
    assert [*seen, briefs.resolve(TRACK, song).brief.mastering.target_lufs] == [-20, -19, -18, -17, -16, -15]


def test_folders_of_a_file_that_is_in_no_inbox_say_nothing(briefs: BriefResource, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "brief.toml").write_text(target(-20))
    (tmp_path / "elsewhere" / "song.brief.toml").write_text("[mixing]\npreset = 'aggressive'\n")
    resolved = briefs.resolve(TRACK, source(tmp_path / "elsewhere" / "song.wav"))
    assert resolved.brief.mastering.target_lufs == -14
    assert resolved.brief.mixing.preset == "aggressive"


def test_a_track_of_the_longest_name_has_no_file_beside_it_and_that_is_all(
    briefs: BriefResource, inbox: Path
) -> None:
    (inbox / "brief.toml").write_text(target(-19))
    song = inbox / f"{'x' * 251}.wav"  # 255 bytes, as long as names are on ext4 and APFS
    song.write_bytes(b"")
    assert briefs.resolve(TRACK, source(song)).brief.mastering.target_lufs == -19


def test_what_was_set_is_forgotten_by_name(briefs: BriefResource) -> None:
    briefs.change(TRACK, None, {"mastering.target_lufs": -9, "mixing.gains_db.vocals": 2.0})
    briefs.change(TRACK, None, {"mixing.gains_db.drums": 1.0})
    assert briefs.resolve(TRACK, None).brief.mixing.gains_db == {"vocals": 2.0, "drums": 1.0}
    briefs.change(TRACK, None, {}, ["mixing.gains_db"])
    assert briefs.settings(TRACK) == {"mastering.target_lufs": -9}
    with pytest.raises(BriefError, match=r"mixing\.gains_db: was not set"):
        briefs.change(TRACK, None, {}, ["mixing.gains_db"])


def test_a_table_that_is_set_takes_the_place_of_what_was_set_of_it(briefs: BriefResource) -> None:
    briefs.change(TRACK, None, {"mixing.gains_db.vocals": 2.0})
    given = {"mixing.gains_db": {"drums": 3.0}}
    assert briefs.change(TRACK, None, given).brief.mixing.gains_db == {"drums": 3.0}
    assert given == {"mixing.gains_db": {"drums": 3.0}}
    briefs.change(TRACK, None, {"mixing.gains_db.bass": 1.0})
    assert briefs.resolve(TRACK, None).brief.mixing.gains_db == {"drums": 3.0, "bass": 1.0}
    briefs.change(TRACK, None, {"mixing.gains_db": {}})
    assert briefs.settings(TRACK) == {}


def test_settings_that_a_later_version_does_not_know_can_be_taken_back_one_by_one(
    briefs: BriefResource, storage: StorageResource
) -> None:
    storage.store.write(f"briefs/{TRACK}.json", b'{"mastering.target_lufs": -99, "mixing.old": 3}')
    with pytest.raises(BriefError, match="take it back: resonate brief unset"):
        briefs.resolve(TRACK, None)
    briefs.change(TRACK, None, {}, ["mastering.target_lufs"])
    assert briefs.settings(TRACK) == {"mixing.old": 3}
    briefs.change(TRACK, None, {}, ["mixing.old"])
    assert briefs.resolve(TRACK, None).brief == Brief()


@pytest.mark.parametrize("damaged", [b"{", b"null x", b"3"])
def test_what_was_set_and_is_damaged_is_one_line_that_names_the_file(
    briefs: BriefResource, storage: StorageResource, damaged: bytes
) -> None:
    storage.store.write(f"briefs/{TRACK}.json", damaged)
    with pytest.raises(BriefError, match=rf"briefs/{TRACK}\.json: what was set for the track is damaged"):
        briefs.resolve(TRACK, None)


@pytest.mark.parametrize("place", ["inbox/brief.toml", "inbox/song.brief.toml", "storage/brief.toml"])
def test_a_folder_in_the_place_of_a_brief_is_one_line(
    briefs: BriefResource, tmp_path: Path, place: str
) -> None:
    (tmp_path / place).mkdir(parents=True)
    with pytest.raises(BriefError, match=r"brief\.toml: can't be read \(is a directory\)"):
        briefs.resolve(TRACK, source(tmp_path / "inbox" / "song.mp3"))


def test_a_brief_of_a_windows_editor_is_read(briefs: BriefResource, inbox: Path) -> None:
    (inbox / "brief.toml").write_bytes(b"\xef\xbb\xbf" + target(-20).encode())
    assert briefs.resolve(TRACK, source(inbox / "song.mp3")).brief.mastering.target_lufs == -20


@pytest.mark.parametrize("engine", ["loud", "demucs:loud", "spectral:None", "auto:x"])
def test_an_engine_that_there_is_not_is_refused_when_it_is_set(briefs: BriefResource, engine: str) -> None:
    with pytest.raises(
        BriefError, match=rf"separation\.engine: {engine} is no engine; there are auto, demucs"
    ):
        briefs.change(TRACK, None, {"separation.engine": engine})
    briefs.change(TRACK, None, {"separation.engine": "demucs:htdemucs"})


def test_a_model_without_its_engine_is_told_with_it(briefs: BriefResource) -> None:
    with pytest.raises(
        BriefError, match=r"separation\.engine: htdemucs is a model, not an engine; give demucs:htdemucs"
    ):
        briefs.change(TRACK, None, {"separation.engine": "htdemucs"})


def test_a_change_with_one_wrong_value_changes_nothing(briefs: BriefResource) -> None:
    briefs.change(TRACK, None, {"mastering.target_lufs": -9})
    with pytest.raises(BriefError, match=r"mixing\.preset"):
        briefs.change(TRACK, None, {"mastering.target_lufs": -20, "mixing.preset": "loud"})
    assert briefs.settings(TRACK) == {"mastering.target_lufs": -9}


def test_a_brief_that_is_no_text_is_one_line(briefs: BriefResource, inbox: Path) -> None:
    (inbox / "brief.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BriefError, match=r"brief\.toml: is not UTF-8"):
        briefs.resolve(TRACK, source(inbox / "song.mp3"))
