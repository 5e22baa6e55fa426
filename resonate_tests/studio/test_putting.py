"""Files put into a folder of the user's: nothing of his is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from resonate_studio.putting import beside, put


@pytest.fixture
def made(tmp_path: Path) -> Path:
    (tmp_path / "made").write_text("new")
    return tmp_path / "made"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_what_is_there_stays_unless_it_is_to_be_replaced(made: Path, out: Path) -> None:
    (out / "song.als").write_text("mine")
    with pytest.raises(click.ClickException, match="--replace writes over it"):
        put({"song.als": made}, out, replace=False)
    assert (out / "song.als").read_text() == "mine"
    put({"song.als": made}, out, replace=True)
    assert (out / "song.als").read_text() == "new"


def test_a_link_that_leads_nowhere_is_something_too(made: Path, out: Path) -> None:
    (out / "song.als").symlink_to(out / "a disk that is not mounted")
    with pytest.raises(click.ClickException, match="is there already"):
        put({"song.als": made}, out, replace=False)
    assert (out / "song.als").is_symlink()


def test_a_tracks_own_file_is_never_written_over(made: Path, out: Path) -> None:
    (out / "song.mp3").write_text("the only copy")
    with pytest.raises(click.ClickException, match="a track's own file"):
        put({"song.mp3": made}, out, replace=True, kept=[out / "song.mp3"])
    assert (out / "song.mp3").read_text() == "the only copy"


def test_what_grows_is_written_through_its_link(made: Path, out: Path, tmp_path: Path) -> None:
    crate = tmp_path / "on a stick.crate"
    crate.write_text("old")
    (out / "Resonate.crate").symlink_to(crate)
    put({"Resonate.crate": made}, out, replace=False, ours={"Resonate.crate"})
    assert (out / "Resonate.crate").is_symlink()
    assert crate.read_text() == "new"


def test_nothing_is_moved_where_one_of_several_can_not_be(made: Path, out: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("other")
    (out / "b").mkdir()
    with pytest.raises(click.ClickException, match="is in the way"):
        put({"a": other, "b": made}, out, replace=True)
    assert not (out / "a").exists()


def test_scratch_of_a_killed_process_goes_with_the_next_and_of_one_at_work_stays(out: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from resonate_studio.putting import beside\n"
        "with beside(Path(sys.argv[1])) as scratch:\n"
        "    (scratch / 'sound').write_bytes(b'x'); print(scratch, flush=True); time.sleep(60)"
    )

    def at_work() -> tuple[subprocess.Popen[str], Path]:
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(out)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        return process, Path(process.stdout.readline().strip())

    killed, left = at_work()
    killed.kill()
    killed.wait()
    assert (left / "sound").exists()
    working, own = at_work()
    try:
        with beside(out):
            assert not left.exists()
            assert (own / "sound").exists()
        assert own.exists()
    finally:
        working.kill()
        working.wait()
    with beside(out):
        pass
    assert list(out.iterdir()) == []


def test_a_folder_that_can_not_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(click.ClickException, match="can't be written to"), beside(tmp_path / "file" / "out"):
        pass
