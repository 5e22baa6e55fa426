"""For how long what counts no longer is kept, and how those who ask for changes learn what was deleted."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from resonate_resources.storage.artefacts import Artefacts
from resonate_resources.storage.current import changed_since, current_of, forget, record
from resonate_resources.storage.keeping import KeepingResource, Kept
from resonate_resources.storage.store import LocalStore
from resonate_resources.storage.tracks import bring_up_to_date, forget_gone, forget_rows
from resonate_tests.manifests import manifest
from resonate_tests.resources.storage.test_compute_cache import DAY, TRACK, make

OTHER = "other-0123456789ab"


def test_what_is_not_named_stays_as_it_is_by_itself() -> None:
    assert Kept.read("") == Kept(events=30, results=None, light=None)
    assert Kept.read("results=90d, light=7d") == Kept(30, 90, 7)
    assert Kept.read("events=always").events is None


@pytest.mark.parametrize(("days", "left"), [(None, 3), (90, 2), (30, 1)])
def test_superseded_results_go_at_their_age_and_by_itself_never(
    tmp_path: Path, days: int | None, left: int
) -> None:
    artefacts = Artefacts(LocalStore(tmp_path))
    made = [make(artefacts, source, days_old) for source, days_old in (("a", 400), ("b", 31), ("c", 400))]
    artefacts.publish(made[-1])
    keeping = KeepingResource(results=days, light=str(tmp_path / "light"))
    assert keeping.clear_results(artefacts.store, lambda: {TRACK}).results == 0  # it is worked at
    keeping.clear_results(artefacts.store, lambda: ())
    found = [artefacts.computed("mix", TRACK, each.manifest.key) for each in made]
    assert sum(each is not None for each in found) == left
    assert made[-1].complete()


def test_light_copies_go_when_nobody_asked_for_them_since_so_long(tmp_path: Path) -> None:
    old, young = (tmp_path / "light" / "ab" / name for name in ("old", "young"))
    old.parent.mkdir(parents=True)
    for file, days in ((old, 8), (young, 6)):
        file.touch()
        os.utime(file, (time.time() - days * DAY,) * 2)
    assert KeepingResource(light=str(tmp_path / "light")).clear_light() == 0
    assert KeepingResource(light=str(tmp_path / "light"), light_days=7).clear_light() == 1
    assert not old.exists()
    assert young.exists()


def test_what_is_gone_is_told_until_it_is_forgotten_and_who_has_not_heard_it_reads_all_anew(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'resonate.sqlite'}"
    for track in (TRACK, OTHER):
        record(url, manifest("mix", track, measures={"loudness_lufs": -14.0}))
    early = changed_since(url, 0).last
    forget(url, [("mix", TRACK)])
    forget_rows(url, TRACK)
    heard = changed_since(url, early)
    assert (heard.tracks, heard.whole) == ({TRACK}, False)

    assert forget_gone(url) == 0  # the catalogue has not heard it
    bring_up_to_date(url, lambda _: (None, ""), "")
    assert forget_gone(url) == 1
    late = changed_since(url, early)
    assert (late.tracks, late.whole) == ({OTHER}, True)
    assert not changed_since(url, heard.last).whole
    assert current_of(url, [TRACK, OTHER]).keys() == {OTHER}
