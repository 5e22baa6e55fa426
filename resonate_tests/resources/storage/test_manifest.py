"""Manifests: what is written can be read by later versions, and a damaged one is a result that is not there."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resonate_resources.recipe import Engine, Product, Recipe
from resonate_resources.storage.artefacts import (
    Artefact,
    Artefacts,
    ChangedFileError,
    Read,
    compute_key,
)
from resonate_resources.storage.computing import computed
from resonate_resources.storage.manifest import Manifest, UnreadableManifestError
from resonate_resources.storage.store import LocalStore

RECIPE = Recipe(
    Engine("toy", "large", "MIT"), {"preset": "balanced", "depth": 3}, "2", "c0ffee", {"soxr": "1.1"}
)
READS = [Read("raw_track", "v1", {"track.wav": "abc"}), Read("brief", "v7", {})]
WRITTEN = b"RIFF of a kind"


def make(artefacts: Artefacts, content: bytes = WRITTEN, seconds: bytes = b"1 s") -> tuple[Artefact, bool]:
    def work(into: Path) -> Product:
        (into / "mix.wav").write_bytes(content)
        (into / "report.json").write_bytes(seconds)
        return Product(
            {"mix.wav": into / "mix.wav"}, {"gain_db": 3.0}, reports={"report.json": into / "report.json"}
        )

    return computed(artefacts, work, stage="mix", track="song", recipes=[RECIPE], reads=READS)


@pytest.fixture
def artefacts(tmp_path: Path) -> Artefacts:
    return Artefacts(LocalStore(tmp_path / "store"))


def inner(artefacts: Artefacts, made: Artefact) -> Path:
    return Path(artefacts.store.location(f"artefacts/mix/song/{made.manifest.key}/manifest.json"))


def test_the_key_can_be_made_again_from_the_manifest(artefacts: Artefacts) -> None:
    made, _ = make(artefacts)
    read = Manifest.from_json(inner(artefacts, made).read_bytes())
    assert compute_key(read.stage, read.recipe, read.inputs) == read.key
    assert read.inputs == {"raw_track/track.wav": "abc"}
    assert read.made_from == {"raw_track": "v1", "brief": "v7"}
    assert read.engine == Engine("toy", "large", "MIT")


def test_times_and_attempts_are_no_part_of_what_an_artefact_is(tmp_path: Path) -> None:
    one, _ = make(Artefacts(LocalStore(tmp_path / "a")), seconds=b"1 s")
    two, _ = make(Artefacts(LocalStore(tmp_path / "b")), seconds=b"2 s")
    other, _ = make(Artefacts(LocalStore(tmp_path / "c")), content=b"another mix")
    assert one.data_version == two.data_version != other.data_version
    assert one.manifest.files["report.json"].sha256 != two.manifest.files["report.json"].sha256


@given(st.dictionaries(st.text(min_size=1), st.integers(), max_size=3))
def test_fields_of_later_versions_are_taken(more: dict[str, int]) -> None:
    manifest = {
        "schema": 2, "stage": "mix", "track": "t", "key": "k", "attempt": "a", "data_version": "d",
        "recipe": {}, "code_version": "1", "inputs": {}, "engine": {"name": "toy", "speed": "high"},
        "files": {"f": {"size": 1, "sha256": "s", "colour": "red"}}, "measures": {}, "notes": [],
        "seconds": 1.0, "made_from": {}, "made_at": "2026-01-01",
    }  # fmt: skip
    read = Manifest.from_json(
        json.dumps({**{f"later {name}": value for name, value in more.items()}, **manifest}).encode()
    )
    assert read.engine.name == "toy"
    assert read.files["f"].size == 1


@pytest.mark.parametrize(
    "damaged", [b"", b"{", b"[]", b"{}", b'{"schema": 1}', b'{"schema": 99}', b"\xff\xfe", b"null"]
)
def test_a_manifest_that_cannot_be_read_is_a_result_that_is_not_there(
    artefacts: Artefacts, damaged: bytes
) -> None:
    with pytest.raises(UnreadableManifestError):
        Manifest.from_json(damaged)
    made, _ = make(artefacts)
    artefacts.publish(made)
    Path(artefacts.store.location("artefacts/mix/song/manifest.json")).write_bytes(damaged)
    inner(artefacts, made).write_bytes(damaged)
    assert artefacts.current("mix", "song") is None
    again, found = make(artefacts)
    assert not found
    assert again.path("mix.wav").read_bytes() == WRITTEN
    assert make(artefacts)[1]


def test_a_file_that_changed_under_its_manifest_is_noticed_and_made_anew(artefacts: Artefacts) -> None:
    made, _ = make(artefacts)
    file = made.path("mix.wav")
    file.write_bytes(b"RIFF of a kinD")  # as long as before
    with pytest.raises(ChangedFileError, match=r"mix\.wav: has changed since it was made"):
        made.path("mix.wav")
    again, found = make(artefacts)
    assert not found
    assert again.path("mix.wav").read_bytes() == WRITTEN


def test_a_home_that_was_copied_is_as_good_as_before(tmp_path: Path, artefacts: Artefacts) -> None:
    """Copies have other times; their bytes decide."""
    make(artefacts)
    shutil.copytree(tmp_path / "store", tmp_path / "copy", copy_function=shutil.copy)
    moved, found = make(Artefacts(LocalStore(tmp_path / "copy")))
    assert found
    assert moved.path("mix.wav").is_relative_to(tmp_path / "copy")


def test_of_two_that_make_the_same_at_once_one_whole_result_is_kept(artefacts: Artefacts) -> None:
    both_at_work = threading.Barrier(2, timeout=30)
    results: list[Artefact] = []

    def work(into: Path, content: bytes) -> Product:
        both_at_work.wait()
        for name in ("vocals.wav", "drums.wav"):
            (into / name).write_bytes(content)
        return Product({name: into / name for name in ("vocals.wav", "drums.wav")})

    def run(content: bytes) -> None:
        results.append(
            computed(
                artefacts,
                lambda into: work(into, content),
                stage="stems",
                track="song",
                recipes=[RECIPE],
                reads=READS,
            )[0]
        )

    threads = [threading.Thread(target=run, args=(content,)) for content in (b"one", b"two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, second = results
    assert first.manifest == second.manifest
    assert first.complete()
    assert len({first.path(name).read_bytes() for name in ("vocals.wav", "drums.wav")}) == 1
    attempts = [entry.key for entry in artefacts.store.entries("artefacts/stems/song")]
    assert len({key.split("/")[4] for key in attempts if not key.endswith("manifest.json")}) == 1


def test_bytes_are_on_disk_before_the_manifest_tells_of_them(
    artefacts: Artefacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, link, replace = os.fsync, os.link, Path.replace

    def told_fsync(descriptor: int) -> None:
        done.append(f"fsync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")
        fsync(descriptor)

    def told_link(source: Path, target: Path) -> None:
        done.append(f"link {target.name}")
        link(source, target)

    def told_replace(self: Path, target: Path) -> Path:
        done.append(f"rename {target.name}")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", told_fsync)
    monkeypatch.setattr(os, "link", told_link)
    monkeypatch.setattr(Path, "replace", told_replace)
    made, _ = make(artefacts)
    written = done.index("link manifest.json")
    assert done.index("fsync mix.wav") < done.index("rename mix.wav") < written
    assert (
        f"fsync {made.manifest.attempt}" in done[:written]
    )  # the directory that the files have their names in


def test_what_counts_now_stays_where_it_is_as_good_as_what_is_asked(artefacts: Artefacts) -> None:
    made, _ = make(artefacts)
    artefacts.publish(made)
    other = Recipe(Engine("toy", "small"))

    def unwanted(_: Path) -> Product:
        raise AssertionError

    kept, found = computed(
        artefacts,
        unwanted,
        stage="mix",
        track="song",
        recipes=[other],
        reads=READS,
        accepts=lambda made: made["model"] == "large",
    )
    assert found
    assert kept.manifest.key == made.manifest.key
