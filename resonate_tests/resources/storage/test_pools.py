"""Pools: how many work at once on a host, and what that means for the threads of each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from resonate_resources import parallel
from resonate_resources.recordings.recording import file_sha256, silent, write_samples
from resonate_resources.separation.spectral.engine import SpectralSeparator
from resonate_resources.storage import heartbeats, pools
from resonate_resources.storage.pools import in_pool, places, runs_at_once


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'resonate.sqlite'}"


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sixteen cores and 64 GB, unless a test says otherwise."""
    for name in ("RESONATE_POOL_CORES", "RESONATE_POOL_GPU", "RESONATE_POOL_CLOUD", "RESONATE_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pools, "CORES", 16)
    monkeypatch.setattr(parallel, "CORES", 16)
    monkeypatch.setattr(pools, "_memory_bytes", lambda: 64e9)
    yield
    parallel.share_with(1)


def names(url: str) -> list[str]:
    return sorted(one.name for one in heartbeats.heartbeats(url, "pool"))


@pytest.mark.parametrize(
    ("cores", "memory", "expected"), [(16, 64e9, 8), (16, 8e9, 4), (2, 64e9, 1), (1, 0.5e9, 1)]
)
def test_a_track_has_two_cores_and_two_gigabytes_and_there_is_always_room_for_one(
    monkeypatch: pytest.MonkeyPatch, cores: int, memory: float, expected: int
) -> None:
    monkeypatch.setattr(pools, "CORES", cores)
    monkeypatch.setattr(pools, "_memory_bytes", lambda: memory)
    assert places("cores") == expected
    assert runs_at_once() == expected + 1 + 2  # one at the GPU, two at a service


def test_the_operator_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESONATE_POOL_CORES", "5")
    monkeypatch.setenv("RESONATE_POOL_GPU", "2")
    assert (places("cores"), places("gpu"), places("cloud")) == (5, 2, 2)


def test_who_waits_for_a_service_holds_no_place_that_another_could_work_in(url: str) -> None:
    with in_pool(url, "cloud"), in_pool(url, "gpu"), in_pool(url, "cores"):
        assert [name.partition("@")[0] for name in names(url)] == ["cloud", "cores", "gpu"]
    assert names(url) == []


def test_each_host_has_its_own_gpu_and_cores_and_all_share_what_a_service_takes(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "_JOBS_AT_A_SERVICE", 1)
    with in_pool(url, "gpu"), in_pool(url, "cloud"):
        monkeypatch.setattr(pools, "HOST", "another-host")
        with in_pool(url, "gpu"):  # would wait for ever for that of the first host
            assert len(names(url)) == 3

        class WaitsError(Exception):
            pass

        def tell(line: str) -> None:
            assert "cloud" in line
            raise WaitsError

        with pytest.raises(WaitsError), in_pool(url, "cloud", tell=tell):
            pass


def test_the_threads_of_a_track_follow_from_how_many_are_at_work(url: str) -> None:
    with in_pool(url, "cores"):
        assert parallel.threads() == 4
        with in_pool(url, "cores"), in_pool(url, "cores"), in_pool(url, "cores"), in_pool(url, "cores"):
            assert parallel.threads() == 3
            with in_pool(url, "cores"), in_pool(url, "cores"), in_pool(url, "cores"):
                assert parallel.threads() == 2
    with in_pool(url, "cores"):
        assert parallel.threads() == 4


def test_threads_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESONATE_THREADS", "7")
    assert parallel.threads() == 7


def test_no_result_depends_on_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rate = 8000
    noise = 0.1 * np.random.default_rng(1).normal(size=(1, 100 * rate))
    track = write_samples(tmp_path / "track.wav", noise.astype(np.float32), rate)
    made = []
    for threads in ("1", "2", "4"):
        monkeypatch.setenv("RESONATE_THREADS", threads)
        into = tmp_path / threads
        into.mkdir()
        stems = SpectralSeparator().separate(track, into, silent)
        made.append({name: file_sha256(stem.path) for name, stem in stems.items()})
    assert made[0] == made[1] == made[2]
