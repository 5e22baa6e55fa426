"""The ledger of an inbox, and which content is which track."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from resonate_resources.storage.database import database
from resonate_resources.storage.inbox import Seen
from resonate_resources.storage.store import LocalStore
from resonate_resources.storage.taken_in import TakenIn, enter_tracks, knows_tracks, tracks_of

STRANGE = os.fsdecode(b"/in/\xff\xfe.wav")
ODD = "/in/two\nlines 🎸.wav"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'resonate.sqlite'}"


def seen(uri: str, stamp: str = "x") -> Seen:
    return Seen(uri, 1, stamp, settled=True)


def test_what_was_entered_is_fresh_no_more_whatever_its_name_until_it_changes(url: str) -> None:
    ledger = TakenIn(url, "/in")
    long = f"/in/{'deep/' * 800}song.wav"
    ledger.enter({STRANGE: "1:x", ODD: "1:x", long: "1:x"})
    files = [seen(STRANGE), seen(ODD), seen(long), seen("/in/new.wav"), seen(ODD, "y")]
    assert list(ledger.fresh(files)) == [seen("/in/new.wav"), seen(ODD, "y")]
    ledger.enter({ODD: "1:y"})
    assert list(ledger.fresh([seen(ODD, "y")])) == []


def test_each_inbox_has_a_ledger_of_its_own(url: str) -> None:
    TakenIn(url, "/in").enter({"/in/a.wav": "1:x"})
    for other in ("/another", os.fsdecode(b"/\xff")):
        assert list(TakenIn(url, other).fresh([seen("/in/a.wav")])) == [seen("/in/a.wav")]
    TakenIn(url, "/another").forget()
    assert list(TakenIn(url, "/in").fresh([seen("/in/a.wav")])) == []
    TakenIn(url, "/in").forget()
    assert list(TakenIn(url, "/in").fresh([seen("/in/a.wav")])) == [seen("/in/a.wav")]


def test_a_look_asks_a_question_a_few_hundred_files_and_reads_no_row_of_others(url: str) -> None:
    ledger = TakenIn(url, "/in")
    ledger.enter({f"/in/{number:05}.wav": "1:x" for number in range(5000)})
    questions: list[str] = []

    def listen(_: object, __: object, statement: str, *___: object) -> None:
        questions.append(statement)

    sa.event.listen(database(url), "before_cursor_execute", listen)
    files = [seen(f"/in/{number:05}.wav") for number in range(1200)]
    assert list(ledger.fresh([*files, seen("/in/new.wav")])) == [seen("/in/new.wav")]
    asked = [question for question in questions if "inbox_ledger" in question]
    assert len(asked) == 3
    assert all(" IN (" in question for question in asked)


def test_the_ledger_of_an_earlier_version_is_taken_over_once(url: str, tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    name = hashlib.sha256(b"/in").hexdigest()[:12]  # as earlier versions named it
    store.write(f"ledger/{name}.json", json.dumps({STRANGE: "1:x", "/in/b.wav": "1:x"}).encode())
    ledger = TakenIn(url, "/in")
    ledger.take_over(store)
    assert list(ledger.fresh([seen(STRANGE), seen("/in/b.wav")])) == []
    ledger.forget()
    ledger.take_over(store)
    assert list(ledger.fresh([seen(STRANGE)])) == [seen(STRANGE)]


def test_every_so_many_th_uri_is_a_bound_in_the_order_of_its_bytes(url: str) -> None:
    ledger = TakenIn(url, "s3://music/in")
    names = ["s3://music/in/a.wav", "s3://music/in/b.wav", "s3://music/in/é.wav", "s3://music/in/日.wav"]
    ledger.enter(dict.fromkeys(reversed(names), "1:x"))
    assert ledger.sampled(2) == [names[1], names[3]]
    assert ledger.sampled(950) == []


def test_the_track_of_a_content_is_the_one_entered_last(url: str) -> None:
    assert not knows_tracks(url)
    enter_tracks(url, {f"{number:012x}": f"song-{number:012x}" for number in range(1100)})
    enter_tracks(url, {f"{7:012x}": f"other-name-{7:012x}"})
    assert knows_tracks(url)
    found = tracks_of(url, [f"{number:012x}" for number in range(1200)])
    assert len(found) == 1100
    assert found[f"{7:012x}"] == f"other-name-{7:012x}"
